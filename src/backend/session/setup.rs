//! The statements that put a connection into the one common state, whatever its driver sent at start-up.

use crate::backend::Settings;
use std::time::Duration;

/// What `PgBouncer` keeps for each client and puts onto whichever server connection it is given: the rest would leak to other clients.
const TRACKED: [(&str, &str); 2] = [
    ("DateStyle", "ISO, MDY"),
    ("standard_conforming_strings", "on"),
];

/// What a pooler does not keep.
const UNTRACKED: [(&str, &str); 3] = [
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
];

/// Ends a statement whose client has gone, where the server can notice it: from version 14, and on Linux.
const NOTICE_GONE_CLIENT: &str = "SELECT set_config(name, '5000', false) FROM pg_settings \
     WHERE name = 'client_connection_check_interval' AND version() LIKE '%linux%'";

/// The statements that put a fresh connection into the one common state, as one simple-query batch: one round trip.
///
/// Behind a pooler that gives out server connections per transaction it sets only what the pooler keeps for each client. What else is to
/// hold there is set in each transaction by [`transaction_sql`], or for good by `ALTER ROLE ... SET`.
pub(crate) fn setup_sql(settings: &Settings) -> String {
    let session = &settings.session;
    let mut values = vec![("TimeZone", session.timezone.clone())];
    values.extend(TRACKED.map(|(name, value)| (name, value.to_owned())));
    if session.transaction_pooler {
        return set(&values);
    }
    values.extend(untracked(settings));
    format!("{}; {NOTICE_GONE_CLIENT}", set(&values))
}

/// What each transaction sets for itself behind a pooler, to be sent with its BEGIN; `None` where [`setup_sql`] has set it for good.
///
/// `SET` takes no snapshot, as a query would, so that the transaction may still be given one.
pub(crate) fn transaction_sql(settings: &Settings) -> Option<String> {
    let set = |(name, value): (&str, String)| match name {
        "search_path" => format!("SET LOCAL search_path = {}", list(&value)),
        _ => format!("SET LOCAL {name} = {}", literal(&value)),
    };
    let pooler = settings.session.transaction_pooler;
    pooler.then(|| {
        let each: Vec<String> = untracked(settings).into_iter().map(set).collect();
        each.join("; ")
    })
}

/// The names that these settings decide, so that the connection's `options` must not.
pub(super) fn decided(settings: &Settings) -> Vec<&'static str> {
    let mut names = vec![
        "TimeZone",
        "client_encoding",
        "application_name",
        "client_connection_check_interval",
    ];
    names.extend(TRACKED.map(|(name, _)| name));
    names.extend(untracked(settings).into_iter().map(|(name, _)| name));
    names
}

fn untracked(settings: &Settings) -> Vec<(&'static str, String)> {
    let session = &settings.session;
    let mut values: Vec<_> = UNTRACKED.map(|(name, value)| (name, value.into())).into();
    values.extend([
        ("statement_timeout", milliseconds(session.statement_timeout)),
        ("lock_timeout", milliseconds(session.lock_timeout)),
        (
            "idle_in_transaction_session_timeout",
            milliseconds(session.idle_in_transaction_timeout),
        ),
    ]);
    if let Some(path) = &session.search_path {
        values.push(("search_path", path.clone()));
    }
    values
}

fn set(values: &[(&str, String)]) -> String {
    let calls: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("set_config('{name}', {}, false)", literal(value)))
        .collect();
    format!("SELECT {}", calls.join(", "))
}

/// The schemas of a search path, each as a literal: as one literal they would be one name.
fn list(path: &str) -> String {
    let mut names = vec![String::new()];
    let mut quoted = false;
    let mut letters = path.chars().peekable();
    while let Some(letter) = letters.next() {
        let last = names.len() - 1;
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => names[last].extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => names.push(String::new()),
            _ if quoted => names[last].push(letter),
            _ if letter.is_whitespace() => {}
            _ => names[last].push(letter.to_ascii_lowercase()),
        }
    }
    let names: Vec<String> = names.iter().map(|name| literal(name)).collect();
    names.join(", ")
}

/// A string literal that means the same whatever `standard_conforming_strings` says.
fn literal(value: &str) -> String {
    let quoted = value.replace('\\', "\\\\").replace('\'', "''");
    let mark = if value.contains('\\') { "E" } else { "" };
    format!("{mark}'{quoted}'")
}

/// Whole milliseconds, at least one unless there are none: zero would mean no limit.
fn milliseconds(limit: Duration) -> String {
    let most = u128::from(i32::MAX.unsigned_abs());
    limit.as_nanos().div_ceil(1_000_000).min(most).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::default()
    }

    #[test]
    fn a_session_is_set_in_one_batch() {
        let mut settings = settings();
        settings.session.search_path = Some("app, \"Odd\"".into());
        let sql = setup_sql(&settings);
        for part in [
            "set_config('TimeZone', 'UTC', false)",
            "set_config('DateStyle', 'ISO, MDY', false)",
            "set_config('statement_timeout', '30000', false)",
            "set_config('lock_timeout', '0', false)",
            "set_config('search_path', 'app, \"Odd\"', false)",
            "client_connection_check_interval",
        ] {
            assert!(sql.contains(part), "{part} is not in {sql}");
        }
        assert_eq!(transaction_sql(&settings), None);
    }

    #[test]
    fn behind_a_pooler_nothing_outlives_a_transaction() {
        let mut settings = settings();
        settings.session.transaction_pooler = true;
        assert_eq!(
            setup_sql(&settings),
            "SELECT set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO, MDY', false), \
             set_config('standard_conforming_strings', 'on', false)"
        );
        settings.session.search_path = Some("\"$user\", App ,\"Odd, \"\"one\"\"\"".into());
        let sql = transaction_sql(&settings).unwrap();
        for part in [
            "SET LOCAL statement_timeout = '30000'",
            "SET LOCAL search_path = '$user', 'app', 'Odd, \"one\"'",
        ] {
            assert!(sql.contains(part), "{part} is not in {sql}");
        }
        assert!(sql.split("; ").all(|set| set.starts_with("SET LOCAL ")));
    }

    #[test]
    fn a_value_cannot_leave_its_literal() {
        assert_eq!(
            literal("UTC'; DROP TABLE x; --"),
            "'UTC''; DROP TABLE x; --'"
        );
        assert_eq!(
            literal("\\'; DROP TABLE x; --"),
            "E'\\\\''; DROP TABLE x; --'"
        );
    }

    #[test]
    fn a_limit_never_rounds_to_none() {
        assert_eq!(milliseconds(Duration::ZERO), "0");
        assert_eq!(milliseconds(Duration::from_micros(1)), "1");
        assert_eq!(milliseconds(Duration::MAX), "2147483647");
    }
}
