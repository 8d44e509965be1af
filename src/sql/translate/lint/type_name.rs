//! A type that is written before a literal: `DATE '…'`, `TIMESTAMP WITH TIME ZONE '…'`.

use super::super::scan::TokenKind;
use super::context::Context;
use super::vocabulary as words;

/// The type before the token at `index`: its first token, and how a cast names it. None if there is none, or if a cast
/// to it means something else.
pub(super) fn before(context: &Context<'_>, index: usize) -> Option<(usize, &'static str)> {
    let token = |back: usize| context.token(index.checked_sub(back));
    let (length, name) = match token(1).word.text {
        "zone" if token(2).is("time") => {
            let name = match (token(4).word.text, token(3).word.text) {
                ("timestamp", "with") => "timestamptz",
                ("timestamp", "without") => "timestamp",
                ("time", "with") => "timetz",
                ("time", "without") => "time",
                _ => return None,
            };
            (4, name)
        }
        "precision" if token(2).is("double") => (2, "float8"),
        // A literal of these is as long as it is, and a cast cuts it to one.
        "char" => (1, "bpchar"),
        "bit" | "precision" => return None,
        name if token(1).has(words::TYPE) => (1, name),
        _ => return None,
    };
    let lead = token(length + 1);
    let is_cast = lead.kind == TokenKind::Cast || lead.is("as") || lead.is_sign(b'.');
    (!is_cast).then(|| (index - length, name))
}
