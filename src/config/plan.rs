//! `[[plan.step]]`: the canary's steps.

use super::duration;
use super::fault::Faults;
use super::stage::Share;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The canary's steps, from the first to the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Plan {
    /// The steps; each raises what the one before it serves.
    pub step: Vec<Step>,
}

/// A step of the canary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Step {
    /// The share of keys whose reads are async.
    pub read: Share,
    /// The share of keys whose writes are async; never more than the reads'.
    pub write: Share,
    /// How long the step is held at least.
    #[serde(with = "duration", default = "bake")]
    pub bake: Duration,
    /// How many calls it takes at least to judge the step.
    #[serde(default = "min_calls")]
    pub min_calls: u32,
}

fn bake() -> Duration {
    Duration::from_mins(10)
}

fn min_calls() -> u32 {
    2000
}

impl Default for Plan {
    fn default() -> Self {
        let step = |(read, write)| Step {
            read: Share::percent(read),
            write: Share::percent(write),
            bake: bake(),
            min_calls: min_calls(),
        };
        let shares = [
            (1, 0),
            (5, 1),
            (10, 5),
            (25, 10),
            (50, 25),
            (75, 50),
            (99, 99),
        ];
        Self {
            step: shares.map(step).to_vec(),
        }
    }
}

impl Plan {
    pub(crate) fn check(&self, faults: &mut Faults) {
        faults.check(
            !self.step.is_empty(),
            "plan.step",
            "a plan has at least one step",
        );
        let mut before = None;
        for (number, step) in self.step.iter().enumerate() {
            let path = |key: &str| format!("plan.step[{number}].{key}");
            faults.check(
                step.write <= step.read,
                path("write"),
                format!(
                    "{} of writes is more than {} of reads",
                    step.write, step.read
                ),
            );
            faults.check(
                step.read <= Share::HOLDBACK,
                path("read"),
                format!("{} is past the canary, which ends at {}; the stages full and complete follow it", step.read, Share::HOLDBACK),
            );
            faults.check(
                step.read > Share::NONE,
                path("read"),
                "a step serves somebody",
            );
            if let Some(&(read, write)) = before.as_ref() {
                let rises = step.read >= read
                    && step.write >= write
                    && (step.read, step.write) != (read, write);
                faults.check(
                    rises,
                    path("read"),
                    "a step raises what the one before it serves",
                );
            }
            before = Some((step.read, step.write));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(shares: &[(u8, u8)]) -> Plan {
        let step = |&(read, write): &(u8, u8)| Step {
            read: Share::percent(read),
            write: Share::percent(write),
            bake: bake(),
            min_calls: 1,
        };
        Plan {
            step: shares.iter().map(step).collect(),
        }
    }

    fn faulty(shares: &[(u8, u8)]) -> Vec<String> {
        let mut faults = Faults::default();
        plan(shares).check(&mut faults);
        faults.found().into_iter().map(|fault| fault.path).collect()
    }

    #[test]
    fn steps_only_rise_and_reads_go_first() {
        let mut faults = Faults::default();
        Plan::default().check(&mut faults);
        assert_eq!(faults.found(), []);
        assert_eq!(faulty(&[(1, 0), (1, 1)]), [""; 0]);
        assert_eq!(faulty(&[]), ["plan.step"]);
        assert_eq!(faulty(&[(1, 5)]), ["plan.step[0].write"]);
        assert_eq!(faulty(&[(5, 1), (5, 1)]), ["plan.step[1].read"]);
        assert_eq!(faulty(&[(5, 1), (10, 0)]), ["plan.step[1].read"]);
        assert_eq!(
            faulty(&[(0, 0), (100, 0)]),
            ["plan.step[0].read", "plan.step[1].read"]
        );
    }
}
