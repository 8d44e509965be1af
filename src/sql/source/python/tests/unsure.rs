//! What cannot be followed surely stays as it is, and is told.

use super::*;

/// Every reason why something of the file stays as it is: those of its texts, and those of its calls.
fn told(source: &str) -> Vec<String> {
    let mut told = Vec::new();
    for query in found(source) {
        if let Some(dynamic) = query.dynamic {
            told.push(dynamic.message);
        } else if let Ok(read) = inspect(&query.sql, query.style) {
            let conversion =
                read.convert(|finding| finding.fix.as_ref().is_some_and(|fix| fix.safe));
            let (_, left) = query.call_edits(source, &conversion.parameters);
            told.extend(left.into_iter().map(|left| left.message));
        }
    }
    told
}

/// That each file stays as it is, for a reason with these words.
fn stays(cases: &[(&str, &str)]) {
    for (code, why) in cases {
        let source = if code.starts_with("import asyncpg") {
            format!("{code}\n")
        } else {
            format!("{PSYCOPG}{code}\n")
        };
        let told = told(&source);
        assert!(
            told.iter().any(|message| message.contains(why)),
            "{code}: {told:#?}"
        );
        assert_eq!(converted(&source), source, "{code}");
    }
}

/// What each file becomes, at once and for good.
fn becomes(cases: &[(&str, &str)]) {
    for (code, expected) in cases {
        let start = if code.starts_with("import asyncpg") {
            ""
        } else {
            PSYCOPG
        };
        let source = format!("{start}{code}\n");
        let expected = format!("{start}{expected}\n");
        assert_eq!(converted(&source), expected);
        assert_eq!(converted(&expected), expected, "again");
    }
}

#[test]
fn a_text_that_nothing_marks_as_converted_keeps_its_percent_signs() {
    stays(&[
        (
            "cur.executemany(\"UPDATE t SET a = '100%%%%'\", rows)",
            "read already",
        ),
        (
            "cur.executemany(\"UPDATE t SET a = '100%%'\", rows)",
            "read already",
        ),
        ("cur.execute(\"SELECT '%%%%', 5\", [*x])", "read already"),
        (
            "cur.execute(\"SELECT a FROM t WHERE a LIKE '%%s'\", {**base})",
            "read already",
        ),
        (
            "cur.execute(\"SELECT a FROM t WHERE a LIKE '%%s'\", ())",
            "read already",
        ),
        ("cur.execute(\"SELECT '%%%%'\", ())", "read already"),
        ("cur.execute(\"SELECT '%%'\", {'a': 1})", "read already"),
    ]);
    becomes(&[
        (
            "cur.execute(\"SELECT '%%'\", ())",
            "cur.execute(\"SELECT '%'\", ())",
        ),
        (
            "import asyncpg\nconn.executemany(\"UPDATE t SET a = '100%%'\", rows)",
            "import asyncpg\nconn.executemany(\"UPDATE t SET a = '100%%'\", rows)",
        ),
    ]);
}

#[test]
fn of_more_texts_than_are_told_apart_none_changes() {
    let all: Vec<String> = (0..17)
        .map(|number| format!("'q{number}': 'SELECT {number} FROM t WHERE a = %s'"))
        .collect();
    let source = format!(
        "{PSYCOPG}Q = {{{}}}\ncur.execute(Q[k], (1,))\ncur.execute(Q['q16'], (1,))\ncur.execute(Q['q0'], (1,))\n",
        all.join(", ")
    );
    assert_eq!(converted(&source), source);
    let told = told(&source);
    let cut = told
        .iter()
        .filter(|message| message.contains("more than 16 texts"));
    assert_eq!(cut.count(), 16, "{told:#?}");
    assert_eq!(told.len(), 17, "{told:#?}");
    let few = source
        .replace(", 'q16': 'SELECT 16 FROM t WHERE a = %s'", "")
        .replace("cur.execute(Q['q16'], (1,))\n", "");
    assert!(!converted(&few).contains("%s"), "{few}");
}

#[test]
fn a_call_that_gives_another_number_of_values_stays() {
    stays(&[
        (
            "cur.execute('SELECT a FROM t WHERE b = %s', (1, 2))",
            "takes 1 values, and the call gives 2",
        ),
        (
            "cur.execute('SELECT a FROM t WHERE b = %s', ())",
            "takes 1 values, and the call gives 0",
        ),
        (
            "import asyncpg\nconn.execute('SELECT a FROM t WHERE b = %s AND c = %s', (1,))",
            "takes 2 values, and the call gives 1",
        ),
    ]);
    becomes(&[
        (
            "import asyncpg\nconn.execute('SELECT a FROM t WHERE b = ANY(%s)', [1, 2])",
            "import asyncpg\nconn.execute('SELECT a FROM t WHERE b = ANY($1)', [1, 2])",
        ),
        (
            "import asyncpg\nconn.execute('SELECT $1, $2', {'a': 1}, [2])",
            "import asyncpg\nconn.execute('SELECT $1, $2', {'a': 1}, [2])",
        ),
    ]);
}

