//! Texts that one file holds and another executes.

use rustc_hash::{FxHashMap, FxHashSet};
use std::ops::Range;
use std::path::{Component, Path};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use memchr::memmem;

use super::{Dynamic, SourceQuery};
use crate::sql::translate::{Bound, Parameter};

/// The calls of a run's files whose texts other files hold.
///
/// It grows with the number of those calls, and not with the files.
#[derive(Debug, Default)]
pub struct Uses {
    /// By the last of the names that lead to the text.
    by_name: FxHashMap<String, Vec<Use>>,
    /// What the files mean of each other.
    meant: Modules,
    /// As much of it as they execute.
    executed: Modules,
}

/// Behind each name that may be a module's: the names that it has to have.
type Modules = FxHashMap<String, FxHashSet<String>>;

/// A call whose text another file holds.
#[derive(Debug)]
pub struct Use {
    /// The name of the text, or the entry of a dict.
    name: String,
    /// What leads to it.
    from: Names,
    /// The call's file, for a reader.
    file: Arc<str>,
    line: u32,
    pub(super) reading: Reading,
    /// Whether a file of the run holds the text.
    held: AtomicBool,
}

/// Modules, classes and names, from the outermost on; see [`module_of`]. A run may hold very many: each is one run of bytes, in which
/// a byte that no name has stands before every name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Names(Box<str>);

const SEPARATOR: char = '\0';

impl Names {
    fn new(names: &[String]) -> Self {
        let lengths = names.iter().map(|name| 1 + name.len());
        let mut path = String::with_capacity(lengths.sum());
        for name in names {
            path.push(SEPARATOR);
            path.push_str(name);
        }
        Self(path.into())
    }

    /// The names from the last to the first.
    fn inward(&self) -> impl Iterator<Item = &str> {
        self.0.rsplit(SEPARATOR).filter(|name| !name.is_empty())
    }

    /// Each path that this one begins with, but for itself.
    fn around(&self) -> impl Iterator<Item = &str> {
        let ends = self.0.match_indices(SEPARATOR).skip(1);
        ends.map(|(end, _)| &self.0[..end])
    }
}

/// What the call needs of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It gives no arguments: the text is executed as it is.
    Bare,
    /// It gives so many values, by their places.
    Values(usize),
    /// It gives values that are built elsewhere, by their places if the text has places.
    Somehow,
    /// It would have to change with the text, or uses it otherwise, and how.
    Never(String),
    /// It is no call that executes it: something else reads the text.
    Read,
}

/// A call in another file that executes a query, and what the query's own file calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// Where the query's file names it.
    pub file: Range<usize>,
    /// What the query's file calls it.
    pub name: String,
    /// The call's file and line.
    pub place: String,
    /// What the call needs of the text.
    pub reading: Reading,
}

/// A use of a text, and whether it is sure that this text is meant.
pub(super) type Match<'a> = (&'a Use, bool);

impl Use {
    /// A use of what the names lead to; none if there are none.
    pub(super) fn new(
        mut names: Vec<String>,
        (file, line): (&Arc<str>, usize),
        reading: Reading,
    ) -> Option<Self> {
        Some(Self {
            name: names.pop()?,
            from: Names::new(&names),
            file: Arc::clone(file),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            reading,
            held: AtomicBool::new(false),
        })
    }

    /// The name that the text's file gives: an entry of a dict has none, but the dict has.
    pub(super) fn own(&self) -> &str {
        let mut names = std::iter::once(self.name.as_str()).chain(self.from.inward());
        names.find(|name| !is_entry(name)).unwrap_or_default()
    }

    /// The call's file and line, for a reader.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    pub(super) fn hold(&self) {
        self.held.store(true, Ordering::Relaxed);
    }
}

fn is_entry(name: &str) -> bool {
    name.starts_with('[')
}

