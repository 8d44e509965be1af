//! `%s`, `%(name)s` and `%%`: psycopg's own grammar, which knows nothing of SQL and reads every `%` of the text.

use memchr::memchr;

use super::error::{TranslateError, TranslateErrorKind as Kind};
use super::mark::{Mark, Meaning};
use super::style::Paramstyle;

/// Every `%` of a text, read as psycopg reads it. Goes on behind one that it cannot read.
pub(super) struct Percents<'a> {
    sql: &'a str,
    position: usize,
    /// The `)` that was found last, or the end of the text if none is left: without this, a text of nothing but `%(`
    /// would be searched again for each.
    closing: usize,
}

/// A `%` at `start` that psycopg would refuse, and the end of what it would name as the reason.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused {
    pub(super) start: usize,
    end: usize,
    reason: Reason,
}

#[derive(Debug, Clone, Copy)]
enum Reason {
    Bare,
    Unknown,
    Unclosed,
    Nameless,
    Formatless,
}

impl<'a> Percents<'a> {
    pub(super) fn new(sql: &'a str) -> Self {
        Self {
            sql,
            position: 0,
            closing: 0,
        }
    }

    fn read(&mut self, start: usize) -> Result<Mark<'a>, Refused> {
        let mark = |meaning| Mark {
            start,
            end: start + 2,
            meaning,
        };
        match self.sql.as_bytes().get(start + 1) {
            Some(b'%') => Ok(mark(Meaning::Literal("%"))),
            Some(b's' | b'b' | b't') => Ok(mark(Meaning::Positional)),
            Some(b'(') => self.read_named(start),
            _ => Err(self.refuse(start, start + 1, Reason::Bare)),
        }
    }

    fn read_named(&mut self, start: usize) -> Result<Mark<'a>, Refused> {
        let (bytes, name_start) = (self.sql.as_bytes(), start + 2);
        if self.closing < name_start {
            let length = memchr(b')', &bytes[name_start..]);
            self.closing = length.map_or(bytes.len(), |length| name_start + length);
        }
        let closing = self.closing;
        match bytes.get(closing + 1) {
            _ if closing == bytes.len() => Err(Refused {
                start,
                end: name_start,
                reason: Reason::Unclosed,
            }),
            _ if closing == name_start => Err(Refused {
                start,
                end: closing + 1,
                reason: Reason::Nameless,
            }),
            Some(&format @ (b's' | b'b' | b't')) => Ok(Mark {
                start,
                end: closing + 2,
                meaning: Meaning::Named {
                    name: &self.sql[name_start..closing],
                    format: char::from(format),
                },
            }),
            _ => Err(self.refuse(start, closing + 1, Reason::Formatless)),
        }
    }

    /// The refusal of what stands from `start` to `end` for the character that follows, or for `reason` if none does.
    fn refuse(&self, start: usize, end: usize, reason: Reason) -> Refused {
        let follows = self.sql[end..].chars().next();
        match follows.filter(|character| !character.is_whitespace()) {
            Some(other) => Refused {
                start,
                end: end + other.len_utf8(),
                reason: Reason::Unknown,
            },
            None => Refused { start, end, reason },
        }
    }
}

impl<'a> Iterator for Percents<'a> {
    type Item = Result<Mark<'a>, Refused>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.sql.as_bytes()[self.position..];
        let start = self.position + memchr(b'%', rest)?;
        let mark = self.read(start);
        self.position = mark.map_or(start + 1, |mark| mark.end);
        Some(mark)
    }
}

impl Refused {
    fn explain(self, sql: &str) -> TranslateError {
        let text = &sql[self.start..self.end];
        let named = "`%(name)s`, or `%%(` for the text itself";
        let (kind, message, expected) = match self.reason {
            Reason::Bare => (
                Kind::BarePercent,
                "a lone `%` starts no placeholder".to_owned(),
                "`%%` for a percent sign, `%s` or `%(name)s` for a parameter",
            ),
            Reason::Unknown => (
                Kind::UnknownPlaceholder,
                format!("`{text}` is no placeholder"),
                "`%s`, `%b`, `%t` or `%(name)s` for a parameter, `%%` for a percent sign",
            ),
            Reason::Unclosed => (
                Kind::UnterminatedPlaceholder,
                format!("`{text}` is never closed with `)s`"),
                named,
            ),
            Reason::Nameless => (
                Kind::UnterminatedPlaceholder,
                format!("`{text}` names no parameter"),
                named,
            ),
            Reason::Formatless => (
                Kind::UnterminatedPlaceholder,
                format!("`{text}` lacks the `s` behind its name"),
                named,
            ),
        };
        TranslateError::at(sql, self.start, kind, message, expected)
    }
}

/// The marks of a text that must be in one style.
pub(super) struct Marks<'a> {
    percents: Percents<'a>,
    style: Option<Paramstyle>,
}

impl<'a> Marks<'a> {
    /// The marks of a text in `style`, or in the one of `format` and `pyformat` that its first placeholder chooses.
    pub(super) fn new(sql: &'a str, style: Option<Paramstyle>) -> Self {
        Self {
            percents: Percents::new(sql),
            style,
        }
    }

