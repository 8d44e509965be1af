//! `docs/BENCHMARKS.md`, whose parts are written by several benches: each keeps the others'.

use std::path::Path;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/BENCHMARKS.md");

/// What a bench writes, in the order of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    dead_code,
    reason = "each bench that includes this file writes one of them"
)]
pub(crate) enum Part {
    Backends,
    Cost,
    Translator,
}

/// Stand between the parts.
const BORDERS: [&str; 2] = [
    "\n<!-- Below: what the bridge costs, by `benches/cost`. -->\n",
    "\n<!-- Below: the translator, by `benches/translate`. -->\n",
];

/// Replaces one part of the page.
pub(crate) fn write(part: Part, text: &str) -> std::io::Result<()> {
    let page = std::fs::read_to_string(Path::new(PAGE))?;
    let (rest, translator) = page.split_once(BORDERS[1]).unwrap_or((&page, ""));
    let (backends, cost) = rest.split_once(BORDERS[0]).unwrap_or((rest, ""));
    let mut parts = [backends, cost, translator];
    parts[part as usize] = text;
    let [backends, cost, translator] = parts;
    let [first, second] = BORDERS;
    let page = format!("{backends}{first}{cost}{second}{translator}");
    std::fs::write(Path::new(PAGE), page)
}
