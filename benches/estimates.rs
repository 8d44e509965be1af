//! What Criterion measured in this run.

use std::path::{Path, PathBuf};

/// Where the benches of this crate let Criterion write.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion")
}

/// The median nanoseconds of one iteration; none where the case was filtered out.
pub(crate) fn median(group: &str, case: &str) -> Option<f64> {
    let path = folder().join(group).join(case).join("new/estimates.json");
    let text = std::fs::read_to_string(path).ok()?;
    let estimates: serde_json::Value = serde_json::from_str(&text).ok()?;
    estimates["median"]["point_estimate"].as_f64()
}
