//! `GROUP BY date_trunc(%s, ts)`

use super::finding::Found;
use super::hazard::{Behind, Look};
use super::order_by_param::{ends_key, is_group_key};
use super::spot::Spot;
use super::token::Clause;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "group-by-expr",
    severity: Severity::Note,
    title: "a value in an expression of GROUP BY",
    why: "The server compares the expression with those of the list, and `$1` and `$2` are different expressions even for equal \
          values. Give both uses one name, `%(unit)s`, so that they are one parameter; or group by the ordinal.",
    postgres: "column \"t.ts\" must appear in the GROUP BY clause or be used in an aggregate function",
    example: "SELECT date_trunc(%s, ts), count(*) FROM t GROUP BY date_trunc(%s, ts)",
    rewrite: "SELECT date_trunc($1, ts), count(*) FROM t GROUP BY date_trunc($1, ts)",
    look: Look::Parameter(Behind::ANYTHING, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let groups = spot.clause == Clause::Group && !ends_key(spot) || in_key(spot, spot.inside);
    (groups && !is_group_key(spot)).then(|| {
        let message = format!(
            "another parameter than `{}` in the same expression makes it another expression",
            spot.written()
        );
        Found::new(message)
    })
}

/// Whether the parentheses are the arguments of a call that is a key of `GROUP BY`.
fn in_key(spot: &Spot<'_>, opener: Option<usize>) -> bool {
    let opens = |index: usize| spot.context.tokens[index].clause == Clause::Group;
    spot.function.is_some() && opener.is_some_and(opens)
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
                "SELECT a + %s FROM t GROUP BY ⟨%s⟩ + a",
                "SELECT date_trunc(%s, a) FROM t GROUP BY date_trunc(⟨%s⟩, a), b",
                "SELECT 1 FROM t GROUP BY ROLLUP (%s), CUBE (⟨%s⟩ + a)",
                "SELECT 1 FROM t GROUP BY (%s), a HAVING f(%s) AND %s > 1",
            ],
        );
    }
}