impl Uses {
    /// Adds the calls of a file.
    pub fn add(&mut self, uses: Vec<Use>) {
        for found in uses {
            note(&mut self.meant, &found);
            if found.reading != Reading::Read {
                note(&mut self.executed, &found);
            }
            match self.by_name.get_mut(&found.name) {
                Some(uses) => uses.push(found),
                None => drop(self.by_name.insert(found.name.clone(), vec![found])),
            }
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Whether a file of that path can be a module that is meant.
    pub fn may_name(&self, file: &Path) -> bool {
        names_in(&self.meant, file).is_some()
    }

    /// Whether the file may hold a text that another one executes or reads: it can be a module that is meant, and has a name that is.
    pub fn may_mean(&self, file: &Path, source: &str) -> bool {
        has_one_of(source, names_in(&self.meant, file))
    }

    /// Whether a file of that path can be a module of which something is executed.
    pub fn may_execute_of(&self, file: &Path) -> bool {
        names_in(&self.executed, file).is_some()
    }

    /// Whether the file may hold a text that another one executes.
    pub fn may_execute(&self, file: &Path, source: &str) -> bool {
        has_one_of(source, names_in(&self.executed, file))
    }

    /// The uses of what the module at `module` calls by these names.
    ///
    /// A package around the module may bring the name to its users, too; then it is not sure that this text is meant.
    pub(super) fn of(&self, module: &[String], names: &[String]) -> Vec<Match<'_>> {
        let module = Names::new(module);
        let mut found = Vec::new();
        let mut add = |name: &str, around: &[String], readers_alone: bool| {
            let around = Names::new(around);
            for used in self.by_name.get(name).into_iter().flatten() {
                let from = used.from.0.strip_suffix(&*around.0);
                let Some(from) = from.filter(|from| !from.is_empty()) else {
                    continue;
                };
                if readers_alone && used.reading != Reading::Read {
                    continue;
                }
                if module.0.ends_with(from) {
                    found.push((used, true));
                } else if module.around().any(|package| package.ends_with(from)) {
                    found.push((used, false));
                }
            }
        };
        let Some((last, around)) = names.split_last() else {
            return found;
        };
        add(last, around, false);
        if is_entry(last) {
            add("[]", around, false);
            // Who reads the dict reads all of its entries.
            if let Some((dict, around)) = around.split_last() {
                add(dict, around, true);
            }
        }
        found
    }

    /// Whether a file of the run holds the text at that path.
    pub(super) fn holds(&self, path: &[String]) -> bool {
        let Some((name, from)) = path.split_last() else {
            return false;
        };
        let from = Names::new(from);
        let mut uses = self.by_name.get(name).into_iter().flatten();
        uses.any(|used| used.from == from && used.held.load(Ordering::Relaxed))
    }
}

impl SourceQuery {
    /// Why the text must not change to take these parameters: a call in another file could not follow.
    pub fn stuck_elsewhere(&self, parameters: &[Bound]) -> Option<Dynamic> {
        let places = parameters.iter().enumerate().all(|(index, bound)| {
            bound.parameter == Parameter::Position(index) && !bound.list && !bound.text
        });
        self.elsewhere.iter().find_map(|call| {
            let how = match &call.reading {
                Reading::Read => {
                    return Some(Dynamic {
                        file: call.file.clone(),
                        message: format!(
                            "`{}` is also used in {}, not as the text of a call",
                            call.name, call.place
                        ),
                    });
                }
                Reading::Never(how) => how.clone(),
                Reading::Bare => "without arguments, as it is".to_owned(),
                Reading::Values(count) if *count != parameters.len() => {
                    format!("with {count} values, and it takes {}", parameters.len())
                }
                Reading::Values(_) | Reading::Somehow if !places => {
                    "with values that would have to be passed in another form".to_owned()
                }
                Reading::Values(_) | Reading::Somehow => return None,
            };
            Some(Dynamic {
                file: call.file.clone(),
                message: format!(
                    "`{}` is executed in {} {how}; convert both by hand",
                    call.name, call.place
                ),
            })
        })
    }
}

/// Notes the name that a use means under all that may be the name of its module.
fn note(modules: &mut Modules, found: &Use) {
    /// The module, and as many classes in each other: farther out there are folders alone.
    const MOST: usize = 8;
    let own = found.own();
    for module in found.from.inward().take(MOST) {
        match modules.get_mut(module) {
            Some(names) if names.contains(own) => {}
            Some(names) => drop(names.insert(own.to_owned())),
            None => drop(modules.insert(module.to_owned(), FxHashSet::from_iter([own.to_owned()]))),
        }
    }
}

/// The names that are meant, if the file can be their module.
fn names_in<'a>(modules: &'a Modules, file: &Path) -> Option<&'a FxHashSet<String>> {
    let stem = file.file_stem()?;
    let name = if stem == "__init__" {
        file.parent()?.file_name()?
    } else {
        stem
    };
    modules.get(name.to_str()?)
}

