//! `:name` beside `%s`

use super::super::scan::TokenKind;
use super::context::Context;
use super::finding::Found;
use super::hazard::{Add, Look};
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "other-style",
    severity: Severity::Error,
    title: "a parameter of another style",
    why: "The text has placeholders of two styles, and only one of them is converted: the server does not know `:name`. Write \
          all of them in one style.",
    postgres: "syntax error at or near \":\"",
    example: "SELECT id FROM t WHERE id = %s AND name = :name",
    rewrite: "SELECT id FROM t WHERE id = $1 AND name = $2",
    look: Look::Text(find),
};

fn find(context: &Context<'_>, add: &mut Add<'_>) {
    let colons = context.odd.iter().copied().filter(|&index| {
        let (colon, name) = (&context.tokens[index], context.token(Some(index + 1)));
        let touches = name.kind == TokenKind::Identifier && name.start == colon.end;
        // In brackets it is a slice, and in a call it parts a key from its value.
        colon.kind == TokenKind::Colon && touches && !has_colons(context, colon.inside())
    });
    for index in colons {
        let name = context.token(Some(index + 1));
        let range = context.source_offset(context.tokens[index].start)..context.source_end(name);
        let message = format!(
            "`:{}` is a placeholder of another style",
            name.text(context.sql)
        );
        add(range, Found::new(message));
    }
}

fn has_colons(context: &Context<'_>, opener: Option<usize>) -> bool {
    let calls = opener.is_some_and(|opener| context.function(Some(opener)).is_some());
    calls || context.token(opener).is_sign(b'[')
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
                "SELECT ⟨:a⟩, %s",
                "SELECT a[%s:b], f(k:v), a::int, b := %s, ':a' -- :a",
                "SELECT :a",
            ],
        );
    }
}
