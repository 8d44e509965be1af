//! The keys of flags.toml, each with its type and meaning: what a misspelt key is held against, and what the reference is made from.

/// A key of flags.toml.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// Its path. `*` stands for any name, `[]` for each item of a list.
    pub path: &'static str,
    /// What it holds.
    pub holds: &'static str,
    /// What it means.
    pub what: &'static str,
}

const fn key(path: &'static str, holds: &'static str, what: &'static str) -> Key {
    Key { path, holds, what }
}

const SHARE: &str = "share, 0.0 to 1.0";
const PERCENT: &str = "percentage";
const DURATION: &str = "duration";
const COUNT: &str = "whole number";
const TEXT: &str = "text";
const ACTION: &str = "`rollback` or `pause`";
const STAGE: &str = "`off`, `shadow`, `canary`, `canary(25%)`, `full` or `complete`";

/// Every key of flags.toml, in the order of the reference.
pub const KEYS: &[Key] = &[
    key("schema", COUNT, "the version of this format: 1; required"),
    key(
        "migration.id",
        TEXT,
        "the migration's name; another name draws another cohort; required in `[migration]`",
    ),
    key(
        "migration.salt",
        TEXT,
        "sets this cohort apart; no promotion changes it; required in `[migration]`",
    ),
    key(
        "migration.hash",
        "`xxh3-64/v1`",
        "how a key becomes a bucket; any other value is refused",
    ),
    key(
        "migration.key",
        "list of `tenant`, `session`",
        "the parts of a key; the first that is present wins. A unit of work without any is blocking below 100 %, and counted",
    ),
    key(
        "environments.*.max_stage",
        STAGE,
        "how far this environment may go; required in each environment",
    ),
    key(
        "environments.*.use_async_db",
        "the words of `USE_ASYNC_DB`",
        "what this environment asks for, within the caps; `auto`: the variable decides, and unset is off",
    ),
    key(
        "environments.*.requires_evidence",
        "`ENVIRONMENT:STAGE:DURATION`",
        "what another environment must have shown before this one is raised",
    ),
    key(
        "environments.*.approve",
        "list of percentages",
        "the steps that somebody must approve",
    ),
    key(
        "budget.total",
        COUNT,
        "connections that both backends may use together",
    ),
    key(
        "budget.blocking_floor",
        COUNT,
        "connections that each backend keeps open when nobody uses them",
    ),
    key(
        "budget.shadow_max_share",
        SHARE,
        "the part of the budget that shadow reads may use",
    ),
    key(
        "session.timezone",
        TEXT,
        "the session's time zone on both backends",
    ),
    key(
        "session.statement_timeout",
        DURATION,
        "the server ends a statement that runs longer; `0s`: never",
    ),
    key(
        "session.lock_timeout",
        DURATION,
        "the server ends a statement that waits longer for a lock; `0s`: never",
    ),
    key(
        "session.idle_in_transaction_timeout",
        DURATION,
        "the server ends a transaction that is idle for longer; `0s`: never",
    ),
    key(
        "session.search_path",
        TEXT,
        "the schemas that unqualified names are looked up in; empty: the role's default",
    ),
    key(
        "plan.step[].read",
        PERCENT,
        "the keys whose reads are async at this step; required in each step",
    ),
    key(
        "plan.step[].write",
        PERCENT,
        "the keys whose writes are async; never more than `read`; required in each step",
    ),
    key(
        "plan.step[].bake",
        DURATION,
        "how long the step is held at least",
    ),
    key(
        "plan.step[].min_calls",
        COUNT,
        "how many calls it takes at least to judge the step",
    ),
    key(
        "shadow.sample",
        SHARE,
        "the part of the reads that is compared",
    ),
    key(
        "shadow.aa_share",
        SHARE,
        "the part of the samples that compares blocking with blocking, to know the noise",
    ),
    key(
        "shadow.deadline",
        DURATION,
        "how long a shadow read may take",
    ),
    key(
        "shadow.max_per_second",
        COUNT,
        "how many shadow reads begin in a second at most",
    ),
    key(
        "shadow.queue",
        COUNT,
        "how many wait at most; more are dropped and counted",
    ),
    key(
        "shadow.confirm",
        "`snapshot`",
        "how a difference is confirmed: both backends read again under one snapshot",
    ),
    key(
        "shadow.ignore[].query",
        TEXT,
        "a known difference: in this query",
    ),
    key("shadow.ignore[].column", TEXT, "in this column"),
    key(
        "shadow.ignore[].rule",
        "`within:DURATION`",
        "what counts as equal there",
    ),
    key("shadow.ignore[].owner", TEXT, "who answers for it"),
    key(
        "shadow.ignore[].until",
        "day, `2027-01-31`",
        "the last day on which it is ignored",
    ),
    key(
        "triggers.errors.over",
        SHARE,
        "fires when more than this part of the calls fail",
    ),
    key("triggers.errors.action", ACTION, "what it does"),
    key(
        "triggers.slow.over",
        SHARE,
        "fires when more than this part of the calls are slow; calls in flight count",
    ),
    key(
        "triggers.slow.longer_than",
        DURATION,
        "from when on a call is slow",
    ),
    key("triggers.slow.action", ACTION, "what it does"),
    key(
        "triggers.connection.errors",
        COUNT,
        "fires at this many connection errors",
    ),
    key(
        "triggers.connection.within",
        DURATION,
        "the time in which they fall",
    ),
    key(
        "triggers.connection.share",
        SHARE,
        "the part of the calls that they are at least",
    ),
    key("triggers.connection.action", ACTION, "what it does"),
    key(
        "triggers.session_persistence.failures",
        COUNT,
        "fires when this many sessions that were written cannot be read",
    ),
    key(
        "triggers.session_persistence.within",
        DURATION,
        "the time in which they fall",
    ),
    key(
        "triggers.session_persistence.action",
        ACTION,
        "what it does",
    ),
    key(
        "triggers.mismatch.confirmed",
        COUNT,
        "fires at this many confirmed differences",
    ),
    key(
        "triggers.mismatch.within",
        DURATION,
        "the time in which they fall",
    ),
    key("triggers.mismatch.action", ACTION, "what it does"),
    key(
        "triggers.relative_p95.factor",
        "number from 1.0",
        "fires when the async p95 is above the blocking one times this",
    ),
    key("triggers.relative_p95.plus", DURATION, "and this on top"),
    key("triggers.relative_p95.action", ACTION, "what it does"),
    key(
        "triggers.executor_stall.p99",
        DURATION,
        "fires when a ready task waits longer than this at the p99",
    ),
    key("triggers.executor_stall.for", DURATION, "for this long"),
    key("triggers.executor_stall.action", ACTION, "what it does"),
    key(
        "triggers.budget.used",
        SHARE,
        "fires when more than this part of the budget is in use",
    ),
    key("triggers.budget.action", ACTION, "what it does"),
    key(
        "detector.confirm",
        DURATION,
        "how long a condition must hold before the whole fleet is rolled back",
    ),
    key(
        "detector.warmup",
        DURATION,
        "how long after a start or a raise nothing is judged",
    ),
    key(
        "detector.cooldown",
        DURATION,
        "how long after a rollback nothing is raised",
    ),
];