    /// The style of the marks read so far.
    pub(super) fn style(&self) -> Paramstyle {
        self.style.unwrap_or(Paramstyle::Format)
    }
}

impl<'a> Iterator for Marks<'a> {
    type Item = Result<Mark<'a>, TranslateError>;

    fn next(&mut self) -> Option<Self::Item> {
        let sql = self.percents.sql;
        let mark = match self.percents.next()? {
            Ok(mark) => mark,
            Err(refused) => return Some(Err(refused.explain(sql))),
        };
        let found = match mark.meaning {
            Meaning::Literal(_) => return Some(Ok(mark)),
            Meaning::Positional => Paramstyle::Format,
            Meaning::Named { .. } => Paramstyle::Pyformat,
        };
        let style = *self.style.get_or_insert(found);
        Some(if style == found {
            Ok(mark)
        } else {
            Err(mixed(sql, &mark, style))
        })
    }
}

fn mixed(sql: &str, mark: &Mark<'_>, style: Paramstyle) -> TranslateError {
    let message = format!("`{}` in a text of style {style}", mark.text(sql));
    let expected = match style {
        Paramstyle::Pyformat => "`%(name)s` for every parameter",
        _ => "`%s` for every parameter",
    };
    TranslateError::at(sql, mark.start, Kind::MixedStyles, message, expected)
}

#[cfg(test)]
mod tests {
    use super::super::{Parameter, Style, translate};
    use super::*;

    #[test]
    fn what_psycopg_reads() {
        let texts: [(&str, &str, &[&str]); 14] = [
            ("SELECT %s, %s", "SELECT $1, $2", &["0", "1"]),
            ("%s%%%%%s", "$1%%$2", &["0", "1"]),
            ("a %%%s", "a %$1", &["0"]),
            ("a %%s", "a %s", &[]),
            ("%%(a)s", "%(a)s", &[]),
            ("'%%'", "'%'", &[]),
            ("-- 100%%\n", "-- 100%\n", &[]),
            ("%s %b %t", "$1 $2 $3", &["0", "1", "2"]),
            ("%(a)s %(b)s %(a)s", "$1 $2 $1", &["a", "b"]),
            ("%(A)s %(a)s %( a )s", "$1 $2 $3", &["A", "a", " a "]),
            ("%(it's)s", "$1", &["it's"]),
            ("%(a(b)s", "$1", &["a(b"]),
            ("%(a\n)s", "$1", &["a\n"]),
            ("%(é%)b", "$1", &["é%"]),
        ];
        for (sql, expected, parameters) in texts {
            let found =
                translate(sql, Style::Psycopg).unwrap_or_else(|error| panic!("{sql}: {error}"));
            assert_eq!(found.sql, expected, "{sql}");
            let named = found.parameters.iter().map(|parameter| match parameter {
                Parameter::Position(index) => index.to_string(),
                Parameter::Name(name) => name.clone(),
            });
            assert_eq!(named.collect::<Vec<_>>(), parameters, "{sql}");
        }
    }

    #[test]
    fn what_psycopg_refuses() {
        let texts = [
            ("é %", Kind::BarePercent, 2, "lone `%`"),
            ("5 % 2", Kind::BarePercent, 2, "lone `%`"),
            ("5 %\n2", Kind::BarePercent, 2, "lone `%`"),
            ("LIKE 'a%'", Kind::UnknownPlaceholder, 7, "`%'`"),
            ("%d", Kind::UnknownPlaceholder, 0, "`%d`"),
            ("%S", Kind::UnknownPlaceholder, 0, "`%S`"),
            ("%10s", Kind::UnknownPlaceholder, 0, "`%1`"),
            ("%é", Kind::UnknownPlaceholder, 0, "`%é`"),
            ("%(a)d", Kind::UnknownPlaceholder, 0, "`%(a)d`"),
            ("%(a)%s", Kind::UnknownPlaceholder, 0, "`%(a)%`"),
            ("%(a) s", Kind::UnterminatedPlaceholder, 0, "lacks the `s`"),
            ("%(a)", Kind::UnterminatedPlaceholder, 0, "lacks the `s`"),
            ("%(a", Kind::UnterminatedPlaceholder, 0, "never closed"),
            (
                "%()s",
                Kind::UnterminatedPlaceholder,
                0,
                "names no parameter",
            ),
            ("%s %(a)s", Kind::MixedStyles, 3, "style format"),
            ("%(a)s %s", Kind::MixedStyles, 6, "style pyformat"),
            ("%(a)s %(a)b", Kind::MixedStyles, 6, "two formats"),
        ];
        for (sql, kind, characters, message) in texts {
            let error = translate(sql, Style::Psycopg).expect_err(sql);
            assert_eq!(
                (error.kind, error.column + error.line),
                (kind, characters + 2),
                "{sql}: {error}"
            );
            assert!(error.message.contains(message), "{sql}: {error}");
        }
    }

    #[test]
    fn a_known_style_takes_no_placeholder_of_the_other() {
        for (sql, style) in [("%(a)s", Paramstyle::Format), ("%s", Paramstyle::Pyformat)] {
            assert_eq!(
                translate(sql, style).expect_err(sql).kind,
                Kind::MixedStyles,
                "{sql}"
            );
        }
    }
}
