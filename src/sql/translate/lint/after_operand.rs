//! `(a) %s`

use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::{Lead, Spot};
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "after-operand",
    severity: Severity::Error,
    title: "a value directly behind an operand",
    why: "An operator is missing between the two, or was to come as a value. A parameter is a value and never an operator or a \
          clause. Put the fragment into the text from a fixed list in the program.",
    postgres: "syntax error at or near \"$1\"",
    example: "SELECT id FROM t WHERE lower(name) %s",
    rewrite: "",
    look: Look::Parameter(Behind::OTHER, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    (spot.lead == Lead::Operand).then(|| {
        Found::new(format!(
            "no value can follow an operand, as `{}` does",
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
                "SELECT (1) ⟨%s⟩, arr[1] ⟨%s⟩, 1 ⟨%s⟩, 'a' ⟨%s⟩, %s ⟨%s⟩, $$a$$ ⟨%s⟩, X'1' ⟨%s⟩",
                "SELECT 1 OPERATOR(pg_catalog.+) %s, (1) + %s, (%s), ARRAY[%s]",
            ],
        );
    }
}
