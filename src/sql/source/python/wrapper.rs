//! Functions of the program that take SQL: whether what is in the file of them hands the text to a driver as it is.

use ruff_python_ast::Expr;

use super::File;
use super::method::{Method, candidates};
use super::scope::{CallSite, Module, Value};

/// Words in the names of functions that show a text, or fill it.
const CHANGING: &[&str] = &[
    "format", "fmt", "log", "debug", "print", "show", "render", "dump",
];

/// How many functions are followed from one into the next.
const DEEPEST: usize = 4;

/// Whether the function may do something else with its text than to execute it, as its name tells, or its body in this file.
pub(super) fn may_change(file: &File<'_>, site: CallSite<'_>, name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    if lower.split('_').any(|word| CHANGING.contains(&word)) {
        return true;
    }
    let module = &file.module;
    is_lambda(module, site)
        || !bodies(module, site, name)
            .iter()
            .all(|body| hands_on(module, *body, 0))
}

/// The functions of the file that a call may mean, by their scopes.
fn bodies(module: &Module<'_>, site: CallSite<'_>, name: &str) -> Vec<usize> {
    let (method, own) = match &*site.call.func {
        Expr::Name(_) => (false, true),
        Expr::Attribute(found) => {
            let of_self = |object: &Expr| matches!(object, Expr::Name(object) if matches!(object.id.as_str(), "self" | "cls"));
            (true, of_self(&found.value))
        }
        _ => return Vec::new(),
    };
    if !method && imports(module, site.scope, name) {
        return Vec::new();
    }
    let around: Vec<usize> =
        std::iter::successors(Some(site.scope), |scope| module.scopes[*scope].parent).collect();
    let found = (1..module.scopes.len()).filter(|&index| {
        let scope = &module.scopes[index];
        let in_class = scope
            .parent
            .is_some_and(|parent| module.scopes[parent].class);
        // `self.db.query(…)` in a method `query` is another object's.
        !scope.class
            && scope.name == name
            && in_class == method
            && (own || !around.contains(&index))
    });
    found.collect()
}

fn imports(module: &Module<'_>, scope: usize, name: &str) -> bool {
    let owner = module.owner(scope, name);
    let bindings = owner.and_then(|owner| module.scopes[owner].names.get(name));
    bindings.is_some_and(|bindings| {
        bindings
            .iter()
            .any(|binding| matches!(binding.value, Value::Imported(..)))
    })
}

fn is_lambda(module: &Module<'_>, site: CallSite<'_>) -> bool {
    let Expr::Name(function) = &*site.call.func else {
        return false;
    };
    let name = function.id.as_str();
    let owner = module.owner(site.scope, name);
    let bindings = owner.and_then(|owner| module.scopes[owner].names.get(name));
    bindings.is_some_and(|bindings| {
        let mut values = bindings.iter().map(|binding| binding.value);
        values.any(|value| matches!(value, Value::Is(Expr::Lambda(_))))
    })
}

/// Whether a function executes one of its parameters with values, and fills it nowhere.
fn hands_on(module: &Module<'_>, body: usize, depth: usize) -> bool {
    let spread = module.drivers.asyncpg && !module.drivers.psycopg;
    let inside = |scope: usize| {
        let mut around = std::iter::successors(Some(scope), |scope| module.scopes[*scope].parent);
        around.any(|scope| scope == body)
    };
    let mut sites = module.calls.iter().filter(|site| inside(site.scope));
    sites.any(|site| {
        let name = match &*site.call.func {
            Expr::Attribute(function) => function.attr.as_str(),
            Expr::Name(function) => function.id.as_str(),
            _ => return false,
        };
        let Some(method) = Method::of(name, spread) else {
            return false;
        };
        let arguments = &site.call.arguments;
        if arguments.args.len() + arguments.keywords.len() < 2 {
            return false;
        }
        let mut texts =
            candidates(arguments).filter(|(position, _)| method.takes_text_at(*position));
        let given = texts.any(|(_, text)| is_parameter(module, text, site.scope, body));
        let known = || {
            let bodies = bodies(module, *site, name);
            depth < DEEPEST
                && !bodies.is_empty()
                && bodies.iter().all(|body| hands_on(module, *body, depth + 1))
        };
        given && (method != Method::Wrapper || known())
    })
}

/// Whether it is what the function's caller gives, unchanged.
fn is_parameter(module: &Module<'_>, text: &Expr, scope: usize, body: usize) -> bool {
    let Expr::Name(text) = text else { return false };
    let name = text.id.as_str();
    let given = module.owner(scope, name) == Some(body)
        && matches!(&module.scopes[body].names.get(name).map(Vec::as_slice),
            Some([only]) if matches!(only.value, Value::Unknown));
    let mut reads = module
        .reads
        .iter()
        .filter(|read| read.name == name && module.owner(read.scope, name) == Some(body));
    given
        && !reads.any(|read| {
            let mut filled = module.filled.iter();
            filled.any(|filled| filled.contains_range(read.range))
        })
}
