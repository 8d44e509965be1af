use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Where the page has the program listen.
const ADDRESS: &str = "127.0.0.1:8080";

/// Where the page's reader lives.
const HOME: &str = "/home/ada";

/// A command of the page, and what the page says that it prints.
#[derive(Debug)]
struct Step {
    command: String,
    output: String,
}

/// The commands of the page's `console` blocks, in order.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match (inside, line.strip_prefix("$ ")) {
            (false, _) => inside = line == "```console",
            (true, Some(command)) => steps.push(Step {
                command: command.to_owned(),
                output: String::new(),
            }),
            (true, None) if line == "```" => inside = false,
            (true, None) => {
                let step = steps.last_mut().expect("a block begins with a command");
                writeln!(step.output, "{line}").unwrap();
            }
        }
    }
    steps
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    let path = repository().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the Makefile's target runs, line by line.
fn recipe(target: &str) -> Vec<String> {
    let makefile = read("Makefile");
    let mut lines = makefile.lines();
    lines
        .find(|line| line.starts_with(&format!("{target}:")))
        .unwrap_or_else(|| panic!("the Makefile has no target {target}"));
    lines
        .map_while(|line| line.strip_prefix('\t'))
        .map(str::to_owned)
        .collect()
}

/// The arguments that `make run ARGS=...` gives to the program.
fn arguments_of_make_run(command: &str) -> Vec<String> {
    let given = command.strip_prefix("make run").unwrap().trim();
    let given = given.strip_prefix("ARGS=").unwrap_or(given);
    let runs = recipe("run").pop().unwrap();
    let (cargo, arguments) = runs
        .split_once(" -- ")
        .expect("`make run` runs the program");
    assert_eq!(cargo, "$(CARGO) run --release --features server");
    let arguments = arguments.replace("$(ARGS)", given);
    arguments.split_whitespace().map(str::to_owned).collect()
}

/// The reader's folder and home, and the program that they started.
struct Tour {
    folder: TempDir,
    service: Option<Child>,
    variables: BTreeMap<String, String>,
    /// What the page calls by another name than this run, each with the page's name.
    names: Vec<(String, String)>,
}

impl Tour {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        let flags = repository().join("flags.toml");
        fs::copy(flags, folder.path().join("flags.toml")).unwrap();
        let home = folder.path().join("home").display().to_string();
        Self {
            folder,
            service: None,
            variables: BTreeMap::new(),
            names: vec![(home, HOME.to_owned())],
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command with nothing of the machine's environment but the way to programs.
    fn command(&self, program: &str) -> Command {
        let binary = Path::new(env!("CARGO_BIN_EXE_pontoon"));
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.path("home"))
            .env(
                "PATH",
                format!("{}:{path}", binary.parent().unwrap().display()),
            )
            .stdin(Stdio::null());
        for kept in ["PG_BIN", "TMPDIR"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command.envs(&self.variables);
        command
    }

    fn take(&mut self, step: &Step) {
        if step.command.starts_with("make run") {
            self.start(step);
        } else if let Some(set) = step.command.strip_prefix("export ") {
            self.export(set);
        } else {
            self.run(step);
        }
    }

    /// Starts the program on a free port, and waits until it says that it is ready.
    fn start(&mut self, step: &Step) {
        let log = self.path("log");
        let mut command = self.command(env!("CARGO_BIN_EXE_pontoon"));
        command
            .args(arguments_of_make_run(&step.command))
            .env("PONTOON_LISTEN", "127.0.0.1:0")
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap());
        self.service = Some(command.spawn().unwrap());
        let (address, database) = eventually(|| {
            let log = fs::read_to_string(&log).unwrap();
            ready(&log).ok_or(log)
        });
        let (_, said) = ready(&step.output).expect("the page says that the program is ready");
        self.variables
            .insert("PONTOON_LISTEN".to_owned(), address.clone());
        self.names.push((address, ADDRESS.to_owned()));
        self.names.push((database, said));
        let log = fs::read_to_string(&log).unwrap();
        let told = self.compare(step, &log);
        told.unwrap_or_else(|what| panic!("{what}"));
    }

    /// Sets a variable to what the page's value is called in this run.
    fn export(&mut self, set: &str) {
        let (name, value) = set.split_once('=').unwrap();
        if name == "PATH" {
            assert_eq!(
                value, r#""$PWD/target/release:$PATH""#,
                "the place where `make run` builds"
            );
            return;
        }
        let value = value.trim_matches('\'');
        let (here, _) = self
            .names
            .iter()
            .find(|(_, page)| page == value)
            .unwrap_or_else(|| panic!("{name} is {value}, which nothing printed before"));
        self.variables.insert(name.to_owned(), here.clone());
    }

    /// Runs a command and compares what it prints; one that only asks is asked again until the program has seen what went before.
    fn run(&self, step: &Step) {
        let asks = step.command.starts_with("pontoon explain")
            || step.command.starts_with("pontoon status");
        let address = &self.variables["PONTOON_LISTEN"];
        let line = step.command.replace("localhost:8080", address);
        let once = || {
            let output = self.command("sh").args(["-c", &line]).output().unwrap();
            let told = String::from_utf8(output.stdout).unwrap();
            if !output.status.success() {
                let err = String::from_utf8_lossy(&output.stderr);
                return Err(format!("{}: {}: {err}", step.command, output.status));
            }
            self.compare(step, &told)
        };
        if asks {
            eventually(once);
        } else {
            once().unwrap_or_else(|what| panic!("{what}"));
        }
    }

