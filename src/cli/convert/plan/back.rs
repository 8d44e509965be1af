//! The way back: `$1` becomes `%s` again, and a percent sign doubles where arguments are given.

use super::Planner;
use crate::cli::convert::options::To;
use crate::sql::source::{Arguments, Reading, SourceQuery};
use crate::sql::translate::lint::Conversion;
use crate::sql::translate::{Edit, Paramstyle, Style, to_percent, translate};

impl Planner<'_> {
    pub(super) fn convert_back(&mut self, query: &SourceQuery, style: Paramstyle) {
        match to_percent(&query.sql, style) {
            Ok(conversion)
                if conversion.parameters.is_empty() && self.back_with_arguments(query) =>
            {
                self.double(query);
            }
            Ok(conversion) => self.take(query, &conversion, 0),
            Err(error) => self.misread(query, &error),
        }
    }

    /// Whether psycopg would read the `%` of a text without parameters on the way back: a call gives arguments, if only none.
    pub(super) fn back_with_arguments(&self, query: &SourceQuery) -> bool {
        let mut calls = query.calls.iter();
        let mut others = query.elsewhere.iter();
        self.options.to != To::NumericDollar
            && !self.options.no_params
            && query.sql.contains('%')
            && (calls.any(|call| call.arguments != Arguments::None)
                || others.any(|other| !matches!(other.reading, Reading::Bare | Reading::Read)))
    }

    /// Doubles each `%` of a text without parameters, where it is sure that this was not done and that each call gives arguments.
    fn double(&mut self, query: &SourceQuery) {
        let gives = |arguments: &Arguments| match arguments {
            Arguments::Values { .. } => true,
            Arguments::Elsewhere(_) => query.style == Style::Psycopg,
            Arguments::None => false,
        };
        let is_done = translate(&query.sql, Style::Psycopg).is_ok();
        if is_done
            || !query.elsewhere.is_empty()
            || !query.calls.iter().all(|call| gives(&call.arguments))
        {
            return self.leave(
                query,
                "it has no parameters, and whether its calls read `%%` as one `%` is not sure",
            );
        }
        let edits = memchr::memchr_iter(b'%', query.sql.as_bytes()).map(|at| Edit {
            range: at..at + 1,
            text: "%%".to_owned(),
        });
        let edits: Vec<Edit> = edits.collect();
        let conversion = Conversion {
            sql: Edit::apply(&query.sql, &edits).into(),
            parameters: Vec::new(),
            edits,
            dropped: Vec::new(),
            fixed: Vec::new(),
        };
        self.take(query, &conversion, 0);
    }
}
