//! `substring(%s from %s for %s)`

use super::finding::{Form, Found};
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "substring-arg",
    severity: Severity::Warning,
    title: "a position in substring's own grammar",
    why: "`substring(a from b for c)` has a form for positions and one for patterns. Of parameters alone the server takes the \
          one for patterns. Cast the positions to int.",
    postgres: "",
    example: "SELECT substring(%s from %s for %s)",
    rewrite: "SELECT substring($1 from $2::int for $3::int)",
    look: Look::Parameter(Behind::WORD, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let is_position = matches!(spot.before(1).word.text, "from" | "for");
    (spot.is_called("substring") && is_position && !spot.is_cast).then(|| {
        let found = Found::new(format!(
            "nothing tells whether `{}` is a position or a pattern",
            spot.written()
        ));
        found.with(spot.cast_to("int", Form::Same))
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
                "SELECT substring(a FROM ⟨%s⟩ FOR ⟨%s⟩)",
                "SELECT substring(a, %s), substring(%s FROM 2), substring(a FROM %s::int), trim(both from %s)",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[(
                "SELECT substring(a from %s)",
                "SELECT substring(a from $1::int)",
                false,
            )],
        );
    }
}
