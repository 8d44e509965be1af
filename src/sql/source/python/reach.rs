//! Which of a name's assignments a place that reads it can see.

use ruff_text_size::{Ranged, TextRange, TextSize};

use super::scope::{Binding, Block, BlockKind, Module, Value};

/// One step of how a name got the value that a place reads.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    /// One of the values that it may have.
    Set(Binding<'a>),
    /// `+=`, and whether it happens once and always.
    Add(Binding<'a>, bool),
}

impl<'a> Step<'a> {
    pub(super) fn binding(&self) -> &Binding<'a> {
        match self {
            Self::Set(binding) | Self::Add(binding, _) => binding,
        }
    }
}

impl<'a> Module<'a> {
    /// How the name got the value that is read at `at` of `scope`: its owner, and the steps.
    pub(super) fn reaching(
        &self,
        scope: usize,
        name: &str,
        at: TextSize,
    ) -> Option<(usize, Vec<Step<'a>>)> {
        let owner = self.owner(scope, name)?;
        let bindings = self.scopes[owner].names.get(name)?;
        // Another function runs at another time: it may see any of the values.
        let foreign = bindings.iter().any(|binding| binding.foreign);
        let steps = if owner == scope && !foreign {
            let steps = self.in_order(bindings, at);
            // `SQL = SQL` in a class reads the module's.
            match self.scopes[scope]
                .parent
                .filter(|_| steps.is_empty() && self.scopes[scope].class)
            {
                Some(parent) => return self.reaching(parent, name, at),
                None => steps,
            }
        } else {
            let end = bindings.last().map_or(at, |last| last.range.end());
            bindings
                .iter()
                .filter(|binding| owner == scope || !self.is_inner(binding))
                .map(|binding| self.step(binding, end, None))
                .collect()
        };
        Some((owner, steps))
    }

    /// How the member of a class got its value.
    pub(super) fn member(&self, class: usize, name: &'a str) -> Vec<Step<'a>> {
        let own = self.scopes[class].names.get(name).into_iter().flatten();
        let given = self.members.get(&(class, name)).into_iter().flatten();
        own.chain(given)
            .map(|binding| match binding.value {
                Value::Appends(_) => Step::Add(*binding, false),
                _ => Step::Set(*binding),
            })
            .collect()
    }

    fn in_order(&self, bindings: &[Binding<'a>], at: TextSize) -> Vec<Step<'a>> {
        let mut steps: Vec<Step<'a>> = Vec::new();
        let mut base: Option<TextRange> = None;
        for binding in bindings.iter().filter(|binding| binding.range.end() <= at) {
            let mut around = self.around(binding.block);
            if around
                .any(|block| block.kind == BlockKind::Inner && !block.range.contains_inclusive(at))
            {
                continue;
            }
            let certain = self
                .around(binding.block)
                .all(|block| block.range.contains_inclusive(at));
            if certain && !matches!(binding.value, Value::Appends(_)) {
                steps.clear();
                base = Some(binding.range);
            }
            steps.push(self.step(binding, at, base));
        }
        for binding in bindings.iter().filter(|binding| binding.range.end() > at) {
            if self.comes_round(binding, at, base) {
                steps.push(match binding.value {
                    Value::Appends(_) => Step::Add(*binding, false),
                    _ => Step::Set(*binding),
                });
            }
        }
        steps
    }

    fn step(&self, binding: &Binding<'a>, at: TextSize, base: Option<TextRange>) -> Step<'a> {
        if !matches!(binding.value, Value::Appends(_)) {
            return Step::Set(*binding);
        }
        // In a loop that the value did not begin in, it is added as often as the loop runs.
        let once = |block: &Block| {
            block.kind != BlockKind::Loop
                || base.is_some_and(|base| block.range.contains_range(base))
        };
        let certain = |block: Block| block.range.contains_inclusive(at) && once(&block);
        let always = !binding.foreign && self.around(binding.block).all(certain);
        Step::Add(*binding, always)
    }

    /// Whether an assignment behind `at` reaches it in the next turn of a loop around both.
    fn comes_round(&self, binding: &Binding<'a>, at: TextSize, base: Option<TextRange>) -> bool {
        if self.is_inner(binding) {
            return false;
        }
        self.around(binding.block).any(|block| {
            block.kind == BlockKind::Loop
                && block.range.contains_inclusive(at)
                && !base.is_some_and(|base| block.range.contains_range(base))
        })
    }

    fn is_inner(&self, binding: &Binding<'a>) -> bool {
        self.around(binding.block)
            .any(|block| block.kind == BlockKind::Inner)
    }

    /// Whether the value that the binding gives may be the one that is read there.
    pub(super) fn sees(
        &self,
        scope: usize,
        name: &str,
        at: TextRange,
        binding: TextRange,
    ) -> Option<usize> {
        let (owner, steps) = self.reaching(scope, name, at.start())?;
        steps
            .iter()
            .any(|step| step.binding().range.range() == binding)
            .then_some(owner)
    }
}
