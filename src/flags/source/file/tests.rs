use crate::backend::BackendKind;
use crate::config::{Share, Stage, Switch};
use crate::error::ErrorKind;
use crate::flags::{Flags, Key};
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

struct Place {
    folder: TempDir,
}

impl Place {
    fn new(max_stage: &str, base: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder };
        place.write(max_stage, base, "a");
        place
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("flags.toml")
    }

    fn write(&self, max_stage: &str, base: &str, salt: &str) {
        let text = format!(
            "schema = 1\n[migration]\nid = \"m\"\nsalt = \"{salt}\"\n\
             [environments.local]\nmax_stage = \"{max_stage}\"\nuse_async_db = \"{base}\"\n"
        );
        fs::write(self.path(), text).unwrap();
    }

    fn flags(&self, variable: &str) -> Flags {
        let builder = Flags::builder().use_async_db(variable.parse().unwrap());
        builder.file(self.path(), "local", true).build().unwrap()
    }
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(30), "in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_file_sets_the_base_and_caps_it_and_the_variable_caps_both() {
    let stage = |max: &str, base: &str, variable: &str| {
        Place::new(max, base).flags(variable).snapshot().stage()
    };
    let canary = |percent| Stage::Canary(Share::percent(percent));
    assert_eq!(stage("complete", "auto", "auto"), Stage::Off);
    assert_eq!(stage("complete", "auto", "on"), Stage::Complete);
    assert_eq!(stage("full", "auto", "on"), Stage::Full);
    assert_eq!(stage("complete", "on", "auto"), Stage::Complete);
    assert_eq!(stage("complete", "25%", "on"), canary(25));
    assert_eq!(stage("complete", "25%", "5%"), canary(5));
    assert_eq!(stage("canary(10%)", "25%", "auto"), canary(10));
    assert_eq!(stage("complete", "on", "off"), Stage::Off);
    assert_eq!(stage("complete", "off", "on"), Stage::Off);
    assert_eq!(stage("shadow", "on", "on"), Stage::Shadow);
}

#[test]
fn a_tenant_is_forced_up_to_max_stage() {
    let forced = |max: &str| {
        let flags = Place::new(max, "off").flags("auto");
        flags.set_override("t", BackendKind::Async, None).unwrap();
        flags.decide(Some(&Key::tenant("t"))).backend
    };
    assert_eq!(forced("canary"), BackendKind::Async);
    assert_eq!(forced("shadow"), BackendKind::Blocking);
    assert_eq!(forced("off"), BackendKind::Blocking);
}

#[test]
fn a_file_that_is_wrong_refuses_to_start() {
    let place = Place::new("complete", "maybe");
    let start = |path: PathBuf, environment: &str, required| {
        let built = Flags::builder().file(path, environment, required).build();
        built.map(|flags| flags.snapshot().stage())
    };
    let error = start(place.path(), "local", true).unwrap_err();
    assert!(
        error
            .message()
            .contains("flags.toml:7: environments.local.use_async_db"),
        "{error}"
    );
    place.write("complete", "on", "a");
    let error = start(place.path(), "production", true).unwrap_err();
    assert!(error.hint().unwrap().contains("it has local"), "{error}");
    let absent = place.folder.path().join("absent.toml");
    assert_eq!(
        start(absent.clone(), "local", true).unwrap_err().kind(),
        ErrorKind::Config
    );
    assert_eq!(start(absent, "local", false).unwrap(), Stage::Off);
    assert!(start(place.folder.path().into(), "local", false).is_err());
}

