//! Texts that psycopg's `sql` composes, and texts that `format` and `join` fill.

use std::ops::Range;

use ruff_python_ast::{Expr, ExprCall};
use ruff_text_size::Ranged;

use super::resolve::{Place, Resolver, span};
use super::text::{Kind, Text};
use super::texts::Texts;

impl<'a> Resolver<'_, 'a> {
    /// `Identifier(…)`, `Literal(…)` or `Placeholder(…)` of psycopg's `sql`.
    pub(super) fn composable(&mut self, call: &'a ExprCall, _: Place) -> Texts {
        let Some((module, name)) = self.callee(&call.func) else {
            return Texts::unknown();
        };
        let text = match self.module.drivers.composable(module, name) {
            Some("Identifier") => Text::stand_in("\"identifier\""),
            Some("Literal") => Text::stand_in("'literal'"),
            Some("Placeholder") => {
                self.hole(call.range(), "a `Placeholder` that the composition puts in")
            }
            _ => return Texts::unknown(),
        };
        Texts::one(Text {
            kind: Kind::Composed,
            ..text
        })
    }

    /// `value.format(…)`, of a composition or of a string.
    pub(super) fn format(&mut self, call: &'a ExprCall, value: &'a Expr, place: Place) -> Texts {
        let formatted = Place {
            formatted: true,
            ..place
        };
        let found = self.resolve(value, formatted);
        let mut filled = Texts {
            unknown: found.unknown,
            cut: found.cut,
            ..Texts::default()
        };
        for text in found.texts {
            if text.kind == Kind::Composed {
                filled.join(self.fill(&text, call, place));
            } else {
                filled.join(
                    Texts::one(text).dynamic(span(call.range()), "`.format(…)` fills the text"),
                );
            }
        }
        filled
    }

    /// Puts the arguments of `format` where the text has fields.
    fn fill(&mut self, text: &Text, call: &'a ExprCall, place: Place) -> Texts {
        let mut found = Texts::one(Text {
            kind: text.kind,
            sources: text.sources.clone(),
            dynamic: text.dynamic.clone(),
            ..Text::default()
        });
        let bare = Text {
            sources: Vec::new(),
            ..text.clone()
        };
        let (mut copied, mut next) = (0, 0);
        for field in fields(text) {
            let name = &text.sql[field.start + 1..field.end - 1];
            let argument = if name.is_empty() {
                next += 1;
                call.arguments.args.get(next - 1)
            } else if let Ok(index) = name.parse::<usize>() {
                call.arguments.args.get(index)
            } else {
                let keyword = call.arguments.find_keyword(name);
                keyword.map(|keyword| &keyword.value)
            };
            found = found.followed_by(&Texts::one(
                bare.clone()
                    .keep(std::slice::from_ref(&(copied..field.start))),
            ));
            let part = self.part(argument, name, call, place);
            found = found.followed_by(&part);
            copied = field.end;
        }
        found.followed_by(&Texts::one(
            bare.keep(std::slice::from_ref(&(copied..text.sql.len()))),
        ))
    }

    /// What an argument of `format` puts in the place of a field.
    fn part(
        &mut self,
        argument: Option<&'a Expr>,
        name: &str,
        call: &'a ExprCall,
        place: Place,
    ) -> Texts {
        if let Some(argument) = argument {
            let known = self.resolve(argument, place);
            if !known.unknown
                && !known.texts.is_empty()
                && known.texts.iter().all(|text| text.kind == Kind::Composed)
            {
                return known;
            }
        }
        let range = argument.map_or_else(|| call.range(), Ranged::range);
        let shown = if name.is_empty() {
            argument.map_or("", |argument| self.show(argument.range()))
        } else {
            name
        };
        let message = format!("the composition's `{{{shown}}}`, which may hold placeholders");
        Texts::one(self.hole(range, &message).named(shown))
    }

    /// `separator.join(values)`.
    pub(super) fn join(&mut self, separator: &'a Expr, values: &'a Expr, place: Place) -> Texts {
        let between = self.resolve(separator, place);
        if between.texts.is_empty() || between.unknown {
            return Texts::unknown();
        }
        let composed = between.texts.iter().all(|text| text.kind == Kind::Composed);
        let values = match values {
            Expr::List(list) => &list.elts,
            Expr::Tuple(tuple) => &tuple.elts,
            _ if composed && self.only_names(values, place) => {
                return Texts::one(Text {
                    kind: Kind::Composed,
                    ..Text::stand_in("\"identifiers\"")
                });
            }
            _ => {
                let message = format!("what `{}` joins", self.show(values.range()));
                let kind = if composed {
                    Kind::Composed
                } else {
                    Kind::Plain
                };
                return Texts::one(Text {
                    kind,
                    ..self.hole(values.range(), &message)
                });
            }
        };
        let mut found = Texts::default();
        for (index, value) in values.iter().enumerate() {
            let next = self.resolve(value, place);
            let next = self.or_hole(next, value, "joins");
            found = if index == 0 {
                next
            } else {
                found.followed_by(&between).followed_by(&next)
            };
        }
        found
    }

    /// Whether the values are identifiers or literals of psycopg, so that no placeholder is among them.
    fn only_names(&mut self, values: &'a Expr, place: Place) -> bool {
        let element = match values {
            Expr::Generator(found) => &found.elt,
            Expr::ListComp(found) => &found.elt,
            Expr::Call(call) if matches!(&*call.func, Expr::Name(name) if name.id == "map") => {
                let callee = call
                    .arguments
                    .args
                    .first()
                    .and_then(|function| self.callee(function));
                return callee.is_some_and(|(module, name)| {
                    matches!(
                        self.module.drivers.composable(module, name),
                        Some("Identifier" | "Literal")
                    )
                });
            }
            _ => return false,
        };
        let known = self.resolve(element, place);
        !known.unknown
            && known.texts.iter().all(|text| {
                text.kind == Kind::Composed && text.dynamic.is_none() && !text.sql.contains('%')
            })
    }
}

/// The fields of a text that was decoded for `format`: its braces that are not doubled.
fn fields(text: &Text) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for piece in text
        .pieces
        .iter()
        .filter(|piece| piece.sql.len() == piece.file.len())
    {
        let mut at = piece.sql.start;
        while let Some(open) = text.sql[at..piece.sql.end].find('{') {
            let start = at + open;
            let Some(close) = text.sql[start..piece.sql.end].find('}') else {
                break;
            };
            found.push(start..start + close + 1);
            at = start + close + 1;
        }
    }
    found
}
