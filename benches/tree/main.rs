//! How fast a tree of Python files is converted and how much memory that takes, beside reading and parsing every file once.
//!
//! `TREE=folder` takes another tree than those made here; `UPDATE_DOCS=1` writes the table into `docs/BENCHMARKS.md`.

#![expect(clippy::print_stdout, reason = "a bench prints what it measures")]

mod contestants;
#[path = "../page.rs"]
mod page;
mod report;
mod source;

use contestants::{Contestant, Measured};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Files that differ, and how many times the larger tree has them.
const FILES: usize = 5_000;
const TIMES: usize = 20;

/// Every contestant's turns.
const ROUNDS: usize = 5;

/// A tree, and what was measured on it.
struct Tree {
    files: Vec<PathBuf>,
    bytes: u64,
    contestants: Vec<(Contestant, Vec<Measured>)>,
}

fn main() -> io::Result<()> {
    let mut trees = Vec::new();
    let given = std::env::var_os("TREE");
    if let Some(folder) = &given {
        trees.push(measure(Path::new(folder))?);
    } else {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let (one, many) = (folder.path().join("one"), folder.path().join("many"));
        source::write(&one, FILES)?;
        for copy in 0..TIMES {
            source::link(&one, &many.join(format!("copy{copy:02}")))?;
        }
        trees.push(measure(&one)?);
        trees.push(measure(&many)?);
    }
    let text = report::text(&trees);
    println!("{text}");
    if std::env::var_os("UPDATE_DOCS").is_some() && given.is_none() {
        page::write(page::Part::Tree, &text)?;
    }
    Ok(())
}

/// Gives every contestant its turns on the tree.
fn measure(folder: &Path) -> io::Result<Tree> {
    let files = python_files(folder)?;
    let sizes = files.iter().map(|file| Ok(fs::metadata(file)?.len()));
    let bytes = sizes.sum::<io::Result<u64>>()?;
    let mut tree = Tree {
        files,
        bytes,
        contestants: Contestant::ALL.map(|each| (each, Vec::new())).into(),
    };
    for _ in 0..ROUNDS {
        for (contestant, measured) in &mut tree.contestants {
            measured.push(contestant.run(folder, &tree.files)?);
        }
    }
    Ok(tree)
}

fn python_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "py") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
