//! `(a = %s AND`

use super::super::scan::TokenKind;
use super::context::Context;
use super::finding::Found;
use super::hazard::{Add, Look};
use super::token::Tok;
use super::vocabulary as words;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "incomplete",
    severity: Severity::Error,
    title: "a piece of a statement",
    why: "A parenthesis is not closed, or the text ends where something must follow: it is joined to other text before it is \
          executed. Convert the whole, since the numbers of its placeholders depend on what comes before.",
    postgres: "syntax error at end of input",
    example: "SELECT id FROM t WHERE id = %s AND",
    rewrite: "",
    look: Look::Text(find),
};

fn find(context: &Context<'_>, add: &mut Add<'_>) {
    if context.placeholders.is_empty() {
        return;
    }
    let mut add = |token: &Tok, message| {
        let range = context.source_offset(token.start)..context.source_end(token);
        add(range, Found::new(message));
    };
    if let Some(index) = context.unbalanced {
        let token = &context.tokens[index];
        add(
            token,
            format!(
                "`{}` has no counterpart in the statement",
                token.text(context.sql)
            ),
        );
    }
    for statement in &context.statements {
        let last = context.token(statement.tokens.1.checked_sub(1));
        if is_unfinished(last, context.sql) {
            add(
                last,
                format!("something has to follow `{}`", last.text(context.sql)),
            );
        }
    }
}

fn is_unfinished(last: &Tok, sql: &str) -> bool {
    match last.kind {
        TokenKind::Identifier => last.has(words::UNFINISHED),
        // `SELECT *` ends in what looks like an operator, and a backtick is another dialect's.
        TokenKind::Operator => last.text(sql) != "*" && !last.text(sql).contains('`'),
        TokenKind::Cast | TokenKind::Assign => true,
        _ => last.is_sign(b',') || last.is_sign(b'.'),
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
                "SELECT 1 WHERE a = %s ⟨AND⟩",
                "SELECT 1 WHERE ⟨(⟩a = %s",
                "SELECT f(%s)⟨)⟩",
                "SELECT %s⟨,⟩; SELECT a ⟨=⟩",
                "SELECT * FROM t WHERE a IN (%s); SELECT count(*), t.* FROM t WHERE b = '('",
                "SELECT a FROM t ORDER BY",
                "SELECT %s::int -- (
",
            ],
        );
    }
}
