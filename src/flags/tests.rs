//! What the flag promises, over its public face.

use super::*;
use std::fs;
use std::sync::atomic::AtomicBool;
use std::thread;
use tempfile::TempDir;

use BackendKind::{Async, Blocking};

fn runs_on(flags: &Flags) -> BackendKind {
    flags.decide(Some(&Key::tenant("tenant-1"))).backend
}

/// Waits for what a watch brings about. The bound only keeps a broken watch from hanging the test.
fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(30), "in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_fixed_flag_decides_for_everybody() {
    for backend in BackendKind::ALL {
        let flags = Flags::fixed(backend);
        for key in [None, Some(&Key::tenant("t")), Some(&Key::session("s"))] {
            assert_eq!(flags.decide(key).backend, backend);
        }
    }
}

#[test]
fn the_share_decides_by_bucket() {
    let flags = Flags::in_memory(25);
    let bucket = |key: &Key<'_>| flags.snapshot().bucket(key).unwrap();
    let (mut inside, mut outside) = (0, 0);
    for number in 0..1000 {
        let name = format!("tenant-{number}");
        let key = Key::tenant(&name);
        let decision = flags.decide(Some(&key));
        let is_in = bucket(&key).is_in(Share::percent(25));
        assert_eq!(decision.backend == Async, is_in);
        let reason = if is_in {
            Reason::InCohort
        } else {
            Reason::OutsideCohort
        };
        assert_eq!(decision.reason, reason);
        *(if is_in { &mut inside } else { &mut outside }) += 1;
    }
    assert!(inside > 150 && outside > 650, "{inside} in, {outside} out");
}

#[test]
fn a_unit_without_a_key_is_blocking_below_everybody_and_counted() {
    let flags = Flags::in_memory(99);
    assert_eq!(flags.decide(None).reason, Reason::NoKey);
    assert_eq!(flags.decide(Some(&Key::default())).backend, Blocking);
    assert_eq!(flags.keyless(), 2);
    flags.set_percent(100);
    assert_eq!(flags.decide(None).backend, Async);
    flags.decide(Some(&Key::tenant("t")));
    assert_eq!(flags.keyless(), 2);
}

#[test]
fn more_than_everybody_is_everybody() {
    let flags = Flags::in_memory(200);
    assert_eq!(flags.snapshot().stage(), Stage::Complete);
}

#[test]
fn each_change_is_told_once_by_a_growing_revision() {
    let flags = Flags::in_memory(10);
    let mut told = flags.subscribe();
    let before = flags.snapshot().revision();
    flags.set_percent(10);
    assert_eq!(flags.snapshot().revision(), before);
    assert!(!told.has_changed().unwrap());
    flags.set_percent(20);
    assert_eq!(*told.borrow_and_update(), before + 1);
    assert_eq!(flags.decide(None).revision, before + 1);
}

#[test]
fn a_rollback_holds_against_everything_until_it_is_lifted() {
    let flags = Flags::in_memory(100);
    flags.set_override("tenant-1", Async, None).unwrap();
    let rollback = flags.rollback("p95", "ada");
    assert_eq!(flags.decide(None).reason, Reason::RolledBack);
    assert_eq!(runs_on(&flags), Blocking);
    assert_eq!(flags.snapshot().stage(), Stage::RolledBack);
    assert_eq!(flags.snapshot().revision(), rollback.revision);
    rollback.written().unwrap();
    flags.set_percent(50);
    flags.set_percent(100);
    flags.reload();
    assert_eq!(runs_on(&flags), Blocking);
    let said = flags.snapshot().sources();
    assert!(
        said[0].detail.contains("by ada") && said[0].detail.ends_with(": p95"),
        "{said:?}"
    );
    flags.lift_rollback().unwrap();
    assert_eq!(runs_on(&flags), Async);
}

