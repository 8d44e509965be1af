//! `interval '%s days'`

use super::super::scan::TokenKind;
use super::context::Place;
use super::finding::Found;
use super::hazard::Look;
use super::spot::Spot;
use super::{Hazard, Severity, literal};

pub(super) const HAZARD: Hazard = Hazard {
    code: "interval-literal",
    severity: Severity::Error,
    title: "a placeholder in an interval's literal",
    why: "`'$1 days'` is a valid interval of one day, so nothing fails and every value means one. Build the text from the parameter, or \
          multiply: `%s * interval '1 day'`, `make_interval(days => %s)`. An index is used as before.",
    postgres: "",
    example: "SELECT id FROM t WHERE ts > now() - interval '%s days'",
    rewrite: "SELECT id FROM t WHERE ts > now() - ($1::text || ' days')::interval",
    look: Look::Dead(find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let Place::Dead(TokenKind::String | TokenKind::EscapeString) = spot.placeholder.place else {
        return None;
    };
    let cast = spot.after(1).kind == TokenKind::Cast && spot.after(2).is("interval");
    (spot.before(1).is("interval") || cast).then(|| {
        let message = format!(
            "the interval is one whatever `{}` is: the server reads the `1` of `$1`",
            spot.written()
        );
        Found::new(message).with(literal::opened(spot))
    })
}

#[cfg(test)]
mod tests {
    use super::super::table::{convert, finds, fixes};
    use super::*;

    #[test]
    fn found() {
        finds(
            &HAZARD,
            &[
                "SELECT interval '⟨%s⟩ days', INTERVAL\n E'⟨%s⟩'",
                "SELECT '⟨%(n)s⟩ hours'::interval - %(n)s",
                "SELECT interval '1 day' * %s, '%s', 'x'::interval",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[
                (
                    "SELECT now() - interval '%s days'",
                    "SELECT now() - ($1::text || ' days')::interval",
                    true,
                ),
                (
                    "SELECT now() - '%s days'::interval",
                    "SELECT now() - ($1::text || ' days')::interval",
                    true,
                ),
                (
                    "SELECT INTERVAL'%s hours %s minutes'",
                    "SELECT ($1::text || ' hours ' || $2::text || ' minutes')::interval",
                    true,
                ),
                (
                    "SELECT interval '%(n)s'AND true",
                    "SELECT $1::text::interval AND true",
                    true,
                ),
            ],
        );
    }

    #[test]
    fn the_fix_is_that_of_every_finding_of_the_literal() {
        let sql = "SELECT interval '%s %s'";
        let found =
            super::super::inspect(sql, super::super::super::Style::Psycopg).expect("a text");
        assert_eq!(
            convert(&HAZARD, sql).sql,
            found
                .convert(|finding| finding.hazard.code == "in-string")
                .sql
        );
        assert_eq!(found.convert(|_| true).fixed.len(), found.findings().len());
    }
}
