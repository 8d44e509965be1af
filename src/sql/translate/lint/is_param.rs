//! `deleted IS %s`

use super::super::scan::TokenKind;
use super::finding::{Fix, Form, Found};
use super::hazard::{Behind, Look};
use super::spot::{Spot, text};
use super::vocabulary as words;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "is-param",
    severity: Severity::Error,
    title: "a value behind IS",
    why: "`IS` is followed by a keyword, which psycopg2 writes for None, True and False. A parameter is compared with \
          `IS NOT DISTINCT FROM`, which treats NULL as a value. An index does not serve it: where the value is never NULL, write `=`. \
          A row of nothing but NULL is NULL to `IS` and a value to `IS NOT DISTINCT FROM`, and the two end their operands elsewhere.",
    postgres: "syntax error at or near \"$1\"",
    example: "SELECT id FROM t WHERE name IS %s",
    rewrite: "SELECT id FROM t WHERE name IS NOT DISTINCT FROM $1",
    look: Look::Parameter(Behind::WORD, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let is_negated = spot.before(1).is("not") && spot.before(2).is("is");
    if !spot.before(1).is("is") && !is_negated {
        return None;
    }
    let found = Found::new(format!(
        "`IS` takes a keyword and not the value of `{}`",
        spot.written()
    ));
    Some(found.with(distinct(spot, is_negated)))
}

fn distinct(spot: &Spot<'_>, is_negated: bool) -> Option<Fix> {
    if spot
        .statement()
        .is_none_or(|statement| statement.is_utility)
    {
        return None;
    }
    let next = spot.after(1);
    let goes_on =
        !spot.is_last() && (next.is_value() || next.is_name() || is_constant(next.word.text));
    let (keywords, length) = if is_negated {
        ("IS DISTINCT FROM ", 2)
    } else {
        ("IS NOT DISTINCT FROM ", 1)
    };
    if goes_on || is_constant(spot.before(length + 1).word.text) {
        return None;
    }
    let token = spot.context.token(Some(spot.placeholder.token));
    let change = spot.change(
        spot.before(length),
        token,
        vec![text(keywords), spot.piece(Form::Same)],
    );
    let advice = format!(
        "write `{keywords}{}`; an index does not serve it",
        spot.written()
    );
    let is_whole = spot.ends_expression() && left_is_plain(spot, length + 1);
    Some(Fix::rewrite(advice, vec![change]).safe_if(is_whole))
}

fn is_constant(word: &str) -> bool {
    matches!(word, "null" | "true" | "false")
}

/// Whether the operand of which the last token is `back` tokens before the placeholder has a type and is no row.
fn left_is_plain(spot: &Spot<'_>, back: usize) -> bool {
    let (last, before) = (spot.before(back), spot.before(back + 1));
    if last.has(words::TYPE) && before.kind == TokenKind::Cast {
        return true;
    }
    // `a->>'b'`, and not a literal of its own, which gets its type from `IS`.
    if last.is_value() && last.kind != TokenKind::Parameter {
        return before.kind == TokenKind::Operator;
    }
    let is_qualified = before.is_sign(b'.');
    let is_name = last.is_name() || last.kind == TokenKind::Identifier && is_qualified;
    if !is_name || !is_qualified && spot.context.is_relation(last) {
        return false;
    }
    let mut first = back;
    while spot.before(first + 1).is_sign(b'.')
        && matches!(
            spot.before(first + 2).kind,
            TokenKind::Identifier | TokenKind::QuotedIdentifier
        )
    {
        first += 2;
    }
    let lead = spot.before(first + 1);
    lead.kind == TokenKind::Operator
        || matches!(lead.first, b'(' | b',' | b'[')
        || lead.has(words::KEYWORD)
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
                "SELECT 1 FROM t WHERE a IS ⟨%s⟩ OR b is\n not ⟨%s⟩",
                "SELECT 1 FROM t WHERE a IS NOT DISTINCT FROM %s AND b IS NOT NULL AND NOT %s AND %s IS TRUE",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[
                (
                    "SELECT 1 FROM t WHERE a IS %s",
                    "SELECT 1 FROM t WHERE a IS NOT DISTINCT FROM $1",
                    true,
                ),
                (
                    "SELECT t.a IS NOT %s, x->>'y' IS %s AS b FROM t WHERE a::bool IS %s ORDER BY 1",
                    "SELECT t.a IS DISTINCT FROM $1, x->>'y' IS NOT DISTINCT FROM $2 AS b FROM t WHERE a::bool IS NOT DISTINCT FROM $3 ORDER BY 1",
                    true,
                ),
                (
                    "SELECT 1 FROM t JOIN u ON (t.id = u.id AND s.t.\"A\" IS %s) WHERE NOT date IS %s LIMIT 1",
                    "SELECT 1 FROM t JOIN u ON (t.id = u.id AND s.t.\"A\" IS NOT DISTINCT FROM $1) WHERE NOT date IS NOT DISTINCT FROM $2 LIMIT 1",
                    true,
                ),
                (
                    "SELECT 1 FROM t WHERE a is not%(x)sAND b",
                    "SELECT 1 FROM t WHERE a IS DISTINCT FROM $1 AND b",
                    true,
                ),
                (
                    "SELECT %s IS %s",
                    "SELECT $1 IS NOT DISTINCT FROM $2",
                    false,
                ),
            ],
        );
        leaves(
            &HAZARD,
            &[
                "COMMENT ON TABLE t IS %s",
                "SELECT NULL IS %s",
                "SELECT a IS %s NULL",
                "SELECT a IS NOT %s b",
            ],
        );
    }

    #[test]
    fn what_binds_in_another_way_or_may_be_a_row_is_left_for_review() {
        for condition in [
            "f IS %s = f",
            "f IS NOT %s <> f",
            "f IS %s < f",
            "f IS NOT %s >= f",
            "f IS %s IN (true)",
            "f IS %s BETWEEN a AND b",
            "f IS %s NOT IN (true)",
            "f IS %s || 'a'",
            "f IS %s::text",
            "f IS %s IS TRUE",
            "f IS NOT %s ISNULL",
            "f IS %s IS DISTINCT FROM a",
            "t IS NOT %s",
            "\"T\" IS NOT %s",
            "u IS %s AND u.a = 1",
            "x IS %s",
            "z IS NOT %s",
            "w IS NOT %s",
            "excluded IS NOT %s",
            "y IS %s",
            "(a, b) IS NOT %s",
            "(t) IS NOT %s",
            "ROW(a, b) IS NOT %s",
            "f(a) IS %s",
            "(t).a IS %s",
            "'true' IS %s",
            "CASE WHEN a THEN t END IS %s",
        ] {
            let sql = format!(
                "SELECT 1 FROM t, a.x JOIN u AS y ON true, z JOIN v USING (id), w WHERE {condition}"
            );
            let found =
                super::super::inspect(&sql, super::super::super::Style::Psycopg).expect(&sql);
            let mut fixes = found
                .findings()
                .iter()
                .filter_map(|finding| finding.fix.as_ref());
            assert!(fixes.all(|fix| !fix.safe), "{condition}");
        }
    }
}
