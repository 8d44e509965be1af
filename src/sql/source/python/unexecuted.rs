//! Texts that no call of the file executes: what is made with `SQLAlchemy`'s `text`, and constants.

use rustc_hash::FxHashSet;
use std::ops::Range;

use ruff_python_ast::Expr;
use ruff_text_size::{Ranged, TextRange};

use super::calls::{Found, is_numbered};
use super::import::entry;
use super::looks::{has_placeholder, is_surely_sql, looks_like_sql};
use super::resolve::{Resolver, span};
use super::scope::{CallSite, Source, Value};
use super::text::{Kind, Text};
use super::{File, Others};
use crate::sql::source::elsewhere::Match;
use crate::sql::source::{Dynamic, Elsewhere, Reading};
use crate::sql::translate::{Paramstyle, Style, translate};

/// Names of functions that show a text and do not execute it.
const SHOWING: &[&str] = &[
    "print",
    "pprint",
    "log",
    "debug",
    "info",
    "warn",
    "warning",
    "error",
    "exception",
    "critical",
    "format",
];

/// Adds the texts of `SQLAlchemy`'s `text` that no call of the file executes.
pub(super) fn texts<'a>(file: &File<'a>, resolver: &mut Resolver<'_, 'a>, found: &mut Vec<Found>) {
    let start = |text: &Text| text.pieces.first().map(|piece| piece.file.start);
    let mut known: FxHashSet<_> = found.iter().map(|found| start(&found.text)).collect();
    for site in &file.module.calls {
        let callee = resolver.callee(&site.call.func);
        if !callee.is_some_and(|(module, name)| file.module.drivers.is_text(module, name)) {
            continue;
        }
        let Some(argument) = site.call.arguments.args.first() else {
            continue;
        };
        let texts = resolver.texts(argument, site.scope).texts;
        let touched = std::mem::take(&mut resolver.touched);
        for mut text in texts {
            let first = start(&text);
            if known.contains(&first) || !looks_like_sql(&text.sql) {
                continue;
            }
            known.insert(first);
            text.kind = Kind::Named;
            found.push(of_text(file, text, *site, touched.clone()));
        }
    }
}

fn of_text(file: &File<'_>, text: Text, site: CallSite<'_>, touched: Vec<TextRange>) -> Found {
    let style = Style::Known(if is_numbered(&text.sql) {
        Paramstyle::NumericDollar
    } else {
        Paramstyle::Named
    });
    let named = translate(&text.sql, style).map_or(true, |found| !found.parameters.is_empty());
    let line = file.line_of(site.call.range().start().to_usize());
    let reason = named.then(|| Dynamic {
        file: span(site.call.range()),
        message: format!("no call in this file executes the `text` of line {line}, so its arguments are not known"),
    });
    Found {
        text,
        name: None,
        style,
        call: None,
        elsewhere: Vec::new(),
        reason,
        touched,
    }
}

/// A text that a module or a class gives a name, for others to execute.
#[derive(Debug)]
struct Constant<'a> {
    scope: usize,
    name: &'a str,
    /// Of an entry of a dict.
    key: Option<&'a str>,
    value: &'a Expr,
    binding: TextRange,
}

impl Constant<'_> {
    /// What the file calls it.
    fn shown(&self) -> String {
        match self.key {
            Some(key) => format!("{}[{key:?}]", self.name),
            None => self.name.to_owned(),
        }
    }

    /// The names that lead to it from the module: those of the classes around it, and its own.
    fn names(&self, file: &File<'_>) -> Vec<String> {
        let scopes = &file.module.scopes;
        let around = std::iter::successors(Some(self.scope), |scope| scopes[*scope].parent);
        let classes = around.filter(|scope| *scope != 0);
        let mut names: Vec<String> = classes.map(|scope| scopes[scope].name.to_owned()).collect();
        names.reverse();
        names.push(self.name.to_owned());
        names.extend(self.key.map(entry));
        names
    }

    fn source(&self) -> Source {
        Source {
            scope: self.scope,
            name: self.name.to_owned(),
            binding: self.binding,
            member: self.scope != 0,
        }
    }

    /// The bytes that name it in the file, or else the first ones of its value.
    fn place(&self, source: &str) -> Range<usize> {
        let start = self.binding.start().to_usize();
        if self.key.is_none() && source[start..].starts_with(self.name) {
            return start..start + self.name.len();
        }
        span(self.value.range())
    }
}

