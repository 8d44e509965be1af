//! The statements that the program itself runs: `sql/<area>/<verb>.sql`, compiled in and translated once, at the first use.

use super::Query;
use crate::error::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/queries.rs"));

static CATALOG: LazyLock<Result<BTreeMap<&'static str, Query>>> = LazyLock::new(|| load(FILES));

/// The query that `sql/<name>.sql` holds.
///
/// # Errors
/// [`ErrorKind::Sql`] when there is no such file, or a file of the catalog could not be translated.
pub fn query(name: &str) -> Result<Query> {
    let catalog = loaded()?;
    catalog.get(name).cloned().ok_or_else(|| {
        let known: Vec<&str> = catalog.keys().copied().collect();
        Error::new(
            ErrorKind::Sql,
            format!(
                "there is no sql/{name}.sql; the catalog holds {}",
                known.join(", ")
            ),
        )
    })
}

/// Every query of the catalog, by name.
///
/// # Errors
/// [`ErrorKind::Sql`] when a file could not be translated.
pub fn all() -> Result<impl Iterator<Item = &'static Query>> {
    Ok(loaded()?.values())
}

/// The text of `sql/<name>.sql` as it was written, which is what a message about it points into.
pub fn source(name: &str) -> Option<&'static str> {
    let mut files = FILES.iter();
    files
        .find(|(known, _)| *known == name)
        .map(|&(_, text)| text)
}

fn loaded() -> Result<&'static BTreeMap<&'static str, Query>> {
    CATALOG
        .as_ref()
        .map_err(|error| Error::new(ErrorKind::Sql, error.to_string()))
}

fn load(files: &[(&'static str, &'static str)]) -> Result<BTreeMap<&'static str, Query>> {
    files
        .iter()
        .map(|&(name, text)| Ok((name, Query::new(name, text)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_translates() {
        assert!(all().is_ok_and(|queries| queries.count() == FILES.len()));
    }

    #[test]
    fn a_bad_file_is_named() {
        let error = load(&[("area/verb", "SELECT %d")]).unwrap_err();
        assert!(error.to_string().contains("area/verb"), "{error}");
    }

    #[test]
    fn an_unknown_name_is_refused() {
        assert!(
            query("no/such")
                .unwrap_err()
                .to_string()
                .contains("there is no sql/no/such.sql")
        );
    }
}
