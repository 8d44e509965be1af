//! `json_build_object(%s, 1)`

use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::token::Tok;
use super::vocabulary::{self as words, Word};
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "untyped-func-arg",
    severity: Severity::Warning,
    title: "an argument that may have any type",
    why: "The function takes arguments of any type, or there are several of its name, so the server cannot infer one for the \
          parameter; `round($1)`, `abs($1)` and their like take it for a double, and the result is one too. Cast the parameter \
          to what the value is.",
    postgres: "could not determine data type of parameter $1",
    example: "SELECT json_build_object('a', %s)",
    rewrite: "SELECT json_build_object('a', $1::int)",
    look: Look::Parameter(Behind::SIGN.or(Behind::WORD), find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let function = spot.function?;
    if spot.is_cast || !spot.is_argument() {
        return None;
    }
    if function.has(words::FLOAT_FUNCTION) && is_float(spot, function) {
        return Some(Found::new(format!(
            "`{}` takes `{}` for a double, and gives one; cast it",
            function.text,
            spot.written()
        )));
    }
    function.has(words::POLYMORPHIC).then(|| {
        let message = format!(
            "`{}` does not tell the type of `{}`; cast it",
            function.text,
            spot.written()
        );
        Found::new(message)
    })
}

/// Whether no other argument tells the type of this one.
fn is_float(spot: &Spot<'_>, function: &Word) -> bool {
    let (before, next) = (spot.before(1), spot.after(1));
    let is_power = matches!(function.text, "power" | "pow");
    let alone = |lead: &Tok, value: &Tok, end: &Tok| {
        is_power && lead.is_value() && (value.is_sign(b'(') || end.is_sign(b')'))
    };
    match (before.is_sign(b'('), next.is_sign(b')')) {
        (true, true) => true,
        (true, false) => alone(spot.after(2), next, spot.after(3)),
        (false, _) => alone(spot.before(2), spot.before(3), next),
    }
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
                "SELECT concat(⟨%s⟩, a, ⟨%s⟩), ROW(⟨%s⟩), count(DISTINCT ⟨%s⟩), array_agg(⟨%s⟩ ORDER BY a)",
                "SELECT * FROM unnest(⟨%s⟩, ⟨%s⟩)",
                "SELECT extract(epoch FROM ⟨%s⟩)",
                "SELECT round(⟨%s⟩), abs(⟨%s⟩), CEIL(⟨%s⟩), sqrt(⟨%s⟩), power(⟨%s⟩, ⟨%s⟩), power(2, ⟨%s⟩)",
                "SELECT round(%s, 2), round(a, %s), abs(%s::int), power(a, %s), power(%s, a), log(2, %s), sqrt(a + %s)",
                "SELECT concat(%s::text), sum(%s + a), lower(%s), to_json((%s)), unnest(CAST(%s AS int[]))",
            ],
        );
    }
}
