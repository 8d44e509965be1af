//! Reads the tokens of a text into its context.

use std::iter::Peekable;
use std::ops::Range;

use super::super::error::TranslateError;
use super::super::rewrite::Placed;
use super::super::scan::{Scanner, Token, TokenKind, Unterminated, is_identifier};
use super::context::{Context, Place, Placeholder, function};
use super::ignore;
use super::statement::Statement;
use super::token::{Clause, Tok};
use super::vocabulary::{self as words, UNLISTED, Vocabulary};

/// The placeholders in the order of the text.
fn waiting(sql: &str, placed: &[Placed]) -> impl Iterator<Item = Placeholder> {
    placed.iter().filter_map(|placed| {
        let output = placed.parameter.clone()?;
        let number = sql[output.start + 1..output.end].parse().ok()?;
        Some(Placeholder {
            source: placed.source.clone(),
            output,
            number,
            place: Place::Code,
            glued: placed.glued,
            token: 0,
            statement: 0,
        })
    })
}

/// Fills the context. If the text's own `$1` are its placeholders, it `is_numbered`.
pub(super) fn read(context: &mut Context<'_>, is_numbered: bool) -> Result<(), TranslateError> {
    let reader = Reader {
        waiting: waiting(context.sql, context.placed).peekable(),
        vocabulary: Vocabulary::get(),
        clauses: vec![Clause::Other],
        open: Vec::new(),
        first: 0,
        is_numbered,
        context,
    };
    reader.read()
}

struct Reader<'c, 'a, I: Iterator<Item = Placeholder>> {
    waiting: Peekable<I>,
    vocabulary: &'static Vocabulary,
    /// The clause in each of the open parentheses, and outside of them.
    clauses: Vec<Clause>,
    open: Vec<usize>,
    /// The first token of the statement that is being read.
    first: usize,
    /// Whether the text's own `$1` are its placeholders.
    is_numbered: bool,
    context: &'c mut Context<'a>,
}

impl<I: Iterator<Item = Placeholder>> Reader<'_, '_, I> {
    fn read(mut self) -> Result<(), TranslateError> {
        for token in Scanner::new(self.context.sql) {
            match token {
                Ok(token) => self.take(token),
                // A glued `$` can open a dollar quote that the text did not have.
                Err(_) if self.waiting.peek().is_some_and(|next| next.glued) => {
                    self.take_placeholders(TokenKind::DollarString, 0..usize::MAX);
                }
                Err(found) => {
                    let offset = self.context.source_offset(found.offset);
                    let found = Unterminated { offset, ..found };
                    return Err(TranslateError::unterminated(self.context.source, found));
                }
            }
        }
        self.end_statement();
        Ok(())
    }

    fn take(&mut self, token: Token) {
        // Most tokens are white space, and nothing stands in it.
        if token.kind == TokenKind::Space {
            return;
        }
        let range = token.start..token.end;
        if token.kind == TokenKind::Parameter && self.is_numbered {
            self.take_own(range.clone());
        } else {
            let ours = self.take_placeholders(token.kind, range.clone());
            if token.kind == TokenKind::Parameter && !ours {
                self.context.own.push(range);
            }
        }
        match token.kind {
            TokenKind::LineComment | TokenKind::BlockComment => {
                if ignore::is_directive(token.text(self.context.sql)) {
                    self.context.directives.push(token.start..token.end);
                }
            }
            TokenKind::Punctuation if self.context.sql.as_bytes()[token.start] == b';' => {
                self.end_statement();
                self.push(token);
                self.first = self.context.tokens.len();
            }
            _ => self.push(token),
        }
    }

    /// Notes the placeholders in a token, and tells whether there were any.
    fn take_placeholders(&mut self, kind: TokenKind, range: Range<usize>) -> bool {
        let mut any = false;
        while let Some(mut found) = self
            .waiting
            .next_if(|waiting| waiting.output.start < range.end)
        {
            any = true;
            found.place = match kind {
                TokenKind::Parameter if found.output == range => Place::Code,
                TokenKind::String
                | TokenKind::EscapeString
                | TokenKind::UnicodeString
                | TokenKind::BitString
                | TokenKind::QuotedIdentifier
                | TokenKind::DollarString
                | TokenKind::LineComment
                | TokenKind::BlockComment => Place::Dead(kind),
                _ => Place::Glued,
            };
            let next = self.context.sql.as_bytes().get(found.output.end).copied();
            found.glued |= found.place == Place::Code && next.is_some_and(is_identifier);
            found.token = self.context.tokens.len();
            found.statement = self.context.statements.len();
            self.context.placeholders.push(found);
        }
        any
    }

