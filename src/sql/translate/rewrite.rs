//! Puts `$1`, `$2`, … where the marks are, then reads the result as the server will.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;
use std::ops::Range;

use super::dollar::too_many;
use super::error::{TranslateError, TranslateErrorKind as Kind};
use super::mark::{Mark, Meaning};
use super::scan::{Scanner, TokenKind, Unterminated, is_identifier};
use super::{MAX_PARAMETERS, Parameter, grammar};

/// The text with each mark replaced by what it means, and what its placeholders take.
pub(super) fn rewrite<'a>(
    sql: &'a str,
    marks: &[Mark<'a>],
) -> Result<(Cow<'a, str>, Vec<Parameter>), TranslateError> {
    let mut rewriter = Rewriter {
        sql,
        output: Cow::Borrowed(sql),
        placed: Vec::new(),
        numbers: Numbers::default(),
    };
    if !marks.is_empty() {
        rewriter.place_all(marks)?;
    }
    rewriter.verify()?;
    Ok((rewriter.output, rewriter.numbers.parameters))
}

/// The number of each placeholder.
#[derive(Default)]
struct Numbers<'a> {
    parameters: Vec<Parameter>,
    /// The number and the format of each name met so far.
    named: HashMap<&'a str, (usize, char)>,
}

/// A mark in the text that came in and in the text that goes out.
struct Placed {
    source: Range<usize>,
    /// Everything that stands for the mark, with the spaces around it.
    output: Range<usize>,
    /// The `$1` alone; none for an escape.
    parameter: Option<Range<usize>>,
    /// Whether it touches what `$1` would become part of.
    glued: bool,
}

struct Rewriter<'a> {
    sql: &'a str,
    output: Cow<'a, str>,
    placed: Vec<Placed>,
    numbers: Numbers<'a>,
}

impl<'a> Rewriter<'a> {
    fn place_all(&mut self, marks: &[Mark<'a>]) -> Result<(), TranslateError> {
        let mut output = String::with_capacity(self.sql.len() + marks.len());
        let mut copied = 0;
        for mark in marks {
            output.push_str(&self.sql[copied..mark.start]);
            let placed = self.place(mark, &mut output)?;
            self.placed.push(placed);
            copied = mark.end;
        }
        output.push_str(&self.sql[copied..]);
        self.output = Cow::Owned(output);
        Ok(())
    }

    fn place(&mut self, mark: &Mark<'a>, output: &mut String) -> Result<Placed, TranslateError> {
        let (source, start) = (mark.start..mark.end, output.len());
        if let Meaning::Literal(text) = mark.meaning {
            output.push_str(text);
            return Ok(Placed {
                source,
                output: start..output.len(),
                parameter: None,
                glued: false,
            });
        }
        let number = self.numbers.give(self.sql, mark)?;
        let (before, after) = (touch_before(output), touch_after(&self.sql[mark.end..]));
        if before == Touch::Keyword {
            output.push(' ');
        }
        let parameter_start = output.len();
        write!(output, "${number}").expect("a String takes any text");
        let parameter = Some(parameter_start..output.len());
        if after == Touch::Keyword {
            output.push(' ');
        }
        let glued = before == Touch::Glue || after == Touch::Glue;
        Ok(Placed {
            source,
            output: start..output.len(),
            parameter,
            glued,
        })
    }

    /// Checks that the server reads each placeholder as a parameter, and nothing else as one.
    fn verify(&self) -> Result<(), TranslateError> {
        let mut placed = self
            .placed
            .iter()
            .filter_map(|placed| Some((placed, placed.parameter.clone()?)))
            .peekable();
        for token in Scanner::new(&self.output) {
            let token = match token {
                Ok(token) => token,
                Err(found) => {
                    // A glued `$` can open a dollar quote that the text did not have.
                    let glued = placed
                        .peek()
                        .filter(|(placed, _)| placed.glued)
                        .map(|(placed, _)| *placed);
                    return Err(
                        glued.map_or_else(|| self.unterminated(found), |placed| self.glued(placed))
                    );
                }
            };
            let mut ours = false;
            while let Some((placed, parameter)) =
                placed.next_if(|(_, parameter)| parameter.start < token.end)
            {
                ours = token.kind == TokenKind::Parameter && parameter == (token.start..token.end);
                self.check(placed, token.kind, ours)?;
            }
            if token.kind == TokenKind::Parameter && !ours {
                let message = format!("the text has a `{}` of its own", token.text(&self.output));
                let expected = "parameters of one style";
                let offset = self.source_offset(token.start);
                return Err(TranslateError::at(
                    self.sql,
                    offset,
                    Kind::ExistingParameter,
                    message,
                    expected,
                ));
            }
        }
        Ok(())
    }

    fn check(&self, placed: &Placed, inside: TokenKind, whole: bool) -> Result<(), TranslateError> {
        let text = self.source(placed);
        let (kind, place, expected) = match inside {
            TokenKind::String
            | TokenKind::EscapeString
            | TokenKind::UnicodeString
            | TokenKind::BitString => {
                let outside =
                    format!("`'…' || {text}`, `{text}::date` or `make_interval(days => {text})`");
                (
                    Kind::InString,
                    "a string literal",
                    format!("the placeholder outside of the quotes, as in {outside}"),
                )
            }
            TokenKind::QuotedIdentifier => {
                let expected =
                    "a name from a fixed list, or one built by the server's `format('%I', …)`";
                (
                    Kind::InQuotedIdentifier,
                    "a quoted identifier",
                    expected.to_owned(),
                )
            }
            TokenKind::DollarString => {
                let expected =
                    "the value put into the text beforehand by the server's `format('%L', …)`";
                (
                    Kind::InDollarQuote,
                    "a dollar-quoted string",
                    expected.to_owned(),
                )
            }
            TokenKind::LineComment | TokenKind::BlockComment => (
                Kind::InComment,
                "a comment",
                "the comment without the placeholder, and its argument dropped".to_owned(),
            ),
            _ if placed.glued || !whole => return Err(self.glued(placed)),
            _ => return Ok(()),
        };
        let message = format!("`{text}` in {place} would be text and take no value");
        Err(TranslateError::at(
            self.sql,
            placed.source.start,
            kind,
            message,
            expected,
        ))
    }

    fn glued(&self, placed: &Placed) -> TranslateError {
        let message = format!(
            "`{}` touches what `$1` would become part of",
            self.source(placed)
        );
        let expected =
            "a space or an operator between the two, or the whole name or number as one parameter";
        TranslateError::at(
            self.sql,
            placed.source.start,
            Kind::Glued,
            message,
            expected,
        )
    }

    fn unterminated(&self, found: Unterminated) -> TranslateError {
        TranslateError::unterminated(
            self.sql,
            Unterminated {
                offset: self.source_offset(found.offset),
                ..found
            },
        )
    }

    fn source(&self, placed: &Placed) -> &'a str {
        &self.sql[placed.source.clone()]
    }