#[test]
fn every_way_to_bind_a_name_is_seen() {
    let q = "'SELECT %(b)s, %(a)s'";
    let cases = [
        format!(
            "def f(cur, x):\n  p = {{'a': 1, 'b': 2}}\n  match x:\n    case {{'p': p}}: pass\n  cur.execute({q}, p)"
        ),
        format!(
            "def f(cur, x):\n  p = {{'a': 1, 'b': 2}}\n  match x:\n    case [1, *p]: pass\n    case {{**p}}: pass\n  cur.execute({q}, p)"
        ),
        format!(
            "def f(cur, x):\n  p = {{'a': 1, 'b': 2}}\n  def g():\n    nonlocal p\n    p = x\n  g()\n  cur.execute({q}, p)"
        ),
        format!(
            "def f(cur, x):\n  def g():\n    nonlocal p\n    p = x\n  p = {{'a': 1, 'b': 2}}\n  g()\n  cur.execute({q}, p)"
        ),
        format!(
            "def f(cur, x):\n  p = {{'a': 1, 'b': 2}}\n  [p := y for y in x]\n  cur.execute({q}, p)"
        ),
        format!(
            "def f(cur, x):\n  p = shown = {{'a': 1, 'b': 2}}\n  cur.execute({q}, p)\n  print(shown)"
        ),
        format!("def f(cur, x):\n  p = x.y = {{'a': 1, 'b': 2}}\n  cur.execute({q}, p)"),
        format!("def f(cur, x, dict):\n  cur.execute({q}, dict(a=1, b=2))"),
    ];
    for code in &cases {
        stays(&[(code, "the call gives")]);
    }
    stays(&[
        (
            "def f(cur):\n  sql = shown = 'SELECT %s'\n  cur.execute(sql, (1,))\n  print(shown % 5)",
            "also used in line 5",
        ),
        (
            "Q = P = 'SELECT %s'\ncur.execute(Q, (1,))\nlog.info(P, 1)",
            "also used in line 4",
        ),
        (
            "def f(cur, d):\n  d['k'] = sql = 'SELECT %s'\n  cur.execute(sql, (1,))",
            "also used in line 3",
        ),
        (
            "class A:\n  def f(self, cur):\n    self.q = sql = 'SELECT %s'\n    cur.execute(sql, (1,))\n  def g(self):\n    print(self.q)",
            "also used in line 7",
        ),
        (
            "cur.execute(sql := 'SELECT %s', (1,))\nprint(sql % 5)",
            "also used in line 3",
        ),
        (
            "def f(cur):\n  cur.execute(sql := 'SELECT %s', (1,))\n  print(sql % 5)",
            "also used in line 4",
        ),
        (
            "def f(cur, x):\n  sql = 'SELECT %s'\n  def g():\n    nonlocal sql\n    sql += x\n  g()\n  cur.execute(sql, (1,))",
            "runs under a condition",
        ),
    ]);
    becomes(&[
        (
            "Q = P = 'SELECT %s'\ncur.execute(Q, (1,))\ncur.execute(P, (2,))",
            "Q = P = 'SELECT $1'\ncur.execute(Q, (1,))\ncur.execute(P, (2,))",
        ),
        (
            "def f(cur):\n  cur.execute(sql := 'SELECT %s', (1,))\n  cur.execute(sql, (2,))",
            "def f(cur):\n  cur.execute(sql := 'SELECT $1', (1,))\n  cur.execute(sql, (2,))",
        ),
    ]);
}

#[test]
fn a_text_that_a_later_name_may_hide_is_told() {
    for code in [
        "def f(cur, x):\n  sql = 'SELECT 1'\n  match x:\n    case {'q': sql}: cur.execute(sql, (1,))",
        "def f(cur, x):\n  def g():\n    nonlocal sql\n    sql = x\n  sql = 'SELECT %(a)s'\n  cur.execute(sql, {'a': 1})",
    ] {
        let source = format!("{PSYCOPG}{code}\n");
        assert_eq!(converted(&source), source);
        assert!(!told(&source).is_empty(), "{code}");
    }
}

#[test]
fn functions_of_python_that_mean_something_else_are_not_called() {
    stays(&[
        (
            "def f(cur, ids, list):\n  cur.execute('SELECT 1 WHERE a IN %s', (ids,))",
            "`list` means something else",
        ),
        (
            "def f(cur, days, str):\n  cur.execute(\"SELECT now() - interval '%s days'\", (days,))",
            "`str` means something else",
        ),
        (
            "def list(x): pass\ndef f(cur, ids):\n  cur.execute('SELECT 1 WHERE a IN %s', (tuple(ids),))",
            "`list` means something else",
        ),
    ]);
    becomes(&[
        (
            "def f(cur, ids, tuple):\n  cur.execute('SELECT 1 WHERE a IN %s', (tuple(ids),))",
            "def f(cur, ids, tuple):\n  cur.execute('SELECT 1 WHERE a = ANY($1)', (list(tuple(ids)),))",
        ),
        (
            "def f(cur, list):\n  cur.execute('SELECT 1 WHERE a IN %s', ((1, 2),))",
            "def f(cur, list):\n  cur.execute('SELECT 1 WHERE a = ANY($1)', ([1, 2],))",
        ),
    ]);
}

