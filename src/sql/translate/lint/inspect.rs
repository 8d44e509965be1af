//! Reads a text for conversion.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::super::rewrite::{Placed, Placement};
use super::super::{Parameter, Paramstyle, Style, TranslateError, dollar, place, style};
use super::context::{Context, Place, Placeholder};
use super::finding::{Finding, Found};
use super::hazard::{Behind, FindAll, Hazard, Look};
use super::spot::Spot;
use super::{HAZARDS, ignore};

/// A text, what it converts to, and what is in the way.
#[derive(Debug, Clone)]
pub struct Inspection<'a> {
    pub(super) source: &'a str,
    /// The text with `$1`, `$2`, …, no fix made.
    pub(super) sql: Cow<'a, str>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) style: Option<Paramstyle>,
    pub(super) placed: Vec<Placed>,
    pub(super) placeholders: Vec<Placeholder>,
    pub(super) findings: Vec<Finding>,
    ignored: Vec<Finding>,
}

impl Inspection<'_> {
    /// What is in the way, in the order of the text.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What a comment of the text asked to keep quiet about (`-- pontoon: ignore in-tuple`), in the order of the text.
    pub fn ignored(&self) -> &[Finding] {
        &self.ignored
    }

    /// The style that the text turned out to be in; none if it was read as a text without parameters.
    pub fn style(&self) -> Option<Paramstyle> {
        self.style
    }

    /// What `$1`, `$2`, … of the text take as long as no fix is made.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }
}

/// Reads a text for conversion and tells every hazard in it.
///
/// A comment of the form `-- pontoon: ignore in-tuple, limit-param` (or `ignore all`) keeps the findings of its line
/// back, and if it stands alone, those of the line below it.
///
/// ```
/// use pontoon::sql::translate::{Paramstyle, inspect};
///
/// let found = inspect("SELECT name FROM t WHERE id IN %s", Paramstyle::Format)?;
/// let finding = &found.findings()[0];
/// assert_eq!((finding.hazard.code, finding.range.clone()), ("in-tuple", 31..33));
///
/// let as_it_is = found.convert(|_| false);
/// assert_eq!(as_it_is.sql, "SELECT name FROM t WHERE id IN $1");
///
/// let fixed = found.convert(|finding| finding.fix.as_ref().is_some_and(|fix| fix.safe));
/// assert_eq!(fixed.sql, "SELECT name FROM t WHERE id = ANY($1)");
/// assert!(fixed.parameters[0].list);
/// # Ok::<(), pontoon::sql::translate::TranslateError>(())
/// ```
///
/// # Errors
///
/// If the text is not in the style: a bare `%`, two styles, a literal that never ends. A hazard is no error.
pub fn inspect(sql: &str, style: impl Into<Style>) -> Result<Inspection<'_>, TranslateError> {
    let style = match style.into() {
        Style::Auto => style::detect(sql)?,
        known => known,
    };
    let (placement, style) = match style {
        Style::Auto | Style::NoParameters => {
            return Ok(Inspection::of(sql, Placement::unchanged(sql, 0), None));
        }
        Style::Known(style @ Paramstyle::NumericDollar) => {
            (Placement::unchanged(sql, dollar::count(sql)?), style)
        }
        // The protocol's limit is a finding here and no error.
        style => place(sql, style, usize::MAX)?,
    };
    let is_numbered = style == Paramstyle::NumericDollar;
    let context = Context::read(sql, &placement, is_numbered)?;
    let (findings, ignored) = ignore::part(&context, find(&context));
    let placeholders = context.placeholders;
    Ok(Inspection {
        placeholders,
        findings,
        ignored,
        ..Inspection::of(sql, placement, Some(style))
    })
}

impl<'a> Placement<'a> {
    /// A text in which nothing is replaced.
    fn unchanged(sql: &'a str, parameters: usize) -> Self {
        Self {
            sql: Cow::Borrowed(sql),
            placed: Vec::new(),
            parameters: (0..parameters).map(Parameter::Position).collect(),
        }
    }
}

impl<'a> Inspection<'a> {
    fn of(source: &'a str, placement: Placement<'a>, style: Option<Paramstyle>) -> Self {
        Self {
            source,
            sql: placement.sql,
            parameters: placement.parameters,
            style,
            placed: placement.placed,
            placeholders: Vec::new(),
            findings: Vec::new(),
            ignored: Vec::new(),
        }
    }
}

