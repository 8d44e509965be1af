//! What deciding a unit's backend costs: alone, with overrides, and while the flag is replaced.

use crate::report::Group;
use criterion::Criterion;
use pontoon::backend::BackendKind;
use pontoon::flags::{Flags, Key};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Each case; one that allocates ends the run.
pub(crate) fn measure(criterion: &mut Criterion) -> Group {
    let key = Key::tenant("2f6e1c1e-9c55-4f3c-8f0a-0d2f6e1c1e9c");
    let mut group = criterion.benchmark_group("decide");
    let mut names = Vec::new();
    let mut case = |name: &'static str, flags: &Flags, key: Option<Key<'_>>| {
        flags.decide(key.as_ref());
        let counted = allocation_counter::measure(|| {
            for _ in 0..100_000 {
                black_box(flags.decide(black_box(key.as_ref())));
            }
        });
        assert_eq!(counted.count_total, 0, "{name}: deciding allocated");
        names.push(name);
        group.bench_function(name, |b| b.iter(|| flags.decide(black_box(key.as_ref()))));
    };
    case("off", &Flags::in_memory(0), Some(key));
    case("no key", &Flags::in_memory(25), None);
    case("canary", &Flags::in_memory(25), Some(key));
    case("complete", &Flags::in_memory(100), Some(key));
    let overridden = Flags::in_memory(25);
    for number in 0..1000 {
        // The keys are not empty, so none is refused.
        let _ = overridden.set_override(&format!("tenant-{number}"), BackendKind::Async, None);
    }
    case("canary, 1000 overrides", &overridden, Some(key));
    let stormy = Flags::in_memory(25);
    during_a_storm(&stormy, Duration::from_micros(100), || {
        case("canary, up to 10000 changes a second", &stormy, Some(key));
    });
    during_a_storm(&stormy, Duration::ZERO, || {
        case("canary, changes without a pause", &stormy, Some(key));
    });
    group.finish();
    ("decide", names)
}

/// Runs `measured` while another thread replaces the flag again and again.
fn during_a_storm(flags: &Flags, pause: Duration, measured: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        // Also where `measured` panics: the scope waits for the thread.
        let _stops = Stops(&stop);
        scope.spawn(|| {
            for percent in (1..=99).cycle() {
                flags.set_percent(percent);
                if !pause.is_zero() {
                    thread::sleep(pause);
                }
                if stop.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        measured();
    });
}

/// Ends the storm when it is dropped.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
