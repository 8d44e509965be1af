//! `ARRAY[%s, %s]`

use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "array-elem",
    severity: Severity::Warning,
    title: "a value as an element of an array",
    why: "An array of parameters alone is an array of text. Cast the array, or pass one list: `%s::int[]`.",
    postgres: "operator does not exist: integer = text",
    example: "SELECT name FROM t WHERE id = ANY(ARRAY[%s, %s])",
    rewrite: "SELECT name FROM t WHERE id = ANY(ARRAY[$1, $2]::int[])",
    look: Look::Parameter(Behind::ANYTHING, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let opener = spot.inside?;
    let is_array = spot.context.tokens[opener].is_sign(b'[')
        && spot.context.token(opener.checked_sub(1)).is("array");
    (is_array && !spot.is_cast).then(|| {
        Found::new(format!(
            "`{}` is text unless another element has a type",
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
                "SELECT ARRAY[⟨%s⟩, 1, ⟨%s⟩], array [⟨%s⟩]",
                "SELECT ARRAY[%s::int], arr[%s], ARRAY(SELECT %s + 1), ARRAY[f(%s)]",
            ],
        );
    }
}
