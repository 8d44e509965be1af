//! The one printer: data on stdout, everything else on stderr; colour and progress on a terminal alone.

use super::exit::{Failure, Outcome};
use super::{Globals, When};
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, TableComponent, presets,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::env;
use std::io::{self, BufWriter, IsTerminal, StderrLock, StdoutLock, Write};
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

/// A table: its columns' titles, and whether a column holds numbers.
#[derive(Debug)]
pub(super) struct Grid {
    table: Table,
    numbers: Vec<bool>,
    color: bool,
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

    /// Whether stderr is coloured.
    pub(super) fn colors_errors(&self) -> bool {
        self.color.1
    }

    /// Stdout, for what is written piece by piece.
    pub(super) fn stdout(&self) -> BufWriter<StdoutLock<'static>> {
        BufWriter::new(io::stdout().lock())
    }

    /// Writes text to stdout, with a newline unless it ends with one.
    pub(super) fn data(&self, text: &str) -> Outcome<()> {
        let mut out = self.stdout();
        let newline = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        write!(out, "{text}{newline}")
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
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Faint => "2",
            Tone::Good => "32",
            Tone::Bad => "31",
        };
        wrap(text, code, self.color.0)
    }

    /// The text in bold, where stdout is coloured.
    pub(super) fn bold(&self, text: &str) -> String {
        wrap(text, "1", self.color.0)
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

impl Grid {
    fn new<'a>(titles: impl IntoIterator<Item = &'a str>, color: bool, terminal: bool) -> Self {
        let mut table = Table::new();
        table
            .load_preset(presets::NOTHING)
            .set_style(TableComponent::HeaderLines, '─');
        table.set_style(TableComponent::MiddleHeaderIntersections, '─');
        table.set_content_arrangement(if terminal {
            ContentArrangement::Dynamic
        } else {
            ContentArrangement::Disabled
        });
        if color {
            table.enforce_styling();
        }
        let titles: Vec<&str> = titles.into_iter().collect();
        let numbers: Vec<bool> = titles.iter().map(|title| title.starts_with('#')).collect();
        let mut grid = Self {
            table,
            numbers,
            color,
        };
        let cell = |(at, title): (usize, &&str)| {
            let cell = grid.align(at, Cell::new(title.trim_start_matches('#')));
            if color {
                cell.add_attribute(Attribute::Bold)
            } else {
                cell
            }
        };
        let cells: Vec<Cell> = titles.iter().enumerate().map(cell).collect();
        grid.table.set_header(cells);
        for column in grid.table.column_iter_mut() {
            column.set_padding((0, 1));
        }
        grid
    }

    /// Adds a row.
    pub(super) fn row<T: ToString>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.toned(cells.into_iter().map(|cell| (cell, Tone::Plain)));
    }

    /// Adds a row whose cells stand out each in its way.
    pub(super) fn toned<T: ToString>(&mut self, cells: impl IntoIterator<Item = (T, Tone)>) {
        let cells: Vec<Cell> = cells
            .into_iter()
            .enumerate()
            .map(|(at, (text, tone))| {
                let cell = self.align(at, Cell::new(text.to_string()));
                if self.color { tone.apply(cell) } else { cell }
            })
            .collect();
        self.table.add_row(cells);
    }

    fn align(&self, at: usize, cell: Cell) -> Cell {
        let number = self.numbers.get(at).copied().unwrap_or_default();
        cell.set_alignment(if number {
            CellAlignment::Right
        } else {
            CellAlignment::Left
        })
    }

    /// The table as text, without spaces at the ends of lines.
    pub(super) fn text(&self) -> String {
        self.table
            .lines()
            .map(|line| line.trim_end().to_owned() + "\n")
            .collect()
    }
}

impl Tone {
    fn apply(self, cell: Cell) -> Cell {
        match self {
            Self::Plain => cell,
            Self::Faint => cell.add_attribute(Attribute::Dim),
            Self::Good => cell.fg(Color::DarkGreen),
            Self::Bad => cell.fg(Color::DarkRed),
        }
    }
}
