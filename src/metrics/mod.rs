//! What is counted, and every metric's name and label, in one list.
//!
//! A [`Meter`] counts the calls of one backend: for `status` and `/stats` from its own numbers, and for whoever has installed a recorder of
//! the crate `metrics`. A [`Window`] gives percentiles of the last minute or two.

mod meter;
mod window;

pub use meter::{Call, Meter, MeterStatus};
pub use window::{Percentiles, Window};

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// A metric: its name, what it says, and its labels.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// The name, as Prometheus shows it.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// What it says.
    pub what: &'static str,
    /// The labels beside `backend`.
    pub labels: &'static [&'static str],
}

/// Calls that came to an end.
pub const CALLS: &str = "pontoon_calls_total";
/// Calls that failed.
pub const ERRORS: &str = "pontoon_errors_total";
/// Calls whose caller gave them up.
pub const CANCELLED: &str = "pontoon_cancelled_total";
/// Calls that run now.
pub const IN_FLIGHT: &str = "pontoon_in_flight";
/// How long calls took.
pub const CALL_SECONDS: &str = "pontoon_call_seconds";
/// Connections of a pool.
pub const POOL: &str = "pontoon_pool_connections";
/// Callers that wait for a permit.
pub const POOL_WAITING: &str = "pontoon_pool_waiting";
/// How late the executor's timers are.
pub const EXECUTOR_STALL: &str = "pontoon_executor_stall_seconds";
/// The share of keys on async.
pub const ASYNC_SHARE: &str = "pontoon_async_share";
/// Units of work without a key, while not everybody was async.
pub const KEYLESS: &str = "pontoon_keyless_total";
/// The flag's revision.
pub const REVISION: &str = "pontoon_flag_revision";

/// Every metric. Each carries the label `backend`; what belongs to no single one says `bridge`.
pub const METRICS: &[Metric] = &[
    Metric {
        name: CALLS,
        kind: "counter",
        what: "Calls that came to an end, well or not",
        labels: &[],
    },
    Metric {
        name: ERRORS,
        kind: "counter",
        what: "Calls that failed, by kind",
        labels: &["kind"],
    },
    Metric {
        name: CANCELLED,
        kind: "counter",
        what: "Calls whose caller gave them up before the end",
        labels: &[],
    },
    Metric {
        name: IN_FLIGHT,
        kind: "gauge",
        what: "Calls that run now; a stream to its last row, a transaction only while a call of it runs",
        labels: &[],
    },
    Metric {
        name: CALL_SECONDS,
        kind: "histogram",
        what: "How long calls took, waits for a permit and a connection included",
        labels: &[],
    },
    Metric {
        name: POOL,
        kind: "gauge",
        what: "Connections of the pool",
        labels: &["state"],
    },
    Metric {
        name: POOL_WAITING,
        kind: "gauge",
        what: "Callers of this backend that wait for a permit of the budget",
        labels: &[],
    },
    Metric {
        name: EXECUTOR_STALL,
        kind: "gauge",
        what: "How late a timer of the executor is, over the last minute or two",
        labels: &["quantile"],
    },
    Metric {
        name: ASYNC_SHARE,
        kind: "gauge",
        what: "The share of keys that the flag gives to async, from 0 to 1",
        labels: &[],
    },
    Metric {
        name: KEYLESS,
        kind: "counter",
        what: "Units of work without a key, which are blocking unless everybody is async",
        labels: &[],
    },
    Metric {
        name: REVISION,
        kind: "gauge",
        what: "The revision of the flag that is in force in this process",
        labels: &[],
    },
];

/// Tells the recorder that is installed what each metric says.
pub fn describe() {
    for metric in METRICS {
        let unit = if metric.name.ends_with("_seconds") {
            Unit::Seconds
        } else {
            Unit::Count
        };
        match metric.kind {
            "counter" => describe_counter!(metric.name, unit, metric.what),
            "gauge" => describe_gauge!(metric.name, unit, metric.what),
            _ => describe_histogram!(metric.name, unit, metric.what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_prometheus() {
        for metric in METRICS {
            assert!(metric.name.starts_with("pontoon_"), "{}", metric.name);
            assert_eq!(
                metric.kind == "counter",
                metric.name.ends_with("_total"),
                "{}",
                metric.name
            );
        }
    }
}
