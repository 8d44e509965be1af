//! `tsvector` and `tsquery` in their text forms.

use super::reader::{Flaw, Read, Reader};
use std::collections::BTreeMap;

const WEIGHTS: [char; 4] = ['D', 'C', 'B', 'A'];
/// A position's lower 14 bits; its upper two are the weight.
const MOST_POSITION: u16 = 0x3fff;
const MOST_POSITIONS: usize = 256;

/// The text of a `tsvector`: `'fat':2A 'rat':3`.
pub(super) fn read_vector(bytes: &[u8]) -> Read<String> {
    let mut reader = Reader::new(bytes);
    let count = reader.count(3)?;
    let mut text = String::with_capacity(bytes.len());
    for index in 0..count {
        if index > 0 {
            text.push(' ');
        }
        quote(reader.cstring()?, &mut text);
        for at in 0..reader.u16()? {
            text.push(if at == 0 { ':' } else { ',' });
            let position = reader.u16()?;
            text.push_str(&(position & MOST_POSITION).to_string());
            match WEIGHTS[usize::from(position >> 14)] {
                'D' => {}
                weight => text.push(weight),
            }
        }
    }
    reader.end()?;
    Ok(text)
}

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

/// Puts the `tsvector` that the text names.
pub(super) fn put_vector(text: &str, out: &mut Vec<u8>) -> Option<()> {
    // The server wants each lexeme once, with its positions in order; of one position the heaviest weight.
    let mut lexemes: BTreeMap<String, BTreeMap<u16, u16>> = BTreeMap::new();
    let mut scan = Scan(text);
    scan.spaces();
    while !scan.0.is_empty() {
        let lexeme = scan.lexeme(|c| c == ':' || c.is_whitespace())?;
        let positions = lexemes.entry(lexeme).or_default();
        if scan.eat(':') {
            loop {
                let (position, weight) = scan.position()?;
                let known = positions.entry(position).or_insert(weight);
                *known = weight.max(*known);
                if !scan.eat(',') {
                    break;
                }
            }
        }
        if !scan.spaces() && !scan.0.is_empty() {
            return None;
        }
    }
    out.extend_from_slice(&i32::try_from(lexemes.len()).ok()?.to_be_bytes());
    for (lexeme, positions) in lexemes {
        out.extend_from_slice(lexeme.as_bytes());
        out.push(0);
        let kept = positions.len().min(MOST_POSITIONS - 1);
        out.extend_from_slice(&u16::try_from(kept).ok()?.to_be_bytes());
        for (position, weight) in positions.into_iter().take(kept) {
            out.extend_from_slice(&(weight << 14 | position).to_be_bytes());
        }
    }
    Some(())
}

/// A parsed or received part of a `tsquery`.
enum Item {
    Lexeme {
        weights: u8,
        prefix: bool,
        text: String,
    },
    Operator {
        code: u8,
        distance: u16,
    },
}

const NOT: u8 = 1;
const AND: u8 = 2;
const OR: u8 = 3;
const PHRASE: u8 = 4;

fn priority(operator: u8) -> u8 {
    match operator {
        OR => 1,
        AND => 2,
        PHRASE => 3,
        _ => 4,
    }
}

/// The text of a `tsquery`: `'fat' & !'rat':*`.
pub(super) fn read_query(bytes: &[u8]) -> Read<String> {
    let mut reader = Reader::new(bytes);
    let count = reader.count(2)?;
    let mut items = (0..count)
        .map(|_| item(&mut reader))
        .collect::<Read<Vec<Item>>>()?;
    reader.end()?;
    // An operator comes before its right side, and that before the left one: backwards, both are there when it comes.
    items.reverse();
    let mut done: Vec<(String, u8)> = Vec::new();
    for item in items {
        let shown = match item {
            Item::Lexeme {
                weights,
                prefix,
                text,
            } => (lexeme(&text, weights, prefix), u8::MAX),
            Item::Operator { code, distance } => {
                let right = done
                    .pop()
                    .ok_or(Flaw::Bytes("an operator has no operand"))?;
                if code == NOT {
                    (
                        format!("!{}", within(right, priority(NOT), false)),
                        priority(NOT),
                    )
                } else {
                    let left = done
                        .pop()
                        .ok_or(Flaw::Bytes("an operator has no operand"))?;
                    (binary(code, distance, left, right), priority(code))
                }
            }
        };
        done.push(shown);
    }
    match (done.pop(), done.is_empty()) {
        (None, _) => Ok(String::new()),
        (Some((text, _)), true) => Ok(text),
        _ => Err(Flaw::Bytes("it holds more than one query")),
    }
}

