//! Ends at the server what nobody waits for any more.
//!
//! Closing the socket does not: a server that works, or waits for a lock, sees it late or not at all, and meanwhile others would open
//! sessions beside those that nobody uses. sqlx keeps the key that a request to cancel needs to itself, so one more connection tells the
//! server which sessions to end. Until they have ended, or had their time, they keep their slots of the budget.

use super::super::budget::Slot;
use super::opening::Opening;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

/// How long a session has to end before the server is asked again.
const PAUSE: Duration = Duration::from_millis(5);

/// One session of the server. Its process id alone may be another session's by the time it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Session {
    pid: i32,
    /// In microseconds of the server's clock.
    began: i64,
}

const SESSIONS: &str = "SELECT pid, (extract(epoch FROM backend_start) * 1000000)::bigint AS began FROM pg_stat_activity";

impl Session {
    /// The session of a connection; `None` where the server does not tell.
    pub(super) async fn of(connection: &mut PgConnection) -> Option<Self> {
        let own = AssertSqlSafe(format!("{SESSIONS} WHERE pid = pg_backend_pid()"));
        let row = connection.fetch_one(sqlx::raw_sql(own)).await;
        row.ok().as_ref().and_then(Self::from_row)
    }

    fn from_row(row: &PgRow) -> Option<Self> {
        Some(Self {
            pid: row.try_get(0).ok()?,
            began: row.try_get(1).ok()?,
        })
    }
}

/// The sessions that are to end.
#[derive(Default)]
pub(super) struct Endings(Mutex<State>);

#[derive(Default)]
struct State {
    left: Vec<Left>,
    /// Whether a task asks the server.
    under_way: bool,
}

/// A session that nobody uses, and until when it keeps its slot.
struct Left {
    session: Session,
    until: Instant,
    _slot: Slot,
}

impl Endings {
    /// Has the server end a session whose connection is closed. Outside a runtime the server is left to find out by itself.
    pub(super) fn end(opening: &Arc<Opening>, session: Session, slot: Slot) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let mut state = opening.endings.lock();
        state.left.push(Left {
            session,
            until: Instant::now() + opening.settings.open_timeout,
            _slot: slot,
        });
        if !std::mem::replace(&mut state.under_way, true) {
            // A runtime that is ending drops the task here and now.
            drop(state);
            drop(runtime.spawn(UnderWay(Some(Arc::clone(opening))).end_all()));
        }
    }

    /// Waits until every session has ended, or for `limit`.
    pub(super) async fn all_ended(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        while self.lock().under_way && Instant::now() < deadline {
            sleep(PAUSE).await;
        }
        let left = std::mem::take(&mut self.lock().left);
        drop(left);
    }

    /// The sessions that have time left, unless there is none: then nothing is under way any more.
    fn next(&self) -> Option<Vec<Session>> {
        let mut state = self.lock();
        let now = Instant::now();
        state.left.retain(|left| left.until > now);
        state.under_way = !state.left.is_empty();
        let sessions = state.left.iter().map(|left| left.session);
        state.under_way.then(|| sessions.collect())
    }

    /// Of those that were asked for, these were still there.
    fn settle(&self, asked: &[Session], there: &[Session]) {
        let gone = |session: &Session| asked.contains(session) && !there.contains(session);
        self.lock().left.retain(|left| !gone(&left.session));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that asks the server. Dropped before it is done, with its runtime or for a server that is away, it lets all slots go.
struct UnderWay(Option<Arc<Opening>>);

impl UnderWay {
    async fn end_all(mut self) {
        let Some(opening) = &self.0 else { return };
        // Within the budget where it has room.
        let _slot = opening.budget.free_slot();
        let limit = opening.settings.open_timeout;
        let Ok(Ok(mut connection)) = timeout(limit, opening.options.connect()).await else {
            return;
        };
        while let Some(asked) = opening.endings.next() {
            let statement = sqlx::raw_sql(AssertSqlSafe(end_sql(&asked)));
            let Ok(Ok(rows)) = timeout(limit, connection.fetch_all(statement)).await else {
                return;
            };
            let there: Vec<_> = rows.iter().filter_map(Session::from_row).collect();
            opening.endings.settle(&asked, &there);
            if !there.is_empty() {
                sleep(PAUSE).await;
            }
        }
        self.0 = None;
        let _closed = timeout(limit, connection.close()).await;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(opening) = &self.0 {
            let left = {
                let mut state = opening.endings.lock();
                state.under_way = false;
                std::mem::take(&mut state.left)
            };
            drop(left);
        }
    }
}

/// Asks the server to end those sessions, and gives those that were there. In the list of columns, so that no other session is asked.
fn end_sql(sessions: &[Session]) -> String {
    let mut sql = format!("SELECT *, pg_terminate_backend(pid) FROM ({SESSIONS}) s WHERE ");
    for (at, Session { pid, began }) in sessions.iter().enumerate() {
        let or = if at == 0 { "" } else { " OR " };
        let _infallible = write!(sql, "{or}(pid = {pid} AND began = {began})");
    }
    sql
}
