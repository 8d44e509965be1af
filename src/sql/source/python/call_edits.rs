//! Gives a call the arguments that the converted text takes.

use std::ops::Range;

use ruff_python_ast::{Expr, ExprDict};
use ruff_text_size::Ranged;

use super::value::{Effect, Form, edit, parse};
use crate::sql::source::{Arguments, Call, Dynamic, SourceQuery};
use crate::sql::translate::{Bound, Edit, Parameter, inspect, translate};

/// See [`SourceQuery::call_edits`].
pub(in crate::sql::source) fn call_edits(
    query: &SourceQuery,
    file: &str,
    parameters: &[Bound],
) -> (Vec<Edit>, Vec<Dynamic>) {
    let (mut edits, mut left) = (Vec::new(), Vec::new());
    let tested = tested(query);
    let taken: Vec<Taken<'_>> = parameters
        .iter()
        .map(|bound| Taken {
            parameter: &bound.parameter,
            form: Form::of(bound, tested.contains(&bound.parameter)),
        })
        .collect();
    for call in &query.calls {
        match one_call(query, call, file, &taken) {
            Ok(mut made) => edits.append(&mut made),
            Err(message) => left.push(Dynamic {
                file: call.file.clone(),
                message,
            }),
        }
    }
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    edits.dedup();
    (edits, left)
}

/// What a parameter of the converted text takes.
#[derive(Debug, Clone, Copy)]
struct Taken<'a> {
    parameter: &'a Parameter,
    form: Form,
}

/// The arguments of which the text tests whether they are NULL, without a cast of its own.
fn tested(query: &SourceQuery) -> Vec<Parameter> {
    let found = inspect(&query.sql, query.style);
    let cast = found.map(|found| {
        let conversion = found.convert(|finding| finding.hazard.code == "param-is-null");
        let texts = conversion.parameters.into_iter().filter(|bound| bound.text);
        texts.map(|bound| bound.parameter).collect()
    });
    cast.unwrap_or_default()
}

fn one_call(
    query: &SourceQuery,
    call: &Call,
    file: &str,
    parameters: &[Taken<'_>],
) -> Result<Vec<Edit>, String> {
    match &call.arguments {
        Arguments::None if parameters.is_empty() => Ok(Vec::new()),
        Arguments::None => Err(format!(
            "the call gives no arguments, and the text takes {}",
            parameters.len()
        )),
        Arguments::Elsewhere(what) => {
            let before = inspect(&query.sql, query.style)
                .map(|found| found.convert(|_| false).parameters.len());
            let same = before.is_ok_and(|before| before == parameters.len())
                && parameters.iter().enumerate().all(|(index, taken)| {
                    taken.form == Form::AsIs && *taken.parameter == Parameter::Position(index)
                });
            if same {
                return Ok(Vec::new());
            }
            Err(format!(
                "the converted text takes {}, and the call gives {what}",
                wanted(parameters)
            ))
        }
        Arguments::Values {
            file: range,
            values,
            spread,
        } => {
            let values = Values {
                file,
                range,
                given: values,
                spread: *spread,
                hidden: &call.hidden,
            };
            values.check_count(query)?;
            values.edits(parameters)
        }
    }
}

/// What a text takes, for a reader: `$1 = name, $2 = list(ids)`.
fn wanted(parameters: &[Taken<'_>]) -> String {
    let each = parameters.iter().enumerate().map(|(index, taken)| {
        let value = match taken.parameter {
            Parameter::Position(place) => format!("value {}", place + 1),
            Parameter::Name(name) => format!("`{name}`"),
        };
        let value = format!("{value}{}", taken.form.words());
        format!("{value} for ${}", index + 1)
    });
    each.collect::<Vec<_>>().join(", ")
}

/// The bytes of the file that open and that close a tuple, a list or a mapping.
type Brackets = (Range<usize>, Range<usize>);

/// The values that a call writes out.
struct Values<'a> {
    file: &'a str,
    range: &'a Range<usize>,
    given: &'a [(Option<String>, Range<usize>)],
    spread: bool,
    /// Python's own functions that mean something else there.
    hidden: &'a [&'static str],
}

