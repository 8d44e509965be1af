//! `ORDER BY %s`, `DISTINCT ON (%s)`

use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::token::Clause;
use super::vocabulary as words;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "order-by-param",
    severity: Severity::Error,
    title: "a value as a key of ORDER BY or DISTINCT ON",
    why: "psycopg2 writes the number or the name into the text. A parameter is a constant, so every row has the same key: the \
          rows come in any order, or one of them is left, without a word. Write the ordinal or the name, from a fixed list in the program, or choose \
          with `CASE`.",
    postgres: "",
    example: "SELECT id FROM t ORDER BY %s",
    rewrite: "",
    look: Look::Parameter(Behind::SIGN.or(Behind::WORD), find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let (key, opener) = whole_key(spot)?;
    let word = |back: usize| {
        spot.context
            .token(opener.and_then(|opener| opener.checked_sub(back)))
    };
    let is_distinct = word(1).is("on") && word(2).is("distinct");
    (key.is_in(Clause::Order) || is_distinct).then(|| {
        let verb = if is_distinct { "parts" } else { "orders" };
        Found::new(format!(
            "`{}` is the same for every row and {verb} nothing",
            spot.written()
        ))
    })
}

/// The placeholder with the parentheses around it alone.
#[derive(Debug)]
pub(super) struct Key {
    clause: Clause,
    /// Whether a key of a list may start with it.
    is_started: bool,
}

impl Key {
    /// Whether it is all of a key of that clause.
    pub(super) fn is_in(&self, clause: Clause) -> bool {
        self.clause == clause && self.is_started
    }
}

/// The placeholder with the parentheses around it alone: what it is there, and what opens the parentheses in which it
/// is an item. A number in parentheses is an ordinal too. `None` where no key can end with it, which is told soon: most are no key.
fn whole_key(spot: &Spot<'_>) -> Option<(Key, Option<usize>)> {
    const DEEP: usize = 16;
    let lead = spot.before(1);
    let may_lead = lead.is_sign(b'(') || lead.is_sign(b',') || lead.has(words::BEFORE_KEY);
    if !may_lead {
        return None;
    }
    let context = spot.context;
    let (mut first, mut last) = (spot.placeholder.token, spot.placeholder.token);
    let before = |first: usize, back: usize| context.token(first.checked_sub(back));
    for _ in 0..DEEP {
        let opens = before(first, 1).is_sign(b'(') && context.token(Some(last + 1)).is_sign(b')');
        let is_call = || context.function(first.checked_sub(1)).is_some();
        let is_list = || before(first, 2).is("on") && before(first, 3).is("distinct");
        if !opens || is_call() || is_list() {
            break;
        }
        (first, last) = (first - 1, last + 1);
    }
    let next = context.token(Some(last + 1));
    let ends_item = next.is_sign(b',') || next.is_sign(b')') || next.is_sign(b';');
    if !ends_item && next.start != next.end && !next.has(words::AFTER_KEY) {
        return None;
    }
    let lead = before(first, 1);
    let follows = lead.is_sign(b',');
    let leads = lead.has(words::BEFORE_KEY);
    if !follows && !leads && !lead.is_sign(b'(') {
        return None;
    }
    let is_started = follows || lead.is("by") || leads && before(first, 2).is("by");
    let clause = context.token(Some(first)).clause;
    let opener = if lead.is_sign(b'(') {
        first.checked_sub(1)
    } else {
        lead.inside().filter(|_| lead.is_sign(b','))
    };
    Some((Key { clause, is_started }, opener))
}

/// Whether the placeholder is a key of `GROUP BY`, which may also be an item of a list in parentheses there.
pub(super) fn is_group_key(spot: &Spot<'_>) -> bool {
    const DEEP: usize = 16;
    let Some((key, mut opener)) = whole_key(spot) else {
        return false;
    };
    if key.is_in(Clause::Group) {
        return true;
    }
    let tokens = &spot.context.tokens;
    for _ in 0..DEEP {
        let Some(open) = opener.filter(|&open| tokens[open].is_sign(b'(')) else {
            return false;
        };
        let lead = spot.context.token(open.checked_sub(1));
        let is_set = matches!(lead.word.text, "rollup" | "cube" | "sets");
        let starts = is_set || lead.has(words::BEFORE_KEY) || lead.is_sign(b',');
        if starts && tokens[open].clause == Clause::Group {
            return true;
        }
        opener = if lead.is_sign(b'(') {
            open.checked_sub(1)
        } else {
            lead.inside().filter(|_| lead.is_sign(b','))
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::table::finds;
    use super::*;

    #[test]
    fn found() {
        finds(
            &HAZARD,
            &[
                "SELECT a FROM t ORDER BY ⟨%s⟩ DESC, ⟨%s⟩ NULLS LAST LIMIT 1",
                "SELECT row_number() OVER (PARTITION BY a ORDER BY ⟨%s⟩)",
                "SELECT a FROM t ORDER BY (⟨%s⟩), ((⟨%s⟩)) LIMIT 1; SELECT a FROM t ORDER BY id, (⟨%s⟩) DESC",
                "SELECT DISTINCT ON (⟨%s⟩) a FROM t; SELECT DISTINCT ON (a, ⟨%s⟩, (⟨%s⟩)) a FROM t",
                "SELECT DISTINCT ON (a + %s, f(%s), (b = %s)) a FROM t JOIN u ON (%s)",
                "SELECT a FROM t ORDER BY (%s) + a, (SELECT b WHERE %s), (%s)::int, (a, %s), (a = %s)",
                "SELECT a FROM t ORDER BY a <-> %s, f(b, %s), CASE WHEN %s THEN a END",
            ],
        );
    }
}
