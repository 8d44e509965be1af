//! `GROUP BY date_trunc(%s, ts)`

use super::context::Placeholder;
use super::finding::Found;
use super::hazard::{Behind, Look};
use super::order_by_param::is_group_key;
use super::spot::Spot;
use super::token::{Clause, Tok};
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "group-by-expr",
    severity: Severity::Note,
    title: "a value in an expression of GROUP BY",
    why: "The server compares the expression with those of the list, and `$1` and `$2` are different expressions even for equal \
          values. So it does with the keys of ORDER BY beside DISTINCT or GROUP BY. Give both uses one name, `%(unit)s`, so that \
          they are one parameter; or write the ordinal.",
    postgres: "column \"t.ts\" must appear in the GROUP BY clause or be used in an aggregate function",
    example: "SELECT date_trunc(%s, ts), count(*) FROM t GROUP BY date_trunc(%s, ts)",
    rewrite: "SELECT date_trunc($1, ts), count(*) FROM t GROUP BY date_trunc($1, ts)",
    look: Look::Parameter(Behind::ANYTHING, find),
};

/// How many placeholders and tokens before one are looked at, so that very many take no long time.
const MOST: usize = 1_000;

fn find(spot: &Spot<'_>) -> Option<Found> {
    let found = match clause(spot)? {
        Clause::Group => !is_group_key(spot),
        Clause::Order => is_compared(spot) && has_twin(spot),
        _ => false,
    };
    (found && !is_used_before(spot)).then(|| {
        let message = format!(
            "another parameter than `{}` in the same expression makes it another expression",
            spot.written()
        );
        Found::new(message)
    })
}

/// The clause of the query that the whole expression around it is in.
fn clause(spot: &Spot<'_>) -> Option<Clause> {
    let tokens = &spot.context.tokens;
    let mut clause = Some(spot.clause);
    let openers = std::iter::successors(spot.inside, |opener| outer(tokens, *opener));
    let mut clauses = openers.map(|opener| tokens[opener].clause);
    while !matches!(clause, Some(Clause::Group | Clause::Order) | None) {
        clause = clauses.next();
    }
    clause
}

/// What opens the parentheses or brackets around an opener.
fn outer(tokens: &[Tok], opener: usize) -> Option<usize> {
    tokens.get(opener.checked_sub(1)?)?.inside()
}

/// Whether the keys of an ORDER BY are compared with the list: the query groups, or leaves out what is there twice.
fn is_compared(spot: &Spot<'_>) -> bool {
    let Some(statement) = spot.statement() else {
        return false;
    };
    let tokens = &spot.context.tokens[statement.tokens.0..spot.placeholder.token];
    let mut pairs = tokens.windows(2).rev().take(MOST);
    pairs.any(|pair| {
        pair[0].is("select") && pair[1].is("distinct") || pair[0].is("group") && pair[1].is("by")
    })
}

/// Whether an earlier placeholder follows the same two tokens.
fn has_twin(spot: &Spot<'_>) -> bool {
    let lead = |placeholder: &Placeholder| {
        [1, 2].map(|back| {
            let token = spot.context.token(placeholder.token.checked_sub(back));
            spot.text(token)
        })
    };
    let own = lead(spot.placeholder);
    earlier(spot).any(|other| {
        let pairs = lead(other).into_iter().zip(own);
        pairs.fold(true, |same, (one, other)| {
            same && one.eq_ignore_ascii_case(other)
        })
    })
}

/// Whether it is the parameter of an earlier use: then the expressions are the same.
fn is_used_before(spot: &Spot<'_>) -> bool {
    earlier(spot).any(|other| other.number == spot.placeholder.number)
}

/// The placeholders before it, the nearest first.
fn earlier<'c>(spot: &Spot<'c>) -> impl Iterator<Item = &'c Placeholder> {
    let before = spot.context.placeholders[..spot.index].iter();
    before.rev().take(MOST)
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
                "SELECT a + %s FROM t GROUP BY ⟨%s⟩ + a",
                "SELECT date_trunc(%s, a) FROM t GROUP BY date_trunc(⟨%s⟩, a), b",
                "SELECT 1 FROM t GROUP BY ROLLUP (%s), CUBE (⟨%s⟩ + a)",
                "SELECT 1 FROM t GROUP BY (%s), a HAVING f(%s) AND %s > 1",
                "SELECT date_trunc(%(a)s, b) FROM t GROUP BY date_trunc(%(a)s, b), c + ⟨%(d)s⟩",
                "SELECT a || %s FROM t GROUP BY a || ⟨%s⟩",
                "SELECT (a + %s) FROM t GROUP BY b, (a + ⟨%s⟩) HAVING sum(c) > %s",
                "SELECT f(g(a, %s)) FROM t GROUP BY f(g(a, ⟨%s⟩)) ORDER BY f(g(a, ⟨%s⟩))",
                "SELECT DISTINCT a + %s FROM t ORDER BY A + ⟨%s⟩, b + %s",
                "SELECT DISTINCT ON (a + %s) b FROM t ORDER BY a + ⟨%s⟩",
                "SELECT a + %s FROM t ORDER BY a + %s",
            ],
        );
    }
}
