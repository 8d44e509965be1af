INSERT INTO memories (id, title, content, kind, tags, metadata)
VALUES (
    coalesce(%(id)s::uuid, gen_random_uuid()),
    %(title)s,
    %(content)s,
    %(kind)s,
    %(tags)s,
    coalesce(%(metadata)s::jsonb, '{}')
)
RETURNING id, project_id, title, content, false AS truncated, kind, tags, metadata, created_at, updated_at