fn item(reader: &mut Reader<'_>) -> Read<Item> {
    match reader.u8()? {
        1 => Ok(Item::Lexeme {
            weights: reader.u8()?,
            prefix: reader.u8()? != 0,
            text: reader.cstring()?.to_owned(),
        }),
        2 => match reader.u8()? {
            PHRASE => Ok(Item::Operator {
                code: PHRASE,
                distance: reader.u16()?,
            }),
            code @ (NOT | AND | OR) => Ok(Item::Operator { code, distance: 0 }),
            _ => Err(Flaw::Bytes("it has an operator that is not known")),
        },
        _ => Err(Flaw::Bytes("it has a part that is not known")),
    }
}

fn lexeme(lexeme: &str, weights: u8, prefix: bool) -> String {
    let mut text = String::with_capacity(lexeme.len() + 2);
    quote(lexeme, &mut text);
    if prefix || weights != 0 {
        text.push(':');
    }
    if prefix {
        text.push('*');
    }
    for (bit, weight) in WEIGHTS.iter().enumerate().rev() {
        if weights >> bit & 1 == 1 {
            text.push(*weight);
        }
    }
    text
}

fn binary(code: u8, distance: u16, left: (String, u8), right: (String, u8)) -> String {
    let outer = priority(code);
    let mut text = within(left, outer, false);
    match (code, distance) {
        (AND, _) => text.push_str(" & "),
        (OR, _) => text.push_str(" | "),
        (_, 1) => text.push_str(" <-> "),
        (_, distance) => text.push_str(&format!(" <{distance}> ")),
    }
    text.push_str(&within(right, outer, code == PHRASE));
    text
}

/// The text in parentheses where the operator around it binds tighter, or both are phrases and this one is the right side.
fn within((text, inner): (String, u8), outer: u8, right_of_phrase: bool) -> String {
    if inner < outer || (right_of_phrase && inner == priority(PHRASE)) {
        format!("( {text} )")
    } else {
        text
    }
}

/// Puts the `tsquery` that the text names.
pub(super) fn put_query(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let items = postfix(text)?;
    out.extend_from_slice(&i32::try_from(items.len()).ok()?.to_be_bytes());
    for item in items.into_iter().rev() {
        match item {
            Item::Lexeme {
                weights,
                prefix,
                text,
            } => {
                out.extend_from_slice(&[1, weights, u8::from(prefix)]);
                out.extend_from_slice(text.as_bytes());
                out.push(0);
            }
            Item::Operator { code, distance } => {
                out.extend_from_slice(&[2, code]);
                if code == PHRASE {
                    out.extend_from_slice(&distance.to_be_bytes());
                }
            }
        }
    }
    Some(())
}

/// The query's parts with each operator after its operands, which is what the server wants, backwards.
fn postfix(text: &str) -> Option<Vec<Item>> {
    const PARENTHESIS: u8 = 0;
    let mut scan = Scan(text);
    let (mut items, mut waiting): (Vec<Item>, Vec<(u8, u16)>) = (Vec::new(), Vec::new());
    let mut wants_operand = true;
    loop {
        scan.spaces();
        if scan.0.is_empty() {
            break;
        }
        if wants_operand {
            if scan.eat('!') {
                waiting.push((NOT, 0));
            } else if scan.eat('(') {
                waiting.push((PARENTHESIS, 0));
            } else {
                items.push(scan.operand()?);
                wants_operand = false;
            }
            continue;
        }
        if scan.eat(')') {
            loop {
                match waiting.pop()? {
                    (PARENTHESIS, _) => break,
                    (code, distance) => items.push(Item::Operator { code, distance }),
                }
            }
            continue;
        }
        let (code, distance) = scan.operator()?;
        while let Some((code, distance)) =
            waiting.pop_if(|(top, _)| *top != PARENTHESIS && priority(*top) >= priority(code))
        {
            items.push(Item::Operator { code, distance });
        }
        waiting.push((code, distance));
        wants_operand = true;
    }
    if wants_operand && !(items.is_empty() && waiting.is_empty()) {
        return None;
    }
    for (code, distance) in waiting.into_iter().rev() {
        if code == PARENTHESIS {
            return None;
        }
        items.push(Item::Operator { code, distance });
    }
    Some(items)
}