/// How a hazard is found at a placeholder.
type FindAt = (fn(&Spot<'_>) -> Option<Found>, &'static Hazard);

/// The hazards of a placeholder behind each of [`Behind::EACH`], close together: the whole table is many times as large,
/// and is read for each.
static AT_PARAMETERS: LazyLock<[Vec<FindAt>; 4]> = LazyLock::new(|| {
    Behind::EACH.map(|behind| {
        let at = |hazard: &'static Hazard| match hazard.look {
            Look::Parameter(place, find) if place.has(behind) => Some((find, hazard)),
            _ => None,
        };
        HAZARDS.iter().filter_map(at).collect()
    })
});

/// The hazards to ask at a placeholder that the server reads as a parameter.
fn at_parameter(spot: &Spot<'_>) -> &'static [FindAt] {
    let behind = Behind::of(spot.before(1));
    let place = Behind::EACH.iter().position(|each| *each == behind);
    place.map_or(&[], |place| &AT_PARAMETERS[place])
}

static AT_DEAD: LazyLock<Vec<FindAt>> = LazyLock::new(|| {
    let at = |hazard: &'static Hazard| match hazard.look {
        Look::Dead(find) => Some((find, hazard)),
        _ => None,
    };
    HAZARDS.iter().filter_map(at).collect()
});

/// How a hazard is found in a text.
type FindIn = (FindAll, &'static Hazard);

static IN_TEXTS: LazyLock<Vec<FindIn>> = LazyLock::new(|| {
    let within = |hazard: &'static Hazard| match hazard.look {
        Look::Text(find) => Some((find, hazard)),
        _ => None,
    };
    HAZARDS.iter().filter_map(within).collect()
});

