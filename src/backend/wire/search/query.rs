//! `tsquery`: lexemes that operators join.

use super::super::reader::{Flaw, Read, Reader};
use super::{Scan, WEIGHTS, quote, weight};

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
pub(in super::super) fn read_query(bytes: &[u8]) -> Read<String> {
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
        (_, distance) => text.extend([" <", &distance.to_string(), "> "]),
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
pub(in super::super) fn put_query(text: &str, out: &mut Vec<u8>) -> Option<()> {
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

/// Stands for an open parenthesis among the operators that wait.
const PARENTHESIS: u8 = 0;

/// The query's parts with each operator after its operands, which is what the server wants, backwards.
fn postfix(text: &str) -> Option<Vec<Item>> {
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
            release(&mut waiting, &mut items, |_| true);
            waiting.pop()?;
            continue;
        }
        let (code, distance) = scan.operator()?;
        release(&mut waiting, &mut items, |top| {
            priority(top) >= priority(code)
        });
        waiting.push((code, distance));
        wants_operand = true;
    }
    if wants_operand && !(items.is_empty() && waiting.is_empty()) {
        return None;
    }
    release(&mut waiting, &mut items, |_| true);
    waiting.is_empty().then_some(items)
}

/// Puts the operators behind their operands that wait in the innermost parentheses, as long as it says so of the last one's code.
fn release(waiting: &mut Vec<(u8, u16)>, items: &mut Vec<Item>, goes: impl Fn(u8) -> bool) {
    while let Some((code, distance)) = waiting.pop_if(|(top, _)| *top != PARENTHESIS && goes(*top))
    {
        items.push(Item::Operator { code, distance });
    }
}

impl Scan<'_> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Option<String> {
        let mut out = Vec::new();
        put_query(text, &mut out)?;
        read_query(&out).ok()
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
