use super::*;
use crate::params;

#[test]
fn names_are_arranged_and_reused() -> Result<()> {
    let query = Query::new("t", "SELECT %(b)s, %(a)s, %(b)s")?;
    assert_eq!(query.text(), "SELECT $1, $2, $1");
    assert_eq!(
        query.arrange(params! { "a" => 1, "b" => 2, "unused" => 3 })?,
        vec![Value::Int(2), Value::Int(1)]
    );
    Ok(())
}

#[test]
fn a_wrong_count_or_name_is_a_bind_error() -> Result<()> {
    let positional = Query::new("t/p", "SELECT %s, %s")?;
    let error = positional.arrange(params![1]).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (
            ErrorKind::Bind,
            "query t/p: it takes 2 values; 1 were given"
        )
    );
    assert!(
        positional
            .arrange(params! { "a" => 1 })
            .unwrap_err()
            .to_string()
            .contains("have no names")
    );
    let named = Query::new("t/n", "SELECT %(a)s")?;
    assert!(
        named
            .arrange(params! { "b" => 1 })
            .unwrap_err()
            .to_string()
            .contains("no value for the parameter \"a\"; given: b")
    );
    assert!(
        named
            .arrange(params![1])
            .unwrap_err()
            .to_string()
            .contains("have names")
    );
    assert!(Query::new("t", "SELECT 1")?.arrange(params![1]).is_err());
    Ok(())
}

#[test]
fn transaction_control_is_no_query() -> Result<()> {
    for text in [
        "begin",
        "-- x\n/* y */ COMMIT;",
        "Rollback",
        "START TRANSACTION READ ONLY",
        "end",
        "PREPARE TRANSACTION 'a'",
        "/* /* */ */ COMMIT",
        "-- x\rCOMMIT",
        "; /* x */ COMMIT",
        "START/**/TRANSACTION",
        "PREPARE /* x */ TRANSACTION 'a'",
        "ROLLBACK /* to */",
        "ROLLBACK -- to a",
        "COPY t FROM STDIN",
        "copy t (a, b) from /* here */ stdin with (format csv)",
        "COPY (SELECT 1) TO STDOUT",
    ] {
        assert!(
            Query::new("t", text)?.refuse_transaction_control().is_err(),
            "{text}"
        );
    }
    for text in [
        "SAVEPOINT a",
        "ROLLBACK TO a",
        "ROLLBACK WORK TO SAVEPOINT a",
        "ROLLBACK /* x */ TO a",
        "/* /* */ COMMIT */ SELECT 1",
        "PREPARE a AS SELECT 1",
        "COPY t FROM '/tmp/stdin'",
        "SELECT 1 AS stdin",
        "SELECT 1 -- commit",
        "",
        "--",
    ] {
        assert!(
            Query::numbered("t", text)
                .is_ok_and(|query| query.refuse_transaction_control().is_ok()),
            "{text}"
        );
    }
    Ok(())
}

#[test]
fn what_may_commit_half_way_is_known() -> Result<()> {
    for text in [
        "SELECT 1",
        "(TABLE t)",
        "with x as (select 1) insert into t table x",
        "",
        "DEALLOCATE ALL",
        "/* /* */ CALL */ SELECT 1",
    ] {
        assert!(Query::new("t", text)?.is_whole(), "{text}");
    }
    for text in [
        "CALL p()",
        "/* x */ do $$ begin end $$",
        "/* /* */ */ CALL p()",
        "-- x\rCALL p()",
        "VACUUM t",
        "CREATE INDEX CONCURRENTLY i ON t (a)",
    ] {
        assert!(!Query::new("t", text)?.is_whole(), "{text}");
    }
    Ok(())
}

#[test]
fn what_cannot_be_translated_names_query_and_place() {
    let error = Query::new("t/bad", "SELECT 1\n, %d").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Sql);
    assert!(
        error.to_string().starts_with("query t/bad: 2:3: "),
        "{error}"
    );
}
