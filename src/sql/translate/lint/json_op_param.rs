//! `j -> %s`

use super::super::scan::TokenKind;
use super::finding::{Form, Found};
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "json-op-param",
    severity: Severity::Note,
    title: "a value behind an operator of JSON",
    why: "The operator has a form for a name and one for an index, or takes an array or a document: the server infers `text`, \
          `text[]` or `jsonb`, and a driver refuses another type. Cast where another is meant: `j -> %s::int`.",
    postgres: "",
    example: "SELECT j -> %s FROM t",
    rewrite: "SELECT j -> $1::int FROM t",
    look: Look::Parameter(Behind::OPERATOR, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let type_name = match spot.operator {
        "?" => Some("text"),
        "?|" | "?&" | "#>" | "#>>" | "#-" => Some("text[]"),
        // An index or a key, a document or an array: only the caller knows.
        "->" | "->>" | "@>" | "<@" | "@?" | "@@" => None,
        _ => return None,
    };
    let found = Found::new(format!(
        "the server infers the type of `{}` from the operator",
        spot.written()
    ));
    let type_name =
        type_name.filter(|_| !spot.is_cast && spot.after(1).kind != TokenKind::Operator);
    Some(found.with(type_name.map(|name| spot.cast_to(name, Form::Same).safe_if(true))))
}

#[cfg(test)]
mod tests {
    use super::super::table::{finds, fixes, leaves};
    use super::*;

    #[test]
    fn found() {
        finds(
            &HAZARD,
            &[
                "SELECT j -> ⟨%s⟩, j->>⟨%s⟩, j #> ⟨%s⟩, j ? ⟨%s⟩, j ?| ⟨%s⟩, j @> ⟨%s⟩, j @? ⟨%s⟩",
                "SELECT a + %s, %s -> 'a', j -> (%s)",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[
                ("SELECT j #>> %s", "SELECT j #>> $1::text[]", true),
                (
                    "SELECT 1 FROM t WHERE j ?| %s AND a",
                    "SELECT 1 FROM t WHERE j ?| $1::text[] AND a",
                    true,
                ),
            ],
        );
        leaves(
            &HAZARD,
            &["SELECT j -> %s", "SELECT j @> %s", "SELECT j #> %s::text[]"],
        );
    }
}
