//! One backend's transaction over the file's statements, and the snapshot that both of them see.

use super::answer::Answer;
use super::plan::Step;
use crate::backend::{Isolation, StorageBackend, StorageTransaction, TransactionOptions};
use crate::cli::exit::Outcome;
use crate::error::{Error, ErrorKind};
use crate::sql::{Column, Params, Query, Value, catalog};
use std::sync::Arc;

type Transaction = Box<dyn StorageTransaction>;

/// The data as it is now, kept by a transaction of its own until both twins have ended.
#[derive(Debug)]
pub(super) struct Snapshot {
    holder: Option<(Transaction, String)>,
}

impl Snapshot {
    /// Takes one; a server that gives none away is no failure.
    pub(super) async fn take(backend: &dyn StorageBackend) -> Outcome<Self> {
        let mut holder = backend.begin(options("diff/snapshot", true)).await?;
        let row = async {
            run(&mut holder, "diff/stay").await?;
            holder
                .fetch_optional(&catalog::query("diff/snapshot")?, Params::none())
                .await
        };
        let holder = match row.await {
            Ok(Some(row)) => Some((holder, row.get::<String>("snapshot")?)),
            Ok(None) => None,
            Err(error) if error.sqlstate().is_some() => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { holder })
    }

    /// What the server calls it.
    pub(super) fn id(&self) -> Option<&str> {
        self.holder.as_ref().map(|(_, id)| id.as_str())
    }

    pub(super) async fn end(self) -> Outcome<()> {
        match self.holder {
            Some((holder, _)) => Ok(holder.rollback().await?),
            None => Ok(()),
        }
    }
}

/// A backend's transaction.
#[derive(Debug)]
pub(super) struct Twin {
    backend: Arc<dyn StorageBackend>,
    transaction: Transaction,
}

impl Twin {
    /// Begins one that sees the snapshot and never commits.
    pub(super) async fn begin(
        backend: Arc<dyn StorageBackend>,
        writes: bool,
        snapshot: Option<&str>,
    ) -> Outcome<Self> {
        let mut transaction = backend.begin(options("diff", !writes)).await?;
        if let Some(id) = snapshot {
            // The server's own word, and no other text may stand in the statement.
            let known = |letter: char| letter.is_ascii_hexdigit() || letter == '-';
            let id: String = id.chars().filter(|letter| known(*letter)).collect();
            let text = format!("SET TRANSACTION SNAPSHOT '{id}'");
            let query = Query::numbered("diff/import", &text)?;
            transaction.execute(&query, Params::none()).await?;
        }
        Ok(Self {
            backend,
            transaction,
        })
    }

    /// Runs a statement and gives what came of it. What failed is taken back, so that the next one runs.
    pub(super) async fn answer(&mut self, step: &Step) -> Outcome<Answer> {
        let query = &step.statement.query;
        // Before it runs, because a result without rows names no types. What the file makes itself is not known here.
        let described = match self.backend.describe(query).await {
            Ok(description) => Some(description.columns.0.clone()),
            Err(error) if is_away(&error) => return Err(error.into()),
            Err(_) => None,
        };
        let returns = match &described {
            Some(columns) => !columns.is_empty(),
            None => step.code.returns(),
        };
        run(&mut self.transaction, "diff/mark").await?;
        let answer = if returns {
            self.rows(step, described.unwrap_or_default()).await
        } else {
            let count = self.transaction.execute(query, step.params()).await;
            count.map(Answer::Count)
        };
        match answer {
            Ok(answer) => {
                run(&mut self.transaction, "diff/keep").await?;
                Ok(answer)
            }
            Err(error) if is_away(&error) => Err(error.into()),
            Err(error) => {
                run(&mut self.transaction, "diff/undo").await?;
                run(&mut self.transaction, "diff/keep").await?;
                Ok(Answer::Failed(error))
            }
        }
    }

    async fn rows(&mut self, step: &Step, described: Vec<Column>) -> Result<Answer, Error> {
        let query = &step.statement.query;
        let found = self.transaction.fetch_all(query, step.params()).await?;
        let columns = found
            .first()
            .map_or(described, |row| row.columns().to_vec());
        let rows: Result<Vec<Vec<Value>>, Error> =
            found.iter().map(crate::sql::Row::values).collect();
        Ok(Answer::Rows {
            columns,
            rows: rows?,
        })
    }

    /// Takes everything back.
    pub(super) async fn end(self) -> Outcome<()> {
        Ok(self.transaction.rollback().await?)
    }
}

fn options(name: &'static str, read_only: bool) -> TransactionOptions {
    TransactionOptions {
        isolation: Some(Isolation::RepeatableRead),
        read_only,
        ..TransactionOptions::named(name)
    }
}

async fn run(transaction: &mut Transaction, name: &str) -> Result<(), Error> {
    let query = catalog::query(name)?;
    transaction.execute(&query, Params::none()).await.map(drop)
}

/// Whether the server is gone, so that there is nothing left to compare.
fn is_away(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unreachable
            | ErrorKind::Connection
            | ErrorKind::Timeout(_)
            | ErrorKind::Closed
            | ErrorKind::OutcomeUnknown
            | ErrorKind::Panic
    )
}
