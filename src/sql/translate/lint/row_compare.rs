//! `(a, b) = %s`

use super::super::scan::TokenKind;
use super::finding::Found;
use super::hazard::{Behind, Look};
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
    look: Look::Parameter(Behind::SIGN.or(Behind::OPERATOR), find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    // `(a, b) = ANY(%s)` is a comparison with rows as well.
    let is_array =
        spot.before(1).is_sign(b'(') && matches!(spot.before(2).word.text, "any" | "all" | "some");
    let (back, operator) = match spot.before(3) {
        operator if is_array && operator.kind == TokenKind::Operator => (3, spot.text(operator)),
        _ => (1, spot.operator),
    };
    let compares = matches!(operator, "=" | "<>" | "!=" | "<" | ">" | "<=" | ">=");
    let row = spot.placeholder.token.checked_sub(back + 1);
    (compares && !spot.is_cast && spot.context.ends_row(row)).then(|| {
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
                "SELECT 1 FROM t WHERE (a, b) > ⟨%s⟩ OR (a, b) <= ⟨%s⟩ OR ROW(a, b) = ⟨%s⟩ OR ((a, b)) = ⟨%s⟩",
                "SELECT 1 FROM t WHERE (a, b) = ANY(⟨%s⟩) AND ROW(a) <> ALL (⟨%s⟩)",
                "SELECT 1 FROM t WHERE (a, b) = %s::pair OR a = ANY(%s) OR f(a, b) = ANY(%s) OR (a, b) = ANY(f(%s))",
                "SELECT 1 FROM t WHERE (a, b) = (%s, %s) AND f(a, b) = %s AND (a) = %s AND ((a, b) IS NULL) = %s",
            ],
        );
    }
}
