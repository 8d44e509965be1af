-- A hundred rows of several types, made by the server.
SELECT
    number::int8 AS id,
    md5(number::text) AS title,
    '2026-01-01 00:00:00+00'::timestamptz + number * interval '1 minute' AS at,
    jsonb_build_object('number', number) AS metadata
FROM generate_series(1, 100) AS number
ORDER BY number
