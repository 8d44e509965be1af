//! `now() - %s`

use super::super::scan::TokenKind;
use super::finding::{Form, Found};
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::token::Tok;
use super::vocabulary as words;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "time-arith",
    severity: Severity::Warning,
    title: "a value added to a point in time",
    why: "The server takes the value for the same type as the time: `now() - $1` is the difference of two timestamps, an \
          interval. Cast it to `interval` if it is a duration.",
    postgres: "operator does not exist: timestamp with time zone > interval",
    example: "SELECT id FROM t WHERE ts > now() - %s",
    rewrite: "SELECT id FROM t WHERE ts > now() - $1::interval",
    look: Look::Parameter(Behind::OPERATOR, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let next = spot.after(1);
    let multiplies = || next.kind == TokenKind::Operator && spot.text(next) == "*";
    if !matches!(spot.operator, "+" | "-") || multiplies() || spot.is_cast {
        return None;
    }
    let is_date = time(spot)?;
    let message = format!("the server takes `{}` for a point in time", spot.written());
    // To a date a number of days may be added, too.
    let fix = (!is_date).then(|| spot.cast_to("interval", Form::Same));
    Some(Found::new(message).with(fix))
}

/// Whether what is left of the operator is a date; none if it is no time, as far as can be seen.
fn time(spot: &Spot<'_>) -> Option<bool> {
    let left = spot.before(2);
    if left.has(words::TIME_WORD) {
        return Some(left.is("current_date"));
    }
    let is_literal = matches!(left.kind, TokenKind::String | TokenKind::EscapeString);
    if is_literal {
        return of_type(spot.before(3), spot.before(4));
    }
    if left.is_sign(b')') {
        let function = spot.context.function(left.inside())?;
        if function.text == "cast" {
            return of_type(spot.before(3), spot.before(4));
        }
        let is_date = matches!(function.text, "date" | "make_date" | "to_date");
        return function.has(words::TIME_FUNCTION).then_some(is_date);
    }
    let with_zone = left.is("zone") && spot.before(3).is("time");
    let is_cast = with_zone || spot.before(3).kind == TokenKind::Cast;
    of_type(left, spot.before(3)).filter(|_| is_cast)
}

/// Whether the type that ends with the word is that of dates; none if it is no time's.
fn of_type(word: &Tok, before: &Tok) -> Option<bool> {
    match word.word.text {
        "date" => Some(true),
        "timestamp" | "timestamptz" | "time" | "timetz" => Some(false),
        "zone" if before.is("time") => Some(false),
        _ => None,
    }
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
                "SELECT now() - ⟨%s⟩, CURRENT_TIMESTAMP + ⟨%s⟩, date_trunc('day', a) - ⟨%s⟩ < b, current_date - ⟨%s⟩",
                "SELECT a::date - ⟨%s⟩, (b)::timestamp with time zone + ⟨%s⟩, CAST(a AS date) - ⟨%s⟩, date '2024-01-01' + ⟨%s⟩",
                "SELECT to_date(a, b) + ⟨%s⟩, a::int - %s, 'a' + %s, CAST(date AS int) - %s, a AT TIME ZONE 'UTC' - ⟨%s⟩",
                "SELECT now() - %s::interval, now() - %s * interval '1 day', a - %s, f() - %s, %s - now()",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[(
                "SELECT now() - %s < ts",
                "SELECT now() - $1::interval < ts",
                false,
            )],
        );
        leaves(
            &HAZARD,
            &["SELECT current_date + %s", "SELECT a::date - %s"],
        );
    }
}
