//! Comments that tell what to pass over: `# pontoon: ignore in-tuple, limit-param`.

use std::ops::Range;

use ruff_python_ast::token::TokenKind;
use ruff_text_size::Ranged;

use super::File;
use super::resolve::span;
use crate::sql::translate::lint::ignored_codes;

/// A comment that tells what to pass over.
#[derive(Debug)]
struct Ignore {
    line: usize,
    /// Whether nothing else stands in its line, so that it is about the next.
    alone: bool,
    codes: Vec<String>,
}

/// The comments of a file that tell what to pass over.
#[derive(Debug, Default)]
pub(super) struct Ignores(Vec<Ignore>);

impl Ignores {
    pub(super) fn read(file: &File<'_>) -> Self {
        if memchr::memmem::find(file.source.as_bytes(), b"pontoon:").is_none() {
            return Self::default();
        }
        let comments = file
            .tokens
            .iter()
            .filter(|token| token.kind() == TokenKind::Comment);
        Self(
            comments
                .filter_map(|token| ignore(file, span(token.range())))
                .collect(),
        )
    }

    /// The codes to pass over for something that stands at these bytes.
    pub(super) fn codes(&self, file: &File<'_>, places: &[Range<usize>]) -> Vec<String> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let mut found = Vec::new();
        for place in places {
            let (first, last) = (file.line_of(place.start), file.line_of(place.end));
            for ignore in &self.0 {
                let about = (first..=last).contains(&ignore.line)
                    || ignore.alone && ignore.line + 1 == first;
                if about {
                    found.extend(ignore.codes.iter().cloned());
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn ignore(file: &File<'_>, comment: Range<usize>) -> Option<Ignore> {
    let source = file.source;
    let codes = ignored_codes(&source[comment.clone()])?;
    let line_start = source[..comment.start]
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    Some(Ignore {
        line: file.line_of(comment.start),
        alone: source[line_start..comment.start].trim().is_empty(),
        codes: codes.into_iter().map(str::to_owned).collect(),
    })
}