#[test]
fn a_function_of_the_file_that_fills_its_text_is_no_driver() {
    stays(&[
        (
            "def run_query(sql, args): return sql % args\nrun_query('SELECT %s', (1,))",
            "no driver's function",
        ),
        (
            "def run_query(sql, args): cur.execute(sql % args)\nrun_query('SELECT %s', (1,))",
            "no driver's function",
        ),
        (
            "def run_query(sql, args):\n  sql = sql % args\n  cur.execute(sql, None)\nrun_query('SELECT %s', (1,))",
            "no driver's function",
        ),
        (
            "def run_query(sql, args):\n  print(sql % args)\n  cur.execute(sql, args)\nrun_query('SELECT %s', (1,))",
            "no driver's function",
        ),
        (
            "run_query = lambda sql, args: sql % args\nrun_query('SELECT %s', (1,))",
            "no driver's function",
        ),
        ("format_query('SELECT %s', (1,))", "no driver's function"),
        ("db.log_query('SELECT %s', (1,))", "no driver's function"),
        (
            "class A:\n  def execute_all(self, sql, args): return sql % args\n  def g(self, x): self.execute_all('SELECT %s', x)",
            "no driver's function",
        ),
    ]);
    becomes(&[
        (
            "def run_query(sql, args):\n  with c as cur:\n    cur.execute(sql, args)\nrun_query('SELECT %s', (1,))",
            "def run_query(sql, args):\n  with c as cur:\n    cur.execute(sql, args)\nrun_query('SELECT $1', (1,))",
        ),
        (
            "class A:\n  def _query(self, sql, args): self.c.execute(sql, args)\n  def fetch_all(self, q, a): return self._query(q, a)\n  def g(self): self.fetch_all('SELECT %s', (1,))",
            "class A:\n  def _query(self, sql, args): self.c.execute(sql, args)\n  def fetch_all(self, q, a): return self._query(q, a)\n  def g(self): self.fetch_all('SELECT $1', (1,))",
        ),
        (
            "class A:\n  def query(self, a): return self.db.query('SELECT %s', (a,))",
            "class A:\n  def query(self, a): return self.db.query('SELECT $1', (a,))",
        ),
        (
            "from app import run_query\nrun_query('SELECT %s', (1,))",
            "from app import run_query\nrun_query('SELECT $1', (1,))",
        ),
    ]);
}

#[test]
fn a_member_that_a_derived_class_overrides_stays() {
    let base =
        "class A:\n  Q = 'SELECT %(a)s'\n  def f(self, cur): cur.execute(self.Q, {'a': 1})\n";
    stays(&[
        (
            &format!("{base}class B(A):\n  Q = 'SELECT 2, %(a)s'"),
            "which the class `B` overrides",
        ),
        (
            &format!(
                "{base}class M(A): pass\nclass B(M):\n  Q = 'SELECT 2, %(a)s'\n  def g(self, cur): cur.execute(self.Q, {{'a': 1}})"
            ),
            "which the class `B` overrides",
        ),
        (
            &format!("{base}class B(m.A):\n  def __init__(self): self.Q = 'SELECT 2'"),
            "which the class `B` overrides",
        ),
    ]);
    let other = format!("{base}class B(C):\n  Q = 'SELECT 2'");
    assert!(converted(&format!("{PSYCOPG}{other}\n")).contains("'SELECT $1'"));
}

#[test]
fn what_is_no_plain_text_is_told() {
    stays(&[
        (
            "cur.execute(b'SELECT \\xff, %s', (1,))",
            "`\\xff`, which is no text",
        ),
        (
            "cur.execute(b'SELECT \\377, %s', (1,))",
            "`\\377`, which is no text",
        ),
        (
            "cur.execute('SELECT \\ud800, %s', (1,))",
            "`\\ud800`, which is no text",
        ),
        (
            "cur.execute(t'SELECT a FROM t WHERE b = {b} AND c = %s', (1,))",
            "a template string",
        ),
        (
            "import asyncpg\nconn.prepare('SELECT a FROM t WHERE b = %s')",
            "is given no values",
        ),
    ]);
    becomes(&[
        (
            "cur.execute('insert/**/into t values (%s)', (1,))",
            "cur.execute('insert/**/into t values ($1)', (1,))",
        ),
        (
            "import asyncpg\nconn.fetch(query='SELECT a FROM t WHERE b = %s', args=a)",
            "import asyncpg\nconn.fetch(query='SELECT a FROM t WHERE b = $1', args=a)",
        ),
    ]);
    let named = "import asyncpg\nconn.fetch(query='SELECT %(b)s, %(a)s', args=a)";
    stays(&[(named, "by a name")]);
}
