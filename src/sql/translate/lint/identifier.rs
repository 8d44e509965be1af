//! `FROM %s`

use super::super::scan::TokenKind;
use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::{Lead, Spot};
use super::token::{Clause, Tok};
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "identifier",
    severity: Severity::Error,
    title: "a value where a name belongs",
    why: "A parameter is a value: it can never be a table, a column, a schema, a collation or an alias. Choose the name from a \
          fixed list in the program, or compose the text with the driver's own quoting of identifiers (`format('%I', …)` on the \
          server).",
    postgres: "syntax error at or near \"$1\"",
    example: "SELECT id FROM %s",
    rewrite: "",
    look: Look::Parameter(Behind::ANYTHING, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let what = if spot.lead == Lead::Name || is_name(spot) {
        "a name"
    } else if is_query(spot) {
        "a query or a list"
    } else {
        return None;
    };
    Some(Found::new(format!(
        "{what} belongs here, and `{}` is a value",
        spot.written()
    )))
}

/// Whether only a name can stand here.
fn is_name(spot: &Spot<'_>) -> bool {
    let (before, next) = (spot.before(1), spot.after(1));
    if next.is_sign(b'(') && !spot.is_last() && !before.is("in") {
        return true;
    }
    match before.kind {
        TokenKind::Cast => return true,
        TokenKind::Operator | TokenKind::Assign => return false,
        _ => {}
    }
    let is_operator = |text| matches!(next.first, b'=' | b':') && spot.text(next) == text;
    let is_key =
        (before.is_sign(b'(') || before.is_sign(b',')) && (is_operator("=>") || is_operator(":="));
    // Else the parentheses around it are a part of what is assigned.
    let begins = |open: usize| {
        let first = spot.context.token(Some(open + 1)).word.text;
        matches!(first, "update" | "insert" | "with" | "merge")
    };
    let is_assigned = spot.clause == Clause::Set
        && is_operator("=")
        && (before.is("set") || before.is_sign(b',') && spot.inside.is_none_or(begins))
        && spot
            .statement()
            .is_some_and(|statement| !statement.is_utility);
    let is_table = before.is_sign(b',') && spot.clause == Clause::From;
    is_key
        || is_assigned
        || is_table
        || matches!(
            before.word.text,
            "using" | "tablesample" | "window" | "over"
        )
        || before.is("exists") && spot.before(2).is("if")
        || is_named_query(spot)
        || names_column(spot)
}

/// `WITH %s AS (…)`
fn is_named_query(spot: &Spot<'_>) -> bool {
    let (before, next) = (spot.before(1), spot.after(2));
    let starts = matches!(before.word.text, "with" | "recursive") || before.is_sign(b',');
    let opens = next.is_sign(b'(') || next.is("materialized") || next.is("not");
    starts && spot.after(1).is("as") && opens
}

/// Whether it is an item of the columns of `INSERT INTO t (…)`, `ON CONFLICT (…)`, `AS t (…)`, `USING (…)` or
/// `WITH t (…) AS`.
fn names_column(spot: &Spot<'_>) -> bool {
    let Some(opener) = spot
        .inside
        .filter(|&open| spot.context.tokens[open].is_sign(b'('))
    else {
        return false;
    };
    let token = |back: usize| spot.context.token(opener.checked_sub(back));
    if !spot.is_argument() {
        return false;
    }
    if token(1).is("conflict") {
        return token(2).is("on");
    }
    if token(1).is_name() {
        let before = token(2);
        let heads = before.is_sign(b',') || matches!(before.word.text, "with" | "recursive");
        if before.is("as") || heads && heads_query(spot) || is_alias(spot, opener, before) {
            return true;
        }
    }
    if token(1).is("using") {
        return true;
    }
    let is_insert = spot
        .statement()
        .is_some_and(|statement| !statement.is_utility);
    let mut name = 1;
    while token(name + 1).is_sign(b'.') {
        name += 2;
    }
    is_insert && token(name + 1).is("into")
}

/// Whether the name before the list, which stands behind that token, is what a table or function is called by.
fn is_alias(spot: &Spot<'_>, opener: usize, before: &Tok) -> bool {
    let context = spot.context;
    let is_source = context.tokens[opener].clause == Clause::From;
    is_source && (before.is_sign(b')') || before.is("ordinality") || before.is_name())
}

/// How far the end of a list of columns is looked for: each item looks.
const MOST_COLUMNS: usize = 200;

