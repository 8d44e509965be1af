//! Reads the tokens of a text into its context.

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

fn start_of(placeholder: Option<&Placeholder>) -> usize {
    placeholder.map_or(usize::MAX, |placeholder| placeholder.output.start)
}

/// Fills the context. If the text's own `$1` are its placeholders, it `is_numbered`.
pub(super) fn read(context: &mut Context<'_>, is_numbered: bool) -> Result<(), TranslateError> {
    context
        .placeholders
        .extend(waiting(context.sql, context.placed));
    let reader = Reader {
        seen: 0,
        next: start_of(context.placeholders.first()),
        vocabulary: Vocabulary::get(),
        clause: Clause::Other,
        open: Vec::new(),
        first: 0,
        is_numbered,
        context,
    };
    reader.read()
}

struct Reader<'c, 'a> {
    /// How many of the placeholders were passed.
    seen: usize,
    /// Where the next of them starts.
    next: usize,
    vocabulary: &'static Vocabulary,
    clause: Clause,
    /// The tokens that open the parentheses around, each with the clause that is outside of it.
    open: Vec<(usize, Clause)>,
    /// The first token of the statement that is being read.
    first: usize,
    /// Whether the text's own `$1` are its placeholders.
    is_numbered: bool,
    context: &'c mut Context<'a>,
}

impl Reader<'_, '_> {
    fn read(mut self) -> Result<(), TranslateError> {
        let mut scanner = Scanner::new(self.context.sql);
        loop {
            scanner.skip_space();
            let Some(token) = scanner.next() else {
                break;
            };
            match token {
                Ok(token) => self.take(token),
                // A glued `$` can open a dollar quote that the text did not have.
                Err(_) if self.waits_glued() => {
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
        let range = token.start..token.end;
        let holds = self.next < token.end;
        match token.kind {
            TokenKind::Parameter if self.is_numbered => self.take_own(range),
            TokenKind::Parameter if !holds => self.context.own.push(range),
            kind if holds => self.take_placeholders(kind, range),
            _ => {}
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

    /// Whether the next placeholder is part of something else.
    fn waits_glued(&self) -> bool {
        let next = self.context.placeholders.get(self.seen);
        next.is_some_and(|next| next.glued)
    }

    /// Notes where the placeholders in a token are.
    fn take_placeholders(&mut self, kind: TokenKind, range: Range<usize>) {
        let (token, statement) = (self.context.tokens.len(), self.context.statements.len());
        let bytes = self.context.sql.as_bytes();
        let waiting = self.context.placeholders.get_mut(self.seen..);
        for found in waiting.unwrap_or_default() {
            if found.output.start >= range.end {
                break;
            }
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
            let next = bytes.get(found.output.end).copied();
            found.glued |= found.place == Place::Code && next.is_some_and(is_identifier);
            found.token = token;
            found.statement = statement;
            self.seen += 1;
        }
        self.next = start_of(self.context.placeholders.get(self.seen));
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
        let index = self.context.tokens.len();
        let first = sql.as_bytes()[token.start];
        let (mut word, mut is_odd) = (&UNLISTED, false);
        match token.kind {
            TokenKind::Identifier => {
                word = self.vocabulary.word(token.text(sql));
                is_odd = word.has(words::FOREIGN);
                if word.has(words::CLAUSE) {
                    self.enter_clause(word.text);
                }
            }
            TokenKind::Operator => is_odd = token.text(sql).as_bytes().contains(&b'`'),
            TokenKind::Other | TokenKind::Colon => is_odd = true,
            _ => {}
        }
        if is_odd {
            self.context.odd.push(index);
        }
        let clause = self.clause;
        let inside = match token.kind {
            TokenKind::Punctuation => self.punctuate(first, index),
            _ => self.inside(),
        };
        self.context.tokens.push(Tok {
            kind: token.kind,
            start: token.start,
            end: token.end,
            word,
            first,
            clause,
            opener: inside
                .and_then(|opener| u32::try_from(opener).ok())
                .unwrap_or(Tok::NOWHERE),
            has_comma: false,
        });
    }

    /// What opens the innermost parentheses.
    fn inside(&self) -> Option<usize> {
        self.open.last().map(|&(opener, _)| opener)
    }

    /// Follows the parentheses, and tells which of them the sign is inside.
    fn punctuate(&mut self, sign: u8, index: usize) -> Option<usize> {
        match sign {
            b'(' | b'[' => {
                self.open.push((index, self.clause));
                self.clause = Clause::Other;
                Some(index)
            }
            b')' | b']' => {
                let Some((opener, clause)) = self.open.pop() else {
                    self.context.unbalanced = Some(index);
                    return None;
                };
                self.clause = clause;
                Some(opener)
            }
            b',' => {
                if self.clause == Clause::On {
                    self.clause = Clause::From;
                }
                let open = self.inside();
                if let Some(open) = open {
                    self.context.tokens[open].has_comma = true;
                }
                open
            }
            _ => self.inside(),
        }
    }

    fn enter_clause(&mut self, word: &str) {
        let tokens = &self.context.tokens;
        let before = tokens.last().map_or("", |token| token.word.text);
        self.clause = match word {
            "order" | "group" | "partition" => return,
            "by" => match before {
                "order" => Clause::Order,
                "group" => Clause::Group,
                "partition" => Clause::Other,
                _ => return,
            },
            "from" => {
                let called = self.inside().and_then(|open| function(tokens, open));
                let within = called.is_some_and(|called| called.has(words::FROM_INSIDE));
                if within || before == "distinct" {
                    return;
                }
                Clause::From
            }
            "join" | "update" | "using" => Clause::From,
            "on" if self.clause == Clause::From => Clause::On,
            "set" => Clause::Set,
            "select" => Clause::Select,
            "returning" => Clause::Returning,
            "values" => Clause::Values,
            _ => Clause::Other,
        };
    }

    fn end_statement(&mut self) {
        let tokens = (self.first, self.context.tokens.len());
        self.context.unbalanced = self
            .context
            .unbalanced
            .or(self.open.first().map(|&(opener, _)| opener));
        self.open.clear();
        self.clause = Clause::Other;
        self.first = tokens.1;
        if tokens.0 < tokens.1 {
            let statement = Statement::of(&self.context.tokens, tokens);
            self.context.statements.push(statement);
        }
    }
}
