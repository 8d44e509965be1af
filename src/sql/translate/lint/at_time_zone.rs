//! `%s AT TIME ZONE 'UTC'`

use super::finding::Found;
use super::hazard::{Behind, Look};
use super::spot::Spot;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "at-time-zone",
    severity: Severity::Warning,
    title: "a value before AT TIME ZONE",
    why: "AT TIME ZONE goes one way for a time with a zone and the other way for one without. The server takes the parameter for a \
          timestamptz; psycopg2 writes a `datetime` without a zone as a timestamp. Cast it to what it is.",
    postgres: "",
    example: "SELECT %s AT TIME ZONE 'UTC'",
    rewrite: "SELECT $1::timestamp AT TIME ZONE 'UTC'",
    look: Look::Parameter(Behind::ANYTHING, find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let moves = spot.after(1).is("at") && spot.after(2).is("time") && spot.after(3).is("zone");
    (moves && !spot.is_cast).then(|| {
        Found::new(format!(
            "the server takes `{}` for a timestamp with a time zone",
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
                "SELECT ⟨%s⟩ AT TIME ZONE 'UTC', (⟨%s⟩ at time zone %s)::date, now() - ⟨%s⟩ AT TIME ZONE %s",
                "SELECT ts AT TIME ZONE %s, %s::timestamp AT TIME ZONE %s, CAST(%s AS timestamptz) AT TIME ZONE 'UTC'",
            ],
        );
    }
}
