//! `tsvector` and `tsquery` in their text forms.

mod query;
mod vector;

pub(super) use query::{put_query, read_query};
pub(super) use vector::{put_vector, read_vector};

const WEIGHTS: [char; 4] = ['D', 'C', 'B', 'A'];

fn quote(lexeme: &str, text: &mut String) {
    text.push('\'');
    for c in lexeme.chars() {
        if matches!(c, '\'' | '\\') {
            text.push(c);
        }
        text.push(c);
    }
    text.push('\'');
}

/// A place in a text that is read from left to right.
struct Scan<'a>(&'a str);

impl Scan<'_> {
    pub(super) fn spaces(&mut self) -> bool {
        let rest = self.0.trim_start();
        let any = rest.len() < self.0.len();
        self.0 = rest;
        any
    }

    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    pub(super) fn number(&mut self) -> Option<u32> {
        let end = self.0.find(|c: char| !c.is_ascii_digit());
        let (digits, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        digits.parse().ok()
    }

    /// `'quoted'`, or what comes up to a character that ends it.
    pub(super) fn lexeme(&mut self, ends: impl Fn(char) -> bool) -> Option<String> {
        let mut lexeme = String::new();
        let quoted = self.eat('\'');
        let mut chars = self.0.char_indices().peekable();
        let mut end = if quoted { None } else { Some(self.0.len()) };
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => lexeme.push(chars.next()?.1),
                '\'' if quoted && chars.peek().is_some_and(|(_, next)| *next == '\'') => {
                    chars.next();
                    lexeme.push('\'');
                }
                '\'' if quoted => {
                    end = Some(at + 1);
                    break;
                }
                c if !quoted && ends(c) => {
                    end = Some(at);
                    break;
                }
                '\0' => return None,
                c => lexeme.push(c),
            }
        }
        self.0 = &self.0[end?..];
        (!lexeme.is_empty()).then_some(lexeme)
    }
}

fn weight(c: char) -> Option<u16> {
    let found = WEIGHTS
        .iter()
        .position(|weight| weight.eq_ignore_ascii_case(&c));
    found.and_then(|weight| u16::try_from(weight).ok())
}
