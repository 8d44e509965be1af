//! `EXTRACT(%s FROM ts)`

use super::finding::{Fix, Form, Found};
use super::hazard::{Behind, Look};
use super::spot::{Spot, text};
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "extract-field",
    severity: Severity::Error,
    title: "a field of EXTRACT as a value",
    why: "The field is a part of the grammar. `date_part` takes it as an argument; its result is `double precision`, where that of \
          `EXTRACT` is `numeric`.",
    postgres: "syntax error at or near \"$1\"",
    example: "SELECT EXTRACT(%s FROM ts) FROM t",
    rewrite: "SELECT date_part($1, ts) FROM t",
    look: Look::Parameter(Behind::SIGN, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    (spot.is_called("extract") && spot.before(1).is_sign(b'(')).then(|| {
        let message = format!(
            "the field of `EXTRACT` cannot be the parameter `{}`",
            spot.written()
        );
        Found::new(message).with(date_part(spot))
    })
}

fn date_part(spot: &Spot<'_>) -> Option<Fix> {
    let from = spot.after(1);
    let pieces = vec![text("date_part("), spot.piece(Form::Same), text(",")];
    let change = spot.change(spot.before(2), from, pieces);
    let advice = format!(
        "write `date_part({}, …)`, of which the result is double precision",
        spot.written()
    );
    from.is("from").then(|| Fix::rewrite(advice, vec![change]))
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
                "SELECT extract(⟨%s⟩ FROM a), EXTRACT (⟨%s⟩ from b)",
                "SELECT extract(year FROM %s), date_part(%s, a), substring(%s FROM 2)",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[(
                "SELECT EXTRACT(%s FROM a - %s)",
                "SELECT date_part($1, a - $2)",
                false,
            )],
        );
        leaves(&HAZARD, &["SELECT extract(%s)"]);
    }
}
