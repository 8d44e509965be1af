//! `now() - %s`

use super::super::scan::TokenKind;
use super::finding::{Form, Found};
use super::hazard::{Behind, Look};
use super::spot::Spot;
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
    let (left, next) = (spot.before(2), spot.after(1));
    let multiplies = || next.kind == TokenKind::Operator && spot.text(next) == "*";
    if !matches!(spot.operator, "+" | "-") || multiplies() || spot.is_cast {
        return None;
    }
    let is_time = left.has(words::TIME_WORD)
        || left.is_sign(b')')
            && spot
                .context
                .function(left.inside())
                .is_some_and(|function| function.has(words::TIME_FUNCTION));
    is_time.then(|| {
        let message = format!("the server takes `{}` for a point in time", spot.written());
        let fix = (!left.is("current_date")).then(|| spot.cast_to("interval", Form::Same));
        Found::new(message).with(fix)
    })
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
        leaves(&HAZARD, &["SELECT current_date + %s"]);
    }
}
