//! Whether the server has room for the connections that both backends may use.

use crate::backend::{StorageBackend, StorageBackendExt};
use crate::cli::exit::Outcome;
use crate::cli::finding::Finding;
use crate::sql::{Params, catalog};

/// What bounds the connections of this role on this database.
#[derive(Debug)]
pub(super) struct Room {
    bound: i64,
    /// What sets that bound.
    by: String,
    /// Clients of others that are connected now.
    others: i64,
}

impl Room {
    pub(super) async fn ask(backend: &dyn StorageBackend) -> Outcome<Self> {
        let row = backend
            .fetch_one(&catalog::query("check/connections")?, Params::none())
            .await?;
        let max: i64 = row.get("max_connections")?;
        let (superuser, reserved): (i64, i64) =
            (row.get("superuser_reserved")?, row.get("reserved")?);
        let kept = if row.get::<bool>("superuser")? {
            0
        } else {
            superuser + reserved
        };
        let bounds = [
            (
                max - kept,
                format!("max_connections = {max}, of which {kept} are reserved for others"),
            ),
            (
                limit(row.get("role_limit")?),
                "the role's CONNECTION LIMIT".to_owned(),
            ),
            (
                limit(row.get("database_limit")?),
                "the database's CONNECTION LIMIT".to_owned(),
            ),
        ];
        let (bound, by) = bounds
            .into_iter()
            .min_by_key(|(bound, _)| *bound)
            .unwrap_or((max, String::new()));
        Ok(Self {
            bound,
            by,
            others: row.get("others")?,
        })
    }

    /// A finding where the budget can never fit.
    pub(super) fn refuses(&self, wanted: i64) -> Option<Finding> {
        let Self { bound, by, .. } = self;
        let message = format!(
            "the budget of {wanted} connections is more than the {bound} that the server admits ({by})"
        );
        let advice = format!(
            "set budget.total in flags.toml to at most {bound}, shared by all instances, or raise the server's limit"
        );
        (wanted > *bound).then(|| Finding::new("budget", message).with_suggestion(&advice))
    }

    /// A warning where it fits only if others leave.
    pub(super) fn crowded(&self, wanted: i64) -> Option<String> {
        let Self { bound, others, .. } = self;
        (wanted <= *bound && wanted + others > *bound).then(|| {
            format!("{others} other clients are connected now: with the budget of {wanted} that is more than the {bound} that the server admits")
        })
    }
}

/// A limit of -1 is none.
fn limit(limit: i64) -> i64 {
    if limit < 0 { i64::MAX } else { limit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_must_fit_and_better_fit_beside_others() {
        let room = Room {
            bound: 97,
            by: "max_connections".into(),
            others: 90,
        };
        assert!(room.refuses(97).is_none());
        assert_eq!(room.refuses(98).unwrap().code, "budget");
        assert!(room.crowded(7).is_none());
        assert!(room.crowded(8).unwrap().starts_with("90 other clients"));
        assert!(room.crowded(98).is_none());
    }
}
