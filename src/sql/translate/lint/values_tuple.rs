//! `INSERT … VALUES %s`

use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::token::Clause;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "values-tuple",
    severity: Severity::Error,
    title: "a tuple as a row of VALUES",
    why: "`execute_values` and psycopg2's tuples write the rows into the text. Name each column and execute the statement for each row, \
          or pass one list a column: `SELECT * FROM unnest(%s::int[], %s::text[])`.",
    postgres: "syntax error at or near \"$1\"",
    example: "INSERT INTO t (id, name) VALUES %s",
    rewrite: "INSERT INTO t (id, name) VALUES ($1, $2)",
    look: Look::Parameter(Behind::SIGN.or(Behind::WORD), find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let begins = |open: usize| spot.context.tokens[open + 1].is("values");
    let is_next = spot.before(1).is_sign(b',')
        && spot.clause == Clause::Values
        && spot.inside.is_none_or(begins);
    (spot.before(1).is("values") || is_next).then(|| {
        Found::new(format!(
            "`{}` stands for a row, and a parameter is one value",
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
                "INSERT INTO t (a) VALUES ⟨%s⟩, ⟨%s⟩",
                "SELECT 1 FROM (VALUES ⟨%s⟩) AS v (a)",
                "SELECT 1 FROM t WHERE a IN (VALUES (1), ⟨%s⟩, (%s, %s)) AND b IN (1, %s)",
                "INSERT INTO t (a) VALUES (%s), (%s) RETURNING a",
            ],
        );
    }
}
