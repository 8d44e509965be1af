//! `-- %s`

use super::super::scan::TokenKind;
use super::context::Place;
use super::finding::{Change, Fix, Found};
use super::hazard::Look;
use super::spot::{Spot, text};
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "in-comment",
    severity: Severity::Error,
    title: "a placeholder in a comment",
    why: "It takes an argument of the call, and the server does not read it: the later placeholders keep their numbers, and one parameter \
          has no use. Drop the placeholder and its argument.",
    postgres: "could not determine data type of parameter $1",
    example: "SELECT /* %s */ name FROM t WHERE id = %s",
    rewrite: "SELECT /*  */ name FROM t WHERE id = $1",
    look: Look::Dead(find),
};

fn find(spot: &Spot<'_>) -> Option<Found> {
    let Place::Dead(TokenKind::LineComment | TokenKind::BlockComment) = spot.placeholder.place
    else {
        return None;
    };
    let message = format!(
        "`{}` in a comment takes an argument that the server never sees",
        spot.written()
    );
    Some(Found::new(message).with(without(spot)))
}

/// The comment without the placeholder.
pub(super) fn without(spot: &Spot<'_>) -> Fix {
    let range = spot.placeholder.source.clone();
    let source = spot.context.source.as_bytes();
    let neighbours = (source[..range.start].last(), source.get(range.end));
    // `*%s/` must not become the end of the comment, nor `/%s*` the start of another, however many go.
    let makes_sign = matches!(
        neighbours,
        (Some(b'*'), Some(b'/')) | (Some(b'/'), Some(b'*'))
    );
    let other = |index: Option<usize>| {
        index
            .and_then(|index| spot.context.placeholders.get(index))
            .map(|other| &other.source)
    };
    let touches = other(spot.index.checked_sub(1)).is_some_and(|other| other.end == range.start)
        || other(spot.index.checked_add(1)).is_some_and(|other| other.start == range.end);
    let pieces = if makes_sign || touches {
        vec![text(" ")]
    } else {
        Vec::new()
    };
    let advice = format!(
        "take `{}` out of the comment, and its argument out of the call",
        spot.written()
    );
    let change = Change { range, pieces };
    Fix::rewrite(advice, vec![change]).safe_if(true)
}

#[cfg(test)]
mod tests {
    use super::super::super::Parameter;
    use super::super::table::{convert, finds, fixes};
    use super::*;

    #[test]
    fn found() {
        finds(
            &HAZARD,
            &[
                "SELECT %s -- was ⟨%s⟩\n, %s",
                "/* ⟨%(a)s⟩ /* ⟨%(b)s⟩ */ */ SELECT %(a)s",
                "SELECT '-- %s', %s -- 100%%",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[
                ("SELECT %s -- was %s\n, %s", "SELECT $1 -- was \n, $2", true),
                ("/*%(a)s*/ SELECT %(b)s, %(a)s", "/**/ SELECT $1, $2", true),
                ("SELECT 1 /* a *%s/ */", "SELECT 1 /* a * / */", true),
                ("SELECT 1 /* a /%s* */", "SELECT 1 /* a / * */", true),
                ("SELECT /* a *%s%s/ */, %s", "SELECT /* a *  / */, $1", true),
                (
                    "SELECT /* a /%s%s%s* */, %s",
                    "SELECT /* a /   * */, $1",
                    true,
                ),
            ],
        );
    }

    #[test]
    fn the_arguments_behind_it_stay_with_their_placeholders() {
        let converted = convert(&HAZARD, "SELECT a /* %s */ FROM t WHERE b = %s -- %s");
        let taken: Vec<_> = converted
            .parameters
            .iter()
            .map(|bound| &bound.parameter)
            .collect();
        assert_eq!(taken, [&Parameter::Position(1)]);
        assert_eq!(
            converted.dropped,
            [Parameter::Position(0), Parameter::Position(2)]
        );
    }

    #[test]
    fn a_name_that_is_used_elsewhere_is_not_dropped() {
        let converted = convert(&HAZARD, "SELECT %(a)s -- %(a)s %(b)s");
        assert_eq!(converted.dropped, [Parameter::Name("b".to_owned())]);
    }
}
