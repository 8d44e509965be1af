//! `DO $$ … %s … $$`

use super::super::scan::TokenKind;
use super::context::Place;
use super::finding::Found;
use super::hazard::Look;
use super::spot::Spot;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "in-dollar",
    severity: Severity::Error,
    title: "a placeholder in a dollar-quoted string",
    why: "The body of a function or of `DO` is a string: `$1` in it is the function's own argument, or nothing. Compose the text with \
          `format('%L', …)` on the server, or pass the value through a setting or a table.",
    postgres: "there is no parameter $1",
    example: "DO $$ BEGIN PERFORM %s; END $$",
    rewrite: "",
    look: Look::Dead(find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let is_quoted = spot.placeholder.place == Place::Dead(TokenKind::DollarString);
    is_quoted.then(|| {
        Found::new(format!(
            "`{}` in a dollar-quoted string is a part of the string",
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
                "DO $$ BEGIN PERFORM ⟨%s⟩; END $$",
                "SELECT $a$ ⟨%(n)s⟩ $$ $a$, %(n)s",
                "SELECT %s, $$ 100%% $$",
            ],
        );
    }

    #[test]
    fn a_placeholder_between_dollar_signs_opens_a_quote() {
        finds(&HAZARD, &["SELECT $⟨%s⟩$", "SELECT $⟨%s⟩$x$⟨%s⟩$"]);
    }
}
