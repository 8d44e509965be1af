//! Puts `$1`, `$2`, … where the marks are.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;
use std::ops::Range;

use super::dollar::too_many;
use super::error::{TranslateError, TranslateErrorKind as Kind};
use super::mark::{Mark, Meaning};
use super::scan::is_identifier;
use super::verify::verify;
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
    verify(sql, &rewriter.output, &rewriter.placed)?;
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
pub(super) struct Placed {
    pub(super) source: Range<usize>,
    /// Everything that stands for the mark, with the spaces around it.
    pub(super) output: Range<usize>,
    /// The `$1` alone; none for an escape.
    pub(super) parameter: Option<Range<usize>>,
    /// Whether it touches what `$1` would become part of.
    pub(super) glued: bool,
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
    // A run that is too long for a keyword is not read to its start: a text of nothing but `%s` would take forever.
    let run = text.bytes().rev().take_while(|&byte| is_identifier(byte));
    let length = run.take(grammar::LONGEST_KEYWORD + 1).count();
    if length > grammar::LONGEST_KEYWORD {
        return Touch::Glue;
    }
    let (before, word) = text.split_at(text.len() - length);
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

#[cfg(test)]
mod tests {
    use super::super::{Style, translate};
    use super::*;

    #[test]
    fn a_space_parts_a_placeholder_from_a_keyword() {
        let texts = [
            ("NOT%s", "NOT $1"),
            ("a=%sAND b LIKE%sor c", "a=$1 AND b LIKE $2 or c"),
            ("%(a)sAND%(a)s", "$1 AND $1"),
            ("limit%s", "limit $1"),
        ];
        for (sql, expected) in texts {
            let found =
                translate(sql, Style::Psycopg).unwrap_or_else(|error| panic!("{sql}: {error}"));
            assert_eq!(found.sql, expected, "{sql}");
        }
    }

    #[test]
    fn no_more_parameters_than_the_protocol_carries() {
        let full = "%s,".repeat(MAX_PARAMETERS);
        assert_eq!(
            translate(&full, Style::Psycopg).map(|found| found.parameters.len()),
            Ok(MAX_PARAMETERS)
        );
        let error = translate(&(full + "%s"), Style::Psycopg).expect_err("one too many");
        assert_eq!(
            (error.kind, error.offset),
            (Kind::TooManyParameters, 3 * MAX_PARAMETERS)
        );
    }
}
