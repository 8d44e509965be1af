SELECT id, project_id, title, content, false AS truncated, kind, tags, metadata, created_at, updated_at
FROM memories
WHERE id = %(id)s
