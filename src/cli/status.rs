//! `pontoon status`: where the rollout stands, as one instance tells it.

mod screen;

use super::admin::Instance;
use super::context::Context;
use super::exit::{Exit, Failure, Outcome};
use super::print::{Printer, stdout};
use clap::Args;
use serde_json::Value;
use std::io::Write;
use std::thread;
use std::time::Duration;

/// How often a watch looks.
const EVERY: Duration = Duration::from_secs(1);

/// Tells where the rollout stands, and what both backends do
///
/// `--json` prints `{"stage","percent":{"nominal","actual"},"keyless","revision","environment","sources":[{"name","cap","detail"}],"backends":{"blocking":{...},"async":{...}},"alarms":[],"instances":{"applied","total","silent":[]}}`;
/// a backend is `{"pool":{"size","idle","in_use","waiting","max"},"keep_alive":{"rounds","alive"},"calls","errors","errors_by_kind":[["KIND",1]],"cancelled","in_flight","count","p50_ms","p95_ms","p99_ms"}`,
/// where the percentiles are of the last minute or two, and `count` is how many calls they are made from. With `--watch` that is one line
/// a second.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Looks again each second until Ctrl-C
    #[arg(long)]
    watch: bool,
    /// The instance to ask [default: the one on this machine, at `PONTOON_LISTEN`]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

impl Status {
    pub(super) fn run(self, context: &Context) -> Outcome<Exit> {
        context.start_log();
        let instance = Instance::at(self.url.as_deref(), &context.settings_to_reach()?)?;
        let printer = context.printer();
        // An instance that answered once is waited for.
        let mut seen = false;
        let mut next = ask(&instance);
        loop {
            match next {
                Ok(status) => show(&status, printer, self.watch)?,
                Err(Failure::NoInstance(url, what)) if self.watch && seen => {
                    printer.note(&format!("{url} does not answer: {what}"));
                }
                Err(failure) => return Err(failure),
            }
            if !self.watch {
                return Ok(Exit::Done);
            }
            seen = true;
            thread::sleep(EVERY);
            next = ask(&instance);
        }
    }
}

fn ask(instance: &Instance) -> Outcome<Value> {
    instance.get("/admin/status", &[])
}

fn show(status: &Value, printer: &Printer, watch: bool) -> Outcome<()> {
    if printer.is_json() {
        return if watch {
            printer.data(&status.to_string())
        } else {
            printer.document(status)
        };
    }
    let text = screen::text(status, printer);
    if !watch {
        return printer.data(&text);
    }
    let mut out = stdout();
    let written = if printer.is_terminal() {
        // Drawn over what was there: clearing the screen first would flicker.
        let lines = text.replace('\n', "\u{1b}[K\n");
        write!(out, "\u{1b}[H{lines}\u{1b}[J")
    } else {
        writeln!(out, "{text}")
    };
    written.and_then(|()| out.flush()).map_err(Failure::Output)
}
