//! `\\d %s`

use super::super::scan::TokenKind;
use super::context::Context;
use super::finding::Found;
use super::hazard::{Add, Look};
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

fn find(context: &Context<'_>, add: &mut Add<'_>) {
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
    for token in stray {
        let range = context.source_offset(token.start)..context.source_end(token);
        let message = format!(
            "the server does not know the character {:?}",
            token.text(context.sql)
        );
        add(range, Found::new(message));
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
                "SELECT %s ⟨\\⟩",
                "SELECT ⟨$⟩ %s",
                "SELECT $%s$x$, 'a\\b', %s, \"$\"",
                "SELECT 1 \\",
            ],
        );
    }
}
