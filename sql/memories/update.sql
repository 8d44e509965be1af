-- What is NULL stays as it is.
UPDATE memories
SET
    title = coalesce(%(title)s::text, title),
    content = coalesce(%(content)s::text, content),
    kind = coalesce(%(kind)s::text, kind),
    tags = coalesce(%(tags)s::text[], tags),
    metadata = coalesce(%(metadata)s::jsonb, metadata),
    updated_at = now()
WHERE id = %(id)s
RETURNING id, project_id, title, content, false AS truncated, kind, tags, metadata, created_at, updated_at
