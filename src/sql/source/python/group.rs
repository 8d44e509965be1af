//! Makes one query of each text, from every call that it reaches.

use rustc_hash::{FxHashMap, FxHashSet};
use std::borrow::Cow;
use std::ops::Range;

use ruff_text_size::TextRange;

use super::File;
use super::calls::Found;
use super::ignore::Ignores;
use super::resolve::span;
use super::scope::{Source, Target};
use super::text::Text;
use crate::sql::source::{Call, Dynamic, Elsewhere, Quoting, Reading, SourceQuery};
use crate::sql::translate::{Style, translate};

/// What makes two texts the same: the literals that they are made of, and what they say.
type Key = (Vec<(usize, usize)>, String, usize);

/// The queries of the texts that were found, in the order of the file.
pub(super) fn queries(file: &File<'_>, found: Vec<Found>, ignores: &Ignores) -> Vec<SourceQuery> {
    let mut groups: Vec<Vec<Found>> = Vec::new();
    let mut numbers: FxHashMap<Key, usize> = FxHashMap::default();
    let consumed: FxHashSet<TextRange> = found
        .iter()
        .flat_map(|found| found.touched.iter().copied())
        .collect();
    for found in found {
        let number = *numbers.entry(key(&found)).or_insert(groups.len());
        match groups.get_mut(number) {
            Some(group) => group.push(found),
            None => groups.push(vec![found]),
        }
    }
    let uses = Uses::of(file, &groups, &consumed);
    let mut queries: Vec<SourceQuery> = groups
        .into_iter()
        .enumerate()
        .map(|(number, group)| query(file, number, group, &uses, ignores))
        .collect();
    queries.sort_by_key(|query| {
        let piece = query.pieces.first().map(|piece| piece.file.start);
        piece.or(query.calls.first().map(|call| call.file.start))
    });
    queries
}

fn key(found: &Found) -> Key {
    let places = found
        .text
        .pieces
        .iter()
        .map(|piece| (piece.file.start, piece.file.end))
        .collect::<Vec<_>>();
    // A text without a literal is the call's own.
    let call = found
        .call
        .as_ref()
        .filter(|_| places.is_empty())
        .map_or(0, |call| call.file.start);
    (places, found.text.sql.clone(), call)
}

/// What else the literals of the texts are used for.
struct Uses<'f, 'a> {
    file: &'f File<'a>,
    consumed: &'f FxHashSet<TextRange>,
    /// The texts that each literal is part of.
    parts: FxHashMap<usize, Vec<usize>>,
    reads: FxHashMap<&'a str, Vec<usize>>,
}

impl<'f, 'a> Uses<'f, 'a> {
    fn of(file: &'f File<'a>, groups: &[Vec<Found>], consumed: &'f FxHashSet<TextRange>) -> Self {
        let mut parts: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
        for (number, group) in groups.iter().enumerate() {
            for piece in &group[0].text.pieces {
                parts.entry(piece.file.start).or_default().push(number);
            }
        }
        let mut reads: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        if groups.iter().any(|group| !group[0].text.sources.is_empty()) {
            for (index, read) in file.module.reads.iter().enumerate() {
                reads.entry(read.name).or_default().push(index);
            }
        }
        Self {
            file,
            consumed,
            parts,
            reads,
        }
    }

    /// The other text that holds the literal too.
    fn other_text(&self, number: usize, literal: usize) -> Option<usize> {
        let texts = self.parts.get(&literal)?;
        let other = texts.iter().find(|other| **other != number);
        other
            .copied()
            .or_else(|| (texts.len() > 1).then_some(number))
    }

    /// A place that reads what the source assigns, or what has the same value by the same assignment, and that is no call's text.
    fn other_read(&self, source: &Source) -> Option<TextRange> {
        let chained = self.file.module.chained.get(&source.binding);
        let others = chained.into_iter().flatten().map(|target| match *target {
            Target::Name(scope, name) => Ok((
                scope,
                name,
                scope != 0 && self.file.module.scopes[scope].class,
            )),
            Target::Member(scope, name) => Ok((scope, name, true)),
            Target::Other => Err(source.binding),
        });
        let read = |source: &Source| self.reads_of(source);
        let mut others = others.map(|other| match other {
            Ok((scope, name, member)) => read(&Source {
                scope,
                name: name.to_owned(),
                binding: source.binding,
                member,
            }),
            Err(range) => Some(range),
        });
        read(source).or_else(|| others.find_map(|range| range))
    }

    fn reads_of(&self, source: &Source) -> Option<TextRange> {
        let module = &self.file.module;
        if source.member {
            let mut reads = module.attributes.iter();
            let other =
                reads.find(|(name, range)| *name == source.name && !self.consumed.contains(range));
            if let Some((_, range)) = other {
                return Some(*range);
            }
        }
        let reads = self
            .reads
            .get(source.name.as_str())
            .into_iter()
            .flatten()
            .map(|index| module.reads[*index]);
        reads
            .filter(|read| !self.consumed.contains(&read.range))
            .find(|read| {
                module.sees(read.scope, read.name, read.range, source.binding) == Some(source.scope)
            })
            .map(|read| read.range)
    }
}

