//! `docs/FLAGS.md`: the variables and the keys of flags.toml, made from the tables and the defaults in the code.

use super::file::FlagsFile;
use super::keys::KEYS;
use super::switch::Switch;
use super::variables::VARIABLES;
use serde_json::Value;
use std::fmt::Write;

/// The reference of all variables and keys, as Markdown.
pub fn reference() -> String {
    let mut text = String::from(
        "# Settings: variables and flags.toml\n\n\
         Made from the code by `UPDATE_DOCS=1 cargo test --features server reference`; a test fails where it is stale.\n\n\
         A setting comes from four layers, each above the one before: defaults, flags.toml, environment, arguments.\n\n\
         ## Environment\n\n| variable | default | meaning |\n|---|---|---|\n",
    );
    for variable in VARIABLES {
        let default = match variable.default {
            "" => "empty".to_owned(),
            words if words.contains(' ') || words == "none" => words.to_owned(),
            word => format!("`{word}`"),
        };
        row(
            &mut text,
            &[&format!("`{}`", variable.name), &default, variable.what],
        );
    }
    sources(&mut text);
    text.push_str("\n## flags.toml\n\nAn unknown key is an error that names the line and the nearest known key. ");
    text.push_str("A percentage is a number from 0 to 100 with at most two decimals; a duration a whole number with `ms`, `s`, `m`, `h` or `d`.\n\n");
    text.push_str("| key | holds | default | meaning |\n|---|---|---|---|\n");
    let defaults = serde_json::to_value(FlagsFile::default()).unwrap_or_default();
    for key in KEYS {
        let path = key.path.replace('*', "NAME");
        let default = default(&defaults, key.path);
        row(
            &mut text,
            &[&format!("`{path}`"), key.holds, &default, key.what],
        );
    }
    text
}

fn sources(text: &mut String) {
    text.push_str(
        "\n## Who decides: the most cautious\n\n\
         Stages, the most cautious first: `off`, `shadow`, `canary(p%)`, `full` (99 %; 1 % stays behind as a live control), `complete`.\n\
         The base is what `use_async_db` of the environment in flags.toml asks for, else `USE_ASYNC_DB` itself, else off. What is in force is the\n\
         minimum of the base and of every source's cap:\n\n\
         | source | cap |\n|---|---|\n",
    );
    row(
        text,
        &[
            "kill file",
            "off while the file is there; its contents (`reason`, `who`, `at`, as JSON or lines) are shown, its presence counts",
        ],
    );
    row(
        text,
        &[
            "`USE_ASYNC_DB`",
            &format!("accepted are {}", Switch::ACCEPTED),
        ],
    );
    row(text, &["flags.toml", "`max_stage` of the environment"]);
    row(
        text,
        &[
            "override",
            "of one tenant or session: blocking always holds; async passes the share, and no cap",
        ],
    );
}

fn row(text: &mut String, cells: &[&str]) {
    let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    // Writing to a text does not fail.
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

/// The default of a key: what a file without it means.
fn default(defaults: &Value, path: &str) -> String {
    let known = match path {
        "environments.*.use_async_db" => Some("auto"),
        "plan.step[].bake" => Some("10m"),
        "plan.step[].min_calls" => Some("2000"),
        "schema" | "migration.id" | "migration.salt" => return String::new(),
        _ => None,
    };
    if let Some(known) = known {
        return format!("`{known}`");
    }
    match defaults.pointer(&format!("/{}", path.replace('.', "/"))) {
        None => String::new(),
        Some(Value::String(text)) if text.is_empty() => "empty".into(),
        Some(Value::String(text)) => format!("`{text}`"),
        Some(Value::Array(items)) => {
            let items: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            format!("`{}`", items.join("`, `"))
        }
        Some(value) => format!("`{value}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Step};
    use std::path::Path;
    use std::{env, fs};

    #[test]
    fn the_reference_in_docs_is_the_code_s() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/FLAGS.md");
        if env::var_os("UPDATE_DOCS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, reference()).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == reference(),
            "docs/FLAGS.md is stale: run UPDATE_DOCS=1 cargo test --features server reference"
        );
    }

    #[test]
    fn the_defaults_that_are_named_here_are_the_code_s() {
        let environment: Environment = toml::from_str("max_stage = \"full\"").unwrap();
        assert_eq!(environment.use_async_db.to_string(), "auto");
        let step: Step = toml::from_str("read = 1\nwrite = 0").unwrap();
        assert_eq!(crate::config::show_duration(step.bake), "10m");
        assert_eq!(step.min_calls, 2000);
    }
}
