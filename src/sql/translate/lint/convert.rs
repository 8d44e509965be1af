//! Writes the converted text, with the fixes that somebody chose.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;
use std::ops::Range;

use super::super::scan::is_identifier;
use super::super::{Edit, Parameter, Paramstyle};
use super::finding::{Change, Finding, Form, Piece};
use super::inspect::Inspection;

/// What an [`Inspection`] converts to with some of its fixes made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion<'a> {
    /// The text with `$1`, `$2`, …, borrowed if nothing changed.
    pub sql: Cow<'a, str>,
    /// What `$1`, `$2`, … take of the call's arguments, and in which form.
    pub parameters: Vec<Bound>,
    /// The changes that make `sql` of the text, in its order.
    pub edits: Vec<Edit>,
    /// Arguments that the text took and the converted one does not: the call passes them no more.
    pub dropped: Vec<Parameter>,
    /// Which of the [findings](Inspection::findings) are gone by a fix that was made.
    pub fixed: Vec<usize>,
}

/// An argument as the converted text takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Which of the call's arguments.
    pub parameter: Parameter,
    /// Whether a tuple has to become a list, because the text now compares with an array.
    pub list: bool,
    /// Whether the value has to be given as text (`str(value)`), because the text now casts from text or joins it to
    /// other text.
    pub text: bool,
}

impl<'a> Inspection<'a> {
    /// The text with the placeholders rewritten, and with the fixes that `choose` takes.
    ///
    /// Of two fixes that change the same bytes, the first is made. Without a fix the text is what psycopg 3 sends, but
    /// for a space where a placeholder touched a keyword.
    pub fn convert(&self, choose: impl Fn(&Finding) -> bool) -> Conversion<'a> {
        let (changes, fixed) = self.chosen(choose);
        if changes.is_empty() && self.placed.is_empty() {
            return Conversion {
                sql: self.sql.clone(),
                parameters: self.parameters.iter().map(Bound::same).collect(),
                edits: Vec::new(),
                dropped: Vec::new(),
                fixed,
            };
        }
        let mut writer = Writer::new(self);
        let edits = writer.edits(&changes);
        let sql = if changes.is_empty() {
            self.sql.clone()
        } else {
            Cow::Owned(Edit::apply(self.source, &edits))
        };
        let parameters = writer.bound;
        // Without a change nothing is dropped, and most texts have none.
        let dropped = if changes.is_empty() {
            Vec::new()
        } else {
            self.without(&parameters)
        };
        Conversion {
            sql,
            parameters,
            edits,
            dropped,
            fixed,
        }
    }

    /// The parameters that are not bound any more.
    fn without(&self, bound: &[Bound]) -> Vec<Parameter> {
        let bound: HashSet<&Parameter> = bound.iter().map(|bound| &bound.parameter).collect();
        let dropped = self.parameters.iter();
        dropped
            .filter(|parameter| !bound.contains(parameter))
            .cloned()
            .collect()
    }

    /// The changes of the chosen fixes that agree with each other, in the order of the text, and whose they are.
    fn chosen(&self, choose: impl Fn(&Finding) -> bool) -> (Vec<&Change>, Vec<usize>) {
        // The ranges do not overlap, so that the order of their starts is that of their ends.
        let mut changes: BTreeMap<(usize, usize), &Change> = BTreeMap::new();
        let mut fixed = Vec::new();
        for (index, finding) in self.findings.iter().enumerate() {
            let Some(fix) = finding.fix.as_ref().filter(|_| choose(finding)) else {
                continue;
            };
            let agrees = |change: &Change| {
                let up_to = changes.range(..=(change.range.end, usize::MAX)).rev();
                up_to
                    .map(|(_, made)| *made)
                    .take_while(|made| made.range.end >= change.range.start)
                    .filter(|made| overlap(&made.range, &change.range))
                    .all(|made| made == change)
            };
            if fix.changes.iter().all(agrees) {
                fixed.push(index);
                for change in &fix.changes {
                    let place = (change.range.start, change.range.end);
                    changes.entry(place).or_insert(change);
                }
            }
        }
        (changes.into_values().collect(), fixed)
    }
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end || one == other
}

