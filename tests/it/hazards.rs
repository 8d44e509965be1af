//! What the converter says of PostgreSQL, asked of PostgreSQL.

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, NoTls};

use crate::support::{Database, execute};
use pontoon::sql::translate::{HAZARDS, Hazard, Style, inspect};

const TABLES: &[&str] = &[
    "CREATE TABLE t (id int, name text, vc varchar(9), ts timestamptz, d date, j jsonb, arr int[], flag boolean)",
    "INSERT INTO t SELECT n, 'name ' || n, n, now() - n * interval '1 day' + interval '1 hour', date '2024-01-01' + n,
         jsonb_build_object('k', n), ARRAY[n], nullif(n % 3, 0) = 1 FROM generate_series(1, 12) AS n",
    "INSERT INTO t (id) VALUES (NULL)",
];

/// A session on tables of its own.
async fn session(database: &Database) -> Client {
    execute(&database.url, TABLES);
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.unwrap();
    drop(tokio::spawn(connection));
    client
}

/// The example as a text; the one that cannot be written out is continued.
fn example(hazard: &Hazard) -> String {
    hazard.example.replace(", …", &", %s".repeat(40_000))
}

/// The text with the hazard's fixes, if there are any.
fn fixed(hazard: &Hazard, sql: &str) -> Option<String> {
    let found = inspect(sql, Style::Psycopg).unwrap();
    let fixed = found.convert(|finding| finding.hazard.code == hazard.code);
    (!fixed.fixed.is_empty()).then(|| fixed.sql.into_owned())
}

