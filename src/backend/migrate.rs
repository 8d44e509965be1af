//! Brings a database to this build's schema: `migrations/<n>_<what>.sql`, compiled in, each applied once and in order.
//!
//! Each migration runs in a transaction of its own that holds an advisory lock, so that any number of processes may start at once. A
//! database that was migrated by a newer build, or by another text of the same migration, is refused: nothing is guessed.
//!
//! Adding a migration: write the next `migrations/<n>_<what>.sql`. A file that has been released is never edited; its text is part of what
//! is checked. A statement that cannot run in a transaction, such as `CREATE INDEX CONCURRENTLY`, has no place in one.

use super::{StorageBackend, StorageTransaction, TransactionOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::params;
use crate::sql::translate::{Style, split_statements};
use crate::sql::{FromRow, Params, Query, Row, catalog};
use serde::Serialize;
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_128;

const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// What a database has, and what it lacks of this build's schema.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The migrations that were there before.
    pub present: Vec<Step>,
    /// The migrations that this call applied; [`check`] applies none.
    pub applied: Vec<Step>,
    /// The migrations that are not applied.
    pub pending: Vec<Step>,
}

/// A migration, by its number and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Step {
    /// Its number: 1 is the first.
    pub version: i32,
    /// What it makes.
    pub name: String,
}

impl Report {
    /// Whether the database has all of this build's schema.
    pub fn is_complete(&self) -> bool {
        self.pending.is_empty()
    }
}

/// Applies what the database lacks. It may run in many processes at once: each migration is applied by one of them, and all return when the
/// schema is complete.
///
/// # Errors
/// [`ErrorKind::Schema`] when the database's schema is not one that this build knows, with advice. Else what the statement that failed
/// says; its query is named `migrations/<file>#<statement>`. What was applied before it stays, the rest of its migration does not.
///
/// # Cancel safety
/// A migration is applied wholly or not at all; call it again to go on.
pub async fn migrate(backend: &dyn StorageBackend) -> Result<Report> {
    let mut report = check(backend).await?;
    let known = known()?;
    // A complete schema needs neither the lock nor the right to create.
    while !report.is_complete() {
        let transaction = backend.begin(TransactionOptions::named("migrate")).await?;
        let applied = apply_next(transaction, &known).await?;
        report.applied.extend(applied);
        report.pending = check(backend).await?.pending;
    }
    Ok(report)
}

/// Tells what [`migrate`] would apply, and writes nothing.
///
/// # Errors
/// As [`migrate`].
///
/// # Cancel safety
/// Nothing has taken effect.
pub async fn check(backend: &dyn StorageBackend) -> Result<Report> {
    let known = known()?;
    let exists = catalog::query("migrate/exists")?;
    let found = backend.fetch_optional(&exists, Params::none()).await?;
    let applied = if flag(found.as_ref())? {
        let query = catalog::query("migrate/applied")?;
        read(&backend.fetch_all(&query, Params::none()).await?)?
    } else {
        BTreeMap::new()
    };
    let (present, pending) = compare(&known, &applied)?;
    Ok(Report {
        present,
        applied: Vec::new(),
        pending: pending.into_iter().map(|next| next.step.clone()).collect(),
    })
}

/// A migration of this build.
#[derive(Debug)]
struct Migration {
    step: Step,
    file: &'static str,
    checksum: String,
    statements: Vec<Query>,
}

/// A line of the database's list.
struct Applied {
    version: i32,
    name: String,
    checksum: String,
}

impl FromRow for Applied {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            version: row.get("version")?,
            name: row.get("name")?,
            checksum: row.get("checksum")?,
        })
    }
}

/// Whether `migrate/exists` found the list.
fn flag(row: Option<&Row>) -> Result<bool> {
    row.map_or(Ok(false), |row| row.get("found"))
}

fn read(rows: &[Row]) -> Result<BTreeMap<i32, Applied>> {
    rows.iter()
        .map(|row| Applied::from_row(row).map(|applied| (applied.version, applied)))
        .collect()
}

/// Applies the first migration that is still missing once the lock is held: another process may have applied some meanwhile.
async fn apply_next(
    mut transaction: Box<dyn StorageTransaction>,
    known: &[Migration],
) -> Result<Option<Step>> {
    lock(&mut *transaction).await?;
    let found = transaction
        .fetch_optional(&catalog::query("migrate/exists")?, Params::none())
        .await?;
    if !flag(found.as_ref())? {
        execute(&mut *transaction, "migrate/create").await?;
    }
    let rows = transaction
        .fetch_all(&catalog::query("migrate/applied")?, Params::none())
        .await?;
    let (_, pending) = compare(known, &read(&rows)?)?;
    let Some(next) = pending.first() else {
        transaction.rollback().await?;
        return Ok(None);
    };
    apply(&mut *transaction, next).await?;
    transaction.commit().await?;
    let Step { version, name } = &next.step;
    tracing::info!(version, name, "migration {} applied", next.file);
    Ok(Some(next.step.clone()))
}

