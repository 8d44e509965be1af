-- Projects, and the memories that a client stores.

CREATE TABLE projects (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CONSTRAINT projects_name_key UNIQUE,
    settings jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT projects_name_said CHECK (btrim(name) <> ''),
    CONSTRAINT projects_settings_object CHECK (jsonb_typeof(settings) = 'object')
);

CREATE TABLE memories (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- A memory without a project belongs to the whole server.
    project_id uuid CONSTRAINT memories_project_id_fkey REFERENCES projects (id) ON DELETE CASCADE,
    title text NOT NULL,
    content text NOT NULL,
    kind text NOT NULL DEFAULT 'general',
    tags text[] NOT NULL DEFAULT '{}',
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- A tsvector holds 1 MiB of words. So many characters never fill it, whatever they are; the search goes through the rest as text.
    search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', title), 'A') || setweight(to_tsvector('simple', left(content, 50000)), 'B')
    ) STORED,
    CONSTRAINT memories_metadata_object CHECK (jsonb_typeof(metadata) = 'object')
);

CREATE INDEX memories_newest_idx ON memories (created_at DESC, id DESC);

CREATE INDEX memories_project_idx ON memories (project_id, created_at DESC, id DESC);

CREATE INDEX memories_search_idx ON memories USING gin (search);

CREATE INDEX memories_tags_idx ON memories USING gin (tags);
