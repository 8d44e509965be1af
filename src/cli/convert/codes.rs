//! The codes of what `convert` reports: the hazards', and its own for what is no hazard.

use crate::cli::exit::{Failure, Outcome};
use crate::config;
use crate::sql::translate::TranslateErrorKind as Kind;
use crate::sql::translate::lint::{HAZARDS, Severity};

/// What stands behind a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) word: &'static str,
    pub(super) severity: Severity,
    pub(super) title: &'static str,
}

/// A text that is built at run time.
pub(super) const DYNAMIC: &str = "dynamic";
/// A call whose arguments cannot be rewritten.
pub(super) const CALL_SITE: &str = "call-site";
/// A query that conversion would change, told by `--check`.
pub(super) const UNCONVERTED: &str = "unconverted";
/// A file that cannot be read, or is not what its ending says.
pub(super) const UNREADABLE: &str = "unreadable";
/// A file that could not be written, or changed while it was converted.
pub(super) const NOT_WRITTEN: &str = "not-written";

const fn code(code: &'static str, severity: Severity, title: &'static str) -> Code {
    Code {
        word: code,
        severity,
        title,
    }
}

/// The codes that are no hazards.
pub(super) const OWN: [Code; 18] = [
    code(
        DYNAMIC,
        Severity::Warning,
        "the text is built at run time, and is left for review",
    ),
    code(
        CALL_SITE,
        Severity::Warning,
        "the arguments of a call cannot be rewritten",
    ),
    code(
        UNCONVERTED,
        Severity::Warning,
        "the query still has placeholders of another style",
    ),
    code(
        UNREADABLE,
        Severity::Error,
        "the file cannot be read, or is not what its ending says",
    ),
    code(
        NOT_WRITTEN,
        Severity::Error,
        "the file could not be written, or changed meanwhile",
    ),
    code(
        "bare-percent",
        Severity::Error,
        "a `%` that begins no placeholder, in a text with parameters",
    ),
    code(
        "unknown-placeholder",
        Severity::Error,
        "`%` with a conversion that psycopg does not know",
    ),
    code(
        "unterminated-placeholder",
        Severity::Error,
        "`%(` without `)s`",
    ),
    code(
        "mixed-styles",
        Severity::Error,
        "placeholders of two styles in one text",
    ),
    code(
        "ambiguous-style",
        Severity::Error,
        "only the call can tell how the text is read",
    ),
    code(
        "missing-number",
        Severity::Error,
        "parameters `$1` … `$n` with a hole",
    ),
    code(
        "unterminated-string",
        Severity::Error,
        "a string literal that is never closed",
    ),
    code(
        "unterminated-identifier",
        Severity::Error,
        "a quoted identifier that is never closed",
    ),
    code(
        "unterminated-dollar-quote",
        Severity::Error,
        "a dollar-quoted string that is never closed",
    ),
    code(
        "unterminated-comment",
        Severity::Error,
        "a comment that is never closed",
    ),
    code(
        "unterminated-body",
        Severity::Error,
        "`BEGIN ATOMIC` without its `END`",
    ),
    code(
        "too-many-params",
        Severity::Error,
        "more parameters than the protocol can carry",
    ),
    code(
        "placeholder",
        Severity::Error,
        "a placeholder where no parameter can stand",
    ),
];

/// The code of a text that cannot be converted at all.
pub(super) fn of_error(kind: Kind) -> &'static str {
    match kind {
        Kind::BarePercent => "bare-percent",
        Kind::UnknownPlaceholder => "unknown-placeholder",
        Kind::UnterminatedPlaceholder => "unterminated-placeholder",
        Kind::MixedStyles => "mixed-styles",
        Kind::AmbiguousStyle => "ambiguous-style",
        Kind::MissingNumber => "missing-number",
        Kind::TooManyParameters => "too-many-params",
        Kind::UnterminatedString => "unterminated-string",
        Kind::UnterminatedIdentifier => "unterminated-identifier",
        Kind::UnterminatedDollarQuote => "unterminated-dollar-quote",
        Kind::UnterminatedComment => "unterminated-comment",
        Kind::UnterminatedBody => "unterminated-body",
        Kind::ExistingParameter
        | Kind::InString
        | Kind::InQuotedIdentifier
        | Kind::InDollarQuote
        | Kind::InComment
        | Kind::Glued => "placeholder",
    }
}

/// Whether the code says that something could not be read or written.
pub(super) fn is_failure(code: &str) -> bool {
    let mut own = OWN.iter();
    own.any(|own| own.word == code && own.severity == Severity::Error)
}

/// Every code, the hazards' first.
pub(super) fn all() -> impl Iterator<Item = Code> {
    let hazards = HAZARDS
        .iter()
        .map(|hazard| code(hazard.code, hazard.severity, hazard.title));
    let own = OWN
        .into_iter()
        .filter(|own| HAZARDS.iter().all(|hazard| hazard.code != own.word));
    hazards.chain(own)
}

/// Refuses words that are no codes, each with the nearest that is one.
pub(super) fn known(option: &str, words: &[String]) -> Outcome<()> {
    let codes: Vec<&str> = all().map(|code| code.word).collect();
    match words.iter().find(|word| !codes.contains(&word.as_str())) {
        None => Ok(()),
        Some(word) => Err(Failure::Usage(format!(
            "{option} {word}: there is no such code{}; `pontoon hazards` lists them",
            nearest(word, &codes)
        ))),
    }
}

/// `, the nearest is ...`; nothing where none is near.
pub(in crate::cli) fn nearest(word: &str, known: &[&str]) -> String {
    config::nearest(word, known.iter().copied())
        .map_or_else(String::new, |code| format!(", the nearest is `{code}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_code_is_there_once() {
        let codes: Vec<_> = all().map(|code| code.word).collect();
        let distinct: BTreeSet<_> = codes.iter().collect();
        assert_eq!(codes.len(), distinct.len());
        for kind in [
            Kind::BarePercent,
            Kind::Glued,
            Kind::TooManyParameters,
            Kind::UnterminatedBody,
        ] {
            assert!(codes.contains(&of_error(kind)), "{kind:?}");
        }
    }

    #[test]
    fn the_nearest_code_is_named() {
        let refused = known("--ignore", &["bare-prcent".to_owned()]).unwrap_err();
        assert!(
            matches!(&refused, Failure::Usage(text) if text.contains("nearest is `bare-percent`"))
        );
        let refused = known("--ignore", &["qqqq".to_owned()]).unwrap_err();
        assert!(matches!(&refused, Failure::Usage(text) if !text.contains("nearest")));
        assert!(known("--ignore", &["dynamic".to_owned()]).is_ok());
    }
}
