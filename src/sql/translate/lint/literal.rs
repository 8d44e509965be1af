//! Takes placeholders out of a string literal.

use super::super::scan::TokenKind;
use super::finding::{Fix, Form, Piece};
use super::spot::{Spot, text};
use super::token::Tok;
use super::type_name;
use super::vocabulary as words;

/// With more of them in one literal, a rewrite is no easier to read than the problem.
const MOST: usize = 16;

/// Types of which no value reads the same as a NULL that psycopg2 wrote into the literal.
const PLAIN: &str = "
    date time timetz timestamp timestamptz interval uuid inet cidr macaddr int int2 int4 int8 integer bigint smallint
    numeric decimal real float float4 float8 bool boolean oid money";

/// The literal that the placeholder is in, as an expression with the placeholder outside of the quotes.
pub(super) fn opened(spot: &Spot<'_>) -> Option<Fix> {
    let context = spot.context;
    if spot
        .statement()
        .is_none_or(|statement| statement.is_utility)
    {
        return None;
    }
    let index = spot.placeholder.token;
    let literal = context.token(Some(index));
    let (before, after) = (spot.before(1), spot.after(1));
    let follows_pattern = before.is("like") || before.is("ilike");
    let members = members(spot)?;
    let operands = operands(spot, literal, &members, follows_pattern)?;
    let written = spot.written();
    let expression = Expression {
        is_one: operands.len() == 1,
        pieces: joined(operands),
        splits_number: splits_number(spot, &members),
    };
    if after.kind == TokenKind::Cast {
        return Some(expression.before_cast(spot, literal));
    }
    if let Some((first, name)) = type_name::before(context, index) {
        let first = context.token(Some(first));
        // The unit behind an interval gives a bare number its meaning.
        return (!after.has(words::FIELD)).then(|| expression.of_type(spot, first, literal, name));
    }
    if follows_pattern {
        let advice =
            format!("join the pattern of `{written}` and its wildcards, and pass it as text");
        let change = spot.change(literal, literal, expression.pieces);
        return Some(Fix::rewrite(advice, vec![change]).safe_if(true));
    }
    let starts = matches!(before.kind, TokenKind::Operator | TokenKind::Assign)
        || matches!(before.first, b'(' | b',' | b'[')
        || before.has(words::KEYWORD) && !before.has(words::BEFORE_NAME);
    let advice =
        format!("take `{written}` out of the quotes, and cast it if the server asks for its type");
    let change = spot.change(literal, literal, expression.grouped());
    starts.then(|| Fix::rewrite(advice, vec![change]))
}

/// What a literal becomes.
struct Expression {
    pieces: Vec<Piece>,
    is_one: bool,
    splits_number: bool,
}

impl Expression {
    /// `'…'::date`
    fn before_cast(self, spot: &Spot<'_>, literal: &Tok) -> Fix {
        let is_plain = is_plain(spot.after(2).word.text) && ends_type(spot.after(3));
        let safe = is_plain && !self.splits_number;
        let written = spot.written();
        let advice = format!("take `{written}` out of the quotes and pass it as text");
        let change = spot.change(literal, literal, self.grouped());
        Fix::rewrite(advice, vec![change]).safe_if(safe)
    }

    /// `DATE '…'`
    fn of_type(self, spot: &Spot<'_>, first: &Tok, literal: &Tok, name: &'static str) -> Fix {
        let safe = is_plain(name) && !self.splits_number;
        let written = spot.written();
        let advice = format!("cast the text that `{written}` is a part of, and pass it as text");
        let mut pieces = self.grouped();
        pieces.push(text(format!("::{name}")));
        Fix::rewrite(advice, vec![spot.change(first, literal, pieces)]).safe_if(safe)
    }

    fn grouped(mut self) -> Vec<Piece> {
        if !self.is_one {
            self.pieces.insert(0, text("("));
            self.pieces.push(text(")"));
        }
        self.pieces
    }
}

