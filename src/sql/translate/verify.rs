//! Reads a rewritten text as the server will: each placeholder must be a parameter there, and nothing else may be one.

use super::error::{TranslateError, TranslateErrorKind as Kind};
use super::rewrite::{Placed, source_offset};
use super::scan::{Landmarks, TokenKind, Unterminated};

/// Checks `output`, which `placed` made of `source`. An error names its place in `source`.
pub(super) fn verify(source: &str, output: &str, placed: &[Placed]) -> Result<(), TranslateError> {
    let check = Check { source, placed };
    let mut waiting = placed
        .iter()
        .filter_map(|placed| Some((placed, placed.parameter.clone()?)))
        .peekable();
    for token in Landmarks::new(output) {
        let start = token.map_or_else(|found| found.offset, |token| token.start);
        if let Some((placed, _)) = waiting.next_if(|(_, parameter)| parameter.start < start) {
            return Err(check.glued(placed));
        }
        let token = token.map_err(|found| match waiting.peek() {
            // A glued `$` can open a dollar quote that the text did not have.
            Some((placed, _)) if placed.glued => check.glued(placed),
            _ => check.unterminated(found),
        })?;
        let mut ours = false;
        while let Some((placed, parameter)) =
            waiting.next_if(|(_, parameter)| parameter.start < token.end)
        {
            ours = token.kind == TokenKind::Parameter && parameter == (token.start..token.end);
            check.placeholder(placed, token.kind, ours)?;
        }
        if token.kind == TokenKind::Parameter && !ours {
            return Err(check.existing(token.text(output), token.start));
        }
    }
    match waiting.next() {
        Some((placed, _)) => Err(check.glued(placed)),
        None => Ok(()),
    }
}

struct Check<'a> {
    source: &'a str,
    placed: &'a [Placed],
}

impl<'a> Check<'a> {
    fn placeholder(
        &self,
        placed: &Placed,
        inside: TokenKind,
        whole: bool,
    ) -> Result<(), TranslateError> {
        let Some((kind, place)) = dead_place(inside) else {
            return if placed.glued || !whole {
                Err(self.glued(placed))
            } else {
                Ok(())
            };
        };
        let text = self.text(placed);
        let expected = match kind {
            Kind::InString => format!(
                "the placeholder outside of the quotes, as in `'…' || {text}`, `{text}::date` or \
                 `make_interval(days => {text})`"
            ),
            Kind::InQuotedIdentifier => {
                "a name from a fixed list, or one built by the server's `format('%I', …)`"
                    .to_owned()
            }
            Kind::InDollarQuote => {
                "the value put into the text beforehand by the server's `format('%L', …)`"
                    .to_owned()
            }
            _ => "the comment without the placeholder, and its argument dropped".to_owned(),
        };
        let message = format!("`{text}` in {place} would be text and take no value");
        Err(TranslateError::at(
            self.source,
            placed.source.start,
            kind,
            message,
            expected,
        ))
    }

    fn glued(&self, placed: &Placed) -> TranslateError {
        let message = format!(
            "`{}` touches what `$1` would become part of",
            self.text(placed)
        );
        let expected =
            "a space or an operator between the two, or the whole name or number as one parameter";
        TranslateError::at(
            self.source,
            placed.source.start,
            Kind::Glued,
            message,
            expected,
        )
    }

    fn existing(&self, parameter: &str, offset: usize) -> TranslateError {
        let message = format!("the text has a `{parameter}` of its own");
        let expected = "parameters of one style, or a text read as one without parameters";
        TranslateError::at(
            self.source,
            source_offset(self.placed, offset),
            Kind::ExistingParameter,
            message,
            expected,
        )
    }

    fn unterminated(&self, found: Unterminated) -> TranslateError {
        let offset = source_offset(self.placed, found.offset);
        TranslateError::unterminated(self.source, Unterminated { offset, ..found })
    }

    fn text(&self, placed: &Placed) -> &'a str {
        &self.source[placed.source.clone()]
    }
}

