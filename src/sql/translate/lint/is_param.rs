//! `deleted IS %s`

use super::super::scan::TokenKind;
use super::finding::{Fix, Form, Found};
use super::hazard::Look;
use super::spot::{Spot, text};
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "is-param",
    severity: Severity::Error,
    title: "a value behind IS",
    why: "`IS` is followed by a keyword, which psycopg2 writes for None, True and False. A parameter is compared with \
          `IS NOT DISTINCT FROM`, which treats NULL as a value. An index does not serve it: where the value is never NULL, write `=`.",
    postgres: "syntax error at or near \"$1\"",
    example: "SELECT id FROM t WHERE name IS %s",
    rewrite: "SELECT id FROM t WHERE name IS NOT DISTINCT FROM $1",
    look: Look::Parameter(find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let is_negated = spot.before(1).is("not") && spot.before(2).is("is");
    if !spot.before(1).is("is") && !is_negated {
        return None;
    }
    let found = Found::new(format!(
        "`IS` takes a keyword and not the value of `{}`",
        spot.written()
    ));
    Some(found.with(distinct(spot, is_negated)))
}

fn distinct(spot: &Spot<'_>, is_negated: bool) -> Option<Fix> {
    if spot
        .statement()
        .is_none_or(|statement| statement.is_utility)
    {
        return None;
    }
    let (words, length) = if is_negated {
        ("IS DISTINCT FROM ", 2)
    } else {
        ("IS NOT DISTINCT FROM ", 1)
    };
    let token = spot.context.token(Some(spot.placeholder.token));
    let change = spot.change(
        spot.before(length),
        token,
        vec![text(words), spot.piece(Form::Same)],
    );
    let advice = format!(
        "write `{words}{}`; an index does not serve it",
        spot.written()
    );
    let left_is_typed = spot.before(length + 1).kind != TokenKind::Parameter;
    Some(Fix::rewrite(advice, vec![change]).safe_if(left_is_typed))
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
                "SELECT 1 FROM t WHERE a IS ⟨%s⟩ OR b is\n not ⟨%s⟩",
                "SELECT 1 FROM t WHERE a IS NOT DISTINCT FROM %s AND b IS NOT NULL AND NOT %s AND %s IS TRUE",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[
                (
                    "SELECT 1 FROM t WHERE a IS %s",
                    "SELECT 1 FROM t WHERE a IS NOT DISTINCT FROM $1",
                    true,
                ),
                (
                    "SELECT 1 FROM t WHERE a is not%(x)sAND b",
                    "SELECT 1 FROM t WHERE a IS DISTINCT FROM $1 AND b",
                    true,
                ),
                (
                    "SELECT %s IS %s",
                    "SELECT $1 IS NOT DISTINCT FROM $2",
                    false,
                ),
            ],
        );
        leaves(&HAZARD, &["COMMENT ON TABLE t IS %s"]);
    }
}
