//! Any text, in every style, through the translator and the splitter.

#![no_main]

#[path = "../../tests/it/translator/laws.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|sql: &str| laws::hold(sql));
