-- Held to the end of the transaction: one process migrates at a time.
-- The number is 'pontoon' in ASCII, so that no other program has it by chance.
SELECT pg_advisory_xact_lock(31647717582139246)