/// Adds the constants that hold SQL with placeholders and that no call of the file executes.
pub(super) fn constants<'a>(
    file: &File<'a>,
    others: &Others<'_>,
    resolver: &mut Resolver<'_, 'a>,
    found: &mut Vec<Found>,
) {
    let places = |text: &Text| {
        let pieces = text.pieces.iter().map(|piece| piece.file.start);
        pieces.collect::<Vec<_>>()
    };
    let mut seen: FxHashSet<usize> = found.iter().flat_map(|found| places(&found.text)).collect();
    let mut written = written(file);
    // What is made of other constants stands behind them, and is told in their place.
    written.sort_by_key(|constant| std::cmp::Reverse(constant.value.range().start()));
    for constant in written {
        let known = resolver.texts(constant.value, constant.scope);
        let touched = std::mem::take(&mut resolver.touched);
        for text in known.texts {
            let uses = others.uses.of(&others.module, &constant.names(file));
            let places = places(&text);
            let executed = uses.iter().any(|(used, _)| used.reading != Reading::Read);
            if !executed {
                if !uses.is_empty()
                    && let Some(same) = same(found, &text)
                {
                    same.elsewhere.extend(elsewhere(file, &constant, &uses));
                }
            } else if looks_like_sql(&text.sql) {
                seen.extend(places);
                used(file, &constant, (text, &touched), &uses, found);
                continue;
            }
            let known = places.iter().all(|place| seen.contains(place));
            if known
                || text.dynamic.is_some() && !constant.value.is_f_string_expr()
                || !has_placeholder(&text.sql)
                || !is_surely_sql(&text.sql)
                || is_shown(file, &constant)
            {
                continue;
            }
            seen.extend(places);
            found.push(of_constant(file, &constant, text, touched.clone()));
        }
    }
}

fn of_constant(
    file: &File<'_>,
    constant: &Constant<'_>,
    text: Text,
    touched: Vec<TextRange>,
) -> Found {
    let shown = constant.shown();
    Found {
        text: text.from(&constant.source()),
        name: Some(constant.key.unwrap_or(constant.name).to_owned()),
        style: Style::Psycopg,
        call: None,
        elsewhere: Vec::new(),
        reason: Some(Dynamic {
            file: constant.place(file.source),
            message: format!(
                "no call in this file executes `{shown}`, so its arguments are not known"
            ),
        }),
        touched,
    }
}

/// What was found of the same text.
fn same<'f>(found: &'f mut [Found], text: &Text) -> Option<&'f mut Found> {
    found
        .iter_mut()
        .find(|found| found.text.sql == text.sql && found.text.pieces == text.pieces)
}

