//! `-- pontoon: ignore in-tuple, limit-param`: a comment in the text that a reader has looked and wants no word of it.

use std::ops::Range;

use super::Finding;
use super::context::Context;

const NAME: &str = "pontoon:";

/// The codes that a comment of SQL or Python says to pass over: `pontoon: ignore in-tuple, glued`; `all` where it names none.
///
/// None for a comment that says nothing of the kind.
pub(crate) fn ignored_codes(comment: &str) -> Option<Vec<&str>> {
    let text = comment.trim_end_matches(['*', '/']);
    let text = &text[text.find(NAME)? + NAME.len()..];
    let rest = text.trim_start().strip_prefix("ignore")?;
    if rest.starts_with(|letter: char| letter.is_alphanumeric()) {
        return None;
    }
    let words = rest.trim_start_matches([' ', ':', '=']).split(',');
    let codes: Vec<&str> = words
        .filter_map(|part| part.split_whitespace().next())
        .collect();
    Some(if codes.is_empty() { vec!["all"] } else { codes })
}

/// Whether the comment speaks to this program.
pub(super) fn is_directive(comment: &str) -> bool {
    comment.contains(NAME)
}

/// Parts the findings into those that stay and those that a comment on their line, or alone on the line before, names.
pub(super) fn part(context: &Context<'_>, findings: Vec<Finding>) -> (Vec<Finding>, Vec<Finding>) {
    if context.directives.is_empty() {
        return (findings, Vec::new());
    }
    let directives: Vec<Directive<'_>> = context
        .directives
        .iter()
        .map(|comment| Directive::of(context, comment.clone()))
        .collect();
    findings.into_iter().partition(|finding| {
        !directives
            .iter()
            .any(|directive| directive.silences(finding))
    })
}

/// A comment, and what it is about.
struct Directive<'a> {
    /// The bytes of the source.
    lines: Range<usize>,
    codes: Vec<&'a str>,
}

impl<'a> Directive<'a> {
    fn of(context: &'a Context<'_>, comment: Range<usize>) -> Self {
        let source = context.source;
        let start = context.source_offset(comment.start);
        let end = context.source_offset(comment.end);
        let line = |offset: usize| {
            source[..offset]
                .rfind('\n')
                .map_or(0, |newline| newline + 1)
        };
        let line_end = |offset: usize| {
            source[offset..]
                .find('\n')
                .map_or(source.len(), |newline| offset + newline)
        };
        let last = line_end(end);
        let is_alone =
            source[line(start)..start].trim().is_empty() && source[end..last].trim().is_empty();
        let lines = line(start)..if is_alone && last < source.len() {
            line_end(last + 1)
        } else {
            last
        };
        let codes = ignored_codes(&context.sql[comment]).unwrap_or_default();
        Self { lines, codes }
    }

    fn silences(&self, finding: &Finding) -> bool {
        // An end of the text is an end of its last line.
        let is_here =
            self.lines.start <= finding.range.start && finding.range.start <= self.lines.end;
        let mut codes = self.codes.iter();
        is_here && codes.any(|code| *code == "all" || *code == finding.hazard.code)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Style;
    use super::super::inspect;

    /// The codes that stay, and how many do not.
    fn codes(sql: &str) -> (Vec<&'static str>, usize) {
        let found = inspect(sql, Style::Psycopg).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let codes = found.findings().iter().map(|finding| finding.hazard.code);
        (codes.collect(), found.ignored().len())
    }

    #[test]
    fn a_comment_silences_what_it_names_where_it_stands() {
        for (sql, stay, gone) in [
            ("a IN %s -- pontoon: ignore in-tuple", &[][..], 1),
            ("a IN %s -- pontoon: ignore all", &[], 1),
            ("a IN %s /* pontoon: ignore in-tuple, is-param */", &[], 1),
            ("-- pontoon: ignore in-tuple\na IN %s", &[], 1),
            (
                "  /* seen. pontoon:ignore in-tuple */ \n a IN %s\nAND b IN %s",
                &["in-tuple"],
                1,
            ),
            (
                "a IN %s -- pontoon: ignore in-tuple\nAND b IN %s",
                &["in-tuple"],
                1,
            ),
            ("a IN %s -- pontoon: ignore not-in-tuple", &["in-tuple"], 0),
            ("a IN %s -- pontoon: ignore", &[], 1),
            ("a IN %s -- pontoon: ignored", &["in-tuple"], 0),
            ("a IN %s -- pontoon: keep in-tuple", &["in-tuple"], 0),
            ("a IN %s AND b = '-- pontoon: ignore all'", &["in-tuple"], 0),
            ("a IN %s\n\n-- pontoon: ignore all\n", &["in-tuple"], 0),
            ("'%%' -- pontoon: ignore all\nAND a IN %s", &["in-tuple"], 0),
        ] {
            let sql = format!("SELECT 1 WHERE\n{sql}");
            let (left, ignored) = codes(&sql);
            assert_eq!((left.as_slice(), ignored), (stay, gone), "{sql}");
        }
    }
}
