//! `NOT%s`

use std::ops::Range;

use super::context::{Context, Place};
use super::finding::Found;
use super::hazard::Look;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "touching-keyword",
    severity: Severity::Note,
    title: "a placeholder that touches a keyword",
    why: "`NOT$1` is a name to the server, and `$1AND` trailing junk; so a space parts the two. What the text meant is plain, but \
          psycopg2 made `NOT5` of it, too, which is a name.",
    postgres: "",
    example: "SELECT id FROM t WHERE id = %sAND name = %s",
    rewrite: "SELECT id FROM t WHERE id = $1 AND name = $2",
    look: Look::Text(find),
};

fn find(context: &Context<'_>) -> Vec<(Range<usize>, Found)> {
    let placed = context
        .placed
        .iter()
        .filter(|placed| placed.parameter.is_some());
    let parted = placed
        .zip(&context.placeholders)
        .filter(|(placed, found)| found.place == Place::Code && found.output != placed.output);
    parted
        .map(|(placed, _)| {
            let written = &context.source[placed.source.clone()];
            let message = format!("a space parts `{written}` from the keyword that it touches");
            (placed.source.clone(), Found::new(message))
        })
        .collect()
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
                "SELECT NOT⟨%s⟩, a=⟨%s⟩AND b = %s",
                "SELECT -%s, (%s), a LIKE %s, '%sAND', x_%s",
            ],
        );
    }
}
