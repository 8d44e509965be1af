//! `(%s IS NULL OR a = %s)`

use super::super::scan::TokenKind;
use super::context::Place;
use super::finding::{Form, Found};
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::vocabulary as words;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "param-is-null",
    severity: Severity::Warning,
    title: "a test of a value for NULL",
    why: "`IS NULL` says nothing of the type, and the server decides at the first use of a parameter: one name for both uses \
          does not help. Cast the use before `IS NULL`.",
    postgres: "could not determine data type of parameter $1",
    example: "SELECT id FROM t WHERE (%s IS NULL OR name = %s)",
    rewrite: "SELECT id FROM t WHERE ($1::text IS NULL OR name = $2)",
    look: Look::Parameter(Behind::ANYTHING, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let (first, second, third) = (spot.after(1), spot.after(2), spot.after(3));
    let is_test = first.is("is") && (second.is("null") || second.is("not") && third.is("null"))
        || matches!(first.word.text, "isnull" | "notnull");
    (is_test && !spot.is_cast).then(|| {
        let known = known_type(spot);
        let form = if known.is_some() {
            Form::Same
        } else {
            Form::Text
        };
        let fix = spot
            .cast_to(known.unwrap_or("text"), form)
            .safe_if(known.is_some());
        Found::new(format!(
            "`IS NULL` does not tell the type of `{}`",
            spot.written()
        ))
        .with(fix)
    })
}

/// The type that another use of the same parameter is cast to.
fn known_type(spot: &Spot<'_>) -> Option<&'static str> {
    const FAR: usize = 64;
    let others = spot.context.placeholders.iter().take(FAR);
    let same = others
        .filter(|other| other.number == spot.placeholder.number && other.place == Place::Code);
    same.filter_map(|other| {
        let token = |ahead: usize| spot.context.token(Some(other.token + ahead));
        let ends = !token(3).is_sign(b'[') && !token(3).is_sign(b'(') && !token(3).has(words::TYPE);
        let is_known = token(1).kind == TokenKind::Cast && token(2).has(words::TYPE) && ends;
        is_known.then(|| token(2).word.text)
    })
    .find(|name| *name != "char" && *name != "bit")
}

#[cfg(test)]
mod tests {
    use super::super::table::{finds, fixes};
    use super::*;

    #[test]
    fn found() {
        finds(
            &HAZARD,
            &[
                "SELECT 1 WHERE (⟨%s⟩ IS NULL OR a = %s) AND ⟨%s⟩ IS NOT NULL AND ⟨%s⟩ isnull",
                "SELECT 1 WHERE (⟨%(a)s⟩ IS NULL OR b = %(a)s)",
                "SELECT 1 WHERE %s::int IS NULL AND CAST(%s AS int) IS NULL AND %s IS TRUE AND a + %s",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[
                (
                    "SELECT 1 WHERE (%s IS NULL OR a = %s)",
                    "SELECT 1 WHERE ($1::text IS NULL OR a = $2)",
                    false,
                ),
                (
                    "SELECT 1 WHERE (%(a)s IS NULL OR b = %(a)s::int)",
                    "SELECT 1 WHERE ($1::int IS NULL OR b = $1::int)",
                    true,
                ),
            ],
        );
    }
}
