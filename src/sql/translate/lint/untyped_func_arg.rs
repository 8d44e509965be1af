//! `json_build_object(%s, 1)`

use super::finding::Found;
use super::hazard::Look;
use super::spot::Spot;
use super::vocabulary as words;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "untyped-func-arg",
    severity: Severity::Warning,
    title: "an argument that may have any type",
    why: "The function takes arguments of any type, or there are several of its name, so the server cannot infer one for the \
          parameter. Cast the parameter to what the value is.",
    postgres: "could not determine data type of parameter $1",
    example: "SELECT json_build_object('a', %s)",
    rewrite: "SELECT json_build_object('a', $1::int)",
    look: Look::Parameter(find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let function = spot
        .function
        .filter(|function| function.has(words::POLYMORPHIC))?;
    (spot.is_argument() && !spot.is_cast).then(|| {
        let message = format!(
            "`{}` does not tell the type of `{}`; cast it",
            function.text,
            spot.written()
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
                "SELECT concat(⟨%s⟩, a, ⟨%s⟩), ROW(⟨%s⟩), count(DISTINCT ⟨%s⟩), array_agg(⟨%s⟩ ORDER BY a)",
                "SELECT * FROM unnest(⟨%s⟩, ⟨%s⟩)",
                "SELECT extract(epoch FROM ⟨%s⟩)",
                "SELECT concat(%s::text), sum(%s + a), lower(%s), to_json((%s)), unnest(CAST(%s AS int[]))",
            ],
        );
    }
}
