//! `id NOT IN %s`

use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::{Hazard, Severity, in_tuple};

pub(super) const HAZARD: Hazard = Hazard {
    code: "not-in-tuple",
    severity: Severity::Error,
    title: "a tuple behind NOT IN",
    why: "As behind `IN`, the tuple becomes an array, and the comparison `<> ALL(%s)`. Not `<> ANY(%s)`, which is true as soon as one \
          element differs.",
    postgres: "syntax error at or near \"$1\"",
    example: "SELECT name FROM t WHERE id NOT IN %s",
    rewrite: "SELECT name FROM t WHERE id <> ALL($1)",
    look: Look::Parameter(Behind::WORD, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    (in_tuple::is_list(spot) && spot.before(2).is("not")).then(|| {
        let message = format!(
            "`NOT IN {}` takes a tuple, and a parameter is one value",
            spot.written()
        );
        Found::new(message).with(in_tuple::compared(spot, 2, "<> ALL("))
    })
}

#[cfg(test)]
mod tests {
    use super::super::table::{finds, fixes, leaves};
    use super::*;

    #[test]
    fn found() {
        finds(
            &HAZARD,
            &[
                "SELECT 1 FROM t WHERE id NOT IN ⟨%s⟩ AND a not\nin ⟨%s⟩",
                "SELECT 1 FROM t WHERE id NOT IN (%s) AND NOT id IN %s",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[
                (
                    "SELECT 1 FROM t WHERE id NOT IN %s OR b",
                    "SELECT 1 FROM t WHERE id <> ALL($1) OR b",
                    true,
                ),
                (
                    "SELECT 1 FROM t WHERE id Not\nIn %(a)s",
                    "SELECT 1 FROM t WHERE id <> ALL($1)",
                    true,
                ),
                ("SELECT a < b NOT IN %s", "SELECT a < b <> ALL($1)", false),
            ],
        );
        leaves(&HAZARD, &["SELECT 1 FROM t WHERE (a, b) NOT IN %s"]);
    }
}
