//! Memories: short texts that a client stores, and finds again by their words.

use crate::backend::{StorageBackend, StorageBackendExt};
use crate::error::{Error, ErrorKind, Result};
use crate::params;
use crate::sql::{FromRow, Params, Row, Timestamp, catalog};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// The kind of a memory that was given none.
pub const DEFAULT_KIND: &str = "general";

/// How many characters of its content make the title of a memory that was given none.
pub const TITLE_LENGTH: usize = 100;

/// A memory as it is stored.
#[derive(Clone, Serialize)]
pub struct Memory {
    /// Its id.
    pub id: Uuid,
    /// The project that it belongs to; `None` where it belongs to the whole server.
    pub project_id: Option<Uuid>,
    /// A line that says what it is about.
    pub title: String,
    /// Its text; in a list or a search no more than the first 200 characters.
    pub content: String,
    /// Whether `content` leaves something out.
    pub truncated: bool,
    /// What sort of memory it is, in the client's words.
    pub kind: String,
    /// Words to find it by, in the client's order.
    pub tags: Vec<String>,
    /// What else the client keeps with it: a JSON object, with every digit as it was given.
    pub metadata: Box<RawValue>,
    /// When it was stored.
    #[serde(serialize_with = "rfc3339")]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[serde(serialize_with = "rfc3339")]
    pub updated_at: Timestamp,
}

/// A memory to store.
#[derive(Clone, Default)]
pub struct NewMemory {
    /// Its id; a fresh one where `None`. Giving it makes a repeated call fail instead of storing the memory twice.
    pub id: Option<Uuid>,
    /// Its title; the first [`TITLE_LENGTH`] characters of the content where `None`.
    pub title: Option<String>,
    /// Its text.
    pub content: String,
    /// What sort of memory it is; [`DEFAULT_KIND`] where `None`.
    pub kind: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// A JSON object; an empty one where `None`.
    pub metadata: Option<Box<RawValue>>,
}

/// What to change of a memory; what is `None` stays as it is.
#[derive(Clone, Default)]
pub struct Change {
    /// A new title.
    pub title: Option<String>,
    /// A new text. The title stays what it was.
    pub content: Option<String>,
    /// A new kind.
    pub kind: Option<String>,
    /// New tags, in place of all that were there.
    pub tags: Option<Vec<String>>,
    /// New metadata, in place of all that was there.
    pub metadata: Option<Box<RawValue>>,
}

/// Which memories to list, and from where.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// How many memories at most.
    pub limit: u16,
    /// Where the page before ended; `None` is the newest.
    pub after: Option<Cursor>,
    /// Only memories of this kind.
    pub kind: Option<String>,
    /// Only memories with this tag.
    pub tag: Option<String>,
}

/// Memories, newest first, and where the next page begins.
#[derive(Clone, Serialize)]
pub struct Listed {
    /// The memories of this page.
    pub memories: Vec<Memory>,
    /// Where the next page begins; `None` on the last.
    pub next_cursor: Option<Cursor>,
}

/// A place in the list: behind one memory. It stays good when memories come or go. Clients take it as an opaque text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    created_at: Timestamp,
    id: Uuid,
}

/// The memories of one database, through one unit of work's backend.
#[derive(Debug, Clone, Copy)]
pub struct Memories<'a> {
    backend: &'a dyn StorageBackend,
}

impl<'a> Memories<'a> {
    /// The memories that `backend` reaches.
    pub fn new(backend: &'a dyn StorageBackend) -> Self {
        Self { backend }
    }

    /// Stores a memory and gives it as it is stored.
    ///
    /// # Errors
    /// [`ErrorKind::Database`] with `23505` and the constraint `memories_pkey` when there is a memory of that id already; else as
    /// [`StorageBackend::execute`].
    ///
    /// # Cancel safety
    /// The memory may have been stored; a call with an id can be repeated to know.
    pub async fn create(&self, memory: NewMemory) -> Result<Memory> {
        let title = memory.title.unwrap_or_else(|| title_of(&memory.content));
        let params = params! {
            "id" => memory.id,
            "title" => title,
            "content" => memory.content,
            "kind" => memory.kind.unwrap_or_else(|| DEFAULT_KIND.to_owned()),
            "tags" => memory.tags,
            "metadata" => json(memory.metadata),
        };
        let stored = self.one("memories/create", params).await?;
        stored.ok_or_else(|| Error::new(ErrorKind::NoRow, "the memory was stored and not returned"))
    }

    /// The memory of that id.
    ///
    /// # Errors
    /// As [`StorageBackend::execute`].
    ///
    /// # Cancel safety
    /// Nothing has taken effect.
    pub async fn get(&self, id: Uuid) -> Result<Option<Memory>> {
        self.one("memories/get", params! { "id" => id }).await
    }

    /// A page of memories, newest first.
    ///
    /// # Errors
    /// As [`StorageBackend::execute`].
    ///
    /// # Cancel safety
    /// Nothing has taken effect.
    pub async fn list(&self, page: Page) -> Result<Listed> {
        let wanted = usize::from(page.limit);
        let params = params! {
            "created_at" => page.after.map(|cursor| cursor.created_at),
            "id" => page.after.map(|cursor| cursor.id),
            "kind" => page.kind,
            "tag" => page.tag,
            // One more than the page tells whether there is another.
            "limit" => i64::from(page.limit) + 1,
        };
        let mut memories = self.many("memories/list", params).await?;
        let more = memories.len() > wanted;
        memories.truncate(wanted);
        let next_cursor = memories.last().filter(|_| more).map(Cursor::behind);
        Ok(Listed {
            memories,
            next_cursor,
        })
    }

