//! Numbers the placeholders of a text.

use std::collections::HashMap;

use super::Parameter;
use super::dollar::too_many;
use super::error::{TranslateError, TranslateErrorKind as Kind};
use super::mark::{Mark, Meaning};

/// Up to so many names are compared one by one, which is faster than to hash them.
const FEW: usize = 16;

/// The numbers given so far, and what each of them takes.
pub(super) struct Numbers<'a> {
    most: usize,
    parameters: Vec<Parameter>,
    /// The name of each number and the format of its first use; empty if the placeholders have no names.
    names: Vec<(&'a str, char)>,
    /// The place of each name in `names`, once they are more than a few.
    places: HashMap<&'a str, usize>,
}

impl<'a> Numbers<'a> {
    /// For at most so many placeholders.
    pub(super) fn up_to(most: usize) -> Self {
        Self {
            most,
            parameters: Vec::new(),
            names: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// The number of the placeholder: the next one, or that of the first use of its name.
    pub(super) fn give(&mut self, sql: &str, mark: &Mark<'a>) -> Result<usize, TranslateError> {
        let next = self.parameters.len();
        let Meaning::Named { name, format } = mark.meaning else {
            return self.push(sql, mark, Parameter::Position(next));
        };
        let Some(known) = self.find(name) else {
            let number = self.push(sql, mark, Parameter::Name(name.to_owned()))?;
            self.add(name, format);
            return Ok(number);
        };
        let first = self.names[known].1;
        if first == format {
            Ok(known + 1)
        } else {
            Err(two_formats(sql, mark, name, [first, format]))
        }
    }

    /// What `$1`, `$2`, … take.
    pub(super) fn into_parameters(self) -> Vec<Parameter> {
        self.parameters
    }

    fn push(
        &mut self,
        sql: &str,
        mark: &Mark<'a>,
        parameter: Parameter,
    ) -> Result<usize, TranslateError> {
        if self.parameters.len() == self.most {
            return Err(too_many(sql, mark.start));
        }
        self.parameters.push(parameter);
        Ok(self.parameters.len())
    }

    fn find(&self, name: &str) -> Option<usize> {
        if self.names.len() > FEW {
            self.places.get(name).copied()
        } else {
            self.names.iter().position(|(known, _)| *known == name)
        }
    }

    fn add(&mut self, name: &'a str, format: char) {
        self.names.push((name, format));
        let new = match self.names.len() {
            0..=FEW => return,
            count if count == FEW + 1 => 0,
            count => count - 1,
        };
        let names = self.names.iter().enumerate().skip(new);
        self.places
            .extend(names.map(|(place, (name, _))| (*name, place)));
    }
}

fn two_formats(
    sql: &str,
    mark: &Mark<'_>,
    name: &str,
    [first, second]: [char; 2],
) -> TranslateError {
    let message = format!("the parameter {name:?} is used in two formats, {first} and {second}");
    let expected = format!("`%({name}){first}` at each use");
    TranslateError::at(sql, mark.start, Kind::MixedStyles, message, expected)
}

#[cfg(test)]
mod tests {
    use super::super::{MAX_PARAMETERS, Style, translate};
    use super::*;

    #[test]
    fn no_more_parameters_than_the_protocol_carries() {
        let full = "%s,".repeat(MAX_PARAMETERS);
        assert_eq!(
            translate(&full, Style::Psycopg).map(|found| found.parameters.len()),
            Ok(MAX_PARAMETERS)
        );
        let error = translate(&(full + "%s"), Style::Psycopg).expect_err("one too many");
        assert_eq!(
            (error.kind, error.offset),
            (Kind::TooManyParameters, 3 * MAX_PARAMETERS)
        );
    }

    #[test]
    fn a_name_among_many_keeps_its_number() {
        let names = (1..=4 * FEW).chain((1..=4 * FEW).rev());
        let source: String = names
            .clone()
            .map(|name| format!("%(n{name})s"))
            .collect::<Vec<_>>()
            .join(",");
        let expected: String = names
            .map(|number| format!("${number}"))
            .collect::<Vec<_>>()
            .join(",");
        let found = translate(&source, Style::Psycopg).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(found.sql, expected);
        assert_eq!(found.parameters.len(), 4 * FEW);
    }
}