/// Whether the list that it is an item of ends in `) AS (`, as the columns of a named query do.
fn heads_query(spot: &Spot<'_>) -> bool {
    let is_item = |n| {
        let token: &Tok = spot.after(n);
        token.is_sign(b',') || token.is_name() || token.kind == TokenKind::Parameter
    };
    let end = (1..MOST_COLUMNS)
        .find(|&n| !is_item(n))
        .unwrap_or(MOST_COLUMNS);
    let body = spot.after(end + 2);
    spot.after(end).is_sign(b')')
        && spot.after(end + 1).is("as")
        && (body.is_sign(b'(') || body.is("materialized") || body.is("not"))
}

/// Whether only a query, or a list in parentheses, can stand here.
fn is_query(spot: &Spot<'_>) -> bool {
    let (before, second) = (spot.before(1), spot.before(2));
    let is_array = before.is_sign(b'(') && second.is("array") && spot.after(1).is_sign(b')');
    let is_list = matches!(before.word.text, "any" | "all" | "some")
        && (second.kind == TokenKind::Operator || matches!(second.word.text, "like" | "ilike"));
    is_array || is_list || before.is("exists")
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
                "SELECT id FROM ⟨%s⟩ JOIN ⟨%s⟩ ON a.⟨%s⟩ = ⟨%s⟩.a",
                "INSERT INTO ⟨%s⟩ VALUES (1); UPDATE ⟨%s⟩ SET a = 1; DROP TABLE ⟨%s⟩; DROP TABLE IF EXISTS ⟨%s⟩; GRANT SELECT ON ⟨%s⟩ TO ⟨%s⟩",
                "SELECT 1 AS ⟨%s⟩, a COLLATE ⟨%s⟩, ⟨%s⟩.b",
                "UPDATE t SET ⟨%s⟩ = 1, ⟨%s⟩ = 2; INSERT INTO t (a, ⟨%s⟩) VALUES (1, %s) ON CONFLICT (⟨%s⟩) DO UPDATE SET ⟨%s⟩ = 1",
                "INSERT INTO s.t (⟨%s⟩) SELECT a::⟨%s⟩, ⟨%s⟩(a) FROM t, ⟨%s⟩ JOIN u USING ⟨%s⟩",
                "WITH ⟨%s⟩ AS (SELECT 1), ⟨%s⟩ AS MATERIALIZED (SELECT 1) DELETE FROM t USING ⟨%s⟩",
                "WITH x (⟨%s⟩) AS (SELECT 1), y (a, ⟨%s⟩, ⟨%s⟩) AS NOT MATERIALIZED (SELECT 1) SELECT f(%s) AS b FROM f(%s) AS z (a, ⟨%s⟩)",
                "SELECT 1 FROM (VALUES (1)) v (⟨%s⟩) JOIN f(%s) w (a, ⟨%s⟩) USING (a, ⟨%s⟩), u x (⟨%s⟩), g(%s) TABLESAMPLE s (%s) CROSS JOIN LATERAL h(%s), i(1) WITH ORDINALITY j(a, ⟨%s⟩)",
                "WITH x AS (UPDATE t SET ⟨%s⟩ = 1, ⟨%s⟩ = f(a, %s = 1)) SELECT 1",
                "CALL ⟨%s⟩(1); SELECT f(⟨%s⟩ => 1, ⟨%s⟩ := 2) OVER ⟨%s⟩ FROM t TABLESAMPLE ⟨%s⟩ (1) WINDOW ⟨%s⟩ AS (ORDER BY a)",
                "SELECT 1 FROM t JOIN u ON f(a, %s) = %s, ⟨%s⟩ JOIN v USING (id), ⟨%s⟩",
                "SELECT 1 WHERE a = ANY ⟨%s⟩ AND a <> ALL ⟨%s⟩ AND EXISTS ⟨%s⟩ AND a = ANY(ARRAY(⟨%s⟩))",
                "UPDATE t SET a = %s, b = (%s = 1), c = f(a, %s) FROM f(a, %s) WHERE %s = 1; SELECT ALL %s, %s = 1",
                "INSERT INTO t (a) SELECT f(a, %s), %s FROM t ON CONFLICT ((a || %s)) DO NOTHING; SELECT a = ANY(%s), f(a => %s)",
                "SELECT a IS DISTINCT FROM %s, trim(both from %s), substring(a FROM %s), extract(year FROM %s), %s :: text",
            ],
        );
    }
}
