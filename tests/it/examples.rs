#[path = "../../examples/quick_start.rs"]
mod quick_start;
#[expect(dead_code, reason = "its main is for `cargo run --example`")]
#[path = "../../examples/step_0_r2d2.rs"]
mod step_0_r2d2;
#[expect(dead_code, reason = "its main is for `cargo run --example`")]
#[path = "../../examples/step_1_handed_in.rs"]
mod step_1_handed_in;
#[expect(dead_code, reason = "its main is for `cargo run --example`")]
#[path = "../../examples/step_2_flag.rs"]
mod step_2_flag;
#[expect(dead_code, reason = "its main is for `cargo run --example`")]
#[path = "../../examples/step_3_async_only.rs"]
mod step_3_async_only;

use std::fs;
use std::path::Path;
use std::process::Command;

use pontoon::config::Switch;

use crate::support::Database;

/// Says that this process is the one in which the front page's example runs.
const CHILD: &str = "PONTOON_TEST_QUICK_START";

#[test]
fn each_step_goes_on_where_the_one_before_left_off() {
    let database = Database::empty();
    let folder = tempfile::tempdir().unwrap();
    let kill_file = folder.path().join("rollback");
    let kill_file = kill_file.to_str().unwrap();
    let url = &database.url;
    assert_eq!(step_0_r2d2::run(url).unwrap(), 1);
    assert_eq!(step_1_handed_in::run(url).unwrap(), 2);

    let run = |text: &str| step_2_flag::run(url, text.parse().unwrap(), kill_file).unwrap();
    let by = |backend, first| {
        (first..first + 4)
            .map(|count| (count, backend))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        step_2_flag::run(url, Switch::Auto, kill_file).unwrap(),
        by("blocking", 3)
    );
    let half = run("50%");
    let counts: Vec<i64> = half.iter().map(|(count, _)| *count).collect();
    assert_eq!(counts, [7, 8, 9, 10]);
    for backend in ["blocking", "async"] {
        assert!(half.iter().any(|(_, by)| *by == backend), "{half:?}");
    }
    assert_eq!(run("true"), by("async", 11));
    fs::write(kill_file, "").unwrap();
    assert_eq!(run("true"), by("blocking", 15));

    assert_eq!(step_3_async_only::run(url).unwrap(), 19);
}

#[test]
fn the_front_page_s_ten_lines_greet_by_either_backend() {
    if std::env::var_os(CHILD).is_some() {
        return quick_start::main().unwrap();
    }
    let database = Database::empty();
    let (_, module) = module_path!().split_once("::").unwrap();
    let name = format!("{module}::the_front_page_s_ten_lines_greet_by_either_backend");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--nocapture"])
        .env(CHILD, "1")
        .env("DATABASE_URL", &database.url)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    for line in ["blocking: Hello, Ada", "async: Hello, Ada"] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
}

#[test]
fn the_front_page_shows_the_example() {
    const PRINTS: &str =
        "#[expect(clippy::print_stdout, reason = \"what it shows is its purpose\")]\n";
    let read = |name| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    let example = read("examples/quick_start.rs");
    let (_, code) = example.split_once("\n\n").unwrap();
    let page = read("README.md");
    let code = code.replace(PRINTS, "").replace("pub(crate) ", "");
    let shown = format!("```rust,no_run\n{code}```\n");
    assert!(page.contains(&shown), "README.md should show:\n{shown}");
}
