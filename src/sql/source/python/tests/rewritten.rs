//! Whole files: what they become.

use proptest::prelude::*;

use super::*;

#[test]
fn a_file_is_rewritten_in_its_literals_alone() {
    let cases = [
        ("cur.execute('a = %s' 'x')", "cur.execute('a = %s' 'x')"),
        (
            "cur.execute(\"SELECT %s, '%%'\", (1,))",
            "cur.execute(\"SELECT $1, '%'\", (1,))",
        ),
        (
            "cur.execute('SELECT \\x25s, \\\n\\'a\\', \\N{PERCENT SIGN}s', v)",
            "cur.execute('SELECT $1, \\\n\\'a\\', $2', v)",
        ),
        (
            "cur.execute('SELECT %' 's' r', %s', v)",
            "cur.execute('SELECT $1' '' r', $2', v)",
        ),
        (
            "cur.execute(b'''SELECT\r\n%s''', v)",
            "cur.execute(b'''SELECT\r\n$1''', v)",
        ),
        (
            "cur.execute('SELECT \\%s', v)",
            "cur.execute('SELECT \\$1', v)",
        ),
        (
            "T = 't'\ncur.execute(f'SELECT {{}} FROM {T} WHERE a=%s', v)",
            "T = 't'\ncur.execute(f'SELECT {{}} FROM {T} WHERE a=$1', v)",
        ),
        (
            "é = 1; cur.execute('SELECT \"é\", %s', v)",
            "é = 1; cur.execute('SELECT \"é\", $1', v)",
        ),
        ("cur.execute('SELECT $1', v)", "cur.execute('SELECT $1', v)"),
        (
            "q = 'SELECT %s'\ncur.execute(q, v)\nq = 'SELECT 2, %s'\ncur.execute(q, v)",
            "q = 'SELECT $1'\ncur.execute(q, v)\nq = 'SELECT 2, $1'\ncur.execute(q, v)",
        ),
        (
            "B = 'SELECT 1 '\ncur.execute(B + 'WHERE %s', v)\ncur.execute(B + 'AND %s', v)",
            "B = 'SELECT 1 '\ncur.execute(B + 'WHERE $1', v)\ncur.execute(B + 'AND $1', v)",
        ),
        (
            "B = 'SELECT %s '\ncur.execute(B + 'WHERE %s', v)\ncur.execute(B, v)",
            "B = 'SELECT %s '\ncur.execute(B + 'WHERE %s', v)\ncur.execute(B, v)",
        ),
    ];
    for (code, expected) in cases {
        for start in [PSYCOPG, "\u{feff}import psycopg\n\x0c"] {
            let source = format!("{start}{code}\n");
            let once = converted(&source);
            assert_eq!(once, format!("{start}{expected}\n"));
            assert_eq!(converted(&once), once, "again: {code}");
        }
    }
}

#[test]
fn the_arguments_of_a_call_follow() {
    let q = "SELECT %(b)s, %(a)s, %(b)s";
    let cases = [
        (
            format!("execute('{q}', {{'b': x, 'a': y}})"),
            "execute('SELECT $1, $2, $1', (x, y))",
        ),
        (
            format!("execute('{q}', {{\n 'b': (x or 1), # why\n 'a': y,\n}})"),
            "execute('SELECT $1, $2, $1', (\n (x or 1), # why\n y,\n))",
        ),
        (
            format!("execute('{q}', {{'a': x, 'c': z, 'b': y}})"),
            "execute('SELECT $1, $2, $1', (y, x))",
        ),
        (
            format!("execute('{q}', dict(a=x, b=y.z))"),
            "execute('SELECT $1, $2, $1', (y.z, x))",
        ),
        (
            "execute('SELECT %(a)s', {'a': f()})".to_owned(),
            "execute('SELECT $1', (f(),))",
        ),
        (
            "execute('SELECT %(a)s', dict(a=1))".to_owned(),
            "execute('SELECT $1', (1,))",
        ),
        (
            "execute('SELECT 1 WHERE a IN %s', (ids,))".to_owned(),
            "execute('SELECT 1 WHERE a = ANY($1)', (list(ids),))",
        ),
        (
            "execute('SELECT 1 WHERE a IN %s', [tuple(ids)])".to_owned(),
            "execute('SELECT 1 WHERE a = ANY($1)', [list(ids)])",
        ),
        (
            "execute('SELECT 1 WHERE a IN %s', ((1, 2),))".to_owned(),
            "execute('SELECT 1 WHERE a = ANY($1)', ([1, 2],))",
        ),
        (
            "execute(\"SELECT now() - interval '%s days'\", (days,))".to_owned(),
            "execute(\"SELECT now() - ($1::text || ' days')::interval\", (str(days),))",
        ),
        // Evaluated in another order, dropped, missing, or built elsewhere: the whole query stays.
        (
            format!("execute('{q}', {{'a': f(), 'b': g()}})"),
            "execute('SELECT %(b)s, %(a)s, %(b)s', {'a': f(), 'b': g()})",
        ),
        (
            format!("execute('{q}', {{'b': 1, 'a': 2, 'c': f()}})"),
            "execute('SELECT %(b)s, %(a)s, %(b)s', {'b': 1, 'a': 2, 'c': f()})",
        ),
        (
            format!("execute('{q}', {{'b': 1}})"),
            "execute('SELECT %(b)s, %(a)s, %(b)s', {'b': 1})",
        ),
        (
            format!("execute('{q}', locals())"),
            "execute('SELECT %(b)s, %(a)s, %(b)s', locals())",
        ),
        (
            format!("execute('{q}', {{'a': x, # why\n 'b': y}})"),
            "execute('SELECT %(b)s, %(a)s, %(b)s', {'a': x, # why\n 'b': y})",
        ),
    ];
    for (code, expected) in cases {
        let source = format!("{PSYCOPG}cur.{code}\n");
        assert_eq!(converted(&source), format!("{PSYCOPG}cur.{expected}\n"));
    }
    let followed = format!(
        "{PSYCOPG}def f(cur):\n  args = {{'a': x, 'b': y}}\n  cur.execute('SELECT %(b)s, %(a)s', args)\n"
    );
    assert!(converted(&followed).contains("args = (y, x)\n  cur.execute('SELECT $1, $2', args)"));
    let spread = "import asyncpg\nconn.fetch('SELECT %(b)s, %(a)s', {'b': x, 'a': y})\nconn.execute('SELECT %s', (z,))\n";
    assert_eq!(
        converted(spread),
        "import asyncpg\nconn.fetch('SELECT $1, $2', x, y)\nconn.execute('SELECT $1', z,)\n"
    );
}

