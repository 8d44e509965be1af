//! `VALUES (%s), (%s), …`

use super::context::Context;
use super::finding::Found;
use super::hazard::{Add, Look};
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "too-many-params",
    severity: Severity::Error,
    title: "more parameters than drivers carry",
    why: "psycopg2 has no limit. The protocol counts parameters in 16 bits, and some drivers in 15: asyncpg refuses more than \
          32767, libpq more than 65535. Pass one array (`= ANY(%s)`, `unnest(%s::int[])`), or copy the rows.",
    postgres: "",
    example: "SELECT id FROM t WHERE id IN (%s, …)",
    rewrite: "SELECT id FROM t WHERE id = ANY($1)",
    look: Look::Text(find),
};

/// The most that every driver takes.
const MOST: usize = 32_767;

fn find(context: &Context<'_>, add: &mut Add<'_>) {
    if context.parameters <= MOST {
        return;
    }
    let first = context
        .placeholders
        .iter()
        .find(|placeholder| placeholder.number > MOST);
    if let Some(placeholder) = first {
        let message = format!(
            "the text has {} parameters, and drivers carry {MOST} at most",
            context.parameters
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
        finds(&HAZARD, &["SELECT %s"]);
    }

    #[test]
    fn the_first_one_too_many() {
        let full = "%s,".repeat(MOST);
        finds(&HAZARD, &[&full, &format!("{full}⟨%s⟩,%s")]);
        let beyond = "%s,".repeat(70_000);
        let found =
            super::super::inspect(&beyond, super::super::super::Style::Psycopg).expect("no error");
        assert_eq!(found.convert(|_| false).parameters.len(), 70_000);
    }
}