#[test]
fn no_decision_is_async_after_a_rollback_returned_whatever_else_changes() {
    let flags = Flags::in_memory(100);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut percent = 0;
                while !stop.load(Ordering::Relaxed) {
                    percent = (percent + 1) % 101;
                    flags.set_percent(percent);
                }
            });
        }
        for _ in 0..200 {
            let _ = flags.rollback("drill", "test");
            for _ in 0..50 {
                assert_eq!(flags.decide(None).backend, Blocking);
                assert_eq!(runs_on(&flags), Blocking);
            }
            flags.lift_rollback().unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn an_override_passes_the_share_and_no_cap() {
    let name = "tenant-1";
    let with = |value: &str, percent| {
        let builder = Flags::builder().use_async_db(value.parse().unwrap());
        let flags = builder.stage(stage_for(percent)).build().unwrap();
        flags.set_override(name, Async, None).unwrap();
        flags.decide(Some(&Key::tenant(name))).backend
    };
    assert_eq!(with("auto", 0), Async);
    assert_eq!(with("1%", 0), Async);
    assert_eq!(with("0%", 100), Blocking);
    assert_eq!(with("off", 100), Blocking);

    let flags = Flags::fixed(Async);
    flags.set_override(name, Blocking, None).unwrap();
    assert_eq!(
        flags.decide(Some(&Key::session(name))).reason,
        Reason::Override
    );
    assert_eq!(runs_on(&flags), Blocking);
    assert!(flags.remove_override(name));
    assert!(!flags.remove_override(name));
    assert_eq!(runs_on(&flags), Async);
    assert_eq!(
        flags.set_override("", Async, None).unwrap_err().kind(),
        ErrorKind::Config
    );
}

#[test]
fn an_override_ends_by_itself() {
    let flags = Flags::fixed(Async);
    flags
        .set_override("tenant-1", Blocking, Some(Duration::ZERO))
        .unwrap();
    flags
        .set_override("other", Blocking, Some(Duration::MAX))
        .unwrap();
    assert_eq!(runs_on(&flags), Async);
    flags.reload();
    let left: Vec<_> = flags.overrides().into_iter().map(|set| set.key).collect();
    assert_eq!(left, ["other"]);
}

#[test]
fn the_variable_alone_decides_where_nobody_else_does() {
    let stage = |value: &str| {
        let flags = Flags::builder()
            .use_async_db(value.parse().unwrap())
            .build()
            .unwrap();
        flags.snapshot().stage()
    };
    assert_eq!(stage("auto"), Stage::Off);
    assert_eq!(stage("no"), Stage::Off);
    assert_eq!(stage("yes"), Stage::Complete);
    assert_eq!(stage("25%"), Stage::Canary(Share::percent(25)));
}

fn with_kill_file(folder: &TempDir) -> Flags {
    let builder = Flags::builder().use_async_db(crate::config::Switch::On);
    builder
        .kill_file(folder.path().join("rollback"))
        .build()
        .unwrap()
}

#[test]
fn a_rollback_outlives_its_process_and_reaches_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let (flags, other) = (with_kill_file(&folder), with_kill_file(&folder));
    let _watch = other.watch().unwrap();
    assert_eq!((runs_on(&flags), runs_on(&other)), (Async, Async));
    flags.rollback("errors: 7 %", "ada").written().unwrap();
    wait_for("the other process sees the kill file", || {
        runs_on(&other) == Blocking
    });
    let restarted = with_kill_file(&folder);
    assert_eq!(restarted.snapshot().stage(), Stage::RolledBack);
    let said = restarted.snapshot().sources();
    assert!(
        said[0].name == "kill_file" && said[0].detail.contains("errors: 7 %; the file is /"),
        "{said:?}"
    );
}

#[test]
fn removing_the_kill_file_by_hand_permits_async_again() {
    let folder = tempfile::tempdir().unwrap();
    let flags = with_kill_file(&folder);
    let _watch = flags.watch().unwrap();
    flags.rollback("drill", "ada").written().unwrap();
    flags.reload();
    assert_eq!(runs_on(&flags), Blocking);
    fs::remove_file(folder.path().join("rollback")).unwrap();
    wait_for("async again", || runs_on(&flags) == Async);
}

