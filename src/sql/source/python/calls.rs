//! The calls that execute SQL: which function it is, which argument is the text, and how the text is read.

use ruff_python_ast::Expr;
use ruff_text_size::{Ranged, TextRange};

use super::arguments::{Given, arguments};
use super::import::{Imported, imported};
use super::looks::{has_placeholder, looks_like_sql};
use super::method::{Method, candidates};
use super::resolve::{Resolver, span};
use super::scope::CallSite;
use super::text::{Kind, Text};
use super::texts::MOST_TEXTS;
use super::{File, Others, wrapper};
use crate::sql::source::{Arguments, Call, Dynamic, Elsewhere};
use crate::sql::translate::{Parameter, Paramstyle, Style, translate};

/// A text that reaches a call.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) text: Text,
    pub(super) name: Option<String>,
    pub(super) style: Style,
    pub(super) call: Option<Call>,
    /// The calls of other files that execute it.
    pub(super) elsewhere: Vec<Elsewhere>,
    /// Why the call keeps the text from being rewritten.
    pub(super) reason: Option<Dynamic>,
    /// The reads that led to the text.
    pub(super) touched: Vec<TextRange>,
}

/// The texts that a call executes.
pub(super) fn examine<'a>(
    file: &File<'a>,
    others: &Others<'_>,
    resolver: &mut Resolver<'_, 'a>,
    site: CallSite<'a>,
) -> Vec<Found> {
    let drivers = &file.module.drivers;
    let name = match &*site.call.func {
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        Expr::Name(name) => name.id.as_str(),
        _ => return Vec::new(),
    };
    let spread = drivers.asyncpg && !drivers.psycopg;
    let Some(method) = Method::of(name, spread) else {
        return Vec::new();
    };
    for (position, argument) in candidates(&site.call.arguments) {
        let known = resolver.texts(argument, site.scope);
        let many = known.texts.len() > 1 || known.unknown;
        let cut = known.cut;
        let mut texts = known.texts;
        texts.retain(|text| looks_like_sql(&text.sql));
        if texts.is_empty() {
            continue;
        }
        let mut touched = std::mem::take(&mut resolver.touched);
        if cut {
            // Those that are not among the first must not change for another call either.
            touched.clear();
        }
        let looked = Looked {
            file,
            site,
            method,
            name,
            position,
            spread,
            many,
            cut,
        };
        let found = |text| looked.found(text, argument, touched.clone());
        return texts.into_iter().map(found).collect();
    }
    if method == Method::Wrapper || name == "cursor" {
        return Vec::new();
    }
    let place = usize::from(method == Method::Values || name == "execute_batch");
    let is_known = drivers.psycopg || drivers.asyncpg;
    let may_be_sql = |text: &&'a Expr| {
        is_known || name != "copy" && is_constant_elsewhere(resolver, text, site.scope)
    };
    let text = site.call.arguments.args.get(place).filter(may_be_sql);
    let found = text.and_then(|text| unknown(resolver, others, site, name, text));
    found.into_iter().collect()
}

/// Whether it is another module's constant, as its name tells: much can be executed that is no SQL.
fn is_constant_elsewhere<'a>(resolver: &Resolver<'_, 'a>, text: &'a Expr, scope: usize) -> bool {
    let found = imported(resolver.module, text, scope);
    let mut names = found.iter().filter_map(|found| {
        let mut names = found.path.iter().rev();
        names.find(|name| !name.starts_with('['))
    });
    names.any(|name| name.len() > 1 && !name.contains(|char: char| char.is_lowercase()))
}

/// Whether the expression can be a text that is put together.
fn may_be_built(text: &Expr) -> bool {
    matches!(
        text,
        Expr::Name(_)
            | Expr::Attribute(_)
            | Expr::Call(_)
            | Expr::BinOp(_)
            | Expr::FString(_)
            | Expr::Subscript(_)
    )
}

