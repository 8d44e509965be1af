//! `BEGIN; … %s; COMMIT`

use super::context::Context;
use super::finding::Found;
use super::hazard::{Add, Look};
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "multi-stmt",
    severity: Severity::Error,
    title: "several statements in one text with parameters",
    why: "psycopg2 sends one text, and the server runs one statement after the other. A statement with parameters is prepared, \
          and only one can be. Execute them one by one, in a transaction if they belong together.",
    postgres: "cannot insert multiple commands into a prepared statement",
    example: "UPDATE t SET name = %s; SELECT 1",
    rewrite: "",
    look: Look::Text(find),
};

fn find(context: &Context<'_>, add: &mut Add<'_>) {
    let Some(second) = context.statements.get(1) else {
        return;
    };
    if context.placeholders.is_empty() {
        return;
    }
    let first = context.token(Some(second.tokens.0));
    let range = context.source_offset(first.start)..context.source_end(first);
    let message = format!(
        "the text has {} statements, and only one can have parameters",
        context.statements.len()
    );
    add(range, Found::new(message));
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
                "SELECT %s; ⟨SELECT⟩ 1; SELECT 2",
                "BEGIN; ⟨UPDATE⟩ t SET a = '%s'",
                "; SELECT %s;; -- done",
                "SELECT ';', %s",
                "SELECT 1; SELECT 2",
            ],
        );
    }
}
