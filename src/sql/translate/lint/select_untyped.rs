//! `SELECT %s`

use super::super::scan::TokenKind;
use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::token::Clause;
use super::vocabulary as words;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "select-untyped",
    severity: Severity::Warning,
    title: "a value of which nothing tells the type",
    why: "psycopg2 writes a literal, and a number is a number. A parameter that is an item of its own becomes text: a driver \
          refuses a number for it, or the text meets a number further out. Where a column's name was meant, the answer is that \
          text in each row. Cast it.",
    postgres: "",
    example: "SELECT %s AS x",
    rewrite: "SELECT $1::int AS x",
    look: Look::Parameter(Behind::SIGN.or(Behind::WORD), find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    if spot.is_cast || !matches!(spot.clause, Clause::Select | Clause::Returning) {
        return None;
    }
    let (before, next) = (spot.before(1), spot.after(1));
    let starts = matches!(
        before.word.text,
        "select" | "distinct" | "returning" | "all"
    ) || before.is_sign(b',');
    let is_named = matches!(
        next.kind,
        TokenKind::Identifier | TokenKind::QuotedIdentifier
    ) && !next.has(words::KEYWORD);
    let ends = spot.ends_item() || next.has(words::AFTER_ITEM) || is_named;
    (starts && ends).then(|| {
        Found::new(format!(
            "the server takes `{}` for text; cast it to what it is",
            spot.written()
        ))
    })
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
                "SELECT ⟨%s⟩, ⟨%s⟩ AS a, ⟨%s⟩ b FROM t RETURNING ⟨%s⟩",
                "SELECT DISTINCT ⟨%s⟩ UNION ALL SELECT ⟨%s⟩ WHERE %s",
                "SELECT (SELECT ⟨%s⟩);",
                "SELECT %s::int, (%s)::int, CAST(%s AS int), %s + a, f(%s) FROM t WHERE a = %s",
            ],
        );
    }
}
