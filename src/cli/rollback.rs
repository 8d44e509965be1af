//! `pontoon rollback`: everything back to blocking, at once, whatever else is broken.

use super::admin::Instance;
use super::context::Context;
use super::exit::{Exit, Failure, Outcome};
use super::print::{Printer, Tone};
use crate::config::Settings;
use crate::flags::Flags;
use clap::Args;
use serde_json::{Value, json};
use std::time::Instant;

/// Sends everything that begins from now on to blocking
///
/// Writes the kill file, which every program that is configured with it goes by, and tells the instance. It asks nobody and needs no
/// database; a mistake in flags.toml or in a variable that it does not need does not hold it up. Where the kill file is written and the instance was not told, the exit code says
/// why: 5 if none answered, 6 if it refused the token.
///
/// `--json` prints `{"revision","took_ms","acknowledged","total","silent":[],"kill_file","instance_kill_file"}`: the
/// instance writes its own, which is another one where it was started with another data folder.
#[derive(Debug, Args)]
pub(super) struct Rollback {
    /// Why, for those who find it
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    /// The instance to tell [default: the one on this machine, at `PONTOON_LISTEN`]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// What became of it.
struct Result {
    /// Where the kill file is, or why it is not.
    kill_file: std::result::Result<String, Failure>,
    /// What the instance answered.
    told: Outcome<Value>,
    url: String,
    took_ms: f64,
}

impl Rollback {
    pub(super) fn run(self, context: &Context) -> Outcome<Exit> {
        context.start_log();
        let printer = context.printer();
        let began = Instant::now();
        let settings = context.settings_to_reach()?;
        // A URL that is wrong must not keep the file from being written.
        let instance = Instance::at(self.url.as_deref(), &settings);
        let kill_file = self.write(&settings);
        let (url, told) = match instance {
            Ok(instance) => (
                instance.url().to_owned(),
                instance.post(
                    "/admin/rollback",
                    &json!({ "reason": self.line(), "who": who() }),
                ),
            ),
            Err(failure) => (self.url.unwrap_or_default(), Err(failure)),
        };
        let took_ms = (began.elapsed().as_secs_f64() * 1e5).round() / 100.0;
        tell(
            Result {
                kill_file,
                told,
                url,
                took_ms,
            },
            printer,
        )
    }

    /// The reason as an instance takes it: one line, and not too long.
    fn line(&self) -> String {
        let letters = self.reason.trim().chars();
        let plain = letters.map(|letter| if letter.is_control() { ' ' } else { letter });
        plain.take(500).collect()
    }

    fn write(&self, settings: &Settings) -> Outcome<String> {
        let path = settings.kill_file();
        let flags = Flags::builder().kill_file(&path).build()?;
        flags.rollback(self.reason.as_str(), who()).written()?;
        Ok(path.display().to_string())
    }
}

/// Who asks, for those who find the file.
fn who() -> String {
    let user = whoami::username().unwrap_or_else(|_| "somebody".into());
    let host = whoami::hostname().unwrap_or_else(|_| "some machine".into());
    format!("{user}@{host}")
}

fn tell(result: Result, printer: &Printer) -> Outcome<Exit> {
    if printer.is_json() {
        document(&result, printer)?;
    } else {
        lines(&result, printer)?;
    }
    let until = result.theirs().map_or_else(
        || "it is started anew".to_owned(),
        |path| format!("{path} is removed"),
    );
    match (result.kill_file, result.told) {
        (Ok(_), Ok(_)) => Ok(Exit::Done),
        (Ok(_), Err(failure)) => {
            failure.tell(printer);
            printer.note("what was done: the kill file is written, and every program that goes by it is blocking");
            Ok(failure.exit())
        }
        (Err(failure), Ok(_)) => {
            printer.note(&format!(
                "what was done: the instance is blocking until {until}"
            ));
            Err(failure)
        }
        (Err(file), Err(failure)) => {
            file.tell(printer);
            Err(failure)
        }
    }
}

impl Result {
    fn count(&self, name: &str) -> Option<u64> {
        self.told.as_ref().ok()?[name].as_u64()
    }

    /// How many instances went blocking, of how many.
    fn acknowledged(&self) -> (u64, u64) {
        let count = |name| self.count(name);
        (
            count("acknowledged").unwrap_or(0),
            count("total").unwrap_or(1),
        )
    }

    /// The instance's own kill file.
    fn theirs(&self) -> Option<&str> {
        self.told.as_ref().ok()?["kill_file"].as_str()
    }
}

fn document(result: &Result, printer: &Printer) -> Outcome<()> {
    let (acknowledged, total) = result.acknowledged();
    let silent = result
        .told
        .as_ref()
        .map_or_else(|_| json!([result.url]), |told| told["silent"].clone());
    printer.document(&json!({
        "revision": result.count("revision"), "took_ms": result.took_ms, "acknowledged": acknowledged, "total": total, "silent": silent,
        "kill_file": result.kill_file.as_ref().ok(), "instance_kill_file": result.theirs(),
    }))
}

fn lines(result: &Result, printer: &Printer) -> Outcome<()> {
    let (acknowledged, total) = result.acknowledged();
    let tone = if acknowledged == total {
        Tone::Good
    } else {
        Tone::Bad
    };
    let counted = printer.paint(&format!("{acknowledged}/{total}"), tone);
    printer.data(&format!(
        "rolled back: {counted} acknowledged in {:.2} ms",
        result.took_ms
    ))?;
    let (ours, theirs) = (result.kill_file.as_deref().ok(), result.theirs());
    for path in ours.into_iter().chain(theirs.filter(|_| theirs != ours)) {
        printer.data(&format!(
            "kill file:   {path}; remove it to allow async again"
        ))?;
    }
    Ok(())
}
