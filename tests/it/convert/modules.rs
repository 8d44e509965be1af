//! SQL that stands in one module, and is executed in another.

use super::*;

const QUERIES: &str = r#"FIND = "SELECT id FROM t WHERE a = %s"


class Q:
    ALL = "SELECT id FROM t WHERE b = %s AND c = %s"


BY = {"one": "SELECT id FROM t WHERE c = %s", "two": "SELECT id FROM t WHERE d = %s"}
"#;

const USE: &str = r#"import psycopg2
from app.queries import FIND, Q
from . import queries


def f(cur, a, b, args):
    cur.execute(FIND, (a,))
    cur.execute(queries.FIND, args)
    cur.execute(Q.ALL, (a, b))
    cur.execute(queries.BY["one"], [a])
"#;

/// The messages of the findings, each behind its file and line.
fn told(ran: &Ran) -> Vec<String> {
    let document = ran.json();
    let findings = document["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            let word = |name: &str| finding[name].as_str().unwrap().to_owned();
            format!("{}:{} {}", word("file"), finding["line"], word("message"))
        })
        .collect()
}

#[test]
fn a_file_alone_lists_what_it_cannot_follow() {
    let folder = Folder::with(&[("app/queries.py", QUERIES), ("app/use.py", USE)]);
    let ran = folder.run(&["convert", "app/queries.py", "--write", "--json"]);
    assert_eq!(ran.codes(), ["dynamic"; 4], "{ran:?}");
    assert!(told(&ran)[0].contains("no call in this file executes `FIND`"));
    assert_eq!(folder.read("app/queries.py"), QUERIES);
    let ran = folder.run(&["convert", "app/use.py", "--write", "--json"]);
    assert_eq!(ran.codes(), ["dynamic"; 4], "{ran:?}");
    assert!(told(&ran)[2].contains("`execute` gets `Q.ALL`, which `app.queries` defines"));
    assert_eq!(folder.read("app/use.py"), USE);
}

