//! `coalesce(%s, %s)`

use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::vocabulary as words;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "coalesce-arg",
    severity: Severity::Warning,
    title: "an argument whose type is that of the others",
    why: "`coalesce`, `greatest`, `least` and `nullif` give all their arguments one type. A column among them decides it; \
          parameters alone become text. Cast one of them.",
    postgres: "operator does not exist: text + integer",
    example: "SELECT coalesce(%s, %s) + 1",
    rewrite: "SELECT coalesce($1::int, $2) + 1",
    look: Look::Parameter(Behind::SIGN.or(Behind::WORD), find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let function = spot
        .function
        .filter(|function| function.has(words::ONE_TYPE))?;
    (spot.is_argument() && !spot.is_cast).then(|| {
        let message = format!(
            "`{}` is text unless another argument of `{}` has a type",
            spot.written(),
            function.text
        );
        Found::new(message)
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
                "SELECT coalesce(⟨%s⟩, ⟨%s⟩), GREATEST(a, ⟨%s⟩), nullif(⟨%s⟩, '')",
                "SELECT coalesce(%s::int, b), coalesce(%s + 1, b), left(%s)",
            ],
        );
    }
}
