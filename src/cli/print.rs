//! The one printer: data on stdout, everything else on stderr; colour and progress on a terminal alone.

use super::exit::{Failure, Outcome};
use super::grid::Grid;
use super::{Globals, When};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::env;
use std::io::{self, BufWriter, IsTerminal, StderrLock, Stdout, Write};
use std::time::Duration;

/// Prints for one command. A write to stdout that fails ends the command; a note that cannot be written is let go.
#[derive(Debug, Clone)]
pub(super) struct Printer {
    json: bool,
    quiet: bool,
    /// Whether stdout and stderr are coloured.
    color: (bool, bool),
    /// Whether a person looks at stdout and at stderr.
    terminal: (bool, bool),
}

/// What a cell or a word stands out by. Without colour the text alone tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    /// Heads what follows.
    Title,
    /// Of less weight.
    Faint,
    Good,
    Bad,
}

/// A percentage without needless zeros: `25`, `0.5`.
pub(super) fn percent(share: &serde_json::Value) -> String {
    share
        .as_f64()
        .map_or_else(|| share.to_string(), |share| share.to_string())
}

impl Printer {
    pub(super) fn new(globals: &Globals) -> Self {
        let terminal = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let plain = env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty())
            || env::var_os("TERM").is_some_and(|term| term == "dumb");
        let color = |terminal: bool| match globals.color {
            When::Always => true,
            When::Never => false,
            When::Auto => terminal && !plain,
        };
        Self {
            json: globals.json,
            quiet: globals.quiet,
            color: (color(terminal.0), color(terminal.1)),
            terminal,
        }
    }

    /// Whether `--json` was asked for.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a person looks at stdout.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal.0
    }

    /// Whether a person looks at stderr.
    pub(super) fn has_terminal_errors(&self) -> bool {
        self.terminal.1
    }

    /// Whether stdout is coloured.
    pub(super) fn colors(&self) -> bool {
        self.color.0
    }

    /// How many columns the terminal has that stdout, or stderr, is; `None` for what is none.
    pub(super) fn width(&self, of_errors: bool) -> Option<usize> {
        let is_terminal = if of_errors {
            self.terminal.1
        } else {
            self.terminal.0
        };
        let mut table = comfy_table::Table::new();
        if of_errors {
            table.use_stderr();
        }
        let width = table.width().filter(|_| is_terminal);
        width.map(usize::from)
    }

    /// Whether stderr is coloured.
    pub(super) fn colors_errors(&self) -> bool {
        self.color.1
    }

    /// Writes text to stdout, with a newline unless it ends with one.
    #[expect(clippy::unused_self, reason = "whoever has no printer prints nothing")]
    pub(super) fn data(&self, text: &str) -> Outcome<()> {
        let mut out = stdout();
        let newline = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        write!(out, "{text}{newline}")
            .and_then(|()| out.flush())
            .map_err(Failure::Output)
    }

    /// Writes text to stdout as it is, to the last byte.
    #[expect(clippy::unused_self, reason = "whoever has no printer prints nothing")]
    pub(super) fn raw(&self, text: &str) -> Outcome<()> {
        if text.is_empty() {
            return Ok(());
        }
        let mut out = stdout();
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(Failure::Output)
    }

    /// Writes a JSON document to stdout, on one line unless a person looks.
    pub(super) fn document(&self, value: &impl Serialize) -> Outcome<()> {
        let text = if self.terminal.0 {
            serde_json::to_string_pretty(value)
        } else {
            serde_json::to_string(value)
        };
        self.data(&text.map_err(|error| Failure::Output(error.into()))?)
    }

    /// Tells something that is no data.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            say(&mut io::stderr().lock(), text);
        }
    }

    /// Tells what is odd and yet no failure.
    pub(super) fn warn(&self, text: &str) {
        if !self.quiet {
            let title = self.paint_error("warning", "33;1");
            say(&mut io::stderr().lock(), &format!("{title}: {text}"));
        }
    }

    /// Tells why the command failed, what lies beneath, and what can be done.
    pub(super) fn failure(&self, title: &str, message: &str, causes: &[String], advice: &str) {
        let mut err = io::stderr().lock();
        say(
            &mut err,
            &format!("{}: {title}", self.paint_error("error", "31;1")),
        );
        for line in message.lines().filter(|line| !line.is_empty()) {
            say(&mut err, &format!("  {line}"));
        }
        for cause in causes {
            say(&mut err, &format!("  because {cause}"));
        }
        if !advice.is_empty() {
            say(
                &mut err,
                &format!("{}: {advice}", self.paint_error("hint", "36;1")),
            );
        }
    }

    /// The text in that tone, where stdout is coloured.
    pub(super) fn paint(&self, text: &str, tone: Tone) -> String {
        tone.paint(text, self.color.0)
    }

    fn paint_error(&self, text: &str, code: &str) -> String {
        wrap(text, code, self.color.1)
    }

    /// A table with these titles; a title that begins with `#` heads a column of numbers.
    pub(super) fn grid<'a>(&self, titles: impl IntoIterator<Item = &'a str>) -> Grid {
        Grid::new(titles, self.color.0, self.terminal.0)
    }

    /// A bar for `steps` steps: seen on a terminal alone.
    pub(super) fn progress(&self, steps: u64, what: &'static str) -> ProgressBar {
        if !self.shows_progress() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::new(steps).with_style(style).with_message(what)
    }

    /// A count of steps whose number nobody knows: seen on a terminal alone.
    pub(super) fn counter(&self, what: &'static str) -> ProgressBar {
        let counter = self.spinner(what.to_owned());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} {msg} {elapsed}") {
            counter.set_style(style);
        }
        counter
    }

    /// Text of many lines that is no data and yet what was asked for: it is told even if nothing else is.
    #[expect(clippy::unused_self, reason = "whoever has no printer prints nothing")]
    pub(super) fn aside(&self, text: &str) {
        let _ = write!(io::stderr().lock(), "{text}");
    }

    /// A line that says what is waited for: seen on a terminal alone.
    pub(super) fn spinner(&self, what: String) -> ProgressBar {
        if !self.shows_progress() {
            return ProgressBar::hidden();
        }
        let spinner = ProgressBar::new_spinner().with_message(what);
        spinner.enable_steady_tick(Duration::from_millis(100));
        spinner
    }

    fn shows_progress(&self) -> bool {
        self.terminal.1 && !self.quiet
    }
}

/// Stdout, for what is written piece by piece.
pub(super) fn stdout() -> BufWriter<Stdout> {
    BufWriter::new(io::stdout())
}

fn wrap(text: &str, code: &str, color: bool) -> String {
    if color {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// A reader that has gone misses nothing that can be helped.
fn say(err: &mut StderrLock<'_>, text: &str) {
    let _ = writeln!(err, "{text}");
}

impl Tone {
    /// The text in that tone.
    pub(super) fn paint(self, text: &str, color: bool) -> String {
        let code = match self {
            Self::Plain => return text.to_owned(),
            Self::Title => "1",
            Self::Faint => "2",
            Self::Good => "32",
            Self::Bad => "31",
        };
        wrap(text, code, color)
    }
}
