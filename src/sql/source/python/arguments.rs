//! The arguments that a call gives to its text.

use std::ops::Range;

use ruff_python_ast::token::parenthesized_range;
use ruff_python_ast::{AnyNodeRef, DictItem, Expr, Keyword};
use ruff_text_size::Ranged;

use super::File;
use super::looks::has_placeholder;
use super::method::Method;
use super::reach::Step;
use super::resolve::span;
use super::scope::{CallSite, Value};
use super::text::Text;
use crate::sql::source::Arguments;
use crate::sql::translate::{Parameter, Style, translate};

/// Whether a call gives arguments, even none: psycopg reads the text differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    No,
    Yes,
    /// It depends on a value that is known only at run time.
    Maybe,
}

/// Names of arguments that hold the values.
const VALUES: &[&str] = &[
    "params",
    "vars",
    "args",
    "parameters",
    "values",
    "argslist",
    "vars_list",
    "params_seq",
    "seq_of_parameters",
    "arg_list",
    "param",
];

/// What the call gives to the text at `position` of its arguments.
pub(super) fn arguments<'a>(
    file: &File<'a>,
    site: CallSite<'a>,
    method: Method,
    position: Option<usize>,
    text: &Text,
) -> (Given, Arguments) {
    let arguments = &site.call.arguments;
    let rest = position
        .and_then(|position| arguments.args.get(position + 1..))
        .unwrap_or(&[]);
    let parent = AnyNodeRef::from(arguments);
    match method {
        Method::Alone => return (Given::No, Arguments::None),
        Method::Many | Method::Values => {
            return (
                Given::Yes,
                Arguments::Elsewhere("the rows of a call for many".to_owned()),
            );
        }
        Method::Spread => {
            if rest.is_empty() {
                return spread_by_name(file, site);
            }
            return spread(file, site.scope, rest, parent, text);
        }
        Method::Execute | Method::Wrapper => {}
    }
    match rest.first().or_else(|| by_name(arguments)) {
        Some(given) => values(file, site, given),
        None if arguments.keywords.iter().any(|word| word.arg.is_none()) => {
            maybe("`**` arguments".to_owned())
        }
        None => (Given::No, Arguments::None),
    }
}

/// What the argument gives that has all values.
fn values<'a>(file: &File<'a>, site: CallSite<'a>, given: &'a Expr) -> (Given, Arguments) {
    match given {
        Expr::NoneLiteral(_) => (Given::No, Arguments::None),
        Expr::Name(name) => match followed(file, site.scope, given) {
            Some(values) => (Given::Yes, values),
            None => maybe(format!("`{}`, which is built elsewhere", name.id.as_str())),
        },
        _ => written_out(file, site.scope, given, false).map_or_else(
            || not_written_out(file, given),
            |values| (Given::Yes, values),
        ),
    }
}

/// Arguments that may turn out to be none.
fn maybe(what: String) -> (Given, Arguments) {
    (Given::Maybe, Arguments::Elsewhere(what))
}

/// The argument whose name tells that it holds the values.
fn by_name(arguments: &ruff_python_ast::Arguments) -> Option<&Expr> {
    let holds = |keyword: &&Keyword| {
        let name = keyword.arg.as_ref();
        name.is_some_and(|name| VALUES.contains(&name.as_str()))
    };
    let found = arguments.keywords.iter().find(holds);
    found.map(|keyword| &keyword.value)
}

/// An argument whose values are known only at run time.
fn not_written_out(file: &File<'_>, given: &Expr) -> (Given, Arguments) {
    let sure = matches!(
        given,
        Expr::Tuple(_) | Expr::List(_) | Expr::Dict(_) | Expr::ListComp(_) | Expr::DictComp(_)
    );
    let source = &file.source[span(given.range())];
    let line = source.lines().next().unwrap_or_default();
    let shown: String = line.chars().take(40).collect();
    (
        if sure { Given::Yes } else { Given::Maybe },
        Arguments::Elsewhere(format!("`{shown}`, whose values are not written out")),
    )
}

/// What a call gives by names to a function that takes each value as an argument of its own.
fn spread_by_name<'a>(file: &File<'a>, site: CallSite<'a>) -> (Given, Arguments) {
    let arguments = &site.call.arguments;
    if let Some(values) = by_name(arguments) {
        let source = &file.source[span(values.range())];
        let line = source.lines().next().unwrap_or_default();
        let shown: String = line.chars().take(40).collect();
        return (
            Given::Yes,
            Arguments::Elsewhere(format!("`{shown}` by a name")),
        );
    }
    if arguments
        .keywords
        .iter()
        .any(|keyword| keyword.arg.is_none())
    {
        return maybe("`**` arguments".to_owned());
    }
    (Given::No, Arguments::None)
}