/// A call whose text is known only at run time.
fn unknown<'a>(
    resolver: &Resolver<'_, 'a>,
    others: &Others<'_>,
    site: CallSite<'a>,
    name: &str,
    text: &'a Expr,
) -> Option<Found> {
    if !may_be_built(text) {
        return None;
    }
    let shown = resolver.show(text.range());
    let other = imported(resolver.module, text, site.scope);
    let definer = other
        .iter()
        .find(|other| other.whole)
        .map(Imported::definer);
    if !other.is_empty() && others.hold(other) {
        return None;
    }
    let place = span(text.range());
    let hole = match definer {
        Some(definer) => Dynamic {
            file: place,
            message: format!("`{name}` gets `{shown}`, which `{definer}` defines"),
        },
        None => Dynamic::at_run_time(place, &format!("`{shown}`, which `{name}` gets")),
    };
    Some(Found {
        text: Text::hole(shown, Some(hole)),
        name: None,
        style: Style::Auto,
        call: Some(Call {
            file: span(site.call.range()),
            arguments: Arguments::Elsewhere("the text's".to_owned()),
            hidden: Vec::new(),
        }),
        elsewhere: Vec::new(),
        reason: None,
        touched: Vec::new(),
    })
}

/// A call that was found to take SQL.
struct Looked<'f, 'a> {
    file: &'f File<'a>,
    site: CallSite<'a>,
    method: Method,
    name: &'f str,
    /// Which of the call's arguments is the text; none if it is a keyword's.
    position: Option<usize>,
    /// Whether the file's driver is asyncpg alone.
    spread: bool,
    /// Whether it may be one of several texts.
    many: bool,
    /// Whether it may be one of more texts than are told apart.
    cut: bool,
}

