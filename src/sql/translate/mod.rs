//! Rewrites placeholders to `$n`.
use std::borrow::Cow;
use std::fmt;
/// The style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Auto.
    Auto,
    /// Dollar.
    NumericDollar,
}
/// An input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameter {
    /// By position.
    Position(usize),
    /// By name.
    Name(String),
}
/// A translation.
#[derive(Debug)]
pub struct Translation<'a> {
    /// Text.
    pub sql: Cow<'a, str>,
    /// Inputs.
    pub parameters: Vec<Parameter>,
}
/// An error.
#[derive(Debug)]
pub struct TranslateError {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
    message: String,
}
impl fmt::Display for TranslateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for TranslateError {}
/// Translates.
/// # Errors
/// An unknown placeholder.
pub fn translate(sql: &str, style: Style) -> Result<Translation<'_>, TranslateError> {
    let mut out = String::new();
    let mut parameters = Vec::new();
    if style == Style::NumericDollar {
        let n = (1..100)
            .take_while(|n| sql.contains(&format!("${n}")))
            .count();
        return Ok(Translation {
            sql: Cow::Borrowed(sql),
            parameters: (0..n).map(Parameter::Position).collect(),
        });
    }
    let mut rest = sql;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(r) = rest.strip_prefix('s') {
            rest = r;
            parameters.push(Parameter::Position(parameters.len()));
            out.push_str(&format!("${}", parameters.len()));
        } else if let Some(r) = rest.strip_prefix('%') {
            rest = r;
            out.push('%');
        } else if let Some((name, r)) = rest.strip_prefix('(').and_then(|r| r.split_once(")s")) {
            rest = r;
            let p = Parameter::Name(name.into());
            let n = parameters.iter().position(|q| *q == p).unwrap_or_else(|| {
                parameters.push(p);
                parameters.len() - 1
            });
            out.push_str(&format!("${}", n + 1));
        } else {
            let before = &sql[..sql.len() - rest.len() - 1];
            return Err(TranslateError {
                line: before.matches('\n').count() + 1,
                column: before.chars().rev().take_while(|c| *c != '\n').count() + 1,
                message: "unknown placeholder".into(),
            });
        }
    }
    out.push_str(rest);
    Ok(Translation {
        sql: Cow::Owned(out),
        parameters,
    })
}
