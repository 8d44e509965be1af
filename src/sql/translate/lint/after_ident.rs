//! `ORDER BY id %s`

use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::{Lead, Spot};
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "after-ident",
    severity: Severity::Error,
    title: "a value directly behind a name",
    why: "Only a fragment of SQL can follow a name: an operator, a direction, a kind of join. A parameter is a value. Put the \
          fragment into the text from a fixed list in the program, or write both variants.",
    postgres: "syntax error at or near \"$1\"",
    example: "SELECT id FROM t ORDER BY id %s",
    rewrite: "",
    look: Look::Parameter(Behind::WORD.or(Behind::OTHER), find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    (spot.lead == Lead::Identifier).then(|| {
        Found::new(format!(
            "no value can follow a name, as `{}` does",
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
                "SELECT 1 FROM t a ⟨%s⟩ JOIN t b USING (id) ORDER BY \"A\" ⟨%s⟩",
                "EXPLAIN (FORMAT ⟨%s⟩) SELECT 1",
                "SELECT a, b FROM t WHERE %s AND NOT %s ORDER BY CASE WHEN %s THEN %s END LIMIT %s",
            ],
        );
    }
}
