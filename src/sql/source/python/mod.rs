//! Finds the SQL that a Python file executes, and follows it to the literals that it is written in.
//!
//! A file goes through five steps: `looks` tells whether it can hold SQL at all; `depth` whether it can be walked; `walk` collects its
//! assignments, its reads and its calls; `calls` asks `resolve` for the text of each call, and `arguments` for its values; `group`
//! makes one query of each text. `resolve` follows `names` by `reach`, decodes literals by `literal` and composes by `compose`.

mod arguments;
mod bind;
mod call_edits;
mod calls;
mod compose;
mod constants;
mod depth;
mod driver;
mod group;
mod ignore;
mod import;
mod literal;
mod literals;
mod looks;
mod method;
mod names;
mod reach;
mod resolve;
mod rooted;
mod scope;
mod sends;
mod text;
mod texts;
mod unexecuted;
mod uses;
mod value;
mod walk;
mod wrapper;

pub(super) use call_edits::call_edits;

use std::cell::OnceCell;
use std::mem::ManuallyDrop;
use std::path::Path;

use ruff_python_ast::token::{Token, Tokens};
use ruff_python_ast::{ModModule, PySourceType};
use ruff_python_parser::{Parsed, parse_unchecked_source};

use super::elsewhere::{folders, module_of};
use super::{Among, Holds, Language, Seen, SourceQuery, Unreadable, Uses};
use ignore::Ignores;
use import::Imported;
use looks::Looks;
use resolve::Resolver;
use scope::Module;
use sends::Brought;

/// Python's line in the list of languages.
pub(super) const PYTHON: Language = Language {
    name: "Python",
    extensions: &["py", "pyi"],
    find,
    among: Some(Among {
        look,
        uses: uses::uses,
        find: find_among,
    }),
};

/// The largest file that is read: a tree takes many times the bytes of its source.
const LARGEST: usize = 64 << 20;

/// The deepest tree that is walked on the caller's stack.
const SHALLOW: usize = 200;

/// The deepest tree that is walked at all; Python itself gives up much earlier.
const DEEPEST: usize = 50_000;

/// The stack that one level of a tree takes, with room to spare for a build without optimization.
const STACK_A_LEVEL: usize = 8 << 10;

/// A file, and what was read of it.
#[derive(Debug)]
struct File<'a> {
    source: &'a str,
    tokens: &'a Tokens,
    module: Module<'a>,
    /// Where its lines end, once somebody asks.
    line_ends: OnceCell<Vec<usize>>,
}

impl File<'_> {
    /// The line of a byte; the first is 1.
    fn line_of(&self, at: usize) -> usize {
        let ends = || memchr::memchr_iter(b'\n', self.source.as_bytes()).collect();
        let ends = self.line_ends.get_or_init(ends);
        1 + ends.partition_point(|end| *end < at)
    }
}

/// Where a file stands among those of a run, and what they execute of each other's texts.
#[derive(Debug)]
struct Others<'a> {
    path: &'a Path,
    module: Vec<String>,
    uses: &'a Uses,
}

impl Others<'_> {
    /// Whether a file of the run holds all texts that this file's expression may be.
    fn hold(&self, names: Vec<Imported>) -> bool {
        let folders = folders(self.path);
        let mut names = names.into_iter();
        !self.uses.is_empty()
            && names.all(|name| name.whole && self.uses.holds(&uses::absolute(&folders, name)))
    }
}

/// What a Python file tells before anything is converted.
fn look(source: &str) -> Seen {
    let spans: Vec<_> = literals::spans(source).collect();
    let looks = Looks::of(source, spans.iter().cloned());
    let sends = || looks.named && Brought::to(source).sent();
    let holds = match looks {
        Looks { query: true, .. } => Holds::Queries,
        _ if sends() => Holds::Queries,
        Looks {
            statement: true, ..
        } => Holds::Texts,
        _ => Holds::Nothing,
    };
    let constants = if looks.statement {
        constants::constants(source, &spans)
    } else {
        Vec::new()
    };
    Seen { constants, holds }
}

