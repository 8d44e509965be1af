//! Carries the edits of a query's text to the literals of the file that hold it.

use std::ops::Range;

use super::{Piece, Quoting, SourceQuery};
use crate::sql::translate::Edit;

/// See [`SourceQuery::file_edits`].
pub(super) fn file_edits(query: &SourceQuery, edits: &[Edit]) -> Result<Vec<Edit>, String> {
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(dynamic) = &query.dynamic {
        return Err(dynamic.message.clone());
    }
    let mut written = Vec::new();
    for edit in edits {
        place(query, edit, &mut written)?;
    }
    written.sort_by_key(|edit| (edit.range.start, edit.range.end));
    // A literal that stands in the text twice would be changed twice.
    if written
        .windows(2)
        .any(|pair| pair[0].range.end > pair[1].range.start)
    {
        return Err("the text holds the same literal more than once".to_owned());
    }
    Ok(written)
}

/// Adds the changes of the file that make one edit.
fn place(query: &SourceQuery, edit: &Edit, written: &mut Vec<Edit>) -> Result<(), String> {
    let touched = touched(query, &edit.range)?;
    let (first, _) = &touched[0];
    let text = insertion(query, first, edit)?;
    let start = written.len();
    for (piece, sql) in &touched {
        let range = in_file(piece, sql)?;
        match written[start..].last_mut() {
            // An escape and the byte behind it go in one change.
            Some(last) if last.range.end == range.start => last.range.end = range.end,
            Some(_) => written.push(Edit {
                range,
                text: String::new(),
            }),
            None => written.push(Edit {
                range,
                text: text.clone(),
            }),
        }
    }
    Ok(())
}

/// The pieces that hold the range, each with its part of it; for an empty range, the piece that new text joins.
fn touched<'a>(
    query: &'a SourceQuery,
    range: &Range<usize>,
) -> Result<Vec<(&'a Piece, Range<usize>)>, String> {
    let first = query.pieces.partition_point(|piece| {
        piece.sql.end < range.start || piece.sql.end == range.start && !range.is_empty()
    });
    let mut found = Vec::new();
    let mut reached = range.start;
    for piece in &query.pieces[first..] {
        if range.is_empty() {
            if piece.sql.start <= range.start {
                found.push((piece, range.clone()));
            }
            break;
        }
        if piece.sql.start > reached || reached >= range.end {
            break;
        }
        let end = piece.sql.end.min(range.end);
        found.push((piece, reached..end));
        reached = end;
    }
    if found.is_empty() || reached < range.end {
        return Err("the text there is in no literal of the file".to_owned());
    }
    if found
        .iter()
        .any(|(piece, _)| piece.quoting == Quoting::Shared)
    {
        return Err(
            "the literal is part of another text too, which would change with it".to_owned(),
        );
    }
    Ok(found)
}

/// The bytes of the file that mean `sql` of the piece.
fn in_file(piece: &Piece, sql: &Range<usize>) -> Result<Range<usize>, String> {
    if piece.sql.len() == piece.file.len() {
        let offset = piece.file.start;
        return Ok(offset + (sql.start - piece.sql.start)..offset + (sql.end - piece.sql.start));
    }
    if sql.is_empty() && sql.start == piece.sql.start {
        Ok(piece.file.start..piece.file.start)
    } else if sql.is_empty() && sql.start == piece.sql.end {
        Ok(piece.file.end..piece.file.end)
    } else if *sql == piece.sql {
        Ok(piece.file.clone())
    } else {
        Err("the change would cut an escape sequence".to_owned())
    }
}

/// The edit's text as the literal of the piece has to write it.
fn insertion(query: &SourceQuery, piece: &Piece, edit: &Edit) -> Result<String, String> {
    let Quoting::Python {
        quote,
        triple,
        raw,
        braces,
        bytes,
    } = piece.quoting
    else {
        return Ok(edit.text.clone());
    };
    if bytes && !edit.text.is_ascii() {
        return Err("a bytes literal holds ASCII only".to_owned());
    }
    let mut output = String::with_capacity(edit.text.len());
    for char in edit.text.chars() {
        match char {
            '{' | '}' if braces => output.extend([char, char]),
            '\n' if triple => output.push('\n'),
            _ if raw && (char == quote || matches!(char, '\\' | '\r' | '\n')) => {
                return Err(format!("a raw literal cannot hold {char:?} there"));
            }
            '\\' if !raw => output.push_str("\\\\"),
            '\n' => output.push_str("\\n"),
            '\r' => output.push_str("\\r"),
            _ if char == quote => output.extend(['\\', char]),
            _ => output.push(char),
        }
    }
    if !raw && completes_escape(query, piece, edit) {
        return Err("the backslash or the digits in front of the change would become another escape sequence".to_owned());
    }
    Ok(output)
}

/// Whether what stands in front of the edit would take what comes as part of an escape sequence.
fn completes_escape(query: &SourceQuery, piece: &Piece, edit: &Edit) -> bool {
    let next = if edit.text.is_empty() {
        query.sql[edit.range.end..].chars().next()
    } else {
        edit.text.chars().next()
    };
    let Some(next) = next else { return false };
    let at = edit.range.start;
    let before = query
        .pieces
        .iter()
        .find(|before| before.sql.end >= at && before.sql.start < at);
    let joins = |before: &&Piece| before.file == piece.file || before.file.end == piece.file.start;
    let Some(before) = before.filter(joins) else {
        return false;
    };
    if before.sql.len() != before.file.len() {
        // `\0` and a digit is another octal escape than `\0`.
        return before.sql.end == at && before.file.len() < 4 && next.is_digit(8);
    }
    // A backslash that means itself, since what follows it makes no escape.
    query.sql.as_bytes()[at - 1] == b'\\'
        && (next.is_digit(8) || "\n\r\\'\"abfnrtvxNuU".contains(next))
}
