//! The tables.

use crate::estimates;
use crate::select_one::Added;
use pontoon::backend::BackendKind;
use std::fmt::Write;

/// A group of Criterion's, with its cases.
pub(crate) type Group = (&'static str, Vec<&'static str>);

/// The part of the page.
pub(crate) fn text(groups: &[Group], real: &[(BackendKind, Added, u64)]) -> String {
    let mut text = "\n## What the bridge itself costs\n\n\
        Written by `cargo bench --features server --bench cost` with `UPDATE_DOCS=1`. *decide*: which backend a unit of work runs on, by \
        Criterion; a case that allocates ends the bench. *bridge*: a backend that answers at once, with the bridge before it and without.\n\n\
        | group | case | median ns |\n|---|---|---:|\n"
        .to_owned();
    for (group, cases) in groups {
        for case in cases {
            if let Some(median) = estimates::median(group, case) {
                let _ = writeln!(text, "| {group} | {case} | {median:.0} |");
            }
        }
    }
    text.push_str(
        "\nOn a real server, one client over a unix socket. `SELECT 1`: both ways on one connection, in turns of 50 calls, medians of 300 \
         rounds. A stream: by how much the greatest memory of a process grows that reads a million rows of about 100 bytes.\n\n\
         | backend | `SELECT 1` us | bridge adds us | share | a million rows, MiB |\n|---|---:|---:|---:|---:|\n",
    );
    for (kind, added, stream) in real {
        let _ = writeln!(
            text,
            "| {kind} | {:.1} | {:.2} | {:.1} % | {} |",
            added.direct,
            added.more,
            added.share * 100.0,
            stream.div_ceil(1 << 20)
        );
    }
    text
}
