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
    Tree,
}

/// Stand between the parts.
const BORDERS: [&str; 3] = [
    "\n<!-- Below: what the bridge costs, by `benches/cost`. -->\n",
    "\n<!-- Below: the translator, by `benches/translate`. -->\n",
    "\n<!-- Below: a tree of files, by `benches/tree`. -->\n",
];

/// Replaces one part of the page.
pub(crate) fn write(part: Part, text: &str) -> std::io::Result<()> {
    let page = std::fs::read_to_string(Path::new(PAGE))?;
    let mut parts = Vec::new();
    let mut rest = page.as_str();
    for border in BORDERS {
        let (part, behind) = rest.split_once(border).unwrap_or((rest, ""));
        parts.push(part);
        rest = behind;
    }
    parts.push(rest);
    parts[part as usize] = text;
    let mut page = parts[0].to_owned();
    for (border, part) in BORDERS.iter().zip(&parts[1..]) {
        page.push_str(border);
        page.push_str(part);
    }
    std::fs::write(Path::new(PAGE), page)
}
