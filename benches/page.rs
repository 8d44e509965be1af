//! `docs/BENCHMARKS.md`, whose two halves are written by two benches: each keeps the other's.

use std::path::Path;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/BENCHMARKS.md");

/// Stands between the half of the backends and the half of the translator.
const BORDER: &str = "\n<!-- Below: the translator, by `benches/translate`. -->\n";

/// Which half a bench writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    dead_code,
    reason = "each bench that includes this file writes one of them"
)]
pub(crate) enum Half {
    Backends,
    Translator,
}

/// Replaces one half of the page.
pub(crate) fn write(half: Half, text: &str) -> std::io::Result<()> {
    let page = std::fs::read_to_string(Path::new(PAGE))?;
    let (backends, translator) = page.split_once(BORDER).unwrap_or((&page, ""));
    let (backends, translator) = match half {
        Half::Backends => (text, translator),
        Half::Translator => (backends, text),
    };
    std::fs::write(Path::new(PAGE), format!("{backends}{BORDER}{translator}"))
}