/// The uses of a constant, for its query.
fn elsewhere(file: &File<'_>, constant: &Constant<'_>, uses: &[Match<'_>]) -> Vec<Elsewhere> {
    let each = uses.iter().map(|(used, _)| Elsewhere {
        file: constant.place(file.source),
        name: constant.shown(),
        place: used.place(),
        reading: used.reading.clone(),
    });
    each.collect()
}

/// Adds a constant that other files execute, or what they execute to what calls of this file do.
fn used(
    file: &File<'_>,
    constant: &Constant<'_>,
    (text, touched): (Text, &[TextRange]),
    uses: &[Match<'_>],
    found: &mut Vec<Found>,
) {
    let elsewhere = elsewhere(file, constant, uses);
    for (used, _) in uses.iter().filter(|(_, sure)| *sure) {
        used.hold();
    }
    if let Some(same) = same(found, &text) {
        same.elsewhere.extend(elsewhere);
        return;
    }
    let mut added = of_constant(file, constant, text, touched.to_vec());
    added.elsewhere.extend(elsewhere);
    let mut calls = uses
        .iter()
        .filter(|(used, _)| used.reading != Reading::Read);
    if calls.clone().any(|(_, sure)| *sure) {
        added.reason = None;
        if would_be_read_again(&added.text.sql, uses) {
            added.reason = Some(Dynamic {
                file: constant.place(file.source),
                message: format!(
                    "`{}` has no placeholders and is executed with arguments: nothing would show that its `%%` was read already",
                    constant.shown()
                ),
            });
        }
        let bare = calls.all(|(used, _)| used.reading == Reading::Bare);
        if added.text.kind == Kind::Named {
            added.style = Style::Known(Paramstyle::Named);
        } else if bare {
            added.style = Style::NoParameters;
        }
    }
    if is_numbered(&added.text.sql) {
        added.style = Style::Known(Paramstyle::NumericDollar);
    }
    found.push(added);
}

/// Whether a call in another file gives arguments to a text without placeholders that has `%%`.
fn would_be_read_again(sql: &str, uses: &[Match<'_>]) -> bool {
    sql.contains("%%")
        && !has_placeholder(sql)
        && uses
            .iter()
            .any(|(used, _)| !matches!(used.reading, Reading::Bare | Reading::Read))
}

/// What the module and its classes give names to: expressions, and the entries of dicts that are written out.
fn written<'a>(file: &File<'a>) -> Vec<Constant<'a>> {
    let module = &file.module;
    let mut found = Vec::new();
    for (scope, here) in module.scopes.iter().enumerate() {
        // The names of a function end with it, and so do those of its classes.
        let mut outer = std::iter::successors(Some(scope), |scope| module.scopes[*scope].parent);
        if !outer.all(|scope| scope == 0 || module.scopes[scope].class) {
            continue;
        }
        for (name, bindings) in &here.names {
            for binding in bindings {
                let Value::Is(value) = binding.value else {
                    continue;
                };
                let constant = |key, value| Constant {
                    scope,
                    name,
                    key,
                    value,
                    binding: binding.range,
                };
                if let Expr::Dict(dict) = value {
                    found.extend(dict.items.iter().filter_map(|item| match &item.key {
                        Some(Expr::StringLiteral(key)) => {
                            Some(constant(Some(key.value.to_str()), &item.value))
                        }
                        _ => None,
                    }));
                } else if may_be_text(value) {
                    found.push(constant(None, value));
                }
            }
        }
    }
    found
}

/// Whether an expression may be a text that is written out.
fn may_be_text(value: &Expr) -> bool {
    matches!(
        value,
        Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::FString(_)
            | Expr::BinOp(_)
            | Expr::Call(_)
            | Expr::If(_)
    )
}

/// Whether the module itself fills the text, or shows it to somebody.
fn is_shown(file: &File<'_>, constant: &Constant<'_>) -> bool {
    let module = &file.module;
    let source = constant.source();
    let named = module
        .reads
        .iter()
        .filter(|read| read.name == constant.name);
    let reads = named
        .filter(|read| {
            module.sees(read.scope, read.name, read.range, source.binding) == Some(source.scope)
        })
        .map(|read| read.range);
    let members = module
        .attributes
        .iter()
        .filter(|(name, _)| source.member && *name == constant.name);
    let mut reads = reads.chain(members.map(|(_, range)| *range));
    reads.any(|read| {
        let filled = module
            .filled
            .iter()
            .any(|filled| filled.contains_range(read));
        filled || module.calls.iter().any(|site| shows(site, read))
    })
}

/// Whether the call shows what is read there, or fills it.
fn shows(site: &CallSite<'_>, read: TextRange) -> bool {
    if !site.call.range().contains_range(read) {
        return false;
    }
    match &*site.call.func {
        Expr::Name(name) => SHOWING.contains(&name.id.as_str()),
        Expr::Attribute(method) => SHOWING.contains(&method.attr.as_str()),
        _ => false,
    }
}