#[test]
fn calls_that_need_no_change_are_followed() {
    let folder = Folder::with(&[("app/queries.py", QUERIES), ("app/use.py", USE)]);
    for arguments in [&["convert", "."][..], &["convert", "app", "--call-sites"]] {
        let ran = folder.run(&[arguments, &["--json"]].concat());
        assert_eq!(ran.json()["summary"]["converted"], 3, "{ran:?}");
        let told = told(&ran);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("executes `BY[\"two\"]`"), "{told:?}");
    }
    let ran = folder.run(&["convert", ".", "--write"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let expected = QUERIES
        .replace("b = %s AND c = %s", "b = $1 AND c = $2")
        .replace("WHERE a = %s", "WHERE a = $1")
        .replace("WHERE c = %s", "WHERE c = $1");
    assert_eq!(folder.read("app/queries.py"), expected);
    assert_eq!(folder.read("app/use.py"), USE);
    let again = folder.run(&["convert", ".", "--write", "--fix", "--call-sites"]);
    assert!(again.out.contains("0 converted"), "{again:?}");
    assert_eq!(folder.read("app/queries.py"), expected);
}

#[test]
fn a_call_inside_the_package_is_found_from_there() {
    let folder = Folder::with(&[("app/queries.py", QUERIES), ("app/use.py", USE)]);
    let ran = pontoon(&folder.path("app"), &["convert", ".", "--json"], b"");
    assert_eq!(ran.json()["summary"]["converted"], 3, "{ran:?}");
}

#[test]
fn a_call_that_cannot_follow_holds_the_text() {
    let text = "def g(cur, a, b):\n";
    let sql = "SELECT id FROM t WHERE a = %(a)s AND b = %(b)s";
    for (sql, call, why) in [
        (
            sql,
            "cur.execute(FIND, {'b': b, 'a': a})",
            "in use.py:4 with a mapping",
        ),
        (
            "SELECT id FROM t WHERE a IN %s",
            "cur.execute(FIND, (tuple(a),))",
            "another form",
        ),
        (
            "SELECT id FROM t WHERE a = %s",
            "cur.execute(FIND); cur.execute(FIND, (a,))",
            "without arguments",
        ),
        (
            "SELECT id FROM t WHERE a = %s",
            "cur.execute(FIND, (a, b))",
            "with 2 values, and it takes 1",
        ),
        (
            "SELECT id FROM t WHERE a = %s",
            "cur.execute(FIND + ' LIMIT 1', (a,))",
            "a part of another",
        ),
        (
            "SELECT id FROM t WHERE a = %s",
            "cur.execute(f'{FIND} LIMIT 1', (a,))",
            "a part of another",
        ),
        (
            "SELECT id FROM t WHERE a = %s",
            "execute_values(cur, FIND, a)",
            "puts rows",
        ),
        (
            "SELECT id FROM t WHERE a = %s",
            "show_sql(FIND, a)",
            "no driver's function",
        ),
    ] {
        let queries = format!("FIND = \"{sql}\"\n");
        let uses = format!("import psycopg2\nfrom queries import FIND\n{text}    {call}\n");
        // Whether the module executes it as well makes no difference.
        let own = format!("import psycopg2\n{queries}def f(cur, a):\n    cur.execute(FIND, a)\n");
        for queries in [queries, own] {
            let folder = Folder::with(&[("queries.py", &queries), ("use.py", &uses)]);
            for flags in [&["--fix"][..], &["--fix", "--call-sites"]] {
                let ran = folder.run(&[&["convert", ".", "--write", "--json"], flags].concat());
                assert_eq!(ran.json()["summary"]["converted"], 0, "{ran:?}");
                assert_eq!(ran.codes()[0], "call-site", "{call}: {ran:?}");
                assert!(told(&ran)[0].contains(why), "{call}: {ran:?}");
                assert_eq!(folder.read("queries.py"), queries);
                assert_eq!(folder.read("use.py"), uses);
            }
        }
    }
}

#[test]
fn a_text_that_its_module_executes_as_it_is_stays_for_others() {
    let queries = "import psycopg2\nFIND = \"SELECT id FROM t WHERE a LIKE '%%' OR b = '%s'\"\ncur.execute(FIND)\n";
    let uses = "import psycopg2\nfrom queries import FIND\ncur.execute(FIND, (1,))\n";
    let folder = Folder::with(&[("queries.py", queries), ("use.py", uses)]);
    let ran = folder.run(&["convert", ".", "--write", "--json"]);
    assert_eq!(ran.codes(), ["dynamic"], "{ran:?}");
    assert!(told(&ran)[0].contains("in use.py:3 read the text differently"));
    assert_eq!(folder.read("queries.py"), queries);
}

#[test]
fn what_another_module_brings_on_is_told_and_left() {
    let folder = Folder::with(&[
        ("app/__init__.py", "from .queries import FIND\n"),
        (
            "app/queries.py",
            "FIND = \"SELECT id FROM t WHERE a = %(a)s\"\ncur.execute(FIND, {'a': 1})\n",
        ),
        (
            "use.py",
            "import psycopg2\nfrom app import FIND\ncur.execute(FIND, {'a': 1})\n",
        ),
    ]);
    let ran = folder.run(&["convert", ".", "--write", "--call-sites", "--json"]);
    let told = told(&ran);
    assert_eq!(ran.codes(), ["call-site", "dynamic"], "{told:?}");
    assert!(
        told[0].contains("app/queries.py:1") && told[0].contains("use.py:3"),
        "{told:?}"
    );
    assert!(told[1].contains("`app` defines"), "{told:?}");
}

#[test]
fn what_is_said_does_not_depend_on_who_reads_first() {
    let folder = Folder::new();
    for number in 0..40 {
        let other = (number * 7 + 3) % 40;
        let text = format!(
            "import psycopg2\nfrom m{other} import SQL as FIND\nSQL = \"SELECT {number} FROM t WHERE a = %s\"\ncur.execute(FIND, {})\n",
            if number % 3 == 0 { "{'a': 1}" } else { "(1,)" },
        );
        folder.write(&format!("m{number}.py"), text);
    }
    let first = folder.run(&["convert", ".", "--format", "jsonl"]);
    assert!(first.out.contains("with a mapping"), "{first:?}");
    for _ in 0..5 {
        let again = folder.run(&["convert", ".", "--format", "jsonl"]);
        assert_eq!(again.out, first.out);
    }
}

#[test]
fn a_constant_that_another_file_reads_otherwise_stays() {
    let queries = "'''Run it with DEBUG=1'''\nimport psycopg2\nclass A:\n    E = \"SELECT 2 FROM t WHERE a = %s\"\nD = \"SELECT id FROM t WHERE a = %s\"\n\
                   BY = {'k': \"SELECT 3 FROM t WHERE a = %s\"}\n\
                   B = \"SELECT 4 FROM t WHERE a = %s\"\nC = B + ' AND b = 1'\n\
                   def f(cur, a):\n    cur.execute(C, (a,))\n    cur.execute(D, (a,))\n    cur.execute(A.E, (a,))\n    cur.execute(BY['k'], (a,))\n";
    for (read, name) in [
        ("db.get_rows(queries.D, {'a': 1})", "D"),
        ("x = queries.D % 5", "D"),
        ("logging.info(queries.D, 5)", "D"),
        ("y = q.D\nprint(y)", "D"),
        ("y = q.D\ncur.execute(y, (1,))\nprint(y % 1)", "D"),
        ("print(q.A.E % 5)", "E"),
        ("from app.queries import D as F\nprint(F % 5)", "D"),
        ("r = queries\nprint(r.D % 5)", "D"),
        ("print(queries.C % 5)", "C"),
        ("print(q.BY['k'] % 5)", "BY[\"k\"]"),
        ("for k, v in q.BY.items(): run(v)", "BY[\"k\"]"),
    ] {
        let uses = format!("from . import queries\nimport app.queries as q\n{read}\n");
        let folder = Folder::with(&[("app/queries.py", queries), ("app/use.py", &uses)]);
        let ran = folder.run(&["convert", ".", "--write", "--call-sites", "--json"]);
        let line = if read.starts_with("from") || read.starts_with('r') {
            4
        } else {
            3
        };
        let why = format!("`{name}` is also used in app/use.py:{line}, not as the text of a call");
        assert!(
            told(&ran).iter().any(|told| told.contains(&why)),
            "{read}: {:?}",
            told(&ran)
        );
        let written = folder.read("app/queries.py");
        assert_eq!(written.matches("%s").count(), 1, "{read}: {written}");
        assert_eq!(folder.read("app/use.py"), uses);
    }
    let uses = "import psycopg2\nfrom app import queries as q\ny = q.D\ncur.execute(y, (1,))\ncur.execute(q.A.E, (1,))\ncur.execute(q.BY['k'], (1,))\n";
    let folder = Folder::with(&[("app/queries.py", queries), ("app/use.py", uses)]);
    folder.run(&["convert", ".", "--write", "--call-sites"]);
    assert!(
        !folder.read("app/queries.py").contains("%s"),
        "{}",
        folder.read("app/queries.py")
    );
}
