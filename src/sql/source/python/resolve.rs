//! Follows an expression to the literals that its text is made of.

use std::ops::Range;

use ruff_python_ast::{
    Expr, ExprAttribute, ExprBinOp, ExprCall, ExprFString, ExprNamed, ExprTString, FStringPart,
    InterpolatedStringElement, Operator,
};
use ruff_text_size::{Ranged, TextRange};

use super::literal::decode;
use super::scope::{Module, Source};
use super::text::{Kind, Text};
use super::texts::Texts;
use crate::sql::source::Dynamic;

/// An expression that takes more steps than these is not followed further.
const MOST_STEPS: usize = 2_000;

/// How deep names are followed into what they were assigned.
const DEEPEST: usize = 24;

/// Follows expressions of one module.
#[derive(Debug)]
pub(super) struct Resolver<'m, 'a> {
    pub(super) module: &'m Module<'a>,
    pub(super) source: &'a str,
    /// The reads that the last text was followed through.
    pub(super) touched: Vec<TextRange>,
    steps: usize,
    depth: usize,
}

/// Where an expression stands, and what is made of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) scope: usize,
    /// Whether `.format` is called on it, so that doubled braces stand for one.
    pub(super) formatted: bool,
}

impl<'m, 'a> Resolver<'m, 'a> {
    pub(super) fn new(module: &'m Module<'a>, source: &'a str) -> Self {
        Self {
            module,
            source,
            touched: Vec::new(),
            steps: 0,
            depth: 0,
        }
    }

    /// The texts that an argument of a call in `scope` may be.
    pub(super) fn texts(&mut self, expr: &'a Expr, scope: usize) -> Texts {
        self.touched.clear();
        (self.steps, self.depth) = (0, 0);
        let place = Place {
            scope,
            formatted: false,
        };
        self.resolve(expr, place)
    }

    pub(super) fn resolve(&mut self, expr: &'a Expr, place: Place) -> Texts {
        self.steps += 1;
        if self.steps > MOST_STEPS || self.depth > DEEPEST {
            return Texts::unknown();
        }
        self.depth += 1;
        let found = self.follow(expr, place);
        self.depth -= 1;
        found
    }

    fn follow(&mut self, expr: &'a Expr, place: Place) -> Texts {
        match expr {
            Expr::StringLiteral(literal) => {
                let parts = literal
                    .value
                    .iter()
                    .map(|part| (part.content_range(), part.flags.into()));
                self.literal(parts, place.formatted)
            }
            Expr::BytesLiteral(literal) => {
                let parts = literal
                    .value
                    .iter()
                    .map(|part| (part.content_range(), part.flags.into()));
                self.literal(parts, place.formatted)
            }
            Expr::FString(literal) => self.f_string(literal, place),
            Expr::TString(literal) => self.template(literal),
            Expr::BinOp(operation) => match operation.op {
                Operator::Add => self.sum(expr, place),
                Operator::Mod => self.percent(operation, place),
                _ => Texts::unknown(),
            },
            Expr::Call(call) => self.call(call, place),
            Expr::If(choice) => {
                let mut found = self.resolve(&choice.body, place);
                found.join(self.resolve(&choice.orelse, place));
                found
            }
            Expr::BoolOp(choice) => {
                let mut found = Texts::default();
                for value in &choice.values {
                    found.join(self.resolve(value, place));
                }
                found
            }
            Expr::Named(named) => {
                let found = self.resolve(&named.value, place);
                self.given(found, named, place)
            }
            Expr::Name(_) | Expr::Attribute(_) => self.assignments(expr, place),
            Expr::Subscript(subscript) => self.entry(&subscript.value, &subscript.slice, place),
            _ => Texts::unknown(),
        }
    }

    /// `text % values`.
    fn percent(&mut self, operation: &'a ExprBinOp, place: Place) -> Texts {
        let shown = self.show(operation.right.range());
        let message = format!("`% {shown}` fills the text");
        let text = self.resolve(&operation.left, place);
        text.dynamic(span(operation.range), &message)
    }

    fn literal(
        &self,
        parts: impl Iterator<Item = (TextRange, ruff_python_ast::AnyStringFlags)>,
        formatted: bool,
    ) -> Texts {
        let mut text = Text::default();
        for (range, flags) in parts {
            text.push(decode(self.source, span(range), flags, formatted));
        }
        Texts::one(text)
    }

