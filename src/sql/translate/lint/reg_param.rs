//! `%s::regclass`

use super::super::scan::TokenKind;
use super::finding::{Form, Found};
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::vocabulary as words;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "reg-param",
    severity: Severity::Warning,
    title: "the name of an object as a parameter",
    why: "The cast, or the function, makes the parameter itself a `regclass`, `regtype` or `regconfig`, which goes to the server as the \
          object's number: a name is refused by drivers that send values in the binary form. Let the server read it from text.",
    postgres: "",
    example: "SELECT %s::regclass",
    rewrite: "SELECT $1::text::regclass",
    look: Look::Parameter(Behind::ANYTHING, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let type_name = if is_cast(spot) {
        "text"
    } else {
        of_function(spot)?
    };
    let found = Found::new(format!(
        "`{}` is an object's number to the server, and no name",
        spot.written()
    ));
    Some(found.with(spot.cast_to(type_name, Form::Same)))
}

/// Whether the placeholder is cast to the number of an object.
fn is_cast(spot: &Spot<'_>) -> bool {
    let (next, type_name) = (spot.after(1), spot.after(2));
    let casts = next.kind == TokenKind::Cast || next.is("as") && spot.is_called("cast");
    casts && type_name.has(words::OBJECT_TYPE)
}

/// The cast that a function's first argument needs.
fn of_function(spot: &Spot<'_>) -> Option<&'static str> {
    let function = spot.function.filter(|_| spot.before(1).is_sign(b'('))?;
    let next = spot.after(1);
    let is_pair = next.is_sign(b',');
    if function.has(words::OF_RELATION) && (is_pair || next.is_sign(b')')) {
        return Some("text::regclass");
    }
    // With one argument alone it is the text.
    (function.has(words::OF_CONFIGURATION) && is_pair).then_some("text::regconfig")
}

#[cfg(test)]
mod tests {
    use super::super::table::{finds, fixes};
    use super::*;

    #[test]
    fn found_and_fixed() {
        finds(
            &HAZARD,
            &[
                "SELECT ⟨%s⟩::regclass, CAST(⟨%s⟩ AS regtype), nextval(⟨%s⟩), setval(⟨%s⟩, %s), pg_relation_size(⟨%s⟩)",
                "SELECT to_tsvector(⟨%s⟩, body), plainto_tsquery(⟨%s⟩, %s), websearch_to_tsquery(%s), to_tsvector(%s)",
                "SELECT %s::text::regclass, nextval('a' || %s), lower(%s), %s::int, (%s)::text",
            ],
        );
        fixes(
            &HAZARD,
            &[
                ("SELECT %s::regclass", "SELECT $1::text::regclass", false),
                (
                    "SELECT nextval(%s), to_tsquery(%s, %s)",
                    "SELECT nextval($1::text::regclass), to_tsquery($2::text::regconfig, $3)",
                    false,
                ),
                (
                    "SELECT CAST(%s AS regtype)",
                    "SELECT CAST($1::text AS regtype)",
                    false,
                ),
            ],
        );
    }
}
