//! The calls of a file whose texts other files hold.

use std::path::Path;

use ruff_python_ast::Expr;
use ruff_text_size::{Ranged, TextRange};

use super::arguments::{Given, arguments};
use super::import::{Imported, imported};
use super::method::{Method, candidates};
use super::scope::{Binding, CallSite, Value};
use super::text::Text;
use super::{File, open, sends, wrapper};
use crate::sql::source::elsewhere::{Reading, Use, folders};
use crate::sql::source::{Arguments, Uses};

/// The uses of other files' texts in a Python file; none if it is no Python, which is told when it is converted.
pub(super) fn uses(path: &Path, shown: &str, source: &str) -> Vec<Use> {
    let folders = folders(path);
    let read = |file: &File<'_>| {
        let sites = file.module.calls.iter();
        sites
            .flat_map(|site| of_call(file, *site, &folders, shown))
            .collect()
    };
    open(source, read).unwrap_or_default()
}

/// What a file reads of the constants of others otherwise than as the text of a call that executes it.
pub(super) fn reads(path: &Path, shown: &str, source: &str, uses: &Uses) -> Vec<Use> {
    if !sends::reads(source, |name| uses.is_constant(name)) {
        return Vec::new();
    }
    let folders = folders(path);
    let read = |file: &File<'_>| {
        let texts = texts(file);
        let mut found = Vec::new();
        for &(expr, scope) in &file.module.loads {
            // A member has its own name; what a name alone stands for may be called otherwise where it comes from.
            let member = expr.as_attribute_expr().map(|read| read.attr.as_str());
            // What an assignment brings is told where it is assigned.
            if member.is_some_and(|name| !uses.is_constant(name))
                || !names_import(file, expr, scope)
            {
                continue;
            }
            for other in imported(&file.module, expr, scope) {
                let named = other.path.last().is_some_and(|name| uses.is_constant(name));
                if named && !is_text(file, &texts, expr.range()) {
                    let line = file.line_of(expr.range().start().to_usize());
                    let place = format!("{shown}:{line}");
                    let path = absolute(&folders, other);
                    // A dict's name is read with all of its entries.
                    let entries = path.iter().cloned().chain(["[]".to_owned()]).collect();
                    found.push(Use::new(path, place.clone(), Reading::Read));
                    found.push(Use::new(entries, place, Reading::Read));
                }
            }
        }
        found
    };
    open(source, read).unwrap_or_default()
}

/// Whether the expression reads what an import brings, and no variable that got it.
fn names_import(file: &File<'_>, expr: &Expr, scope: usize) -> bool {
    let mut root = expr;
    while let Expr::Attribute(attribute) = root {
        root = &attribute.value;
    }
    let Expr::Name(name) = root else { return false };
    let module = &file.module;
    let found = module.reaching(scope, name.id.as_str(), name.range.start());
    found.is_none_or(|(_, steps)| {
        let mut values = steps.iter().map(|step| step.binding().value);
        values.any(|value| matches!(value, Value::Imported(..)))
    })
}

/// The arguments that are the texts of calls that take SQL.
fn texts(file: &File<'_>) -> Vec<TextRange> {
    let spread = file.module.drivers.asyncpg && !file.module.drivers.psycopg;
    let mut found = Vec::new();
    for site in &file.module.calls {
        let name = match &*site.call.func {
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            Expr::Name(name) => name.id.as_str(),
            _ => continue,
        };
        if let Some(method) = Method::of(name, spread) {
            let texts = candidates(&site.call.arguments)
                .filter(|(position, _)| method.takes_text_at(*position));
            found.extend(texts.map(|(_, text)| text.range()));
        }
    }
    found
}

/// Whether what is read there is a call's text, or is assigned to a name that is nothing else.
fn is_text(file: &File<'_>, texts: &[TextRange], read: TextRange) -> bool {
    let within = |range: TextRange| texts.iter().any(|text| text.contains_range(range));
    if within(read) {
        return true;
    }
    let module = &file.module;
    let holds = |binding: &Binding<'_>| match binding.value {
        Value::Is(value) | Value::Appends(value) => value.range().contains_range(read),
        Value::Each(values) => values
            .iter()
            .any(|value| value.range().contains_range(read)),
        Value::Imported(..) | Value::Unknown => false,
    };
    let executed = |owner: usize, name: &str, binding: TextRange| {
        let reads = module.reads.iter().filter(|read| {
            read.name == name && module.sees(read.scope, name, read.range, binding) == Some(owner)
        });
        let mut reads = reads.map(|read| read.range).peekable();
        reads.peek().is_some() && reads.all(within)
    };
    let mut scopes = module.scopes.iter().enumerate();
    scopes.any(|(owner, scope)| {
        scope.names.iter().any(|(name, bindings)| {
            let mut holding = bindings.iter().filter(|binding| holds(binding));
            holding.any(|binding| executed(owner, name, binding.range))
        })
    })
}

fn of_call(file: &File<'_>, site: CallSite<'_>, folders: &[String], shown: &str) -> Vec<Use> {
    let name = match &*site.call.func {
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        Expr::Name(name) => name.id.as_str(),
        _ => return Vec::new(),
    };
    let spread = file.module.drivers.asyncpg && !file.module.drivers.psycopg;
    let Some(method) = Method::of(name, spread) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (position, argument) in candidates(&site.call.arguments) {
        if !method.takes_text_at(position) {
            continue;
        }
        for other in imported(&file.module, argument, site.scope) {
            let line = file.line_of(site.call.range().start().to_usize());
            let reading = if other.whole {
                reading(file, site, (method, name), position)
            } else {
                Reading::Never("as a part of another text".to_owned())
            };
            found.push(Use::new(
                absolute(folders, other),
                format!("{shown}:{line}"),
                reading,
            ));
        }
    }
    found
}

/// What the call needs of its text.
fn reading(
    file: &File<'_>,
    site: CallSite<'_>,
    (method, name): (Method, &str),
    position: Option<usize>,
) -> Reading {
    if file.module.drivers.foreign() {
        return Reading::Never("by another database's driver".to_owned());
    }
    // Only whether it has placeholders matters for how the arguments are read.
    let text = Text {
        sql: "%s".to_owned(),
        ..Text::default()
    };
    let (given, arguments) = arguments(file, site, method, position, &text);
    let own = method == Method::Wrapper && !(name.contains("execut") && given != Given::No);
    if method == Method::Wrapper && wrapper::may_change(file, site, name) {
        return Reading::Never(format!("by `{name}`, which is no driver's function"));
    }
    match arguments {
        Arguments::Values { values, .. } if values.iter().any(|(name, _)| name.is_some()) => {
            Reading::Never("with a mapping, whose values would have to be put in order".to_owned())
        }
        _ if method == Method::Spread => {
            Reading::Never(format!("by `{name}`, which takes each value for itself"))
        }
        _ if method == Method::Values => {
            Reading::Never(format!("by `{name}`, which puts rows into it"))
        }
        Arguments::Values { values, .. } => Reading::Values(values.len()),
        Arguments::None => Reading::Bare,
        Arguments::Elsewhere(_) if own => {
            Reading::Never(format!("by `{name}`, which is no driver's function"))
        }
        Arguments::Elsewhere(_) => Reading::Somehow,
    }
}

/// The path of an imported name from the root of all folders, or as much of it as the import says.
pub(super) fn absolute(folders: &[String], name: Imported) -> Vec<String> {
    if name.level == 0 {
        return name.path;
    }
    let up = folders.len().saturating_sub(name.level - 1);
    let around = folders[..up].iter().cloned();
    around.chain(name.path).collect()
}
