//! The texts that names, members of classes and entries of dicts stand for.

use ruff_python_ast::{DictItem, Expr};
use ruff_text_size::{Ranged, TextRange};

use super::reach::Step;
use super::resolve::{Place, Resolver, line_of};
use super::scope::{Source, Value};
use super::text::Text;
use super::texts::Texts;

impl<'a> Resolver<'_, 'a> {
    /// The texts that the assignments of a name or a member make.
    pub(super) fn assignments(&mut self, object: &'a Expr, place: Place) -> Texts {
        let Some(found) = self.assigned(object, place) else {
            return Texts::unknown();
        };
        // What a class that derives from this one gives the member is read there, too.
        let overriding = found
            .member
            .then(|| self.module.overriding(found.owner, found.name))
            .flatten()
            .filter(|_| is_own(object));
        let Some(class) = overriding else {
            self.touched.push(object.range());
            return self.steps(&found, place);
        };
        let shown = self.show(object.range());
        let message = format!("`{shown}`, which the class `{class}` overrides");
        self.steps(&found, place)
            .dynamic(object.range().to_std_range(), &message)
    }

    fn steps(&mut self, assigned: &Assigned<'a>, place: Place) -> Texts {
        let place = Place {
            scope: assigned.owner,
            ..place
        };
        let mut found = Texts::default();
        for step in &assigned.steps {
            let binding = *step.binding();
            let source = assigned.source(binding.range);
            let sourced = |text: Text| text.from(&source);
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
                    let next = self.resolve(value, place);
                    let next = self.or_hole(next, value, "adds");
                    found = found.followed_by(&next).map(sourced);
                }
                (Step::Add(..), _) => {
                    let line = line_of(self.source, binding.range.start().to_usize());
                    let name = assigned.name;
                    let message = format!("`{name} += …` in line {line} runs under a condition");
                    let hole = self.hole(binding.range, &message);
                    found = found.followed_by(&Texts::one(hole));
                }
                _ => found.unknown = true,
            }
        }
        found.unknown |= assigned.steps.is_empty();
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
        let Some(dict) = self.assigned(object, place) else {
            return Texts::unknown();
        };
        if dict.member && is_own(object) && self.module.overriding(dict.owner, dict.name).is_some()
        {
            return Texts::unknown();
        }
        self.touched.push(object.range());
        let place = Place {
            scope: dict.owner,
            ..place
        };
        let mut found = Texts::default();
        for step in &dict.steps {
            let binding = *step.binding();
            let Value::Is(Expr::Dict(written)) = binding.value else {
                found.unknown = true;
                continue;
            };
            let source = dict.source(binding.range);
            for item in written.items.iter().filter(|item| may_be(key, item)) {
                let texts = self.resolve(&item.value, place);
                found.join(texts.map(|text| text.from(&source)));
            }
        }
        found
    }

    /// What was assigned to a name, or to a member of a class.
    fn assigned(&self, object: &'a Expr, place: Place) -> Option<Assigned<'a>> {
        match object {
            Expr::Name(found) => {
                let name = found.id.as_str();
                let start = found.range.start();
                let (owner, steps) = self.module.reaching(place.scope, name, start)?;
                Some(Assigned {
                    owner,
                    steps,
                    name,
                    member: false,
                })
            }
            Expr::Attribute(found) => {
                let owner = self.class(&found.value, place.scope)?;
                let name = found.attr.as_str();
                Some(Assigned {
                    owner,
                    steps: self.module.member(owner, name),
                    name,
                    member: true,
                })
            }
            _ => None,
        }
    }
}

/// A name or a member, and the assignments that reach it.
struct Assigned<'a> {
    owner: usize,
    steps: Vec<Step<'a>>,
    name: &'a str,
    member: bool,
}

impl Assigned<'_> {
    /// The assignment of it at `binding`.
    fn source(&self, binding: TextRange) -> Source {
        Source {
            scope: self.owner,
            name: self.name.to_owned(),
            binding,
            member: self.member,
        }
    }
}

/// Whether it is a member of `self` or `cls`, which may be of a class that derives from the one around.
fn is_own(object: &Expr) -> bool {
    matches!(object, Expr::Attribute(member) if matches!(&*member.value, Expr::Name(of) if matches!(of.id.as_str(), "self" | "cls")))
}

/// Whether the key may be that entry's.
fn may_be(key: &Expr, entry: &DictItem) -> bool {
    match (key, &entry.key) {
        (Expr::StringLiteral(key), Some(Expr::StringLiteral(own))) => {
            key.value.to_str() == own.value.to_str()
        }
        (Expr::StringLiteral(_) | Expr::NumberLiteral(_), _) => false,
        _ => true,
    }
}