    /// Where in the text that came in the byte of the text that goes out is from.
    fn source_offset(&self, offset: usize) -> usize {
        let before = self
            .placed
            .partition_point(|placed| placed.output.start <= offset);
        match before.checked_sub(1).map(|last| &self.placed[last]) {
            None => offset,
            Some(last) if offset < last.output.end => last.source.start,
            Some(last) => last.source.end + (offset - last.output.end),
        }
    }
}

impl<'a> Numbers<'a> {
    fn give(&mut self, sql: &str, mark: &Mark<'a>) -> Result<usize, TranslateError> {
        let next = self.parameters.len() + 1;
        let parameter = match mark.meaning {
            Meaning::Named { name, format } => {
                let (number, first_format) = *self.named.entry(name).or_insert((next, format));
                if first_format != format {
                    let message = format!(
                        "the parameter {name:?} is used in two formats, {first_format} and {format}"
                    );
                    let expected = format!("`%({name}){first_format}` at each use");
                    return Err(TranslateError::at(
                        sql,
                        mark.start,
                        Kind::MixedStyles,
                        message,
                        expected,
                    ));
                }
                if number < next {
                    return Ok(number);
                }
                Parameter::Name(name.to_owned())
            }
            _ => Parameter::Position(next - 1),
        };
        if next > MAX_PARAMETERS {
            return Err(too_many(sql, mark.start));
        }
        self.parameters.push(parameter);
        Ok(next)
    }
}

/// What a placeholder has directly before or behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Touch {
    Nothing,
    /// A keyword, from which a space can part it.
    Keyword,
    /// A name, a number or a literal.
    Glue,
}

fn touch_before(text: &str) -> Touch {
    let word_start = text
        .bytes()
        .rposition(|byte| !is_identifier(byte))
        .map_or(0, |last| last + 1);
    let (before, word) = text.split_at(word_start);
    match word {
        "" if before.ends_with(['\'', '"']) => Touch::Glue,
        "" => Touch::Nothing,
        _ if grammar::opens_expression(word) && !before.ends_with('.') => Touch::Keyword,
        _ => Touch::Glue,
    }
}

fn touch_after(text: &str) -> Touch {
    let word_end = text
        .bytes()
        .position(|byte| !is_identifier(byte))
        .unwrap_or(text.len());
    match &text[..word_end] {
        "" => Touch::Nothing,
        word if grammar::follows_expression(word) => Touch::Keyword,
        _ => Touch::Glue,
    }
}
