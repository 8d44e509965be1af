-- A transaction that only keeps its snapshot is idle for as long as the others run.
SET LOCAL idle_in_transaction_session_timeout = 0
