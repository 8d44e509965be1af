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
                self.parentheses = self.parentheses.saturating_sub(1);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn where_a_statement_ends() {
        let scripts: [(&str, &[&str]); 15] = [
            ("", &[]),
            (" ;; /* ; */ ; -- ;\n", &[]),
            ("SELECT 1", &["SELECT 1"]),
            (" SELECT 1 ;\n SELECT 2;", &["SELECT 1", "SELECT 2"]),
            ("SELECT ';' ; SELECT \";\"", &["SELECT ';'", "SELECT \";\""]),
            (
                "SELECT 1 -- a;\n; SELECT 2",
                &["SELECT 1 -- a;", "SELECT 2"],
            ),
            (
                "-- one\nSELECT 1; /* two */ SELECT 2; -- three",
                &["-- one\nSELECT 1", "/* two */ SELECT 2"],
            ),
            (
                "DO $a$ BEGIN; END; $a$; SELECT 1",
                &["DO $a$ BEGIN; END; $a$", "SELECT 1"],
            ),
            (
                "BEGIN; SELECT 1; END; SELECT 2",
                &["BEGIN", "SELECT 1", "END", "SELECT 2"],
            ),
            (
                "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3",
                &[
                    "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
                    "SELECT 3",
                ],
            ),
            (
                "CREATE FUNCTION f() RETURNS int BEGIN /**/ Atomic SELECT 1; SELECT 2; END; SELECT 3",
                &[
                    "CREATE FUNCTION f() RETURNS int BEGIN /**/ Atomic SELECT 1; SELECT 2; END",
                    "SELECT 3",
                ],
            ),
            (
                "CREATE PROCEDURE p() BEGIN ATOMIC SELECT CASE WHEN a THEN b END; SELECT 2; end; SELECT 3",
                &[
                    "CREATE PROCEDURE p() BEGIN ATOMIC SELECT CASE WHEN a THEN b END; SELECT 2; end",
                    "SELECT 3",
                ],
            ),
            (
                "CREATE PROCEDURE p() BEGIN ATOMIC SELECT 1 AS end; SELECT x.case; END; SELECT 3",
                &[
                    "CREATE PROCEDURE p() BEGIN ATOMIC SELECT 1 AS end; SELECT x.case; END",
                    "SELECT 3",
                ],
            ),
            (
                "SELECT atomic; SELECT case when a then b end; SELECT 1",
                &["SELECT atomic", "SELECT case when a then b end", "SELECT 1"],
            ),
            ("SELECT 1); SELECT 2", &["SELECT 1)", "SELECT 2"]),
        ];
        for (script, statements) in scripts {
            assert_eq!(
                split_statements(script).as_deref(),
                Ok(statements),
                "{script}"
            );
        }
    }

    #[test]
    fn what_is_never_closed() {
        for (script, kind, offset) in [
            ("SELECT 1; SELECT 'a", Kind::UnterminatedString, 17),
            ("SELECT 1; /* ;", Kind::UnterminatedComment, 10),
            (
                "CREATE PROCEDURE p() BEGIN ATOMIC SELECT 1;",
                Kind::UnterminatedBody,
                21,
            ),
        ] {
            let error = split_statements(script).expect_err(script);
            assert_eq!((error.kind, error.offset), (kind, offset), "{script}");
        }
    }

    /// The tokens that are neither blank nor a semicolon.
    fn code(sql: &str) -> Vec<&str> {
        let tokens =
            Scanner::new(sql).map(|token| token.expect("the text was split, so it has tokens"));
        tokens
            .filter(|token| !token.kind.is_blank())
            .map(|token| token.text(sql))
            .filter(|text| *text != ";")
            .collect()
    }

    proptest! {
        #[test]
        fn joining_the_statements_loses_nothing(
            script in r#"(;|; |a|'b;'|"c;"|\$\$;\$\$|/\*;\*/|--;\n|\(|\)|begin atomic |case |end |as |\.| |\n|é){0,20}"#,
        ) {
            if let Ok(statements) = split_statements(&script) {
                let joined = statements.join("\n;");
                prop_assert_eq!(code(&joined), code(&script));
                for statement in &statements {
                    prop_assert_eq!(statement.trim(), *statement);
                    prop_assert!(!code(statement).is_empty());
                    let again = split_statements(statement);
                    prop_assert_eq!(again.as_deref(), Ok(&[*statement][..]));
                }
            }
        }
    }
}