impl Bound {
    fn same(parameter: &Parameter) -> Self {
        Self::new(parameter.clone(), Form::Same)
    }

    fn new(parameter: Parameter, form: Form) -> Self {
        Self {
            parameter,
            list: form == Form::List,
            text: form == Form::Text,
        }
    }
}

/// Numbers the placeholders that are left, in the order of the text.
struct Writer<'i, 'a> {
    inspection: &'i Inspection<'a>,
    bound: Vec<Bound>,
    /// The new number by the old one and the form.
    numbers: HashMap<(usize, Form), usize>,
}

impl<'i, 'a> Writer<'i, 'a> {
    fn new(inspection: &'i Inspection<'a>) -> Self {
        let mut writer = Self {
            inspection,
            bound: Vec::new(),
            numbers: HashMap::new(),
        };
        if inspection.style == Some(Paramstyle::NumericDollar) {
            // The text's numbers are the caller's order of arguments, and stay.
            writer
                .bound
                .extend(inspection.parameters.iter().map(Bound::same));
        }
        writer
    }

    fn edits(&mut self, changes: &[&Change]) -> Vec<Edit> {
        let inspection = self.inspection;
        let mut edits = Vec::with_capacity(inspection.placed.len() + changes.len());
        let mut changes = changes.iter().peekable();
        let mut placeholder = 0;
        let mut written = 0;
        for placed in &inspection.placed {
            while let Some(change) =
                changes.next_if(|change| change.range.start <= placed.source.start)
            {
                edits.push(self.make(change));
                written = change.range.end;
            }
            let number = placed.parameter.as_ref().map(|_| placeholder);
            placeholder += usize::from(number.is_some());
            if placed.source.end <= written {
                continue;
            }
            let kept = &inspection.sql[placed.output.clone()];
            let text = match (number, &placed.parameter) {
                (Some(index), Some(parameter)) => {
                    let (before, after) = (
                        &kept[..parameter.start - placed.output.start],
                        &kept[parameter.end - placed.output.start..],
                    );
                    format!("{before}${}{after}", self.number(index, Form::Same))
                }
                _ => kept.to_owned(),
            };
            edits.push(Edit {
                range: placed.source.clone(),
                text,
            });
        }
        edits.extend(changes.map(|change| self.make(change)));
        edits
    }

    fn make(&mut self, change: &Change) -> Edit {
        let mut text = String::new();
        for piece in &change.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Placeholder { index, form } => {
                    let number = self.number(*index, *form);
                    write!(text, "${number}").expect("a String takes any text");
                }
                Piece::Own(index) => {
                    let number = self.bind(*index, Form::Same);
                    write!(text, "${number}").expect("a String takes any text");
                }
            }
        }
        // What was parted by a sign before must not grow together with its neighbour.
        let source = self.inspection.source.as_bytes();
        let touches = |left: Option<&u8>, right: Option<&u8>| {
            left.is_some_and(|&byte| is_identifier(byte))
                && right.is_some_and(|&byte| is_identifier(byte))
        };
        if touches(source[..change.range.start].last(), text.as_bytes().first()) {
            text.insert(0, ' ');
        }
        if touches(text.as_bytes().last(), source.get(change.range.end)) {
            text.push(' ');
        }
        Edit {
            range: change.range.clone(),
            text,
        }
    }

    fn number(&mut self, index: usize, form: Form) -> usize {
        let old = self.inspection.placeholders[index].number;
        if self.inspection.style == Some(Paramstyle::NumericDollar) {
            if let Some(bound) = self.bound.get_mut(old - 1) {
                bound.list |= form == Form::List;
                bound.text |= form == Form::Text;
            }
            return old;
        }
        if let Some(&number) = self.numbers.get(&(old, form)) {
            return number;
        }
        let number = self.bind(index, form);
        self.numbers.insert((old, form), number);
        number
    }

    fn bind(&mut self, index: usize, form: Form) -> usize {
        let old = self.inspection.placeholders[index].number;
        let parameter = self.inspection.parameters[old - 1].clone();
        self.bound.push(Bound::new(parameter, form));
        self.bound.len()
    }
}
