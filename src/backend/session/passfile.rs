//! The password file: `PGPASSFILE` or `~/.pgpass`, as libpq reads it.

use std::fs;
use std::path::{Path, PathBuf};

/// The file to read: the one that was named, or the user's own.
pub(super) fn path(
    named: Option<String>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Option<PathBuf> {
    let own = || variable("HOME").map(|home| Path::new(&home).join(".pgpass"));
    named.map(PathBuf::from).or_else(own)
}

/// The password of the first line that fits host, port, database and user.
///
/// A file that others may read is passed over, as libpq does; why a file was passed over is logged, never what it holds.
pub(super) fn look_up(file: &Path, wanted: &[String; 4]) -> Option<String> {
    if !file.is_file() {
        return None;
    }
    if is_open_to_others(file) {
        tracing::warn!(file = %file.display(), "the password file is passed over: others than its owner may read it; chmod 0600 it");
        return None;
    }
    match fs::read_to_string(file) {
        Ok(text) => text.lines().find_map(|line| fits(line, wanted)),
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "the password file is passed over: it cannot be read");
            None
        }
    }
}

#[cfg(unix)]
fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

/// The line's password, if its four fields fit.
fn fits(line: &str, wanted: &[String; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut rest = line;
    for value in wanted {
        let (field, after) = field(rest);
        // A lone star fits everything; an escaped one is a star.
        if field != *value && !rest.starts_with("*:") {
            return None;
        }
        rest = after?;
    }
    let (password, _) = field(rest);
    (!password.is_empty()).then_some(password)
}

/// The text up to the next bare colon, without its escapes, and what follows the colon.
fn field(text: &str) -> (String, Option<&str>) {
    let mut field = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            ':' => return (field, Some(&text[at + 1..])),
            '\\' => field.extend(chars.next().map(|(_, escaped)| escaped)),
            other => field.push(other),
        }
    }
    (field, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> [String; 4] {
        ["db.example.com", "5432", "app", "me"].map(str::to_owned)
    }

    #[test]
    fn a_line_fits_by_field_or_star() {
        for (line, password) in [
            ("db.example.com:5432:app:me:secret", Some("secret")),
            ("*:*:*:*:secret", Some("secret")),
            ("*:*:*:me:a\\:b\\\\c", Some("a:b\\c")),
            ("*:*:*:me:a b ", Some("a b ")),
            ("db.example.com:5433:app:me:secret", None),
            ("other:5432:app:me:secret", None),
            ("#db.example.com:5432:app:me:secret", None),
            ("\\*:*:*:*:secret", None),
            ("db.example.com:5432", None),
            ("*:*:*:*:", None),
            ("", None),
        ] {
            assert_eq!(fits(line, &wanted()).as_deref(), password, "{line}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_passed_over() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pass");
        fs::write(&file, "# mine\r\nother:*:*:*:wrong\r\n*:*:*:*:secret\r\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(look_up(&file, &wanted()), None);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(look_up(&file, &wanted()).as_deref(), Some("secret"));
        assert_eq!(look_up(folder.path(), &wanted()), None);
    }
}
