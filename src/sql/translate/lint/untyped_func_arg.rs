//! `json_build_object(%s, 1)`

use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::token::{Clause, Tok};
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
    if spot.is_cast || !spot.is_argument() {
        return None;
    }
    let Some(function) = spot.function else {
        let message = || {
            format!(
                "a row does not tell the type of `{}`; cast it",
                spot.written()
            )
        };
        return is_in_row(spot).then(|| Found::new(message()));
    };
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

/// Whether it is a field of a row that is an item of a list or an argument: `SELECT (%s, a)`. One that is compared has the other's types.
fn is_in_row(spot: &Spot<'_>) -> bool {
    /// How far its end is looked for, so that many fields take no long time: nobody compares so long a row.
    const MOST: usize = 1_000;
    let tokens = &spot.context.tokens;
    let is_row = |opener: &usize| tokens[*opener].is_sign(b'(') && tokens[*opener].has_comma;
    let Some(opener) = spot.inside.filter(is_row) else {
        return false;
    };
    let lead = spot.context.token(opener.checked_sub(1));
    let begins = lead.is_sign(b'(') || lead.is_sign(b',') || lead.is("distinct");
    let is_argument = || begins && spot.context.function(lead.inside()).is_some();
    let lists = matches!(tokens[opener].clause, Clause::Select | Clause::Returning);
    let leads = matches!(lead.word.text, "select" | "distinct" | "returning");
    let is_item = lists && (leads || lead.is_sign(b','));
    if !is_item && !is_argument() {
        return false;
    }
    let is_end = |token: &Tok| token.is_sign(b')') && token.inside() == Some(opener);
    let behind = &tokens[spot.placeholder.token..];
    let end = behind.iter().take(MOST).position(is_end);
    let next = end.and_then(|end| behind.get(end + 1));
    next.is_none_or(|next| {
        let sign = [b',', b')', b';']
            .into_iter()
            .any(|sign| next.is_sign(sign));
        sign || next.has(words::AFTER_ITEM) || next.is("order")
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
                "SELECT (⟨%s⟩, a), (b, ⟨%s⟩) AS c, json_agg((⟨%s⟩, a) ORDER BY a), xmlelement(name b, ⟨%s⟩) FROM t",
                "SELECT (a, b) = (%s, %s), (%s, 1) IN (b, c), f(a, (%s)), (%s + 1, a), a IN ((%s, 1), (%s, 2)) FROM t",
                "SELECT a FROM t WHERE (a, b) > (%s, %s) AND (a, b) IN ((%s, 1)) GROUP BY (a, %s)",
                "SELECT concat(%s::text), sum(%s + a), lower(%s), to_json((%s)), unnest(CAST(%s AS int[]))",
            ],
        );
    }
}