    fn f_string(&mut self, literal: &'a ExprFString, place: Place) -> Texts {
        let mut found = Texts::one(Text::default());
        for part in &literal.value {
            match part {
                FStringPart::Literal(part) => {
                    let piece = (part.content_range(), part.flags.into());
                    found =
                        found.followed_by(&self.literal(std::iter::once(piece), place.formatted));
                }
                FStringPart::FString(part) => {
                    for element in &part.elements {
                        let next = match element {
                            InterpolatedStringElement::Literal(text) => {
                                self.literal(std::iter::once((text.range, part.flags.into())), true)
                            }
                            InterpolatedStringElement::Interpolation(field) => {
                                self.field(field, place)
                            }
                        };
                        found = found.followed_by(&next);
                    }
                }
            }
        }
        found
    }

    /// A template string: its literals, and a hole for each of its fields, which the driver makes parameters of.
    fn template(&mut self, literal: &'a ExprTString) -> Texts {
        let mut text = Text::default();
        let whole = span(literal.range);
        for part in &literal.value {
            for element in &part.elements {
                match element {
                    InterpolatedStringElement::Literal(own) => {
                        text.push(decode(
                            self.source,
                            span(own.range),
                            part.flags.into(),
                            true,
                        ));
                    }
                    InterpolatedStringElement::Interpolation(field) => {
                        let shown = self.show(field.expression.range());
                        text.push(self.hole(field.range, "a template string").named(shown));
                    }
                }
            }
        }
        Texts::one(text).dynamic(whole, "a template string")
    }

    /// The texts that `name := …` is, come through that name.
    fn given(&self, found: Texts, named: &'a ExprNamed, place: Place) -> Texts {
        let Expr::Name(name) = &*named.target else {
            return found;
        };
        let Some(scope) = self.module.owner(place.scope, name.id.as_str()) else {
            return found;
        };
        let source = Source {
            scope,
            name: name.id.as_str().to_owned(),
            binding: named.range,
            member: false,
        };
        found.map(|text| text.from(&source))
    }

    /// What stands between the braces of an f-string.
    fn field(&mut self, field: &'a ruff_python_ast::InterpolatedElement, place: Place) -> Texts {
        if field.format_spec.is_none()
            && field.debug_text.is_none()
            && field.conversion.to_byte().is_none()
        {
            let known = self.resolve(&field.expression, place);
            if let ([text], false) = (&known.texts[..], known.unknown)
                && text.dynamic.is_none()
                && text.kind == Kind::Plain
            {
                return known;
            }
        }
        let shown = self.show(field.expression.range());
        Texts::one(
            self.hole(field.range, &format!("the f-string's `{{{shown}}}`"))
                .named(shown),
        )
    }

    /// A chain of `+`, which is as deep as it is long.
    fn sum(&mut self, expr: &'a Expr, place: Place) -> Texts {
        let mut terms = Vec::new();
        let mut left = expr;
        while let Expr::BinOp(operation) = left
            && operation.op == Operator::Add
        {
            terms.push(&*operation.right);
            left = &operation.left;
        }
        terms.push(left);
        let mut found = Texts::one(Text::default());
        let mut any = false;
        for term in terms.into_iter().rev() {
            self.steps = self.steps.saturating_sub(1);
            let next = self.resolve(term, place);
            any |= !next.texts.is_empty();
            let next = self.or_hole(next, term, "adds");
            found = found.followed_by(&next);
        }
        if any { found } else { Texts::unknown() }
    }

    fn call(&mut self, call: &'a ExprCall, place: Place) -> Texts {
        let first = call.arguments.args.first();
        if let Some((kind, wrapped)) = self.wrapper(call) {
            return match wrapped {
                Some(wrapped) => self.resolve(wrapped, place).map(|mut text| {
                    text.kind = kind;
                    text
                }),
                None => Texts::unknown(),
            };
        }
        match &*call.func {
            Expr::Name(name) => match (name.id.as_str(), first) {
                ("dedent", Some(value)) => self.resolve(value, place).map(Text::dedent),
                ("cleandoc", Some(value)) => self
                    .resolve(value, place)
                    .map(|text| text.dedent().strip(true, true)),
                ("str" | "bytes", Some(value)) => self.resolve(value, place),
                ("cast", _) => call
                    .arguments
                    .args
                    .get(1)
                    .map_or_else(Texts::unknown, |value| self.resolve(value, place)),
                _ => self.composable(call, place),
            },
            Expr::Attribute(method) => self.method(call, method, place),
            _ => Texts::unknown(),
        }
    }

