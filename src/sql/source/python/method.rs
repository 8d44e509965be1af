//! The functions that take SQL, as their names tell, and which of their arguments is the text.

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
    "exec", "fetch", "query", "mogrify", "run_sql", "runsql", "_sql", "sql_", "select", "stmt",
    "cursor",
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
            _ => {
                let name = name.to_ascii_lowercase();
                let contains = |part: &&str| name.contains(*part);
                let likely = LIKELY.iter().any(contains) || SHORT.contains(&name.as_str());
                if !likely || UNLIKELY.iter().any(contains) && !name.contains("_query") {
                    return None;
                }
                Self::Wrapper
            }
        })
    }
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