#[test]
fn a_bad_file_on_reload_keeps_the_last_good_one_and_raises_an_alarm() {
    let place = Place::new("full", "on");
    let flags = place.flags("auto");
    let before = flags.snapshot().revision();
    for bad in [
        "",
        "schema = 1",
        "schema = 1\n[enviroments.local]\nmax_stage = \"complete\"\n",
        "\u{0}",
        "schema = 1\n[environments.local]\nmax_stage = \"compl",
    ] {
        fs::write(place.path(), bad).unwrap();
        flags.reload();
        assert_eq!(flags.snapshot().stage(), Stage::Full, "{bad}");
        assert!(
            flags
                .alarm()
                .unwrap()
                .contains("the last good file is in force"),
            "{bad}"
        );
    }
    let raised = flags.snapshot().revision();
    flags.reload();
    assert_eq!(
        flags.snapshot().revision(),
        raised,
        "the same bad file changes nothing"
    );
    assert!(raised > before);
    fs::remove_file(place.path()).unwrap();
    flags.reload();
    assert!(flags.alarm().unwrap().contains("is gone"));
    assert_eq!(flags.snapshot().stage(), Stage::Full);
    place.write("full", "on", "a");
    flags.reload();
    assert_eq!(flags.alarm(), None);
    place.write("shadow", "on", "a");
    flags.reload();
    assert_eq!(flags.snapshot().stage(), Stage::Shadow);
}

#[test]
fn the_cohort_is_not_drawn_anew_while_a_share_is_async() {
    let place = Place::new("complete", "50%");
    let flags = place.flags("auto");
    let sides = || -> Vec<_> {
        let side = |number: u32| {
            flags
                .decide(Some(&Key::tenant(&number.to_string())))
                .backend
        };
        (0..200).map(side).collect()
    };
    let before = sides();
    place.write("complete", "50%", "another");
    flags.reload();
    assert_eq!(sides(), before);
    assert!(flags.alarm().unwrap().contains("the old cohort is kept"));
    place.write("complete", "off", "another");
    flags.reload();
    assert_eq!(flags.alarm(), None);
    place.write("complete", "50%", "another");
    flags.reload();
    assert_ne!(sides(), before);
}

#[test]
fn a_watch_sees_a_rename_over_the_file() {
    let place = Place::new("complete", "off");
    let flags = place.flags("auto");
    let _watch = flags.watch().unwrap();
    let draft = place.folder.path().join("draft");
    fs::write(
        &draft,
        "schema = 1\n[environments.local]\nmax_stage = \"full\"\nuse_async_db = \"on\"\n",
    )
    .unwrap();
    fs::rename(&draft, place.path()).unwrap();
    wait_for("the new file", || flags.snapshot().stage() == Stage::Full);
}

#[cfg(unix)]
#[test]
fn a_watch_sees_a_swapped_link_to_another_folder() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (name, base) in [("one", "off"), ("two", "on")] {
        fs::create_dir(at(name)).unwrap();
        let text = format!(
            "schema = 1\n[environments.local]\nmax_stage = \"complete\"\nuse_async_db = \"{base}\"\n"
        );
        fs::write(at(name).join("flags.toml"), text).unwrap();
    }
    symlink("one", at("data")).unwrap();
    symlink("data/flags.toml", at("flags.toml")).unwrap();
    let builder = Flags::builder().file(at("flags.toml"), "local", true);
    let flags = builder.use_async_db(Switch::Auto).build().unwrap();
    let _watch = flags.watch().unwrap();
    assert_eq!(flags.snapshot().stage(), Stage::Off);
    symlink("two", at("draft")).unwrap();
    fs::rename(at("draft"), at("data")).unwrap();
    wait_for("the other folder's file", || {
        flags.snapshot().stage() == Stage::Complete
    });
}

#[test]
fn a_watch_sees_a_file_that_comes_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("etc/flags.toml");
    let flags = Flags::builder()
        .file(&path, "local", false)
        .use_async_db(Switch::On)
        .build()
        .unwrap();
    assert_eq!(flags.snapshot().stage(), Stage::Complete);
    let _watch = flags.watch().unwrap();
    fs::create_dir(folder.path().join("etc")).unwrap();
    fs::write(
        &path,
        "schema = 1\n[environments.local]\nmax_stage = \"shadow\"\n",
    )
    .unwrap();
    wait_for("the file", || flags.snapshot().stage() == Stage::Shadow);
}
