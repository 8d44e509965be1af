//! Finds the SQL in the files of a project, and writes the converted text back.
//!
//! One language a file, one line in [`LANGUAGES`]. Nothing here touches the disk: a language reads a text and answers what it found,
//! and where in the text each byte of the SQL stands.

mod constants;
mod elsewhere;
mod place;
mod python;
mod sql_file;
mod write;

pub use constants::{Constant, Constants};
pub use elsewhere::{Elsewhere, Reading, Use, Uses};

use std::ops::Range;
use std::path::Path;

use crate::sql::translate::{Bound, Edit, Style};

/// Every language, by the ending of a file's name.
pub static LANGUAGES: &[Language] = &[python::PYTHON, sql_file::SQL];

/// A kind of file that holds SQL.
#[derive(Debug)]
pub struct Language {
    /// Its name for people: `Python`.
    pub name: &'static str,
    /// The endings of its files' names, without the dot.
    pub extensions: &'static [&'static str],
    /// Finds the queries of a file's text.
    pub find: fn(&str) -> Result<Vec<SourceQuery>, Unreadable>,
    /// How files that execute each other's texts are read; none if a file of the language stands alone.
    pub among: Option<Among>,
}

/// How a file is read among others. Paths are absolute, or all of them relative to the same folder.
#[derive(Debug, Clone, Copy)]
pub struct Among {
    /// What a file's text tells before anything is converted.
    pub look: fn(&str) -> Seen,
    /// Finds what a file executes and reads of the others' constants: of its path, of what it is called for a reader, of its text, and
    /// of the constants of all files.
    pub uses: fn(&Path, &str, &str, &Constants) -> Vec<Use>,
    /// Finds the queries of a file's text, knowing what the others execute of it.
    pub find: fn(&Path, &str, &Uses) -> Result<Vec<SourceQuery>, Unreadable>,
}

/// What one file among others tells before anything is converted.
#[derive(Debug)]
pub struct Seen {
    /// The names that it gives to SQL, for others to read.
    pub constants: Vec<Constant>,
    /// What can be found in it.
    pub holds: Holds,
}

/// What can be found in a file among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Nothing, whatever the others do.
    Nothing,
    /// Texts that others may execute; nothing if none means the file.
    Texts,
    /// Queries of its own, or what it cannot be read for.
    Queries,
}

/// The language of the file of that name.
pub fn language_of(path: &std::path::Path) -> Option<&'static Language> {
    let extension = path.extension()?.to_str()?;
    LANGUAGES.iter().find(|language| {
        let mut known = language.extensions.iter();
        known.any(|known| known.eq_ignore_ascii_case(extension))
    })
}

/// A file that could not be read as its language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct Unreadable {
    /// The line; the first is 1.
    pub line: usize,
    /// The character in the line; the first is 1.
    pub column: usize,
    /// What the parser did not understand.
    pub message: String,
}

/// SQL text in a file.
#[derive(Debug, Clone)]
pub struct SourceQuery {
    /// What the file calls it: the name of `-- name:`, or of the constant that holds it.
    pub name: Option<String>,
    /// The text as the driver gets it. A part that is known only at run time stands in it as `{…}`.
    pub sql: String,
    /// How the text's placeholders are to be read, as far as the place tells.
    pub style: Style,
    /// Where the pieces of `sql` stand in the file, in the order of `sql`.
    pub pieces: Vec<Piece>,
    /// Why the text must not be rewritten: it is built at run time, or used in a way that another call does not follow.
    pub dynamic: Option<Dynamic>,
    /// The calls that execute the text with arguments of their own.
    pub calls: Vec<Call>,
    /// The calls of other files that execute it.
    pub elsewhere: Vec<Elsewhere>,
    /// The hazards' codes that the file says to pass over here; `all` for every one.
    pub ignored: Vec<String>,
}

/// A run of bytes of a query's text that stand in one literal of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The bytes of [`SourceQuery::sql`].
    pub sql: Range<usize>,
    /// The bytes of the file that mean them; as many as in `sql`, or one escape sequence for the whole of it.
    pub file: Range<usize>,
    /// How the literal that they stand in is written.
    pub quoting: Quoting,
}

/// How text must be written to stand in a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quoting {
    /// As it is.
    Verbatim,
    /// In a Python literal closed by `quote` (three times if `triple`); without escapes if `raw`; with braces doubled if `braces`.
    Python {
        /// `'` or `"`
        quote: char,
        /// Whether three quotes close it.
        triple: bool,
        /// Whether a backslash means itself.
        raw: bool,
        /// Whether a brace has to be doubled, as in an f-string or in a text that is formatted.
        braces: bool,
        /// Whether it holds bytes, which are written in ASCII.
        bytes: bool,
    },
    /// Not at all: another text is built from the same literal, and would change with it.
    Shared,
}

/// Why a text stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dynamic {
    /// The bytes of the file that make it so.
    pub file: Range<usize>,
    /// The reason, as it goes on after "because": ``it is known at run time only: the f-string's `{table}` ``.
    pub message: String,
}

impl Dynamic {
    /// A part of it is known only at run time.
    fn at_run_time(file: Range<usize>, part: &str) -> Self {
        Self {
            file,
            message: format!("it is known at run time only: {part}"),
        }
    }
}

/// A call that executes a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The bytes of the call in the file.
    pub file: Range<usize>,
    /// How its arguments become what the converted text takes.
    pub arguments: Arguments,
    /// Those of Python's `list`, `str` and `tuple` that mean something else where the call is.
    pub hidden: Vec<&'static str>,
}

/// The arguments of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// None are given: the text is executed as it is.
    None,
    /// Written out at the call: the source text of each value.
    Values {
        /// The bytes of the whole argument in the file.
        file: Range<usize>,
        /// The bytes of each value in order, with its name if it is a mapping's.
        values: Vec<(Option<String>, Range<usize>)>,
        /// Whether the call takes each value as an argument of its own, as asyncpg's do.
        spread: bool,
    },
    /// Built elsewhere: what is there, for a reader.
    Elsewhere(String),
}

impl SourceQuery {
    /// A text that is one query as it stands.
    pub fn whole(text: &str, style: Style) -> Self {
        Self {
            name: None,
            sql: text.to_owned(),
            style,
            pieces: vec![Piece {
                sql: 0..text.len(),
                file: 0..text.len(),
                quoting: Quoting::Verbatim,
            }],
            dynamic: None,
            calls: Vec::new(),
            elsewhere: Vec::new(),
            ignored: Vec::new(),
        }
    }

    /// The changes of the file that make `edits` of the query's text.
    ///
    /// Only bytes of the literals change: their prefixes, quotes, escapes and line breaks stay.
    ///
    /// # Errors
    ///
    /// Why the file must not be changed: the text is dynamic, an edit touches what no literal of this query alone holds, or
    /// a literal cannot hold what comes.
    pub fn file_edits(&self, edits: &[Edit]) -> Result<Vec<Edit>, String> {
        write::file_edits(self, edits)
    }

    /// The changes of the file that give each call the arguments that the converted text takes, and why a call cannot follow.
    pub fn call_edits(&self, file: &str, parameters: &[Bound]) -> (Vec<Edit>, Vec<Dynamic>) {
        python::call_edits(self, file, parameters)
    }
}
