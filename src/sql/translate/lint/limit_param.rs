//! `LIMIT %s`

use super::super::scan::TokenKind;
use super::finding::{Form, Found};
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "limit-param",
    severity: Severity::Note,
    title: "a value as the number of rows",
    why: "It is a bigint: a driver refuses text for it, and a driver of a typed language an int. A number as it is, or None for \
          no limit, is right.",
    postgres: "",
    example: "SELECT id FROM t LIMIT %s",
    rewrite: "SELECT id FROM t LIMIT $1::bigint",
    look: Look::Parameter(Behind::WORD, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let before = spot.before(1).word.text;
    let is_count = matches!(before, "limit" | "offset")
        || matches!(before, "first" | "next") && spot.before(2).is("fetch");
    is_count.then(|| {
        let is_all = spot.after(1).kind != TokenKind::Operator && !spot.is_cast;
        // `FETCH FIRST` takes a bare parameter, and an expression only in parentheses.
        let is_all = is_all && !matches!(before, "first" | "next");
        let found = Found::new(format!("`{}` has to be a number", spot.written()));
        found.with(is_all.then(|| spot.cast_to("bigint", Form::Same).safe_if(true)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::table::{finds, fixes, leaves};
    use super::*;

    #[test]
    fn found() {
        finds(
            &HAZARD,
            &[
                "SELECT a LIMIT ⟨%s⟩ OFFSET ⟨%s⟩",
                "SELECT a OFFSET ⟨%s⟩ ROWS FETCH NEXT ⟨%s⟩ ROWS ONLY",
                "SELECT first(%s), a FROM t LIMIT ALL",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[(
                "SELECT a LIMIT %s OFFSET %s",
                "SELECT a LIMIT $1::bigint OFFSET $2::bigint",
                true,
            )],
        );
        leaves(
            &HAZARD,
            &[
                "SELECT a LIMIT %s::int",
                "SELECT a LIMIT %s + 1",
                "SELECT a FETCH FIRST %s ROWS ONLY",
            ],
        );
    }
}
