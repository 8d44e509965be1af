//! Python sources: the text of each call, its arguments, and what is built at run time.

use super::*;

const SOURCE: &str = r#"import psycopg2

FIND = "SELECT a FROM t WHERE a = %s AND b LIKE 'x%%'"


def find(cur, a, table):
    cur.execute(FIND, (a,))
    cur.execute("SELECT a FROM t WHERE a = %(a)s OR b = %(a)s", {"a": a})
    cur.execute(f"SELECT a FROM {table} WHERE a = %s", (a,))
    cur.execute("SELECT 5 % 2")
"#;

#[test]
fn texts_are_converted_and_what_is_built_is_listed() {
    let folder = Folder::with(&[("app/db.py", SOURCE)]);
    let ran = folder.run(&["convert", ".", "--write", "--json"]);
    assert_eq!(ran.codes(), ["named-reuse", "dynamic"], "{ran:?}");
    let finding = &ran.json()["findings"][1];
    assert_eq!(finding["line"], 9);
    assert!(
        finding["message"].as_str().unwrap().contains("{table}"),
        "{finding}"
    );
    let text = folder.read("app/db.py");
    let expected = SOURCE
        .replace("a = %s AND b LIKE 'x%%'", "a = $1 AND b LIKE 'x%'")
        .replace("%(a)s", "$1");
    assert_eq!(text, expected);
    folder.run(&["convert", ".", "--write"]);
    assert_eq!(folder.read("app/db.py"), expected);
}

#[test]
fn arguments_follow_where_they_can() {
    let folder = Folder::with(&[("db.py", SOURCE)]);
    let ran = folder.run(&["convert", ".", "--write", "--call-sites"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let text = folder.read("db.py");
    assert!(text.contains("b = $1\", "), "{text}");
    assert!(!text.contains("{\"a\": a}"), "{text}");
    let again = folder.run(&["convert", ".", "--write", "--call-sites"]);
    assert!(again.out.contains("0 converted"), "{again:?}");
    assert_eq!(folder.read("db.py"), text);
}

#[test]
fn a_tuple_becomes_a_list_where_the_rewrite_asks_for_one() {
    let source =
        "cur.execute(\"SELECT a FROM t WHERE b = %(b)s AND a IN %(a)s\", {\"a\": a, \"b\": b})\n";
    let folder = Folder::with(&[("db.py", source)]);
    let ran = folder.run(&["convert", ".", "--write", "--fix", "--call-sites"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        folder.read("db.py"),
        "cur.execute(\"SELECT a FROM t WHERE b = $1 AND a = ANY($2)\", (b, list(a)))\n"
    );
    folder.write(
        "db.py",
        "cur.execute(\"SELECT a FROM t WHERE a IN %(a)s\", {\"a\": a})\n",
    );
    folder.run(&["convert", ".", "--write", "--fix", "--call-sites"]);
    assert_eq!(
        folder.read("db.py"),
        "cur.execute(\"SELECT a FROM t WHERE a = ANY($1)\", (list(a),))\n"
    );
}

#[test]
fn a_comment_says_that_somebody_has_looked() {
    let source = "def f(cur, a):\n    cur.execute(\"SELECT 1 WHERE a IN %s\", (a,))  # pontoon: ignore in-tuple\n";
    let folder = Folder::with(&[("db.py", source)]);
    let ran = folder.run(&["convert", ".", "--json"]);
    assert_eq!((ran.code, ran.codes().len()), (0, 0), "{ran:?}");
}

#[test]
fn a_file_that_is_no_python_is_listed() {
    let folder = Folder::with(&[
        ("a.py", "def f(:\n    cur.execute('SELECT %s', (1,))\n"),
        (
            "b.py",
            "def f(cur):\n    cur.execute('SELECT a FROM t WHERE a = %s', (1,))\n",
        ),
    ]);
    let ran = folder.run(&["convert", ".", "--write", "--json"]);
    assert_eq!((ran.code, ran.codes()), (1, vec!["unreadable".to_owned()]));
    assert_eq!(ran.json()["summary"]["written"], 1);
}

#[test]
fn none_stays_none_where_the_text_tests_for_it() {
    let select = "SELECT a FROM t WHERE";
    for (call, expected) in [
        (
            "(%s IS NULL OR b = %s)\", (name, name))",
            "($1::text IS NULL OR b = $2)\", (None if name is None else str(name), name))",
        ),
        (
            "(%s IS NULL OR b = %s)\", (\"x\", name))",
            "($1::text IS NULL OR b = $2)\", (\"x\", name))",
        ),
        (
            "(%s IS NULL OR b = %s)\", (None, 1))",
            "($1::text IS NULL OR b = $2)\", (None, 1))",
        ),
        (
            "(%s IS NULL OR b = %s)\", (5, 5))",
            "($1::text IS NULL OR b = $2)\", (str(5), 5))",
        ),
        // What may have an effect is not evaluated twice, and None must not become a string.
        (
            "(%s IS NULL OR b = %s)\", (f(), name))",
            "(%s IS NULL OR b = %s)\", (f(), name))",
        ),
        (
            "(%s IS NULL OR b = %s)\", (x.y, name))",
            "(%s IS NULL OR b = %s)\", (x.y, name))",
        ),
        (
            "b > now() - interval '%s days'\", (days,))",
            "b > now() - ($1::text || ' days')::interval\", (str(days),))",
        ),
    ] {
        let source = format!("cur.execute(\"{select} {call}\n");
        let folder = Folder::with(&[("db.py", &source)]);
        let ran = folder.run(&[
            "convert",
            ".",
            "--write",
            "--casts",
            "--fix",
            "--call-sites",
            "--json",
        ]);
        assert_eq!(
            folder.read("db.py"),
            format!("cur.execute(\"{select} {expected}\n")
        );
        if call == expected {
            assert!(ran.codes().contains(&"call-site".to_owned()), "{ran:?}");
        }
        let again = folder.run(&[
            "convert",
            ".",
            "--write",
            "--casts",
            "--fix",
            "--call-sites",
            "--json",
        ]);
        assert_eq!(again.json()["summary"]["converted"], 0, "{again:?}");
    }
}
