//! What the statements of a module give to names.

use ruff_python_ast::{Expr, StmtAssign};
use ruff_text_size::TextRange;

use super::scope::{Binding, Target, Value};
use super::walk::Walk;

impl<'a> Walk<'a> {
    pub(super) fn bind(&mut self, name: &'a str, value: Value<'a>, range: TextRange) {
        let foreign = self.module.scopes[self.scope].foreign.contains(&name);
        let binding = Binding {
            value,
            range,
            block: self.block,
            foreign,
        };
        if foreign {
            self.foreign.push((self.scope, name, binding));
        } else {
            self.give(self.scope, name, binding);
        }
    }

    fn give(&mut self, owner: usize, name: &'a str, binding: Binding<'a>) {
        let names = &mut self.module.scopes[owner].names;
        names.entry(name).or_default().push(binding);
    }

    /// Gives the names of other scopes what functions give them, now that all scopes are known.
    pub(super) fn give_foreign(&mut self) {
        for (scope, name, binding) in std::mem::take(&mut self.foreign) {
            let owner = self.module.owner(scope, name).unwrap_or(0);
            self.give(owner, name, binding);
        }
    }

    /// Notes the names that get the same value.
    pub(super) fn chain_targets(&mut self, assign: &'a StmtAssign) {
        if assign.targets.len() < 2 {
            return;
        }
        let class = self.module.class_of(self.scope);
        let targets = assign.targets.iter().map(|target| match (target, class) {
            (Expr::Name(name), _) => {
                let name = name.id.as_str();
                let foreign = self.module.scopes[self.scope].foreign.contains(&name);
                let own = Target::Name(self.scope, name);
                if foreign { Target::Other } else { own }
            }
            (Expr::Attribute(member), Some(class)) => match &*member.value {
                Expr::Name(object) if matches!(object.id.as_str(), "self" | "cls") => {
                    Target::Member(class, member.attr.as_str())
                }
                _ => Target::Other,
            },
            _ => Target::Other,
        });
        let targets = targets.collect();
        self.module.chained.insert(assign.range, targets);
    }

    /// Gives the names of an assignment's left side their values.
    pub(super) fn target(&mut self, target: &'a Expr, value: Value<'a>, range: TextRange) {
        match target {
            Expr::Name(name) => self.bind(name.id.as_str(), value, range),
            Expr::Tuple(tuple) => self.targets(&tuple.elts, value, range),
            Expr::List(list) => self.targets(&list.elts, value, range),
            Expr::Starred(starred) => self.target(&starred.value, Value::Unknown, range),
            Expr::Attribute(attribute) => {
                if let (Expr::Name(object), Some(class)) =
                    (&*attribute.value, self.module.class_of(self.scope))
                    && matches!(object.id.as_str(), "self" | "cls")
                {
                    let binding = Binding {
                        value,
                        range,
                        block: self.block,
                        foreign: false,
                    };
                    let members = &mut self.module.members;
                    members
                        .entry((class, attribute.attr.as_str()))
                        .or_default()
                        .push(binding);
                }
            }
            _ => {}
        }
    }

    fn targets(&mut self, targets: &'a [Expr], value: Value<'a>, range: TextRange) {
        let values = match value {
            Value::Is(Expr::Tuple(tuple)) if tuple.elts.len() == targets.len() => Some(&tuple.elts),
            _ => None,
        };
        for (index, target) in targets.iter().enumerate() {
            let value = values.map_or(Value::Unknown, |values| Value::Is(&values[index]));
            self.target(target, value, range);
        }
    }
}

/// What a loop gives to its variable.
pub(super) fn each_of(values: &Expr) -> Value<'_> {
    match values {
        Expr::Tuple(tuple) => Value::Each(&tuple.elts),
        Expr::List(list) => Value::Each(&list.elts),
        _ => Value::Unknown,
    }
}
