//! `total / %s`

use super::super::scan::TokenKind;
use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::token::Tok;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "division",
    severity: Severity::Note,
    title: "a value that divides, or is divided",
    why: "The server takes the value for the type of the other operand. psycopg2 writes a float with its point, so that `total / 2.0` has a \
          fraction; beside an integer the parameter is one, and the fraction is cut off. Cast the value if it is a float.",
    postgres: "",
    example: "SELECT count(*) / %s FROM t",
    rewrite: "SELECT count(*) / $1::float8 FROM t",
    look: Look::Parameter(Behind::ANYTHING, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let next = spot.after(1);
    let is_divisor = spot.operator == "/" && !has_fraction(spot, spot.before(2));
    let divides = || next.kind == TokenKind::Operator && spot.text(next) == "/";
    let is_cast = || spot.after(3).kind == TokenKind::Cast && has_fraction(spot, spot.after(4));
    let is_divided = || divides() && !has_fraction(spot, spot.after(2)) && !is_cast();
    (!spot.is_cast && (is_divisor || is_divided())).then(|| {
        Found::new(format!(
            "`{}` gets the type of the other operand: beside an integer the division has no fraction",
            spot.written()
        ))
    })
}

/// Whether the operand that ends or begins with the token has a fraction, or is a parameter of which the type is asked for anyway.
fn has_fraction(spot: &Spot<'_>, operand: &Tok) -> bool {
    let text = spot.text(operand);
    let is_type = matches!(
        operand.word.text,
        "numeric" | "decimal" | "float" | "float4" | "float8" | "real" | "precision"
    );
    let is_decimal = operand.kind == TokenKind::Number && text.contains(['.', 'e', 'E']);
    operand.kind == TokenKind::Parameter || is_decimal || is_type
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
                "SELECT total / ⟨%s⟩, count(*) / ⟨%s⟩, (a + b) / ⟨%s⟩, ⟨%s⟩ / total, ⟨%s⟩ / 100",
                "SELECT total / %s::float8, total::numeric / %s, 100.0 / %s, %s / 1e3, %s / total::float8, %s / %s",
                "SELECT CAST(a AS double precision) * %s, total * %s, %s %% 2, a / 2",
            ],
        );
    }
}
