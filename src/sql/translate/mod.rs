//! From the placeholders of a Python driver to the server's `$1`.
//!
//! psycopg2 puts each value into the text before the server sees it, so a placeholder works anywhere: in a string, in
//! a comment, next to a letter. A `$1` is a parameter only where the server's lexer reads one. [`translate`] rewrites
//! what means the same on both sides and refuses the rest, with the place and with what to write instead.
//!
//! The module does no I/O and knows no driver. [`scan`] is the lexer; [`style`] names the styles and recognises
//! them; [`percent`], [`question`], [`colon`] and [`dollar`] find the placeholders of one style each; [`rewrite`]
//! numbers them and checks the result as the server will read it; [`split`] cuts a script into statements.
//!
//! Adding a style: a module that finds its marks, a variant of [`Paramstyle`], and an arm in [`translate`].

mod colon;
mod dollar;
mod error;
mod grammar;
mod mark;
mod percent;
mod question;
mod rewrite;
mod scan;
mod split;
mod style;

use std::borrow::Cow;

pub use error::{TranslateError, TranslateErrorKind, UnknownStyle};
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
    let (marks, style) = match style {
        Style::Auto | Style::NoParameters => {
            return Ok(Translation {
                sql: Cow::Borrowed(sql),
                parameters: Vec::new(),
                style: None,
            });
        }
        Style::Known(Paramstyle::NumericDollar) => {
            let parameters = (0..dollar::count(sql)?).map(Parameter::Position).collect();
            return Ok(Translation {
                sql: Cow::Borrowed(sql),
                parameters,
                style: Some(Paramstyle::NumericDollar),
            });
        }
        Style::Known(Paramstyle::Qmark) => (question::marks(sql)?, Paramstyle::Qmark),
        Style::Known(Paramstyle::Named) => (colon::marks(sql)?, Paramstyle::Named),
        Style::Known(style) => percent::marks(sql, Some(style))?,
        Style::Psycopg => percent::marks(sql, None)?,
    };
    let (sql, parameters) = rewrite::rewrite(sql, &marks)?;
    Ok(Translation {
        sql,
        parameters,
        style: Some(style),
    })
}