/// Whether the file gives one of the names a value.
fn has_one_of(source: &str, names: Option<&FxHashSet<String>>) -> bool {
    let mut names = names.into_iter().flatten();
    names.any(|name| assigns(source.as_bytes(), name.as_bytes()))
}

/// Whether the file has the name in front of `=` or `:`.
fn assigns(source: &[u8], name: &[u8]) -> bool {
    memmem::find_iter(source, name).any(|at| {
        let before = at.checked_sub(1).map(|before| source[before]);
        let inside = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let behind = source[at + name.len()..].trim_ascii_start();
        !inside && matches!(behind, [b'=' | b':', ..])
    })
}

/// The names of the folders and of the module that a file is: a module's `__init__` is its folder.
pub(super) fn module_of(file: &Path) -> Vec<String> {
    let mut names = folders(file);
    match file.file_stem().and_then(|stem| stem.to_str()) {
        Some("__init__") | None => {}
        Some(stem) => names.push(stem.to_owned()),
    }
    names
}

/// The names of the folders that a file is in.
pub(super) fn folders(file: &Path) -> Vec<String> {
    let parts = file.parent().into_iter().flat_map(Path::components);
    parts
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str) -> Vec<String> {
        path.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn a_use_means_the_files_whose_path_ends_as_it_says() {
        let mut uses = Uses::default();
        let new = |path: &str, reading| {
            Use::new(names(path), (&path.into(), 1), reading).expect("a path has a name")
        };
        let call = |path: &str| new(path, Reading::Bare);
        uses.add(vec![
            call("app.queries.FIND"),
            call("app.FIND"),
            call("app.queries.Q.ALL"),
        ]);
        let of = |file: &str, name: &str| {
            let module = module_of(Path::new(file));
            let found = uses.of(&module, &names(name)).into_iter();
            found
                .map(|(used, sure)| (used.place(), sure))
                .collect::<Vec<_>>()
        };
        let both = [
            ("app.queries.FIND:1".to_owned(), true),
            ("app.FIND:1".to_owned(), false),
        ];
        assert_eq!(of("/src/app/queries.py", "FIND"), both);
        assert_eq!(of("/src/app/queries/__init__.py", "FIND"), both);
        assert_eq!(
            of("/src/app/__init__.py", "FIND"),
            [("app.FIND:1".to_owned(), true)]
        );
        assert_eq!(of("/src/app/queries.py", "Q.ALL").len(), 1);
        assert!(of("/src/app/queries.py", "ALL").is_empty());
        assert!(of("/src/happ/queries.py", "FIND").is_empty());
        assert!(uses.may_mean(Path::new("/app/queries.py"), "FIND = 1"));
        assert!(!uses.may_mean(Path::new("/app/queries.py"), "OTHER = 1"));
        assert!(!uses.may_mean(Path::new("/app/other.py"), "FIND = 1"));
        uses.add(vec![new("app.other.READ", Reading::Read)]);
        assert!(uses.may_mean(Path::new("/app/other.py"), "READ = 1"));
        assert!(!uses.may_execute(Path::new("/app/other.py"), "READ = 1"));
        assert!(uses.may_execute(Path::new("/app/queries.py"), "FIND = 1"));
        assert!(!uses.holds(&names("app.FIND")));
        uses.of(&names("src.app"), &names("FIND"))[0].0.hold();
        assert!(uses.holds(&names("app.FIND")));
    }
}
