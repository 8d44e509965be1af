//! Puts `$1`, `$2`, … where the marks are.

use std::borrow::Cow;
use std::ops::Range;

use super::error::TranslateError;
use super::mark::{Mark, Meaning};
use super::number::Numbers;
use super::scan::is_identifier;
use super::{Parameter, grammar};

/// A text with its marks replaced, wherever they are.
#[derive(Debug)]
pub(super) struct Placement<'a> {
    /// The text, borrowed if it has no mark.
    pub(super) sql: Cow<'a, str>,
    pub(super) placed: Vec<Placed>,
    /// What `$1`, `$2`, … take.
    pub(super) parameters: Vec<Parameter>,
}

/// Room for so many marks is made at once: most texts have no more.
const USUAL: usize = 8;

/// Replaces each mark by what it means, with at most `most` parameters.
///
/// A mark that cannot be read comes before anything that is wrong with the others.
pub(super) fn place<'a>(
    sql: &'a str,
    mut marks: impl Iterator<Item = Result<Mark<'a>, TranslateError>>,
    most: usize,
) -> Result<Placement<'a>, TranslateError> {
    let Some(first) = marks.next() else {
        return Ok(Placement {
            sql: Cow::Borrowed(sql),
            placed: Vec::new(),
            parameters: Vec::new(),
        });
    };
    let mut rewriter = Rewriter {
        sql,
        copied: 0,
        output: String::with_capacity(sql.len() + sql.len() / 8),
        placed: Vec::with_capacity(USUAL),
        numbers: Numbers::up_to(most),
    };
    let mut mark = first?;
    loop {
        if let Err(error) = rewriter.place(&mark) {
            return Err(marks.find_map(Result::err).unwrap_or(error));
        }
        match marks.next() {
            Some(next) => mark = next?,
            None => break,
        }
    }
    rewriter.output.push_str(&sql[rewriter.copied..]);
    Ok(Placement {
        sql: Cow::Owned(rewriter.output),
        placed: rewriter.placed,
        parameters: rewriter.numbers.into_parameters(),
    })
}

/// The byte of the source that a byte of the output is from.
pub(super) fn source_offset(placed: &[Placed], offset: usize) -> usize {
    let before = placed.partition_point(|placed| placed.output.start <= offset);
    match before.checked_sub(1).map(|last| &placed[last]) {
        None => offset,
        Some(last) if offset < last.output.end => last.source.start,
        Some(last) => last.source.end + (offset - last.output.end),
    }
}

/// A mark in the text that came in and in the text that goes out.
#[derive(Debug, Clone)]
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
    /// Up to here the text is in the output.
    copied: usize,
    output: String,
    placed: Vec<Placed>,
    numbers: Numbers<'a>,
}

impl<'a> Rewriter<'a> {
    fn place(&mut self, mark: &Mark<'a>) -> Result<(), TranslateError> {
        self.output.push_str(&self.sql[self.copied..mark.start]);
        self.copied = mark.end;
        let start = self.output.len();
        let (parameter, glued) = match mark.meaning {
            Meaning::Literal(text) => {
                self.output.push_str(text);
                (None, false)
            }
            _ => self.place_parameter(mark)?,
        };
        self.placed.push(Placed {
            source: mark.start..mark.end,
            output: start..self.output.len(),
            parameter,
            glued,
        });
        Ok(())
    }

    /// Writes `$1` and the spaces that part it from keywords; tells where it is, and whether it touches something else.
    fn place_parameter(
        &mut self,
        mark: &Mark<'a>,
    ) -> Result<(Option<Range<usize>>, bool), TranslateError> {
        let number = self.numbers.give(self.sql, mark)?;
        let (before, after) = (
            touch_before(&self.output),
            touch_after(&self.sql[mark.end..]),
        );
        if before == Touch::Keyword {
            self.output.push(' ');
        }
        let start = self.output.len();
        self.output.push('$');
        push_number(&mut self.output, number);
        let end = self.output.len();
        if after == Touch::Keyword {
            self.output.push(' ');
        }
        let glued = before == Touch::Glue || after == Touch::Glue;
        Ok((Some(start..end), glued))
    }
}

fn push_number(output: &mut String, number: usize) {
    if number >= 10 {
        push_number(output, number / 10);
    }
    output.push(char::from(b"0123456789"[number % 10]));
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
}
