//! The calls of a file whose texts other files hold.

use std::path::Path;
use std::sync::Arc;

use ruff_python_ast::Expr;
use ruff_text_size::{Ranged, TextRange};
use rustc_hash::FxHashSet;

use super::arguments::{Given, arguments};
use super::import::{Imported, imported};
use super::method::{Method, candidates};
use super::scope::{Binding, CallSite, Value};
use super::sends::Brought;
use super::text::Text;
use super::{File, open, wrapper};
use crate::sql::source::elsewhere::{Reading, Use, folders};
use crate::sql::source::{Arguments, Constants};

/// What a Python file executes and reads of the constants of others; none if it is no Python, which is told when it is converted.
pub(super) fn uses(path: &Path, shown: &str, source: &str, known: &Constants) -> Vec<Use> {
    let brought = Brought::to(source);
    let Some(reads) = brought.reads(|name| known.sure(name)) else {
        return Vec::new();
    };
    if !reads && !brought.sent() {
        return Vec::new();
    }
    let read = |file: &File<'_>| {
        let user = User {
            file,
            folders: folders(path),
            shown: shown.into(),
            known,
        };
        let mut found = user.executes();
        if reads {
            user.reads(&mut found);
        }
        found
    };
    open(source, read).unwrap_or_default()
}

/// A file that uses the texts of others.
struct User<'f, 'a> {
    file: &'f File<'a>,
    folders: Vec<String>,
    /// What the file is called for a reader.
    shown: Arc<str>,
    known: &'f Constants,
}

impl User<'_, '_> {
    /// The constants that the file's calls execute.
    fn executes(&self) -> Vec<Use> {
        let sites = self.file.module.calls.iter();
        let calls = sites.flat_map(|site| self.of_call(*site));
        calls
            .filter(|found| self.known.may_hold(found.own()))
            .collect()
    }

    /// Adds what the file reads of constants otherwise than as the text of a call that executes it, each once.
    fn reads(&self, found: &mut Vec<Use>) {
        let module = &self.file.module;
        let texts = texts(self.file);
        let mut seen = FxHashSet::default();
        for &(expr, scope) in &module.loads {
            // A member has its own name, whatever its owner is called here. What a name alone stands for may be called otherwise where
            // it comes from; what an assignment brings is told where it is assigned.
            let may_read = match expr {
                Expr::Attribute(read) => self.known.hold(read.attr.as_str()),
                _ => names_import(self.file, expr, scope),
            };
            if !may_read {
                continue;
            }
            for other in imported(module, expr, scope) {
                let known = other.path.last().is_some_and(|name| self.known.hold(name));
                if !known || is_text(self.file, &texts, expr.range()) {
                    continue;
                }
                let names = absolute(&self.folders, other);
                if seen.insert(names.clone()) {
                    found.extend(self.used(names, expr.range(), Reading::Read));
                }
            }
        }
    }

    fn used(&self, names: Vec<String>, at: TextRange, reading: Reading) -> Option<Use> {
        let line = self.file.line_of(at.start().to_usize());
        Use::new(names, (&self.shown, line), reading)
    }

    fn of_call(&self, site: CallSite<'_>) -> Vec<Use> {
        let file = self.file;
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
                let reading = if other.whole {
                    reading(file, site, (method, name), position)
                } else {
                    Reading::Never("as a part of another text".to_owned())
                };
                let names = absolute(&self.folders, other);
                found.extend(self.used(names, site.call.range(), reading));
            }
        }
        found
    }
}

/// Whether a name reads what an import brings, and no variable that got it.
fn names_import(file: &File<'_>, expr: &Expr, scope: usize) -> bool {
    let Expr::Name(name) = expr else { return false };
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