/// Finds the queries of a Python file that stands alone.
fn find(source: &str) -> Result<Vec<SourceQuery>, Unreadable> {
    find_among(Path::new(""), source, &Uses::default())
}

/// Finds the queries of a Python file whose texts others may execute.
fn find_among(path: &Path, source: &str, uses: &Uses) -> Result<Vec<SourceQuery>, Unreadable> {
    let looks = Looks::of(source, literals::spans(source));
    let meant = looks.statement && uses.may_mean(path, source);
    let sends = || looks.named && Brought::to(source).sent();
    if !meant && !looks.query && !sends() {
        return Ok(Vec::new());
    }
    let others = Others {
        path,
        module: module_of(path),
        uses,
    };
    open(source, |file| queries(file, &others))
}

/// Gives a file's tree to `then`.
fn open<T: Send>(source: &str, then: impl FnOnce(&File<'_>) -> T + Send) -> Result<T, Unreadable> {
    let refused = |message| Err(unreadable(source, 0, message));
    if source.len() > LARGEST {
        return refused(format!("the file is larger than {} MiB", LARGEST >> 20));
    }
    if depth::may_exceed(DEEPEST, source) {
        return refused(format!("the file nests deeper than {DEEPEST} levels"));
    }
    let parsed = parse_unchecked_source(source, PySourceType::Python);
    let depth = depth::bound(parsed.tokens().iter().map(Token::kind));
    if depth <= SHALLOW {
        return read(source, parsed, then);
    }
    read_deep(source, parsed, depth, then).unwrap_or_else(|| {
        refused(format!(
            "the file nests {depth} levels deep, and no thread can be had to read it"
        ))
    })
}

/// Reads a tree that is deep: it is walked, and dropped, by recursion, and needs a stack of its own.
fn read_deep<T: Send>(
    source: &str,
    parsed: Parsed<ModModule>,
    depth: usize,
    then: impl FnOnce(&File<'_>) -> T + Send,
) -> Option<Result<T, Unreadable>> {
    let stack = depth.min(DEEPEST) * STACK_A_LEVEL + (1 << 20);
    // Where no thread can be had, the tree is kept rather than dropped on this stack.
    let parsed = ManuallyDrop::new(parsed);
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(stack);
        let read = move || read(source, ManuallyDrop::into_inner(parsed), then);
        thread.spawn_scoped(scope, read).ok()?.join().ok()
    })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the tree is dropped where it was walked, on a stack that is deep enough"
)]
fn read<T>(
    source: &str,
    parsed: Parsed<ModModule>,
    then: impl FnOnce(&File<'_>) -> T,
) -> Result<T, Unreadable> {
    if let Some(error) = parsed.errors().first() {
        return Err(unreadable(
            source,
            error.location.start().to_usize(),
            error.error.to_string(),
        ));
    }
    let file = File {
        source,
        tokens: parsed.tokens(),
        module: Module::read(parsed.suite()),
        line_ends: OnceCell::new(),
    };
    Ok(then(&file))
}

/// The queries of a file.
fn queries(file: &File<'_>, others: &Others<'_>) -> Vec<SourceQuery> {
    if file.module.drivers.foreign() {
        return Vec::new();
    }
    let mut resolver = Resolver::new(&file.module, file.source);
    let mut found = Vec::new();
    for site in &file.module.calls {
        found.extend(calls::examine(file, others, &mut resolver, *site));
    }
    unexecuted::texts(file, &mut resolver, &mut found);
    unexecuted::constants(file, others, &mut resolver, &mut found);
    let ignores = Ignores::read(file);
    group::queries(file, found, &ignores)
}

fn unreadable(source: &str, at: usize, message: String) -> Unreadable {
    let before = &source[..source.floor_char_boundary(at)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Unreadable {
        line: resolve::line_of(source, before.len()),
        column: before[line_start..]
            .trim_start_matches('\u{feff}')
            .chars()
            .count()
            + 1,
        message,
    }
}

#[cfg(test)]
mod tests;
