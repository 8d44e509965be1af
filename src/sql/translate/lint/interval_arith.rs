//! `%s - interval '1 day'`

use super::super::scan::TokenKind;
use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "interval-arith",
    severity: Severity::Warning,
    title: "a value to which an interval is added",
    why: "The server takes the value for what stands beside it: `$1 - interval '1 day'` is the difference of two intervals. psycopg2 writes \
          the type into the text. Cast it to what it is, `timestamptz`, `timestamp` or `date`.",
    postgres: "operator does not exist: timestamp with time zone > interval",
    example: "SELECT id FROM t WHERE ts > %s - interval '1 day'",
    rewrite: "SELECT id FROM t WHERE ts > $1::timestamptz - interval '1 day'",
    look: Look::Parameter(Behind::ANYTHING, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let sign = spot.after(1);
    let adds = sign.kind == TokenKind::Operator && matches!(spot.text(sign), "+" | "-");
    // An operand of another sum has its type from there.
    let is_first = matches!(
        spot.operator,
        "" | "=" | "<" | ">" | "<=" | ">=" | "<>" | "!="
    );
    (adds && is_first && !spot.is_cast && is_interval(spot)).then(|| {
        Found::new(format!(
            "the server takes `{}` for an interval",
            spot.written()
        ))
    })
}

/// Whether the operand behind the sign is an interval, as far as its first words tell.
fn is_interval(spot: &Spot<'_>) -> bool {
    let first = spot.after(2);
    if matches!(first.word.text, "interval" | "make_interval") {
        return true;
    }
    let next = spot.after(3);
    let is_cast = next.kind == TokenKind::Cast && spot.after(4).is("interval");
    let multiplies =
        next.kind == TokenKind::Operator && spot.text(next) == "*" && spot.after(4).is("interval");
    first.is_value() && (is_cast || multiplies)
}

#[cfg(test)]
mod tests {
    use super::super::table::{finds, leaves};
    use super::*;

    #[test]
    fn found() {
        finds(
            &HAZARD,
            &[
                "SELECT ⟨%s⟩ - interval '1 day', ⟨%s⟩ + INTERVAL '1 day'",
                "SELECT 1 FROM t WHERE ts > ⟨%s⟩ - make_interval(days => 1) AND ts <= (⟨%s⟩ + '1 day'::interval)",
                "SELECT 1 FROM t WHERE ts BETWEEN ⟨%s⟩ - interval '1 day' AND ⟨%s⟩ + %s * interval '1 day'",
                "SELECT ⟨%s⟩ - %s::interval, %s::date - interval '1 day', ts - %s + interval '1 day'",
                "SELECT %s - now(), %s - ts, %s - 1, %s * interval '1 day', now() - interval '1 day'",
            ],
        );
        leaves(&HAZARD, &["SELECT %s - interval '1 day'"]);
    }
}
