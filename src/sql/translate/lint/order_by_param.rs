//! `ORDER BY %s`

use super::finding::Found;
use super::hazard::Look;
use super::spot::Spot;
use super::token::Clause;
use super::vocabulary as words;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "order-by-param",
    severity: Severity::Error,
    title: "a value as a key of ORDER BY",
    why: "psycopg2 writes the number or the name into the text. A parameter is a constant, so every row has the same key and the \
          rows come in any order, without a word. Write the ordinal or the name, from a fixed list in the program, or choose \
          with `CASE`.",
    postgres: "",
    example: "SELECT id FROM t ORDER BY %s",
    rewrite: "",
    look: Look::Parameter(find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    (spot.clause == Clause::Order && is_key(spot)).then(|| {
        Found::new(format!(
            "`{}` is the same for every row and orders nothing",
            spot.written()
        ))
    })
}

/// Whether the placeholder is all of a key of `ORDER BY` or `GROUP BY`.
pub(super) fn is_key(spot: &Spot<'_>) -> bool {
    let starts = spot.before(1).is("by") || spot.before(1).is_sign(b',');
    starts && ends_key(spot)
}

/// Whether a key ends behind the placeholder.
pub(super) fn ends_key(spot: &Spot<'_>) -> bool {
    spot.ends_item() || spot.after(1).has(words::AFTER_KEY)
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
                "SELECT a FROM t ORDER BY ⟨%s⟩ DESC, ⟨%s⟩ NULLS LAST LIMIT 1",
                "SELECT row_number() OVER (PARTITION BY a ORDER BY ⟨%s⟩)",
                "SELECT a FROM t ORDER BY a <-> %s, f(b, %s), CASE WHEN %s THEN a END",
            ],
        );
    }
}
