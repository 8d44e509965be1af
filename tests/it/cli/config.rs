//! What is wrong before anything runs: arguments, variables, flags.toml, a database that is away.

use std::time::{Duration, Instant};

use super::Place;
use crate::support::Database;

#[test]
fn an_argument_that_is_unknown_gets_the_nearest() {
    let place = Place::new();
    place.run(&["stats"]).ends(2, &["'status'"]);
    place.run(&["flag"]).ends(2, &["unrecognized subcommand"]);
    place.run(&["serve", "--listn", "x"]).ends(2, &["--listen"]);
    place.run(&[]).ends(2, &["Usage"]);
    place
        .run(&["-q", "-v", "migrate"])
        .ends(2, &["cannot be used with"]);
    let help = place.run(&["--help"]);
    assert_eq!((help.code, help.err.as_str()), (0, ""));
    assert!(help.out.contains("rollback"), "{help:?}");
}

#[test]
fn a_file_that_is_wrong_is_told_by_line_with_the_nearest_key() {
    let place = Place::new();
    place.write(
        "flags.toml",
        "schema = 1\n\n[migration]\nid = \"a\"\nsalts = \"b\"\n",
    );
    for command in [
        &["migrate"][..],
        &["check"],
        &["serve", "--ephemeral"],
        &["query", "SELECT 1"],
    ] {
        let ran = place.run(command);
        ran.ends(6, &["flags.toml:5: ", "salts", "salt\"?"]);
        assert_eq!(ran.out, "");
    }
    let named = Place::new();
    named
        .run(&["migrate", "--config", "none.toml"])
        .ends(6, &["none.toml"]);
    let environment = Place::new();
    environment.write("flags.toml", "schema = 1\n[migration]\nid = \"a\"\nsalt = \"b\"\n[environments.local]\nmax_stage = \"full\"\n");
    environment
        .run(&["migrate", "--env", "locl"])
        .ends(6, &["locl"]);
}

#[test]
fn a_variable_that_is_wrong_is_refused_by_name() {
    let place = Place::new().with("USE_ASYNC_DB", "maybe");
    for command in [&["serve", "--ephemeral"][..], &["migrate"]] {
        place
            .run(command)
            .ends(6, &["USE_ASYNC_DB", "maybe", "auto", "25%"]);
    }
    for (name, value) in [
        ("PONTOON_ADMIN_TOKEN", ""),
        ("PONTOON_ANSWER_TIMEOUT", "1s"),
        ("PONTOON_BUDGET_BLOCKING_FLOOR", "100"),
    ] {
        let place = Place::new().with(name, value);
        let told = format!("{name}: ");
        for command in [&["serve", "--ephemeral"][..], &["migrate"]] {
            place.run(command).ends(6, &[&told]);
        }
    }
    let place = Place::new().with("PONTOON_LISTEN", "nowhere");
    place.run(&["serve"]).ends(6, &["PONTOON_LISTEN"]);
    let place = Place::new().with("PONTOON_LISTN", "x");
    place
        .run(&["migrate"])
        .ends(6, &["PONTOON_LISTN", "did you mean PONTOON_LISTEN?"]);
}

#[test]
fn a_setting_that_the_server_refuses_is_told_with_its_place() {
    let database = Database::create();
    let place = Place::on(&database).with("PONTOON_SESSION_TIMEZONE", "Mars/Phobos");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--wait", "10m"];
    let commands = [&serve[..], &["check"], &["query", "SELECT 1"], &["migrate"]];
    let began = Instant::now();
    for command in commands {
        let ran = place.run(command);
        ran.ends(
            6,
            &[
                "Mars/Phobos",
                "PONTOON_SESSION_TIMEZONE",
                "session.timezone",
            ],
        );
        assert_eq!(ran.out, "");
    }
    assert!(
        began.elapsed() < Duration::from_mins(5),
        "it is not waited for"
    );
    let place = Place::on(&database);
    place.write(
        "flags.toml",
        "schema = 1\n[environments.local]\nmax_stage = \"full\"\n[session]\ntimezone = \"Mars/Phobos\"\n",
    );
    for command in commands {
        place
            .run(command)
            .ends(6, &["Mars/Phobos", "flags.toml:5 sets"]);
    }
    let odd = format!("{}&options=-c%20no.such=1%20-c%20nonsense=1", database.url);
    let place = Place::new().with("DATABASE_URL", &odd);
    place
        .run(&["query", "SELECT 1"])
        .ends(6, &["nonsense", "options"]);
}

#[test]
fn a_command_that_needs_a_database_says_how_to_name_one() {
    let place = Place::new();
    for command in [
        &["migrate"][..],
        &["check"],
        &["query", "SELECT 1"],
        &["bench"],
    ] {
        place
            .run(command)
            .ends(6, &["no database is named", "DATABASE_URL"]);
    }
    place
        .run(&["migrate", "--database-url", "mysql://a"])
        .ends(6, &["postgres://"]);
}

#[test]
fn a_database_that_is_away_is_told_without_its_password() {
    let place = Place::new().with("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:1/db");
    for command in [
        &["migrate"][..],
        &["check"],
        &["query", "SELECT 1"],
        &["bench"],
    ] {
        let ran = place.run(command);
        ran.ends(5, &["the database could not be reached", "hint: "]);
        assert!(!ran.err.contains("hunter2"), "{ran:?}");
        assert_eq!(ran.out, "");
    }
}

#[test]
fn a_login_that_is_refused_is_no_server_that_is_away() {
    let database = Database::create();
    let (url, _) = database.tcp_url.rsplit_once('/').unwrap();
    let place = Place::new().with("DATABASE_URL", &format!("{url}/no_such_database"));
    place.run(&["query", "SELECT 1"]).ends(
        5,
        &["the database refused the connection", "no_such_database"],
    );
}

#[test]
fn colour_is_there_only_where_it_is_asked_for() {
    let place = Place::new();
    let plain = place.run(&["migrate"]);
    assert!(!plain.err.contains('\u{1b}'), "{plain:?}");
    let coloured = place.run(&["migrate", "--color", "always"]);
    assert!(coloured.err.contains("\u{1b}[31;1merror"), "{coloured:?}");
    let never = place.run(&["nonsense", "--color", "never"]);
    assert!(!never.err.contains('\u{1b}'), "{never:?}");
}
