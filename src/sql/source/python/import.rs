//! What an expression reads of other modules, by the module's imports.

use std::fmt;

use ruff_python_ast::{Expr, FStringPart, Operator};
use ruff_text_size::Ranged;

use super::reach::Step;
use super::scope::{Module, Value};

/// How deep names are followed into what they were assigned.
const DEEPEST: usize = 8;

/// A name of another module, as the importing module spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Imported {
    /// How many folders up from the module, if its import says so: `from . import name` has one.
    pub(super) level: usize,
    /// The modules, classes and names to it; an entry of a dict is `["key"]`, and `[]` if any may be meant.
    pub(super) path: Vec<String>,
    /// Whether it is the text, and not a part of it.
    pub(super) whole: bool,
}

impl Imported {
    fn member(mut self, name: &str) -> Self {
        self.path.push(name.to_owned());
        self
    }

    fn part(mut self) -> Self {
        self.whole = false;
        self
    }

    /// The module that defines it, as far as the names' case tells modules from classes.
    pub(super) fn definer(&self) -> String {
        let mut modules = &self.path[..self.path.len().saturating_sub(1)];
        while let [more @ .., last] = modules
            && last.starts_with(|first: char| first.is_uppercase() || first == '[')
        {
            modules = more;
        }
        format!("{}{}", ".".repeat(self.level), modules.join("."))
    }
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut behind = false;
        for name in &self.path {
            let dot = if behind && !name.starts_with('[') {
                "."
            } else {
                ""
            };
            write!(f, "{dot}{name}")?;
            behind = true;
        }
        Ok(())
    }
}

/// The names of other modules that the text at `expr` may be, or may be made of.
pub(super) fn imported<'a>(module: &Module<'a>, expr: &'a Expr, scope: usize) -> Vec<Imported> {
    let mut found = Vec::new();
    follow(module, expr, scope, 0, &mut found);
    found
}

fn follow<'a>(
    module: &Module<'a>,
    expr: &'a Expr,
    scope: usize,
    depth: usize,
    found: &mut Vec<Imported>,
) {
    if depth > DEEPEST {
        return;
    }
    let deeper = |expr: &'a Expr| {
        let mut found = Vec::new();
        follow(module, expr, scope, depth + 1, &mut found);
        found
    };
    match expr {
        Expr::Name(name) => of_name(module, name.id.as_str(), expr, (scope, depth), found),
        Expr::Attribute(attribute) => {
            let of = deeper(&attribute.value).into_iter();
            let member = |of: Imported| of.member(attribute.attr.as_str());
            found.extend(of.filter(|of| of.whole).map(member));
        }
        Expr::Subscript(subscript) => {
            let of = deeper(&subscript.value).into_iter();
            let key = match &*subscript.slice {
                Expr::StringLiteral(key) => entry(key.value.to_str()),
                _ => "[]".to_owned(),
            };
            found.extend(of.filter(|of| of.whole).map(|of| of.member(&key)));
        }
        Expr::If(choice) => {
            found.extend(deeper(&choice.body));
            found.extend(deeper(&choice.orelse));
        }
        Expr::BoolOp(choice) => found.extend(choice.values.iter().flat_map(deeper)),
        Expr::Named(named) => found.extend(deeper(&named.value)),
        _ => {
            let parts = parts(expr).into_iter().flat_map(deeper);
            found.extend(parts.map(Imported::part));
        }
    }
}

/// The component of a path that an entry of a dict is.
pub(super) fn entry(key: &str) -> String {
    format!("[{key:?}]")
}

/// What another text is made of.
fn parts(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::BinOp(operation) if operation.op == Operator::Mod => vec![&operation.left],
        Expr::BinOp(operation) => vec![&operation.left, &operation.right],
        Expr::Call(call) => {
            let receiver = match &*call.func {
                Expr::Attribute(method) => Some(&*method.value),
                _ => None,
            };
            receiver.into_iter().chain(&call.arguments.args).collect()
        }
        Expr::FString(literal) => {
            let parts = literal.value.iter().filter_map(|part| match part {
                FStringPart::FString(part) => Some(&part.elements),
                FStringPart::Literal(_) => None,
            });
            parts
                .flat_map(ruff_python_ast::InterpolatedStringElements::interpolations)
                .map(|field| &*field.expression)
                .collect()
        }
        _ => Vec::new(),
    }
}

fn of_name<'a>(
    module: &Module<'a>,
    name: &str,
    expr: &'a Expr,
    (scope, depth): (usize, usize),
    found: &mut Vec<Imported>,
) {
    let Some((owner, steps)) = module.reaching(scope, name, expr.range().start()) else {
        // What no assignment makes, `import *` may bring.
        let stars = module.stars.iter().map(|star| {
            let from = star.module.as_ref().map_or("", |from| from.as_str());
            brought(star.level, from, Some(name))
        });
        found.extend(stars);
        return;
    };
    for step in steps {
        let mut made = Vec::new();
        match step.binding().value {
            Value::Imported(None, alias) => {
                let whole = alias.name.as_str();
                let first = whole.split('.').next().unwrap_or(whole);
                let bound = alias.asname.as_ref().map_or(first, |_| whole);
                made.push(brought(0, bound, None));
            }
            Value::Imported(Some(from), alias) => {
                let module = from.module.as_ref().map_or("", |from| from.as_str());
                made.push(brought(from.level, module, Some(alias.name.as_str())));
            }
            Value::Is(value) | Value::Appends(value) => {
                follow(module, value, owner, depth + 1, &mut made);
            }
            Value::Each(values) => {
                for value in values {
                    follow(module, value, owner, depth + 1, &mut made);
                }
            }
            Value::Unknown => {}
        }
        let whole = matches!(step, Step::Set(_));
        found.extend(
            made.into_iter()
                .map(|of| if whole { of } else { of.part() }),
        );
    }
}

/// What an import brings.
fn brought(level: u32, module: &str, name: Option<&str>) -> Imported {
    let modules = module.split('.').filter(|part| !part.is_empty());
    Imported {
        level: usize::try_from(level).unwrap_or(usize::MAX),
        path: modules.chain(name).map(str::to_owned).collect(),
        whole: true,
    }
}
