//! What stands around the placeholders of a text: its significant tokens, with clause and parentheses, in one pass.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::ops::Range;

use super::super::Parameter;
use super::super::error::TranslateError;
use super::super::rewrite::{Placed, Placement, source_offset};
use super::super::scan::TokenKind;
use super::reader;
use super::statement::Statement;
use super::token::{Clause, NOTHING, Tok};
use super::vocabulary::{self as words, Word};

/// A text as the server gets it.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) source: &'a str,
    pub(super) sql: &'a str,
    /// What stands in `sql` for marks of the source.
    pub(super) placed: &'a [Placed],
    /// Every token but white space and comments.
    pub(super) tokens: Vec<Tok>,
    pub(super) placeholders: Vec<Placeholder>,
    pub(super) statements: Vec<Statement>,
    /// Parameters that the text had before, in bytes of `sql`.
    pub(super) own: Vec<Range<usize>>,
    /// Tokens that a statement of PostgreSQL hardly ever holds.
    pub(super) odd: Vec<usize>,
    /// A parenthesis or bracket without its counterpart.
    pub(super) unbalanced: Option<usize>,
    /// The comments that ask for silence, in bytes of `sql`.
    pub(super) directives: Vec<Range<usize>>,
    /// Whether the placeholders have names.
    pub(super) is_named: bool,
    /// How many different parameters the text has.
    pub(super) parameters: usize,
    /// The names that may be tables, once somebody asked.
    relations: OnceCell<HashSet<String>>,
}

/// A placeholder of the source.
#[derive(Debug, Clone)]
pub(super) struct Placeholder {
    pub(super) source: Range<usize>,
    /// The `$1`, in bytes of the converted text.
    pub(super) output: Range<usize>,
    pub(super) number: usize,
    pub(super) place: Place,
    /// Whether it touches what `$1` becomes part of.
    pub(super) glued: bool,
    /// The token that it is, or that it is in.
    pub(super) token: usize,
    pub(super) statement: usize,
}

/// What the server makes of the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A parameter.
    Code,
    /// Part of another token of code.
    Glued,
    /// Text of a literal, a name or a comment.
    Dead(TokenKind),
}

impl<'a> Context<'a> {
    /// Reads the converted text. An error names its place in the source.
    pub(super) fn read(
        source: &'a str,
        placement: &'a Placement<'_>,
        is_numbered: bool,
    ) -> Result<Self, TranslateError> {
        let sql = &*placement.sql;
        let mut context = Context {
            source,
            sql,
            placed: &placement.placed,
            tokens: Vec::with_capacity(sql.len() / 4 + 4),
            placeholders: Vec::with_capacity(placement.placed.len()),
            statements: Vec::new(),
            own: Vec::new(),
            odd: Vec::new(),
            unbalanced: None,
            directives: Vec::new(),
            is_named: matches!(placement.parameters.first(), Some(Parameter::Name(_))),
            parameters: placement.parameters.len(),
            relations: OnceCell::new(),
        };
        reader::read(&mut context, is_numbered)?;
        Ok(context)
    }

    /// The token at that index, or nothing.
    pub(super) fn token(&self, index: Option<usize>) -> &Tok {
        index
            .and_then(|index| self.tokens.get(index))
            .unwrap_or(&NOTHING)
    }

    /// The byte of the source that a byte of the converted text is from.
    pub(super) fn source_offset(&self, offset: usize) -> usize {
        source_offset(self.placed, offset)
    }

    /// The byte of the source behind the token.
    pub(super) fn source_end(&self, token: &Tok) -> usize {
        let last = self
            .placeholders
            .partition_point(|placeholder| placeholder.output.end <= token.end);
        match last.checked_sub(1).map(|last| &self.placeholders[last]) {
            Some(placeholder) if placeholder.output.end == token.end => placeholder.source.end,
            _ => self.source_offset(token.end),
        }
    }

    /// Whether a placeholder's `$1` starts there.
    pub(super) fn is_own_output(&self, start: usize) -> bool {
        let starts = |placeholder: &Placeholder| placeholder.output.start;
        self.placeholders
            .binary_search_by_key(&start, starts)
            .is_ok()
    }

    /// Whether the name may be that of a table or its alias, so that it stands for a whole row.
    pub(super) fn is_relation(&self, name: &Tok) -> bool {
        let relations = self.relations.get_or_init(|| self.relations());
        let name = folded(name.text(self.sql));
        name == "excluded" || relations.contains(&name)
    }

    fn relations(&self) -> HashSet<String> {
        let named = self.tokens.iter().enumerate().filter(|(index, token)| {
            let (before, next) = (
                self.token(index.checked_sub(1)),
                self.token(Some(index + 1)),
            );
            matches!(
                token.kind,
                TokenKind::Identifier | TokenKind::QuotedIdentifier
            ) && (token.clause == Clause::From
                || next.is_sign(b'.')
                || matches!(
                    before.word.text,
                    "into" | "using" | "only" | "lateral" | "merge"
                ))
        });
        named
            .map(|(_, token)| folded(token.text(self.sql)))
            .collect()
    }

    /// Whether the token at that index ends a row: `(a, b)`, `ROW(a)`, `((a, b))`.
    pub(super) fn ends_row(&self, index: Option<usize>) -> bool {
        let Some(mut index) = index else {
            return false;
        };
        loop {
            let token = self.token(Some(index));
            let Some(opener) = token.inside().filter(|_| token.is_sign(b')')) else {
                return false;
            };
            if let Some(function) = self.function(Some(opener)) {
                return function.text == "row";
            }
            if self.tokens[opener].has_comma {
                return true;
            }
            // The parentheses hold nothing but other parentheses, with or without a word before them.
            let inner = self.token(Some(index - 1)).inside();
            let word = usize::from(self.token(Some(opener + 1)).is("row"));
            if inner != Some(opener + 1 + word) {
                return false;
            }
            index -= 1;
        }
    }

    /// The name of the function of which the arguments open at the token; unlisted names have no text.
    pub(super) fn function(&self, opener: Option<usize>) -> Option<&'static Word> {
        let opener = opener?;
        function(&self.tokens, opener)
    }
}

/// A name as the server compares it, and one that was quoted alike: letter case rarely tells two tables apart.
fn folded(name: &str) -> String {
    name.trim_matches('"').to_lowercase()
}

/// The same, while the tokens are being read.
pub(super) fn function(tokens: &[Tok], opener: usize) -> Option<&'static Word> {
    let name = tokens.get(opener.checked_sub(1)?)?;
    let calls = tokens[opener].first == b'('
        && name.kind == TokenKind::Identifier
        && !name.has(words::NO_CALL);
    calls.then_some(name.word)
}
