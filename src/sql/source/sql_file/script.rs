//! A script as psql reads it: its commands and the rows of `COPY … FROM stdin` are no SQL, and a comment may say something to tools.

use std::ops::Range;

use crate::sql::translate::{Scanner, Token, TokenKind, Unterminated};

/// psql's commands that send the statement before them, as a semicolon does.
const SENDS: &[&str] = &[
    "bind",
    "bind_named",
    "close",
    "crosstabview",
    "g",
    "gdesc",
    "gexec",
    "gset",
    "gx",
    "parse",
    "watch",
];

/// A script whose lines that are no SQL are blank, byte for byte as long as before.
#[derive(Debug)]
pub(super) struct Script {
    /// The text with spaces in place of what is no SQL, and a semicolon where a command sends a statement.
    pub(super) sql: String,
    /// psql's commands.
    pub(super) commands: Vec<Range<usize>>,
    /// The comments.
    pub(super) comments: Vec<Range<usize>>,
}

impl Script {
    /// Reads a whole file's text.
    pub(super) fn read(text: &str) -> Result<Self, Unterminated> {
        let mut script = Self {
            sql: text.to_owned(),
            commands: Vec::new(),
            comments: Vec::new(),
        };
        if text.starts_with('\u{feff}') {
            script.blank(0..'\u{feff}'.len_utf8());
        }
        let mut position = 0;
        while position < text.len() {
            position = script.read_on(position)?;
        }
        Ok(script)
    }

    /// Reads on to behind the next part that is no SQL, or to the end.
    fn read_on(&mut self, from: usize) -> Result<usize, Unterminated> {
        let mut copy = CopiesRows::default();
        let mut found = None;
        for token in Scanner::new(&self.sql[from..]) {
            let token = moved(token, from)?;
            match token.kind {
                TokenKind::LineComment | TokenKind::BlockComment => {
                    self.comments.push(token.start..token.end);
                }
                TokenKind::Other if token.text(&self.sql) == "\\" => {
                    found = self.command(token.start);
                }
                TokenKind::Punctuation if token.text(&self.sql) == ";" => {
                    let ended = std::mem::take(&mut copy);
                    found = ended
                        .is_one()
                        .then(|| self.rows(token.end))
                        .flatten()
                        .map(Found::Rows);
                }
                kind if !kind.is_blank() => copy.take(token.text(&self.sql)),
                _ => {}
            }
            if found.is_some() {
                break;
            }
        }
        Ok(self.pass(found))
    }

    /// Blanks what is no SQL, and tells where that ends; without it, where the text does.
    fn pass(&mut self, found: Option<Found>) -> usize {
        match found {
            None => self.sql.len(),
            Some(Found::Rows(rows)) => {
                self.blank(rows.clone());
                rows.end
            }
            Some(Found::Separator(at)) => {
                self.blank(at..at + 1);
                at + 1
            }
            Some(Found::Command { range, sends }) => {
                self.blank(range.clone());
                if sends {
                    self.sql.replace_range(range.start..=range.start, ";");
                } else {
                    self.commands.push(range.clone());
                }
                range.end
            }
        }
    }

    /// What the backslash in code begins; `None` for one that psql would not know either, such as the `\:` of other tools.
    fn command(&self, start: usize) -> Option<Found> {
        let line = self.rest_of_line(start);
        let name = &self.sql[start + 1..line.end];
        if name.starts_with(';') {
            return Some(Found::Separator(start));
        }
        if !name
            .starts_with(|letter: char| letter.is_ascii_alphabetic() || "!?.\\".contains(letter))
        {
            return None;
        }
        let length = name
            .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
            .unwrap_or(name.len());
        Some(Found::Command {
            sends: SENDS.contains(&&name[..length]),
            range: line,
        })
    }

