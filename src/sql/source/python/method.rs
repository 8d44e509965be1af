//! The functions that take SQL, as their names tell, and which of their arguments is the text.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use ruff_python_ast::Expr;

/// What a function does with the text that it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// Executes it with the values of the next argument, if there is one.
    Execute,
    /// Executes it with each of the next argument's sets of values.
    Many,
    /// Puts rows where its one placeholder is.
    Values,
    /// Executes it with the values of all arguments behind it.
    Spread,
    /// Executes it without values, whatever the other arguments are.
    Alone,
    /// A function of the program; its name tells that it takes SQL.
    Wrapper,
}

/// Names of arguments that hold the text.
const TEXTS: &[&str] = &[
    "query",
    "sql",
    "operation",
    "statement",
    "stmt",
    "command",
    "sql_query",
];

/// Parts of the names of functions that take SQL.
const LIKELY: &[&str] = &[
    "_sql", "cursor", "exec", "fetch", "mogrify", "query", "run_sql", "runsql", "sql_", "select",
    "stmt",
];

/// Names of functions that take SQL though no part of them tells.
const SHORT: &[&str] = &[
    "db",
    "raw",
    "run",
    "one",
    "all",
    "read",
    "db_exc",
    "db_transaction",
    "scalar",
    "exec",
    "rawsql",
    "stream",
    "copy",
];

/// Parts of the names of functions that use the text for something else.
const UNLIKELY: &[&str] = &[
    "format",
    "print",
    "log",
    "warn",
    "assert",
    "error",
    "executescript",
];

impl Method {
    /// Whether the text may be the argument at that position; none is a keyword's.
    pub(super) fn takes_text_at(self, position: Option<usize>) -> bool {
        match self {
            Self::Values => position != Some(0),
            // `execute_batch` takes the cursor first.
            Self::Many => position.is_none_or(|position| position < 2),
            Self::Execute | Self::Spread | Self::Alone => {
                position.is_none_or(|position| position == 0)
            }
            Self::Wrapper => true,
        }
    }

    pub(super) fn of(name: &str, spread: bool) -> Option<Self> {
        Some(match name {
            "execute" if spread => Self::Spread,
            "execute" | "stream" | "mogrify" | "exec_driver_sql" => Self::Execute,
            "copy" if !spread => Self::Execute,
            "executemany" | "execute_batch" => Self::Many,
            "execute_values" => Self::Values,
            "copy_expert" => Self::Alone,
            "fetch" | "fetchrow" | "fetchval" | "prepare" | "cursor" | "copy_from_query"
                if spread =>
            {
                Self::Spread
            }
            "fetchmany" if spread => Self::Many,
            _ if tells_of_sql(name) => Self::Wrapper,
            _ => return None,
        })
    }
}

/// Whether a function's name tells that it takes SQL, in whatever case.
fn tells_of_sql(name: &str) -> bool {
    static LIKELY_PARTS: LazyLock<AhoCorasick> = LazyLock::new(|| search(LIKELY));
    static UNLIKELY_PARTS: LazyLock<AhoCorasick> = LazyLock::new(|| search(UNLIKELY));
    let is = |whole: &&str| whole.eq_ignore_ascii_case(name);
    let likely = LIKELY_PARTS.is_match(name) || SHORT.iter().any(is);
    let is_query = || name.to_ascii_lowercase().contains("_query");
    likely && (!UNLIKELY_PARTS.is_match(name) || is_query())
}

/// A search for parts of names; every call of a file is asked for its name.
fn search(parts: &[&str]) -> AhoCorasick {
    let mut search = AhoCorasick::builder();
    let search = search
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA));
    search
        .build(parts)
        .expect("so few parts of names can be searched")
}

/// The arguments of a call that may be its text, each with its position if it has one.
pub(super) fn candidates(
    arguments: &ruff_python_ast::Arguments,
) -> impl Iterator<Item = (Option<usize>, &Expr)> {
    const FIRST: usize = 4;
    let placed = arguments.args.iter().take(FIRST).enumerate();
    let named = arguments.keywords.iter().filter(|keyword| {
        let name = keyword.arg.as_ref();
        name.is_some_and(|name| TEXTS.contains(&name.as_str()))
    });
    placed
        .map(|(index, argument)| (Some(index), argument))
        .chain(named.map(|keyword| (None, &keyword.value)))
}
