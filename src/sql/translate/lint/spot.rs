//! A placeholder and its neighbours, as a hazard sees them.

use std::borrow::Cow;

use super::super::scan::TokenKind;
use super::context::{Context, Place, Placeholder};
use super::finding::{Change, Fix, Form, Piece};
use super::statement::Statement;
use super::token::{Clause, Tok};
use super::vocabulary::{self as words, Word};

/// A placeholder of a text.
#[derive(Debug)]
pub(super) struct Spot<'c> {
    pub(super) context: &'c Context<'c>,
    /// Which placeholder of the text.
    pub(super) index: usize,
    pub(super) placeholder: &'c Placeholder,
    /// The tokens around it, which every hazard looks at: three before it, the nearest first, and three behind.
    near: [&'c Tok; 2 * NEAR],
    /// The clause that it is in.
    pub(super) clause: Clause,
    /// What opens the parentheses or brackets around it.
    pub(super) inside: Option<usize>,
    /// The function that it is an argument of, if anything in it is.
    pub(super) function: Option<&'c Word>,
    /// Whether its type is written behind it.
    pub(super) is_cast: bool,
    /// What the tokens before it make of it.
    pub(super) lead: Lead,
    /// The operator before it, and empty if another thing is there.
    pub(super) operator: &'c str,
}

const NEAR: usize = 3;

/// What a placeholder follows, if that is nothing after which an expression may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    Fine,
    /// A type, as before a literal.
    Type,
    /// What a name has to follow.
    Name,
    /// A name.
    Identifier,
    /// The end of another operand.
    Operand,
}

impl<'c> Spot<'c> {
    pub(super) fn new(context: &'c Context<'c>, index: usize) -> Self {
        let placeholder = &context.placeholders[index];
        let at = placeholder.token;
        let token = context.token(Some(at));
        let is_code = placeholder.place == Place::Code;
        let mut spot = Self {
            context,
            index,
            placeholder,
            near: std::array::from_fn(|n| match n {
                0..NEAR => context.token(at.checked_sub(n + 1)),
                _ => context.token(at.checked_add(n + 1 - NEAR)),
            }),
            clause: token.clause,
            inside: token.inside().filter(|_| is_code),
            function: context.function(token.inside()).filter(|_| is_code),
            is_cast: false,
            lead: Lead::Fine,
            operator: "",
        };
        if is_code {
            spot.is_cast = spot.cast();
            spot.lead = spot.lead();
            let before = spot.before(1);
            if before.kind == TokenKind::Operator {
                spot.operator = spot.text(before);
            }
        }
        spot
    }

