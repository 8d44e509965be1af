//! `id IN %s`

use super::super::scan::TokenKind;
use super::context::Context;
use super::finding::{Fix, Form, Found};
use super::hazard::{Behind, Look};
use super::spot::{Spot, text};
use super::token::Tok;
use super::vocabulary as words;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "in-tuple",
    severity: Severity::Error,
    title: "a tuple behind IN",
    why: "psycopg2 writes a tuple as `(1, 2)`. A parameter is one value, so the list becomes an array: `= ANY(%s)` with a list for \
          argument. NULL elements mean the same, and an empty list, which psycopg2 could not write, finds nothing. For `(a, b) IN %s` \
          pass one list a column: `IN (SELECT * FROM unnest(%s::int[], %s::text[]))`.",
    postgres: "syntax error at or near \"$1\"",
    example: "SELECT name FROM t WHERE id IN %s",
    rewrite: "SELECT name FROM t WHERE id = ANY($1)",
    look: Look::Parameter(Behind::WORD, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let is_negated = spot.before(2).is("not");
    if is_negated || !is_list(spot) {
        return None;
    }
    let message = format!(
        "`IN {}` takes a tuple, and a parameter is one value",
        spot.written()
    );
    Some(Found::new(message).with(compared(spot, 1, "= ANY(")))
}

/// Whether the placeholder stands for the list behind `IN`.
pub(super) fn is_list(spot: &Spot<'_>) -> bool {
    spot.before(1).is("in") && !spot.is_called("position")
}

/// The comparison with an array for the `length` words before the placeholder and the placeholder itself. None if
/// the left side is a row.
pub(super) fn compared(spot: &Spot<'_>, length: usize, operator: &'static str) -> Option<Fix> {
    let first = spot.placeholder.token.checked_sub(length)?;
    let left = first.checked_sub(1);
    if spot.context.ends_row(left) {
        return None;
    }
    let left = spot.context.token(left);
    let is_table = left.is_name() && spot.context.is_relation(left);
    let is_qualified = spot.context.token(first.checked_sub(2)).is_sign(b'.');
    let pieces = vec![text(operator), spot.piece(Form::List), text(")")];
    let token = spot.context.token(Some(spot.placeholder.token));
    let change = spot.change(spot.context.token(Some(first)), token, pieces);
    let advice = format!("write `{operator}{})` and pass a list", spot.written());
    let binds_alike = !binds_tighter(spot.context, first) && !goes_on(spot.after(1));
    Some(Fix::rewrite(advice, vec![change]).safe_if(binds_alike && (is_qualified || !is_table)))
}

/// Whether a comparison stands to the left of the operand: `a = b IN …` is `a = (b IN …)`, and `a = b = ANY(…)` is
/// an error.
fn binds_tighter(context: &Context<'_>, first: usize) -> bool {
    const FAR: usize = 64;
    let mut index = first;
    for _ in 0..FAR {
        let Some(before) = index.checked_sub(1) else {
            return false;
        };
        let token = &context.tokens[before];
        let closes = token.is_sign(b')') || token.is_sign(b']');
        index = token.inside().filter(|_| closes).unwrap_or(before);
        let compares = token.kind == TokenKind::Operator
            && matches!(
                token.text(context.sql),
                "=" | "<" | ">" | "<=" | ">=" | "<>" | "!="
            );
        // What a `CASE` holds says nothing of what stands before it.
        if compares
            || token.is("end")
            || matches!(
                token.word.text,
                "like" | "ilike" | "similar" | "between" | "is"
            )
        {
            return true;
        }
        let opens = token.is_sign(b'(')
            || token.is_sign(b'[')
            || token.is_sign(b',')
            || token.is_sign(b';');
        let begins = token.has(words::BEFORE_CONDITION)
            || matches!(token.word.text, "case" | "then" | "else" | "select");
        if opens || begins {
            return false;
        }
    }
    true
}

/// Whether the condition is an operand of what comes next.
fn goes_on(next: &Tok) -> bool {
    next.kind == TokenKind::Operator
        || next.kind == TokenKind::Cast
        || matches!(
            next.word.text,
            "in" | "like" | "ilike" | "similar" | "between" | "not"
        )
}

#[cfg(test)]
mod tests {
    use super::super::table::{convert, finds, fixes, leaves};
    use super::*;

    #[test]
    fn found() {
        finds(
            &HAZARD,
            &[
                "SELECT 1 FROM t WHERE id IN ⟨%s⟩ AND a in\n⟨%s⟩",
                "SELECT 1 FROM t WHERE id IN⟨%(ids)s⟩",
                "SELECT 1 FROM t WHERE id IN (%s, %s) OR id NOT IN %s OR id = ANY(%s)",
                "SELECT position('a' IN %s), position(%s IN a)",
                "SELECT 1 FROM t WHERE (a, b) IN ⟨%s⟩",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[
                (
                    "SELECT 1 FROM t WHERE id IN %s",
                    "SELECT 1 FROM t WHERE id = ANY($1)",
                    true,
                ),
                (
                    "SELECT 1 FROM t WHERE f(a, b) IN%sAND c = %s",
                    "SELECT 1 FROM t WHERE f(a, b) = ANY($1)AND c = $2",
                    true,
                ),
                (
                    "SELECT 1 FROM t WHERE NOT a\n  in %(a)s\n",
                    "SELECT 1 FROM t WHERE NOT a\n  = ANY($1)\n",
                    true,
                ),
                (
                    "SELECT f = CASE WHEN a THEN b END IN %s",
                    "SELECT f = CASE WHEN a THEN b END = ANY($1)",
                    false,
                ),
                (
                    "SELECT t IN %s FROM a, t",
                    "SELECT t = ANY($1) FROM a, t",
                    false,
                ),
                (
                    "SELECT t.t IN %s FROM t",
                    "SELECT t.t = ANY($1) FROM t",
                    true,
                ),
                ("SELECT a = b IN %s", "SELECT a = b = ANY($1)", false),
                ("SELECT a IN %s = true", "SELECT a = ANY($1) = true", false),
                ("SELECT (a = b) IN %s", "SELECT (a = b) = ANY($1)", true),
            ],
        );
        leaves(
            &HAZARD,
            &[
                "SELECT 1 FROM t WHERE (a, b) IN %s",
                "SELECT 1 FROM t WHERE ROW(a, b) IN %s",
                "SELECT 1 FROM t WHERE ((a, b)) IN %s",
                "SELECT 1 FROM t WHERE (ROW(a)) IN %s",
            ],
        );
    }

    #[test]
    fn a_name_that_is_a_list_here_and_a_tuple_there_is_two_parameters() {
        let converted = convert(&HAZARD, "SELECT id IN %(a)s, f(%(a)s), b IN %(a)s");
        assert_eq!(converted.sql, "SELECT id = ANY($1), f($2), b = ANY($1)");
        assert_eq!(
            converted
                .parameters
                .iter()
                .map(|bound| bound.list)
                .collect::<Vec<_>>(),
            [true, false]
        );
        assert!(converted.dropped.is_empty());
    }
}
