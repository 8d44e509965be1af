//! Cuts a script into statements.

use super::error::{TranslateError, TranslateErrorKind as Kind};
use super::scan::{Scanner, Token, TokenKind};

/// The statements of a script, without the semicolons that end them and the white space around them.
///
/// A semicolon in a literal, a comment, parentheses or a function's `BEGIN ATOMIC … END` ends no statement. Comments
/// stay with the statement they stand in or before; a statement that is empty but for comments is left out.
///
/// ```
/// use pontoon::sql::translate::split_statements;
///
/// let script = "CREATE TABLE t (note text DEFAULT ';'); -- nothing;\n\nINSERT INTO t VALUES ($$;$$);;";
/// assert_eq!(
///     split_statements(script)?,
///     ["CREATE TABLE t (note text DEFAULT ';')", "-- nothing;\n\nINSERT INTO t VALUES ($$;$$)"],
/// );
/// # Ok::<(), pontoon::sql::translate::TranslateError>(())
/// ```
///
/// # Errors
///
/// If a literal, a comment or a function's body is never closed.
pub fn split_statements(sql: &str) -> Result<Vec<&str>, TranslateError> {
    let mut statements = Vec::new();
    let mut statement = Statement::default();
    for token in Scanner::new(sql) {
        let token = token.map_err(|found| TranslateError::unterminated(sql, found))?;
        if statement.is_ended_by(token, sql) {
            statements.extend(statement.text(sql));
            statement = Statement::default();
        } else if token.kind != TokenKind::Space {
            statement.take(token, sql);
        }
    }
    if let Some(offset) = statement.body {
        let (message, expected) = (
            "this `BEGIN ATOMIC` is never closed",
            "`END` before the text ends",
        );
        return Err(TranslateError::at(
            sql,
            offset,
            Kind::UnterminatedBody,
            message,
            expected,
        ));
    }
    statements.extend(statement.text(sql));
    Ok(statements)
}

/// The statement that is being read.
#[derive(Debug, Default)]
struct Statement {
    /// Its first and last byte so far, comments included.
    start: Option<usize>,
    end: usize,
    /// Whether it holds anything but comments.
    has_code: bool,
    parentheses: usize,
    /// Where the body of a function opened.
    body: Option<usize>,
    /// The `CASE`s in that body that wait for their `END`.
    cases: usize,
    /// The last token that is no comment.
    last: Option<Token>,
}

impl Statement {
    fn is_ended_by(&self, token: Token, sql: &str) -> bool {
        let semicolon = token.kind == TokenKind::Punctuation && token.text(sql) == ";";
        semicolon && self.parentheses == 0 && self.body.is_none()
    }

    fn text<'a>(&self, sql: &'a str) -> Option<&'a str> {
        self.start
            .filter(|_| self.has_code)
            .map(|start| &sql[start..self.end])
    }

    fn take(&mut self, token: Token, sql: &str) {
        self.start.get_or_insert(token.start);
        self.end = token.end;
        if token.kind.is_blank() {
            return;
        }
        self.has_code = true;
        let text = token.text(sql);
        match token.kind {
            TokenKind::Punctuation if text == "(" => self.parentheses += 1,
            TokenKind::Punctuation if text == ")" => {
                self.parentheses = self.parentheses.saturating_sub(1)
            }
            TokenKind::Identifier if !self.names_something(sql) => self.take_word(text, sql),
            _ => {}
        }
        self.last = Some(token);
    }

    fn take_word(&mut self, word: &str, sql: &str) {
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        match self.body {
            None if is("atomic") => {
                let begin = self
                    .last
                    .filter(|last| last.text(sql).eq_ignore_ascii_case("begin"));
                self.body = begin.map(|begin| begin.start);
            }
            Some(_) if is("case") => self.cases += 1,
            Some(_) if is("end") && self.cases == 0 => self.body = None,
            Some(_) if is("end") => self.cases -= 1,
            _ => {}
        }
    }

    /// Whether the next word is a name even if it is spelled like a keyword: behind a dot, or behind `AS`.
    fn names_something(&self, sql: &str) -> bool {
        self.last.is_some_and(|last| {
            let text = last.text(sql);
            text == "." || text.eq_ignore_ascii_case("as")
        })
    }
}
