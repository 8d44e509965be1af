//! What a module assigns and where: its scopes, the names in them, and every place that reads a name.

use rustc_hash::FxHashMap;

use ruff_python_ast::{Alias, Expr, ExprCall, StmtImportFrom};
use ruff_text_size::TextRange;

use super::driver::Drivers;

/// Everything that finding the texts of a module takes.
#[derive(Debug, Default)]
pub(super) struct Module<'a> {
    pub(super) scopes: Vec<Scope<'a>>,
    /// Parts of the code that run sometimes, or more than once.
    pub(super) blocks: Vec<Block>,
    pub(super) calls: Vec<CallSite<'a>>,
    pub(super) reads: Vec<Read<'a>>,
    /// What is read of names and of their attributes, each with its scope.
    pub(super) loads: Vec<(&'a Expr, usize)>,
    /// Reads of an attribute, `self.SQL` or `Queries.SQL`.
    pub(super) attributes: Vec<(&'a str, TextRange)>,
    /// `self.name = …` in the methods of a class, by the class's scope.
    pub(super) members: FxHashMap<(usize, &'a str), Vec<Binding<'a>>>,
    /// What `%` fills: its left side.
    pub(super) filled: Vec<TextRange>,
    /// Assignments of one value to several names, by their bytes.
    pub(super) chained: FxHashMap<TextRange, Vec<Target<'a>>>,
    /// `from … import *`
    pub(super) stars: Vec<&'a StmtImportFrom>,
    pub(super) drivers: Drivers<'a>,
}

/// A module, a class or a function.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) parent: Option<usize>,
    pub(super) class: bool,
    pub(super) name: &'a str,
    pub(super) names: FxHashMap<&'a str, Vec<Binding<'a>>>,
    /// Names that belong to another scope: `global` and `nonlocal`.
    pub(super) foreign: Vec<&'a str>,
    /// Those of them that belong to the module: `global`.
    pub(super) globals: Vec<&'a str>,
    /// The last names of a class's bases.
    pub(super) bases: Vec<&'a str>,
}

/// Something that gives a name a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Binding<'a> {
    pub(super) value: Value<'a>,
    pub(super) range: TextRange,
    /// The innermost block that it stands in.
    pub(super) block: Option<usize>,
    /// Whether another function than the one that the name belongs to gives it, at any time.
    pub(super) foreign: bool,
}

/// What a name gets.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Is(&'a Expr),
    /// `+=`
    Appends(&'a Expr),
    /// One after the other: `for name in (…)`.
    Each(&'a [Expr]),
    /// What an import brings: `import name`, or `from … import name`.
    Imported(Option<&'a StmtImportFrom>, &'a Alias),
    /// A parameter, a part of a tuple.
    Unknown,
}

/// One of the left sides of an assignment that has several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// A name of that scope.
    Name(usize, &'a str),
    /// A member of the class of that scope.
    Member(usize, &'a str),
    /// An entry, an object's attribute, names that share a value: who reads it is not followed.
    Other,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub(super) range: TextRange,
    pub(super) kind: BlockKind,
    pub(super) parent: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockKind {
    /// Runs or does not.
    Branch,
    /// Runs any number of times.
    Loop,
    /// Its names end with it: a comprehension, a lambda.
    Inner,
}

/// An assignment that a text came through: the scope, the name, and which of its bindings.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Source {
    pub(super) scope: usize,
    pub(super) name: String,
    pub(super) binding: TextRange,
    /// Whether it is a member of the class `scope`, read as an attribute.
    pub(super) member: bool,
}

/// A place that reads a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read<'a> {
    pub(super) name: &'a str,
    pub(super) range: TextRange,
    pub(super) scope: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct CallSite<'a> {
    pub(super) call: &'a ExprCall,
    pub(super) scope: usize,
}

impl Module<'_> {
    /// The class that a scope's `self` belongs to.
    pub(super) fn class_of(&self, mut scope: usize) -> Option<usize> {
        loop {
            if self.scopes[scope].class {
                return Some(scope);
            }
            scope = self.scopes[scope].parent?;
        }
    }

    /// The scope of the class of that name.
    pub(super) fn class_named(&self, name: &str) -> Option<usize> {
        self.scopes
            .iter()
            .position(|scope| scope.class && scope.name == name)
    }

    /// A class of the file that gives the member of `class` another value, by its own name: one that has it for a base, or for a base's.
    pub(super) fn overriding(&self, class: usize, member: &str) -> Option<&'_ str> {
        let mut found = vec![class];
        let mut next = 0;
        while let Some(&base) = found.get(next) {
            next += 1;
            let name = self.scopes[base].name;
            let own = |&index: &usize| {
                let scope = &self.scopes[index];
                scope.class && scope.bases.contains(&name)
            };
            let derived: Vec<usize> = (0..self.scopes.len()).filter(own).collect();
            for index in derived {
                let gives = self.scopes[index].names.contains_key(member)
                    || self.members.contains_key(&(index, member));
                if gives && index != class {
                    return Some(self.scopes[index].name);
                }
                if !found.contains(&index) {
                    found.push(index);
                }
            }
        }
        None
    }

    /// The blocks around a binding, from the innermost.
    pub(super) fn around(&self, block: Option<usize>) -> impl Iterator<Item = Block> + '_ {
        std::iter::successors(block, |&block| self.blocks[block].parent)
            .map(|block| self.blocks[block])
    }

    /// The scope in which a name read in `scope` was given its value.
    pub(super) fn owner(&self, scope: usize, name: &str) -> Option<usize> {
        let mut at = Some(scope);
        while let Some(index) = at {
            let here = &self.scopes[index];
            let visible = index == scope || !here.class;
            if here.globals.contains(&name) {
                return self.scopes[0].names.contains_key(name).then_some(0);
            }
            if visible && !here.foreign.contains(&name) && here.names.contains_key(name) {
                return Some(index);
            }
            at = here.parent;
        }
        None
    }
}

impl<'a> Scope<'a> {
    pub(super) fn new(parent: Option<usize>, class: bool, name: &'a str) -> Self {
        Self {
            parent,
            class,
            name,
            names: FxHashMap::default(),
            foreign: Vec::new(),
            globals: Vec::new(),
            bases: Vec::new(),
        }
    }
}