/// The values of a call that takes each as an argument of its own.
fn spread<'a>(
    file: &File<'a>,
    scope: usize,
    rest: &'a [Expr],
    parent: AnyNodeRef<'a>,
    text: &Text,
) -> (Given, Arguments) {
    if rest.iter().any(Expr::is_starred_expr) {
        return maybe("`*` arguments".to_owned());
    }
    // psycopg's arguments in a file that is on its way to asyncpg.
    if let ([only], true) = (rest, has_placeholder(&text.sql))
        && !is_value(only, text)
        && let Some(values) = written_out(file, scope, only, true)
    {
        return (Given::Yes, values);
    }
    let values: Vec<_> = rest
        .iter()
        .map(|value| (None, file.whole(value, parent)))
        .collect();
    match (values.first(), values.last()) {
        (Some((_, first)), Some((_, last))) => {
            let file = first.start..last.end;
            (
                Given::Yes,
                Arguments::Values {
                    file,
                    values,
                    spread: true,
                },
            )
        }
        _ => (Given::No, Arguments::None),
    }
}

/// Whether a list is the value of the text's only placeholder, an array, and not the list of its values.
fn is_value(given: &Expr, text: &Text) -> bool {
    let only = || {
        let found = translate(&text.sql, Style::Psycopg);
        found.is_ok_and(|found| matches!(found.parameters[..], [Parameter::Position(_)]))
    };
    given.is_list_expr() && only()
}

/// The values of a tuple, a list or a mapping that is written out.
fn written_out<'a>(
    file: &File<'a>,
    scope: usize,
    given: &'a Expr,
    spread: bool,
) -> Option<Arguments> {
    let own = AnyNodeRef::from(given);
    let values: Vec<(Option<String>, Range<usize>)> = match given {
        Expr::Tuple(tuple) => sequence(file, &tuple.elts, own)?,
        Expr::List(list) => sequence(file, &list.elts, own)?,
        Expr::Dict(dict) => {
            let pair = |item: &'a DictItem| match &item.key {
                Some(Expr::StringLiteral(key)) => Some((
                    Some(key.value.to_str().to_owned()),
                    file.whole(&item.value, own),
                )),
                _ => None,
            };
            dict.items.iter().map(pair).collect::<Option<_>>()?
        }
        Expr::Call(call)
            if matches!(&*call.func, Expr::Name(name) if name.id == "dict")
                && call.arguments.args.is_empty()
                && file.module.owner(scope, "dict").is_none() =>
        {
            let pair = |keyword: &'a Keyword| {
                let name = keyword.arg.as_ref()?.as_str().to_owned();
                Some((
                    Some(name),
                    file.whole(&keyword.value, AnyNodeRef::from(keyword)),
                ))
            };
            call.arguments
                .keywords
                .iter()
                .map(pair)
                .collect::<Option<_>>()?
        }
        _ => return None,
    };
    Some(Arguments::Values {
        file: span(given.range()),
        values,
        spread,
    })
}

fn sequence<'a>(
    file: &File<'a>,
    values: &'a [Expr],
    parent: AnyNodeRef<'a>,
) -> Option<Vec<(Option<String>, Range<usize>)>> {
    let starred = values.iter().any(Expr::is_starred_expr);
    (!starred).then(|| {
        values
            .iter()
            .map(|value| (None, file.whole(value, parent)))
            .collect()
    })
}

/// The values of a variable that one assignment in the same function writes out, and that only this call reads.
fn followed<'a>(file: &File<'a>, scope: usize, given: &'a Expr) -> Option<Arguments> {
    let Expr::Name(name) = given else { return None };
    let name_text = name.id.as_str();
    let (owner, steps) = file.module.reaching(scope, name_text, name.range.start())?;
    let [Step::Set(binding)] = steps[..] else {
        return None;
    };
    let Value::Is(value) = binding.value else {
        return None;
    };
    // Another function, or another name of the same values, would see the change.
    if binding.foreign || file.module.chained.contains_key(&binding.range) {
        return None;
    }
    let read_once = file
        .module
        .reads
        .iter()
        .filter(|read| {
            read.name == name_text && file.module.owner(read.scope, name_text) == Some(owner)
        })
        .filter(|read| {
            file.module
                .sees(read.scope, name_text, read.range, binding.range)
                .is_some()
        })
        .count()
        == 1;
    if owner != scope || !read_once {
        return None;
    }
    written_out(file, scope, value, false)
}

impl<'a> File<'a> {
    /// The bytes of an expression with the parentheses around it.
    pub(super) fn whole(&self, expr: &'a Expr, parent: AnyNodeRef<'a>) -> Range<usize> {
        let range =
            parenthesized_range(expr.into(), parent, self.tokens).unwrap_or_else(|| expr.range());
        span(range)
    }
}
