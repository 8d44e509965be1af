//! What the server, the codec and the contract refuse: every field of the error is compared.

use super::Sides;
use crate::support::{execute, query, refused};
use pontoon::backend::TransactionOptions;
use pontoon::sql::{Params, Query};
use pontoon::{Error, Result, params};

/// The errors must not differ in anything but the backend's name.
fn alike(what: &str, errors: &[Error], sides: &Sides) {
    for (error, backend) in errors.iter().zip(&sides.backends) {
        assert_eq!(
            error.backend(),
            Some(backend.kind().as_str()),
            "{what}: {error}"
        );
        let first = &errors[0];
        assert_eq!(error.kind(), first.kind(), "{what}: {first} or {error}");
        assert_eq!(error.database(), first.database(), "{what}");
        assert_eq!(error.message(), first.message(), "{what}");
        assert_eq!(error.hint(), first.hint(), "{what}");
        assert_eq!(error.query(), first.query(), "{what}");
        assert_eq!(error.is_retryable(), first.is_retryable(), "{what}");
    }
}

const TABLES: &str = "
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (
        id int CONSTRAINT own_name UNIQUE, parent int REFERENCES parent, age int CHECK (age > 0), name varchar(3) NOT NULL,
        tag positive, during int4range, EXCLUDE USING gist (during WITH &&)
    );
    INSERT INTO child VALUES (1, NULL, 1, 'a', 1, '[1,5)');
    CREATE FUNCTION fails() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'own message' USING ERRCODE = 'PT001', DETAIL = 'own detail', HINT = 'own hint', COLUMN = 'c',
            CONSTRAINT = 'k', DATATYPE = 'd', TABLE = 't', SCHEMA = 's';
    END $$;
    CREATE FUNCTION fails_inside() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SELEC 1'; RETURN 1; END $$;
    CREATE FUNCTION warns() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'careful'; RETURN 1 / 0; END $$;";

const FAILING: [&str; 30] = [
    "INSERT INTO child VALUES (1, NULL, 1, 'b')",
    "INSERT INTO child VALUES (2, 7, 1, 'b')",
    "INSERT INTO child VALUES (2, NULL, 0, 'b')",
    "INSERT INTO child VALUES (2, NULL, 1, NULL)",
    "INSERT INTO child VALUES (2, NULL, 1, 'too long')",
    "INSERT INTO child VALUES (2, NULL, 1, 'b', -1)",
    "INSERT INTO child VALUES (2, NULL, 1, 'b', 1, '[2,3)')",
    "INSERT INTO child (nope) VALUES (1)",
    "SELECT * FROM nowhere",
    "SELECT nope FROM child",
    "SELECT nope()",
    "SELEC 1",
    "SELECT 'x",
    "SELECT 1; SELECT 2",
    "SELECT 1 +",
    "SELECT 1/0",
    "SELECT 2147483647 + 1",
    "SELECT 'x'::int",
    "SELECT '2024-13-01'::date",
    "SELECT '{'::jsonb",
    "SELECT fails()",
    "SELECT fails_inside()",
    "SELECT warns()",
    "CREATE TABLE child ()",
    "DROP TABLE nowhere",
    "DROP TABLE parent",
    "SET statement_timeout = 'x'",
    "VACUUM nowhere",
    "SELECT set_config('TimeZone', 'Nowhere/Never', true)",
    "COPY child TO '/nowhere/nothing'",
];

#[tokio::test]
async fn the_server_s_errors_are_alike() -> Result<()> {
    let sides = Sides::open();
    execute(&sides.database.url, &[TABLES]);
    let mut failed = 0;
    for sql in FAILING {
        let failing = Query::numbered("test/failing", sql);
        let Ok(failing) = failing else {
            continue; // What the translator refuses reaches no backend.
        };
        let (mut single, mut streamed, mut within) = (Vec::new(), Vec::new(), Vec::new());
        for backend in &sides.backends {
            match backend.execute(&failing, Params::none()).await {
                Ok(_) => continue,
                Err(error) => single.push(error),
            }
            streamed.push(refused(
                backend.fetch(&failing, Params::none()).await.map(drop),
            ));
            let mut transaction = backend.begin(TransactionOptions::default()).await?;
            within.push(refused(
                transaction.fetch_all(&failing, Params::none()).await,
            ));
            within.push(refused(transaction.commit().await).with_query(failing.name()));
        }
        if single.is_empty() {
            continue;
        }
        assert_eq!(
            single.len(),
            sides.backends.len(),
            "{sql} fails on one side only"
        );
        failed += 1;
        alike(sql, &single, &sides);
        alike(sql, &streamed, &sides);
        let (first, second): (Vec<_>, Vec<_>) = within
            .chunks(2)
            .map(|pair| (pair[0].clone(), pair[1].clone()))
            .unzip();
        alike(sql, &first, &sides);
        alike(sql, &second, &sides);
        let found = single[0]
            .database()
            .unwrap_or_else(|| panic!("{sql}: {}", single[0]));
        assert_eq!(
            (found.sqlstate.len(), found.severity.as_str()),
            (5, "ERROR"),
            "{sql}"
        );
    }
    assert!(failed >= 27, "{failed} statements failed");
    sides.close().await;
    Ok(())
}

