//! `LIKE '%%%s%%'`

use super::super::scan::TokenKind;
use super::context::Place;
use super::finding::Found;
use super::hazard::Look;
use super::spot::Spot;
use super::{Hazard, Severity, literal};

pub(super) const HAZARD: Hazard = Hazard {
    code: "like-literal",
    severity: Severity::Error,
    title: "a placeholder in a quoted pattern",
    why: "The server looks for the text `$1` and finds nothing, without a word. Join the pattern from the parameter and the \
          wildcards, and pass the text to look for. For what is no text psycopg2 wrote its literal: ` -5` with a space, `true`, `NULL`.",
    postgres: "",
    example: "SELECT id FROM t WHERE name LIKE '%%%s%%'",
    rewrite: "SELECT id FROM t WHERE name LIKE '%' || $1 || '%'",
    look: Look::Dead(find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let Place::Dead(TokenKind::String | TokenKind::EscapeString) = spot.placeholder.place else {
        return None;
    };
    matches!(spot.before(1).word.text, "like" | "ilike").then(|| {
        let message = format!(
            "the pattern holds the text `$1` and not the value of `{}`",
            spot.written()
        );
        Found::new(message).with(literal::opened(spot))
    })
}

#[cfg(test)]
mod tests {
    use super::super::table::{finds, fixes};
    use super::*;

    #[test]
    fn found() {
        finds(
            &HAZARD,
            &[
                "SELECT 1 WHERE a LIKE '%%⟨%s⟩%%' OR a NOT ilike\nE'⟨%s⟩'",
                "SELECT 1 WHERE a LIKE %s OR a LIKE 'x%%' || %s OR a ~ '%s'",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[
                (
                    "SELECT 1 WHERE a LIKE '%%%s%%'",
                    "SELECT 1 WHERE a LIKE '%' || $1 || '%'",
                    true,
                ),
                (
                    "SELECT 1 WHERE a NOT LIKE'%(p)s%%'AND b",
                    "SELECT 1 WHERE a NOT LIKE $1 || '%'AND b",
                    true,
                ),
                (
                    "SELECT 1 WHERE a ILIKE '%s' ESCAPE '!'",
                    "SELECT 1 WHERE a ILIKE $1 ESCAPE '!'",
                    true,
                ),
            ],
        );
    }
}