    /// Memories that hold `text`: first those with its words, the best match first, in the syntax of web searches (`"a phrase"`, `or`, `-not`);
    /// where these fill no page, those that have it as it stands in title or content, in any case, or as a tag, newest first.
    ///
    /// # Errors
    /// As [`StorageBackend::execute`].
    ///
    /// # Cancel safety
    /// Nothing has taken effect.
    pub async fn search(&self, text: &str, limit: u16) -> Result<Vec<Memory>> {
        let params = params! { "text" => text, "limit" => i64::from(limit) };
        self.many("memories/search", params).await
    }

    /// Changes a memory and gives it as it is stored then.
    ///
    /// # Errors
    /// As [`StorageBackend::execute`].
    ///
    /// # Cancel safety
    /// The change may have taken effect; repeating it does no harm.
    pub async fn update(&self, id: Uuid, change: Change) -> Result<Option<Memory>> {
        let params = params! {
            "id" => id,
            "title" => change.title,
            "content" => change.content,
            "kind" => change.kind,
            "tags" => change.tags,
            "metadata" => json(change.metadata),
        };
        self.one("memories/update", params).await
    }

    /// Deletes a memory and tells whether there was one.
    ///
    /// # Errors
    /// As [`StorageBackend::execute`].
    ///
    /// # Cancel safety
    /// The memory may be gone; repeating the call does no harm.
    pub async fn delete(&self, id: Uuid) -> Result<bool> {
        let query = catalog::query("memories/delete")?;
        let gone = self.backend.execute(&query, params! { "id" => id }).await?;
        Ok(gone > 0)
    }

    async fn one(&self, query: &str, params: Params) -> Result<Option<Memory>> {
        Ok(self.many(query, params).await?.pop())
    }

    async fn many(&self, query: &str, params: Params) -> Result<Vec<Memory>> {
        self.backend.fetch_as(&catalog::query(query)?, params).await
    }
}

impl FromRow for Memory {
    fn from_row(row: &Row) -> Result<Self> {
        let metadata = RawValue::from_string(row.get("metadata")?).map_err(|error| {
            Error::new(ErrorKind::Decode, "column \"metadata\" holds no JSON").with_source(error)
        })?;
        Ok(Self {
            id: row.get("id")?,
            project_id: row.get("project_id")?,
            title: row.get("title")?,
            content: row.get("content")?,
            truncated: row.get("truncated")?,
            kind: row.get("kind")?,
            tags: row.get("tags")?,
            metadata,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        })
    }
}

/// Shows which memory it is, and none of what it says: that is a user's data.
impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NewMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewMemory")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change").finish_non_exhaustive()
    }
}

impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listed")
            .field("memories", &self.memories)
            .field("next_cursor", &self.next_cursor)
            .finish()
    }
}

impl Cursor {
    fn behind(memory: &Memory) -> Self {
        Self {
            created_at: memory.created_at,
            id: memory.id,
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{}", self.created_at.0, self.id.simple())
    }
}

impl FromStr for Cursor {
    type Err = Error;

    /// Reads what [`Display`](fmt::Display) writes.
    fn from_str(text: &str) -> Result<Self> {
        let cursor = text.get(..16).zip(text.get(16..)).and_then(|(time, id)| {
            Some(Self {
                created_at: Timestamp(u64::from_str_radix(time, 16).ok()?.cast_signed()),
                id: Uuid::try_parse(id).ok()?,
            })
        });
        cursor
            .filter(|cursor| cursor.to_string() == text && is_kept(cursor.created_at))
            .ok_or_else(|| Error::new(ErrorKind::Config, "this is no cursor that a list gave"))
    }
}

/// Whether Postgres has such a timestamp.
fn is_kept(time: Timestamp) -> bool {
    !time.is_infinite() && Timestamp::new(time.date(), time.time()) == Some(time)
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339())
}

/// The beginning of the content, without the white space around it.
fn title_of(content: &str) -> String {
    let beginning: String = content.trim_start().chars().take(TITLE_LENGTH).collect();
    beginning.trim_end().to_owned()
}

fn json(metadata: Option<Box<RawValue>>) -> Option<String> {
    metadata.map(|json| json.get().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_first_characters_of_the_content() {
        assert_eq!(title_of(" \n short "), "short");
        assert_eq!(title_of(&"é".repeat(300)), "é".repeat(TITLE_LENGTH));
        let cut = format!("{} b", "a".repeat(TITLE_LENGTH - 1));
        assert_eq!(title_of(&cut), "a".repeat(TITLE_LENGTH - 1));
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written() -> Result<()> {
        for created_at in [Timestamp(0), Timestamp(-1), Timestamp(852_076_800_000_001)] {
            let cursor = Cursor {
                created_at,
                id: Uuid::from_u128(7),
            };
            assert_eq!(cursor.to_string().parse::<Cursor>()?, cursor);
        }
        Ok(())
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let good = format!("{:048x}", 1);
        assert!(good.parse::<Cursor>().is_ok());
        let far = |time: Timestamp| format!("{:016x}{:032x}", time.0, 1);
        for bad in [
            "",
            "1",
            &far(Timestamp::INFINITY),
            &far(Timestamp::NEG_INFINITY),
            &far(Timestamp(i64::MAX - 1)),
            &far(Timestamp(i64::MIN + 1)),
            "é",
            &good[1..],
            &format!("{good}0"),
            &good.replace('1', "G"),
            &format!("+{}", &good[1..]),
            "000000000000000é0000000000000000000000000000000",
        ] {
            assert!(bad.parse::<Cursor>().is_err(), "{bad}");
        }
    }
}