/// Whether a type is all there with the token before this one: no field of an interval, no modifier, no array.
fn ends_type(next: &Tok) -> bool {
    let goes_on = matches!(next.first, b'(' | b'[' | b'.')
        || next.has(words::FIELD)
        || next.is("array")
        || next.is("varying");
    !goes_on
}

/// Whether any value that psycopg2 writes reads the same as text of that type.
pub(super) fn is_plain(type_name: &str) -> bool {
    PLAIN
        .split_ascii_whitespace()
        .any(|plain| plain == type_name)
}

/// Whether a digit stands before a placeholder: psycopg2 parts a negative number from it with a space.
fn splits_number(spot: &Spot<'_>, members: &[usize]) -> bool {
    let sql = spot.context.sql.as_bytes();
    members.iter().any(|&index| {
        let start = spot.context.placeholders[index].output.start;
        sql[start - 1].is_ascii_digit()
    })
}

/// The placeholders of the literal, if they are not too many.
fn members(spot: &Spot<'_>) -> Option<Vec<usize>> {
    let placeholders = &spot.context.placeholders;
    let is_inside = |index: &usize| {
        let other = &placeholders[*index];
        other.place == spot.placeholder.place && other.token == spot.placeholder.token
    };
    let first = (0..spot.index)
        .rev()
        .take_while(is_inside)
        .take(MOST)
        .last();
    let members = (first.unwrap_or(spot.index)..placeholders.len()).take_while(is_inside);
    let members: Vec<usize> = members.take(MOST + 1).collect();
    (members.len() <= MOST).then_some(members)
}

/// The pieces of the literal: its plain parts quoted as they were, and the placeholders between them.
fn operands(
    spot: &Spot<'_>,
    literal: &Tok,
    members: &[usize],
    is_pattern: bool,
) -> Option<Vec<Vec<Piece>>> {
    let sql = spot.context.sql;
    let prefix = match literal.kind {
        TokenKind::String if literal.first == b'\'' => "",
        TokenKind::EscapeString => "E",
        _ => return None,
    };
    let placeholders = &spot.context.placeholders;
    let is_alone = members.len() == 1
        && literal.end - literal.start == prefix.len() + 2 + spot.placeholder.output.len();
    let is_typed = is_alone
        && spot.after(1).kind != TokenKind::Cast
        && type_name::before(spot.context, spot.placeholder.token).is_none();
    let mut operands = Vec::new();
    let mut start = literal.start + prefix.len() + 1;
    for &index in members {
        let output = &placeholders[index].output;
        operands.push(quoted(prefix, &sql[start..output.start])?);
        let (form, cast) = match (is_pattern, is_typed) {
            (true, _) => (Form::Text, ""),
            (false, true) => (Form::Same, ""),
            (false, false) => (Form::Text, "::text"),
        };
        operands.push(vec![Piece::Placeholder { index, form }, text(cast)]);
        start = output.end;
    }
    operands.push(quoted(prefix, &sql[start..literal.end - 1])?);
    operands.retain(|operand| !operand.is_empty());
    Some(operands)
}

/// A part of a literal's body as a literal of its own, or nothing if it is empty; none if it holds the end of one piece
/// and the start of the next.
fn quoted(prefix: &'static str, part: &str) -> Option<Vec<Piece>> {
    let mut bytes = part.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\'' if bytes.next() != Some(b'\'') => return None,
            b'\\' if !prefix.is_empty() => {
                bytes.next()?;
            }
            _ => {}
        }
    }
    let literal = || text(format!("{prefix}'{part}'"));
    Some((!part.is_empty()).then(literal).into_iter().collect())
}

fn joined(operands: Vec<Vec<Piece>>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (index, operand) in operands.into_iter().enumerate() {
        if index > 0 {
            pieces.push(text(" || "));
        }
        pieces.extend(operand);
    }
    pieces
}
