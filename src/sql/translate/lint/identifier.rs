//! `FROM %s`

use super::finding::Found;
use super::hazard::Look;
use super::spot::{Lead, Spot};
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "identifier",
    severity: Severity::Error,
    title: "a value where a name belongs",
    why: "A parameter is a value: it can never be a table, a column, a schema, a collation or an alias. Choose the name from a \
          fixed list in the program, or compose the text with the driver's own quoting of identifiers (`format('%I', …)` on the \
          server).",
    postgres: "syntax error at or near \"$1\"",
    example: "SELECT id FROM %s",
    rewrite: "",
    look: Look::Parameter(find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    (spot.lead == Lead::Name).then(|| {
        Found::new(format!(
            "a name belongs here, and `{}` is a value",
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
                "SELECT id FROM ⟨%s⟩ JOIN ⟨%s⟩ ON a.⟨%s⟩ = ⟨%s⟩.a",
                "INSERT INTO ⟨%s⟩ VALUES (1); UPDATE ⟨%s⟩ SET a = 1; DROP TABLE ⟨%s⟩; GRANT SELECT ON ⟨%s⟩ TO ⟨%s⟩",
                "SELECT 1 AS ⟨%s⟩, a COLLATE ⟨%s⟩, ⟨%s⟩.b",
                "SELECT a IS DISTINCT FROM %s, trim(both from %s), substring(a FROM %s), extract(year FROM %s), %s :: text",
            ],
        );
    }
}
