//! What a statement's words say of it, without a parser.

use crate::sql::translate::{Scanner, TokenKind};

/// Functions that give each transaction, or each call, another value. A word with `()` counts only where it is called.
const VOLATILE: &[&str] = &[
    "clock_timestamp()",
    "current_date",
    "current_time",
    "current_timestamp",
    "currval()",
    "gen_random_uuid()",
    "lastval()",
    "localtime",
    "localtimestamp",
    "nextval()",
    "now()",
    "pg_backend_pid()",
    "pg_current_xact_id()",
    "random()",
    "statement_timestamp()",
    "timeofday()",
    "transaction_timestamp()",
    "txid_current()",
    "uuid_generate_v4()",
    "uuidv7()",
];

/// The words of a statement that are no literal, no comment and no quoted name, in small letters.
#[derive(Debug)]
pub(super) struct Code {
    words: Vec<Word>,
}

#[derive(Debug)]
struct Word {
    text: String,
    /// How many parentheses are open around it.
    depth: usize,
    /// Whether a parenthesis follows.
    called: bool,
}

impl Code {
    pub(super) fn of(sql: &str) -> Self {
        let mut words: Vec<Word> = Vec::new();
        let (mut depth, mut after_word) = (0_usize, false);
        for token in Scanner::new(sql).map_while(Result::ok) {
            let text = token.text(sql);
            match token.kind {
                kind if kind.is_blank() => continue,
                TokenKind::Punctuation if text == "(" => {
                    if let Some(last) = words.last_mut().filter(|_| after_word) {
                        last.called = true;
                    }
                    depth += 1;
                }
                TokenKind::Punctuation if text == ")" => depth = depth.saturating_sub(1),
                TokenKind::Identifier => words.push(Word {
                    text: text.to_ascii_lowercase(),
                    depth,
                    called: false,
                }),
                _ => {}
            }
            after_word = token.kind == TokenKind::Identifier;
        }
        Self { words }
    }

    /// Whether the statement itself, not a part of it, orders its rows.
    pub(super) fn orders(&self) -> bool {
        self.words
            .windows(2)
            .any(|pair| pair[0].depth == 0 && pair[0].text == "order" && pair[1].text == "by")
    }

    /// What in it gives each transaction another value.
    pub(super) fn volatile(&self) -> Option<&'static str> {
        let known = VOLATILE.iter();
        known.copied().find(|name| {
            self.words.iter().any(|word| match name.strip_suffix("()") {
                Some(name) => word.called && word.text == name,
                None => word.text == *name,
            })
        })
    }

    /// Whether it takes some rows of a result that has no order.
    pub(super) fn cuts(&self) -> bool {
        let mut words = self.words.iter();
        words.any(|word| word.depth == 0 && matches!(&*word.text, "limit" | "offset" | "fetch"))
    }

    /// Whether it adds rows, whose columns may be filled by sequences and clocks.
    pub(super) fn adds(&self) -> bool {
        self.words
            .iter()
            .any(|word| matches!(&*word.text, "insert" | "merge"))
    }

    /// Whether it returns rows, as far as words tell.
    pub(super) fn returns(&self) -> bool {
        let has = |wanted: &str| self.words.iter().any(|word| word.text == wanted);
        let first = self.words.first().map_or("", |word| &word.text);
        has("returning")
            || match first {
                "select" => !self
                    .words
                    .iter()
                    .any(|word| word.depth == 0 && word.text == "into"),
                "values" | "table" | "show" | "explain" | "fetch" | "execute" => true,
                "with" => !(has("insert") || has("update") || has("delete") || has("merge")),
                _ => false,
            }
    }

    /// Why it cannot run in a transaction that is rolled back.
    pub(super) fn refusal(&self) -> Option<String> {
        let word = |at: usize| self.words.get(at).map_or("", |word| &*word.text);
        let has = |wanted: &str| self.words.iter().any(|word| word.text == wanted);
        let shown = |count: usize| {
            let words = self.words.iter().take(count);
            let words: Vec<String> = words.map(|word| word.text.to_ascii_uppercase()).collect();
            words.join(" ")
        };
        match (word(0), word(1)) {
            ("copy", _) => Some("COPY moves data beside the protocol's rows".to_owned()),
            (
                "begin" | "commit" | "end" | "rollback" | "abort" | "start" | "savepoint"
                | "release",
                _,
            )
            | ("prepare" | "set", "transaction") => Some(format!(
                "{} is about the transaction, which `diff` begins and rolls back itself",
                shown(1)
            )),
            ("set", "session") if word(2) == "characteristics" => {
                Some("SET SESSION CHARACTERISTICS is about transactions".to_owned())
            }
            ("vacuum", _) => Some(outside(&shown(1))),
            (
                "create" | "drop" | "alter",
                "database" | "tablespace" | "subscription" | "system",
            ) => Some(outside(&shown(2))),
            ("create" | "drop" | "reindex" | "refresh" | "alter", _) if has("concurrently") => {
                Some(outside(&format!("{} CONCURRENTLY", shown(1))))
            }
            ("reindex", "database" | "system") | ("discard", "all") => Some(outside(&shown(2))),
            _ => None,
        }
    }
}

fn outside(what: &str) -> String {
    format!("{what} cannot run in a transaction, and so could not be taken back")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_statement_orders_returns_and_varies() {
        for (sql, orders, returns, volatile) in [
            ("SELECT a FROM t ORDER /* */ BY a", true, true, None),
            ("SELECT max(a) OVER (ORDER BY b) FROM t", false, true, None),
            ("SELECT 'order by' -- ORDER BY\n", false, true, None),
            (
                "(SELECT 1 ORDER BY 1) UNION SELECT now ()",
                false,
                true,
                Some("now()"),
            ),
            ("SELECT now FROM t", false, true, None),
            ("SELECT CURRENT_DATE", false, true, Some("current_date")),
            ("WITH a AS (SELECT 1) SELECT * FROM a", false, true, None),
            ("WITH a AS (SELECT 1) DELETE FROM t", false, false, None),
            (
                "INSERT INTO t VALUES (random()) RETURNING a",
                false,
                true,
                Some("random()"),
            ),
            ("SELECT 1 INTO x", false, false, None),
            ("UPDATE t SET a = 1", false, false, None),
        ] {
            let code = Code::of(sql);
            assert_eq!(
                (code.orders(), code.returns(), code.volatile()),
                (orders, returns, volatile),
                "{sql}"
            );
        }
    }

    #[test]
    fn what_cannot_be_taken_back_is_refused() {
        for sql in [
            "COPY t TO stdout",
            "begin",
            "/* a */ COMMIT",
            "ROLLBACK TO a",
            "END",
            "ABORT",
            "START TRANSACTION",
            "SAVEPOINT a",
            "RELEASE a",
            "PREPARE TRANSACTION 'a'",
            "SET TRANSACTION READ ONLY",
            "VACUUM t",
            "CREATE DATABASE a",
            "DROP DATABASE a",
            "ALTER SYSTEM SET a = 1",
            "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)",
            "REINDEX TABLE CONCURRENTLY t",
            "REINDEX DATABASE a",
            "DISCARD ALL",
        ] {
            assert!(Code::of(sql).refusal().is_some(), "{sql}");
        }
        for sql in [
            "SELECT 1",
            "SELECT 'COPY'",
            "SET search_path = a",
            "CREATE TABLE database (a int)",
            "PREPARE a AS SELECT 1",
            "CREATE INDEX i ON t (a)",
            "",
        ] {
            assert_eq!(Code::of(sql).refusal(), None, "{sql}");
        }
    }
}
