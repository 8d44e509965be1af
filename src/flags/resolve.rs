//! From what the sources say to what is in force: the most cautious wins.

use super::source::Reading;
use crate::config::{Share, Stage};

/// What is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// The stage.
    pub stage: Stage,
    /// The share of keys that is async, in percent.
    pub share: Share,
    /// How far a key may be forced: the minimum of the caps, whatever the base.
    pub ceiling: Stage,
}

impl Outcome {
    /// Whether a key can be forced to async: whether the caps permit anybody to be.
    pub(super) fn permits_async(self) -> bool {
        self.ceiling.share() > Share::NONE
    }
}

/// The minimum of the base and of all caps.
///
/// The base is what the first source asks for that asks for anything; off where none does. The share is the minimum on its own, because a
/// canary may name a share above the holdback of the stage `full`.
pub(super) fn resolve(readings: &[Reading]) -> Outcome {
    let base = readings
        .iter()
        .find_map(|reading| reading.base)
        .unwrap_or(Stage::Off);
    let rolled_back = readings.iter().any(|reading| reading.rolled_back);
    let caps = readings.iter().map(|reading| reading.cap);
    let ceiling = if rolled_back {
        Stage::RolledBack
    } else {
        caps.clone().min().unwrap_or(Stage::Complete)
    };
    let share = caps.map(Stage::share).fold(base.share(), Share::min);
    let stage = base.min(ceiling);
    Outcome {
        stage,
        share: share.min(stage.share()),
        ceiling,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cap(cap: Stage) -> Reading {
        Reading {
            cap,
            ..Reading::silent("cap", "")
        }
    }

    fn base(stage: Stage) -> Reading {
        Reading {
            base: Some(stage),
            ..Reading::silent("base", "")
        }
    }

    fn canary(percent: u8) -> Stage {
        Stage::Canary(Share::percent(percent))
    }

    #[test]
    fn nobody_asks_for_anything() {
        let outcome = resolve(&[]);
        assert_eq!((outcome.stage, outcome.share), (Stage::Off, Share::NONE));
        assert!(outcome.permits_async());
    }

    #[test]
    fn the_first_base_counts_and_each_cap_lowers_it() {
        let stage = |readings: &[Reading]| resolve(readings).stage;
        assert_eq!(
            stage(&[base(Stage::Complete), base(Stage::Off)]),
            Stage::Complete
        );
        assert_eq!(
            stage(&[base(Stage::Complete), cap(Stage::Full)]),
            Stage::Full
        );
        assert_eq!(
            stage(&[cap(canary(25)), base(Stage::Full), cap(canary(5))]),
            canary(5)
        );
        assert_eq!(stage(&[base(canary(1)), cap(Stage::Full)]), canary(1));
        let rolled_back = Reading {
            rolled_back: true,
            ..cap(Stage::Off)
        };
        assert_eq!(
            stage(&[base(Stage::Complete), rolled_back, cap(Stage::Off)]),
            Stage::RolledBack
        );
    }

    #[test]
    fn a_canary_above_the_holdback_does_not_pass_full() {
        let above = Stage::Canary(Share::basis_points(9_950));
        let outcome = resolve(&[base(above), cap(Stage::Full)]);
        assert_eq!(outcome.share, Share::HOLDBACK);
    }

    fn any_stage() -> impl Strategy<Value = Stage> {
        prop_oneof![
            Just(Stage::Off),
            Just(Stage::Shadow),
            (0_u16..=10_000).prop_map(|points| Stage::Canary(Share::basis_points(points))),
            Just(Stage::Full),
            Just(Stage::Complete),
        ]
    }

    proptest! {
        #[test]
        fn one_more_source_never_raises(asked in any_stage(), caps in prop::collection::vec(any_stage(), 0..5), more in any_stage()) {
            let mut readings = vec![base(asked)];
            readings.extend(caps.into_iter().map(cap));
            let before = resolve(&readings);
            readings.push(cap(more));
            let after = resolve(&readings);
            prop_assert!(after.stage <= before.stage && after.share <= before.share && after.ceiling <= before.ceiling);
            prop_assert!(after.share <= more.share() && after.share <= asked.share());
        }
    }
}