impl Values<'_> {
    /// Whether the call gives as many values as the text takes: a mapping may have more names than the text.
    fn check_count(&self, query: &SourceQuery) -> Result<(), String> {
        let named = self.given.iter().any(|(name, _)| name.is_some());
        let Ok(found) = translate(&query.sql, query.style) else {
            return Ok(());
        };
        let (takes, gives) = (found.parameters.len(), self.given.len());
        let by_name = found
            .parameters
            .iter()
            .any(|parameter| matches!(parameter, Parameter::Name(_)));
        if named || by_name || takes == gives {
            return Ok(());
        }
        Err(format!(
            "the text takes {takes} values, and the call gives {gives}"
        ))
    }

    fn edits(&self, parameters: &[Taken<'_>]) -> Result<Vec<Edit>, String> {
        let taken = self.taken(parameters)?;
        let order: Vec<usize> = taken.iter().map(|(index, _)| *index).collect();
        if order.iter().copied().eq(0..self.given.len()) {
            return self.in_place(&taken);
        }
        self.check_order(&order)?;
        if self.has_comment(self.range.clone()) {
            return Err(
                "the arguments have to change their order, and there is a comment among them"
                    .to_owned(),
            );
        }
        self.written_anew(&taken)
    }

    /// Which value each parameter takes, and in which form.
    fn taken(&self, parameters: &[Taken<'_>]) -> Result<Vec<(usize, Form)>, String> {
        let mapping = self.given.iter().any(|(name, _)| name.is_some())
            || self.file[self.range.start..].starts_with(['{', 'd']) && self.given.is_empty();
        let find = |taken: &Taken<'_>| match taken.parameter {
            Parameter::Position(_) if mapping => Err(
                "the text takes values by their places, and the call gives a mapping".to_owned(),
            ),
            Parameter::Position(place) if *place < self.given.len() => Ok((*place, taken.form)),
            Parameter::Position(_) => Err(format!(
                "the text takes {} values, and the call gives {}",
                parameters.len(),
                self.given.len()
            )),
            Parameter::Name(name) => {
                let mut places = (0..self.given.len())
                    .filter(|place| self.given[*place].0.as_ref() == Some(name));
                match (places.next(), places.next()) {
                    (Some(place), None) => Ok((place, taken.form)),
                    (Some(_), Some(_)) => Err(format!("the call's mapping has `{name}` twice")),
                    (None, _) => Err(format!("the call's mapping has no `{name}`")),
                }
            }
        };
        parameters.iter().map(find).collect()
    }

    /// Whether the values may be evaluated in that order, and no others.
    fn check_order(&self, order: &[usize]) -> Result<(), String> {
        let effects: Vec<Effect> = self
            .given
            .iter()
            .map(|(_, range)| Effect::of(self.file, range))
            .collect();
        for (index, effect) in effects.iter().enumerate() {
            let times = order.iter().filter(|taken| **taken == index).count();
            if *effect == Effect::Acts && times != 1 {
                let value = &self.file[self.given[index].1.clone()];
                return Err(format!(
                    "the text takes `{value}` {times} times, and evaluating it may have an effect"
                ));
            }
        }
        for (place, later) in order.iter().enumerate() {
            for earlier in &order[..place] {
                let (first, second) = (effects[*later], effects[*earlier]);
                if later < earlier
                    && first.max(second) == Effect::Acts
                    && first.min(second) != Effect::Fixed
                {
                    return Err("the arguments would be evaluated in another order, and one of them may have an effect".to_owned());
                }
            }
        }
        Ok(())
    }

    /// The values where they stand, with what is around them changed.
    fn in_place(&self, taken: &[(usize, Form)]) -> Result<Vec<Edit>, String> {
        let mut edits = Vec::new();
        for (index, form) in taken {
            edits.extend(form.edits(self.file, &self.given[*index].1, self.hidden)?);
        }
        if let Some((open, close)) = self.brackets(&mut edits)? {
            let comma = self.given.len() == 1 && !self.trailing_comma(close.start);
            let brackets = match (self.is_bare(), comma) {
                (true, _) => ("", ""),
                (false, true) => ("(", ",)"),
                (false, false) => ("(", ")"),
            };
            edits.push(edit(open, brackets.0));
            edits.push(edit(close, brackets.1));
        }
        edits.sort_by_key(|edit| edit.range.start);
        Ok(edits)
    }

    /// Whether the values stand in the call without brackets once they are converted.
    fn is_bare(&self) -> bool {
        self.spread
            && self.given.first().is_none_or(|(_, first)| {
                first.start > self.range.start
                    || self.file[self.range.clone()].starts_with(['{', '['])
            })
    }

    /// What encloses the values and has to change, with the keys of a mapping removed.
    fn brackets(&self, edits: &mut Vec<Edit>) -> Result<Option<Brackets>, String> {
        let Range { start, end } = *self.range;
        // A value of its own may be a list or a mapping: those brackets are the value's.
        let first = self.given.first();
        if self.spread && first.is_some_and(|(_, value)| value.start == start) {
            return Ok(None);
        }
        let parsed =
            parse(self.file, self.range).ok_or_else(|| "the arguments nest too deep".to_owned())?;
        let is_mapping = self.given.iter().all(|(name, _)| name.is_some());
        let open = match parsed.expr() {
            Expr::Dict(dict) => {
                self.without_keys(dict, edits)?;
                start + 1
            }
            Expr::Call(call) if is_mapping && self.file[start..].starts_with("dict") => {
                for (keyword, (_, value)) in call.arguments.keywords.iter().zip(self.given) {
                    self.remove(keyword.range().start().to_usize()..value.start, edits)?;
                }
                call.arguments.range().start().to_usize() + 1
            }
            Expr::Tuple(tuple) if self.is_bare() && tuple.parenthesized => start + 1,
            Expr::List(_) if self.is_bare() => start + 1,
            _ => return Ok(None),
        };
        Ok(Some((start..open, end - 1..end)))
    }

    fn without_keys(&self, dict: &ExprDict, edits: &mut Vec<Edit>) -> Result<(), String> {
        for (item, (_, value)) in dict.items.iter().zip(self.given) {
            let key = item
                .key
                .as_ref()
                .map_or(value.start, |key| key.range().start().to_usize());
            self.remove(key..value.start, edits)?;
        }
        Ok(())
    }

    fn remove(&self, range: Range<usize>, edits: &mut Vec<Edit>) -> Result<(), String> {
        let key = &self.file[range.clone()];
        if self.has_comment(range.clone()) || key.starts_with('(') {
            return Err(format!(
                "the mapping's key `{}` is not written alone",
                key.lines().next().unwrap_or_default()
            ));
        }
        edits.push(edit(range, ""));
        Ok(())
    }

    /// Whether a comma stands behind the last value.
    fn trailing_comma(&self, close: usize) -> bool {
        let last = self
            .given
            .last()
            .map_or(self.range.start, |(_, value)| value.end);
        self.file[last..close].lines().any(|line| {
            line.split('#')
                .next()
                .is_some_and(|code| code.contains(','))
        })
    }

    /// The argument written again with the values in another order.
    fn written_anew(&self, taken: &[(usize, Form)]) -> Result<Vec<Edit>, String> {
        let mut values = Vec::with_capacity(taken.len());
        for (index, form) in taken {
            let range = &self.given[*index].1;
            let own = form.edits(self.file, range, self.hidden)?;
            let moved: Vec<Edit> = own
                .into_iter()
                .map(|edit| Edit {
                    range: edit.range.start - range.start..edit.range.end - range.start,
                    ..edit
                })
                .collect();
            values.push(Edit::apply(&self.file[range.clone()], &moved));
        }
        let joined = values.join(", ");
        let argument = &self.file[self.range.clone()];
        let text = match (self.spread, argument.starts_with('['), values.len()) {
            (true, ..) => joined,
            (false, true, _) => format!("[{joined}]"),
            (false, false, 1) => format!("({joined},)"),
            (false, false, _) => format!("({joined})"),
        };
        Ok(vec![edit(self.range.clone(), &text)])
    }

    fn has_comment(&self, range: Range<usize>) -> bool {
        let Some(parsed) = parse(self.file, self.range) else {
            return self.file[range].contains('#');
        };
        parsed.tokens().iter().any(|token| {
            token.kind() == ruff_python_ast::token::TokenKind::Comment
                && range.contains(&token.start().to_usize())
        })
    }
}
