//! One value of a call: what evaluating it may do, and how it is written in another form.

use std::ops::Range;

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, ExprCall, ModExpression};
use ruff_python_parser::{Parsed, parse_expression_range};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::{SHALLOW, depth};
use crate::sql::translate::{Bound, Edit};

/// How a value's place in the order of evaluation matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    /// A constant or a variable.
    Fixed,
    /// Reads what another value's evaluation may change.
    Reads,
    /// May change something.
    Acts,
}

impl Effect {
    /// What evaluating the value at these bytes may do.
    pub(super) fn of(file: &str, range: &Range<usize>) -> Self {
        let mut effects = Effects(Self::Fixed);
        match parse(file, range) {
            Some(parsed) => effects.visit_expr(parsed.expr()),
            None => effects.0 = Self::Acts,
        }
        effects.0
    }
}

/// The form in which a text takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    AsIs,
    /// A tuple becomes a list.
    List,
    /// Whatever it is becomes a string.
    Text,
    /// Whatever it is becomes a string, but for None, which the text tests for.
    TextOrNone,
}

impl Form {
    /// The form of an argument, of which `tested` tells whether the text tests it for NULL.
    pub(super) fn of(bound: &Bound, tested: bool) -> Self {
        match (bound.list, bound.text) {
            (true, _) => Self::List,
            (false, true) if tested => Self::TextOrNone,
            (false, true) => Self::Text,
            (false, false) => Self::AsIs,
        }
    }

    /// What a reader is told behind the value's name.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::AsIs => "",
            Self::List => " as a list",
            Self::Text => " as a string",
            Self::TextOrNone => " as a string or None",
        }
    }

    /// The changes that give the value this form, where these of Python's own functions mean something else.
    pub(super) fn edits(
        self,
        file: &str,
        range: &Range<usize>,
        hidden: &[&str],
    ) -> Result<Vec<Edit>, String> {
        if self == Self::AsIs {
            return Ok(Vec::new());
        }
        let parsed = parse(file, range)
            .ok_or_else(|| format!("a value that is taken{} cannot be read", self.words()))?;
        let value = &file[range.clone()];
        let function = self.function();
        let is_hidden = hidden.contains(&function);
        Ok(match (self, parsed.expr()) {
            (Self::List, Expr::List(_) | Expr::ListComp(_))
            | (Self::Text | Self::TextOrNone, Expr::StringLiteral(_) | Expr::FString(_))
            | (Self::TextOrNone, Expr::NoneLiteral(_)) => Vec::new(),
            (Self::List, Expr::Tuple(tuple)) if tuple.parenthesized => {
                let (start, end) = (tuple.range.start().to_usize(), tuple.range.end().to_usize());
                // The list takes the comma of a tuple of one as well.
                vec![edit(start..start + 1, "["), edit(end - 1..end, "]")]
            }
            _ if is_hidden => {
                return Err(format!(
                    "`{value}` has to become {function}(…), and `{function}` means something else there"
                ));
            }
            (_, Expr::Call(call)) if calls(call, function) => Vec::new(),
            (Self::List, Expr::Call(call))
                if calls(call, "tuple") && !hidden.contains(&"tuple") =>
            {
                vec![edit(call.func.range().to_std_range(), "list")]
            }
            (Self::TextOrNone, Expr::Name(name)) => around(
                range,
                &format!("None if {name} is None else str(", name = name.id),
            ),
            (Self::TextOrNone, Expr::NumberLiteral(_)) => around(range, "str("),
            (Self::TextOrNone, _) => {
                return Err(format!(
                    "the text tests `{value}` for NULL and takes it as a string, and str(…) of None is no None: put it into a variable"
                ));
            }
            _ => around(range, &format!("{function}(")),
        })
    }

    /// Python's function for it.
    fn function(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::AsIs | Self::Text | Self::TextOrNone => "str",
        }
    }
}

/// A call's opening before the value, and its end behind it.
fn around(range: &Range<usize>, open: &str) -> Vec<Edit> {
    vec![
        edit(range.start..range.start, open),
        edit(range.end..range.end, ")"),
    ]
}

fn calls(call: &ExprCall, function: &str) -> bool {
    matches!(&*call.func, Expr::Name(name) if name.id == function)
}

pub(super) fn edit(range: Range<usize>, text: &str) -> Edit {
    Edit {
        range,
        text: text.to_owned(),
    }
}

/// The expression at these bytes, which may span lines without parentheses of its own.
///
/// None if it nests too deep to be walked on the caller's stack.
pub(super) fn parse(file: &str, range: &Range<usize>) -> Option<Parsed<ModExpression>> {
    if depth::of_source(&file[range.clone()]) > SHALLOW {
        return None;
    }
    let at = |offset: usize| TextSize::try_from(offset).ok();
    let range = TextRange::new(at(range.start)?, at(range.end)?);
    parse_expression_range(file, range)
        .or_else(|_| ruff_python_parser::parse_parenthesized_expression_range(file, range))
        .ok()
}

/// What evaluating an expression may do.
struct Effects(Effect);

impl<'a> Visitor<'a> for Effects {
    fn visit_expr(&mut self, expr: &'a Expr) {
        let own = match expr {
            Expr::Call(_)
            | Expr::Await(_)
            | Expr::Yield(_)
            | Expr::YieldFrom(_)
            | Expr::Named(_) => Effect::Acts,
            Expr::Name(_)
            | Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_)
            | Expr::Tuple(_)
            | Expr::Lambda(_) => Effect::Fixed,
            _ => Effect::Reads,
        };
        self.0 = self.0.max(own);
        if !matches!(expr, Expr::Lambda(_)) {
            visitor::walk_expr(self, expr);
        }
    }
}
