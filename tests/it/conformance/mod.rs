//! What every backend owes its callers, whichever driver is beneath.
//!
//! Adding a backend: one `conforms!` line. Adding a case: a function over [`Bench`] in the file of its concern, and its line in the list.

mod calls;
mod failures;
mod stale;
mod streams;
mod transactions;

use crate::support::{self, Bench, Open};
use futures_util::future::BoxFuture;
use pontoon::Result;

/// The list of cases, each a test of its own for each backend.
macro_rules! conforms {
    ($backend:ident: $open:expr) => {
        mod $backend {
            super::cases! { $open;
                calls::counts_what_a_statement_affected,
                calls::gives_rows_in_order_with_their_columns,
                calls::fetch_optional_gives_the_first_row_and_runs_to_the_end,
                calls::a_missing_row_has_a_kind_of_its_own,
                calls::describes_without_running,
                calls::values_go_by_position_and_by_name,
                calls::wrong_values_are_refused_before_anything_is_sent,
                calls::transaction_control_is_refused,
                calls::a_type_without_a_codec_is_named,
                calls::sessions_are_set_alike,
                calls::the_pool_tells_its_figures,
                calls::a_closed_backend_refuses_everything,
                calls::close_waits_for_what_runs,
                calls::more_callers_than_connections_all_get_their_turn,
                failures::each_error_of_the_server_has_its_code,
                failures::an_error_says_query_and_backend,
                failures::a_syntax_error_has_its_place,
                failures::limits_of_the_session_end_statements,
                failures::a_wait_for_a_lock_ends,
                failures::one_of_two_in_a_deadlock_goes_on,
                failures::a_wait_for_a_permit_is_named,
                failures::a_database_that_is_not_there_is_told_at_once,
                transactions::a_commit_is_seen_by_others,
                transactions::a_rollback_undoes,
                transactions::dropped_it_is_rolled_back,
                transactions::dropped_after_a_failure_it_is_rolled_back,
                transactions::each_isolation_level_is_what_was_asked,
                transactions::read_only_refuses_writes,
                transactions::a_savepoint_saves_the_rest,
                transactions::after_a_failure_it_refuses_everything_and_commits_nothing,
                transactions::a_deferred_constraint_fails_the_commit,
                transactions::a_serialization_failure_can_be_tried_again,
                transactions::a_call_given_up_loses_it,
                transactions::failed_and_then_given_up_it_is_lost_with_its_connection,
                transactions::a_call_past_its_limit_loses_it,
                transactions::a_session_ended_by_the_server_loses_it,
                transactions::wrong_values_leave_it_as_it_was,
                streams::rows_come_in_order,
                streams::no_rows_end_it_at_once,
                streams::what_fails_before_the_first_row_is_the_calls_own_error,
                streams::what_fails_later_is_the_last_item,
                streams::rows_before_a_failure_reach_a_slow_reader,
                streams::dropped_early_it_frees_its_connection,
                streams::dropped_early_the_server_need_not_go_on,
                streams::read_to_its_end_it_keeps_its_connection,
                streams::a_slow_reader_stalls_nobody_else,
                streams::writes_once_read_to_the_end_are_there,
                stale::a_changed_result_is_prepared_anew_on_every_connection,
                stale::a_changed_result_is_streamed,
                stale::in_a_transaction_a_changed_result_is_an_error,
                stale::in_transactions_alone_each_connection_fails_once_at_most,
                stale::statements_that_the_server_forgot_are_prepared_anew,
                stale::a_changed_parameter_type_is_followed,
                stale::types_made_after_the_connection_are_known,
            }
        }
    };
}

macro_rules! cases {
    ($open:expr; $($concern:ident::$case:ident),+ $(,)?) => {
        $(
            #[test]
            fn $case() {
                crate::conformance::run($open, |bench| Box::pin(crate::conformance::$concern::$case(bench)));
            }
        )+
    };
}

use cases;

conforms!(r2d2_pg: crate::support::blocking);
conforms!(sqlx_pg: crate::support::sqlx);
conforms!(r2d2_pg_on_a_service_pool: crate::support::blocking_on_a_service_pool);
conforms!(sqlx_pg_on_a_service_pool: crate::support::sqlx_on_a_service_pool);
conforms!(bridge_on_blocking: crate::support::bridge_on_blocking);
conforms!(bridge_on_async: crate::support::bridge_on_async);

/// Runs a case on a runtime of its own, and sees that it left nothing behind.
fn run(open: Open, case: for<'a> fn(&'a Bench) -> BoxFuture<'a, Result<()>>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let bench = Bench::new(open);
        case(&bench).await.unwrap();
        let Bench {
            backend,
            budget,
            database,
        } = bench;
        let sessions = |condition| support::sessions(&database.url, condition);
        support::eventually("every permit comes back", || budget.in_use() == 0).await;
        support::eventually("no transaction stays open", || {
            sessions("state LIKE 'idle in transaction%'") == 0
        })
        .await;
        backend.close().await;
        // With it goes the last handle of a pool that was handed in.
        drop(backend);
        support::eventually("every connection is closed", || {
            sessions("true") == 0 && budget.open() == 0
        })
        .await;
    });
}
