//! `%(a)s … %(a)s`

use super::context::{Context, Place, Placeholder};
use super::finding::{Change, Fix, Found, Piece};
use super::hazard::{Add, Look};
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "named-reuse",
    severity: Severity::Note,
    title: "one name used more than once",
    why: "All uses are one parameter, which has one type: the server decides it at the first use. Where two uses need two types, \
          cast them, or give each use a number of its own.",
    postgres: "inconsistent types deduced for parameter $1",
    example: "UPDATE t SET vc = %(x)s, name = %(x)s",
    rewrite: "UPDATE t SET vc = $1, name = $2",
    look: Look::Text(find),
};

fn find(context: &Context<'_>, add: &mut Add<'_>) {
    if !context.is_named || context.parameters == context.placeholders.len() {
        return;
    }
    let mut uses = vec![0_usize; context.parameters + 1];
    for (index, placeholder) in context.placeholders.iter().enumerate() {
        let uses = &mut uses[placeholder.number];
        *uses += 1;
        if *uses > 1 {
            let found = found(context, index, placeholder);
            add(placeholder.source.clone(), found);
        }
    }
}

fn found(context: &Context<'_>, index: usize, placeholder: &Placeholder) -> Found {
    let written = &context.source[placeholder.source.clone()];
    let found = Found::new(format!(
        "`{written}` is the parameter of an earlier use, with its type"
    ));
    let change = Change {
        range: placeholder.source.clone(),
        pieces: vec![Piece::Own(index)],
    };
    let advice = format!("give this `{written}` a number of its own");
    let is_parameter = placeholder.place == Place::Code;
    found.with(is_parameter.then(|| Fix::rewrite(advice, vec![change])))
}

#[cfg(test)]
mod tests {
    use super::super::table::{finds, fixes};
    use super::*;

    #[test]
    fn found() {
        finds(
            &HAZARD,
            &[
                "SELECT %(a)s, %(b)s, ⟨%(a)s⟩, '⟨%(a)s⟩'",
                "SELECT %(a)s, %(A)s, %(b)s",
                "SELECT %s, %s",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[("SELECT %(a)s, %(b)s, %(a)s", "SELECT $1, $2, $3", false)],
        );
    }
}
