//! One URL and one set of settings: what the server sees of a session is the same on both drivers.

use crate::support::{Database, execute};
use pontoon::ErrorKind;
use pontoon::backend::{
    Budget, R2d2Backend, Settings, SqlxBackend, StorageBackend, StorageBackendExt, Target, parity,
};
use pontoon::sql::{Params, Query};
use std::time::Duration;

fn backends(url: &str, settings: &Settings) -> (R2d2Backend, SqlxBackend) {
    let target: Target = url.parse().unwrap();
    let blocking = R2d2Backend::new(&target, settings.clone(), Budget::new(2)).unwrap();
    let asynchronous = SqlxBackend::new(&target, settings.clone(), Budget::new(2)).unwrap();
    (blocking, asynchronous)
}

async fn setting(backend: &dyn StorageBackend, name: &str) -> String {
    let query = Query::numbered("test/setting", "SELECT current_setting($1)").unwrap();
    let values = Params::Positional(vec![name.into()]);
    backend
        .fetch_one(&query, values)
        .await
        .unwrap()
        .at(0)
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_both_drivers_differ_in_nothing() {
    let database = Database::create();
    for url in [&database.url, &database.tcp_url] {
        let (blocking, asynchronous) = backends(url, &Settings::default());
        assert_eq!(parity(&blocking, &asynchronous).await.unwrap(), []);
        blocking.close().await;
        asynchronous.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_differs_is_told() {
    let database = Database::create();
    let (blocking, control) = backends(&database.url, &Settings::default());
    let mut settings = Settings::default();
    settings.session.timezone = "Asia/Tokyo".into();
    settings.session.search_path = Some("elsewhere".into());
    let (other, candidate) = backends(&database.url, &settings);
    let found = parity(&blocking, &candidate).await.unwrap();
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "TimeZone: UTC on the control, Asia/Tokyo on the candidate",
            "current_schemas: {pg_catalog,public} on the control, {pg_catalog} on the candidate",
            "search_path: \"$user\", public on the control, elsewhere on the candidate",
        ]
    );
    for backend in [
        &blocking as &dyn StorageBackend,
        &control,
        &other,
        &candidate,
    ] {
        backend.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_win_over_what_role_and_database_say() {
    let database = Database::create();
    execute(
        &database.url,
        &[
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Tokyo''', current_database()); \
           EXECUTE format('ALTER DATABASE %I SET bytea_output = ''escape''', current_database()); \
           EXECUTE format('ALTER DATABASE %I SET standard_conforming_strings = off', current_database()); \
           EXECUTE format('ALTER DATABASE %I SET datestyle = ''SQL, DMY''', current_database()); END $$",
        ],
    );
    let mut settings = Settings::default();
    settings.session.statement_timeout = Duration::from_micros(1_500_500);
    settings.session.lock_timeout = Duration::from_secs(2);
    settings.session.search_path = Some("app, \"it's \\ odd\"".into());
    let url = format!(
        "{}&application_name=mine&options=-c%20work_mem=5MB",
        database.url
    );
    let (blocking, asynchronous) = backends(&url, &settings);
    for backend in [&blocking as &dyn StorageBackend, &asynchronous] {
        for (name, expected) in [
            ("TimeZone", "UTC"),
            ("DateStyle", "ISO, MDY"),
            ("IntervalStyle", "postgres"),
            ("bytea_output", "hex"),
            ("standard_conforming_strings", "on"),
            ("extra_float_digits", "1"),
            ("client_encoding", "UTF8"),
            ("statement_timeout", "1501ms"),
            ("lock_timeout", "2s"),
            ("idle_in_transaction_session_timeout", "1min"),
            ("search_path", "app, \"it's \\ odd\""),
            ("work_mem", "5MB"),
        ] {
            assert_eq!(
                setting(backend, name).await,
                expected,
                "{name} on {}",
                backend.kind()
            );
        }
        let name = format!("mine ({})", backend.kind());
        assert_eq!(setting(backend, "application_name").await, name);
        backend.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_cannot_be_set_up_is_refused_alike() {
    let database = Database::create();
    let mut settings = Settings::default();
    settings.session.timezone = "Nowhere'; SELECT pg_sleep(0); --".into();
    let (blocking, asynchronous) = backends(&database.url, &settings);
    let mut told = Vec::new();
    for backend in [&blocking as &dyn StorageBackend, &asynchronous] {
        let error = backend.ping().await.unwrap_err();
        assert_ne!(error.kind(), ErrorKind::Closed);
        told.push((
            error.kind(),
            error.sqlstate().map(str::to_owned),
            error.message().to_owned(),
        ));
        backend.close().await;
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].1.as_deref(), Some("22023"), "{told:?}");
}
