//! `(VALUES (%s, %s)) AS v (a, b)`

use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "values-untyped",
    severity: Severity::Warning,
    title: "a value in a list of rows that nothing gives a type",
    why: "In `INSERT … VALUES` the columns of the table decide. Elsewhere a column of parameters alone is text, and meets the \
          number that it is compared with. Cast the first row.",
    postgres: "operator does not exist: integer = text",
    example: "SELECT t.id FROM t JOIN (VALUES (%s), (%s)) AS v (id) ON t.id = v.id",
    rewrite: "SELECT t.id FROM t JOIN (VALUES ($1::int), ($2)) AS v (id) ON t.id = v.id",
    look: Look::Parameter(Behind::SIGN, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let row = spot.inside?;
    let values = spot.context.token(row.checked_sub(1));
    let opens = spot.context.token(row.checked_sub(2));
    // The first row decides.
    let is_list = values.is("values") && opens.is_sign(b'(');
    let is_item =
        (spot.before(1).is_sign(b'(') || spot.before(1).is_sign(b',')) && spot.ends_item();
    (is_list && is_item && !spot.is_cast).then(|| {
        Found::new(format!(
            "the server takes `{}` for text; cast it to what its column is",
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
                "SELECT 1 FROM (VALUES (⟨%s⟩, ⟨%s⟩), (%s, %s)) AS v (a, b)",
                "WITH v (a) AS (VALUES (⟨%s⟩)) SELECT 1",
                "INSERT INTO t VALUES (%s, %s)",
                "SELECT 1 FROM (VALUES (%s::int, %s + 1)) AS v (a, b)",
                "SELECT 1 FROM t WHERE a IN (SELECT values(%s))",
            ],
        );
    }
}
