use crate::support::{Database, execute};
use futures_util::future::join_all;
use pontoon::backend::BackendKind;
use pontoon::backend::migrate::{check, migrate};
use pontoon::{ErrorKind, Result};

/// What the catalogs say of the schema, without what differs from database to database.
const DUMP: &str = "
    SELECT concat_ws(' ', 'column', c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
        a.attnotnull, a.attgenerated, pg_get_expr(d.adbin, d.adrelid))
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v')
    UNION ALL
    SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', 'index', indexdef) FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT concat_ws(' ', 'function', oid::regprocedure, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', 'migration', version, name, checksum) FROM pontoon_migrations
    ORDER BY 1";

fn dump(database: &Database) -> Vec<String> {
    execute(&database.url, &[DUMP])
}

#[tokio::test]
async fn either_backend_makes_the_same_schema() -> Result<()> {
    let mut dumps = Vec::new();
    for kind in BackendKind::ALL {
        let database = Database::empty();
        let backend = database.backend(kind);
        let before = check(&*backend).await?;
        assert!(before.present.is_empty() && !before.is_complete());
        assert_eq!(
            execute(
                &database.url,
                &["SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"]
            ),
            ["0"]
        );

        let report = migrate(&*backend).await?;
        assert_eq!(
            (&report.applied, report.is_complete()),
            (&before.pending, true)
        );

        let again = migrate(&*backend).await?;
        assert_eq!(again.present, report.applied);
        assert!(again.applied.is_empty());
        assert_eq!(check(&*backend).await?, again);
        dumps.push(dump(&database));
        backend.close().await;
    }
    assert!(
        dumps[0]
            .iter()
            .any(|line| line.starts_with("column memories 1 id uuid")),
        "{dumps:?}"
    );
    assert_eq!(dumps[0], dumps[1]);
    Ok(())
}

#[tokio::test]
async fn many_at_once_apply_each_migration_once() -> Result<()> {
    let database = Database::empty();
    let backends: Vec<_> = (0..4)
        .flat_map(|_| BackendKind::ALL)
        .map(|kind| database.backend(kind))
        .collect();
    let reports = join_all(backends.iter().map(|backend| migrate(&**backend))).await;
    let mut applied = Vec::new();
    for report in reports {
        let report = report?;
        assert!(report.is_complete());
        applied.extend(report.applied);
    }
    applied.sort();
    let present = check(&*backends[0]).await?.present;
    assert_eq!(applied, present);
    for backend in backends {
        backend.close().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_schema_of_another_build_is_refused_and_left_alone() -> Result<()> {
    for kind in BackendKind::ALL {
        for (spoil, says) in [
            (
                "INSERT INTO pontoon_migrations VALUES (9999, 'later', 'x')",
                "migration 9999 (later)",
            ),
            (
                "UPDATE pontoon_migrations SET checksum = 'x' WHERE version = 1",
                "with another text",
            ),
        ] {
            let database = Database::create();
            execute(&database.url, &[spoil]);
            let before = dump(&database);
            let backend = database.backend(kind);
            let error = migrate(&*backend).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Schema);
            assert!(
                error.to_string().contains(says) && error.hint().is_some(),
                "{error}"
            );
            assert_eq!(
                check(&*backend).await.unwrap_err().to_string(),
                error.to_string()
            );
            assert_eq!(dump(&database), before);
            backend.close().await;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind() -> Result<()> {
    for kind in BackendKind::ALL {
        let database = Database::empty();
        // The first statement of the first migration passes, the second one fails.
        execute(&database.url, &["CREATE TABLE memories (a int)"]);
        let backend = database.backend(kind);
        let error = migrate(&*backend).await.unwrap_err();
        assert_eq!(
            (error.sqlstate(), error.query()),
            (Some("42P07"), Some("migrations/0001_memories#2"))
        );
        let found = execute(
            &database.url,
            &["SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"],
        );
        assert_eq!(found, ["memories"]);

        execute(&database.url, &["DROP TABLE memories"]);
        assert!(migrate(&*backend).await?.is_complete());
        backend.close().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_complete_schema_is_not_written_to() -> Result<()> {
    for kind in BackendKind::ALL {
        let database = Database::create();
        execute(
            &database.url,
            &[
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$",
            ],
        );
        let backend = database.backend(kind);
        let report = migrate(&*backend).await?;
        assert!(report.is_complete() && report.applied.is_empty());
        backend.close().await;
    }
    Ok(())
}
