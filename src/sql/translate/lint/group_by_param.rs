//! `GROUP BY %s`

use super::finding::Found;
use super::hazard::{Behind, Look};
use super::order_by_param::is_group_key;
use super::spot::Spot;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "group-by-param",
    severity: Severity::Error,
    title: "a value as a key of GROUP BY",
    why: "psycopg2 writes the ordinal or the name into the text. A parameter is a constant, and the column that was meant is not \
          grouped. Write the ordinal or the name.",
    postgres: "column \"t.flag\" must appear in the GROUP BY clause or be used in an aggregate function",
    example: "SELECT flag, count(*) FROM t GROUP BY %s",
    rewrite: "SELECT flag, count(*) FROM t GROUP BY 1",
    look: Look::Parameter(Behind::SIGN.or(Behind::WORD), find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    is_group_key(spot).then(|| {
        Found::new(format!(
            "`{}` is a constant and groups nothing",
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
                "SELECT a, b, count(*) FROM t GROUP BY ⟨%s⟩, ⟨%s⟩ HAVING %s",
                "SELECT 1 FROM t GROUP BY (⟨%s⟩), ((⟨%s⟩)), (a, ⟨%s⟩), ROLLUP (⟨%s⟩, a), CUBE ((⟨%s⟩), b)",
                "SELECT 1 FROM t GROUP BY DISTINCT ⟨%s⟩; SELECT 1 FROM t GROUP BY ALL (⟨%s⟩)",
                "SELECT 1 FROM t GROUP BY GROUPING SETS ((a, ⟨%s⟩), (⟨%s⟩), ())",
                "SELECT 1 FROM t GROUP BY (%s) + a, f(%s), ROLLUP (f(a, %s), b + %s) HAVING f(%s, (%s)) AND (a, b) = (%s, 1)",
                "SELECT count(*) FROM t GROUP BY a + %s, date_trunc(%s, b)",
            ],
        );
    }
}