async fn lock(transaction: &mut dyn StorageTransaction) -> Result<()> {
    let waited = execute(transaction, "migrate/lock").await;
    waited.map_err(|error| match error.sqlstate() {
        Some("57014" | "55P03") => error.with_hint(
            "another process is migrating this database: see pg_locks for the advisory lock",
        ),
        _ => error,
    })
}

async fn execute(transaction: &mut dyn StorageTransaction, query: &str) -> Result<()> {
    transaction
        .execute(&catalog::query(query)?, Params::none())
        .await
        .map(drop)
}

async fn apply(transaction: &mut dyn StorageTransaction, migration: &Migration) -> Result<()> {
    for statement in &migration.statements {
        transaction.execute(statement, Params::none()).await?;
    }
    let Step { version, name } = &migration.step;
    let line = params! { "version" => *version, "name" => name, "checksum" => &migration.checksum };
    transaction
        .execute(&catalog::query("migrate/record")?, line)
        .await?;
    Ok(())
}

/// What the database has, and what it lacks.
fn compare<'a>(
    known: &'a [Migration],
    applied: &BTreeMap<i32, Applied>,
) -> Result<(Vec<Step>, Vec<&'a Migration>)> {
    if let Some(stranger) = applied
        .values()
        .find(|line| known.iter().all(|own| own.step.version != line.version))
    {
        return Err(unknown(stranger, known.len()));
    }
    let (mut present, mut pending) = (Vec::new(), Vec::<&Migration>::new());
    for own in known {
        match applied.get(&own.step.version) {
            Some(line) if line.checksum != own.checksum => return Err(changed(own)),
            Some(_) => match pending.first() {
                Some(missing) => return Err(left_out(missing, own)),
                None => present.push(own.step.clone()),
            },
            None => pending.push(own),
        }
    }
    Ok((present, pending))
}

fn unknown(stranger: &Applied, known: usize) -> Error {
    let Applied { version, name, .. } = stranger;
    let message = format!(
        "the database has migration {version} ({name}); this build knows {known} and not that one"
    );
    Error::new(ErrorKind::Schema, message)
        .with_hint("a newer build migrated this database: run that build or a later one, or point this one at its own database")
}

fn changed(own: &Migration) -> Error {
    let message = format!(
        "migration {} was applied to the database with another text than this build's migrations/{}.sql",
        own.step.version, own.file
    );
    Error::new(ErrorKind::Schema, message)
        .with_hint("run the build that applied it; a migration is never edited after its release, a later one changes what it made")
}

fn left_out(missing: &Migration, later: &Migration) -> Error {
    let message = format!(
        "the database has migration {} but lacks {} ({}), which comes before it",
        later.step.version, missing.step.version, missing.step.name
    );
    Error::new(ErrorKind::Schema, message)
        .with_hint("a line was lost from pontoon_migrations, or the database was restored in part: restore it whole")
}

fn known() -> Result<Vec<Migration>> {
    load(FILES)
}

fn load(files: &[(&'static str, &'static str)]) -> Result<Vec<Migration>> {
    let mut migrations: Vec<Migration> = files
        .iter()
        .map(|&(file, text)| parse(file, text))
        .collect::<Result<_>>()?;
    migrations.sort_by_key(|migration| migration.step.version);
    for (expected, migration) in (1..).zip(&migrations) {
        if migration.step.version != expected {
            return Err(bad_file(
                migration.file,
                &format!("number {expected} is missing or there twice"),
            ));
        }
    }
    Ok(migrations)
}

fn parse(file: &'static str, text: &'static str) -> Result<Migration> {
    let (version, name) = file
        .split_once('_')
        .and_then(|(number, name)| Some((number.parse().ok()?, name)))
        .ok_or_else(|| bad_file(file, "its name is not <number>_<what>"))?;
    let statements = split_statements(text).map_err(|error| {
        bad_file(file, &format!("{}:{}: {error}", error.line, error.column)).with_source(error)
    })?;
    let statements = (1..).zip(statements).map(|(number, statement)| {
        Query::in_style(
            format!("migrations/{file}#{number}"),
            statement,
            Style::NoParameters,
        )
    });
    Ok(Migration {
        step: Step {
            version,
            name: name.to_owned(),
        },
        file,
        checksum: checksum(text),
        statements: statements.collect::<Result<_>>()?,
    })
}

/// The same for a working copy whose lines end in CRLF.
fn checksum(text: &str) -> String {
    format!("{:032x}", xxh3_128(text.replace("\r\n", "\n").as_bytes()))
}

fn bad_file(file: &str, reason: &str) -> Error {
    Error::new(
        ErrorKind::Schema,
        format!("migrations/{file}.sql: {reason}"),
    )
}

#[cfg(test)]
mod tests;
