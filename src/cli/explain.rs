//! `pontoon explain`: why a tenant or a session runs where it does.

use super::admin::Instance;
use super::context::Context;
use super::exit::{Exit, Outcome};
use super::print::{Printer, Tone, percent};
use super::sources::{self, word};
use clap::Args;
use serde_json::Value;

/// Tells where a tenant's or a session's next unit of work runs, and why
///
/// `--json` prints `{"revision","bucket","sources":[{"name","cap","detail"}],"outcome":{"stage","share","ceiling"},"backend","reason","alarms":[]}`.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The tenant, or the session
    #[arg(long, value_name = "KEY")]
    key: String,
    /// The instance to ask [default: the one on this machine, at `PONTOON_LISTEN`]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

impl Explain {
    pub(super) fn run(self, context: &Context) -> Outcome<Exit> {
        context.start_log();
        let instance = Instance::at(self.url.as_deref(), &context.settings_to_reach()?)?;
        let explanation = instance.get("/admin/explain", &[("key", &self.key)])?;
        let printer = context.printer();
        if printer.is_json() {
            printer.document(&explanation)?;
        } else {
            printer.data(&text(&self.key, &explanation, printer))?;
        }
        Ok(Exit::Done)
    }
}

fn text(key: &str, explanation: &Value, printer: &Printer) -> String {
    let reason = why(&word(&explanation["reason"]));
    let backend = printer.paint(&word(&explanation["backend"]), Tone::Title);
    let outcome = &explanation["outcome"];
    let bucket = match explanation["bucket"].as_u64() {
        Some(bucket) => format!("bucket {bucket} of 10000; "),
        None => String::new(),
    };
    let (stage, revision) = (word(&outcome["stage"]), word(&explanation["revision"]));
    format!(
        "{key} runs on {backend}: {reason}\n{bucket}stage {stage} serves {}, revision {revision}\n\n{}{}",
        share(&outcome["share"]),
        sources::table(explanation, printer),
        sources::alarms(explanation, printer)
    )
}

fn share(share: &Value) -> String {
    share.as_str().map_or_else(
        || format!("{} % of the keys", percent(share)),
        |text| format!("{text} of the keys"),
    )
}

/// The reason's word as a sentence; a word of a newer instance stays as it is.
fn why(reason: &str) -> String {
    match reason {
        "rolled_back" => "a rollback stands",
        "stage" => "the stage serves nobody on async",
        "no_key" => "it has no part that the plan goes by",
        "outside_cohort" => "its bucket lies above the share",
        "in_cohort" => "its bucket lies below the share",
        "everybody" => "everybody is async",
        "override" => "somebody set it so",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::Reason;

    #[test]
    fn every_reason_of_this_build_has_its_sentence() {
        use Reason::{Everybody, InCohort, NoKey, OutsideCohort, Override, RolledBack, Stage};
        for reason in [
            RolledBack,
            Stage,
            NoKey,
            OutsideCohort,
            InCohort,
            Everybody,
            Override,
        ] {
            let word = serde_json::to_value(reason).unwrap();
            let word = word.as_str().unwrap();
            assert_ne!(why(word), word);
        }
    }
}
