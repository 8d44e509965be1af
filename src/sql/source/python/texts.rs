//! The texts that one expression may be.

use std::ops::Range;

use super::text::Text;
use crate::sql::source::Dynamic;

/// The texts that an expression may be.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_field_names,
    reason = "they are the texts that the type is about"
)]
pub(super) struct Texts {
    pub(super) texts: Vec<Text>,
    /// Whether it may be something else, too.
    pub(super) unknown: bool,
    /// Whether there are more texts than are told apart.
    pub(super) cut: bool,
}

/// More texts than these are not told apart.
pub(super) const MOST_TEXTS: usize = 16;

impl Texts {
    pub(super) fn unknown() -> Self {
        Self {
            unknown: true,
            ..Self::default()
        }
    }

    pub(super) fn one(text: Text) -> Self {
        Self {
            texts: vec![text],
            ..Self::default()
        }
    }

    pub(super) fn join(&mut self, other: Self) {
        self.unknown |= other.unknown;
        self.cut |= other.cut;
        self.texts.extend(other.texts);
        if self.texts.len() > MOST_TEXTS {
            self.texts.truncate(MOST_TEXTS);
            (self.unknown, self.cut) = (true, true);
        }
    }

    /// Every text of `self` followed by every text of `other`.
    pub(super) fn followed_by(mut self, other: &Self) -> Self {
        // A long chain of single texts is not copied at every link.
        if let [only] = &other.texts[..] {
            for text in &mut self.texts {
                text.push(only.clone());
            }
            self.unknown |= other.unknown;
            self.cut |= other.cut;
            return self;
        }
        let mut found = Self {
            texts: Vec::new(),
            unknown: self.unknown || other.unknown,
            cut: self.cut || other.cut,
        };
        for first in self.texts {
            for second in &other.texts {
                if found.texts.len() == MOST_TEXTS {
                    (found.unknown, found.cut) = (true, true);
                    return found;
                }
                let mut text = first.clone();
                text.push(second.clone());
                found.texts.push(text);
            }
        }
        found
    }

    pub(super) fn map(self, change: impl Fn(Text) -> Text) -> Self {
        Self {
            texts: self.texts.into_iter().map(change).collect(),
            unknown: self.unknown,
            cut: self.cut,
        }
    }

    /// The same texts, known to be changed at run time.
    pub(super) fn dynamic(self, file: Range<usize>, how: &str) -> Self {
        self.map(|mut text| {
            text.dynamic
                .get_or_insert_with(|| Dynamic::at_run_time(file.clone(), how));
            text
        })
    }
}
