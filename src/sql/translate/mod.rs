//! From the placeholders of a Python driver to the server's `$1`.
//!
//! psycopg2 puts each value into the text before the server sees it, so a placeholder works anywhere: in a string, in
//! a comment, next to a letter. A `$1` is a parameter only where the server's lexer reads one. [`translate`] rewrites
//! what means the same on both sides and refuses the rest, with the place and with what to write instead.
//!
//! The module does no I/O and knows no driver. `scan` is the lexer; `style` names the styles and recognises them;
//! `percent`, `question`, `colon` and `dollar` find the placeholders of one style each; `number` numbers them, `rewrite`
//! puts the numbers where they were, and `verify` reads the result as the server will; `split` cuts a script into
//! statements. `lint` holds the hazards, for a reader who wants to know all that is in the way; `back` goes from `$1`
//! to `%s`.
//!
//! Adding a style: a module that finds its marks, a variant of [`Paramstyle`], and an arm in `place`.

mod back;
mod colon;
mod dollar;
mod edit;
mod error;
mod grammar;
pub mod lint;
mod mark;
mod number;
mod percent;
mod question;
mod rewrite;
mod scan;
mod split;
mod style;
mod verify;

use std::borrow::Cow;

pub use back::to_percent;
pub use edit::Edit;
pub use error::{TranslateError, TranslateErrorKind, UnknownStyle};
pub use lint::{
    Bound, Conversion, Finding, Fix, FixKind, HAZARDS, Hazard, Inspection, Severity, inspect,
};
pub(crate) use scan::{Scanner, TokenKind};
#[cfg(feature = "convert")]
pub(crate) use scan::{Token, Unterminated};
pub use split::split_statements;
pub use style::{Paramstyle, Style};

/// The most parameters that one statement can carry: the protocol counts them in 16 bits.
pub const MAX_PARAMETERS: usize = 65_535;

/// A text with the server's placeholders, and what to bind to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation<'a> {
    /// The text to send, borrowed if it is the text that came in.
    pub sql: Cow<'a, str>,
    /// What `$1`, `$2`, … take, in that order.
    pub parameters: Vec<Parameter>,
    /// The style that the text was read in, or none if it was read as a text without parameters.
    pub style: Option<Paramstyle>,
}

/// What a placeholder of the translated text takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Parameter {
    /// The value at that place of the sequence of arguments; the first is 0.
    Position(usize),
    /// The value of that name.
    Name(String),
}

/// Rewrites the placeholders of `sql` as `$1`, `$2`, … and tells what each of them takes.
///
/// Positional placeholders are numbered in the order of the text. A name gets the next number where it is first used,
/// and keeps it. Everything outside the placeholders and their escapes (`%%`, or `??` in style `qmark`) stays as it is
/// byte for byte, but for a space where a placeholder touches a keyword (`NOT%s`). A text in which nothing changes is
/// borrowed. Translate a text once: the escapes make the result another text with a meaning of its own.
///
/// ```
/// use pontoon::sql::translate::{Parameter, Paramstyle, Style, TranslateErrorKind, translate};
///
/// let found = translate("SELECT 7 %% %s, note LIKE '50%%' FROM day WHERE id = %s", Paramstyle::Format)?;
/// assert_eq!(found.sql, "SELECT 7 % $1, note LIKE '50%' FROM day WHERE id = $2");
/// assert_eq!(found.parameters, [Parameter::Position(0), Parameter::Position(1)]);
///
/// let found = translate("SELECT * FROM t WHERE a = %(key)s OR b = %(key)s", Style::Psycopg)?;
/// assert_eq!(found.sql, "SELECT * FROM t WHERE a = $1 OR b = $1");
/// assert_eq!(found.parameters, [Parameter::Name("key".to_owned())]);
///
/// let refused = translate("SELECT now() -\n  '%s days'::interval", Paramstyle::Format).unwrap_err();
/// assert_eq!(refused.kind, TranslateErrorKind::InString);
/// assert_eq!((refused.line, refused.column), (2, 4));
/// # Ok::<(), pontoon::sql::translate::TranslateError>(())
/// ```
///
/// # Errors
///
/// If the text is not in the style, or if a placeholder would not be a parameter to the server: each
/// [`TranslateErrorKind`] names one reason. [`Style::NoParameters`] never fails.
pub fn translate(sql: &str, style: impl Into<Style>) -> Result<Translation<'_>, TranslateError> {
    let style = match style.into() {
        Style::Auto => style::detect(sql)?,
        known => known,
    };
    match style {
        Style::Auto | Style::NoParameters => Ok(Translation {
            sql: Cow::Borrowed(sql),
            parameters: Vec::new(),
            style: None,
        }),
        Style::Known(style @ Paramstyle::NumericDollar) => Ok(Translation {
            sql: Cow::Borrowed(sql),
            parameters: (0..dollar::count(sql)?).map(Parameter::Position).collect(),
            style: Some(style),
        }),
        style => {
            let (placement, style) = place(sql, style, MAX_PARAMETERS)?;
            verify::verify(sql, &placement.sql, &placement.placed)?;
            Ok(Translation {
                sql: placement.sql,
                parameters: placement.parameters,
                style: Some(style),
            })
        }
    }
}