impl<'a> Looked<'_, 'a> {
    fn found(&self, text: Text, argument: &'a Expr, touched: Vec<TextRange>) -> Found {
        let (given, arguments) = arguments(self.file, self.site, self.method, self.position, &text);
        let style = self.style(&text, given, &arguments);
        let reason = self.reason(&text, style, given, &arguments);
        let arguments = match arguments {
            Arguments::Values { .. } if self.many => Arguments::Elsewhere(
                "the values of a call that takes one of several texts".to_owned(),
            ),
            arguments => arguments,
        };
        let constant = text
            .sources
            .last()
            .filter(|source| source.member || source.scope == 0);
        let name = match argument {
            Expr::Name(_) | Expr::Attribute(_) => constant.map(|source| source.name.clone()),
            Expr::Subscript(subscript) => match &*subscript.slice {
                Expr::StringLiteral(key) => Some(key.value.to_str().to_owned()),
                _ => None,
            },
            _ => None,
        };
        Found {
            text,
            name,
            style,
            call: Some(Call {
                file: span(self.site.call.range()),
                arguments,
                hidden: self.hidden(),
            }),
            elsewhere: Vec::new(),
            reason,
            touched,
        }
    }

    /// How the driver reads the text.
    fn style(&self, text: &Text, given: Given, arguments: &Arguments) -> Style {
        if is_numbered(&text.sql) {
            return Style::Known(Paramstyle::NumericDollar);
        }
        if text.kind == Kind::Named {
            return Style::Known(Paramstyle::Named);
        }
        let placeholder = has_placeholder(&text.sql);
        let empty = matches!(arguments, Arguments::Values { values, .. } if values.is_empty());
        match given {
            Given::No if self.prepares() && placeholder => Style::Psycopg,
            Given::No => Style::NoParameters,
            // No driver takes a bare `%` from a call with arguments, so the text was converted before.
            Given::Yes if empty && !placeholder && !text.sql.contains("%%") => Style::NoParameters,
            _ if self.spread && !placeholder => Style::NoParameters,
            Given::Yes => Style::Psycopg,
            Given::Maybe if placeholder => Style::Psycopg,
            Given::Maybe => Style::Auto,
        }
    }

    /// Whether the call prepares the text, for values that another one gives.
    fn prepares(&self) -> bool {
        self.method == Method::Spread && self.name == "prepare"
    }

    /// The functions of Python's own that mean something else where the call is.
    fn hidden(&self) -> Vec<&'static str> {
        let module = &self.file.module;
        let functions = ["list", "str", "tuple"].into_iter();
        functions
            .filter(|name| module.owner(self.site.scope, name).is_some())
            .collect()
    }

    /// Whether a text without placeholders would be read again by the next run, and lose another half of its `%%`.
    fn would_be_read_again(text: &Text, style: Style, arguments: &Arguments) -> bool {
        if style != Style::Psycopg || has_placeholder(&text.sql) || !text.sql.contains("%%") {
            return false;
        }
        let empty = matches!(arguments, Arguments::Values { values, .. } if values.is_empty());
        !empty
            || translate(&text.sql, style)
                .is_ok_and(|found| found.sql.contains("%%") || has_placeholder(&found.sql))
    }

    /// Why the call keeps the text from being rewritten.
    fn reason(
        &self,
        text: &Text,
        style: Style,
        given: Given,
        arguments: &Arguments,
    ) -> Option<Dynamic> {
        let line = self.file.line_of(self.site.call.range().start().to_usize());
        let name = self.name;
        let message = if self.cut {
            format!(
                "it is one of more than {MOST_TEXTS} texts that the call in line {line} may execute, which are not told apart"
            )
        } else if self.prepares() && has_placeholder(&text.sql) {
            format!(
                "`{name}` in line {line} is given no values, and what gives them is not followed"
            )
        } else if Self::would_be_read_again(text, style, arguments) {
            format!(
                "the call in line {line} gives arguments to a text without placeholders: nothing would show that its `%%` was read already"
            )
        } else if self.method == Method::Values && has_placeholder(&text.sql) {
            format!(
                "`{name}` puts its rows where `%s` stands, which no parameter can take: write `VALUES (%s, …)` and `executemany`, or unnest arrays"
            )
        } else if self.many && has_names(&text.sql, style) {
            format!(
                "the call in line {line} takes one of several texts, each of which would order the mapping's values in its own way"
            )
        } else if self.method == Method::Wrapper
            && has_placeholder(&text.sql)
            && !self.sure(text, given, arguments)
        {
            format!(
                "`{name}` in line {line} is no driver's function: what it does with the text is not known here"
            )
        } else {
            return None;
        };
        Some(Dynamic {
            file: span(self.site.call.range()),
            message,
        })
    }

    /// Whether a function of the program is sure to hand the text to a driver: its arguments are the text's.
    fn sure(&self, text: &Text, given: Given, arguments: &Arguments) -> bool {
        if wrapper::may_change(self.file, self.site, self.name) {
            return false;
        }
        match arguments {
            Arguments::Values { values, .. } => {
                translate(&text.sql, Style::Psycopg).is_ok_and(|found| {
                    let known = |parameter: &Parameter| match parameter {
                        Parameter::Position(index) => {
                            values.get(*index).is_some_and(|(name, _)| name.is_none())
                        }
                        Parameter::Name(name) => {
                            values.iter().any(|(own, _)| own.as_ref() == Some(name))
                        }
                    };
                    let positions = found
                        .parameters
                        .iter()
                        .all(|parameter| matches!(parameter, Parameter::Position(_)));
                    found.parameters.iter().all(known)
                        && (!positions || found.parameters.len() == values.len())
                })
            }
            Arguments::Elsewhere(_) => given != Given::No && self.name.contains("execut"),
            Arguments::None => false,
        }
    }
}

/// Whether the text has the server's parameters and no others: it was converted before.
pub(super) fn is_numbered(sql: &str) -> bool {
    sql.contains('$')
        && translate(sql, Style::Auto)
            .is_ok_and(|found| found.style == Some(Paramstyle::NumericDollar))
}

fn has_names(sql: &str, style: Style) -> bool {
    style == Style::Known(Paramstyle::Named) && sql.contains(':') || sql.contains("%(")
}
