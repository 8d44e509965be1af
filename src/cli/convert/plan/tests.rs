use super::super::options::From;
use super::*;
use crate::sql::source::language_of;
use std::path::Path;

fn planned(file: &str, text: &str, options: &Options) -> Plan {
    let language = language_of(Path::new(file)).expect("a language of this build");
    plan(text, (language.find)(text), options)
}

fn codes(plan: &Plan) -> Vec<&'static str> {
    plan.remarks.iter().map(|remark| remark.code).collect()
}

/// What the text becomes, and the codes of what is said.
fn becomes(text: &str, options: &Options) -> (String, Vec<&'static str>) {
    let plan = planned("a.sql", text, options);
    (Edit::apply(text, &plan.edits), codes(&plan))
}

#[test]
fn a_query_is_converted_unless_an_error_is_left_in_it() {
    let plain = Options::default();
    let fix = Options {
        fix: true,
        ..plain.clone()
    };
    let ignore = Options {
        ignore: vec!["in-tuple".to_owned()],
        ..plain.clone()
    };
    let text = "SELECT a FROM t WHERE a IN %s AND b = %s";
    assert_eq!(becomes(text, &plain), (text.to_owned(), vec!["in-tuple"]));
    let fixed = "SELECT a FROM t WHERE a = ANY($1) AND b = $2";
    assert_eq!(becomes(text, &fix), (fixed.to_owned(), vec!["call-site"]));
    let passed = "SELECT a FROM t WHERE a IN $1 AND b = $2";
    assert_eq!(becomes(text, &ignore), (passed.to_owned(), vec![]));
    // A rewrite alone does not free a query that something else holds.
    let two = "SELECT a FROM t WHERE a IN %s ORDER BY a %s";
    let (same, told) = becomes(two, &fix);
    assert_eq!((same.as_str(), told.len()), (two, 2));
}

#[test]
fn casts_come_where_they_are_asked_for() {
    let text = "SELECT a FROM t WHERE ts > now() - %s";
    let casts = Options {
        casts: true,
        ..Options::default()
    };
    let (converted, told) = becomes(text, &casts);
    assert_eq!(
        (converted.as_str(), told.len()),
        ("SELECT a FROM t WHERE ts > now() - $1::interval", 0)
    );
}

#[test]
fn a_converted_text_is_known_as_one() {
    for options in [
        Options::default(),
        Options {
            from: From::Format,
            ..Options::default()
        },
    ] {
        let text = "SELECT a FROM t WHERE a LIKE '50%' AND b = $1";
        assert_eq!(becomes(text, &options), (text.to_owned(), vec![]));
    }
    let source = "cur.execute(\"SELECT a FROM t WHERE a LIKE '50%' AND b = $1\", (b,))\n";
    let plan = planned("a.py", source, &Options::default());
    assert_eq!((plan.edits.len(), codes(&plan).len()), (0, 0));
}

#[test]
fn one_text_that_is_wrong_keeps_the_whole_file() {
    let text = "SELECT a FROM t WHERE a = %s;\nSELECT %s, %d";
    let plan = planned("a.sql", text, &Options::default());
    assert!(plan.edits.is_empty());
    assert_eq!((plan.tally.held, plan.tally.errors), (2, 1));
    assert!(codes(&plan).contains(&"unknown-placeholder"));
}

#[test]
fn on_the_way_back_a_percent_sign_is_doubled_where_arguments_are_given() {
    let options = Options {
        to: To::Format,
        ..Options::default()
    };
    for (call, expected, told) in [
        (
            "executemany(\"UPDATE t SET a = '100%'\", rows)",
            "executemany(\"UPDATE t SET a = '100%%'\", rows)",
            &[][..],
        ),
        (
            "execute('SELECT 5 % 2', ())",
            "execute('SELECT 5 %% 2', ())",
            &[],
        ),
        ("execute('SELECT 5 % 2')", "execute('SELECT 5 % 2')", &[]),
        // Doubled already, or not: nothing shows it.
        (
            "executemany(\"UPDATE t SET a = '100%%'\", rows)",
            "executemany(\"UPDATE t SET a = '100%%'\", rows)",
            &["dynamic"],
        ),
        (
            "execute('SELECT 5 % 2', args)",
            "execute('SELECT 5 % 2', args)",
            &["dynamic"],
        ),
        (
            "execute('SELECT 5 % $1', (2,))",
            "execute('SELECT 5 %% %s', (2,))",
            &[],
        ),
    ] {
        let source = format!("import psycopg2\ncur.{call}\n");
        let plan = planned("a.py", &source, &options);
        let written = Edit::apply(&source, &plan.edits);
        assert_eq!(written, format!("import psycopg2\ncur.{expected}\n"));
        assert_eq!(codes(&plan), told, "{call}");
    }
}

