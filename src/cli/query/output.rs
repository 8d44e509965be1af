//! How the rows of a statement are printed: a table, one JSON document, or comma-separated values.

use super::json::json_row;
use crate::backend::BackendKind;
use crate::cli::exit::{Failure, Outcome};
use crate::cli::grid::Grid;
use crate::cli::print::{Printer, Tone, stdout};
use crate::sql::{Columns, Value};
use serde_json::json;
use std::io::{BufWriter, Stdout, Write};
use std::time::Duration;

/// Takes the rows as they arrive. A table is printed at the end, because its widths depend on every row.
pub(super) struct Output<'a> {
    printer: &'a Printer,
    form: Form,
    rows: u64,
}

enum Form {
    Table(Option<Grid>),
    Json {
        out: BufWriter<Stdout>,
        names: Vec<String>,
    },
    Csv(BufWriter<Stdout>),
}

impl<'a> Output<'a> {
    pub(super) fn choose(csv: bool, printer: &'a Printer) -> Self {
        let form = match (csv, printer.is_json()) {
            (true, _) => Form::Csv(stdout()),
            (_, true) => Form::Json {
                out: stdout(),
                names: Vec::new(),
            },
            _ => Form::Table(None),
        };
        Self {
            printer,
            form,
            rows: 0,
        }
    }

    /// The columns are known.
    pub(super) fn begin(&mut self, columns: &Columns) -> Outcome<()> {
        match &mut self.form {
            Form::Table(grid) => {
                let titles: Vec<String> = columns
                    .0
                    .iter()
                    .map(|column| title(&column.name, &column.type_name))
                    .collect();
                *grid = Some(self.printer.grid(titles.iter().map(String::as_str)));
                Ok(())
            }
            Form::Json { out, names } => {
                *names = distinct(columns);
                let shown: Vec<_> = columns
                    .0
                    .iter()
                    .zip(&*names)
                    .map(|(column, name)| json!({"name": name, "type": column.type_name}))
                    .collect();
                write!(out, "{{\"columns\":{},\"rows\":[", json!(shown)).map_err(Failure::Output)
            }
            Form::Csv(out) => csv_line(
                out,
                columns.0.iter().map(|column| Some(column.name.clone())),
            ),
        }
    }

    /// A row has arrived.
    pub(super) fn row(&mut self, values: &[Value]) -> Outcome<()> {
        self.rows += 1;
        match &mut self.form {
            Form::Table(grid) => {
                if let Some(grid) = grid {
                    grid.toned(values.iter().map(cell));
                }
                Ok(())
            }
            Form::Json { out, names } => {
                let comma = if self.rows > 1 { "," } else { "" };
                write!(out, "{comma}{}", json_row(names, values)).map_err(Failure::Output)
            }
            Form::Csv(out) => csv_line(
                out,
                values
                    .iter()
                    .map(|value| (!value.is_null()).then(|| value.to_string())),
            ),
        }
    }

    /// Every row has arrived.
    pub(super) fn end(mut self, backend: BackendKind, took: Duration) -> Outcome<()> {
        match &mut self.form {
            Form::Table(grid) => {
                let text = grid.as_ref().map(Grid::text_or_blocks).unwrap_or_default();
                self.printer.data(&text)?;
            }
            Form::Json { out, .. } => close_json(out, backend, took, "")?,
            Form::Csv(out) => out.flush().map_err(Failure::Output)?,
        }
        self.note(self.rows, "", backend, took);
        Ok(())
    }

    /// The statement failed: what was printed of its rows so far is made whole. Nothing is printed where nothing was.
    pub(super) fn break_off(mut self, backend: BackendKind, took: Duration) -> Outcome<()> {
        match &mut self.form {
            Form::Json { out, names } if !names.is_empty() => {
                close_json(out, backend, took, ",\"complete\":false")
            }
            Form::Csv(out) => out.flush().map_err(Failure::Output),
            Form::Json { .. } | Form::Table(_) => Ok(()),
        }
    }

