//! `WHERE %s = 1 %s 2`

use super::super::scan::TokenKind;
use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::token::Clause;
use super::vocabulary as words;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "before-operand",
    severity: Severity::Error,
    title: "a value directly before an operand",
    why: "An operator is missing between the two, or the value was to be a fragment of SQL. Put the fragment into the text from \
          a fixed list in the program.",
    postgres: "syntax error at or near \"name\"",
    example: "SELECT id FROM t WHERE %s name = 'a'",
    rewrite: "",
    look: Look::Parameter(Behind::ANYTHING, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let next = spot.after(1);
    let is_operand = match next.kind {
        TokenKind::Number | TokenKind::String | TokenKind::Parameter => true,
        // Behind an item of a list this is its name.
        TokenKind::QuotedIdentifier | TokenKind::Identifier => {
            let continues = next.has(words::KEYWORD) || next.has(words::AFTER_OPERAND);
            !continues && !matches!(spot.clause, Clause::Select | Clause::Returning)
        }
        _ => false,
    };
    is_operand.then(|| {
        Found::new(format!(
            "no operand can follow a value, as one follows `{}`",
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
                "SELECT 1 WHERE ⟨%s⟩ a = 1 OR ⟨%s⟩ 1 OR ⟨%s⟩ 'a' OR ⟨%s⟩ \"A\"",
                "SELECT ⟨%s⟩ %s",
                "SELECT %s a, %s \"B\", %s AS c FROM t WHERE %s BETWEEN 1 AND 2 AND %s COLLATE \"C\" = 'a' ORDER BY %s DESC",
                "SELECT sum(a) OVER (ORDER BY b ROWS %s PRECEDING)",
            ],
        );
    }
}
