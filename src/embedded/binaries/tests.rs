use std::os::unix::fs::PermissionsExt;

use super::*;

fn this_user() -> Account {
    // Tests run the scripts below as the user they run as themselves.
    Account {
        name: String::from("self"),
        uid: 0,
        gid: 0,
        switches: false,
    }
}

fn install(folder: &Path, version: &str) {
    fs::create_dir_all(folder).unwrap();
    let script = format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n");
    for name in ["postgres", "initdb"] {
        fs::write(folder.join(name), &script).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn places(root: &Path) -> Places {
    Places {
        pg_bin: None,
        path: None,
        root: root.to_owned(),
    }
}

#[test]
fn the_newest_packaged_version_is_taken_by_number() {
    let root = tempfile::tempdir().unwrap();
    for version in ["9.6", "15", "17"] {
        install(
            &root
                .path()
                .join("usr/lib/postgresql")
                .join(version)
                .join("bin"),
            version,
        );
    }
    let choice = places(root.path()).choose(&this_user(), &[]).unwrap();
    assert_eq!(choice.binaries.major, 17);
}

#[test]
fn a_version_that_has_data_wins_over_a_newer_one() {
    let root = tempfile::tempdir().unwrap();
    for version in ["15", "17"] {
        install(
            &root
                .path()
                .join("usr/lib/postgresql")
                .join(version)
                .join("bin"),
            version,
        );
    }
    let choice = places(root.path()).choose(&this_user(), &[15]).unwrap();
    assert_eq!((choice.binaries.major, choice.missing), (15, vec![]));
}

#[test]
fn data_without_its_binaries_is_told() {
    let root = tempfile::tempdir().unwrap();
    install(
        &root.path().join("opt/homebrew/opt/postgresql@16/bin"),
        "16.2 (Homebrew)",
    );
    let choice = places(root.path()).choose(&this_user(), &[14]).unwrap();
    assert_eq!((choice.binaries.major, choice.missing), (16, vec![14]));
}

#[test]
fn pg_bin_comes_first_and_path_before_packages() {
    let root = tempfile::tempdir().unwrap();
    install(&root.path().join("usr/lib/postgresql/17/bin"), "17.1");
    install(&root.path().join("on_path"), "16.1");
    install(&root.path().join("named"), "18beta1");
    let mut places = places(root.path());
    places.path = Some(root.path().join("on_path").into_os_string());
    assert_eq!(places.choose(&this_user(), &[]).unwrap().binaries.major, 16);
    places.pg_bin = Some(root.path().join("named"));
    assert_eq!(places.choose(&this_user(), &[]).unwrap().binaries.major, 18);
}

#[test]
fn pg_config_names_a_folder_off_the_path() {
    let root = tempfile::tempdir().unwrap();
    let (bin, hidden) = (root.path().join("bin"), root.path().join("hidden"));
    install(&hidden, "16.4");
    fs::create_dir(&bin).unwrap();
    fs::write(
        bin.join("pg_config"),
        format!("#!/bin/sh\necho {}\n", hidden.display()),
    )
    .unwrap();
    fs::set_permissions(bin.join("pg_config"), fs::Permissions::from_mode(0o755)).unwrap();
    let places = Places {
        path: Some(bin.into_os_string()),
        ..places(root.path())
    };
    assert_eq!(places.choose(&this_user(), &[]).unwrap().binaries.major, 16);
}

#[test]
fn a_wrong_pg_bin_is_an_error_and_not_skipped() {
    let root = tempfile::tempdir().unwrap();
    install(&root.path().join("usr/lib/postgresql/17/bin"), "17.1");
    let places = Places {
        pg_bin: Some(root.path().join("nowhere")),
        ..places(root.path())
    };
    let error = places.choose(&this_user(), &[]).unwrap_err();
    assert!(error.to_string().contains("no `postgres`"), "{error}");
}

#[test]
fn nothing_installed_tells_the_command() {
    let root = tempfile::tempdir().unwrap();
    let error = places(root.path())
        .choose(&this_user(), &[])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("PG_BIN") && error.contains("install"),
        "{error}"
    );
}

#[test]
fn the_install_command_is_this_systems() {
    let cases = [
        ("ID=debian\n", "linux", "apt-get install postgresql"),
        (
            "ID=pop\nID_LIKE=\"ubuntu debian\"\n",
            "linux",
            "create_main_cluster = false",
        ),
        ("ID=fedora\n", "linux", "dnf install postgresql-server"),
        (
            "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
            "linux",
            "dnf",
        ),
        ("ID=alpine\n", "linux", "apk add postgresql"),
        ("ID=arch\n", "linux", "pacman -S postgresql"),
        (
            "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n",
            "linux",
            "zypper",
        ),
        ("", "macos", "brew install"),
        ("", "freebsd", "package manager"),
    ];
    for (release, os, command) in cases {
        let advice = install_advice(release, os);
        assert!(
            advice.contains(command),
            "{command:?} is missing in {advice:?}"
        );
    }
}
