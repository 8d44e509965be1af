//! The paramstyles, and how to tell which of them a text is in.

use std::fmt;
use std::str::FromStr;

use super::colon::Colons;
use super::error::{TranslateError, TranslateErrorKind as Kind, UnknownStyle};
use super::mark::Mark;
use super::percent::{Percents, Refused};
use super::question::Questions;
use super::scan::{Scanner, Token, TokenKind};

/// How a text marks its parameters, in the words of PEP 249.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Paramstyle {
    /// `%s`, and `%%` for a percent sign.
    Format,
    /// `%(name)s`, and `%%` for a percent sign.
    Pyformat,
    /// `?` where an expression may start, and `??` for the operator `?`.
    Qmark,
    /// `:name`
    Named,
    /// `$1`, as the server reads it.
    NumericDollar,
}

impl Paramstyle {
    /// Every paramstyle.
    pub const ALL: [Self; 5] = [
        Self::Format,
        Self::Pyformat,
        Self::Qmark,
        Self::Named,
        Self::NumericDollar,
    ];

    /// The word that [`FromStr`] reads.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Pyformat => "pyformat",
            Self::Qmark => "qmark",
            Self::Named => "named",
            Self::NumericDollar => "numeric_dollar",
        }
    }
}

impl fmt::Display for Paramstyle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Paramstyle {
    type Err = UnknownStyle;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|style| style.as_str() == word)
            .ok_or_else(|| UnknownStyle::new(word, &[]))
    }
}

/// How to read a text: in a known paramstyle, or in one that the text shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// In that style; a placeholder of a similar one is an error.
    Known(Paramstyle),
    /// As psycopg reads the text of a call with arguments: `format` or `pyformat`, whichever the text uses.
    Psycopg,
    /// In the style of the placeholders in the text's code. Without any, a text with `%` but no `%%` is read as
    /// [`Style::NoParameters`], and one with `%%` is an error: only its call site can tell.
    Auto,
    /// As the text of a call without arguments: `%` is a percent sign, and nothing changes.
    NoParameters,
}

impl Style {
    /// The paramstyle, if this names one.
    pub(super) fn known(self) -> Option<Paramstyle> {
        match self {
            Self::Known(style) => Some(style),
            _ => None,
        }
    }
}

impl From<Paramstyle> for Style {
    fn from(style: Paramstyle) -> Self {
        Self::Known(style)
    }
}

impl FromStr for Style {
    type Err = UnknownStyle;

    /// Reads a [`Paramstyle`]'s word, `psycopg`, `auto` or `none`.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "psycopg" => Ok(Self::Psycopg),
            "auto" => Ok(Self::Auto),
            "none" => Ok(Self::NoParameters),
            _ => word
                .parse()
                .map(Self::Known)
                .map_err(|_| UnknownStyle::new(word, &["psycopg", "auto", "none"])),
        }
    }
}

/// What a text shows of its style.
#[derive(Debug, Default)]
struct Signs {
    /// `%s` or `%(name)s` in code.
    percent: Option<usize>,
    /// The same in a literal or a comment, where a call without arguments means the text itself.
    hidden_percent: Option<usize>,
    doubled_percent: Option<usize>,
    lone_percent: bool,
    dollar: Option<usize>,
    question: Option<usize>,
    colon: Option<usize>,
}

/// The style that the text shows; never [`Style::Auto`].
pub(super) fn detect(sql: &str) -> Result<Style, TranslateError> {
    let signs = Signs::read(sql)?;
    if signs.percent.is_some() {
        return Ok(Style::Psycopg);
    }
    let others = [
        (signs.dollar, Paramstyle::NumericDollar),
        (signs.question, Paramstyle::Qmark),
        (signs.colon, Paramstyle::Named),
    ];
    let mut others = others
        .into_iter()
        .filter_map(|(offset, style)| Some((offset?, style)));
    match (others.next(), others.next()) {
        (Some((_, first)), Some((offset, second))) => {
            return Err(ambiguous(
                sql,
                offset,
                format!("the text has placeholders of the styles {first} and {second}"),
            ));
        }
        (Some((_, style)), None) => return Ok(Style::Known(style)),
        (None, _) => {}
    }
    if let Some(offset) = signs.hidden_percent {
        return Err(ambiguous(
            sql,
            offset,
            "a placeholder in a literal or a comment, and none elsewhere",
        ));
    }
    match signs.doubled_percent {
        Some(offset) if !signs.lone_percent => Err(ambiguous(
            sql,
            offset,
            "`%%` in a text without a placeholder",
        )),
        _ => Ok(Style::NoParameters),
    }
}

