//! `?` as a placeholder, told from the server's operators of that name.
//!
//! A `?` where an expression may start is a placeholder; behind an operand it is the operator. `??` is the operator
//! wherever it stands, in `??|` and `??&` too.

use super::error::TranslateError;
use super::grammar::Before;
use super::mark::{Mark, Marks, Meaning};
use super::scan::{Scanner, Token, TokenKind};

/// The placeholders and escapes of a text of style `qmark`.
pub(super) fn marks(sql: &str) -> Marks<'_> {
    let (mut questions, mut marks) = (Questions::new(sql), Vec::new());
    for token in Scanner::new(sql) {
        let token = token.map_err(|found| TranslateError::unterminated(sql, found))?;
        questions.take(token, |mark| marks.push(mark));
    }
    Ok(marks)
}

/// Finds the placeholders in the tokens of a text.
pub(super) struct Questions<'a> {
    sql: &'a str,
    before: Before,
}

impl<'a> Questions<'a> {
    pub(super) fn new(sql: &'a str) -> Self {
        Self {
            sql,
            before: Before::default(),
        }
    }

    /// Reads the next token, and gives what is in it to `found`.
    pub(super) fn take(&mut self, token: Token, found: impl FnMut(Mark<'a>)) {
        if token.kind == TokenKind::Operator {
            self.take_operator(token, found);
        } else if !token.kind.is_blank() {
            self.before = Before::Token(token);
        }
    }

    /// Reads a run of operator characters, in which placeholders may hide (`=?`, `?||?`).
    fn take_operator(&mut self, token: Token, mut found: impl FnMut(Mark<'a>)) {
        let mut start = token.start;
        loop {
            let rest = &self.sql[start..token.end];
            let Some(question) = rest.bytes().position(|byte| byte == b'?') else {
                if !rest.is_empty() {
                    self.before = Before::NoOperand;
                }
                return;
            };
            start += question;
            let mut mark = |length, meaning| {
                let end = start + length;
                found(Mark {
                    start,
                    end,
                    meaning,
                });
            };
            if rest[question..].starts_with("??") {
                mark(2, Meaning::Literal("?"));
                start += 2;
                self.before = Before::NoOperand;
            } else if rest.starts_with("@?") {
                self.before = Before::NoOperand;
                return;
            } else if question == 0 && (matches!(rest, "?|" | "?&") || self.is_behind_operand()) {
                start += 1;
                self.before = Before::NoOperand;
            } else {
                mark(1, Meaning::Positional);
                start += 1;
                self.before = Before::Operand(start);
            }
        }
    }

    fn is_behind_operand(&self) -> bool {
        self.before.operand_end(self.sql).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Paramstyle, translate};

    #[test]
    fn placeholders_and_operators() {
        let texts = [
            ("SELECT ?, ?", "SELECT $1, $2"),
            ("f(?) = (?)", "f($1) = ($2)"),
            ("a=? AND b>=?", "a=$1 AND b>=$2"),
            ("a = -?", "a = -$1"),
            ("?=?", "$1=$2"),
            ("?||?||'x'", "$1||$2||'x'"),
            ("?-1", "$1-1"),
            ("?::int", "$1::int"),
            ("LIMIT ? OFFSET ?", "LIMIT $1 OFFSET $2"),
            ("x IN (?,?)", "x IN ($1,$2)"),
            ("j @> ?", "j @> $1"),
            ("j @>?", "j @>$1"),
            ("j->?", "j->$1"),
            ("j ? 'a'", "j ? 'a'"),
            ("j ? ?", "j ? $1"),
            ("j->'a' ? ?", "j->'a' ? $1"),
            ("(j) ? 'a' AND ? = 1", "(j) ? 'a' AND $1 = 1"),
            ("a[1] ? 'a'", "a[1] ? 'a'"),
            ("\"j\" ? 'a'", "\"j\" ? 'a'"),
            ("? ? ?", "$1 ? $2"),
            ("j ?| ?", "j ?| $1"),
            ("j ?|?", "j ?|$1"),
            ("j ?& array[?]", "j ?& array[$1]"),
            ("j @? ?", "j @? $1"),
            ("SELECT ?| l", "SELECT ?| l"),
            ("j ?? ?", "j ? $1"),
            ("j ??| ? AND k ??& ?", "j ?| $1 AND k ?& $2"),
            ("j @?? ?", "j @? $1"),
            ("? /* ? */ ? 'a' -- ?", "$1 /* ? */ ? 'a' -- ?"),
            (
                "'?' || E'\\'?' || $$?$$ || \"?\" || ?",
                "'?' || E'\\'?' || $$?$$ || \"?\" || $1",
            ),
            ("?AND LIMIT?", "$1 AND LIMIT $2"),
            ("5 % ?", "5 % $1"),
            (
                "d > TIMESTAMP ? AND e = date ?",
                "d > TIMESTAMP $1 AND e = date $2",
            ),
            ("INTERVAL ? - time ?", "INTERVAL $1 - time $2"),
            ("TIMESTAMP WITH TIME ZONE ?", "TIMESTAMP WITH TIME ZONE $1"),
            ("(a, b) OVERLAPS ?", "(a, b) OVERLAPS $1"),
            (
                "t.date ? 'a' AND jsonb ? 'b'",
                "t.date ? 'a' AND jsonb ? 'b'",
            ),
            ("a OPERATOR(pg_catalog.=) ?", "a OPERATOR(pg_catalog.=) $1"),
            (
                "a operator (=) ? OR f(b) ? 'c'",
                "a operator (=) $1 OR f(b) ? 'c'",
            ),
            ("my_operator(a.b) ? 'c'", "my_operator(a.b) ? 'c'"),
        ];
        for (sql, expected) in texts {
            let found =
                translate(sql, Paramstyle::Qmark).unwrap_or_else(|error| panic!("{sql}: {error}"));
            assert_eq!(found.sql, expected, "{sql}");
            assert_eq!(
                found.parameters.len(),
                expected.matches('$').count() - sql.matches('$').count(),
                "{sql}"
            );
        }
    }
}
