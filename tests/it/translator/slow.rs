//! A second reading of SQL text, slow and plain on purpose: what the library's lexer is compared with.

/// What a piece of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Space,
    Comment,
    /// A literal or a quoted name.
    Quoted,
    Parameter,
    /// A name or a number.
    Word,
    Sign,
}

/// The pieces of a text in order, or none if something in it is never closed.
pub(super) fn pieces(sql: &str) -> Option<Vec<(Kind, &str)>> {
    let (mut pieces, mut rest) = (Vec::new(), sql);
    while !rest.is_empty() {
        let (kind, length) = first(rest)?;
        let (piece, behind) = rest.split_at(length);
        pieces.push((kind, piece));
        rest = behind;
    }
    Some(pieces)
}

/// The kind and the length of what the text starts with.
fn first(sql: &str) -> Option<(Kind, usize)> {
    let quotes = [
        "'", "E'", "e'", "N'", "n'", "B'", "b'", "X'", "x'", "U&'", "u&'", "\"", "U&\"", "u&\"",
    ];
    if sql.starts_with(is_space) {
        Some((Kind::Space, 1))
    } else if sql.starts_with("--") {
        Some((Kind::Comment, sql.find(['\n', '\r']).unwrap_or(sql.len())))
    } else if sql.starts_with("/*") {
        Some((Kind::Comment, comment(sql)?))
    } else if let Some(opening) = quotes.iter().find(|opening| sql.starts_with(**opening)) {
        Some((Kind::Quoted, quoted(sql, opening)?))
    } else if let Some(behind) = sql.strip_prefix('$') {
        dollar(sql, behind)
    } else if let Some(length) = number(sql) {
        Some((Kind::Word, length))
    } else {
        match while_(sql, is_word) {
            0 => Some((Kind::Sign, 1)),
            length => Some((Kind::Word, length)),
        }
    }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

pub(super) fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_$".contains(character) || !character.is_ascii()
}

/// The length of what the text starts with that `belongs` takes.
fn while_(sql: &str, belongs: impl Fn(char) -> bool) -> usize {
    sql.find(|character| !belongs(character))
        .unwrap_or(sql.len())
}

fn comment(sql: &str) -> Option<usize> {
    let (mut depth, mut at) = (0, 0);
    loop {
        let rest = sql.get(at..).filter(|rest| !rest.is_empty())?;
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += rest.chars().next()?.len_utf8();
        }
    }
}

fn quoted(sql: &str, opening: &str) -> Option<usize> {
    let (quote, mut at) = (opening.chars().last()?, opening.len());
    let escapes = opening.eq_ignore_ascii_case("e'");
    let doubles = !opening.starts_with(['B', 'b', 'X', 'x']);
    loop {
        let rest = &sql[at..];
        let character = rest.chars().next()?;
        at += character.len_utf8();
        if escapes && character == '\\' {
            at += rest.chars().nth(1)?.len_utf8();
        } else if character == quote && doubles && sql[at..].starts_with(quote) {
            at += 1;
        } else if character == quote {
            match further(&sql[at..]).filter(|_| quote == '\'') {
                Some(gap) => at += gap,
                None => return Some(at),
            }
        }
    }
}

/// The length of the gap up to where a string goes on, with its new quote.
fn further(sql: &str) -> Option<usize> {
    let (mut at, mut newline) = (0, false);
    loop {
        let rest = &sql[at..];
        if rest.starts_with("--") {
            at += rest.find(['\n', '\r'])?;
        } else if rest.starts_with(is_space) {
            newline |= rest.starts_with(['\n', '\r']);
            at += 1;
        } else {
            return (newline && rest.starts_with('\'')).then_some(at + 1);
        }
    }
}

fn dollar(sql: &str, behind: &str) -> Option<(Kind, usize)> {
    match while_(behind, |character| character.is_ascii_digit()) {
        0 => {}
        digits => return Some((Kind::Parameter, 1 + digits)),
    }
    let tag = while_(behind, |character| is_word(character) && character != '$');
    if !behind[tag..].starts_with('$') {
        return Some((Kind::Sign, 1));
    }
    let (delimiter, body) = sql.split_at(tag + 2);
    Some((Kind::Quoted, body.find(delimiter)? + 2 * delimiter.len()))
}

fn number(sql: &str) -> Option<usize> {
    let digits = |text: &str| {
        while_(text, |character| {
            character.is_ascii_digit() || character == '_'
        })
    };
    let is_digit = |character: char| character.is_ascii_digit();
    if !sql.starts_with(is_digit) && !sql.strip_prefix('.')?.starts_with(is_digit) {
        return None;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        let known = sql
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        let length = sql
            .get(2..)
            .map_or(0, |rest| while_(rest, |c| c.is_digit(radix) || c == '_'));
        if known && length > 0 {
            return Some(2 + length);
        }
    }
    let mut end = digits(sql);
    if sql[end..].starts_with('.') && !sql[end..].starts_with("..") {
        end += 1 + digits(&sql[end + 1..]);
    }
    let exponent = sql[end..].strip_prefix(['e', 'E']);
    let power = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    match (exponent, power.filter(|power| power.starts_with(is_digit))) {
        (Some(exponent), Some(power)) => {
            Some(end + 1 + (exponent.len() - power.len()) + digits(power))
        }
        _ => Some(end),
    }
}