fn query(
    file: &File<'_>,
    number: usize,
    mut group: Vec<Found>,
    uses: &Uses<'_, '_>,
    ignores: &Ignores,
) -> SourceQuery {
    let (style, styles) = style(file, &group);
    let reason = group.iter_mut().find_map(|found| found.reason.take());
    let name = group.iter_mut().find_map(|found| found.name.take());
    let mut calls: Vec<_> = group
        .iter_mut()
        .filter_map(|found| found.call.take())
        .collect();
    calls.dedup();
    let other_files: Vec<Elsewhere> = group
        .iter_mut()
        .flat_map(|found| std::mem::take(&mut found.elsewhere))
        .collect();
    let mut text = std::mem::take(&mut group[0].text);
    for found in &mut group[1..] {
        text.sources.append(&mut found.text.sources);
    }
    let changes = style != Style::NoParameters
        && !matches!(translate(&text.sql, style), Ok(found) if matches!(found.sql, Cow::Borrowed(_)));
    let shared = share(file, number, &mut text, uses);
    let bare = || bare_here(file, style, &text.sql, &calls, &other_files);
    let mut dynamic = text.dynamic.take().or(reason).or(styles).or_else(bare);
    if dynamic.is_none() && changes {
        dynamic = shared.or_else(|| elsewhere(file, &text, uses));
    }
    let places: Vec<Range<usize>> = calls
        .iter()
        .map(|call| call.file.start..call.file.start)
        .chain(calls.iter().map(|call| call.file.end..call.file.end))
        .chain(text.pieces.iter().map(|piece| piece.file.clone()))
        .collect();
    SourceQuery {
        name,
        ignored: ignores.codes(file, &places),
        sql: text.sql,
        style,
        pieces: text.pieces,
        dynamic,
        calls,
        elsewhere: other_files,
    }
}

/// Why a text has no style that this file executes as it is, and another one with arguments.
fn bare_here(
    file: &File<'_>,
    style: Style,
    sql: &str,
    calls: &[Call],
    elsewhere: &[Elsewhere],
) -> Option<Dynamic> {
    let call = calls
        .first()
        .filter(|_| style == Style::NoParameters && sql.contains('%'))?;
    let other = elsewhere
        .iter()
        .find(|other| !matches!(other.reading, Reading::Bare | Reading::Read))?;
    let line = file.line_of(call.file.start);
    Some(Dynamic {
        file: call.file.clone(),
        message: format!(
            "the calls in line {line} and in {} read the text differently: one gives arguments, and the other does not",
            other.place
        ),
    })
}

/// The style in which every call reads the text, and why there is none.
fn style(file: &File<'_>, group: &[Found]) -> (Style, Option<Dynamic>) {
    let first = group[0].style;
    let Some(other) = group.iter().find(|found| found.style != first) else {
        return (first, None);
    };
    let sql = &group[0].text.sql;
    let changes = |found: &&Found| {
        found.style != Style::NoParameters
            && !matches!(translate(sql, found.style), Ok(found) if matches!(found.sql, Cow::Borrowed(_)))
    };
    let Some(changing) = group.iter().find(changes) else {
        return (first, None);
    };
    if !sql.contains('%') {
        return (changing.style, None);
    }
    let line = |found: &Found| {
        found
            .call
            .as_ref()
            .map_or(0, |call| file.line_of(call.file.start))
    };
    let place = other.call.as_ref().map_or(0..0, |call| call.file.clone());
    let message = format!(
        "the calls in the lines {} and {} read the text differently: one gives arguments, or lists of them, and the other does not",
        line(&group[0]),
        line(other)
    );
    (
        changing.style,
        Some(Dynamic {
            file: place,
            message,
        }),
    )
}

/// Marks the pieces that other texts hold too, and tells why one of them must not change.
fn share(file: &File<'_>, number: usize, text: &mut Text, uses: &Uses<'_, '_>) -> Option<Dynamic> {
    let mut reason = None;
    for piece in &mut text.pieces {
        let Some(other) = uses.other_text(number, piece.file.start) else {
            continue;
        };
        piece.quoting = Quoting::Shared;
        if other != number && reason.is_none() && text.sql[piece.sql.clone()].contains(['%', ':']) {
            let line = file.line_of(piece.file.start);
            reason = Some(Dynamic {
                file: piece.file.clone(),
                message: format!("the literal in line {line} is part of another text too"),
            });
        }
    }
    reason
}

/// Why a text must not change that something else than a call reads.
fn elsewhere(file: &File<'_>, text: &Text, uses: &Uses<'_, '_>) -> Option<Dynamic> {
    text.sources.iter().find_map(|source| {
        let range = span(uses.other_read(source)?);
        let line = file.line_of(range.start);
        Some(Dynamic {
            file: range,
            message: format!(
                "`{}` is also used in line {line}, not as the text of a call",
                source.name
            ),
        })
    })
}
