//! `SELECT $1, %s`

use super::context::Context;
use super::finding::Found;
use super::hazard::{Add, Look};
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "existing-dollar",
    severity: Severity::Error,
    title: "a parameter of the text's own",
    why: "The text has a `$1` already, and the placeholders get numbers from 1: both become one parameter. Write all of them in \
          one style.",
    postgres: "",
    example: "SELECT $1::int, %s::int",
    rewrite: "SELECT $1::int, $2::int",
    look: Look::Text(find),
};

fn find(context: &Context<'_>, add: &mut Add<'_>) {
    for own in &context.own {
        let range = context.source_offset(own.start)..context.source_offset(own.end);
        let message = format!("the text has a `{}` of its own", &context.sql[own.clone()]);
        add(range, Found::new(message));
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
                "SELECT ⟨$1⟩, %s, '%%', ⟨$2⟩",
                "SELECT ⟨$1⟩",
                "SELECT '$1', a$1, $$ $1 $$, %s -- $1",
            ],
        );
    }
}
