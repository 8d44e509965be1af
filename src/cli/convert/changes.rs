//! The changes of one file that its queries want.

use crate::sql::translate::Edit;
use std::collections::BTreeMap;

/// Changes that do not overlap. Two queries can share a literal, and then must want the same of it.
#[derive(Debug, Default)]
pub(super) struct Changes {
    by_start: BTreeMap<usize, Edit>,
}

impl Changes {
    /// Takes a query's changes, which are in order; all of them, or none where one stands against another.
    pub(super) fn admit(&mut self, edits: &[Edit]) -> bool {
        let edits = joined(edits);
        let apart = edits.windows(2).all(|pair| {
            let (one, next) = (&pair[0].range, &pair[1].range);
            one.end <= next.start && one.start < next.start
        });
        let admitted = apart && edits.iter().all(|edit| self.agrees(edit));
        if admitted {
            let edits = edits.into_iter();
            self.by_start
                .extend(edits.map(|edit| (edit.range.start, edit)));
        }
        admitted
    }

    fn agrees(&self, edit: &Edit) -> bool {
        let before = self.by_start.range(..edit.range.start).next_back();
        let after = self.by_start.range(edit.range.start..).next();
        before.is_none_or(|(_, before)| before.range.end <= edit.range.start)
            && after.is_none_or(|(start, after)| {
                after == edit || (*start >= edit.range.end && *start > edit.range.start)
            })
    }

    /// The changes in the order of the text.
    pub(super) fn into_edits(self) -> Vec<Edit> {
        self.by_start.into_values().collect()
    }
}

/// The same changes, with what is only added before a place made one with what else happens there.
fn joined(edits: &[Edit]) -> Vec<Edit> {
    let mut all: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits {
        match all.last_mut() {
            Some(last) if last.range.is_empty() && last.range.start == edit.range.start => {
                last.range = edit.range.clone();
                last.text.push_str(&edit.text);
            }
            _ => all.push(edit.clone()),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: usize, end: usize, text: &str) -> Edit {
        Edit {
            range: start..end,
            text: text.to_owned(),
        }
    }

    #[test]
    fn what_is_added_at_one_place_stays_in_its_order() {
        let mut changes = Changes::default();
        let edits = [
            edit(1, 1, "("),
            edit(1, 1, "list("),
            edit(1, 2, "x"),
            edit(2, 2, ")"),
        ];
        assert!(changes.admit(&edits));
        assert_eq!(Edit::apply("abc", &changes.into_edits()), "a(list(x)c");
    }

    #[test]
    fn all_changes_of_a_query_are_taken_or_none() {
        let mut changes = Changes::default();
        assert!(changes.admit(&[edit(4, 6, "a"), edit(8, 8, "b")]));
        assert!(changes.admit(&[edit(4, 6, "a"), edit(6, 7, "c")]));
        assert!(!changes.admit(&[edit(0, 1, "d"), edit(5, 7, "e")]));
        assert!(!changes.admit(&[edit(3, 5, "d")]));
        assert!(!changes.admit(&[edit(4, 6, "other")]));
        assert!(!changes.admit(&[edit(8, 8, "other")]));
        assert!(!changes.admit(&[edit(10, 12, "x"), edit(11, 13, "y")]));
        let starts: Vec<usize> = changes
            .into_edits()
            .iter()
            .map(|edit| edit.range.start)
            .collect();
        assert_eq!(starts, [4, 6, 8]);
    }
}
