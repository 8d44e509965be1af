//! `'%s days'`

use super::super::scan::TokenKind;
use super::context::Place;
use super::finding::Found;
use super::hazard::Look;
use super::spot::Spot;
use super::{Hazard, Severity, literal};

pub(super) const HAZARD: Hazard = Hazard {
    code: "in-string",
    severity: Severity::Error,
    title: "a placeholder in a string literal",
    why: "psycopg2 puts the value into the text, quotes or not. The server reads what is between the quotes as text, `$1` and all, and \
          the value goes nowhere: `'$1 days'` is one day whatever the value. Take the placeholder out of the quotes.",
    postgres: "invalid input syntax for type integer: \"$1\"",
    example: "SELECT id FROM t WHERE id = '%s'",
    rewrite: "SELECT id FROM t WHERE id = $1",
    look: Look::Dead(find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let is_string = matches!(
        spot.placeholder.place,
        Place::Dead(
            TokenKind::String
                | TokenKind::EscapeString
                | TokenKind::UnicodeString
                | TokenKind::BitString
        )
    );
    is_string.then(|| {
        let message = format!(
            "`{}` in a string literal is text to the server and takes no value",
            spot.written()
        );
        Found::new(message).with(literal::opened(spot))
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::Parameter;
    use super::super::table::{convert, finds, fixes, leaves};
    use super::super::{Bound, Conversion};
    use super::*;

    #[test]
    fn found() {
        finds(
            &HAZARD,
            &[
                "SELECT '⟨%s⟩', %s",
                "SELECT E'\\'⟨%s⟩', N'⟨%s⟩', U&'⟨%s⟩', B'⟨%s⟩'",
                "SELECT 'a'\n  'b ⟨%s⟩'",
                "SELECT '⟨%(a)s⟩ ⟨%(b)s⟩'::text",
                "SELECT 'it''s ⟨%s⟩'",
                "SELECT %s, '%%s', \"%s\", $$%s$$ -- '%s'",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[
                (
                    "SELECT id FROM t WHERE id = '%s'",
                    "SELECT id FROM t WHERE id = $1",
                    false,
                ),
                (
                    "SELECT '%s-01-01'::date",
                    "SELECT ($1::text || '-01-01')::date",
                    true,
                ),
                ("SELECT '%s'::int", "SELECT $1::text::int", true),
                (
                    "SELECT DATE'%s-%s-01' + 1",
                    "SELECT ($1::text || '-' || $2::text || '-01')::date + 1",
                    true,
                ),
                (
                    "SELECT TIMESTAMP WITH TIME ZONE '%s 00:00'",
                    "SELECT ($1::text || ' 00:00')::timestamptz",
                    true,
                ),
                (
                    "SELECT '{\"a\": %s}'::jsonb",
                    "SELECT ('{\"a\": ' || $1::text || '}')::jsonb",
                    false,
                ),
                (
                    "SELECT '{%s,%s}'::int[]",
                    "SELECT ('{' || $1::text || ',' || $2::text || '}')::int[]",
                    false,
                ),
                (
                    "SELECT '%s'::interval hour",
                    "SELECT $1::text::interval hour",
                    false,
                ),
                (
                    "SELECT '%s'::interval DAY TO SECOND, '{%s}'::numeric(10,2)[], '{%s}'::int ARRAY, '{%s}'::timestamp(3)[]",
                    "SELECT $1::text::interval DAY TO SECOND, ('{' || $2::text || '}')::numeric(10,2)[], ('{' || $3::text || '}')::int ARRAY, ('{' || $4::text || '}')::timestamp(3)[]",
                    false,
                ),
                (
                    "SELECT '%s'::timestamp with time zone",
                    "SELECT $1::text::timestamp with time zone",
                    true,
                ),
                (
                    "SELECT '1%s days'::interval",
                    "SELECT ('1' || $1::text || ' days')::interval",
                    false,
                ),
                (
                    "SELECT '50%% of %s, it''s'",
                    "SELECT ('50% of ' || $1::text || ', it''s')",
                    false,
                ),
                ("SELECT E'\\t%s'", "SELECT (E'\\t' || $1::text)", false),
                ("SELECT f('%(a)s', %(a)s)", "SELECT f($1, $1)", false),
            ],
        );
        leaves(
            &HAZARD,
            &[
                "SELECT 'a'\n'%s'",
                "SELECT U&'%s'",
                "SELECT E'\\%s'",
                "SELECT interval (3) '%s'",
                "SELECT interval '%s' day",
                "COMMENT ON TABLE t IS '%s'",
                "SELECT bit '%s'",
            ],
        );
    }

    #[test]
    fn an_argument_that_is_cast_from_text_is_a_parameter_of_its_own() {
        let sql = "SELECT '%(n)s-01-01'::date, %(n)s + 1, '%(n)s'::int";
        let Conversion {
            sql, parameters, ..
        } = convert(&HAZARD, sql);
        assert_eq!(
            sql,
            "SELECT ($1::text || '-01-01')::date, $2 + 1, $1::text::int"
        );
        let bound = |text| Bound {
            parameter: Parameter::Name("n".to_owned()),
            list: false,
            text,
        };
        assert_eq!(parameters, [bound(true), bound(false)]);
    }

    #[test]
    fn many_in_one_literal_cost_no_more_than_the_text() {
        let sql = format!("SELECT '{}'", "%s ".repeat(20_000));
        leaves(&HAZARD, &[&sql]);
    }
}
