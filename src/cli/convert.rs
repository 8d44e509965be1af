//! `pontoon convert`: SQL written for a Python driver becomes SQL with `$1`, in one text, in files, or in a whole project.
//!
//! In reading order: this file is the command line; `options` is what a conversion is asked for; `plan` decides what a file's text is to
//! become and what is to be said, without touching anything; `file` does it to one file, through `write`; `survey` learns before that what
//! files execute of each other's texts; `tree` gives the files to all cores and their results back in order; `stdin` and `jsonl` are the
//! other two ways in; `report` has the formats.

mod changes;
mod codes;
mod diff;
mod entries;
mod file;
mod jsonl;
mod lines;
mod options;
mod plan;
mod remark;
mod report;
mod stdin;
mod survey;
mod tally;
mod tree;
mod write;

pub(super) use codes::nearest as nearest_code;

use super::context::Context;
use super::exit::{Exit, Failure, Outcome};
use super::print::Printer;
use clap::Args;
use file::{Done, Job};
use options::{From, Options, To};
use report::{Format, Report};
use std::path::{Path, PathBuf};
use survey::Survey;
use tally::{Hazards, Tally};

/// Converts placeholders to `$1`: in SQL from stdin, in `.sql` files, in Python sources, in folders
///
/// Without a path, or with `-`, SQL is read from stdin and the converted text is written to stdout. With paths nothing is changed until
/// `--write` says so: what would change and what stands in the way is reported. Folders are walked with their ignore files (.gitignore,
/// .ignore), hidden files left out.
///
/// A hazard is something that the driver's own values allow and the server's parameters do not, such as `IN %s`: `pontoon hazards` lists
/// them. A query with a hazard that is an error is left as it is, unless `--fix` rewrites it. Text that is built at run time is never
/// rewritten, and listed. A comment `-- pontoon: ignore CODE` in the SQL, or `# pontoon: ignore CODE` in the Python source, says that
/// somebody has looked.
///
/// `--json` prints `{"summary":{"files","queries","converted","held","rewrites","dynamic","hazards":{"error","warning","note"},"errors",
/// "written"},"findings":[{"file","line","column","end_line","end_column","code","severity","message","suggestion","query"}]}`; for SQL from
/// stdin also `"sql"`, null if it is held back, and `"queries":[{"name","params"}]`. docs/TRANSLATOR.md has the rest.
///
/// Exit code 1: something is left that cannot be converted as it is; with `--check` also: something would change, or a warning is left.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
#[derive(Debug, Args)]
pub(super) struct Convert {
    /// Files and folders; `-`, or none: SQL from stdin
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The style that the texts are in
    #[arg(long, value_name = "STYLE", default_value = "auto")]
    from: From,
    /// The style to write; `format` and `pyformat` are the way back
    #[arg(long, value_name = "STYLE", default_value = "numeric-dollar")]
    to: To,
    /// The texts are executed without parameters: `%` is a percent sign
    #[arg(long)]
    no_params: bool,
    /// Writes the converted files
    #[arg(long, conflicts_with_all = ["check", "jsonl"])]
    write: bool,
    /// Shows what would change, or was written, as a unified diff; findings go to stderr
    #[arg(long, conflicts_with = "jsonl")]
    diff: bool,
    /// Changes nothing, and fails if anything would change or has a hazard
    #[arg(long, conflicts_with = "jsonl")]
    check: bool,
    /// Makes the rewrites that keep the meaning; the others are left for review
    #[arg(long)]
    fix: bool,
    /// Adds the casts that parameters without a type ask for
    #[arg(long)]
    casts: bool,
    /// Rewrites the arguments of Python calls too, to what the converted text takes
    #[arg(long)]
    call_sites: bool,
    /// How findings are written [default: human, or json with --json]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Reports these codes only
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    select: Vec<String>,
    /// Passes these codes over: what has them is converted all the same
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Reads `{"id","sql","style"?,"params"?,"has_args"?}` a line and writes `{"id","sql","params","hazards","held","error"?}` a line
    ///
    /// `style` is `auto`, `format`, `pyformat`, `mixed` (either), `qmark`, `named`, `numeric_dollar` (or `dollar`), `raw` (executed without
    /// parameters) or `none` (no placeholder was seen). `params` says whether the query is executed with parameters, and so does
    /// `has_args`: `none`, `sequence` or `mapping`.
    #[arg(long)]
    jsonl: bool,
}

