//! `%s`, `%(name)s` and `%%`: psycopg's own grammar, which knows nothing of SQL and reads every `%` of the text.

use super::error::{TranslateError, TranslateErrorKind as Kind};
use super::mark::{Mark, Marks, Meaning};
use super::style::Paramstyle;

/// Every `%` of a text, read as psycopg reads it. Goes on behind one that it cannot read.
pub(super) struct Percents<'a> {
    sql: &'a str,
    position: usize,
}

impl<'a> Percents<'a> {
    pub(super) fn new(sql: &'a str) -> Self {
        Self { sql, position: 0 }
    }

    fn read(&self, start: usize) -> Result<Mark<'a>, TranslateError> {
        let mark = |length, meaning| Mark {
            start,
            end: start + length,
            meaning,
        };
        match self.sql[start + 1..].chars().next() {
            Some('%') => Ok(mark(2, Meaning::Literal("%"))),
            Some('s' | 'b' | 't') => Ok(mark(2, Meaning::Positional)),
            Some('(') => self.read_named(start),
            Some(other) if !other.is_whitespace() => {
                Err(self.unknown(start, start + 1 + other.len_utf8()))
            }
            _ => Err(TranslateError::at(
                self.sql,
                start,
                Kind::BarePercent,
                "a lone `%` starts no placeholder",
                "`%%` for a percent sign, `%s` or `%(name)s`",
            )),
        }
    }

    fn read_named(&self, start: usize) -> Result<Mark<'a>, TranslateError> {
        let name_start = start + 2;
        let unterminated = |message| {
            let expected = "`%(name)s`, or `%%(` for the text itself";
            TranslateError::at(
                self.sql,
                start,
                Kind::UnterminatedPlaceholder,
                message,
                expected,
            )
        };
        let Some(length) = self.sql[name_start..].find(')') else {
            return Err(unterminated("`%(` is never closed with `)s`"));
        };
        let name_end = name_start + length;
        match self.sql[name_end + 1..].chars().next() {
            _ if length == 0 => Err(unterminated("`%()` names no parameter")),
            Some(format @ ('s' | 'b' | 't')) => {
                let name = &self.sql[name_start..name_end];
                Ok(Mark {
                    start,
                    end: name_end + 2,
                    meaning: Meaning::Named { name, format },
                })
            }
            Some(other) if !other.is_whitespace() => {
                Err(self.unknown(start, name_end + 1 + other.len_utf8()))
            }
            _ => Err(unterminated(
                "the placeholder lacks the `s` behind its name",
            )),
        }
    }

    fn unknown(&self, start: usize, end: usize) -> TranslateError {
        let message = format!("`{}` is no placeholder", &self.sql[start..end]);
        let expected = "`%s`, `%b`, `%t` or `%(name)s` for a parameter, `%%` for a percent sign";
        TranslateError::at(self.sql, start, Kind::UnknownPlaceholder, message, expected)
    }
}

impl<'a> Iterator for Percents<'a> {
    type Item = Result<Mark<'a>, TranslateError>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.position + self.sql[self.position..].find('%')?;
        let mark = self.read(start);
        self.position = mark.as_ref().map_or(start + 1, |mark| mark.end);
        Some(mark)
    }
}

/// The marks of a text that must be in `style`, or in the one of `format` and `pyformat` that its first placeholder
/// chooses; and the style that it was in.
pub(super) fn marks(
    sql: &str,
    style: Option<Paramstyle>,
) -> Result<(Vec<Mark<'_>>, Paramstyle), TranslateError> {
    let mut style = style;
    let marks: Marks<'_> = Percents::new(sql)
        .map(|mark| {
            let mark = mark?;
            let found = match mark.meaning {
                Meaning::Literal(_) => return Ok(mark),
                Meaning::Positional => Paramstyle::Format,
                Meaning::Named { .. } => Paramstyle::Pyformat,
            };
            let style = *style.get_or_insert(found);
            if style == found {
                Ok(mark)
            } else {
                Err(mixed(sql, &mark, style))
            }
        })
        .collect();
    Ok((marks?, style.unwrap_or(Paramstyle::Format)))
}

fn mixed(sql: &str, mark: &Mark<'_>, style: Paramstyle) -> TranslateError {
    let message = format!("`{}` in a text of style {style}", mark.text(sql));
    let expected = match style {
        Paramstyle::Pyformat => "`%(name)s` for every parameter",
        _ => "`%s` for every parameter",
    };
    TranslateError::at(sql, mark.start, Kind::MixedStyles, message, expected)
}
