//! `%s + %s`

use super::super::scan::TokenKind;
use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "param-op-param",
    severity: Severity::Warning,
    title: "an operator between two values",
    why: "Neither side tells the server which operator is meant: it takes text, or refuses. Cast one of them.",
    postgres: "operator is not unique: unknown + unknown",
    example: "SELECT %s + %s",
    rewrite: "SELECT $1::int + $2",
    look: Look::Parameter(Behind::ANYTHING, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    if spot.is_cast {
        return None;
    }
    let is_operator = |kind| kind == TokenKind::Operator;
    let is_right = is_operator(spot.before(1).kind)
        && spot.before(2).kind == TokenKind::Parameter
        && spot.before(3).kind != TokenKind::Cast;
    let is_left = is_operator(spot.after(1).kind)
        && spot.after(2).kind == TokenKind::Parameter
        && spot.after(3).kind != TokenKind::Cast;
    (is_left || is_right).then(|| {
        Found::new(format!(
            "nothing tells the type of `{}` and of the value that it is joined to",
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
                "SELECT ⟨%s⟩ + ⟨%s⟩, ⟨%s⟩ = ⟨%s⟩",
                "SELECT a->⟨%s⟩->>⟨%s⟩",
                "SELECT %s + a, a + %s, %s::int + %s::int, %s + %s::int, 1 + %s - 1",
            ],
        );
    }
}
