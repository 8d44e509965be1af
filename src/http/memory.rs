//! Memories over HTTP.

use super::body::Json;
use super::error::{Code, Problem};
use super::query::Parameters;
use super::request::Id;
use crate::app::{Change, Listed, Memory, NewMemory, Page, Unit};
use crate::error::Error;
use axum::Json as Answer;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

/// The longest title, in characters.
pub(super) const TITLE: usize = 500;
/// The longest kind, in characters.
pub(super) const KIND: usize = 50;
/// The longest tag, in characters: a longer one would not fit its index.
pub(super) const TAG: usize = 100;
/// The most tags.
pub(super) const TAGS: usize = 64;
/// The longest metadata, in bytes.
pub(super) const METADATA: usize = 64 << 10;
/// The longest search, in characters.
pub(super) const SEARCH: usize = 1000;
/// How many memories a page has where nothing is said.
pub(super) const PAGE: u16 = 20;
/// The most memories of a page.
pub(super) const LONGEST_PAGE: u16 = 100;

/// What Postgres says of a number that it cannot hold.
const NUMBER: &str = "22003";

/// The kind of a memory whose source says nothing better.
const CONVERSATION: &str = "conversation";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    id: Option<Uuid>,
    content: String,
    title: Option<String>,
    kind: Option<String>,
    source: Option<String>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    metadata: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Update {
    content: Option<String>,
    title: Option<String>,
    kind: Option<String>,
    tags: Option<Vec<String>>,
    metadata: Option<Box<RawValue>>,
}

/// What a write answers.
#[derive(Debug, Serialize)]
struct Done {
    success: bool,
    memory_id: Uuid,
    message: &'static str,
}

#[derive(Debug, Serialize)]
struct Found {
    query: String,
    count: usize,
    memories: Vec<Memory>,
}

#[derive(Debug, Serialize)]
struct Listing {
    count: usize,
    #[serde(flatten)]
    listed: Listed,
}

pub(super) async fn create(unit: Unit, Json(body): Json<Create>) -> Result<Response, Problem> {
    let memory = body.checked()?;
    let stored = unit.memories().create(memory).await.map_err(refused)?;
    let location = [(LOCATION, format!("/memory/{}", stored.id))];
    Ok((
        StatusCode::CREATED,
        location,
        done(stored.id, "Memory stored"),
    )
        .into_response())
}

pub(super) async fn get(unit: Unit, Id(id): Id) -> Result<Answer<Memory>, Problem> {
    let memory = unit.memories().get(id).await?;
    memory.map(Answer).ok_or_else(not_found)
}

pub(super) async fn list(unit: Unit, mut query: Parameters) -> Result<impl IntoResponse, Problem> {
    let page = Page {
        limit: query.count("limit", PAGE, LONGEST_PAGE)?,
        after: query.parsed("cursor")?,
        kind: query.text("kind", KIND)?,
        tag: query.text("tag", TAG)?,
    };
    query.end("limit, cursor, kind and tag")?;
    let listed = unit.memories().list(page).await?;
    Ok(Answer(Listing {
        count: listed.memories.len(),
        listed,
    }))
}

pub(super) async fn search(
    unit: Unit,
    mut query: Parameters,
) -> Result<impl IntoResponse, Problem> {
    let text = query.required("q", SEARCH)?;
    let limit = query.count("limit", PAGE, LONGEST_PAGE)?;
    query.end("q and limit")?;
    let memories = unit.memories().search(&text, limit).await?;
    Ok(Answer(Found {
        query: text,
        count: memories.len(),
        memories,
    }))
}

pub(super) async fn update(
    unit: Unit,
    Id(id): Id,
    Json(body): Json<Update>,
) -> Result<impl IntoResponse, Problem> {
    let changed = unit.memories().update(id, body.checked()?).await;
    let changed = changed.map_err(refused)?;
    let memory = changed.ok_or_else(not_found)?;
    Ok(done(memory.id, "Memory updated"))
}

pub(super) async fn delete(unit: Unit, Id(id): Id) -> Result<impl IntoResponse, Problem> {
    if unit.memories().delete(id).await? {
        Ok(done(id, "Memory deleted"))
    } else {
        Err(not_found())
    }
}

fn done(memory_id: Uuid, message: &'static str) -> Answer<Done> {
    Answer(Done {
        success: true,
        memory_id,
        message,
    })
}

fn not_found() -> Problem {
    Problem::new(Code::NotFound, "there is no memory of this id").with_field("id")
}