#[test]
fn two_queries_must_want_the_same_of_one_literal() {
    let query = |sql: &str| SourceQuery {
        name: None,
        sql: sql.to_owned(),
        style: Style::Psycopg,
        pieces: vec![crate::sql::source::Piece {
            sql: 0..sql.len(),
            file: 0..sql.len(),
            quoting: crate::sql::source::Quoting::Verbatim,
        }],
        dynamic: None,
        calls: Vec::new(),
        elsewhere: Vec::new(),
        ignored: Vec::new(),
    };
    let text = "SELECT a FROM t WHERE a = %s";
    let same = plan(
        text,
        Ok(vec![query(text), query(text)]),
        &Options::default(),
    );
    assert_eq!((same.edits.len(), same.tally.dynamic), (1, 0));
    let mut other = query(text);
    other.sql = text.replace("a = %s", "b =%s ");
    let apart = plan(text, Ok(vec![query(text), other]), &Options::default());
    assert_eq!((apart.edits.len(), apart.tally.dynamic), (1, 1));
    assert_eq!(
        Edit::apply(text, &apart.edits),
        "SELECT a FROM t WHERE a = $1"
    );
}

#[test]
fn a_safe_rewrite_brings_its_edits_along() {
    let options = Options {
        with_edits: true,
        ..Options::default()
    };
    let text = "SELECT a FROM t WHERE a IN %s";
    let plan = planned("a.sql", text, &options);
    let mended = Edit::apply(text, &plan.remarks[0].edits);
    assert_eq!(mended, "SELECT a FROM t WHERE a = ANY($1)");
    let plan = planned(
        "a.sql",
        "SELECT a FROM t WHERE a IN %s OR b IN %s",
        &options,
    );
    let [one, other] = &*plan.remarks else {
        panic!("{:?}", plan.remarks)
    };
    assert!(!one.edits.is_empty());
    assert_eq!(one.edits, other.edits, "half a query is not mended");
    let stuck = planned(
        "a.sql",
        "SELECT a FROM t WHERE a IN %s ORDER BY a %s",
        &options,
    );
    assert!(stuck.remarks.iter().all(|remark| remark.edits.is_empty()));
}

#[test]
fn what_is_built_is_a_warning_if_it_shows_a_placeholder() {
    let severity = |call: &str| {
        let source = format!("def f(cur, t, a):\n    cur.execute({call})\n");
        let plan = planned("a.py", &source, &Options::default());
        assert_eq!(codes(&plan), ["dynamic"], "{call}");
        plan.remarks[0].severity
    };
    let shown = severity("f'SELECT a FROM {t} WHERE a = %s', (a,)");
    assert_eq!(shown, Severity::Warning);
    assert_eq!(severity("f'SELECT a FROM {t}', a"), Severity::Note);
}

#[test]
fn why_a_text_stays_is_told_of_what_is_built_and_of_what_nobody_executes() {
    for (source, why) in [
        (
            "def f(cur, t, a):\n    cur.execute(f'SELECT a FROM {t} WHERE a = %s', (a,))\n",
            "not rewritten, because it is known at run time only: the f-string's `{t}`",
        ),
        (
            "FIND = 'SELECT a FROM t WHERE a = %s'\n",
            "not rewritten, because no call in this file executes `FIND`, so its arguments are not known",
        ),
    ] {
        let plan = planned("a.py", source, &Options::default());
        assert_eq!(plan.remarks[0].message, why);
    }
}
