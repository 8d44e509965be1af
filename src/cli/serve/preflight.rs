//! What the operator should know before anybody is moved to the other backend.

use crate::backend::{StorageBackend, parity};
use crate::cli::exit::Outcome;
use std::sync::Arc;

/// Compares both backends' sessions and TLS. A difference is a warning: the blocking backend serves as before.
pub(super) async fn warn_of_differences(backends: &[Arc<dyn StorageBackend>]) -> Outcome<()> {
    let [control, candidate] = backends else {
        return Ok(());
    };
    match parity(&**control, &**candidate).await {
        Ok(differences) => {
            for difference in &differences {
                tracing::warn!(
                    name = difference.name,
                    "the backends' sessions differ: {difference}; `pontoon check` tells more"
                );
            }
        }
        // A candidate that cannot connect must not keep the control from serving.
        Err(error) => tracing::warn!(%error, "the backends could not be compared: {error}"),
    }
    Ok(())
}
