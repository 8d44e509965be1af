-- The shortest way to the server and back.
SELECT 1::int8 AS one