    /// A function of a module, or a method of a text.
    fn method(&mut self, call: &'a ExprCall, method: &'a ExprAttribute, place: Place) -> Texts {
        let mut own = || self.resolve(&method.value, place);
        match (method.attr.as_str(), call.arguments.args.first()) {
            ("dedent", Some(value)) => self.resolve(value, place).map(Text::dedent),
            ("cleandoc", Some(value)) => self
                .resolve(value, place)
                .map(|text| text.dedent().strip(true, true)),
            ("strip", None) => own().map(|text| text.strip(true, true)),
            ("lstrip", None) => own().map(|text| text.strip(true, false)),
            ("rstrip", None) => own().map(|text| text.strip(false, true)),
            ("encode" | "decode" | "as_string" | "as_bytes", _) => own(),
            ("format", _) => self.format(call, &method.value, place),
            ("join", Some(values)) => self.join(&method.value, values, place),
            (name, _) => {
                let found = self.composable(call, place);
                if !found.unknown {
                    return found;
                }
                let message = format!("`.{name}(…)` changes the text");
                self.resolve(&method.value, place)
                    .dynamic(span(call.range()), &message)
            }
        }
    }

    /// `SQL("…")` of psycopg or `text("…")` of `SQLAlchemy`: what it makes of which argument.
    fn wrapper(&self, call: &'a ExprCall) -> Option<(Kind, Option<&'a Expr>)> {
        let (module, name) = self.callee(&call.func)?;
        let drivers = &self.module.drivers;
        if drivers.is_text(module, name) {
            return Some((Kind::Named, call.arguments.find_argument_value("text", 0)));
        }
        (drivers.composable(module, name) == Some("SQL")).then(|| {
            (
                Kind::Composed,
                call.arguments.find_argument_value("string", 0),
            )
        })
    }

    /// The module and the name of a function that is called: `sql.SQL`.
    pub(super) fn callee(&self, function: &'a Expr) -> Option<(Option<&'a str>, &'a str)> {
        match function {
            Expr::Name(name) => Some((None, name.id.as_str())),
            Expr::Attribute(attribute) => match &*attribute.value {
                object @ (Expr::Name(_) | Expr::Attribute(_)) => Some((
                    Some(&self.source[span(object.range())]),
                    attribute.attr.as_str(),
                )),
                _ => None,
            },
            _ => None,
        }
    }

    /// A part that is known only at run time.
    #[expect(
        clippy::unused_self,
        reason = "it reads as what the resolver finds, next to `show`"
    )]
    pub(super) fn hole(&self, range: TextRange, part: &str) -> Text {
        Text::hole("", Some(Dynamic::at_run_time(span(range), part)))
    }

    /// What was found of an expression; a hole if that is not all: it is what something `joins` or `adds`.
    pub(super) fn or_hole(&self, found: Texts, expr: &Expr, verb: &str) -> Texts {
        if !found.unknown && !found.texts.is_empty() {
            return found;
        }
        let shown = self.show(expr.range());
        let hole = self.hole(expr.range(), &format!("what `{shown}` {verb}"));
        Texts::one(hole.named(shown))
    }

    /// The source of an expression, short enough for a message.
    pub(super) fn show(&self, range: TextRange) -> &'a str {
        let text = &self.source[span(range)];
        let line = text.lines().next().unwrap_or(text);
        match line.char_indices().nth(40) {
            Some((end, _)) => &line[..end],
            None => line,
        }
    }
}

/// The line of a byte; the first is 1.
pub(super) fn line_of(source: &str, at: usize) -> usize {
    1 + memchr::memchr_iter(b'\n', &source.as_bytes()[..at]).count()
}

pub(super) fn span(range: TextRange) -> Range<usize> {
    range.to_std_range()
}
