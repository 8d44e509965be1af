//! Python modules as projects have them.

use std::fmt::Write;
use std::path::Path;
use std::{fs, io};

/// How many modules a package has.
const PACKAGE: usize = 20;

/// Writes so many modules under a folder.
pub(crate) fn write(folder: &Path, files: usize) -> io::Result<()> {
    for number in 0..files {
        let package = folder.join(format!("package{:03}", number / PACKAGE));
        if number % PACKAGE == 0 {
            fs::create_dir_all(&package)?;
        }
        fs::write(
            package.join(format!("module{number:05}.py")),
            module(number),
        )?;
    }
    Ok(())
}

/// The same files again, under another folder.
pub(crate) fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let other = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            link(&entry.path(), &other)?;
        } else {
            fs::hard_link(entry.path(), other)?;
        }
    }
    Ok(())
}

/// One module of about seven kilobytes: of eight two have queries, and one executes another's.
fn module(number: usize) -> String {
    let mut text = format!(
        "\"\"\"What module {number} of the package is there for.\"\"\"\n\n\
         import logging\nfrom dataclasses import dataclass\nfrom datetime import datetime, timedelta\n\n"
    );
    match number % 8 {
        3 | 7 => queries(&mut text, number),
        4 => calls(&mut text, number - 1),
        _ => {}
    }
    text.push_str("logger = logging.getLogger(__name__)\nLIMIT = 100\n");
    let mut part = 0;
    while text.len() < 5_500 + number % 11 * 300 {
        class(&mut text, part);
        part += 1;
    }
    text
}

fn queries(text: &mut String, number: usize) {
    let _ = write!(
        text,
        r#"import psycopg2

FIND_{number} = """
    SELECT id, name, created_at
      FROM items
     WHERE owner = %s AND created_at > %s  -- newest first
     ORDER BY created_at DESC
"""
COLUMNS = ("id", "name", "created_at")


def add(cur, item):
    cur.execute(
        "INSERT INTO items (name, owner) VALUES (%(name)s, %(owner)s) RETURNING id",
        {{"name": item.name, "owner": item.owner}},
    )
    return cur.fetchone()[0]


def of_ids(cur, ids):
    cur.execute("SELECT " + ", ".join(COLUMNS) + " FROM items WHERE id IN %s", (tuple(ids),))
    return cur.fetchall()


def recent(cur, days):
    cur.execute("SELECT id FROM items WHERE created_at > now() - INTERVAL '%s days'", (days,))
    return [row[0] for row in cur]


"#
    );
}

fn calls(text: &mut String, other: usize) {
    let _ = write!(
        text,
        r"from .module{other:05} import FIND_{other}


def find(cur, owner, since):
    cur.execute(FIND_{other}, (owner, since))
    return cur.fetchall()


"
    );
}

fn class(text: &mut String, part: usize) {
    let _ = write!(
        text,
        r#"

@dataclass
class Part{part}(Base):
    """A part of the whole.

    It's made of others, and knows what they're called.
    """

    name: str
    parent: "Part{part} | None" = None
    created: datetime = field(default_factory=datetime.now)

    def path(self, separator="/"):
        """The names from the outermost on."""
        if self.parent is None:
            return self.name
        return f"{{self.parent.path(separator)}}{{separator}}{{self.name}}"

    def older(self, others, by=timedelta(days={part})):
        found = {{}}
        for other in sorted(others, key=lambda other: other.created):
            if other.created + by < self.created and other.name not in found:
                found[other.name] = [other.path(), len(other.name) * 2 + {part}]
            elif not other.name:
                logger.warning("a part without a name: %s", other)
        return {{name: value for name, value in found.items() if value[1] > LIMIT // 10}}
"#
    );
}
