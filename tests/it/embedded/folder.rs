//! What the data folder keeps over restarts, and who may use it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pontoon::embedded::{Embedded, EmbeddedError, Options};
use tempfile::TempDir;

use super::open_to_all;
use crate::support::{execute, own_server};

fn data_folder() -> TempDir {
    tempfile::Builder::new()
        .permissions(open_to_all())
        .tempdir()
        .unwrap()
}

fn on(folder: &Path) -> Options {
    Embedded::options().data_dir(Some(folder.to_owned()))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn data_is_kept_over_a_stop_and_a_start() {
    let folder = data_folder();
    let server = own_server(on(folder.path()));
    assert_eq!(
        execute(&server.url("postgres"), &["SHOW fsync"]),
        ["on"],
        "data that is kept is worth the disk"
    );
    execute(
        &server.url("postgres"),
        &["CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (42)"],
    );
    server.stop().unwrap();

    let server = own_server(on(folder.path()));
    assert_eq!(
        execute(&server.url("postgres"), &["SELECT n FROM kept"]),
        ["42"]
    );
}

#[test]
fn one_folder_a_major_version_holds_the_data() {
    let folder = data_folder();
    let server = own_server(on(folder.path()).fsync(false));
    let version = execute(&server.url("postgres"), &["SHOW server_version_num"]).remove(0);
    let major = version.parse::<u32>().unwrap() / 10_000;
    let found = names(folder.path());
    assert!(found.contains(&format!("postgres-{major}")), "{found:?}");
    assert!(found.iter().all(|name| !name.contains(".new")), "{found:?}");
}

#[test]
fn the_rest_of_an_interrupted_first_start_is_cleared() {
    let folder = data_folder();
    own_server(on(folder.path()).fsync(false)).stop().unwrap();
    let rest = folder.path().join("postgres-99.1.new");
    let other = folder.path().join("letter.new");
    for folder in [&rest, &other] {
        fs::create_dir(folder).unwrap();
    }
    let _server = own_server(on(folder.path()).fsync(false));
    assert!(
        !rest.exists() && other.exists(),
        "only what an `initdb` left"
    );
}

#[test]
fn two_servers_in_one_process_do_not_share_a_folder() {
    let folder = data_folder();
    let first = own_server(on(folder.path()).fsync(false));
    let error = on(folder.path()).start().unwrap_err();
    let own = std::process::id();
    assert!(
        matches!(error, EmbeddedError::Busy { owner: Some(owner), .. } if owner == own),
        "{error}"
    );
    assert_eq!(
        execute(&first.url("postgres"), &["SELECT 1"]),
        ["1"],
        "the first one is not disturbed"
    );
}

#[test]
fn a_socket_path_that_is_too_long_moves_to_a_short_place() {
    let folder = data_folder();
    let deep = folder.path().join("a-long-name-".repeat(10));
    let server = own_server(on(&deep).fsync(false));
    let socket = execute(&server.url("postgres"), &["SHOW unix_socket_directories"]).remove(0);
    let socket = Path::new(socket.trim_matches('"')).to_owned();
    assert!(!socket.starts_with(&deep), "{}", socket.display());
    server.stop().unwrap();
    assert!(
        !socket.exists(),
        "the short place is removed with the server"
    );
    assert!(deep.exists(), "the data is not");
}

#[test]
fn a_folder_name_with_blanks_and_quotes_works() {
    let folder = data_folder();
    let server = own_server(on(&folder.path().join("a \"b\", 'c' & 100%")).fsync(false));
    assert_eq!(execute(&server.url("postgres"), &["SELECT 1"]), ["1"]);
}

#[test]
fn a_cluster_made_by_other_means_is_left_alone() {
    let folder = data_folder();
    fs::write(folder.path().join("PG_VERSION"), "15\n").unwrap();
    let error = on(folder.path()).start().unwrap_err();
    assert!(
        matches!(error, EmbeddedError::ForeignFolder { .. }),
        "{error}"
    );
    assert_eq!(names(folder.path()), ["PG_VERSION"]);
}

#[test]
fn a_folder_closed_to_the_servers_user_is_refused_with_the_place() {
    let folder = data_folder();
    let shut = folder.path().join("shut");
    fs::create_dir(&shut).unwrap();
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o700)).unwrap();
    let result = on(&shut.join("data")).fsync(false).start();
    if rustix::process::geteuid().is_root() {
        let error = result.unwrap_err();
        let real = fs::canonicalize(&shut).unwrap();
        assert!(
            matches!(&error, EmbeddedError::Unreachable { closed, .. } if *closed == real),
            "{error}"
        );
    } else {
        // The folder is this user's own, and so is the server.
        assert_eq!(
            execute(&result.unwrap().url("postgres"), &["SELECT 1"]),
            ["1"]
        );
    }
}
