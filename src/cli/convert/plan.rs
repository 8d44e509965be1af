//! What a file's text is to become, and what is to be said about it: no file is touched here.

mod back;

use super::changes::Changes;
use super::codes;
use super::lines::Lines;
use super::options::{Options, To};
use super::remark::{Remark, Told, suggestion};
use super::tally::Tally;
use crate::cli::place::Place;
use crate::sql::source::{Dynamic, SourceQuery, Unreadable};
use crate::sql::translate::lint::{Conversion, Finding, FixKind, Inspection, Severity};
use crate::sql::translate::{Bound, Edit, Paramstyle, Style, TranslateError, inspect, translate};
use std::cell::{LazyCell, OnceCell};
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;

/// What is to be done with one text, and what was found in it.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The changes of the text, in its order; none overlap.
    pub(super) edits: Vec<Edit>,
    /// In the order of the text.
    pub(super) remarks: Vec<Remark>,
    pub(super) tally: Tally,
    /// What each query's parameters are, in the order of the text; none for a query that is held.
    pub(super) parameters: Vec<(Option<String>, Vec<Bound>)>,
}

/// The plan of a text whose queries were found.
pub(super) fn plan(
    text: &str,
    queries: Result<Vec<SourceQuery>, Unreadable>,
    options: &Options,
) -> Plan {
    let mut planner = Planner {
        text,
        lines: OnceCell::new(),
        options,
        plan: Plan::default(),
        changes: Changes::default(),
        unreadable: false,
    };
    planner.plan.tally.files = 1;
    match queries {
        Ok(queries) => {
            for query in &queries {
                planner.read(query);
            }
        }
        Err(error) => planner.refuse(error),
    }
    planner.finish()
}

#[derive(Debug)]
struct Planner<'a> {
    text: &'a str,
    /// Once something is said of a place.
    lines: OnceCell<Lines<'a>>,
    options: &'a Options,
    plan: Plan,
    changes: Changes,
    /// Whether a text could not be read: then the file stays as it is.
    unreadable: bool,
}

