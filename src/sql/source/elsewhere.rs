//! Texts that one file holds and another executes.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::{Component, Path};
use std::sync::atomic::{AtomicBool, Ordering};

use memchr::memmem;

use super::{Dynamic, SourceQuery};
use crate::sql::translate::{Bound, Parameter};

/// The calls of a run's files whose texts other files hold.
///
/// It grows with the number of those calls, and not with the files.
#[derive(Debug, Default)]
pub struct Uses {
    by_name: HashMap<String, Vec<Use>>,
    /// What the files mean of each other.
    meant: Modules,
    /// As much of it as they execute.
    executed: Modules,
    /// The names that files give to SQL.
    constants: HashSet<String>,
}

/// Behind each name that may be a module's: the names that it has to have.
type Modules = HashMap<String, HashSet<String>>;

/// A call whose text another file holds.
#[derive(Debug)]
pub struct Use {
    /// The modules, classes and names to the text; see [`module_of`].
    pub(super) path: Vec<String>,
    /// The call's file and line, for a reader.
    pub(super) place: String,
    pub(super) reading: Reading,
    /// Whether a file of the run holds the text.
    held: AtomicBool,
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
    pub(super) fn new(path: Vec<String>, place: String, reading: Reading) -> Self {
        Self {
            path,
            place,
            reading,
            held: AtomicBool::new(false),
        }
    }

    pub(super) fn hold(&self) {
        self.held.store(true, Ordering::Relaxed);
    }
}

impl Uses {
    /// Adds the calls of a file.
    pub fn add(&mut self, uses: Vec<Use>) {
        for found in uses {
            if let Some((name, modules)) = found.path.split_last() {
                // An entry of a dict is no name; the dict has one.
                let inner = found.path.iter().rev();
                let own = inner
                    .clone()
                    .find(|part| !part.starts_with('['))
                    .unwrap_or(name);
                note(&mut self.meant, modules, own);
                if found.reading != Reading::Read {
                    note(&mut self.executed, modules, own);
                }
                self.by_name.entry(name.clone()).or_default().push(found);
            }
        }
    }

    /// Adds the names that a file gives to SQL.
    pub fn add_constants(&mut self, names: Vec<String>) {
        self.constants.extend(names);
    }

    /// Whether no file gives a name to SQL.
    pub fn has_no_constants(&self) -> bool {
        self.constants.is_empty()
    }

    /// Whether a file gives that name to SQL.
    pub(super) fn is_constant(&self, name: &str) -> bool {
        self.constants.contains(name)
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
        let mut found = Vec::new();
        let Some((last, names)) = names.split_last() else {
            return found;
        };
        let any = last.starts_with('[').then_some("[]");
        for key in std::iter::once(last.as_str()).chain(any) {
            for used in self.by_name.get(key).into_iter().flatten() {
                let outer = &used.path[..used.path.len() - 1];
                let Some(from) = outer.strip_suffix(names).filter(|from| !from.is_empty()) else {
                    continue;
                };
                let package = || (1..module.len()).any(|length| module[..length].ends_with(from));
                if module.ends_with(from) {
                    found.push((used, true));
                } else if package() {
                    found.push((used, false));
                }
            }
        }
        found
    }

    /// Whether a file of the run holds the text at that path.
    pub(super) fn holds(&self, path: &[String]) -> bool {
        let named = path.last().and_then(|name| self.by_name.get(name));
        let mut uses = named.into_iter().flatten();
        uses.any(|used| used.path == path && used.held.load(Ordering::Relaxed))
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

fn note(modules: &mut Modules, path: &[String], name: &str) {
    for module in path {
        let names = modules.entry(module.clone()).or_default();
        if !names.contains(name) {
            names.insert(name.to_owned());
        }
    }
}

/// The names that are meant, if the file can be their module.
fn names_in<'a>(modules: &'a Modules, file: &Path) -> Option<&'a HashSet<String>> {
    let stem = file.file_stem()?;
    let name = if stem == "__init__" {
        file.parent()?.file_name()?
    } else {
        stem
    };
    modules.get(name.to_str()?)
}

/// Whether the file gives one of the names a value.
fn has_one_of(source: &str, names: Option<&HashSet<String>>) -> bool {
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
        let call = |path: &str| Use::new(names(path), path.to_owned(), Reading::Bare);
        uses.add(vec![
            call("app.queries.FIND"),
            call("app.FIND"),
            call("app.queries.Q.ALL"),
        ]);
        let of = |file: &str, name: &str| {
            let module = module_of(Path::new(file));
            let found = uses.of(&module, &names(name)).into_iter();
            found
                .map(|(used, sure)| (used.place.clone(), sure))
                .collect::<Vec<_>>()
        };
        let both = [
            ("app.queries.FIND".to_owned(), true),
            ("app.FIND".to_owned(), false),
        ];
        assert_eq!(of("/src/app/queries.py", "FIND"), both);
        assert_eq!(of("/src/app/queries/__init__.py", "FIND"), both);
        assert_eq!(
            of("/src/app/__init__.py", "FIND"),
            [("app.FIND".to_owned(), true)]
        );
        assert_eq!(of("/src/app/queries.py", "Q.ALL").len(), 1);
        assert!(of("/src/app/queries.py", "ALL").is_empty());
        assert!(of("/src/happ/queries.py", "FIND").is_empty());
        assert!(uses.may_mean(Path::new("/app/queries.py"), "FIND = 1"));
        assert!(!uses.may_mean(Path::new("/app/queries.py"), "OTHER = 1"));
        assert!(!uses.may_mean(Path::new("/app/other.py"), "FIND = 1"));
        uses.add(vec![Use::new(
            names("app.other.READ"),
            String::new(),
            Reading::Read,
        )]);
        assert!(uses.may_mean(Path::new("/app/other.py"), "READ = 1"));
        assert!(!uses.may_execute(Path::new("/app/other.py"), "READ = 1"));
        assert!(uses.may_execute(Path::new("/app/queries.py"), "FIND = 1"));
        assert!(!uses.holds(&names("app.FIND")));
        uses.of(&names("src.app"), &names("FIND"))[0].0.hold();
        assert!(uses.holds(&names("app.FIND")));
    }
}
