//! `(a, b) = %s`

use super::super::scan::TokenKind;
use super::finding::Found;
use super::hazard::Look;
use super::spot::Spot;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "row-compare",
    severity: Severity::Error,
    title: "a row compared with a tuple, or set to it",
    why: "A parameter would have to be a whole row, which no driver can send and `SET (a, b) =` does not take. Write one placeholder a \
          column.",
    postgres: "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression",
    example: "UPDATE t SET (id, name) = %s",
    rewrite: "UPDATE t SET (id, name) = ($1, $2)",
    look: Look::Parameter(find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let (operator, row) = (spot.before(1), spot.before(2));
    let compares =
        operator.kind == TokenKind::Operator && matches!(spot.text(operator), "=" | "<>" | "!=");
    let is_row = row.is_sign(b')')
        && row
            .inside
            .is_some_and(|opener| spot.context.tokens[opener].has_comma)
        && spot.context.function(row.inside).is_none();
    (compares && is_row).then(|| {
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
                "SELECT 1 FROM t WHERE (a, b) = ⟨%s⟩ OR (a, f(b)) <> ⟨%s⟩",
                "UPDATE t SET (a, b) =⟨%s⟩",
                "SELECT 1 FROM t WHERE (a, b) = (%s, %s) AND f(a, b) = %s AND (a) = %s AND ((a, b) IS NULL) = %s",
            ],
        );
    }
}