/// The text with its placeholders replaced, wherever they are, and the style that they were in. A style that leaves
/// the text as it is counts as psycopg's.
fn place(
    sql: &str,
    style: Style,
    most: usize,
) -> Result<(rewrite::Placement<'_>, Paramstyle), TranslateError> {
    match style {
        Style::Known(style @ Paramstyle::Qmark) => {
            let marks = question::marks(sql)?.into_iter().map(Ok);
            Ok((rewrite::place(sql, marks, most)?, style))
        }
        Style::Known(style @ Paramstyle::Named) => {
            let marks = colon::marks(sql)?.into_iter().map(Ok);
            Ok((rewrite::place(sql, marks, most)?, style))
        }
        style => {
            let mut marks = percent::Marks::new(sql, style.known());
            let placement = rewrite::place(sql, &mut marks, most)?;
            Ok((placement, marks.style()))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Piece {
        Plain(&'static str),
        Percent,
        Value,
    }

    /// Code and literals in which a placeholder cannot hide and which none can touch.
    fn piece() -> impl Strategy<Value = Piece> {
        let plain = proptest::sample::select(vec![
            " ", " AND ", "\n", "(", ")", ",", "=", "||", "::int ", "'it''s' ", "E'\\'' ",
            "$$ ' $$ ", "\"é\" ", "/* ' */", " -- '\n", " été ", " 1.5 ", "j ? 'a' ", " :x ", ";",
        ]);
        prop_oneof![3 => plain.prop_map(Piece::Plain), 1 => Just(Piece::Percent), 2 => Just(Piece::Value)]
    }

    /// The pieces as a text with placeholders that `mark` writes, and with a `%%` or a `%` for a percent sign.
    fn text(pieces: &[Piece], percent: &str, mut mark: impl FnMut(usize) -> String) -> String {
        let mut values = 0..;
        let write = |piece: &Piece| match piece {
            Piece::Plain(text) => (*text).to_owned(),
            Piece::Percent => format!("'{percent}' "),
            Piece::Value => format!(" {} ", mark(values.next().unwrap_or_default())),
        };
        pieces.iter().map(write).collect()
    }

    proptest! {
        #[test]
        fn no_placeholder_is_lost_invented_or_renumbered(pieces in prop::collection::vec(piece(), 0..30)) {
            let expected = text(&pieces, "%", |index| format!("${}", index + 1));
            let source = text(&pieces, "%%", |_| "%s".to_owned());
            let found = translate(&source, Paramstyle::Format).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let values = pieces.iter().filter(|piece| matches!(piece, Piece::Value)).count();
            prop_assert_eq!(found.parameters, (0..values).map(Parameter::Position).collect::<Vec<_>>());
            prop_assert_eq!(&found.sql, &expected);
            prop_assert_eq!(matches!(found.sql, Cow::Borrowed(_)), source == expected);
            let again = translate(&expected, Paramstyle::NumericDollar);
            prop_assert_eq!(again.map(|again| (again.sql, again.parameters.len())), Ok((Cow::Borrowed(&*expected), values)));
        }

        #[test]
        fn a_name_keeps_the_number_of_its_first_use(
            pieces in prop::collection::vec(piece(), 0..30),
            picks in prop::collection::vec(0..4_usize, 30),
        ) {
            let source = text(&pieces, "%%", |index| format!("%(n{})s", picks[index]));
            let mut names: Vec<usize> = Vec::new();
            let expected = text(&pieces, "%", |index| {
                let known = names.iter().position(|name| *name == picks[index]);
                let number = known.unwrap_or_else(|| {
                    names.push(picks[index]);
                    names.len() - 1
                });
                format!("${}", number + 1)
            });
            let found = translate(&source, Paramstyle::Pyformat).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(found.sql, expected);
            let names = names.iter().map(|name| Parameter::Name(format!("n{name}"))).collect::<Vec<_>>();
            prop_assert_eq!(found.parameters, names);
        }

        #[test]
        fn any_text_is_translated_or_refused_at_a_place_in_it(
            sql in "(%s|%\\(a\\)s|%%|%|\\?|:a|::|\\$1|['\"$ eE\n\\\\/*-]|\\$\\$|and|é|.){0,20}",
            style in proptest::sample::select(vec!["format", "pyformat", "qmark", "named", "numeric_dollar", "psycopg", "auto"]),
        ) {
            let style: Style = style.parse().map_err(|error: UnknownStyle| TestCaseError::fail(error.to_string()))?;
            match translate(&sql, style) {
                Ok(found) => {
                    let mut read = scan::Scanner::new(&found.sql)
                        .map_while(Result::ok)
                        .filter(|token| token.kind == scan::TokenKind::Parameter)
                        .map(|token| token.text(&found.sql)[1..].parse().unwrap_or_default())
                        .collect::<Vec<usize>>();
                    read.sort_unstable();
                    read.dedup();
                    let given = if found.style.is_some() { found.parameters.len() } else { 0 };
                    prop_assert_eq!(read, (1..=given).collect::<Vec<_>>());
                }
                Err(error) => {
                    prop_assert!(sql.is_char_boundary(error.offset) && error.offset <= sql.len());
                    prop_assert!(error.line >= 1 && error.column >= 1);
                }
            }
        }
    }

    #[test]
    fn a_text_without_parameters_is_not_read() {
        for sql in ["SELECT '%s' % 2, '%%', $1, ?, :a", "SELECT 'a", "%("] {
            let found = translate(sql, Style::NoParameters).expect("nothing to refuse");
            assert!(matches!(found.sql, Cow::Borrowed(text) if text == sql));
            assert_eq!((found.parameters, found.style), (Vec::new(), None));
        }
    }

    #[test]
    fn a_text_in_which_nothing_changes_is_borrowed_in_every_style() {
        let sql = "SELECT a, 'x' FROM t -- nothing\n";
        for style in Paramstyle::ALL {
            let found = translate(sql, style).expect("nothing to refuse");
            assert!(
                matches!(found.sql, Cow::Borrowed(text) if text == sql),
                "{style}"
            );
            assert_eq!(found.style, Some(style));
        }
    }

    #[test]
    fn the_style_that_the_text_turned_out_to_be_in() {
        for (sql, style) in [
            ("%s", Some(Paramstyle::Format)),
            ("%(a)s", Some(Paramstyle::Pyformat)),
            ("(?)", Some(Paramstyle::Qmark)),
            (":a", Some(Paramstyle::Named)),
            ("$1", Some(Paramstyle::NumericDollar)),
            ("1", None),
        ] {
            assert_eq!(
                translate(sql, Style::Auto).map(|found| found.style),
                Ok(style),
                "{sql}"
            );
        }
    }
}
