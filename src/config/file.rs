//! What flags.toml says: the plan and the limits of a migration.

use super::duration::{parse_duration, show_duration};
use super::fault::{Fault, Faults};
use super::limits::{Budget, Session};
use super::plan::Plan;
use super::shadow::Shadow;
use super::stage::{Share, Stage};
use super::switch::Switch;
use super::triggers::{Detector, Triggers};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The whole file. Its default is the plan that holds where there is no file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FlagsFile {
    /// The version of this format: 1.
    pub schema: u32,
    /// Whose cohort it is.
    #[serde(default)]
    pub migration: Migration,
    /// The limits of each environment, by its name.
    #[serde(default)]
    pub environments: BTreeMap<String, Environment>,
    /// The connections that both backends share.
    #[serde(default)]
    pub budget: Budget,
    /// What is set on each connection.
    #[serde(default)]
    pub session: Session,
    /// The canary's steps.
    #[serde(default)]
    pub plan: Plan,
    /// How reads are compared.
    #[serde(default)]
    pub shadow: Shadow,
    /// When a rollback or a pause happens by itself.
    #[serde(default)]
    pub triggers: Triggers,
    /// How sure a trigger must be.
    #[serde(default)]
    pub detector: Detector,
}

/// `[migration]`: what the cohort is drawn from. Another id, salt or key draws another cohort.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Migration {
    /// The migration's name.
    pub id: String,
    /// What sets this migration's cohort apart; no promotion changes it.
    pub salt: String,
    /// How a key becomes a bucket.
    #[serde(default)]
    pub hash: KeyHash,
    /// The parts of a key; the first that is present wins.
    #[serde(default = "default_key")]
    pub key: Vec<KeyPart>,
}

/// How a key becomes a bucket. A file that names another way is refused, because its cohort would be another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum KeyHash {
    /// XXH3, 64 bits, in this program's first mapping to buckets.
    #[default]
    #[serde(rename = "xxh3-64/v1")]
    Xxh3V1,
}

/// A part of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyPart {
    /// The tenant.
    Tenant,
    /// The session.
    Session,
}

fn default_key() -> Vec<KeyPart> {
    vec![KeyPart::Tenant, KeyPart::Session]
}

/// `[environments.NAME]`: how far one environment may go, and where it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Environment {
    /// The last stage that it may reach. It has no default: a file that was cut short must not permit more than the whole one.
    pub max_stage: Stage,
    /// What this environment asks for, within the caps, in the words of `USE_ASYNC_DB`.
    #[serde(default)]
    pub use_async_db: Switch,
    /// What another environment must have shown before this one is raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_evidence: Option<Evidence>,
    /// The percentages that somebody must approve.
    #[serde(default)]
    pub approve: Vec<Share>,
}

/// What another environment must have shown: `staging:full:24h`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub struct Evidence {
    /// The environment's name.
    pub environment: String,
    /// The stage that it was at, or past.
    pub stage: Stage,
    /// For how long.
    pub duration: Duration,
}

impl TryFrom<String> for Evidence {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(environment), Some(stage), Some(duration)) => Ok(Self {
                environment: environment.to_owned(),
                stage: stage
                    .parse()
                    .map_err(|error: Error| error.message().to_owned())?,
                duration: parse_duration(duration).map_err(|error| error.message().to_owned())?,
            }),
            _ => Err(format!(
                "\"{}\" is no evidence; write ENVIRONMENT:STAGE:DURATION, such as staging:full:24h",
                text.escape_debug()
            )),
        }
    }
}

impl From<Evidence> for String {
    fn from(evidence: Evidence) -> Self {
        let Evidence {
            environment,
            stage,
            duration,
        } = evidence;
        format!("{environment}:{stage}:{}", show_duration(duration))
    }
}

impl Default for Migration {
    fn default() -> Self {
        Self {
            id: "async-db".into(),
            salt: "a".into(),
            hash: KeyHash::default(),
            key: default_key(),
        }
    }
}