    /// The `n`th token before it; the first is 1.
    pub(super) fn before(&self, n: usize) -> &'c Tok {
        match n {
            1..=NEAR => self.near[n - 1],
            _ => self.context.token(self.placeholder.token.checked_sub(n)),
        }
    }

    /// The `n`th token behind it, in the text and not in the statement alone; the first is 1.
    pub(super) fn after(&self, n: usize) -> &'c Tok {
        // A placeholder in a comment is no token, and has none of its own to skip.
        match n {
            1..=NEAR => self.near[NEAR + n - 1],
            _ => self.context.token(self.placeholder.token.checked_add(n)),
        }
    }

    /// The token's text.
    pub(super) fn text(&self, token: &Tok) -> &'c str {
        token.text(self.context.sql)
    }

    /// The placeholder as it is written.
    pub(super) fn written(&self) -> &'c str {
        &self.context.source[self.placeholder.source.clone()]
    }

    pub(super) fn statement(&self) -> Option<&'c Statement> {
        self.context.statements.get(self.placeholder.statement)
    }

    /// Whether nothing stands behind it in the statement.
    pub(super) fn is_last(&self) -> bool {
        self.statement()
            .is_none_or(|statement| self.placeholder.token + 1 >= statement.tokens.1)
    }

    /// Whether a comma, a closing parenthesis or the statement's end comes next.
    pub(super) fn ends_item(&self) -> bool {
        let next = self.after(1);
        self.is_last() || next.is_sign(b',') || next.is_sign(b')')
    }

    /// Whether the expression that it is the last operand of ends with it.
    pub(super) fn ends_expression(&self) -> bool {
        let next = self.after(1);
        self.ends_item() || next.is_sign(b']') || next.has(words::AFTER_EXPRESSION)
    }

    /// Whether it is all of an argument of the call, or all but a keyword.
    pub(super) fn is_argument(&self) -> bool {
        let (before, next) = (self.before(1), self.after(1));
        let opens = before.is_sign(b'(')
            || before.is_sign(b',')
            || matches!(before.word.text, "variadic" | "distinct" | "from");
        opens && (next.is_sign(b',') || next.is_sign(b')') || next.is("order"))
    }

    /// Whether the parentheses around it are the arguments of a function of that name.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.function.is_some_and(|function| function.text == name)
    }

    fn cast(&self) -> bool {
        let (before, next) = (self.before(1), self.after(1));
        if next.kind == TokenKind::Cast || self.is_called("cast") {
            return true;
        }
        before.is_sign(b'(')
            && next.is_sign(b')')
            && self.after(2).kind == TokenKind::Cast
            && !matches!(self.before(2).word.text, "any" | "all" | "some")
    }

    fn lead(&self) -> Lead {
        let (first, second, third) = (self.before(1), self.before(2), self.before(3));
        let of_zone =
            first.is("zone") && second.is("time") && matches!(third.word.text, "with" | "without");
        if first.has(words::TYPE) || of_zone {
            let is_complete = second.kind == TokenKind::Cast || second.is("as");
            return if is_complete { Lead::Fine } else { Lead::Type };
        }
        let next = self.after(1);
        let touches_dot = next.is_sign(b'.') && next.start == self.placeholder.output.end;
        let from_a_name = first.is("from")
            && !second.is("distinct")
            && !self.function.is_some_and(|function| {
                function.has(words::FROM_INSIDE) || function.text == "btrim"
            });
        let of_an_object = matches!(first.word.text, "on" | "to")
            && self
                .statement()
                .is_some_and(|statement| statement.verb.has(words::NAMES_OBJECTS));
        if first.is_sign(b'.')
            || touches_dot
            || from_a_name
            || first.has(words::BEFORE_NAME)
            || of_an_object
        {
            return Lead::Name;
        }
        if first.is_name() {
            return Lead::Identifier;
        }
        let is_operator_name = first.is_sign(b')')
            && self
                .context
                .function(first.inside())
                .is_some_and(|word| word.text == "operator");
        let ends = first.is_sign(b')') || first.is_sign(b']') || first.is_value();
        if ends && !is_operator_name {
            Lead::Operand
        } else {
            Lead::Fine
        }
    }

    /// The placeholder in a rewritten text.
    pub(super) fn piece(&self, form: Form) -> Piece {
        Piece::Placeholder {
            index: self.index,
            form,
        }
    }

    /// What replaces the tokens `first..=last` of the converted text.
    pub(super) fn change(&self, first: &Tok, last: &Tok, pieces: Vec<Piece>) -> Change {
        let start = self.context.source_offset(first.start);
        let end = self.context.source_end(last);
        Change {
            range: start..end,
            pieces,
        }
    }

    /// The cast of this placeholder.
    pub(super) fn cast_to(&self, type_name: &'static str, form: Form) -> Fix {
        let written = self.written();
        let advice = format!("name the type, as in `{written}::{type_name}`");
        let pieces = vec![self.piece(form), text(format!("::{type_name}"))];
        let change = Change {
            range: self.placeholder.source.clone(),
            pieces,
        };
        Fix::cast(advice, vec![change])
    }
}

/// A piece of plain text.
pub(super) fn text(text: impl Into<Cow<'static, str>>) -> Piece {
    Piece::Text(text.into())
}
