//! `DATE %s`

use super::super::scan::TokenKind;
use super::finding::{Fix, Form, Found};
use super::hazard::{Behind, Look};
use super::spot::{Lead, Spot, text};
use super::token::Clause;
use super::vocabulary as words;
use super::{Hazard, Severity, literal, type_name};

pub(super) const HAZARD: Hazard = Hazard {
    code: "typed-literal",
    severity: Severity::Error,
    title: "a type before a value",
    why: "`DATE '2024-01-31'` is a form of literal, and a parameter is none. Cast the parameter: by way of `text` it takes the text that \
          psycopg2 took.",
    postgres: "syntax error at or near \"$1\"",
    example: "SELECT id FROM t WHERE d > DATE %s",
    rewrite: "SELECT id FROM t WHERE d > $1::text::date",
    look: Look::Parameter(Behind::WORD, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    (spot.lead == Lead::Type).then(|| {
        let message = format!(
            "a type before `{}` makes it a literal, and a parameter is none",
            spot.written()
        );
        Found::new(message).with(cast(spot))
    })
}

fn cast(spot: &Spot<'_>) -> Option<Fix> {
    let (first, name) = type_name::before(spot.context, spot.placeholder.token)?;
    let next = spot.after(1);
    // The unit behind an interval gives a bare number its meaning.
    let has_unit = next.has(words::FIELD) && !spot.is_last();
    let is_utility = spot
        .statement()
        .is_none_or(|statement| statement.is_utility);
    if has_unit || is_utility || spot.placeholder.glued {
        return None;
    }
    let token = spot.context.token(Some(spot.placeholder.token));
    let pieces = vec![spot.piece(Form::Text), text(format!("::text::{name}"))];
    let change = spot.change(spot.context.token(Some(first)), token, pieces);
    let advice = format!(
        "write `{}::text::{name}` and pass the value as text",
        spot.written()
    );
    // `WHERE date %s` may be a column and an operator, `ORDER BY date %s` one and its direction, and psycopg2's wrappers
    // of JSON, bytes and ranges are no text.
    let lead = spot.context.token(first.checked_sub(1));
    let starts = lead.kind == TokenKind::Operator
        || lead.is_sign(b'(')
        || lead.is_sign(b',')
        || lead.has(words::KEYWORD);
    let is_name = lead.has(words::BEFORE_CONDITION)
        || matches!(lead.word.text, "by" | "from" | "join")
        || lead.has(words::BEFORE_NAME)
        || matches!(spot.clause, Clause::Order | Clause::Group | Clause::From);
    let is_text = literal::is_plain(name) || matches!(name, "text" | "varchar" | "bpchar");
    Some(Fix::rewrite(advice, vec![change]).safe_if(starts && !is_name && is_text))
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
                "SELECT DATE ⟨%s⟩, interval\n⟨%s⟩, TIMESTAMP WITH TIME ZONE ⟨%s⟩, double precision ⟨%s⟩",
                "SELECT uuid ⟨%s⟩, bit ⟨%s⟩, interval ⟨%s⟩ day",
                "SELECT %s::date, CAST(%s AS date), a AT TIME ZONE %s, x::date = %s, date(%s)",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[
                ("SELECT DATE %s + 1", "SELECT $1::text::date + 1", true),
                (
                    "SELECT a - INTERVAL %(i)s, %(i)s",
                    "SELECT a - $1::text::interval, $2",
                    true,
                ),
                (
                    "SELECT f(timestamp without time zone %s)",
                    "SELECT f($1::text::timestamp)",
                    true,
                ),
                (
                    "SELECT double precision %s",
                    "SELECT $1::text::float8",
                    true,
                ),
                ("SELECT int4range %s", "SELECT $1::text::int4range", false),
                (
                    "SELECT a FROM t ORDER BY date %s, interval %s",
                    "SELECT a FROM t ORDER BY $1::text::date, $2::text::interval",
                    false,
                ),
                ("SELECT jsonb %s", "SELECT $1::text::jsonb", false),
                (
                    "SELECT 1 WHERE date %s",
                    "SELECT 1 WHERE $1::text::date",
                    false,
                ),
            ],
        );
        leaves(
            &HAZARD,
            &[
                "SELECT interval %s day",
                "SELECT bit %s",
                "SELECT precision %s",
            ],
        );
    }
}
