//! `part_%s`

use super::context::Context;
use super::context::Place;
use super::finding::Found;
use super::hazard::{Add, Look};
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "glued",
    severity: Severity::Error,
    title: "a placeholder that touches a name, a number or a literal",
    why: "psycopg2 makes one name or number of the two. `part_$1` is a name to the server, `$11` another parameter, and `$1AND` \
          an error. Part them by a space or an operator, or pass the whole name or number.",
    postgres: "column \"part_$1\" does not exist",
    example: "SELECT part_%s FROM t",
    rewrite: "",
    look: Look::Text(find),
};

fn find(context: &Context<'_>, add: &mut Add<'_>) {
    let glued = context
        .placeholders
        .iter()
        .filter(|placeholder| match placeholder.place {
            Place::Code => placeholder.glued,
            Place::Glued => true,
            Place::Dead(_) => false,
        });
    for placeholder in glued {
        let written = &context.source[placeholder.source.clone()];
        let message = format!(
            "`{written}` touches what `${}` becomes a part of",
            placeholder.number
        );
        add(placeholder.source.clone(), Found::new(message));
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
                "SELECT part_⟨%s⟩, E⟨%s⟩, ⟨%s⟩1, 1⟨%s⟩, ⟨%s⟩_x",
                "SELECT ⟨%s⟩⟨%s⟩, 'a'⟨%s⟩, \"a\"⟨%s⟩",
                "SELECT NOT%s, -%s, a=%sAND b, (%s), %s::int, 'col%s'",
            ],
        );
    }
}