#[test]
fn sqlalchemy_names_its_parameters() {
    let source = "from sqlalchemy import text\nconn.execute(text('SELECT :a, x::int'), {'a': 1})\n";
    let queries = found(source);
    assert_eq!(queries[0].style, Style::Known(Paramstyle::Named));
    assert_eq!(
        converted(source),
        "from sqlalchemy import text\nconn.execute(text('SELECT $1, x::int'), (1,))\n"
    );
    let stored = found("from sqlalchemy import text\nq = text('SELECT :a')\n");
    assert!(
        stored[0]
            .dynamic
            .as_ref()
            .is_some_and(|dynamic| dynamic.message.contains("no call"))
    );
}

/// A literal of Python that means `text`, written in one of the ways that there are.
fn written(text: &str, triple: bool, quote: char, escapes: &[u8]) -> String {
    let mut body = String::new();
    for (index, char) in text.chars().enumerate() {
        match (
            escapes
                .get(index % escapes.len().max(1))
                .copied()
                .unwrap_or(0)
                % 5,
            char,
        ) {
            (1, _) => body.extend(format!("\\U{:08x}", u32::from(char)).chars()),
            (2, _) if u32::from(char) < 256 => {
                body.extend(format!("\\x{:02x}", u32::from(char)).chars());
            }
            (3, _) if u32::from(char) < 256 => {
                body.extend(format!("\\{:03o}", u32::from(char)).chars());
            }
            (_, '\n') if triple => body.push('\n'),
            (_, '\n') => body.push_str("\\n"),
            (_, '\\') => body.push_str("\\\\"),
            (_, char) if char == quote => body.extend(['\\', char]),
            (_, char) => body.push(char),
        }
    }
    let quotes = quote.to_string().repeat(if triple { 3 } else { 1 });
    format!("{quotes}{body}{quotes}")
}

proptest! {
    #[test]
    fn the_rewritten_literals_mean_the_edited_text(
        parts in prop::collection::vec(("[a%s'\"\\\\\né{} ]{0,8}", any::<bool>(), any::<bool>(), prop::collection::vec(any::<u8>(), 1..6)), 1..4),
        inserted in "[$1'\"\\\\\né a]{0,4}",
        cut in (any::<prop::sample::Index>(), 0..6_usize),
    ) {
        let literals: Vec<String> = parts
            .iter()
            .map(|(text, triple, double, escapes)| written(text, *triple, if *double { '"' } else { '\'' }, escapes))
            .collect();
        let source = format!("{PSYCOPG}cur.execute('SELECT ' {}, v)\n", literals.join("\n  "));
        let sql = format!("SELECT {}", parts.iter().map(|part| part.0.as_str()).collect::<String>());
        let queries = found(&source);
        prop_assume!(!queries.is_empty());
        prop_assert_eq!(&queries[0].sql, &sql);
        for Piece { sql: own, file, .. } in &queries[0].pieces {
            prop_assert!(own.len() != file.len() || queries[0].sql[own.clone()] == source[file.clone()]);
        }
        let start = cut.0.index(sql.len() + 1);
        let start = sql.floor_char_boundary(start);
        let end = sql.floor_char_boundary((start + cut.1).min(sql.len())).max(start);
        let edits = [Edit { range: start..end, text: inserted.clone() }];
        if let Ok(written) = queries[0].file_edits(&edits) {
            let edited = found(&Edit::apply(&source, &written));
            let expected = Edit::apply(&sql, &edits);
            prop_assert_eq!(edited.first().map_or_else(|| expected.clone(), |query| query.sql.clone()), expected);
        }
    }
}
