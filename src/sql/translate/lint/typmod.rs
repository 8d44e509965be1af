//! `a::numeric(%s, %s)`

use super::super::scan::TokenKind;
use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::vocabulary as words;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "typmod",
    severity: Severity::Error,
    title: "a value as a type's length or precision",
    why: "The length of a type is a part of the grammar. Write it into the text as a number that the program has checked.",
    postgres: "type modifiers must be simple constants or identifiers",
    example: "SELECT 1::numeric(%s, %s)",
    rewrite: "",
    look: Look::Parameter(Behind::SIGN.or(Behind::WORD), find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let opener = spot.inside?;
    let name = spot.function.filter(|name| name.has(words::TYPE))?;
    let cast = spot.context.token(opener.checked_sub(2));
    let is_type = cast.kind == TokenKind::Cast || cast.is("as");
    (is_type && spot.is_argument()).then(|| {
        Found::new(format!(
            "the length of the type `{}` cannot be the parameter `{}`",
            name.text,
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
                "SELECT a::char(⟨%s⟩), a::numeric(⟨%s⟩, ⟨%s⟩)",
                "SELECT CAST(a AS varchar(⟨%s⟩))",
                "SELECT date(%s), a::text || left(%s)",
            ],
        );
    }
}
