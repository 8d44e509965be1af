//! One thing to say about a place of a text.

use crate::cli::place::Place;
use crate::sql::translate::Edit;
use crate::sql::translate::lint::{Finding, Severity};
use std::ops::Range;
use std::rc::Rc;

/// One thing to say about a place of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) code: &'static str,
    pub(super) severity: Severity,
    /// The bytes of the text.
    pub(super) range: Range<usize>,
    pub(super) start: Place,
    pub(super) end: Place,
    /// The name of the query.
    pub(super) query: Option<String>,
    pub(super) message: String,
    pub(super) suggestion: Option<String>,
    /// The changes of the text that would mend it, if they are known and asked for.
    pub(super) edits: Rc<[Edit]>,
}

/// What to do about a hazard: the rewrite of this place, or an example of one.
pub(super) fn suggestion(finding: &Finding) -> Option<String> {
    match &finding.fix {
        Some(fix) => Some(fix.advice.clone()),
        None if finding.hazard.rewrite.is_empty() => None,
        None => Some(format!("for example `{}`", finding.hazard.rewrite)),
    }
}

/// What is to be said, before it has a place.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) code: &'static str,
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) suggestion: Option<String>,
    pub(super) edits: Rc<[Edit]>,
}

impl Told {
    pub(super) fn new(code: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            suggestion: None,
            edits: [].into(),
        }
    }
}
