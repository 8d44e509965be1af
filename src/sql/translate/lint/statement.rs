//! A statement of a text, and whether it takes parameters.

use super::super::scan::TokenKind;
use super::token::{NOTHING, Tok};
use super::vocabulary::{self as words, Word};

/// A statement of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statement {
    pub(super) tokens: (usize, usize),
    /// The word that it begins with, behind parentheses.
    pub(super) verb: &'static Word,
    /// Whether the server takes no parameters in it.
    pub(super) is_utility: bool,
}

impl Statement {
    /// The statement that the tokens of that range are.
    pub(super) fn of(all: &[Tok], range: (usize, usize)) -> Self {
        let tokens = &all[range.0..range.1];
        let first = tokens.iter().find(|token| !token.is_sign(b'('));
        let first = first.unwrap_or(&NOTHING);
        let takes_parameters = first.kind != TokenKind::Identifier
            || first.has(words::STATEMENT)
            || first.is("create") && creates_table_of_query(tokens);
        Self {
            tokens: range,
            verb: first.word,
            is_utility: !takes_parameters,
        }
    }
}

/// Whether the tokens are `CREATE TABLE … AS` and a query.
fn creates_table_of_query(tokens: &[Tok]) -> bool {
    let is_table = tokens.iter().take(8).any(|token| token.is("table"));
    is_table
        && tokens.windows(2).any(|pair| {
            let begins_query = matches!(
                pair[1].word.text,
                "select" | "with" | "values" | "table" | "execute"
            );
            pair[0].is("as") && (begins_query || pair[1].is_sign(b'('))
        })
}
