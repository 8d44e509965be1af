//! `:name` as a placeholder, told from `::`, `:=`, array slices and the colon of a JSON constructor.

use super::error::TranslateError;
use super::grammar::ends_operand;
use super::mark::{Mark, Marks, Meaning};
use super::scan::{Scanner, TokenKind};

/// The placeholders of a text of style `named`.
///
/// A colon behind an operand separates, it starts no placeholder, if it touches the operand or stands in brackets.
pub(super) fn marks(sql: &str) -> Marks<'_> {
    let mut marks = Vec::new();
    let (mut brackets, mut operand_end, mut colon) = (0_usize, None, None);
    for token in Scanner::new(sql) {
        let token = token.map_err(|found| TranslateError::unterminated(sql, found))?;
        let opened = colon.take();
        match token.kind {
            kind if kind.is_blank() => continue,
            TokenKind::Colon => {
                let separates = operand_end.is_some_and(|end| brackets > 0 || end == token.start);
                colon = (!separates).then_some(token.start);
            }
            TokenKind::Punctuation if token.text(sql) == "[" => brackets += 1,
            TokenKind::Punctuation if token.text(sql) == "]" => {
                brackets = brackets.saturating_sub(1);
            }
            _ => {}
        }
        if let (Some(start), TokenKind::Identifier) = (opened, token.kind) {
            let meaning = Meaning::Named {
                name: token.text(sql),
                format: 's',
            };
            marks.push(Mark {
                start,
                end: token.end,
                meaning,
            });
            operand_end = Some(token.end);
        } else {
            operand_end = ends_operand(token, sql).then_some(token.end);
        }
    }
    Ok(marks)
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
