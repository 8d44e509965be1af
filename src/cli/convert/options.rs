//! What is asked of a conversion, wherever its text comes from.

use crate::sql::translate::lint::{Finding, FixKind, Severity};
use crate::sql::translate::{Paramstyle, Style};
use clap::ValueEnum;

/// The style that texts are read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum From {
    /// As each place and text show it
    Auto,
    /// `%s`
    Format,
    /// `%(name)s`
    Pyformat,
    /// `?`
    Qmark,
    /// `:name`
    Named,
}

/// The style that texts are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum To {
    /// `$1`
    NumericDollar,
    /// `%s`, with `%` doubled: the way back
    Format,
    /// `%(p1)s`, with `%` doubled
    Pyformat,
}

/// What is asked of a conversion.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) from: From,
    pub(super) to: To,
    /// The texts are executed without parameters: nothing in them is a placeholder.
    pub(super) no_params: bool,
    /// Whether safe rewrites are made.
    pub(super) fix: bool,
    /// Whether the casts that hazards of typing ask for are added.
    pub(super) casts: bool,
    /// Whether the arguments of calls follow.
    pub(super) call_sites: bool,
    /// Whether a query that would change is a finding.
    pub(super) check: bool,
    /// Whether findings carry the edits that would mend them.
    pub(super) with_edits: bool,
    /// The codes to report; none: all.
    pub(super) select: Vec<String>,
    /// The codes to pass over.
    pub(super) ignore: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            from: From::Auto,
            to: To::NumericDollar,
            no_params: false,
            fix: false,
            casts: false,
            call_sites: false,
            check: false,
            with_edits: false,
            select: Vec::new(),
            ignore: Vec::new(),
        }
    }
}

impl Options {
    /// How a text is read whose place says `told`: the place knows whether there are parameters, the operator knows their style.
    pub(super) fn style(&self, told: Style) -> Style {
        match (self.from, told) {
            _ if self.no_params => Style::NoParameters,
            (_, Style::NoParameters) | (From::Auto, _) => told,
            (From::Format, _) => Style::Known(Paramstyle::Format),
            (From::Pyformat, _) => Style::Known(Paramstyle::Pyformat),
            (From::Qmark, _) => Style::Known(Paramstyle::Qmark),
            (From::Named, _) => Style::Known(Paramstyle::Named),
        }
    }

    /// Whether this rewrite is to be made: a safe one by `--fix`, a cast by `--casts`, and by `--fix` too where the server would refuse.
    pub(super) fn takes(&self, finding: &Finding) -> bool {
        finding.fix.as_ref().is_some_and(|fix| match fix.kind {
            FixKind::Rewrite => self.fix && fix.safe,
            FixKind::Cast => {
                let refused = finding.hazard.severity == Severity::Error;
                self.casts || (self.fix && fix.safe && refused)
            }
        })
    }

    /// Whether findings of that code are passed over, by the command line or by the file.
    pub(super) fn passes_over(&self, code: &str, ignored: &[String]) -> bool {
        let named = |words: &[String]| words.iter().any(|word| word == code);
        named(&self.ignore) || named(ignored) || ignored.iter().any(|word| word == "all")
    }

    /// Whether findings of that code are reported.
    pub(super) fn reports(&self, code: &str) -> bool {
        self.select.is_empty() || self.select.iter().any(|word| word == code)
    }
}
