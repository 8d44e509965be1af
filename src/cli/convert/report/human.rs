//! For people: the source line with the place underlined, as compilers do it.

use super::Report;
use crate::cli::convert::lines::Lines;
use crate::cli::convert::remark::Remark;
use crate::cli::convert::tally::Tally;
use crate::cli::print::{Printer, Tone};
use crate::sql::translate::lint::Severity;
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

#[derive(Debug)]
pub(super) struct Human {
    renderer: Renderer,
    color: bool,
}

/// Wider than any terminal: a pipe cuts no line.
const ENDLESS: usize = 10_000;

impl Human {
    pub(super) fn new(printer: &Printer, to_errors: bool) -> Self {
        let color = if to_errors {
            printer.colors_errors()
        } else {
            printer.colors()
        };
        let renderer = if color {
            // Links are for pages of an own; the codes have none.
            Renderer::styled().hyperlink(false)
        } else {
            Renderer::plain()
        };
        let width = printer.width(to_errors).unwrap_or(ENDLESS);
        Self {
            renderer: renderer.term_width(width).decor_style(DecorStyle::Ascii),
            color,
        }
    }
}

impl Report for Human {
    fn finding(&self, file: &str, lines: &Lines<'_>, remark: &Remark) -> String {
        self.together(file, lines, remark, &[])
    }

    /// One picture for all that is wrong at a place and mended by the same.
    fn findings(&self, file: &str, lines: &Lines<'_>, remarks: &[Remark]) -> Vec<String> {
        let alike = |one: &Remark, next: &Remark| {
            (&one.range, one.severity, &one.suggestion)
                == (&next.range, next.severity, &next.suggestion)
        };
        let places = remarks.chunk_by(alike).filter_map(<[Remark]>::split_first);
        places
            .map(|(first, others)| self.together(file, lines, first, others))
            .collect()
    }

    fn closing(&self, tally: &Tally) -> String {
        let tone = if tally.is_hindered() {
            Tone::Bad
        } else {
            Tone::Good
        };
        tone.paint(&tally.to_string(), self.color) + "\n"
    }
}

impl Human {
    fn together(
        &self,
        file: &str,
        lines: &Lines<'_>,
        remark: &Remark,
        others: &[Remark],
    ) -> String {
        let level = match remark.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let (around, line) = lines.around(remark.range.start, remark.range.end);
        let span = remark.range.start - around.start..remark.range.end - around.start;
        let title = level.primary_title(&*remark.message).id(remark.code);
        let snippet = Snippet::source(&lines.text()[around])
            .line_start(line)
            .path(file)
            .annotation(AnnotationKind::Primary.span(span));
        let mut group: Group<'_> = title.element(snippet);
        for other in others {
            let also = format!("{}: {}", other.code, other.message);
            group = group.element(Level::NOTE.message(also));
        }
        if let Some(suggestion) = &remark.suggestion {
            group = group.element(Level::HELP.message(&**suggestion));
        }
        self.renderer.render(&[group]) + "\n\n"
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn plain(width: usize) -> Human {
        Human {
            renderer: Renderer::plain().term_width(width),
            color: false,
        }
    }

    #[test]
    fn the_place_is_underlined_behind_tabs_and_wide_letters() {
        let text = "SELECT 1;\n\tSELECT '日本', %s\n";
        let at = text.find("%s").unwrap();
        let shown = plain(80).finding("a.sql", &Lines::new(text), &sample(text, at..at + 2));
        let lines: Vec<&str> = shown.lines().collect();
        assert!(shown.contains("a.sql:2:"), "{shown}");
        let (source, mark) = (lines[lines.len() - 5], lines[lines.len() - 4]);
        assert!(source.ends_with("SELECT '日本', %s"), "{shown}");
        assert!(mark.trim_end().ends_with("^^"), "{shown}");
        assert!(shown.contains("help: write it out"), "{shown}");
    }

    #[test]
    fn what_is_wrong_at_one_place_is_told_in_one_picture() {
        let text = "SELECT %s, %s";
        let (one, other) = (sample(text, 7..9), sample(text, 11..13));
        let again = Remark {
            code: "in-string",
            message: "it is text".to_owned(),
            ..one.clone()
        };
        let shown = plain(80).findings("a.sql", &Lines::new(text), &[one, again, other]);
        assert_eq!(shown.len(), 2, "{shown:?}");
        assert_eq!(shown[0].matches("^^").count(), 1, "{}", shown[0]);
        assert!(
            shown[0].contains("note: in-string: it is text"),
            "{}",
            shown[0]
        );
    }

    #[test]
    fn an_empty_file_has_a_place_too() {
        let shown = plain(80).finding("a.py", &Lines::new(""), &sample("", 0..0));
        assert!(shown.contains("a.py:1:1"), "{shown}");
    }
}