    fn compare(&self, step: &Step, told: &str) -> Result<(), String> {
        let mut told = told.to_owned();
        for (here, page) in &self.names {
            told = told.replace(here, page);
        }
        let (told, page) = (lines(&told), lines(&step.output));
        if matches(&page, &told) {
            return Ok(());
        }
        let (told, page) = (told.join("\n"), page.join("\n"));
        Err(format!(
            "$ {}\nthe page says:\n{page}\n\nit printed:\n{told}\n",
            step.command
        ))
    }
}

impl Drop for Tour {
    fn drop(&mut self) {
        if let Some(service) = &mut self.service {
            let pid = Pid::from_raw(service.id().try_into().unwrap()).unwrap();
            let _gone_already = kill_process(pid, Signal::TERM);
            drop(service.wait());
        }
    }
}

/// The address and the database that the program tells when it is ready.
fn ready(log: &str) -> Option<(String, String)> {
    let line = log.lines().find(|line| line.starts_with("ready at "))?;
    let (_, line) = line.split_once("http://")?;
    let (address, line) = line.split_once(", database ")?;
    let (database, _) = line.rsplit_once(", stage ")?;
    Some((address.to_owned(), database.to_owned()))
}

/// The result, once there is one.
fn eventually<T>(mut ask: impl FnMut() -> Result<T, String>) -> T {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        match ask() {
            Ok(value) => return value,
            Err(what) if Instant::now() > until => panic!("{what}"),
            Err(_) => sleep(Duration::from_millis(50)),
        }
    }
}

/// Whether the lines are the page's, where `...` stands for any.
fn matches(page: &[String], told: &[String]) -> bool {
    match page.split_first() {
        None => told.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=told.len()).any(|skipped| matches(rest, &told[skipped..]))
        }
        Some((first, rest)) => told.first() == Some(first) && matches(rest, &told[1..]),
    }
}

/// The lines without what differs from run to run.
fn lines(text: &str) -> Vec<String> {
    text.trim_end().lines().map(steady).collect()
}

/// The line with one space between its words, and each id, time, duration, revision, figure and name of a user by its sort alone.
fn steady(line: &str) -> String {
    const ENDS: &[char] = &[' ', '"', '\'', ',', '(', ')', '{', '}', '[', ']'];
    let figures = is_figures(line);
    let mut steady = String::new();
    let mut before = "";
    for piece in line.split_inclusive(ENDS) {
        let word = piece.trim_end_matches(ENDS);
        let value = word.trim_start_matches(':');
        let time = value.trim_end_matches(':');
        let is_number = value.parse::<f64>().is_ok();
        let sort = if value.len() == 36 && uuid::Uuid::try_parse(value).is_ok() {
            "<id>"
        } else if time.contains('T') && time.ends_with('Z') && time.starts_with("20") {
            "<time>"
        } else if figures && !before.is_empty() && !word.is_empty() {
            "<figure>"
        } else if is_number && (value.contains('.') || before == "revision") {
            "<number>"
        } else if value.contains('@') && !value.contains(':') {
            "<who>"
        } else if word.starts_with('─') {
            "─"
        } else {
            word
        };
        if sort.is_empty() && piece == " " && steady.ends_with(' ') {
            continue;
        }
        steady.push_str(sort);
        steady.push_str(&piece[word.len()..]);
        if !word.is_empty() {
            before = word;
        }
    }
    steady.trim_end().to_owned()
}

/// Whether it is a backend's row of the status.
fn is_figures(line: &str) -> bool {
    let mut words = line.split_whitespace();
    matches!(words.next(), Some("blocking" | "async"))
        && words.clone().count() == 9
        && words.all(|word| word.starts_with(|sign: char| sign.is_ascii_digit() || sign == '-'))
}

#[test]
fn the_page_s_commands_print_what_it_says() {
    let steps = steps(&read("README.md"));
    assert!(
        steps.len() > 15,
        "the page's blocks are not found: {steps:?}"
    );
    let mut tour = Tour::new();
    for step in &steps {
        tour.take(step);
    }
    let kept = fs::read_to_string(tour.path("flags.toml")).unwrap();
    assert_eq!(
        kept,
        read("flags.toml"),
        "the tour leaves flags.toml as it was"
    );
}

#[test]
fn every_command_of_the_page_is_a_target_of_the_makefile() {
    let page = read("README.md");
    let targets: Vec<&str> = page
        .split(['`', '\n'])
        .filter_map(|text| text.strip_prefix("make "))
        .filter_map(|text| text.split_whitespace().next())
        .collect();
    for needed in ["run", "test"] {
        assert!(targets.contains(&needed), "{needed}: {targets:?}");
    }
    for target in targets {
        assert!(!recipe(target).is_empty(), "{target}");
    }
}

#[test]
fn what_differs_from_run_to_run_is_left_out() {
    let same = [
        (
            "blocking  19  0  0  1.05  14.95  14.95  2/20  0  0",
            "blocking 1234 1 2 - - - 20/20 1 3",
        ),
        ("revision     1", "revision 12"),
        (
            r#"{"revision":6,"took_ms":0.41}"#,
            r#"{"revision":7,"took_ms":10.9}"#,
        ),
        ("──────", "──"),
        (
            "by ada@harbour, admin API at 2026-11-21T09:16:01Z: x",
            "by root@vm, admin API at 2027-01-02T00:00:00Z: x",
        ),
    ];
    for (one, other) in same {
        assert_eq!(steady(one), steady(other));
    }
    let differ = [
        ("async  0 % of the keys", "async  75 % of the keys"),
        ("bucket 6609 of 10000", "bucket 6608 of 10000"),
        (r#"{"n":7}"#, r#"{"n":8}"#),
        ("globex runs on async", "globex runs on blocking"),
    ];
    for (one, other) in differ {
        assert_ne!(steady(one), steady(other));
    }
}
