//! The calls of a file whose texts other files hold.

use std::path::Path;

use ruff_python_ast::Expr;
use ruff_text_size::Ranged;

use super::arguments::{Given, arguments};
use super::calls::{Method, candidates};
use super::import::{Imported, imported};
use super::resolve::line_of;
use super::scope::CallSite;
use super::text::Text;
use super::{File, open, sends, wrapper};
use crate::sql::source::Arguments;
use crate::sql::source::elsewhere::{Reading, Use, folders};

/// The uses of other files' texts in a Python file; none if it is no Python, which is told when it is converted.
pub(super) fn uses(path: &Path, shown: &str, source: &str) -> Vec<Use> {
    if !sends::imported_texts(source) {
        return Vec::new();
    }
    let folders = folders(path);
    let read = |file: &File<'_>| {
        let sites = file.module.calls.iter();
        sites
            .flat_map(|site| of_call(file, *site, &folders, shown))
            .collect()
    };
    open(source, read).unwrap_or_default()
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
            let line = line_of(file.source, site.call.range().start().to_usize());
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
