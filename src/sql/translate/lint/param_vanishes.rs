//! `'%s'` and another `%s`

use super::context::Context;
use super::context::Place;
use super::finding::Found;
use super::hazard::{Add, Look};
use super::spot::Spot;
use super::{Hazard, Severity};
use super::{in_comment, literal};

pub(super) const HAZARD: Hazard = Hazard {
    code: "param-vanishes",
    severity: Severity::Error,
    title: "an argument that no parameter takes",
    why: "Nothing but literals, names or comments hold this argument's placeholders, so the server knows of fewer parameters \
          than the call passes, or of a hole in their numbers. Some drivers refuse, some pass it silently.",
    postgres: "could not determine data type of parameter $1",
    example: "SELECT id FROM t WHERE name = '%s' AND id = %s",
    rewrite: "SELECT id FROM t WHERE name = $1 AND id = $2",
    look: Look::Text(find),
};

fn find(context: &Context<'_>, add: &mut Add<'_>) {
    let places = || {
        context
            .placeholders
            .iter()
            .map(|placeholder| placeholder.place)
    };
    if places().all(|place| place == Place::Code) {
        return;
    }
    let mut is_read = vec![false; context.parameters + 1];
    for placeholder in &context.placeholders {
        is_read[placeholder.number] |= placeholder.place == Place::Code;
    }
    let lost = context.placeholders.iter().enumerate();
    for (index, placeholder) in lost.filter(|(_, lost)| !is_read[lost.number]) {
        let spot = Spot::new(context, index);
        let found = Found::new(format!(
            "the server reads no parameter for the argument of `{}`",
            spot.written()
        ));
        add(placeholder.source.clone(), found.with(fix(&spot)));
    }
}

/// What rescues the placeholder from where it is.
fn fix(spot: &Spot<'_>) -> Option<super::Fix> {
    match spot.placeholder.place {
        Place::Dead(kind) if kind.is_blank() => Some(in_comment::without(spot)),
        Place::Dead(_) => literal::opened(spot),
        _ => None,
    }
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
                "SELECT '⟨%s⟩', %s -- ⟨%s⟩",
                "SELECT col⟨%s⟩, \"⟨%s⟩\", $$⟨%s⟩$$",
                "SELECT '%(a)s', %(a)s, '⟨%(b)s⟩'",
                "SELECT %s, '%%s'",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[("SELECT '%s'::int -- %s", "SELECT $1::text::int -- ", true)],
        );
        leaves(&HAZARD, &["SELECT \"%s\"", "SELECT col%s"]);
    }
}
