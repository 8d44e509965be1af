//! Keys whose backend somebody set, with an end to it.

use crate::backend::BackendKind;
use crate::flags::Key;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::xxh3_64;

/// The keys whose backend is set, by their hash, so that a look-up compares one text at most, as a rule.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::flags) struct Overrides(HashMap<u64, Vec<Entry>, BuildHasherDefault<Hashed>>);

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    key: Box<str>,
    backend: BackendKind,
    ends: Option<Instant>,
}

/// Takes a number that is a hash already as its own hash.
#[derive(Debug, Clone, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }
}

/// A key whose backend is set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Override {
    /// The tenant or the session.
    pub key: String,
    /// Where its units of work run.
    pub backend: BackendKind,
    /// How long it still holds; `None`: until it is removed.
    pub left: Option<Duration>,
}

impl Overrides {
    /// What is set for any part of the key. Where the parts differ, blocking wins.
    pub(in crate::flags) fn find(&self, key: &Key<'_>) -> Option<BackendKind> {
        let mut found = None;
        for part in key.parts() {
            match self.find_part(part) {
                Some(BackendKind::Blocking) => return Some(BackendKind::Blocking),
                Some(BackendKind::Async) => found = Some(BackendKind::Async),
                None => {}
            }
        }
        found
    }

    fn find_part(&self, key: &str) -> Option<BackendKind> {
        let same = self.0.get(&xxh3_64(key.as_bytes()))?;
        let entry = same.iter().find(|entry| &*entry.key == key)?;
        // The clock is read for a key that is set, and for no other.
        entry.holds().then_some(entry.backend)
    }

    pub(in crate::flags) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These, and `key` on `backend` until `ends`.
    pub(in crate::flags) fn with(
        &self,
        key: &str,
        backend: BackendKind,
        ends: Option<Instant>,
    ) -> Self {
        let mut next = self.without(key);
        let entry = Entry {
            key: key.into(),
            backend,
            ends,
        };
        let same = next.0.entry(xxh3_64(key.as_bytes())).or_default();
        same.push(entry);
        next
    }

    /// These without `key`, and without what has ended.
    pub(in crate::flags) fn without(&self, key: &str) -> Self {
        self.kept(|entry| &*entry.key != key && entry.holds())
    }

    /// These without what has ended; `None` where nothing has.
    pub(in crate::flags) fn swept(&self) -> Option<Self> {
        let all_hold = self.0.values().flatten().all(Entry::holds);
        (!all_hold).then(|| self.kept(Entry::holds))
    }

    fn kept(&self, keep: impl Fn(&Entry) -> bool) -> Self {
        let mut next = self.clone();
        next.0.retain(|_, same| {
            same.retain(&keep);
            !same.is_empty()
        });
        next
    }

    /// The keys in the order of their names.
    pub(in crate::flags) fn list(&self) -> Vec<Override> {
        let now = Instant::now();
        let entries = self.0.values().flatten().filter(|entry| entry.holds());
        let mut list: Vec<_> = entries
            .map(|entry| Override {
                key: entry.key.to_string(),
                backend: entry.backend,
                left: entry.ends.map(|ends| ends.saturating_duration_since(now)),
            })
            .collect();
        list.sort_by(|a, b| a.key.cmp(&b.key));
        list
    }
}

impl Entry {
    fn holds(&self) -> bool {
        self.ends.is_none_or(|ends| Instant::now() < ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_found_among_many() {
        let mut overrides = Overrides::default();
        for number in 0..500 {
            let backend = BackendKind::ALL[number % 2];
            overrides = overrides.with(&format!("k{number}"), backend, None);
        }
        for number in 0..500 {
            let key = format!("k{number}");
            assert_eq!(
                overrides.find(&Key::tenant(&key)),
                Some(BackendKind::ALL[number % 2]),
                "{key}"
            );
            assert_eq!(
                overrides.find(&Key::session(&key)),
                Some(BackendKind::ALL[number % 2]),
                "{key}"
            );
        }
        assert_eq!(overrides.find(&Key::tenant("k500")), None);
        assert_eq!(overrides.without("k7").find(&Key::tenant("k7")), None);
    }

    #[test]
    fn blocking_wins_over_the_key_s_other_part() {
        let overrides = Overrides::default()
            .with("t", BackendKind::Async, None)
            .with("s", BackendKind::Blocking, None);
        assert_eq!(
            overrides.find(&Key::new(Some("t"), Some("s"))),
            Some(BackendKind::Blocking)
        );
        assert_eq!(
            overrides.find(&Key::new(Some("t"), Some("other"))),
            Some(BackendKind::Async)
        );
    }

    #[test]
    fn setting_again_replaces() {
        let overrides = Overrides::default()
            .with("t", BackendKind::Async, None)
            .with("t", BackendKind::Blocking, None);
        assert_eq!(overrides.list().len(), 1);
        assert_eq!(
            overrides.find(&Key::tenant("t")),
            Some(BackendKind::Blocking)
        );
    }

    #[test]
    fn what_has_ended_does_not_hold() {
        let now = Instant::now();
        let overrides = Overrides::default()
            .with(
                "long",
                BackendKind::Async,
                Some(now + Duration::from_hours(1)),
            )
            .with("over", BackendKind::Async, Some(now));
        assert_eq!(overrides.find(&Key::tenant("over")), None);
        assert_eq!(
            overrides.find(&Key::tenant("long")),
            Some(BackendKind::Async)
        );
        assert_eq!(overrides.list().len(), 1);
        let swept = overrides.swept().unwrap();
        assert!(swept.swept().is_none());
    }
}
