//! `CASE WHEN a THEN %s END`, `CASE %s WHEN 1 THEN a END`

use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "case-result",
    severity: Severity::Note,
    title: "a value as a result or the operand of CASE",
    why: "All results of a `CASE` have one type. A column among them decides it; parameters alone become text. Cast one of them. \
          The operand of `CASE %s WHEN 1` is text, whatever it is compared with.",
    postgres: "operator does not exist: integer + text",
    example: "SELECT 1 + CASE WHEN flag THEN %s ELSE %s END FROM t",
    rewrite: "SELECT 1 + CASE WHEN flag THEN $1::int ELSE $2 END FROM t",
    look: Look::Parameter(Behind::WORD, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let written = spot.written();
    let message = match spot.before(1).word.text {
        _ if spot.is_cast => return None,
        "then" | "else" => format!("`{written}` is text unless another result has a type"),
        "case" if spot.after(1).is("when") => format!("`{written}` is text; cast it"),
        _ => return None,
    };
    Some(Found::new(message))
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
                "SELECT CASE ⟨%s⟩ WHEN 1 THEN a END, CASE %s::int WHEN 1 THEN a END, CASE %s + 1 WHEN a THEN b END",
                "SELECT CASE WHEN %s THEN a + %s WHEN a = %s THEN %s::int END",
            ],
        );
    }
}