impl Default for FlagsFile {
    fn default() -> Self {
        Self {
            schema: Self::SCHEMA,
            migration: Migration::default(),
            environments: BTreeMap::new(),
            budget: Budget::default(),
            session: Session::default(),
            plan: Plan::default(),
            shadow: Shadow::default(),
            triggers: Triggers::default(),
            detector: Detector::default(),
        }
    }
}

impl FlagsFile {
    /// The version of the format that this program reads.
    pub const SCHEMA: u32 = 1;

    /// What the file says of an environment.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where it says nothing: the environment's limits are then unknown.
    pub fn environment(&self, name: &str) -> Result<&Environment> {
        self.environments.get(name).ok_or_else(|| {
            let known: Vec<_> = self.environments.keys().map(String::as_str).collect();
            let hint = match known.as_slice() {
                [] => format!("add [environments.{name}] with its max_stage"),
                known => format!(
                    "it has {}; set PONTOON_ENV to one of them, or add [environments.{name}]",
                    known.join(", ")
                ),
            };
            Error::new(
                ErrorKind::Config,
                format!("there is no environment \"{name}\" in the file"),
            )
            .with_hint(hint)
        })
    }

    /// What is well formed in the file and yet wrong.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Faults::default();
        faults.check(
            self.schema == Self::SCHEMA,
            "schema",
            format!(
                "{} is not known; this program reads schema {}",
                self.schema,
                Self::SCHEMA
            ),
        );
        self.migration.check(&mut faults);
        for (name, environment) in &self.environments {
            let path = |key: &str| format!("environments.{name}.{key}");
            if let Some(evidence) = &environment.requires_evidence {
                faults.check(
                    evidence.environment != *name
                        && self.environments.contains_key(&evidence.environment),
                    path("requires_evidence"),
                    format!(
                        "\"{}\" is no other environment of this file",
                        evidence.environment
                    ),
                );
            }
        }
        self.budget.check(&mut faults);
        self.session.check(&mut faults);
        self.plan.check(&mut faults);
        self.shadow.check(&mut faults);
        self.triggers.check(&mut faults);
        faults.found()
    }
}

impl Migration {
    fn check(&self, faults: &mut Faults) {
        faults.text(&self.id, "migration.id");
        faults.text(&self.salt, "migration.salt");
        let twice = self.key.len() == 2 && self.key.first() == self.key.last();
        faults.check(
            (1..=2).contains(&self.key.len()) && !twice,
            "migration.key",
            "it must name tenant, session or both, each once",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_sound() {
        assert_eq!(FlagsFile::default().faults(), []);
    }

    #[test]
    fn another_hash_is_refused() {
        assert_eq!(
            serde_json::to_string(&KeyHash::Xxh3V1).unwrap(),
            "\"xxh3-64/v1\""
        );
        assert!(serde_json::from_str::<KeyHash>("\"xxh3-64/v2\"").is_err());
    }

    #[test]
    fn evidence_is_read_as_it_is_shown() {
        let evidence = Evidence::try_from("staging:full:24h".to_owned()).unwrap();
        assert_eq!(evidence.stage, Stage::Full);
        assert_eq!(evidence.duration, Duration::from_hours(24));
        assert_eq!(String::from(evidence), "staging:full:1d");
        for wrong in [
            "",
            "staging",
            "staging:full",
            "staging:fulll:24h",
            "staging:full:24",
        ] {
            assert!(Evidence::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_environment_that_is_not_there_is_an_error_with_the_known_ones() {
        let mut file = FlagsFile::default();
        assert!(
            file.environment("local")
                .unwrap_err()
                .hint()
                .unwrap()
                .contains("[environments.local]")
        );
        let staging = Environment {
            max_stage: Stage::Full,
            use_async_db: Switch::Auto,
            requires_evidence: Some(Evidence::try_from("staging:full:24h".to_owned()).unwrap()),
            approve: Vec::new(),
        };
        file.environments.insert("staging".into(), staging);
        assert!(
            file.environment("stagin")
                .unwrap_err()
                .hint()
                .unwrap()
                .contains("staging")
        );
        assert_eq!(
            file.faults()[0].path,
            "environments.staging.requires_evidence"
        );
    }
}
