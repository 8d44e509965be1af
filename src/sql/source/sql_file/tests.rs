use super::*;
use crate::sql::translate::Edit;

fn read(text: &str) -> Vec<SourceQuery> {
    find(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn named(text: &str) -> Vec<(Option<String>, String)> {
    let queries = read(text).into_iter();
    queries.map(|query| (query.name, query.sql)).collect()
}

#[test]
fn a_file_is_one_query_or_a_script() {
    for (text, statements) in [
        ("", &[][..]),
        ("-- nothing\n;", &[]),
        ("SELECT 1", &["SELECT 1"]),
        ("\u{feff}SELECT %s\r\n", &["SELECT %s"]),
        ("-- why\nSELECT 1 -- so\n;", &["-- why\nSELECT 1 -- so"]),
        (
            "SELECT 1;\r\n  SELECT ';', %s ;",
            &["SELECT 1", "SELECT ';', %s"],
        ),
        (
            "\\set a 1\nSELECT 1;\n\\i it's.sql\nSELECT 2;",
            &["SELECT 1", "SELECT 2"],
        ),
        ("SELECT 1 \\gset\nSELECT 2", &["SELECT 1", "SELECT 2"]),
        (
            "COPY t FROM stdin;\na'b\n\\.\nSELECT 1;",
            &["COPY t FROM stdin", "SELECT 1"],
        ),
        (
            "-- My report\n\\set ON_ERROR_STOP on\nSELECT a FROM t WHERE b = %s;",
            &["SELECT a FROM t WHERE b = %s"],
        ),
        (
            "-- one\n\\set a 1\n-- two\nSELECT %s -- three\n\\echo it's\n-- four\n;",
            &["-- two\nSELECT %s -- three"],
        ),
    ] {
        let found: Vec<_> = read(text).into_iter().map(|query| query.sql).collect();
        assert_eq!(found, statements, "{text}");
    }
}

#[test]
fn named_queries_begin_and_end_at_their_lines() {
    let text = "-- of users\n-- name: get-user^\n-- Finds 100% of one.\nSELECT %s\n\n-- ==== 50% ====\n\
                    --name:add(a, b)<!\nINSERT INTO t VALUES (:a); SELECT :b -- so\n  -- name: list_all :many\r\nSELECT 1;\r\n";
    let expected = [
        ("get-user", "SELECT %s"),
        ("add", "INSERT INTO t VALUES (:a)"),
        ("add", "SELECT :b"),
        ("list_all", "SELECT 1"),
    ];
    let expected = expected.map(|(name, sql)| (Some(name.to_owned()), sql.to_owned()));
    assert_eq!(named(text), expected);
    let amid = "SELECT '\n-- name: x\n' /*\n-- name: y\n*/";
    assert_eq!(named(amid), [(None, amid.to_owned())]);
    assert_eq!(
        named("SELECT 1; -- name:\n-- names: x"),
        [(None, "SELECT 1".to_owned())]
    );
}

#[test]
fn every_suffix_of_a_name_is_left_out() {
    for suffix in ["", "!", "<!", "$", "^", "#", "*!", " :one", "(id)^"] {
        let found = named(&format!("-- name: a_b{suffix}\nSELECT 1"));
        assert_eq!(found[0].0.as_deref(), Some("a_b"), "{suffix}");
    }
}

#[test]
fn each_byte_stands_where_the_piece_says() {
    let text = "\u{feff}-- été\r\n-- name: a\r\n-- d\r\nSELECT 'é',\r\n  %s;\r\n-- name: b\r\nSELECT %(x)s\r\n";
    let edits: Vec<Edit> = read(text)
        .iter()
        .map(|query| {
            let [piece] = &query.pieces[..] else {
                panic!("one piece")
            };
            assert_eq!(text[piece.file.clone()], query.sql);
            assert_eq!(
                (piece.sql.clone(), piece.quoting),
                (0..query.sql.len(), Quoting::Verbatim)
            );
            let at = query.sql.find('%').unwrap();
            let end = query.sql.rfind('s').unwrap() + 1;
            Edit {
                range: piece.file.start + at..piece.file.start + end,
                text: "$1".to_owned(),
            }
        })
        .collect();
    let expected = text.replace("%s", "$1").replace("%(x)s", "$1");
    assert_eq!(Edit::apply(text, &edits), expected);
}

#[test]
fn the_style_is_left_open_only_where_the_text_may_show_one() {
    for (sql, style) in [
        ("SELECT %s", Style::Auto),
        ("SELECT :a::int", Style::Auto),
        ("SELECT ?", Style::Auto),
        ("SELECT $1", Style::Auto),
        ("SELECT '%s days'::interval", Style::Auto),
        ("SELECT 'a%%'", Style::Auto),
        ("SELECT 'a%' || 5 % 2", Style::NoParameters),
        ("SELECT 1", Style::NoParameters),
        (
            "CREATE FUNCTION f() RETURNS text AS $$ SELECT format('%s %%') $$",
            Style::NoParameters,
        ),
        ("SELECT $$ %s $$, %s", Style::Auto),
    ] {
        assert_eq!(read(sql)[0].style, style, "{sql}");
    }
}

#[test]
fn what_psql_fills_in_is_not_rewritten() {
    for (text, message) in [
        (
            "SELECT :'tenant'",
            Some("it is known at run time only: psql's variable `:'tenant'`"),
        ),
        (
            "SELECT * FROM :\"table\"",
            Some("it is known at run time only: psql's variable `:\"table\"`"),
        ),
        (
            "\\set n 1\nSELECT :n",
            Some("it is known at run time only: psql's variable `:n`"),
        ),
        (
            "SELECT :{?n}",
            Some("it is known at run time only: psql's variable `:{`"),
        ),
        (
            "SELECT 1\n\\if :x\n, 2\n\\endif\n;",
            Some("a command of psql's stands amid the statement"),
        ),
        ("SELECT :n", None),
        ("\\set n 1\nSELECT a[1:n], b::int, %s", None),
        ("SELECT a[1:\"n\"]", None),
    ] {
        let dynamic = read(text)[0].dynamic.clone().map(|dynamic| dynamic.message);
        assert_eq!(dynamic.as_deref(), message, "{text}");
    }
}

#[test]
fn a_comment_says_which_hazards_to_pass_over() {
    let text = "-- pontoon: ignore glued\nSELECT 1; -- pontoon: ignore in-tuple, is-param (null)\n\
                    SELECT 2 /* pontoon: ignore */;\n-- name: a\n-- pontoon:ignore limit-param\nSELECT 3\n\
                    -- pontoon: ignore all\n-- name: b\nSELECT\n-- pontoon: ignored\n-- pontoon: ignore typmod\n4;\n-- pontoon: ignore x";
    let ignored: Vec<_> = read(text).into_iter().map(|query| query.ignored).collect();
    let expected: [&[&str]; 4] = [
        &["glued", "in-tuple", "is-param"],
        &["all"],
        &["limit-param"],
        &["all", "typmod"],
    ];
    assert_eq!(ignored, expected);
}

#[test]
fn what_never_ends_is_told_with_its_place() {
    for (text, line, column, what) in [
        ("\u{feff}SELECT 'a", 1, 8, "string literal"),
        ("SELECT 1;\r\n\\echo it's\r\n été /* a", 3, 6, "comment"),
        ("SELECT 1;\n-- name: a\nSELECT $$ a", 3, 8, "dollar-quoted"),
        (
            "-- name: a\nCREATE PROCEDURE p() BEGIN ATOMIC SELECT 1;",
            2,
            22,
            "BEGIN ATOMIC",
        ),
    ] {
        let error = find(text).unwrap_err();
        assert_eq!((error.line, error.column), (line, column), "{text}");
        assert!(error.message.contains(what), "{error}");
    }
}
