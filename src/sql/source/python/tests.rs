//! Whole files: what is found in them.

use super::*;
use crate::sql::source::Piece;
use crate::sql::translate::{Edit, Paramstyle, Style, inspect};

mod rewritten;
mod unsure;

const PSYCOPG: &str = "import psycopg2\n";

fn found(source: &str) -> Vec<SourceQuery> {
    find(source).unwrap_or_else(|error| panic!("{source}: {error}"))
}

/// The file with every text converted, with every safe fix, and with its calls following.
fn converted(source: &str) -> String {
    let mut edits = Vec::new();
    for query in found(source).iter().filter(|query| query.dynamic.is_none()) {
        let Ok(read) = inspect(&query.sql, query.style) else {
            continue;
        };
        let conversion = read.convert(|finding| finding.fix.as_ref().is_some_and(|fix| fix.safe));
        let (calls, left) = query.call_edits(source, &conversion.parameters);
        if let (Ok(texts), true) = (query.file_edits(&conversion.edits), left.is_empty()) {
            edits.extend(texts);
            edits.extend(calls);
        }
    }
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    edits.dedup();
    Edit::apply(source, &edits)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn the_text_of_a_call_is_followed_to_its_literals() {
    let psycopg = Style::Psycopg;
    let none = Style::NoParameters;
    let cases: &[(&str, &str, Style)] = &[
        ("cur.execute('SELECT %s', (1,))", "SELECT %s", psycopg),
        ("cur.execute('SELECT 5 % 2')", "SELECT 5 % 2", none),
        ("cur.execute('SELECT 5 % 2', None)", "SELECT 5 % 2", none),
        ("cur.execute('SELECT 5 %% 2', ())", "SELECT 5 %% 2", psycopg),
        ("cur.execute('SELECT %s', args)", "SELECT %s", psycopg),
        (
            "cur.execute('SELECT ' 'a, '\n  \"%s\", [1])",
            "SELECT a, %s",
            psycopg,
        ),
        (
            "cur.execute('SELECT ' + 'a, ' + '%s', [1])",
            "SELECT a, %s",
            psycopg,
        ),
        ("cur.execute(b'SELECT %s', [1])", "SELECT %s", psycopg),
        (
            "cur.execute(r'SELECT \\d' '\\t%s', [1])",
            "SELECT \\d\t%s",
            psycopg,
        ),
        (
            "cur.execute('SELECT \\x25s, \\N{PERCENT SIGN}s', [1, 2])",
            "SELECT %s, %s",
            psycopg,
        ),
        (
            "cur.execute(query='SELECT %s', vars=(1,))",
            "SELECT %s",
            psycopg,
        ),
        (
            "cur.executemany('INSERT INTO t VALUES (%s)', rows)",
            "INSERT INTO t VALUES (%s)",
            psycopg,
        ),
        (
            "execute_batch(cur, 'INSERT INTO t VALUES (%s)', rows)",
            "INSERT INTO t VALUES (%s)",
            psycopg,
        ),
        (
            "cur.copy_expert('COPY t FROM STDIN', f)",
            "COPY t FROM STDIN",
            none,
        ),
        (
            "SQL = 'SELECT %s'\ncur.execute(SQL, (1,))",
            "SELECT %s",
            psycopg,
        ),
        (
            "def f(cur):\n  sql = 'SELECT %s'\n  return cur.execute(sql, (1,))",
            "SELECT %s",
            psycopg,
        ),
        (
            "class A:\n  Q = 'SELECT %s'\n  def f(self, c):\n    c.execute(self.Q, [1])",
            "SELECT %s",
            psycopg,
        ),
        (
            "Q = {'a': 'SELECT %s', 'b': 'SELECT 1'}\ncur.execute(Q['a'], (1,))",
            "SELECT %s",
            psycopg,
        ),
        (
            "from textwrap import dedent\ncur.execute(dedent('''\n   SELECT\n     %s\n   '''), (1,))",
            "\nSELECT\n  %s\n",
            psycopg,
        ),
        (
            "cur.execute('  SELECT %s '.strip(), (1,))",
            "SELECT %s",
            psycopg,
        ),
        (
            "sql = 'SELECT %s'\nsql += ' LIMIT %s'\ncur.execute(sql, (1, 2))",
            "SELECT %s LIMIT %s",
            psycopg,
        ),
        (
            "T = 'users'\ncur.execute(f'SELECT * FROM {T} WHERE a = %s', (1,))",
            "SELECT * FROM users WHERE a = %s",
            psycopg,
        ),
        (
            "with c as cur: cur.execute('SELECT $1', (1,))",
            "SELECT $1",
            Style::Known(Paramstyle::NumericDollar),
        ),
        (
            "cur.execute('''SELECT 1,\r\n %s''', (1,))",
            "SELECT 1,\n %s",
            psycopg,
        ),
        (
            "[c.execute(s, (1,)) for s in ('SELECT %s',)]",
            "SELECT %s",
            psycopg,
        ),
        (
            "if (s := 'SELECT %s'): cur.execute(s, (1,))",
            "SELECT %s",
            psycopg,
        ),
        (
            "from psycopg2 import sql\ncur.execute(sql.SQL('SELECT {} FROM {t} WHERE a = %s').format(sql.Identifier(c), t=sql.Identifier('t')), (1,))",
            "SELECT \"identifier\" FROM \"identifier\" WHERE a = %s",
            psycopg,
        ),
    ];
    for (code, sql, style) in cases {
        let queries = found(&format!("{PSYCOPG}{code}\n"));
        let [query] = &queries[..] else {
            panic!("{code}: {queries:#?}")
        };
        assert_eq!((query.sql.as_str(), query.style), (*sql, *style), "{code}");
        assert_eq!(query.dynamic, None, "{code}");
    }
}

#[test]
fn a_text_that_is_built_at_run_time_is_told_and_left() {
    let cases = [
        (
            "cur.execute(f'SELECT * FROM {table} WHERE a = %s', (1,))",
            "SELECT * FROM {table} WHERE a = %s",
            "`{table}`",
        ),
        (
            "cur.execute('SELECT * FROM %s WHERE a = %%s' % table, (1,))",
            "SELECT * FROM %s WHERE a = %%s",
            "% table",
        ),
        (
            "cur.execute('SELECT * FROM {} WHERE a = %s'.format(t), (1,))",
            "SELECT * FROM {} WHERE a = %s",
            ".format",
        ),
        (
            "cur.execute('SELECT * FROM ' + t + ' WHERE a = %s', (1,))",
            "SELECT * FROM {t} WHERE a = %s",
            "`t`",
        ),
        (
            "sql = 'SELECT %s'\nif x:\n  sql += ' LIMIT %s'\ncur.execute(sql, v)",
            "SELECT %s{…}",
            "condition",
        ),
        (
            "cur.execute('COMMIT')\ncur.execute(build(x), (1,))",
            "{…}",
            "build(x)",
        ),
        (
            "execute_values(cur, 'INSERT INTO t VALUES %s', rows)",
            "INSERT INTO t VALUES %s",
            "execute_values",
        ),
        (
            "S = 'SELECT %s'\nlog.info(S)\ncur.execute(S, (1,))",
            "SELECT %s",
            "also used in line 3",
        ),
        (
            "S = 'SELECT %s'\ncur.execute(S, (1,))\ncur.execute(S)",
            "SELECT %s",
            "read the text differently",
        ),
        (
            "s = 'SELECT %(a)s' if x else 'SELECT 2, %(a)s'\ncur.execute(s, {'a': 1})",
            "SELECT %(a)s",
            "several texts",
        ),
        (
            "db.runquery('SELECT %s', args)",
            "SELECT %s",
            "no driver's function",
        ),
        (
            "from psycopg2 import sql\ncur.execute(sql.SQL('SELECT {} , %s').format(x), (1,))",
            "SELECT {x} , %s",
            "composition",
        ),
    ];
    for (code, sql, message) in cases {
        let source = format!("{PSYCOPG}{code}\n");
        let queries = found(&source);
        let query = queries
            .iter()
            .find(|query| query.sql == sql)
            .unwrap_or_else(|| panic!("{code}: {queries:#?}"));
        let dynamic = query
            .dynamic
            .as_ref()
            .unwrap_or_else(|| panic!("{code}: not dynamic"));
        assert!(
            dynamic.message.contains(message),
            "{code}: {}",
            dynamic.message
        );
        assert_eq!(converted(&source), source, "{code}");
    }
}

#[test]
fn what_is_no_query_is_not_found() {
    for source in [
        "import psycopg2\ncmd.execute('start')\n",
        "import psycopg2\nrunner.execute('update the packages %s', (1,))\n",
        "import sqlite3\ncur.execute('SELECT %s, ?', (1,))\n",
        "import psycopg2\nprint('SELECT %s')\n",
        "cur.execute(sql)\n",
        "'SELECT %s'\n",
        "",
        // Sentences for people, and what the module itself fills or shows.
        "TITLE = 'Select %s to change'\nHINT = 'Create user %s'\nWAIT = 'import %s'\n",
        "SQL = 'SELECT a FROM %s'\nx = SQL % table\n",
        "SQL = 'SELECT a FROM %s WHERE {}'\nx = SQL.format(1)\n",
        "SQL = 'SELECT a FROM t WHERE b = %s'\nlogger.info(SQL, 1)\n",
        "import sqlite3\nSQL = 'SELECT a FROM t WHERE b = %s'\n",
        "def f():\n    sql = 'SELECT a FROM t WHERE b = %s'\n    return sql\n",
        "SQL = 'SELECT a FROM t'\n",
        "from concurrent import copy\nfrom jobs import TASK\ncopy(TASK)\n",
    ] {
        assert!(found(source).is_empty(), "{source}");
    }
}

/// The message of each text that is left.
fn left(source: &str) -> Vec<String> {
    let queries = found(source).into_iter();
    let dynamic = queries.filter_map(|query| query.dynamic);
    dynamic.map(|dynamic| dynamic.message).collect()
}

#[test]
fn a_constant_that_no_call_executes_is_told() {
    for (source, names) in [
        ("FIND = 'SELECT a FROM t WHERE b = %s'\n", &["`FIND`"][..]),
        (
            "class Q:\n    class R:\n        ALL = ('SELECT a '\n               'FROM t WHERE b = %(b)s')\n",
            &["`ALL`"],
        ),
        (
            "BY = {'a': 'delete from t where b = %s', 'b': 'SELECT 1'}\n",
            &["`BY[\"a\"]`"],
        ),
        // What another constant is made of is told with it.
        (
            "BASE = 'SELECT a FROM t WHERE b = %s'\nMORE = BASE + ' AND c = %s'\n",
            &["`MORE`"],
        ),
        (
            "import psycopg2\nA = 'SELECT a FROM t WHERE b = %s'\nB = 'SELECT b FROM t WHERE b = %s'\ncur.execute(A, (1,))\n",
            &["`B`"],
        ),
        ("F = f'SELECT a FROM {table} WHERE b = %s'\n", &["f-string"]),
    ] {
        let left = left(source);
        assert_eq!(left.len(), names.len(), "{source}: {left:?}");
        for (message, name) in left.iter().zip(names) {
            assert!(message.contains(name), "{source}: {message}");
        }
    }
}

#[test]
fn a_call_that_gets_a_text_of_another_module_is_told() {
    for (source, what) in [
        (
            "import psycopg2\nfrom app.queries import FIND\ncur.execute(FIND, (1,))\n",
            "`execute` gets `FIND`, which `app.queries` defines",
        ),
        (
            "import psycopg2\nfrom . import queries as q\ncur.execute(q.FIND, (1,))\n",
            "`execute` gets `q.FIND`, which `.queries` defines",
        ),
        (
            "import psycopg2\nimport app.queries\ncur.executemany(app.queries.Q.ALL, rows)\n",
            "`executemany` gets `app.queries.Q.ALL`, which `app.queries` defines",
        ),
        (
            "import psycopg2\nfrom app.queries import *\ncur.execute(FIND, (1,))\n",
            "`execute` gets `FIND`, which `app.queries` defines",
        ),
        // Without a driver's import the name tells that it is a constant.
        (
            "from ..app import queries\ndef f(cur):\n    sql = queries.FIND\n    cur.execute(sql, (1,))\n",
            "`execute` gets `sql`, which `..app.queries` defines",
        ),
        (
            "import psycopg2\nfrom app import queries\ncur.execute(queries.BY['a'], (1,))\n",
            "`execute` gets `queries.BY['a']`, which `app.queries` defines",
        ),
    ] {
        assert_eq!(left(source), [what], "{source}");
    }
}

#[test]
fn comments_tell_what_to_pass_over() {
    let source = format!(
        "{PSYCOPG}# pontoon: ignore in-tuple, glued\ncur.execute('SELECT %s', v)\ncur.execute('SELECT 1, %s', v)  # pontoon: ignore\ncur.execute('SELECT 2, %s', v)\n"
    );
    let ignored: Vec<Vec<String>> = found(&source)
        .into_iter()
        .map(|query| query.ignored)
        .collect();
    assert_eq!(
        ignored,
        [
            vec!["glued".to_owned(), "in-tuple".to_owned()],
            vec!["all".to_owned()],
            vec![]
        ]
    );
}

#[test]
fn a_file_that_python_cannot_read_is_told_with_its_place() {
    let error =
        find("import psycopg2\ncur.execute('SELECT 1'\nprint 'é' x").expect_err("no Python");
    assert_eq!(
        (error.line > 1, error.column > 0, error.message.is_empty()),
        (true, true, false)
    );
}

#[test]
fn a_deep_file_ends_no_process() {
    let call = "cur.execute('SELECT %s', v)\n";
    for deep in [
        format!("x = {}1{}\n", "(".repeat(10_000), ")".repeat(10_000)),
        format!("x = {}1{}\n", "[".repeat(10_000), "]".repeat(10_000)),
        format!("x = 1{}\n", " + 1".repeat(20_000)),
        format!("x = 1{}\n", " + 1".repeat(100_000)),
        format!("x = {}1\n", "not ".repeat(20_000)),
        format!("x = a{}\n", ".b()".repeat(10_000)),
        format!("cur.execute('SELECT 1'{}, v)\n", " + ' a'".repeat(20_000)),
        format!("x = {}", "[".repeat(30_000)),
    ] {
        match find(&format!("{PSYCOPG}{deep}{call}")) {
            Ok(queries) => assert!(queries.iter().any(|query| query.sql == "SELECT %s")),
            Err(error) => assert!(!error.message.is_empty()),
        }
    }
}