    /// Notes a `$1` of the source as a placeholder.
    fn take_own(&mut self, range: Range<usize>) {
        let (sql, context) = (self.context.sql, &mut *self.context);
        let next = sql.as_bytes().get(range.end).copied();
        context.placeholders.push(Placeholder {
            number: sql[range.start + 1..range.end].parse().unwrap_or_default(),
            source: range.clone(),
            output: range,
            place: Place::Code,
            glued: next.is_some_and(is_identifier),
            token: context.tokens.len(),
            statement: context.statements.len(),
        });
    }

    fn push(&mut self, token: Token) {
        let sql = self.context.sql;
        let word = match token.kind {
            TokenKind::Identifier => self.vocabulary.word(token.text(sql)),
            _ => &UNLISTED,
        };
        if word.has(words::CLAUSE) {
            self.enter_clause(word.text);
        }
        let index = self.context.tokens.len();
        let clause = self.clauses.last().copied().unwrap_or(Clause::Other);
        let first = sql.as_bytes()[token.start];
        let is_odd = match token.kind {
            TokenKind::Other | TokenKind::Colon => true,
            TokenKind::Operator => token.text(sql).bytes().any(|byte| byte == b'`'),
            TokenKind::Identifier => word.has(words::FOREIGN),
            _ => false,
        };
        if is_odd {
            self.context.odd.push(index);
        }
        let opener = match token.kind {
            TokenKind::Punctuation => self.punctuate(first, index),
            _ => None,
        };
        // What opens parentheses counts as inside of them, and what closes them as outside.
        let inside = self.open.last().copied();
        self.context.tokens.push(Tok {
            kind: token.kind,
            start: token.start,
            end: token.end,
            word,
            first,
            clause,
            inside,
            opener,
            has_comma: false,
        });
    }

    /// Follows the parentheses, and tells what the sign closes.
    fn punctuate(&mut self, sign: u8, index: usize) -> Option<usize> {
        match sign {
            b'(' | b'[' => {
                self.open.push(index);
                self.clauses.push(Clause::Other);
            }
            b')' | b']' => {
                let opener = self.open.pop();
                if opener.is_some() {
                    self.clauses.pop();
                } else {
                    self.context.unbalanced = Some(index);
                }
                return opener;
            }
            b',' => {
                if let Some(&open) = self.open.last() {
                    self.context.tokens[open].has_comma = true;
                }
            }
            _ => {}
        }
        None
    }

    fn enter_clause(&mut self, word: &str) {
        let tokens = &self.context.tokens;
        let before = tokens.last().map_or("", |token| token.word.text);
        let clause = match word {
            "order" | "group" | "partition" => return,
            "by" => match before {
                "order" => Clause::Order,
                "group" => Clause::Group,
                "partition" => Clause::Other,
                _ => return,
            },
            "from" => {
                let called = self.open.last().and_then(|&open| function(tokens, open));
                let within = called.is_some_and(|called| called.has(words::FROM_INSIDE));
                if within || before == "distinct" {
                    return;
                }
                Clause::Other
            }
            "select" => Clause::Select,
            "returning" => Clause::Returning,
            "values" => Clause::Values,
            _ => Clause::Other,
        };
        if let Some(last) = self.clauses.last_mut() {
            *last = clause;
        }
    }

    fn end_statement(&mut self) {
        let tokens = (self.first, self.context.tokens.len());
        self.context.unbalanced = self.context.unbalanced.or(self.open.first().copied());
        self.open.clear();
        self.clauses.clear();
        self.clauses.push(Clause::Other);
        self.first = tokens.1;
        if tokens.0 < tokens.1 {
            let statement = Statement::of(&self.context.tokens, tokens);
            self.context.statements.push(statement);
        }
    }
}
