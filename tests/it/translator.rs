//! Texts of all kinds through the translator: what holds for each, and what they cost.

mod laws;

use pontoon::sql::translate::{Paramstyle, Style, split_statements, translate};
use proptest::prelude::*;
use std::time::{Duration, Instant};

proptest! {
    #[test]
    fn the_laws_hold_for_texts_of_sql_and_placeholders(
        sql in "(%s|%s|%\\(a\\)s|%%|%|\\?|:a|::|\\$1|['\"$ eENU&xb\n\\\\/*;:@|+.,()\\[\\]-]|\\$\\$|\\$a\\$|--|1|1e|and|NOT|é|.){0,24}",
    ) {
        laws::hold(&sql);
    }
}

/// A text that is read again from each of its pieces would take far longer than the bound.
#[test]
fn the_work_grows_with_the_text_and_not_with_its_square() {
    let pieces = [
        "+-",
        "*+-",
        "%s,",
        "%(",
        "%(a)",
        "$",
        "$a",
        "$a$ ",
        "/*",
        "*/",
        "'",
        "'a'\n",
        "'a'\n--\n",
        "\"",
        "E'\\",
        "a$",
        "1e",
        "1.",
        "?",
        "??",
        ":a",
        ":",
        "(",
        "case ",
        "begin atomic ",
        "NOT%s ",
        "aaaaaaaa",
    ];
    let started = Instant::now();
    for piece in pieces {
        let text = piece.repeat(200_000 / piece.len());
        for text in [text.clone(), text + ")s"] {
            for style in Paramstyle::ALL
                .map(Style::Known)
                .into_iter()
                .chain([Style::Auto])
            {
                let _ = translate(&text, style);
            }
            let _ = split_statements(&text);
        }
    }
    assert!(started.elapsed() < Duration::from_mins(5));
}