/// The only key that a client can give twice is the id, and the only numbers are in the metadata: there Postgres refuses those that its
/// `numeric` cannot hold.
fn refused(error: Error) -> Problem {
    let sqlstate = error.sqlstate().map(str::to_owned);
    let problem = Problem::from(error);
    match (problem.code(), sqlstate.as_deref()) {
        (Code::Conflict, _) => {
            Problem::new(Code::Conflict, "there is a memory of this id already").with_field("id")
        }
        (Code::RefusedValue, Some(NUMBER)) => Problem::new(
            Code::RefusedValue,
            "a number has more digits than the database can keep",
        )
        .with_field("metadata"),
        _ => problem,
    }
}

impl Create {
    fn checked(self) -> Result<NewMemory, Problem> {
        text("content", &self.content, usize::MAX)?;
        let said = (&self.title, &self.kind, &self.tags, &self.metadata);
        check(said)?;
        if let Some(source) = &self.source {
            text("source", source, KIND)?;
        }
        let (kind, metadata) = from_source(self.source, self.kind, self.metadata)?;
        Ok(NewMemory {
            id: self.id,
            title: self.title,
            content: self.content,
            kind,
            tags: self.tags.unwrap_or_default(),
            metadata,
        })
    }
}

impl Update {
    fn checked(self) -> Result<Change, Problem> {
        let Self {
            content,
            title,
            kind,
            tags,
            metadata,
        } = self;
        if content.is_none()
            && title.is_none()
            && kind.is_none()
            && tags.is_none()
            && metadata.is_none()
        {
            return Err(Problem::new(
                Code::InvalidBody,
                "nothing is to be changed: give content, title, kind, tags or metadata",
            ));
        }
        if let Some(content) = &content {
            text("content", content, usize::MAX)?;
        }
        check((&title, &kind, &tags, &metadata))?;
        Ok(Change {
            title,
            content,
            kind,
            tags,
            metadata,
        })
    }
}

type Said<'a> = (
    &'a Option<String>,
    &'a Option<String>,
    &'a Option<Vec<String>>,
    &'a Option<Box<RawValue>>,
);

fn check((title, kind, tags, metadata): Said<'_>) -> Result<(), Problem> {
    if let Some(title) = title {
        text("title", title, TITLE)?;
    }
    if let Some(kind) = kind {
        text("kind", kind, KIND)?;
    }
    if let Some(metadata) = metadata {
        object(metadata)?;
    }
    let tags = tags.as_deref().unwrap_or_default();
    if tags.len() > TAGS {
        return Err(invalid("tags", &format!("there may be {TAGS} tags")));
    }
    for (at, tag) in tags.iter().enumerate() {
        text(&format!("tags[{at}]"), tag, TAG)?;
    }
    Ok(())
}

/// What Postgres can keep, and what can be found again.
fn text(field: &str, text: &str, longest: usize) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(invalid(field, "it is empty"));
    }
    if text.contains('\0') {
        return Err(invalid(
            field,
            "it holds the character U+0000, which a text in Postgres cannot",
        ));
    }
    if text.chars().count() > longest {
        return Err(invalid(
            field,
            &format!("it has more than {longest} characters"),
        ));
    }
    Ok(())
}

/// The metadata keeps its text, so that no digit is lost; it is read here only to know that Postgres can read it.
fn object(metadata: &RawValue) -> Result<(), Problem> {
    let wrong = |why: &str| Err(invalid("metadata", why));
    if metadata.get().len() > METADATA {
        return wrong(&format!("it may have {METADATA} bytes"));
    }
    match serde_json::from_str::<Value>(metadata.get()) {
        Ok(value) if !value.is_object() => wrong("it has to be an object"),
        Ok(value) if holds_nul(&value) => {
            wrong("it holds the character U+0000, which Postgres cannot keep")
        }
        Ok(_) => Ok(()),
        Err(error) => wrong(&error.to_string()),
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

type Metadata = Option<Box<RawValue>>;

/// A source gives the kind where none is given, and is kept in the metadata unless these name one.
fn from_source(
    source: Option<String>,
    kind: Option<String>,
    metadata: Metadata,
) -> Result<(Option<String>, Metadata), Problem> {
    let Some(source) = source else {
        return Ok((kind, metadata));
    };
    let by_source = match source.as_str() {
        "chatgpt" | "claude" => source.as_str(),
        _ => CONVERSATION,
    };
    let kind = kind.or_else(|| Some(by_source.to_owned()));
    let said = metadata.as_deref().map_or("{}", RawValue::get);
    let mut fields: std::collections::BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(said).map_err(|error| invalid("metadata", &error.to_string()))?;
    if !fields.contains_key("source") {
        fields.insert("source".to_owned(), raw(&source)?);
    }
    Ok((kind, Some(raw(&fields)?)))
}

fn raw<T: Serialize + ?Sized>(value: &T) -> Result<Box<RawValue>, Problem> {
    serde_json::value::to_raw_value(value).map_err(|error| invalid("metadata", &error.to_string()))
}

fn invalid(field: &str, why: &str) -> Problem {
    Problem::new(Code::InvalidValue, why).with_field(field)
}