impl<'a> Planner<'a> {
    fn lines(&self) -> &Lines<'a> {
        self.lines.get_or_init(|| Lines::new(self.text))
    }

    fn finish(mut self) -> Plan {
        let tally = &mut self.plan.tally;
        if self.unreadable {
            tally.held += tally.converted;
            (tally.converted, tally.rewrites) = (0, 0);
            self.changes = Changes::default();
        }
        self.plan.edits = self.changes.into_edits();
        self.plan
            .remarks
            .sort_by_key(|remark| (remark.range.start, remark.range.end));
        self.plan
    }

    fn refuse(&mut self, error: Unreadable) {
        if self.options.passes_over(codes::UNREADABLE, &[]) {
            return;
        }
        let place = Place {
            line: error.line,
            column: error.column,
        };
        let start = self.lines().offset(place);
        let remark = Told::new(codes::UNREADABLE, Severity::Error, error.message);
        self.tell(None, start..self.next(start), remark);
        self.plan.tally.errors += 1;
    }

    fn read(&mut self, query: &SourceQuery) {
        self.plan.tally.queries += 1;
        let style = self.options.style(query.style);
        if let Some(dynamic) = &query.dynamic {
            self.review(query, style, dynamic);
        } else if style != Style::NoParameters || self.back_with_arguments(query) {
            match self.options.to {
                To::NumericDollar => self.convert(query, style),
                To::Format => self.convert_back(query, Paramstyle::Format),
                To::Pyformat => self.convert_back(query, Paramstyle::Pyformat),
            }
        } else {
            self.plan.parameters.push((query.name.clone(), Vec::new()));
        }
    }

    /// Lists a text that is not rewritten: as a warning if it shows placeholders, and as a note if only the unknown part could.
    fn review(&mut self, query: &SourceQuery, style: Style, dynamic: &Dynamic) {
        self.plan.tally.dynamic += 1;
        let shown =
            inspect(&query.sql, style).map(|found| !found.convert(|_| false).edits.is_empty());
        let severity = match shown {
            Ok(false) => Severity::Note,
            _ => Severity::Warning,
        };
        let message = format!("not rewritten, because {}", dynamic.message);
        self.tell(
            Some(query),
            dynamic.file.clone(),
            Told::new(codes::DYNAMIC, severity, message),
        );
    }

    fn convert(&mut self, query: &SourceQuery, style: Style) {
        let style = if is_converted(&query.sql, style) {
            Style::Known(Paramstyle::NumericDollar)
        } else {
            style
        };
        match inspect(&query.sql, style) {
            Ok(inspection) => self.weigh(query, &inspection),
            Err(error) => self.misread(query, &error),
        }
    }

    /// The text is not what its style says. Its file is not touched, unless the file says that this is known.
    fn misread(&mut self, query: &SourceQuery, error: &TranslateError) {
        self.plan.tally.held += 1;
        let code = codes::of_error(error.kind);
        if self.options.passes_over(code, &query.ignored) {
            return;
        }
        self.unreadable = true;
        self.plan.tally.errors += 1;
        let letter = query.sql[error.offset..].chars().next();
        let end = error.offset + letter.map_or(0, char::len_utf8);
        let told = Told {
            suggestion: Some(format!("expected {}", error.expected)),
            ..Told::new(code, Severity::Error, error.message.clone())
        };
        self.tell(Some(query), query.place(error.offset..end), told);
    }

    /// Takes the conversion unless a hazard is left that breaks it.
    fn weigh(&mut self, query: &SourceQuery, inspection: &Inspection<'_>) {
        let options = self.options;
        let seen = |finding: &Finding| options.passes_over(finding.hazard.code, &query.ignored);
        let conversion = inspection.convert(|finding| options.takes(finding) && !seen(finding));
        let left = |at: &usize, finding: &Finding| !conversion.fixed.contains(at) && !seen(finding);
        let mut findings = (0..).zip(inspection.findings());
        let held = findings
            .any(|(at, finding)| finding.hazard.severity == Severity::Error && left(&at, finding));
        let remedy = LazyCell::new(|| remedy(query, inspection));
        for (at, finding) in (0..).zip(inspection.findings()) {
            if (held && !seen(finding)) || left(&at, finding) {
                let mended = options.with_edits && is_safe(finding);
                let edits = if mended {
                    Rc::clone(&remedy)
                } else {
                    [].into()
                };
                self.warn(query, finding, edits);
            }
        }
        if held {
            self.plan.tally.held += 1;
        } else {
            // One rewrite can end several hazards of a place.
            let fixed = conversion.fixed.iter();
            let places: BTreeSet<usize> = fixed
                .filter_map(|at| inspection.findings().get(*at))
                .map(|finding| finding.range.start)
                .collect();
            self.take(query, &conversion, places.len());
        }
    }

    fn warn(&mut self, query: &SourceQuery, finding: &Finding, edits: Rc<[Edit]>) {
        let hazard = finding.hazard;
        let told = Told {
            suggestion: self.advice(finding),
            edits,
            ..Told::new(hazard.code, hazard.severity, finding.message.clone())
        };
        if self.options.reports(hazard.code) {
            self.plan.tally.hazards.count(hazard.severity);
        }
        self.tell(Some(query), query.place(finding.range.clone()), told);
    }

    /// What to do about a hazard that is left, and why it was.
    fn advice(&self, finding: &Finding) -> Option<String> {
        let how = match &finding.fix {
            Some(_) if self.options.takes(finding) => "; left because the rest of the query is",
            Some(fix) if fix.kind == FixKind::Cast => "; --casts does it",
            Some(fix) if fix.safe => "; --fix does it",
            Some(_) if self.options.fix => {
                "; left to you, because it does not keep the meaning for every value"
            }
            _ => "",
        };
        suggestion(finding).map(|advice| advice + how)
    }

    /// Makes a conversion the file's.
    fn take(&mut self, query: &SourceQuery, conversion: &Conversion<'_>, rewrites: usize) {
        let mut edits = match query.file_edits(&conversion.edits) {
            Ok(edits) => edits,
            Err(reason) => return self.leave(query, &reason),
        };
        let changes = !edits.is_empty();
        let stuck = query.stuck_elsewhere(&conversion.parameters);
        if let Some(stuck) = stuck.filter(|_| changes) {
            return self.leave_calls(query, vec![stuck]);
        }
        if self.options.call_sites && (changes || !conversion.parameters.is_empty()) {
            let (calls, stuck) = query.call_edits(self.text, &conversion.parameters);
            if !stuck.is_empty() {
                return self.leave_calls(query, stuck);
            }
            edits.extend(calls);
        }
        edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        if !self.changes.admit(&edits) {
            return self.leave(query, "another query wants something else of the same text");
        }
        self.tell_forms(query, conversion);
        if changes && self.options.check {
            self.tell_unconverted(query, &edits);
        }
        self.plan.tally.converted += usize::from(changes);
        self.plan.tally.rewrites += rewrites;
        self.plan
            .parameters
            .push((query.name.clone(), conversion.parameters.clone()));
    }

    /// Says what has to be passed in another form because of a rewrite, where no call was changed to do it.
    fn tell_forms(&mut self, query: &SourceQuery, conversion: &Conversion<'_>) {
        if self.options.call_sites && !query.calls.is_empty() {
            return;
        }
        let parameters = (1..).zip(&conversion.parameters);
        let forms = parameters.filter_map(|(number, bound)| match (bound.list, bound.text) {
            (true, _) => Some(format!("`${number}` takes a list where it took a tuple")),
            (false, true) => Some(format!(
                "`${number}` takes text: pass `str(...)` of what is neither text nor None"
            )),
            (false, false) => None,
        });
        let forms: Vec<String> = forms.collect();
        let first = conversion.edits.first().map(|edit| edit.range.clone());
        if let (false, Some(first)) = (forms.is_empty(), first) {
            let told = Told::new(codes::CALL_SITE, Severity::Warning, forms.join("; "));
            self.tell(Some(query), query.place(first), told);
        }
    }

    fn tell_unconverted(&mut self, query: &SourceQuery, edits: &[Edit]) {
        let message = match self.options.to {
            To::NumericDollar => "the query is not converted to `$1`",
            To::Format | To::Pyformat => "the query is not converted from `$1`",
        };
        let told = Told {
            suggestion: Some("`pontoon convert --write` converts it".to_owned()),
            edits: edits.into(),
            ..Told::new(codes::UNCONVERTED, Severity::Warning, message)
        };
        let first = edits.first().map_or(0..0, |edit| edit.range.clone());
        self.tell(Some(query), first, told);
    }

    /// A text stays as it is where one of its calls could not follow: the others would be wrong.
    fn leave_calls(&mut self, query: &SourceQuery, stuck: Vec<Dynamic>) {
        self.plan.tally.dynamic += 1;
        for call in stuck {
            let message = format!("not rewritten, because {}", call.message);
            let told = Told::new(codes::CALL_SITE, Severity::Warning, message);
            self.tell(Some(query), call.file, told);
        }
    }

    /// A text whose literals cannot be edited is reviewed as one that is built at run time.
    fn leave(&mut self, query: &SourceQuery, reason: &str) {
        self.plan.tally.dynamic += 1;
        let told = Told::new(
            codes::DYNAMIC,
            Severity::Warning,
            format!("not rewritten, because {reason}"),
        );
        self.tell(Some(query), query.place(0..query.sql.len()), told);
    }

    fn tell(&mut self, query: Option<&SourceQuery>, range: Range<usize>, told: Told) {
        let ignored = query.map_or(&[][..], |query| &query.ignored);
        // What could not be read is told whatever was selected.
        let chosen = self.options.reports(told.code) || codes::is_failure(told.code);
        if !chosen || self.options.passes_over(told.code, ignored) {
            return;
        }
        let places = [range.start, range.end].map(|offset| self.lines().place(offset));
        self.plan.remarks.push(Remark {
            code: told.code,
            severity: told.severity,
            start: places[0],
            end: places[1],
            range,
            query: query.and_then(|query| query.name.clone()),
            message: told.message,
            suggestion: told.suggestion,
            edits: told.edits,
        });
    }

    /// The byte behind the character at `offset`.
    fn next(&self, offset: usize) -> usize {
        let letter = self.text[offset..].chars().next();
        offset
            + letter
                .filter(|letter| *letter != '\n')
                .map_or(0, char::len_utf8)
    }
}

/// The changes that mend a query's hazards safely, if nothing else is in its way: the same for each of them.
fn remedy(query: &SourceQuery, inspection: &Inspection<'_>) -> Rc<[Edit]> {
    let mut findings = inspection.findings().iter();
    if findings.any(|finding| finding.hazard.severity == Severity::Error && !is_safe(finding)) {
        return [].into();
    }
    let conversion = inspection.convert(is_safe);
    if query.stuck_elsewhere(&conversion.parameters).is_some() {
        return [].into();
    }
    query
        .file_edits(&conversion.edits)
        .unwrap_or_default()
        .into()
}

/// Whether the hazard has a rewrite that keeps the meaning.
fn is_safe(finding: &Finding) -> bool {
    finding.fix.as_ref().is_some_and(|fix| fix.safe)
}

/// Whether a text that a call with arguments executes has `$1` and no placeholder: then it was converted before.
fn is_converted(sql: &str, style: Style) -> bool {
    style != Style::Auto
        && sql.contains('$')
        && translate(sql, Style::Auto)
            .is_ok_and(|found| found.style == Some(Paramstyle::NumericDollar))
}

#[cfg(test)]
mod tests;
