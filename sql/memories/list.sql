-- The newest first. A page begins behind the row that the cursor names; without one, at the newest.
-- The bounds stand for "no cursor" so that the row comparison stays one range of memories_newest_idx.
SELECT
    id, project_id, title, left(content, 200) AS content, char_length(content) > 200 AS truncated, kind, tags, metadata,
    created_at, updated_at
FROM memories
WHERE
    (created_at, id) < (
        coalesce(%(created_at)s::timestamptz, 'infinity'),
        coalesce(%(id)s::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    )
    AND (%(kind)s::text IS NULL OR kind = %(kind)s::text)
    AND (%(tag)s::text IS NULL OR tags @> ARRAY[%(tag)s::text])
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s