/// Every hazard of the text, in its order.
fn find(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if context.placeholders.is_empty() && context.own.is_empty() {
        return findings;
    }
    let mut add = |hazard: &'static Hazard, range, found: Found| {
        findings.push(Finding {
            hazard,
            range,
            message: found.message.into_owned(),
            fix: found.fix,
        });
    };
    for index in 0..context.placeholders.len() {
        let spot = Spot::new(context, index);
        let looks = match spot.placeholder.place {
            Place::Code => at_parameter(&spot),
            Place::Dead(_) => AT_DEAD.as_slice(),
            Place::Glued => continue,
        };
        for (find, hazard) in looks {
            if let Some(found) = find(&spot) {
                add(hazard, spot.placeholder.source.clone(), found);
            }
        }
    }
    for (find, hazard) in &*IN_TEXTS {
        find(context, &mut |range, found| add(hazard, range, found));
    }
    findings.sort_by_key(|finding| finding.range.start);
    findings
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::{Edit, translate};
    use super::super::{Conversion, FixKind};
    use super::*;

    /// Texts of every kind of neighbour that a hazard looks at.
    const PIECES: &str = "(%s|%\\(a\\)s|%%|%|\\?|:a|::|\\$1|['\"$eE\n\\\\/*`;{}-]|\\$\\$| |,|\\(|\\)|\\[|é|        (in|not|is|null|date|interval|days|like|values|select|from|group|order|by|limit|set|x|=|1|'a'|pontoon: ignore all) ){0,24}";

    fn check(conversion: &Conversion<'_>, sql: &str) -> Result<(), TestCaseError> {
        prop_assert_eq!(&Edit::apply(sql, &conversion.edits), &conversion.sql);
        let borrowed = matches!(conversion.sql, Cow::Borrowed(_));
        prop_assert!(!borrowed || conversion.edits.is_empty());
        Ok(())
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(
            sql in PIECES,
            style in proptest::sample::select(vec!["psycopg", "format", "pyformat", "qmark", "named", "numeric_dollar", "auto", "none"]),
        ) {
            let style: Style = style.parse().expect("a style");
            let inspected = inspect(&sql, style);
            if let Ok(translated) = translate(&sql, style) {
                // What the runtime takes, the converter takes alike.
                let inspected = inspected.as_ref().map_err(|error| TestCaseError::fail(error.to_string()))?;
                prop_assert_eq!(translated.sql, inspected.convert(|_| false).sql);
                prop_assert_eq!(&translated.parameters, &inspected.parameters);
            }
            let Ok(inspected) = inspected else { return Ok(()) };
            for finding in inspected.findings() {
                prop_assert!(sql.get(finding.range.clone()).is_some(), "{finding:?}");
                prop_assert!(!finding.message.is_empty());
            }
            check(&inspected.convert(|_| false), &sql)?;
            check(&inspected.convert(|finding| finding.fix.as_ref().is_some_and(|fix| fix.kind == FixKind::Rewrite)), &sql)?;
            let all = inspected.convert(|_| true);
            check(&all, &sql)?;
            for &index in &all.fixed {
                prop_assert!(inspected.findings()[index].fix.is_some());
            }
            let kept = all.parameters.iter().map(|bound| &bound.parameter);
            for parameter in inspected.parameters() {
                prop_assert!(kept.clone().any(|kept| kept == parameter) != all.dropped.contains(parameter));
            }
        }
    }

    proptest! {
        #[test]
        fn a_hazard_is_asked_wherever_it_can_be(sql in PIECES) {
            let Ok((placement, _)) = place(&sql, Style::Psycopg, usize::MAX) else { return Ok(()) };
            let Ok(context) = Context::read(&sql, &placement, false) else { return Ok(()) };
            for index in 0..context.placeholders.len() {
                let spot = Spot::new(&context, index);
                for hazard in HAZARDS {
                    if let (Look::Parameter(place, find), Place::Code) = (hazard.look, spot.placeholder.place) {
                        let is_asked = place.has(Behind::of(spot.before(1)));
                        prop_assert!(is_asked || find(&spot).is_none(), "{} at {index} of {sql}", hazard.code);
                    }
                }
            }
        }
    }

    #[test]
    fn a_fix_leaves_nothing_of_its_hazard() {
        for sql in [
            "SELECT 1 FROM t WHERE a IN %s AND b NOT IN %s AND c IS %s",
            "SELECT now() - interval '%s days', DATE %s, '%s'::int -- %s",
            "SELECT 1 FROM t WHERE name LIKE '%%%(q)s%%' AND x = %(q)s AND y IN %(q)s",
        ] {
            let found = inspect(sql, Style::Psycopg).expect(sql);
            let fixed = found.convert(|finding| finding.fix.as_ref().is_some_and(|fix| fix.safe));
            let left = inspect(&fixed.sql, Paramstyle::NumericDollar).expect(sql);
            let codes: Vec<_> = left
                .findings()
                .iter()
                .map(|finding| finding.hazard.code)
                .collect();
            assert_eq!(codes, [""; 0], "{}", fixed.sql);
        }
    }

    #[test]
    fn a_literal_that_never_ends_is_an_error_in_the_source() {
        let error = inspect("SELECT %s,\n %%'a", Style::Psycopg).expect_err("an open literal");
        assert_eq!((error.line, error.column), (2, 4));
    }

    #[test]
    fn hazards_are_found_in_every_style() {
        for (sql, style, fixed) in [
            ("a IN ?", Paramstyle::Qmark, "a = ANY($1)"),
            ("a IN :ids", Paramstyle::Named, "a = ANY($1)"),
            (
                "a IN $2 AND b = $1",
                Paramstyle::NumericDollar,
                "a = ANY($2) AND b = $1",
            ),
        ] {
            let sql = format!("SELECT 1 WHERE {sql}");
            let found = inspect(&sql, style).unwrap_or_else(|error| panic!("{sql}: {error}"));
            let codes: Vec<_> = found
                .findings()
                .iter()
                .map(|finding| finding.hazard.code)
                .collect();
            assert_eq!(codes, ["in-tuple"], "{sql}");
            assert_eq!(
                found.convert(|_| true).sql,
                format!("SELECT 1 WHERE {fixed}")
            );
        }
        let numbered =
            inspect("SELECT a IN $2 AND b = $1", Paramstyle::NumericDollar).expect("a text");
        let lists: Vec<_> = numbered
            .convert(|_| true)
            .parameters
            .iter()
            .map(|bound| bound.list)
            .collect();
        assert_eq!(lists, [false, true]);
    }
}
