//! What differs between two backends' sessions, asked of the server.

use crate::backend::StorageBackend;
use crate::error::Result;
use crate::sql::{Params, catalog};
use std::collections::BTreeMap;
use std::fmt;

/// A property that two backends' sessions do not share: a setting, the role, the database, the server, TLS.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The setting's name, or the property's.
    pub name: String,
    /// What the control's session has; `None` where it has none.
    pub control: Option<String>,
    /// What the candidate's session has.
    pub candidate: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".into());
        write!(
            f,
            "{}: {} on the control, ",
            self.name,
            shown(&self.control)
        )?;
        write!(f, "{} on the candidate", shown(&self.candidate))
    }
}

/// What differs between the sessions of two backends; nothing, when they were built from the same URL and settings.
///
/// Compared are all settings that the role may see, who and where the session is, and its TLS. The application's name is left out, because
/// it tells the two apart. Each backend is asked on one of its connections.
///
/// # Errors
/// Those of [`StorageBackend::fetch_all`], of whichever backend cannot be asked.
///
/// # Cancel safety
/// Nothing has taken effect.
pub async fn parity(
    control: &dyn StorageBackend,
    candidate: &dyn StorageBackend,
) -> Result<Vec<Difference>> {
    let mut left = properties(control).await?;
    let right = properties(candidate).await?;
    let mut differences = Vec::new();
    for (name, candidate) in right {
        let control = left.remove(&name);
        if control.as_ref() != Some(&candidate) {
            differences.push(Difference {
                name,
                control: control.flatten(),
                candidate,
            });
        }
    }
    differences.extend(left.into_iter().map(|(name, control)| Difference {
        name,
        control,
        candidate: None,
    }));
    differences.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(differences)
}

async fn properties(backend: &dyn StorageBackend) -> Result<BTreeMap<String, Option<String>>> {
    let query = catalog::query("session/parity")?;
    let rows = backend.fetch_all(&query, Params::none()).await?;
    let read = rows.iter().map(|row| Ok((row.at(0)?, row.at(1)?)));
    read.collect::<Result<_>>().map_err(|error| {
        error
            .with_query(query.name())
            .with_backend(backend.kind().as_str())
    })
}
