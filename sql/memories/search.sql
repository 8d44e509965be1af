-- What holds the words, best match first; where that fills no page, what holds the text as it stands or has it as a tag, newest first.
WITH wanted AS (
    SELECT
        websearch_to_tsquery('simple', %(text)s) AS words,
        '%%' || replace(replace(replace(%(text)s, '\', '\\'), '%%', '\%%'), '_', '\_') || '%%' AS pattern
),
by_words AS MATERIALIZED (
    SELECT memories.id, ts_rank(memories.search, wanted.words) AS rank, memories.created_at
    FROM memories, wanted
    WHERE memories.search @@ wanted.words
    ORDER BY rank DESC, memories.created_at DESC, memories.id DESC
    LIMIT %(limit)s
),
by_text AS (
    SELECT memories.id, NULL::real AS rank, memories.created_at
    FROM memories, wanted
    WHERE
        (SELECT count(*) FROM by_words) < %(limit)s
        AND NOT memories.search @@ wanted.words
        AND (
            memories.title ILIKE wanted.pattern
            OR memories.content ILIKE wanted.pattern
            OR memories.tags @> ARRAY[%(text)s]
        )
    ORDER BY memories.created_at DESC, memories.id DESC
    LIMIT %(limit)s
),
found AS (
    SELECT id, rank FROM by_words
    UNION ALL
    SELECT id, rank FROM by_text
)
SELECT
    memories.id, project_id, title, left(content, 200) AS content, char_length(content) > 200 AS truncated, kind, tags, metadata,
    created_at, updated_at
FROM found
INNER JOIN memories ON memories.id = found.id
ORDER BY found.rank DESC NULLS LAST, created_at DESC, memories.id DESC
LIMIT %(limit)s