impl Convert {
    pub(super) fn run(self, context: &Context) -> Outcome<Exit> {
        let printer = context.printer();
        codes::known("--select", &self.select)?;
        codes::known("--ignore", &self.ignore)?;
        let format = self.format(printer)?;
        let dash = Path::new("-");
        let from_stdin = self.paths.is_empty() || self.paths.iter().any(|path| path == dash);
        if from_stdin && self.paths.len() > 1 {
            return Err(Failure::Usage("`-` is stdin, and stands alone".to_owned()));
        }
        if self.jsonl {
            return jsonl::run(&self.paths, &self.options(format), printer);
        }
        if from_stdin {
            if self.write {
                return Err(Failure::Usage(
                    "--write needs a path: what comes from stdin goes to stdout".to_owned(),
                ));
            }
            return stdin::run(&self.options(format), self.output(), format, printer);
        }
        self.files(format, printer)
    }

    fn format(&self, printer: &Printer) -> Outcome<Format> {
        let format = match (self.format, printer.is_json()) {
            (None, true) | (Some(Format::Json), _) => Format::Json,
            (None, false) => Format::Human,
            (Some(Format::Jsonl), true) => Format::Jsonl,
            (Some(_), true) => {
                return Err(Failure::Usage(
                    "--json and --format ask for two things".to_owned(),
                ));
            }
            (Some(format), false) => format,
        };
        if self.diff && format != Format::Human {
            return Err(Failure::Usage(
                "--diff is for people and `patch`: no other format goes with it".to_owned(),
            ));
        }
        Ok(format)
    }

    fn output(&self) -> stdin::Output {
        match (self.diff, self.check) {
            (true, _) => stdin::Output::Diff,
            (false, true) => stdin::Output::Nothing,
            (false, false) => stdin::Output::Text,
        }
    }

    fn options(&self, format: Format) -> Options {
        Options {
            from: self.from,
            to: self.to,
            no_params: self.no_params,
            fix: self.fix,
            casts: self.casts,
            call_sites: self.call_sites,
            check: self.check,
            with_edits: format == Format::Sarif,
            select: self.select.clone(),
            ignore: self.ignore.clone(),
        }
    }

    fn files(&self, format: Format, printer: &Printer) -> Outcome<Exit> {
        let roots = tree::roots(&self.paths)?;
        let options = self.options(format);
        // A diff is data; what is said about it is not.
        let report = format.report(printer, self.diff);
        let looked = printer.counter("files looked at");
        let survey = Survey::of(&roots, &looked)?;
        looked.finish_and_clear();
        let job = Job {
            options: &options,
            uses: &survey.uses,
            report: &*report,
            write: self.write,
            diff: self.diff.then(|| printer.colors()),
        };
        let mut output = Output::new(&*report, self.diff, printer);
        output.tally.files = survey.others;
        let progress = printer.counter("files");
        progress.inc(u64::try_from(survey.others).unwrap_or_default());
        output.open()?;
        tree::work(
            survey.files.iter(),
            |entry| job.convert(entry),
            |_, done| {
                progress.inc(1);
                progress.suspend(|| output.take(&done))
            },
        )?;
        progress.finish_and_clear();
        let tally = output.close()?;
        if format == Format::Human && tally.hazards != Hazards::default() {
            printer.note("`pontoon hazards CODE` explains a hazard");
        }
        let fails = if self.check {
            tally.is_unclean()
        } else {
            tally.is_hindered()
        };
        Ok(if fails { Exit::Findings } else { Exit::Done })
    }
}

/// Prints what comes of the files, as it comes.
#[derive(Debug)]
struct Output<'a> {
    report: &'a dyn Report,
    /// Whether stdout has a diff, and the findings go to stderr.
    diff: bool,
    printer: &'a Printer,
    tally: Tally,
    /// Whether a finding was printed.
    begun: bool,
}

impl<'a> Output<'a> {
    fn new(report: &'a dyn Report, diff: bool, printer: &'a Printer) -> Self {
        Self {
            report,
            diff,
            printer,
            tally: Tally::default(),
            begun: false,
        }
    }

    fn open(&self) -> Outcome<()> {
        self.tell(&self.report.opening())
    }

    fn take(&mut self, done: &Done) -> Outcome<()> {
        self.tally += &done.tally;
        self.printer.raw(&done.diff)?;
        let mut text = String::new();
        for finding in &done.findings {
            if std::mem::replace(&mut self.begun, true) {
                text.push_str(self.report.between());
            }
            text.push_str(finding);
        }
        self.tell(&text)
    }

    fn close(self) -> Outcome<Tally> {
        self.tell(&self.report.closing(&self.tally))?;
        Ok(self.tally)
    }

    fn tell(&self, text: &str) -> Outcome<()> {
        if self.diff {
            self.printer.aside(text);
            Ok(())
        } else {
            self.printer.raw(text)
        }
    }
}