    /// The statement returned no rows; it affected so many.
    pub(super) fn affected(
        &self,
        backend: BackendKind,
        affected: u64,
        took: Duration,
    ) -> Outcome<()> {
        if matches!(self.form, Form::Json { .. }) {
            return self.printer.document(&json!({
                "columns": [], "rows": [], "affected": affected, "backend": backend.as_str(), "took_ms": milliseconds(took),
            }));
        }
        self.note(affected, " affected", backend, took);
        Ok(())
    }

    fn note(&self, rows: u64, what: &str, backend: BackendKind, took: Duration) {
        let plural = if rows == 1 { "" } else { "s" };
        let took = milliseconds(took);
        if !self.printer.is_json() {
            self.printer.note(&format!(
                "{rows} row{plural}{what} in {took} ms on the {backend} backend"
            ));
        }
    }
}

fn close_json(
    out: &mut impl Write,
    backend: BackendKind,
    took: Duration,
    more: &str,
) -> Outcome<()> {
    let took = milliseconds(took);
    writeln!(
        out,
        "],\"affected\":null,\"backend\":\"{backend}\",\"took_ms\":{took}{more}}}"
    )
    .and_then(|()| out.flush())
    .map_err(Failure::Output)
}

fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e5).round() / 100.0
}

/// A column's title: numbers stand to the right.
fn title(name: &str, type_name: &str) -> String {
    let number = matches!(
        type_name,
        "int2" | "int4" | "int8" | "oid" | "numeric" | "float4" | "float8" | "money"
    );
    format!("{}{name}", if number { "#" } else { "" })
}

/// A value on one line. NULL is told from an empty text by its word.
fn cell(value: &Value) -> (String, Tone) {
    if value.is_null() {
        return ("NULL".into(), Tone::Faint);
    }
    let shown = value.to_string();
    let line = |letter: char| match letter {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        letter if letter.is_control() => letter.escape_default().to_string(),
        letter => letter.to_string(),
    };
    (shown.chars().map(line).collect(), Tone::Plain)
}

/// The columns' names, each once: one that repeats gets `_2`, `_3`, ...
fn distinct(columns: &Columns) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for column in &columns.0 {
        let numbered = (2..).map(|number: u32| format!("{}_{number}", column.name));
        let mut candidates = std::iter::once(column.name.clone()).chain(numbered);
        names.extend(candidates.find(|name| !names.contains(name)));
    }
    names
}

/// A line of values; `None` is NULL.
fn csv_line(out: &mut impl Write, values: impl Iterator<Item = Option<String>>) -> Outcome<()> {
    let fields: Vec<String> = values
        .map(|value| value.map(|text| csv_field(&text)).unwrap_or_default())
        .collect();
    writeln!(out, "{}", fields.join(",")).map_err(Failure::Output)
}

fn csv_field(text: &str) -> String {
    let special = |letter: char| matches!(letter, '"' | ',' | '\n' | '\r');
    let quoted =
        text.is_empty() || text.contains(special) || text.starts_with(' ') || text.ends_with(' ');
    if quoted {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Column;

    #[test]
    fn names_that_repeat_are_numbered() {
        let column = |name: &str| Column {
            name: name.into(),
            type_name: "int4".into(),
            type_oid: 23,
        };
        let columns = Columns(["a", "a", "a_2", "a"].map(column).into());
        assert_eq!(distinct(&columns), ["a", "a_2", "a_2_2", "a_3"]);
    }

    #[test]
    fn comma_separated_values_tell_null_from_an_empty_text() {
        let mut out = Vec::new();
        let values = [None, Some(""), Some("a,\"b\""), Some("plain")];
        csv_line(
            &mut out,
            values.into_iter().map(|value| value.map(str::to_owned)),
        )
        .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            ",\"\",\"a,\"\"b\"\"\",plain\n"
        );
    }

    #[test]
    fn a_cell_is_one_line_without_controls() {
        assert_eq!(cell(&Value::from("a\nb\u{1b}[31m")).0, "a\\nb\\u{1b}[31m");
        assert_eq!(cell(&Value::Null).0, "NULL");
    }
}