/// What may stand in the table at `path`: the next word of every key below it, once. `None` where any name may.
#[cfg(feature = "server")]
pub(super) fn known_in(path: &str) -> Option<Vec<&'static str>> {
    let mut words = Vec::new();
    for key in KEYS {
        let Some(word) = next_word(key.path, path) else {
            continue;
        };
        if word == "*" {
            return None;
        }
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Some(words)
}

/// The word that follows `path` in a key's path, without the marks of a list.
#[cfg(feature = "server")]
fn next_word(key: &'static str, path: &str) -> Option<&'static str> {
    let rest = match path {
        "" => key,
        path => key.strip_prefix(path)?.strip_prefix('.')?,
    };
    let word = rest.split('.').next()?;
    Some(word.strip_suffix("[]").unwrap_or(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, FlagsFile, Ignore, Shadow};
    use serde_json::Value;
    use std::collections::BTreeSet;

    /// A file in which every optional thing is there.
    fn whole() -> FlagsFile {
        let environment: Environment = serde_json::from_str(
            r#"{"max_stage":"full","use_async_db":"auto","requires_evidence":"staging:full:24h","approve":[25]}"#,
        )
        .unwrap();
        let ignore: Ignore = serde_json::from_str(
            r#"{"query":"q","column":"c","rule":"within:2s","owner":"db","until":"2027-01-31"}"#,
        )
        .unwrap();
        FlagsFile {
            environments: [("*".to_owned(), environment)].into(),
            shadow: Shadow {
                ignore: vec![ignore],
                ..Shadow::default()
            },
            ..FlagsFile::default()
        }
    }

    fn paths(value: &Value, path: &str, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let path = if path.is_empty() {
                        name.clone()
                    } else {
                        format!("{path}.{name}")
                    };
                    paths(value, &path, into);
                }
            }
            Value::Array(items) if items.iter().any(Value::is_object) => {
                paths(&items[0], &format!("{path}[]"), into);
            }
            _ => {
                into.insert(path.to_owned());
            }
        }
    }

    #[test]
    fn the_table_names_exactly_what_the_file_holds() {
        let mut fields = BTreeSet::new();
        paths(&serde_json::to_value(whole()).unwrap(), "", &mut fields);
        let table: BTreeSet<String> = KEYS.iter().map(|key| key.path.to_owned()).collect();
        assert_eq!(fields, table);
        assert_eq!(table.len(), KEYS.len(), "a key is named twice");
    }

    #[cfg(feature = "server")]
    #[test]
    fn a_table_s_words() {
        assert_eq!(
            known_in("migration").unwrap(),
            ["id", "salt", "hash", "key"]
        );
        assert_eq!(known_in("plan").unwrap(), ["step"]);
        assert_eq!(
            known_in("plan.step[]").unwrap(),
            ["read", "write", "bake", "min_calls"]
        );
        assert_eq!(known_in("environments"), None);
        assert_eq!(known_in("environments.*").unwrap()[0], "max_stage");
        assert_eq!(known_in("").unwrap().len(), 9);
    }
}
