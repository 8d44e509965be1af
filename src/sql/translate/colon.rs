//! `:name` as a placeholder, told from `::`, `:=`, array slices and the colon of a JSON constructor.

use super::error::TranslateError;
use super::grammar::Before;
use super::mark::{Mark, Marks, Meaning};
use super::scan::{Scanner, Token, TokenKind};

/// The placeholders of a text of style `named`.
pub(super) fn marks(sql: &str) -> Marks<'_> {
    let (mut colons, mut marks) = (Colons::new(sql), Vec::new());
    for token in Scanner::new(sql) {
        let token = token.map_err(|found| TranslateError::unterminated(sql, found))?;
        marks.extend(colons.take(token));
    }
    Ok(marks)
}

/// Finds the placeholders in the tokens of a text.
///
/// A colon behind an operand separates, it starts no placeholder, if it touches the operand or stands in brackets.
pub(super) struct Colons<'a> {
    sql: &'a str,
    brackets: usize,
    before: Before,
    /// A colon just before, which starts a placeholder if a name follows.
    colon: Option<usize>,
}

impl<'a> Colons<'a> {
    pub(super) fn new(sql: &'a str) -> Self {
        Self {
            sql,
            brackets: 0,
            before: Before::default(),
            colon: None,
        }
    }

    /// Reads the next token; the placeholder that ends with it, if one does.
    pub(super) fn take(&mut self, token: Token) -> Option<Mark<'a>> {
        let opened = self.colon.take();
        match (token.kind, self.sql.as_bytes()[token.start]) {
            (kind, _) if kind.is_blank() => return None,
            (TokenKind::Colon, _) => {
                let operand = self.before.operand_end(self.sql);
                let separates = operand.is_some_and(|end| self.brackets > 0 || end == token.start);
                self.colon = (!separates).then_some(token.start);
            }
            (TokenKind::Punctuation, b'[') => self.brackets += 1,
            (TokenKind::Punctuation, b']') => self.brackets = self.brackets.saturating_sub(1),
            _ => {}
        }
        self.before = Before::Token(token);
        let start = opened.filter(|_| token.kind == TokenKind::Identifier)?;
        self.before = Before::Operand(token.end);
        Some(Mark {
            start,
            end: token.end,
            meaning: Meaning::Named {
                name: token.text(self.sql),
                format: 's',
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Parameter, Paramstyle, translate};

    #[test]
    fn placeholders_and_other_colons() {
        let texts: [(&str, &str, &[&str]); 17] = [
            (
                "a = :a AND b = :b OR c = :a",
                "a = $1 AND b = $2 OR c = $1",
                &["a", "b"],
            ),
            ("(:a,:b)", "($1,$2)", &["a", "b"]),
            (":a::int", "$1::int", &["a"]),
            ("x::int = :Int", "x::int = $1", &["Int"]),
            ("f(x := :x)", "f(x := $1)", &["x"]),
            ("f(x => :x)", "f(x => $1)", &["x"]),
            ("a[1:2]", "a[1:2]", &[]),
            ("a[1:n]", "a[1:n]", &[]),
            ("a[lo :hi]", "a[lo :hi]", &[]),
            ("a[:lo : :hi]", "a[$1 : $2]", &["lo", "hi"]),
            ("ARRAY[:a, :b]", "ARRAY[$1, $2]", &["a", "b"]),
            ("a[f(x):g] = :x", "a[f(x):g] = $1", &["x"]),
            ("JSON_OBJECT('k':v)", "JSON_OBJECT('k':v)", &[]),
            ("interval :a", "interval $1", &["a"]),
            ("LIMIT:n", "LIMIT $1", &["n"]),
            (
                "':a' || \":a\" || $$:a$$ || :a -- :a",
                "':a' || \":a\" || $$:a$$ || $1 -- :a",
                &["a"],
            ),
            (": a", ": a", &[]),
        ];
        for (sql, expected, names) in texts {
            let found =
                translate(sql, Paramstyle::Named).unwrap_or_else(|error| panic!("{sql}: {error}"));
            assert_eq!(found.sql, expected, "{sql}");
            let names = names
                .iter()
                .map(|&name| Parameter::Name(name.to_owned()))
                .collect::<Vec<_>>();
            assert_eq!(found.parameters, names, "{sql}");
        }
    }
}
