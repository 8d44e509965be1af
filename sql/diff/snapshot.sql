-- The snapshot of this transaction, for another one to see the same data.
SELECT pg_export_snapshot() AS snapshot