struct Scan<'a>(&'a str);

impl Scan<'_> {
    fn spaces(&mut self) -> bool {
        let rest = self.0.trim_start();
        let any = rest.len() < self.0.len();
        self.0 = rest;
        any
    }

    fn eat(&mut self, wanted: char) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn number(&mut self) -> Option<u32> {
        let end = self.0.find(|c: char| !c.is_ascii_digit());
        let (digits, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        digits.parse().ok()
    }

    /// `'quoted'`, or what comes up to a character that ends it.
    fn lexeme(&mut self, ends: impl Fn(char) -> bool) -> Option<String> {
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

    fn position(&mut self) -> Option<(u16, u16)> {
        let position = self.number().filter(|position| *position > 0)?;
        let position = u16::try_from(position)
            .unwrap_or(u16::MAX)
            .min(MOST_POSITION);
        let weight = self.0.chars().next().and_then(weight);
        if weight.is_some() {
            self.0 = &self.0[1..];
        }
        Some((position, weight.unwrap_or(0)))
    }

    fn operand(&mut self) -> Option<Item> {
        let ends =
            |c: char| c.is_whitespace() || matches!(c, ':' | '&' | '|' | '!' | '(' | ')' | '<');
        let text = self.lexeme(ends)?;
        let (mut weights, mut prefix) = (0, false);
        if self.eat(':') {
            while let Some(c) = self.0.chars().next() {
                match weight(c) {
                    Some(weight) => weights |= 1 << weight,
                    None if c == '*' => prefix = true,
                    None => break,
                }
                self.0 = &self.0[1..];
            }
        }
        Some(Item::Lexeme {
            weights,
            prefix,
            text,
        })
    }

    fn operator(&mut self) -> Option<(u8, u16)> {
        if self.eat('&') {
            Some((AND, 0))
        } else if self.eat('|') {
            Some((OR, 0))
        } else {
            self.eat('<').then_some(())?;
            let distance = if self.eat('-') { 1 } else { self.number()? };
            let distance = u16::try_from(distance)
                .ok()
                .filter(|distance| *distance <= 16_384)?;
            self.eat('>').then_some((PHRASE, distance))
        }
    }
}

fn weight(c: char) -> Option<u16> {
    let found = WEIGHTS
        .iter()
        .position(|weight| weight.eq_ignore_ascii_case(&c));
    found.and_then(|weight| u16::try_from(weight).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(text: &str) -> Option<String> {
        let mut out = Vec::new();
        put_vector(text, &mut out)?;
        read_vector(&out).ok()
    }

    fn query(text: &str) -> Option<String> {
        let mut out = Vec::new();
        put_query(text, &mut out)?;
        read_query(&out).ok()
    }

    #[test]
    fn vectors_are_read_and_shown() {
        assert_eq!(vector("").as_deref(), Some(""));
        assert_eq!(
            vector("rat:3 fat:2A,1b 'it''s \\\\':4").as_deref(),
            Some("'fat':1B,2A 'it''s \\\\':4 'rat':3")
        );
        assert_eq!(vector("a:1 a:1A,2").as_deref(), Some("'a':1A,2"));
        for text in ["'a", "a:", "a:0", "a:1x", "''", ":1", "a\\"] {
            assert_eq!(vector(text), None, "{text}");
        }
    }

    #[test]
    fn queries_keep_their_shape() {
        for text in [
            "",
            "'a'",
            "'a' & 'b' | 'c'",
            "'a' & ( 'b' | 'c' )",
            "!'a'",
            "!( 'a' & 'b' )",
            "'a' <-> 'b' <2> 'c'",
            "'a' <-> ( 'b' <-> 'c' )",
            "'a':*AB & 'it''s'",
            "!!'a'",
        ] {
            assert_eq!(query(text).as_deref(), Some(text));
        }
        assert_eq!(
            query("fat&(rat|cat:a)").as_deref(),
            Some("'fat' & ( 'rat' | 'cat':A )")
        );
        for text in ["&", "a &", "(a", "a)", "a b", "a <x> b", "()", "!"] {
            assert_eq!(query(text), None, "{text}");
        }
    }

    #[test]
    fn a_query_of_any_length_needs_no_deep_stack() {
        let long = vec!["'a'"; 100_000].join(" & ");
        assert_eq!(query(&long).as_deref(), Some(long.as_str()));
    }
}