#[test]
fn a_look_that_began_before_the_kill_file_was_written_ends_no_rollback() {
    let folder = tempfile::tempdir().unwrap();
    let flags = with_kill_file(&folder);
    let absent = flags.0.last(kill_file::NAME).unwrap();
    let began = flags.0.writes.load(Ordering::Acquire);
    flags.rollback("drill", "ada").written().unwrap();
    flags
        .0
        .change(|inputs| inputs.seen_kill_file(absent.clone(), began));
    assert_eq!(runs_on(&flags), Blocking);
    flags
        .0
        .change(|inputs| inputs.seen_kill_file(absent.clone(), began + 1));
    assert_eq!(runs_on(&flags), Async);
}

#[test]
fn a_kill_file_that_cannot_be_written_changes_nothing_about_the_rollback() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("file");
    let path = blocked.join("rollback");
    let flags = Flags::builder()
        .use_async_db(crate::config::Switch::On)
        .kill_file(&path)
        .build()
        .unwrap();
    fs::write(&blocked, "").unwrap();
    let error = flags.rollback("drill", "ada").written().unwrap_err();
    assert!(
        error.to_string().contains("cannot write the kill file"),
        "{error}"
    );
    assert!(
        flags
            .alarm()
            .unwrap()
            .contains("cannot write the kill file")
    );
    fs::remove_file(&blocked).unwrap();
    flags.reload();
    assert_eq!(runs_on(&flags), Blocking);
    flags.lift_rollback().unwrap();
    assert_eq!((runs_on(&flags), flags.alarm()), (Async, None));
}

#[test]
fn a_watch_that_is_dropped_looks_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let flags = with_kill_file(&folder);
    let held = Arc::downgrade(&flags.0);
    drop(flags.watch().unwrap());
    drop(flags);
    wait_for("the thread lets go", || held.strong_count() == 0);
}

#[test]
fn an_explanation_names_every_source_the_bucket_and_the_outcome() {
    let flags = Flags::builder()
        .use_async_db("25%".parse().unwrap())
        .build()
        .unwrap();
    let key = Key::tenant("tenant-1");
    flags
        .set_override("tenant-1", Async, Some(Duration::from_hours(24)))
        .unwrap();
    let explanation = flags.explain(Some(&key));
    assert_eq!(explanation.backend, Async);
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(
        json["bucket"],
        flags.snapshot().bucket(&key).unwrap().number()
    );
    assert_eq!(json["backend"], "async");
    assert_eq!(json["reason"], "override");
    assert_eq!(json["outcome"]["stage"], "canary(25%)");
    assert_eq!(json["outcome"]["share"], 25.0);
    let names: Vec<_> = json["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| (&s["name"], &s["cap"]))
        .collect();
    assert_eq!(
        format!("{names:?}"),
        r#"[(String("env"), String("canary(25%)")), (String("override"), String("complete"))]"#
    );
    assert_eq!(flags.keyless(), 0);
    assert_eq!(flags.explain(None).reason, Reason::NoKey);
    assert_eq!(flags.keyless(), 0);
}

#[test]
fn a_decision_allocates_nothing() {
    let flags = Flags::in_memory(50);
    flags.set_override("other", Blocking, None).unwrap();
    let keys = [
        None,
        Some(Key::tenant("tenant-1")),
        Some(Key::new(None, Some("session-1"))),
    ];
    // A thread's first load sets its own slot up.
    flags.decide(None);
    let counted = allocation_counter::measure(|| {
        for _ in 0..1000 {
            for key in &keys {
                std::hint::black_box(flags.decide(key.as_ref()));
            }
        }
    });
    assert_eq!(counted.count_total, 0);
}
