//! `FROM {table} WHERE id = %s`

use super::super::scan::TokenKind;
use super::context::Context;
use super::finding::Found;
use super::hazard::{Add, Look};
use super::statement::Statement;
use super::token::{Clause, Tok};
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "template",
    severity: Severity::Error,
    title: "a text that is not finished yet",
    why: "Braces are no SQL, and neither are the brackets `⟦` and `⟧` but around names where names can stand: another step fills them in before the text is executed. The placeholders are numbered as they \
          stand; convert the text that comes out if that step adds placeholders, and keep this finding back with `pontoon: \
          ignore template` if it does not.",
    postgres: "syntax error at or near \"{\"",
    example: "SELECT id FROM {table} WHERE id = %s",
    rewrite: "",
    look: Look::Text(find),
};

fn find(context: &Context<'_>, add: &mut Add<'_>) {
    let mut open = None;
    for &index in &context.odd {
        let token = &context.tokens[index];
        if token.kind != TokenKind::Other {
            continue;
        }
        match token.first {
            b'{' => open = Some(token.start),
            b'}' => {
                let start = open.take().unwrap_or(token.start);
                filled(context, start, token, add);
            }
            _ => {}
        }
    }
    if let Some(start) = open {
        let start = context.source_offset(start);
        add(start..start + 1, Found::new("a `{` is no SQL"));
    }
    if !context.sql.is_ascii() && context.sql.contains('⟦') {
        holes(context, add);
    }
}

/// What stands in `⟦…⟧`: texts that were collected from programs may mark what is known only at run time by these brackets. With nothing
/// but names in them, as in `⟦schema.table⟧`, they are names to the server, where a name can stand.
fn holes(context: &Context<'_>, add: &mut Add<'_>) {
    // Where the hole opens, and whether it holds more than names so far.
    let mut open: Option<(usize, bool)> = None;
    for (index, token) in context.tokens.iter().enumerate() {
        if token.kind != TokenKind::Identifier {
            open = open.map(|(start, more)| (start, more || !token.is_sign(b'.')));
            continue;
        }
        let text = token.text(context.sql);
        let closes = match (text.find('⟧'), text.find('⟦')) {
            (Some(close), Some(open)) => close < open,
            (close, _) => close.is_some(),
        };
        if let Some((start, true)) = open.take_if(|_| closes) {
            filled(context, start, token, add);
        }
        if text.rfind('⟦') > text.rfind('⟧') {
            let more = text.starts_with('⟦') && !takes_name(context, index);
            open = open.or(Some((token.start, more)));
        } else if text.starts_with('⟦') && !takes_name(context, index) {
            filled(context, token.start, token, add);
        }
    }
}

fn filled(context: &Context<'_>, start: usize, last: &Tok, add: &mut Add<'_>) {
    let range = context.source_offset(start)..context.source_end(last);
    let message = format!(
        "`{}` is filled in by another step",
        &context.source[range.clone()]
    );
    add(range, Found::new(message));
}

/// Whether a name can stand at the token: not behind an operand, but where that takes an alias, and not for a query or an assignment.
fn takes_name(context: &Context<'_>, index: usize) -> bool {
    let token = &context.tokens[index];
    let before = |back: usize| context.token(index.checked_sub(back));
    let (first, second, next) = (before(1), before(2), context.token(Some(index + 1)));
    let is_utility = |statement: &Statement| {
        (statement.tokens.0..statement.tokens.1).contains(&index) && statement.is_utility
    };
    let follows = first.is_name() || first.is_value() || first.is_sign(b')') || first.is_sign(b']');
    let has_alias = matches!(
        token.clause,
        Clause::Select | Clause::Returning | Clause::From
    );
    let is_query = first.is_sign(b'(') && second.is("as") && next.is_sign(b')');
    let is_assigned = next.first == b'=' || next.is_sign(b'.') || next.is_sign(b'[');
    let is_assignment = first.is("set") && token.clause == Clause::Set && !is_assigned;
    let misses = follows && !has_alias || is_query || is_assignment;
    !misses || context.statements.iter().any(is_utility)
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
                "SELECT ⟨{columns}⟩ FROM ⟨{a.b}⟩ WHERE id = %s",
                "SELECT %s ⟨{⟩",
                "SELECT '{}', \"{}\", $${}$$, %s -- {}",
                "SELECT {columns} FROM t",
                "SELECT * FROM ⟨⟦sql.Identifier(table)⟧⟩ WHERE id = %s",
                "SELECT * FROM ⟦self.table⟧_log WHERE ⟦a⟧⟦b⟧ = %s AND '⟦a.b⟧' = %s",
                "SELECT a ⟦b⟧, 1 ⟦c⟧ FROM t ⟦d⟧ JOIN ⟦e⟧ ON a = ⟦f⟧ ⟨⟦g⟧⟩ WHERE a ⟨⟦h.i⟧⟩ AND b IN (%s) ⟨⟦j⟧⟩ ORDER BY ⟦k⟧",
                "WITH a AS (⟨⟦b⟧⟩) UPDATE t SET ⟨⟦c⟧⟩ WHERE id = %s; UPDATE t SET ⟦d⟧ = %s; CREATE TABLE ⟦t⟧ (a ⟦b⟧)",
            ],
        );
    }
}
