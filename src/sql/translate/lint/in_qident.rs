//! `"column_%s"`

use super::super::scan::TokenKind;
use super::context::Place;
use super::finding::Found;
use super::hazard::Look;
use super::spot::Spot;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "in-qident",
    severity: Severity::Error,
    title: "a placeholder in a quoted identifier",
    why: "A parameter is a value and never a name: the server looks for a column that is called `c_$1`. Choose the name from a fixed list \
          in the program, or compose the text with the driver's own quoting of identifiers.",
    postgres: "column \"c_$1\" does not exist",
    example: "SELECT \"c_%s\" FROM t",
    rewrite: "",
    look: Look::Dead(find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let is_name = spot.placeholder.place == Place::Dead(TokenKind::QuotedIdentifier);
    is_name.then(|| {
        Found::new(format!(
            "`{}` in a quoted identifier is a part of the name",
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
                "SELECT \"⟨%s⟩\", U&\"a⟨%s⟩\", \"a\"\"⟨%s⟩\"",
                "SELECT %s AS \"50%%\"",
            ],
        );
    }
}
