//! The texts that names, members of classes and entries of dicts stand for.

use ruff_python_ast::Expr;
use ruff_text_size::Ranged;

use super::reach::Step;
use super::resolve::{Place, Resolver, line_of};
use super::scope::{Source, Value};
use super::text::Text;
use super::texts::Texts;

impl<'a> Resolver<'_, 'a> {
    /// The texts that a name's assignments make.
    pub(super) fn steps(
        &mut self,
        steps: &[Step<'a>],
        scope: usize,
        name: &str,
        member: bool,
        place: Place,
    ) -> Texts {
        let place = Place { scope, ..place };
        let mut found = Texts::default();
        for step in steps {
            let binding = *step.binding();
            let source = Source {
                scope,
                name: name.to_owned(),
                binding: binding.range,
                member,
            };
            let sourced = |mut text: Text| {
                text.sources.push(source.clone());
                text
            };
            match (step, binding.value) {
                (Step::Set(_), Value::Is(value)) => {
                    found.join(self.resolve(value, place).map(sourced));
                }
                (Step::Set(_), Value::Each(values)) => {
                    for value in values {
                        found.join(self.resolve(value, place).map(sourced));
                    }
                }
                (Step::Add(_, true), Value::Appends(value)) => {
                    let mut next = self.resolve(value, place);
                    if next.unknown || next.texts.is_empty() {
                        let shown = self.show(value.range());
                        next = Texts::one(
                            self.hole(value.range(), &format!("what `{shown}` adds"))
                                .named(shown),
                        );
                    }
                    found = found.followed_by(&next).map(sourced);
                }
                (Step::Add(..), _) => {
                    let line = line_of(self.source, binding.range.start().to_usize());
                    let hole = self.hole(
                        binding.range,
                        &format!("`{name} += …` in line {line} runs under a condition"),
                    );
                    found = found.followed_by(&Texts::one(hole));
                }
                _ => found.unknown = true,
            }
        }
        found.unknown |= steps.is_empty();
        found
    }

    /// The class whose member `object.name` is.
    pub(super) fn class(&self, object: &Expr, scope: usize) -> Option<usize> {
        let Expr::Name(object) = object else {
            return None;
        };
        match object.id.as_str() {
            "self" | "cls" => self.module.class_of(scope),
            name => self.module.class_named(name),
        }
    }

    /// `QUERIES["name"]` of a dict that is written out.
    pub(super) fn entry(&mut self, object: &'a Expr, key: &'a Expr, place: Place) -> Texts {
        let (owner, steps, name, member) = match object {
            Expr::Name(name) => {
                match self
                    .module
                    .reaching(place.scope, name.id.as_str(), name.range.start())
                {
                    Some((owner, steps)) => (owner, steps, name.id.as_str(), false),
                    None => return Texts::unknown(),
                }
            }
            Expr::Attribute(attribute) => match self.class(&attribute.value, place.scope) {
                Some(class) => (
                    class,
                    self.module.member(class, attribute.attr.as_str()),
                    attribute.attr.as_str(),
                    true,
                ),
                None => return Texts::unknown(),
            },
            _ => return Texts::unknown(),
        };
        self.touched.push(object.range());
        let mut found = Texts::default();
        for step in &steps {
            let binding = *step.binding();
            let Value::Is(Expr::Dict(dict)) = binding.value else {
                found.unknown = true;
                continue;
            };
            let source = Source {
                scope: owner,
                name: name.to_owned(),
                binding: binding.range,
                member,
            };
            let wanted = dict.items.iter().filter(|item| match (key, &item.key) {
                (Expr::StringLiteral(key), Some(Expr::StringLiteral(own))) => {
                    key.value.to_str() == own.value.to_str()
                }
                (Expr::StringLiteral(_) | Expr::NumberLiteral(_), _) => false,
                _ => true,
            });
            for item in wanted {
                found.join(
                    self.resolve(
                        &item.value,
                        Place {
                            scope: owner,
                            ..place
                        },
                    )
                    .map(|mut text| {
                        text.sources.push(source.clone());
                        text
                    }),
                );
            }
        }
        found
    }
}
