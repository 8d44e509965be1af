//! `\\d %s`

use std::ops::Range;

use super::super::scan::TokenKind;
use super::context::Context;
use super::finding::Found;
use super::hazard::Look;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "stray-sign",
    severity: Severity::Error,
    title: "a character that the server does not know",
    why: "The server's lexer has no use for the character outside of a literal. It is a typing error, or a command of another \
          program.",
    postgres: "syntax error at or near \"\\\"",
    example: "SELECT id FROM t WHERE id = %s \\\\",
    rewrite: "",
    look: Look::Text(find),
};

fn find(context: &Context<'_>) -> Vec<(Range<usize>, Found)> {
    let stray = context
        .odd
        .iter()
        .map(|&index| &context.tokens[index])
        .filter(|token| {
            let touches_parameter = token.first == b'$' && context.is_own_output(token.end);
            token.kind == TokenKind::Other
                && !matches!(token.first, b'{' | b'}')
                && !touches_parameter
        });
    stray
        .map(|token| {
            let range = context.source_offset(token.start)..context.source_end(token);
            let message = format!(
                "the server does not know the character {:?}",
                token.text(context.sql)
            );
            (range, Found::new(message))
        })
        .collect()
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
                "SELECT %s ⟨\\⟩",
                "SELECT ⟨$⟩ %s",
                "SELECT $%s$x$, 'a\\b', %s, \"$\"",
                "SELECT 1 \\",
            ],
        );
    }
}