    /// The rows behind a COPY that ends at `end`: the lines up to the one that is `\.`.
    fn rows(&self, end: usize) -> Option<Range<usize>> {
        let start = self.rest_of_line(end).end;
        let mut position = start;
        for line in self.sql[start..].split_inclusive('\n') {
            position += line.len();
            if line.trim_end() == "\\." {
                return Some(start..position);
            }
        }
        None
    }

    fn rest_of_line(&self, start: usize) -> Range<usize> {
        let length = self.sql[start..].find(['\n', '\r']);
        start..length.map_or(self.sql.len(), |length| start + length)
    }

    /// Puts spaces in place of everything but the ends of lines.
    fn blank(&mut self, range: Range<usize>) {
        let bytes = self.sql[range.clone()].bytes();
        let blank = bytes.map(|byte| match byte {
            b'\n' => '\n',
            b'\r' => '\r',
            _ => ' ',
        });
        let blank: String = blank.collect();
        self.sql.replace_range(range, &blank);
    }
}

enum Found {
    /// The rows of a COPY.
    Rows(Range<usize>),
    /// `\;`, of which the semicolon stays.
    Separator(usize),
    Command {
        range: Range<usize>,
        /// Whether it sends the statement before it.
        sends: bool,
    },
}

/// Whether the statement that is being read is `COPY … FROM stdin`.
#[derive(Debug, Default)]
struct CopiesRows {
    words: usize,
    copy: bool,
    /// The last word was `FROM`.
    from: bool,
    stdin: bool,
}

impl CopiesRows {
    fn take(&mut self, word: &str) {
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        self.copy |= self.words == 0 && is("copy");
        self.stdin |= self.from && is("stdin");
        self.from = is("from");
        self.words += 1;
    }

    fn is_one(&self) -> bool {
        self.copy && self.stdin
    }
}

/// The token of a part, in the whole text.
fn moved(token: Result<Token, Unterminated>, by: usize) -> Result<Token, Unterminated> {
    match token {
        Ok(token) => Ok(Token {
            start: token.start + by,
            end: token.end + by,
            ..token
        }),
        Err(found) => Err(Unterminated {
            offset: found.offset + by,
            ..found
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_sql_becomes_blank() {
        for (text, sql, commands) in [
            ("SELECT 1;", "SELECT 1;", 0),
            ("\u{feff}SELECT 1", "   SELECT 1", 0),
            ("\\set a 'it''s\nSELECT 1", "             \nSELECT 1", 1),
            ("\\echo it's é\r\nSELECT 1", "             \r\nSELECT 1", 1),
            (
                "SELECT 1 \\gset x_\nSELECT 2",
                "SELECT 1 ;       \nSELECT 2",
                0,
            ),
            ("SELECT 1\\; SELECT 2;", "SELECT 1 ; SELECT 2;", 0),
            (
                "SELECT 'a\\b', E'\\'', $$\\i$$",
                "SELECT 'a\\b', E'\\'', $$\\i$$",
                0,
            ),
            ("SELECT a\\:\\:int", "SELECT a\\:\\:int", 0),
            ("-- \\i it's\nSELECT 1", "-- \\i it's\nSELECT 1", 0),
            (
                "COPY t (a) FROM stdin;\nit's\t%s\n\\.\nSELECT 1",
                "COPY t (a) FROM stdin;\n       \n  \nSELECT 1",
                0,
            ),
            ("COPY t FROM STDIN;", "COPY t FROM STDIN;", 0),
            ("\\", "\\", 0),
        ] {
            let script = Script::read(text).unwrap_or_else(|found| panic!("{text}: {found:?}"));
            assert_eq!(script.sql, sql, "{text}");
            assert_eq!(script.commands.len(), commands, "{text}");
            assert_eq!(script.sql.len(), text.len());
        }
    }

    #[test]
    fn an_unclosed_literal_is_found_behind_a_command() {
        let found = Script::read("\\echo it's\nSELECT 'a").unwrap_err();
        assert_eq!(found.offset, 18);
    }
}
