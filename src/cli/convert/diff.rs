//! What would change, as a unified diff that `patch` takes.

use crate::cli::print::Tone;
use similar::TextDiff;

/// The difference between two versions of a file.
pub(super) fn unified(name: &str, old: &str, new: &str, color: bool) -> String {
    let diff = TextDiff::from_lines(old, new);
    let relative = name.trim_start_matches('/');
    let text = diff
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{relative}"), &format!("b/{relative}"))
        .to_string();
    if !color {
        return text;
    }
    text.split_inclusive('\n').map(painted).collect()
}

fn painted(line: &str) -> String {
    let tone = match line.as_bytes().first() {
        _ if line.starts_with("---") || line.starts_with("+++") => Tone::Title,
        Some(b'-') => Tone::Bad,
        Some(b'+') => Tone::Good,
        Some(b'@') => Tone::Faint,
        _ => return line.to_owned(),
    };
    // The colour ends before the line does, so that a terminal paints no more than the line.
    let text = line.trim_end_matches(['\r', '\n']);
    tone.paint(text, true) + &line[text.len()..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_names_the_file_and_keeps_line_ends() {
        let text = unified("/sql/a.sql", "a\r\nb %s", "a\r\nb $1", false);
        let expected = "--- a/sql/a.sql\n+++ b/sql/a.sql\n@@ -1,2 +1,2 @@\n a\r\n-b %s\n\\ No newline at end of file\n+b $1\n\\ No newline at end of file\n";
        assert_eq!(text, expected);
        let painted = unified("a", "b %s\n", "b $1\n", true);
        assert!(painted.contains("\u{1b}[31m-b %s\u{1b}[0m\n"));
    }
}
