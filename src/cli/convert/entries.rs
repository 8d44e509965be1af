//! What a walk came upon, kept in few bytes.

use super::tree::Entry;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// Entries in the order in which they came.
///
/// Neighbours of a walk are in the same folders: a path is kept as how much of the one before it begins with, and its own end.
#[derive(Debug, Default)]
pub(super) struct Entries {
    ends: Vec<u8>,
    /// The path that came last.
    last: Vec<u8>,
    len: usize,
    /// What is no file, by its place among the entries.
    closed: Vec<(usize, Entry)>,
}

/// A length in [`Entries::ends`].
const LENGTH: usize = size_of::<u16>();

impl Entries {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, entry: Entry) {
        match entry {
            Entry::File(path) => self.push_path(path.as_os_str().as_bytes()),
            closed @ Entry::Closed(..) => self.closed.push((self.len, closed)),
        }
        self.len += 1;
    }

    fn push_path(&mut self, path: &[u8]) {
        let pairs = self.last.iter().zip(path);
        let shared = pairs.take_while(|(last, own)| last == own).count();
        let end = &path[shared..];
        for length in [shared, end.len()] {
            let length = u16::try_from(length).expect("no system opens paths of 64 KiB");
            self.ends.extend(length.to_le_bytes());
        }
        self.ends.extend(end);
        self.last.truncate(shared);
        self.last.extend(end);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Entry> + Send {
        let mut closed = self.closed.iter().peekable();
        let (mut ends, mut path) = (self.ends.as_slice(), Vec::new());
        (0..self.len).map_while(move |at| {
            if let Some((_, entry)) = closed.next_if(|(place, _)| *place == at) {
                return Some(entry.clone());
            }
            let shared = length(&mut ends)?;
            let end = length(&mut ends)?;
            let (end, rest) = ends.split_at_checked(end)?;
            ends = rest;
            path.truncate(shared);
            path.extend(end);
            Some(Entry::File(PathBuf::from(OsString::from_vec(path.clone()))))
        })
    }
}

/// Takes a length from the start of the bytes.
fn length(bytes: &mut &[u8]) -> Option<usize> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH>()?;
    *bytes = rest;
    Some(usize::from(u16::from_le_bytes(*length)))
}

impl Extend<Entry> for Entries {
    fn extend<T: IntoIterator<Item = Entry>>(&mut self, entries: T) {
        entries.into_iter().for_each(|entry| self.push(entry));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_as_they_went() {
        let closed = |name: &str| Entry::Closed(name.to_owned(), "why".to_owned());
        let file = |path: &[u8]| Entry::File(OsString::from_vec(path.to_vec()).into());
        let all = [
            closed("first"),
            file(b"a/b.py"),
            file(b"a/b.py"),
            file(b"a/bc.sql"),
            closed("a/c"),
            closed("a/d"),
            file(b"a"),
            file(b""),
            file(b"\xff/\xc3.py"),
            file(b"\xff/\xc3\xa4.py"),
        ];
        let mut kept = Entries::default();
        kept.extend(all.clone());
        assert_eq!(kept.len(), all.len());
        let shown = |entry: Entry| format!("{entry:?}");
        assert!(kept.iter().map(shown).eq(all.into_iter().map(shown)));
    }
}