/// What a token is in which the server reads no parameter.
fn dead_place(kind: TokenKind) -> Option<(Kind, &'static str)> {
    match kind {
        TokenKind::String
        | TokenKind::EscapeString
        | TokenKind::UnicodeString
        | TokenKind::BitString => Some((Kind::InString, "a string literal")),
        TokenKind::QuotedIdentifier => Some((Kind::InQuotedIdentifier, "a quoted identifier")),
        TokenKind::DollarString => Some((Kind::InDollarQuote, "a dollar-quoted string")),
        TokenKind::LineComment | TokenKind::BlockComment => Some((Kind::InComment, "a comment")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Paramstyle, Style, translate};
    use super::*;

    #[test]
    fn a_placeholder_that_the_server_would_not_see() {
        let texts = [
            (
                "now() - '%s days'::interval",
                Kind::InString,
                "`%s` in a string literal",
                9,
            ),
            ("'%%' || E'\\'%s'", Kind::InString, "string literal", 12),
            ("'a'\n'%s'", Kind::InString, "string literal", 5),
            ("U&'%s'", Kind::InString, "string literal", 3),
            ("x LIKE '%%%(a)s%%'", Kind::InString, "`%(a)s`", 10),
            ("\"c_%s\"", Kind::InQuotedIdentifier, "quoted identifier", 3),
            (
                "DO $a$ %s $a$",
                Kind::InDollarQuote,
                "dollar-quoted string",
                7,
            ),
            ("1 -- %s", Kind::InComment, "comment", 5),
            ("/* /* */ %s */ 1", Kind::InComment, "comment", 9),
        ];
        for (sql, kind, message, offset) in texts {
            let error = translate(sql, Style::Psycopg).expect_err(sql);
            assert_eq!((error.kind, error.offset), (kind, offset), "{sql}: {error}");
            assert!(error.message.contains(message), "{sql}: {error}");
        }
    }

    #[test]
    fn a_placeholder_that_would_become_part_of_its_neighbour() {
        let texts = [
            ("part_%s", 5),
            ("E%s", 1),
            ("é%s", 2),
            ("%s1", 0),
            ("%s_x", 0),
            ("%sé", 0),
            ("%(a)s0", 0),
            ("1%s", 1),
            ("%s%s", 2),
            ("$%s$", 1),
            ("%s$$x$$", 0),
            ("'a'%s", 3),
            ("\"a\"%s", 3),
            ("t.in%s", 4),
            ("%% '%%' col%s", 11),
            ("NOT1%s", 4),
        ];
        for (sql, offset) in texts {
            let error = translate(sql, Style::Psycopg).expect_err(sql);
            assert_eq!(
                (error.kind, error.offset),
                (Kind::Glued, offset),
                "{sql}: {error}"
            );
        }
    }

    #[test]
    fn a_placeholder_may_touch_what_ends_a_token() {
        for sql in [
            "=%s",
            ">=%s",
            "-%s",
            "||%s",
            "->>%s",
            "@%s",
            "IN(%s)AND",
            "%s::int",
            "(%s,%s)",
            "[%s:%s]",
            "%s--x",
            "/**/%s/**/",
        ] {
            let found =
                translate(sql, Paramstyle::Format).unwrap_or_else(|error| panic!("{sql}: {error}"));
            assert_eq!(found.sql.replace("$1", "%s").replace("$2", "%s"), sql);
        }
    }

    #[test]
    fn a_parameter_of_the_texts_own_collides() {
        for (sql, style, offset) in [
            ("%% $1, %s", Style::Psycopg, 3),
            ("%s, $1", Style::Psycopg, 4),
            ("SELECT $1", Style::Psycopg, 7),
            ("?, $2", Paramstyle::Qmark.into(), 3),
            (":a, $1", Paramstyle::Named.into(), 4),
        ] {
            let error = translate(sql, style).expect_err(sql);
            assert_eq!(
                (error.kind, error.offset),
                (Kind::ExistingParameter, offset),
                "{sql}: {error}"
            );
        }
        assert!(translate("SELECT '$1', a$1, $$ $1 $$, %s -- $1", Style::Psycopg).is_ok());
    }

    #[test]
    fn an_unclosed_literal_is_reported_where_it_is_in_the_source() {
        for (sql, kind, line, column) in [
            ("%% %s\n é%%'a", Kind::UnterminatedString, 2, 5),
            ("%(name)s \"a", Kind::UnterminatedIdentifier, 1, 10),
            ("%s /* %%", Kind::UnterminatedComment, 1, 4),
            ("NOT%s $$", Kind::UnterminatedDollarQuote, 1, 7),
        ] {
            let error = translate(sql, Style::Psycopg).expect_err(sql);
            assert_eq!(
                (error.kind, error.line, error.column),
                (kind, line, column),
                "{sql}: {error}"
            );
        }
    }

    #[test]
    fn an_error_says_where_what_and_what_instead() {
        let error = translate("SELECT 1,\n  '%s days'::interval", Style::Psycopg)
            .expect_err("a dead placeholder");
        let text = "line 2, column 4: `%s` in a string literal would be text and take no value; expected the \
                    placeholder outside of the quotes, as in `'…' || %s`, `%s::date` or `make_interval(days => %s)`";
        assert_eq!(error.to_string(), text);
    }
}
