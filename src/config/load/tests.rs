use super::*;
use crate::config::{Share, Switch};
use std::time::Duration;
use tempfile::TempDir;

const FILE: &str = "schema = 1\n[environments.local]\nmax_stage = \"full\"\n[budget]\ntotal = 10\n[session]\ntimezone = \"Europe/Berlin\"\n";

fn environment(variables: &[(&str, &str)]) -> ProcessEnv {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    variables.iter().map(owned).collect()
}

fn load(variables: &[(&str, &str)]) -> Result<Settings> {
    let (_folder, arguments) = folder_with(FILE);
    Settings::load(&environment(variables), &arguments)
}

fn folder_with(text: &str) -> (TempDir, Arguments) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flags.toml");
    fs::write(&path, text).unwrap();
    let arguments = Arguments {
        config: Some(path),
        ..Arguments::default()
    };
    (folder, arguments)
}

fn error_of(variables: &[(&str, &str)]) -> String {
    let error = load(variables).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

#[test]
fn nothing_set_gives_the_defaults() {
    let (_folder, arguments) =
        folder_with("schema = 1\n[environments.local]\nmax_stage = \"full\"\n");
    let settings = Settings::load(&environment(&[("HOME", "/home/ada")]), &arguments).unwrap();
    assert_eq!(settings.environment, "local");
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(
        settings.kill_file(),
        Path::new("/home/ada/.local/share/pontoon/rollback")
    );
    let defaults = Settings {
        config: settings.config.clone(),
        config_is_named: true,
        data_dir: settings.data_dir.clone(),
        file: Arc::clone(&settings.file),
        ..Settings::default()
    };
    assert_eq!(settings, defaults);
}

#[test]
fn each_layer_outranks_the_one_before() {
    let (_folder, mut arguments) = folder_with(FILE);
    let read = |variables: &[(&str, &str)], arguments: &Arguments| {
        Settings::load(&environment(variables), arguments).unwrap()
    };
    let file = read(&[], &arguments);
    assert_eq!((file.budget.total, file.budget.blocking_floor), (10, 2));
    assert_eq!(file.session.timezone, "Europe/Berlin");
    let variables = [
        ("PONTOON_BUDGET_TOTAL", "7"),
        ("PONTOON_LISTEN", "0.0.0.0:1"),
    ];
    let set = read(&variables, &arguments);
    assert_eq!((set.budget.total, set.budget.blocking_floor), (7, 2));
    assert_eq!(set.listen.port(), 1);
    arguments.listen = Some("[::1]:2".into());
    assert_eq!(read(&variables, &arguments).listen.to_string(), "[::1]:2");
}

/// A value for each variable, none of them the default.
fn values() -> BTreeMap<&'static str, &'static str> {
    VARIABLES
        .iter()
        .map(|variable| {
            let value = match variable.name {
                "DATABASE_URL" | "PONTOON_DIRECT_DATABASE_URL" => "postgres://ada:hunter2@db/app",
                "USE_ASYNC_DB" => "25%",
                "PONTOON_LISTEN" => "127.0.0.1:9",
                "PONTOON_TRANSACTION_POOLER" => "true",
                "PONTOON_ADMIN_TOKEN" => "hunter2",
                "PONTOON_SESSION_STATEMENT_TIMEOUT" => "11s",
                name if name.ends_with("TIMEOUT") || name.ends_with("LIFETIME") => "12s",
                "PONTOON_STATEMENT_CACHE" | "PONTOON_BUDGET_TOTAL" => "13",
                "PONTOON_BUDGET_BLOCKING_FLOOR" => "3",
                "PONTOON_BUDGET_SHADOW_MAX_SHARE" => "0.14",
                _ => "local",
            };
            (variable.name, value)
        })
        .collect()
}

#[test]
fn every_variable_of_the_table_sets_its_setting() {
    let (_folder, arguments) = folder_with(FILE);
    let load = |variables: &[(&str, &str)]| {
        let settings = Settings::load(&environment(variables), &arguments).unwrap();
        let shown = format!("{settings:#?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        shown
    };
    let without = load(&[]);
    for (name, value) in values() {
        if matches!(name, "PONTOON_CONFIG" | "PONTOON_ENV") {
            // The argument outranks the first, and the second has only one value that the file knows.
            continue;
        }
        let also = if name == "PONTOON_ANSWER_TIMEOUT" {
            "PONTOON_SESSION_STATEMENT_TIMEOUT"
        } else {
            name
        };
        assert_ne!(
            load(&[(name, value), (also, values()[also])]),
            without,
            "{name}"
        );
    }
}

#[test]
fn the_table_s_defaults_are_the_defaults() {
    let given: Vec<_> = VARIABLES
        .iter()
        .filter(|variable| {
            let words = variable.default;
            !(words.contains(' ') || words == "none")
        })
        .map(|variable| (variable.name, variable.default))
        .collect();
    assert!(given.len() > 15);
    let (_folder, arguments) =
        folder_with("schema = 1\n[environments.local]\nmax_stage = \"full\"\n");
    let with = Settings::load(&environment(&given), &arguments).unwrap();
    assert_eq!(with, Settings::load(&environment(&[]), &arguments).unwrap());
}

#[test]
fn a_wrong_value_is_told_with_its_variable() {
    assert!(
        error_of(&[("USE_ASYNC_DB", "maybe")])
            .starts_with("USE_ASYNC_DB: \"maybe\" is not understood; accepted are auto; false")
    );
    assert!(error_of(&[("USE_ASYNC_DB", "")]).starts_with("USE_ASYNC_DB: "));
    assert!(error_of(&[("PONTOON_BUDGET_TOTAL", "many")]).starts_with("PONTOON_BUDGET_TOTAL: "));
    assert!(
        error_of(&[("PONTOON_ANSWER_TIMEOUT", "5")])
            .starts_with("PONTOON_ANSWER_TIMEOUT: \"5\" is no duration")
    );
    assert!(error_of(&[("PONTOON_LISTEN", "8080")]).starts_with("PONTOON_LISTEN: "));
    let url = error_of(&[("DATABASE_URL", "mysql://ada:hunter2@db/app")]);
    assert!(
        url.starts_with("DATABASE_URL: ") && !url.contains("hunter2"),
        "{url}"
    );
    assert!(
        error_of(&[("PONTOON_ADMIN_TOKEN", "")])
            .starts_with("PONTOON_ADMIN_TOKEN: admin_token: an empty token")
    );
    assert!(
        error_of(&[("PONTOON_IDLE_TIMEOUT", "0s")])
            .starts_with("PONTOON_IDLE_TIMEOUT: timeouts.idle: ")
    );
}

#[test]
fn a_value_that_is_wrong_beside_another_is_told_with_the_place_of_both() {
    let error = |text: &str, variables: &[(&str, &str)]| {
        let (_folder, arguments) = folder_with(text);
        let file = arguments.config.clone().unwrap().display().to_string();
        let error = Settings::load(&environment(variables), &arguments).unwrap_err();
        error.to_string().replace(&file, "flags.toml")
    };
    let head = "schema = 1\n[environments.local]\nmax_stage = \"full\"\n";
    for (file, variables, told) in [
        (
            "",
            &[("PONTOON_BUDGET_TOTAL", "1")][..],
            "PONTOON_BUDGET_TOTAL: budget.blocking_floor: 2",
        ),
        (
            "[budget]\n\nblocking_floor = 9\n",
            &[("PONTOON_BUDGET_TOTAL", "8")],
            "flags.toml:6 and PONTOON_BUDGET_TOTAL: budget.blocking_floor: 9",
        ),
        (
            "[session]\nstatement_timeout = \"40s\"\n",
            &[],
            "flags.toml:5: timeouts.answer: 35s is not longer",
        ),
        (
            "[session]\nstatement_timeout = \"40s\"\n",
            &[("PONTOON_ANSWER_TIMEOUT", "39s")],
            "PONTOON_ANSWER_TIMEOUT and flags.toml:5: timeouts.answer: 39s is not longer",
        ),
    ] {
        let error = error(&format!("{head}{file}"), variables);
        assert!(error.starts_with(told), "{error}");
    }
}

#[test]
fn what_was_set_knows_where() {
    let variables = [("PONTOON_LISTEN", "[::1]:1"), ("PONTOON_BUDGET_TOTAL", "7")];
    let (_folder, mut arguments) = folder_with(FILE);
    arguments.listen = Some("[::1]:2".into());
    let settings = Settings::load(&environment(&variables), &arguments).unwrap();
    let file = arguments.config.as_ref().unwrap().display();
    assert_eq!(
        settings.origin("session.timezone"),
        Some(&*format!("{file}:7"))
    );
    assert_eq!(
        settings.origin("budget.total"),
        Some("PONTOON_BUDGET_TOTAL")
    );
    assert_eq!(settings.origin("listen"), Some("--listen"));
    assert_eq!(settings.origin("timeouts.answer"), None);
}

#[test]
fn a_file_that_is_named_must_be_there_and_know_the_environment() {
    let missing = Arguments {
        config: Some("/nowhere/flags.toml".into()),
        ..Arguments::default()
    };
    let error = Settings::load(&ProcessEnv::default(), &missing).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot read /nowhere/flags.toml"),
        "{error}"
    );
    let (_folder, mut arguments) = folder_with(FILE);
    arguments.environment = Some("production".into());
    let error = Settings::load(&ProcessEnv::default(), &arguments).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("there is no environment \"production\" in the file"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("it has local"));
}

#[test]
fn a_misspelt_variable_is_warned_of() {
    let (_folder, arguments) = folder_with(FILE);
    let variables = [
        ("PONTOON_LISTE", "x"),
        ("PONTOON_XYZZY", "x"),
        ("PONTOON_PORT_8080_TCP", "tcp://x"),
        ("PONTOON_SERVICE_HOST", "x"),
    ];
    let warnings = Settings::load(&environment(&variables), &arguments)
        .unwrap()
        .warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].ends_with("did you mean PONTOON_LISTEN?"),
        "{warnings:?}"
    );
    assert!(
        warnings[1].ends_with("PONTOON_XYZZY is not known and does nothing"),
        "{warnings:?}"
    );
}

#[test]
fn values_arrive_as_they_are_meant() {
    let (_folder, arguments) = folder_with(FILE);
    let variables: Vec<_> = values().into_iter().collect();
    let settings = Settings::load(&environment(&variables), &arguments).unwrap();
    assert_eq!(settings.use_async_db, Switch::Share(Share::percent(25)));
    assert_eq!(settings.timeouts.answer, Duration::from_secs(12));
    assert_eq!(
        settings.direct_url().unwrap().expose(),
        "postgres://ada:hunter2@db/app"
    );
    assert!(settings.transaction_pooler);
    assert_eq!(settings.kill_file(), Path::new("local"));
}

#[test]
fn what_room_is_made_for_is_bounded() {
    for (variable, key) in [
        ("PONTOON_STATEMENT_CACHE", "statement_cache: "),
        ("PONTOON_BUDGET_TOTAL", "budget.total: "),
    ] {
        let error = error_of(&[(variable, "4000000000")]);
        assert!(error.contains(key), "{error}");
    }
    assert!(load(&[("PONTOON_STATEMENT_CACHE", "65536")]).is_ok());
}
