//! `CASE WHEN a THEN %s END`

use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "case-result",
    severity: Severity::Note,
    title: "a value as a result of CASE",
    why: "All results of a `CASE` have one type. A column among them decides it; parameters alone become text. Cast one of them.",
    postgres: "operator does not exist: integer + text",
    example: "SELECT 1 + CASE WHEN flag THEN %s ELSE %s END FROM t",
    rewrite: "SELECT 1 + CASE WHEN flag THEN $1::int ELSE $2 END FROM t",
    look: Look::Parameter(Behind::WORD, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    (matches!(spot.before(1).word.text, "then" | "else") && !spot.is_cast).then(|| {
        Found::new(format!(
            "`{}` is text unless another result has a type",
            spot.written()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::super::table::finds;
    use super::*;

    #[test]
    fn found() {
        finds(
            &HAZARD,
            &[
                "SELECT CASE a WHEN 1 THEN ⟨%s⟩ ELSE ⟨%s⟩ END",
                "SELECT CASE WHEN %s THEN a + %s WHEN a = %s THEN %s::int END",
            ],
        );
    }
}