#[tokio::test]
async fn what_does_not_fit_is_refused_alike() -> Result<()> {
    let sides = Sides::open();
    execute(&sides.database.url, &[TABLES]);
    let cases: [(&str, Params); 24] = [
        ("SELECT $1::int2", params![32_768]),
        ("SELECT $1::int2", params![-32_769]),
        ("SELECT $1::int4", params![2_147_483_648_i64]),
        ("SELECT $1::oid", params![-1]),
        ("SELECT $1::int8", params![1.5]),
        ("SELECT $1::int8", params!["1.5"]),
        ("SELECT $1::int8", params![true]),
        ("SELECT $1::bool", params![1]),
        ("SELECT $1::bool", params!["maybe"]),
        ("SELECT $1::text", params![1]),
        ("SELECT $1::uuid", params!["x"]),
        ("SELECT $1::timestamptz", params!["x"]),
        ("SELECT $1::date", params!["2024-02-30"]),
        ("SELECT $1::numeric", params!["1,5"]),
        ("SELECT $1::bytea", params!["\\xzz"]),
        ("SELECT $1::int4[]", params!["{1,x}"]),
        ("SELECT $1::int4[]", params![7]),
        ("SELECT $1::place", params!["(1)"]),
        ("SELECT $1::money", params!["1"]),
        ("SELECT $1::int8, $2::int8", params![1]),
        ("SELECT 1", params![1]),
        ("SELECT $1::int8", params! { "a" => 1 }),
        ("SELECT $1::int4range", params!["[1"]),
        ("COMMIT", params![]),
    ];
    for (sql, params) in cases {
        let given = query(sql);
        let (mut single, mut within) = (Vec::new(), Vec::new());
        for backend in &sides.backends {
            single.push(refused(backend.execute(&given, params.clone()).await));
            let mut transaction = backend.begin(TransactionOptions::default()).await?;
            within.push(refused(transaction.execute(&given, params.clone()).await));
            // Nothing was sent, so the transaction goes on.
            transaction
                .execute(&query("SELECT 1"), Params::none())
                .await?;
            transaction.commit().await?;
        }
        assert!(single[0].database().is_none(), "{sql}: {}", single[0]);
        alike(sql, &single, &sides);
        alike(sql, &within, &sides);
    }
    sides.close().await;
    Ok(())
}

#[tokio::test]
async fn what_the_server_refuses_in_a_value_is_refused_alike() -> Result<()> {
    let sides = Sides::open();
    let cases: [(&str, Params); 6] = [
        ("SELECT $1::mood", params!["furious"]),
        ("SELECT $1::positive", params![-1]),
        ("SELECT $1::jsonb", params!["{"]),
        ("SELECT $1::text", params!["a\0b"]),
        (
            "SELECT $1::varchar(2)::text || 1/$2::int4",
            params!["abc", 0],
        ),
        ("SELECT $1::int4range", params!["[5,1]"]),
    ];
    for (sql, params) in cases {
        let given = query(sql);
        let mut errors = Vec::new();
        for backend in &sides.backends {
            errors.push(refused(
                backend.fetch_all(&given, params.clone()).await.map(drop),
            ));
        }
        alike(sql, &errors, &sides);
    }
    sides.close().await;
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_decoded_is_told_alike() -> Result<()> {
    let sides = Sides::open();
    let mut told = Vec::new();
    for backend in &sides.backends {
        let rows = backend
            .fetch_all(
                &query("SELECT 1::money AS m, ROW('ok'::mood) AS r, 7 AS n"),
                Params::none(),
            )
            .await;
        let rows = rows?;
        told.push(vec![
            refused(rows[0].get::<String>("m")).to_string(),
            refused(rows[0].get::<String>("n")).to_string(),
            refused(rows[0].get::<i32>("nope")).to_string(),
            refused(rows[0].at::<i32>(9)).to_string(),
            refused(rows[0].values()).to_string(),
        ]);
    }
    assert_eq!(told[0], told[1]);
    sides.close().await;
    Ok(())
}
