//! `` `name` ``, `DELETE … LIMIT 1`

use super::super::scan::TokenKind;
use super::context::Context;
use super::finding::Found;
use super::hazard::{Add, Look};
use super::vocabulary as words;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "other-dialect",
    severity: Severity::Error,
    title: "SQL of another database",
    why: "PostgreSQL quotes names with `\"`, resolves a conflict with `ON CONFLICT`, and chooses the rows of a `DELETE` by its \
          `WHERE` alone. Write the statement for PostgreSQL, or leave it out of the conversion.",
    postgres: "syntax error at or near \"`\"",
    example: "SELECT * FROM `t` WHERE id = %s",
    rewrite: "SELECT * FROM \"t\" WHERE id = $1",
    look: Look::Text(find),
};

fn find(context: &Context<'_>, add: &mut Add<'_>) {
    let mut odd = context.odd.iter().copied();
    if let Some(index) = odd.find(|&index| is_foreign(context, index)) {
        let token = &context.tokens[index];
        let range = context.source_offset(token.start)..context.source_end(token);
        let message = format!(
            "`{}` here is SQL of another database",
            token.text(context.sql).replace('`', "'")
        );
        add(range, Found::new(message));
    }
}

/// Whether the token stands where only another database takes it.
fn is_foreign(context: &Context<'_>, index: usize) -> bool {
    let token = &context.tokens[index];
    let (before, after) = (
        context.token(index.checked_sub(1)),
        context.token(Some(index + 1)),
    );
    match token.word.text {
        "" => token.kind == TokenKind::Operator,
        "duplicate" => before.is("on") && after.is("key"),
        // `DELETE IGNORE`, `REPLACE INTO`, `CONNECT BY`
        "ignore" => matches!(before.word.text, "insert" | "update" | "delete"),
        "replace" => after.is("into"),
        "connect" => after.is("by"),
        "div" | "mod" | "xor" | "regexp" | "rlike" => {
            (before.is_value() || before.is_name() || before.is_sign(b')')) && after.is_value()
        }
        // `DELETE … ORDER BY a LIMIT 1`
        "order" | "limit" => token.inside().is_none() && changes_rows(context, index),
        "using" => {
            let function = context.function(token.inside());
            function.is_some_and(|word| matches!(word.text, "translate" | "convert"))
        }
        // `= ANY (1, 2)`
        _ => {
            before.kind == TokenKind::Operator
                && after.is_sign(b'(')
                && after.has_comma
                && !context.token(Some(index + 2)).has(words::STATEMENT)
        }
    }
}

/// Whether the token is part of an `UPDATE` or a `DELETE` itself.
fn changes_rows(context: &Context<'_>, index: usize) -> bool {
    let mut statements = context.statements.iter();
    let statement = statements.find(|statement| index < statement.tokens.1);
    statement.is_some_and(|statement| matches!(statement.verb.text, "update" | "delete"))
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
                "SELECT ⟨`⟩a` FROM `b` WHERE id = %s",
                "INSERT INTO t VALUES (%s) ON ⟨DUPLICATE⟩ KEY UPDATE a = 1",
                "SELECT '`', \"`\", %s FROM a JOIN b ON duplicate = %s",
                "DELETE ⟨IGNORE⟩ FROM t WHERE id = %s",
                "⟨REPLACE⟩ INTO t VALUES (%s)",
                "SELECT 1 FROM t WHERE a = %s ⟨CONNECT⟩ BY PRIOR a = b",
                "SELECT %s ⟨MOD⟩ 60, mod(a, 60) FROM t mod",
                "SELECT 1 FROM t WHERE name ⟨regexp⟩ %s",
                "DELETE FROM t WHERE id = %s ⟨ORDER⟩ BY id",
                "UPDATE t SET a = %s ⟨LIMIT⟩ 1",
                "DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY id LIMIT %s)",
                "UPDATE t SET \"limit\" = %s, \"order\" = %s",
                "INSERT INTO t SELECT a FROM u ORDER BY a LIMIT %s",
                "SELECT translate(%s ⟨USING⟩ nchar_cs)",
                "SELECT 1 FROM a JOIN b USING (id) WHERE a = ⟨ANY⟩ ('P', %s)",
                "SELECT 1 WHERE a = ANY(ARRAY[1, %s]) AND b = ANY(f(1, %s)) UNION ALL (VALUES (1), (%s))",
                "SELECT 1 WHERE (a, b) = ANY (SELECT a, %s)",
            ],
        );
    }
}
