//! `NOT%s`

use super::context::{Context, Place};
use super::finding::Found;
use super::hazard::{Add, Look};
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

fn find(context: &Context<'_>, add: &mut Add<'_>) {
    let placed = context
        .placed
        .iter()
        .filter(|placed| placed.parameter.is_some());
    let parted = placed
        .zip(&context.placeholders)
        .filter(|(placed, found)| found.place == Place::Code && found.output != placed.output);
    for (placed, _) in parted {
        let written = &context.source[placed.source.clone()];
        let message = format!("a space parts `{written}` from the keyword that it touches");
        add(placed.source.clone(), Found::new(message));
    }
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