fn message(error: &Error) -> String {
    error
        .as_db_error()
        .map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hazard_does_what_it_says_and_its_rewrite_is_a_statement() {
    let database = Database::create();
    let client = session(&database).await;
    let mut wrong = Vec::new();
    for hazard in HAZARDS {
        let sql = example(hazard);
        let found = inspect(&sql, Style::Psycopg).unwrap();
        if !found
            .findings()
            .iter()
            .any(|finding| finding.hazard.code == hazard.code)
        {
            wrong.push(format!("{}: not in its example", hazard.code));
        }
        let converted = found.convert(|_| false).sql;
        let answer = match client.prepare(&converted).await {
            Err(error) => message(&error),
            // A statement that takes no parameters tells when it runs.
            Ok(_) if !hazard.postgres.is_empty() => match client.simple_query(&converted).await {
                Err(error) => message(&error),
                Ok(_) => String::new(),
            },
            Ok(_) => String::new(),
        };
        if !answer.contains(hazard.postgres) || answer.is_empty() != hazard.postgres.is_empty() {
            wrong.push(format!(
                "{}: {:?} and not {:?}",
                hazard.code, answer, hazard.postgres
            ));
        }
        if !hazard.rewrite.is_empty() {
            if let Err(error) = client.prepare(hazard.rewrite).await {
                wrong.push(format!("{}: the rewrite: {}", hazard.code, message(&error)));
            }
            if let Some(fixed) = fixed(hazard, &sql).filter(|fixed| fixed != hazard.rewrite) {
                wrong.push(format!("{}: the fix makes {fixed}", hazard.code));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A text of psycopg's, the same with the values in it as psycopg2 writes them, and the values as the fixed text takes them.
type Case<'a> = (&'a str, &'a str, &'a [&'a (dyn ToSql + Sync)]);

#[tokio::test(flavor = "multi_thread")]
async fn a_safe_rewrite_gives_the_rows_that_the_values_in_the_text_gave() {
    let database = Database::create();
    let client = session(&database).await;
    let (list, with_null, day) = (vec![1, 3, 5], vec![Some(1), None], "2024-01-04");
    let cases: &[Case<'_>] = &[
        ("id IN %s", "id IN (1, 3, 5)", &[&list]),
        ("id NOT IN %s", "id NOT IN (1, 3, 5)", &[&list]),
        ("id IN %s", "id IN (1, NULL)", &[&with_null]),
        ("id NOT IN %s", "id NOT IN (1, NULL)", &[&with_null]),
        (
            "NOT id IN %s OR id IS NULL",
            "NOT id IN (1, 3, 5) OR id IS NULL",
            &[&list],
        ),
        (
            "id IN %s AND flag IS %s",
            "id IN (1, 3, 5) AND flag IS true",
            &[&list, &true],
        ),
        ("flag IS %s", "flag IS NULL", &[&None::<bool>]),
        ("flag IS NOT %s", "flag IS NOT false", &[&false]),
        (
            "t.flag IS NOT %s AND NOT flag IS %s ORDER BY id",
            "t.flag IS NOT NULL AND NOT flag IS true ORDER BY id",
            &[&None::<bool>, &true],
        ),
        (
            "j->>'k' IS %s OR id::int IS %s",
            "j->>'k' IS NULL OR id::int IS NULL",
            &[&None::<String>, &None::<i32>],
        ),
        ("id > %s /* a *%s%s/ */", "id > 7 /* a *89/ */", &[&7]),
        (
            "ts > '%s'::timestamp with time zone",
            "ts > '2024-01-04'::timestamp with time zone",
            &[&day],
        ),
        (
            "ts > now() - interval '%s days'",
            "ts > now() - interval '3 days'",
            &[&"3"],
        ),
        (
            "ts > now() - interval '%s days'",
            "ts > now() - interval '2.5 days'",
            &[&"2.5"],
        ),
        (
            "ts > now() + '%s days %s hours'::interval",
            "ts > now() + ' -3 days  -1 hours'::interval",
            &[&"-3", &"-1"],
        ),
        ("name LIKE '%%e %s%%'", "name LIKE '%e 1%'", &[&"1"]),
        ("name NOT LIKE '%s' ", "name NOT LIKE '1' ", &[&"1"]),
        ("d > DATE %s", "d > DATE '2024-01-04'", &[&day]),
        ("d > '%s-01-04'::date", "d > '2024-01-04'::date", &[&"2024"]),
        ("id = '%s'::int -- %s", "id = '7'::int -- 8", &[&"7"]),
        (
            "id > 0 ORDER BY id LIMIT %s",
            "id > 0 ORDER BY id LIMIT 2",
            &[&2_i64],
        ),
    ];
    for (sql, literal, values) in cases {
        let select = |condition: &str| format!("SELECT id FROM t WHERE {condition}");
        let sql = select(sql);
        let found = inspect(&sql, Style::Psycopg).unwrap();
        let fixed = found
            .convert(|finding| finding.fix.as_ref().is_some_and(|fix| fix.safe))
            .sql;
        let ids = |rows: Vec<tokio_postgres::Row>| {
            let mut ids: Vec<Option<i32>> = rows.iter().map(|row| row.get(0)).collect();
            ids.sort_unstable();
            ids
        };
        let expected = client.query(&select(literal), &[]).await.unwrap();
        let rows = client.query(&*fixed, values).await;
        let rows = rows.unwrap_or_else(|error| panic!("{fixed}: {error:?}"));
        assert_eq!(ids(rows), ids(expected), "{fixed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_becomes_a_call() {
    let database = Database::create();
    let client = session(&database).await;
    for (sql, value, name) in [
        ("SET work_mem = %s", "7MB", "work_mem"),
        ("SET TIME ZONE %s", "5", "TimeZone"),
        ("SET SESSION app.tenant TO %s", "a", "app.tenant"),
    ] {
        let literal = sql.replace("%s", &format!("'{value}'"));
        let show = format!("SELECT current_setting('{name}')");
        client.batch_execute(&literal).await.unwrap();
        let expected: String = client.query_one(&show, &[]).await.unwrap().get(0);
        client.batch_execute("DISCARD ALL").await.unwrap();
        let found = inspect(sql, Style::Psycopg).unwrap();
        let fixed = found.convert(|_| true).sql;
        client.query(&*fixed, &[&value]).await.unwrap();
        let shown: String = client.query_one(&show, &[]).await.unwrap().get(0);
        assert_eq!(shown, expected, "{fixed}");
    }
}

/// Texts that psycopg2 runs with numbers, and that the server refuses once they have parameters.
const REFUSED: &[(&str, &[&str])] = &[
    (
        "group-by-expr",
        &[
            "SELECT name || %s FROM t GROUP BY name || %s",
            "SELECT upper(substr(name, %s)) FROM t GROUP BY upper(substr(name, %s))",
            "SELECT substr(name, %s) FROM t GROUP BY 1 ORDER BY substr(name, %s)",
            "SELECT DISTINCT name || %s FROM t ORDER BY name || %s",
            "SELECT DISTINCT ON (name || %s) id FROM t ORDER BY name || %s",
        ],
    ),
    ("case-result", &["SELECT CASE %s WHEN 1 THEN id END FROM t"]),
    (
        "time-arith",
        &[
            "SELECT id FROM t WHERE ts::date - %s = d",
            "SELECT date '2024-01-01' + %s",
            "SELECT id FROM t WHERE to_date(name, 'YYYY') - %s = d",
        ],
    ),
    (
        "untyped-func-arg",
        &[
            "SELECT (%s, id) FROM t",
            "SELECT json_agg((id, %s)) FROM t",
            "SELECT xmlelement(name a, %s)",
            "SELECT to_hex(%s)",
            "SELECT float8(%s)",
        ],
    ),
];

fn is_found(sql: &str, code: &str) -> bool {
    let found = inspect(sql, Style::Auto).unwrap();
    let mut codes = found.findings().iter().map(|finding| finding.hazard.code);
    codes.any(|other| other == code)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_is_told() {
    let database = Database::create();
    let client = session(&database).await;
    for (code, texts) in REFUSED {
        for sql in *texts {
            assert!(is_found(sql, code), "{sql}");
            let literal = sql.replace("%s", "3");
            client.prepare(&literal).await.unwrap();
            let converted = inspect(sql, Style::Psycopg).unwrap().convert(|_| false).sql;
            client.prepare(&converted).await.unwrap_err();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_parameter_in_two_places_is_one_expression() {
    let database = Database::create();
    let client = session(&database).await;
    let (code, texts) = REFUSED[0];
    for sql in texts {
        let one = sql.replace("%s", "$1");
        client.prepare(&one).await.unwrap();
        assert!(!is_found(&one, code), "{one}");
    }
}
