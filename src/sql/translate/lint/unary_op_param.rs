//! `-%s`

use super::super::scan::TokenKind;
use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::vocabulary as words;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "unary-op-param",
    severity: Severity::Warning,
    title: "a sign before a value",
    why: "Nothing tells the server which type's operator is meant. Cast the value, or send it with its sign.",
    postgres: "operator is not unique: - unknown",
    example: "SELECT -%s",
    rewrite: "SELECT -$1::int",
    look: Look::Parameter(Behind::OPERATOR, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let is_sign = matches!(spot.operator, "-" | "+" | "@" | "~" | "|/");
    if !is_sign || spot.is_cast {
        return None;
    }
    let before = spot.before(2);
    let starts = match before.kind {
        // The text starts with the operator.
        TokenKind::Space | TokenKind::Operator | TokenKind::Colon | TokenKind::Assign => true,
        TokenKind::Punctuation => !before.is_sign(b')') && !before.is_sign(b']'),
        // `CASE … END` and a type with a time zone are operands.
        _ => before.has(words::KEYWORD) && !matches!(before.word.text, "end" | "zone"),
    };
    starts.then(|| {
        Found::new(format!(
            "nothing tells the type of `{}` behind its sign",
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
                "SELECT -⟨%s⟩, (+ ⟨%s⟩), a * -⟨%s⟩, @⟨%s⟩",
                "SELECT -%s::int, a - %s, (a) - %s, arr[1] - %s, -(%s)",
            ],
        );
    }
}