impl Signs {
    fn read(sql: &str) -> Result<Self, TranslateError> {
        let mut signs = Self::default();
        let mut percents = Percents::new(sql).peekable();
        let (mut questions, mut colons) = (Questions::new(sql), Colons::new(sql));
        for token in Scanner::new(sql) {
            let token = token.map_err(|found| TranslateError::unterminated(sql, found))?;
            questions.take(token, |mark| {
                if mark.is_placeholder() {
                    signs.question.get_or_insert(mark.start);
                }
            });
            if let Some(mark) = colons.take(token) {
                signs.colon.get_or_insert(mark.start);
            }
            if token.kind == TokenKind::Parameter {
                signs.dollar.get_or_insert(token.start);
            }
            while let Some(mark) = percents.next_if(|mark| start_of(*mark) < token.end) {
                signs.note(token, mark);
            }
        }
        Ok(signs)
    }

    fn note(&mut self, token: Token, mark: Result<Mark<'_>, Refused>) {
        let Ok(mark) = mark else {
            self.lone_percent = true;
            return;
        };
        let first = match token.kind {
            _ if !mark.is_placeholder() => &mut self.doubled_percent,
            TokenKind::Operator => &mut self.percent,
            _ => &mut self.hidden_percent,
        };
        first.get_or_insert(mark.start);
    }
}

fn start_of(mark: Result<Mark<'_>, Refused>) -> usize {
    mark.map_or_else(|refused| refused.start, |mark| mark.start)
}

fn ambiguous(sql: &str, offset: usize, message: impl Into<String>) -> TranslateError {
    let expected = "the name of the style, or of none if the call passes no arguments";
    TranslateError::at(sql, offset, Kind::AmbiguousStyle, message, expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for style in Paramstyle::ALL {
            assert_eq!(style.to_string().parse(), Ok(style));
            assert_eq!(style.as_str().parse(), Ok(Style::Known(style)));
        }
        assert_eq!("psycopg".parse(), Ok(Style::Psycopg));
        assert_eq!("auto".parse(), Ok(Style::Auto));
        assert_eq!("none".parse(), Ok(Style::NoParameters));
        let error = "Format"
            .parse::<Paramstyle>()
            .expect_err("the words are lower case")
            .to_string();
        assert_eq!(
            error,
            "unknown paramstyle \"Format\"; expected one of format, pyformat, qmark, named, numeric_dollar"
        );
        assert!(
            "".parse::<Style>()
                .expect_err("no word")
                .to_string()
                .ends_with(", psycopg, auto, none")
        );
    }

    #[test]
    fn the_style_that_a_text_shows() {
        let texts = [
            ("a = %s", Style::Psycopg),
            ("a = %(a)s", Style::Psycopg),
            ("a =%s AND j ? 'x' AND b LIKE '%x'", Style::Psycopg),
            ("a[:n] = %s", Style::Psycopg),
            (
                "a = $1 AND b LIKE '%s'",
                Style::Known(Paramstyle::NumericDollar),
            ),
            ("j ? $1", Style::Known(Paramstyle::NumericDollar)),
            ("a = ? AND b LIKE '%%'", Style::Known(Paramstyle::Qmark)),
            ("a = :a::int", Style::Known(Paramstyle::Named)),
            ("j ? 'a'", Style::NoParameters),
            ("a LIKE '%x' OR b LIKE '%%'", Style::NoParameters),
            ("5 % 2", Style::NoParameters),
            ("':a ? $1' -- ?", Style::NoParameters),
            ("", Style::NoParameters),
        ];
        for (sql, style) in texts {
            assert_eq!(detect(sql), Ok(style), "{sql}");
        }
    }

    #[test]
    fn what_only_the_call_site_can_tell() {
        let texts = [
            ("a = $1 OR b = ?", Kind::AmbiguousStyle, 14),
            ("a = ? OR b = :b", Kind::AmbiguousStyle, 13),
            ("a LIKE '%sun%'", Kind::AmbiguousStyle, 8),
            ("a LIKE '50%%'", Kind::AmbiguousStyle, 10),
            ("a = 'x", Kind::UnterminatedString, 4),
        ];
        for (sql, kind, offset) in texts {
            let error = detect(sql).expect_err(sql);
            assert_eq!((error.kind, error.offset), (kind, offset), "{sql}: {error}");
        }
    }
}
