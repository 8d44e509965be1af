//! What is translated: queries as services write them, and a script of ten megabytes.

use pontoon::sql::translate::{Style, translate};
use std::fmt::Write;

/// Longer queries are data: one of them would weigh as much as a thousand others.
const LONGEST: usize = 16 * 1024;

const SCRIPT_BYTES: usize = 10_000_000;

pub(crate) struct Texts {
    /// Where the queries are from, for a reader.
    pub(crate) source: String,
    /// Queries that translate, each of them once.
    pub(crate) queries: Vec<String>,
    /// A dump: tables, a function, and rows. No placeholder.
    pub(crate) script: String,
}

impl Texts {
    /// The queries of the file that `CORPUS` names, a JSON object with `sql` in each line, or those made here.
    pub(crate) fn load() -> Result<Self, Box<dyn std::error::Error>> {
        let (source, mut queries) = match std::env::var_os("CORPUS") {
            Some(path) => (
                "the file that `CORPUS` names",
                read(&std::fs::read_to_string(path)?)?,
            ),
            None => ("made by `benches/translate/texts.rs`, and `sql/`", made()),
        };
        queries.retain(|sql| sql.len() <= LONGEST && translate(sql, Style::Psycopg).is_ok());
        queries.sort();
        queries.dedup();
        if queries.is_empty() {
            return Err("CORPUS holds no query with placeholders".into());
        }
        Ok(Self {
            source: source.to_owned(),
            queries,
            script: script(),
        })
    }

    pub(crate) fn query_bytes(&self) -> usize {
        self.queries.iter().map(String::len).sum()
    }
}

/// The queries of style `format` and `pyformat` that were written as one literal.
fn read(lines: &str) -> Result<Vec<String>, serde_json::Error> {
    let mut queries = Vec::new();
    for line in lines.lines() {
        let row: serde_json::Value = serde_json::from_str(line)?;
        let dynamic = row["dynamic"]
            .as_array()
            .is_some_and(|parts| !parts.is_empty());
        let is_psycopg = matches!(row["style"].as_str(), Some("format" | "pyformat"));
        queries.extend(
            row["sql"]
                .as_str()
                .filter(|_| is_psycopg && !dynamic)
                .map(str::to_owned),
        );
    }
    Ok(queries)
}

/// Every shape with the names of many tables.
fn made() -> Vec<String> {
    const OWN: [&str; 6] = [
        include_str!("../../sql/memories/create.sql"),
        include_str!("../../sql/memories/delete.sql"),
        include_str!("../../sql/memories/get.sql"),
        include_str!("../../sql/memories/list.sql"),
        include_str!("../../sql/memories/search.sql"),
        include_str!("../../sql/memories/update.sql"),
    ];
    const SHAPES: [&str; 16] = [
        "SELECT id, name, state, created_at FROM {t} WHERE id = %s",
        "SELECT count(*) FROM {t} WHERE state = %s AND created_at >= %s AND NOT archived",
        "INSERT INTO {t} (id, project_id, name, state, payload) VALUES (%s, %s, %s, %s, %s::jsonb) RETURNING id",
        "UPDATE {t} SET state = %(state)s, updated_at = now() WHERE id = %(id)s AND state <> %(state)s",
        "DELETE FROM {t} WHERE project_id = %s AND id = ANY(%s)",
        "\n    SELECT t.id, t.name, p.title AS project\n    FROM {t} t\n    JOIN projects p ON p.id = t.project_id\n    \
         WHERE p.owner = %(owner)s\n      AND (t.name ILIKE %(like)s OR t.code = %(code)s)\n    \
         ORDER BY t.created_at DESC\n    LIMIT %(limit)s OFFSET %(offset)s\n",
        "INSERT INTO {t} (key, value, expires_at) VALUES (%s, %s, now() + interval '1 day')\n\
         ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, expires_at = EXCLUDED.expires_at",
        "-- the latest of each\nSELECT DISTINCT ON (project_id) project_id, id, state\nFROM {t}\n\
         WHERE created_at > %s AND state NOT IN ('done', 'failed')\nORDER BY project_id, created_at DESC",
        "WITH waiting AS (\n    SELECT id FROM {t} WHERE state = 'queued' AND run_at <= %s\n    \
         ORDER BY priority DESC, run_at LIMIT %s FOR UPDATE SKIP LOCKED\n)\n\
         UPDATE {t} SET state = 'running', worker = %s FROM waiting WHERE {t}.id = waiting.id RETURNING {t}.*",
        "SELECT * FROM {t} WHERE name LIKE 'tmp\\_%%' AND note LIKE '50%%' AND id > %s /* page */ ORDER BY id LIMIT %s",
        "SELECT date_trunc(%(period)s, created_at) AS period, sum(amount)::numeric(12, 2) AS total\nFROM {t}\n\
         WHERE account_id = %(account)s AND created_at BETWEEN %(since)s AND %(until)s\n\
         GROUP BY date_trunc(%(period)s, created_at)\nORDER BY 1",
        "SELECT \"id\", \"user\", payload->>'kind' AS kind FROM \"{t}\" WHERE payload @> %s AND \"user\" = %s",
        "SELECT c.column_name, c.data_type FROM information_schema.columns c\n\
         WHERE c.table_schema = %s AND c.table_name = %s ORDER BY c.ordinal_position",
        "SELECT coalesce(max(version), 0) + 1 FROM {t} WHERE document_id = %s",
        "INSERT INTO {t} (a, b, c, d, e, f, g, h) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        "SELECT EXISTS (SELECT 1 FROM {t} WHERE email = lower(%(email)s) AND deleted_at IS NULL)",
    ];
    const TABLES: [&str; 12] = [
        "users",
        "jobs",
        "events",
        "invoices",
        "audit_log",
        "memories",
        "sessions",
        "order_items",
        "public.documents",
        "measurements",
        "device_readings",
        "tags",
    ];
    let shapes = SHAPES
        .iter()
        .flat_map(|shape| TABLES.map(|table| shape.replace("{t}", table)));
    shapes.chain(OWN.map(str::to_owned)).collect()
}

fn script() -> String {
    let mut script = String::with_capacity(SCRIPT_BYTES + 1024);
    for table in 0.. {
        let _ = write!(
            script,
            "--\n-- Name: notes_{table}; Type: TABLE; Schema: public\n--\n\nCREATE TABLE public.notes_{table} (\n    \
             id bigint NOT NULL,\n    title text DEFAULT ''::text NOT NULL,\n    content text,\n    \
             created_at timestamp with time zone DEFAULT now()\n);\n\n\
             CREATE FUNCTION public.touch_{table}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    \
             NEW.updated_at := now();\n    RETURN NEW; -- it's done\nEND\n$$;\n\n"
        );
        for row in 0..500 {
            let _ = writeln!(
                script,
                "INSERT INTO public.notes_{table} (id, title, content, created_at) VALUES ({row}, 'Note number {row}', \
                 'What somebody wrote down, in a sentence or two; it''s {row} words long.', '2024-05-{:02} 12:00:00+00');",
                row % 28 + 1
            );
            if script.len() >= SCRIPT_BYTES {
                return script;
            }
        }
    }
    script
}
