//! `.sql` files: named queries as aiosql, yesql and sqlc write them, one query a file, or a script of statements.
//!
//! `-- name: find_user^` begins a query that ends where the next one begins; of its text, the comments at its head and its end are the
//! file's, because those tools keep them for themselves. Without such lines each statement keeps its comments. psql's own commands and the
//! rows behind `COPY … FROM stdin` are no SQL and are passed over.

mod script;

use std::ops::Range;

use super::{Dynamic, Language, Piece, Quoting, SourceQuery, Unreadable};
use crate::sql::translate::lint::ignored_codes;
use crate::sql::translate::{
    Scanner, Style, Token, TokenKind, TranslateError, split_statements, translate,
};
use script::Script;

/// `.sql` files.
pub(super) const SQL: Language = Language {
    name: "SQL",
    extensions: &["sql"],
    find,
    among: None,
};

/// Every statement of a file. One in which nothing can be a placeholder has [`Style::NoParameters`], every other [`Style::Auto`].
fn find(text: &str) -> Result<Vec<SourceQuery>, Unreadable> {
    let script = Script::read(text)
        .map_err(|found| unreadable(text, 0, &TranslateError::unterminated(text, found)))?;
    let mut found = Vec::new();
    for section in sections(&script) {
        let sql = &script.sql[section.range.clone()];
        let statements =
            split_statements(sql).map_err(|error| unreadable(text, section.range.start, &error))?;
        for statement in statements {
            let start = section.range.start + (statement.as_ptr().addr() - sql.as_ptr().addr());
            found.push(Statement::read(
                &script,
                &section,
                start..start + statement.len(),
            ));
        }
    }
    let ignored = ignored(&script, &found);
    let queries = found.into_iter().zip(ignored);
    Ok(queries
        .map(|(statement, ignored)| statement.query(text, &script, ignored))
        .collect())
}

/// A part of the file that holds statements.
#[derive(Debug)]
struct Section {
    name: Option<String>,
    range: Range<usize>,
}

/// The file cut behind each `-- name:` line; before the first stands a section without a name.
fn sections(script: &Script) -> Vec<Section> {
    let mut sections = vec![Section {
        name: None,
        range: 0..script.sql.len(),
    }];
    for comment in &script.comments {
        let Some(name) = name(&script.sql[comment.clone()]) else {
            continue;
        };
        if let Some(last) = sections.last_mut() {
            last.range.end = comment.start;
        }
        sections.push(Section {
            name: Some(name),
            range: comment.end..script.sql.len(),
        });
    }
    sections
}

/// The name that a comment gives to what follows, without the sign for how the query is run (`^`, `$`, `!`, `<!`, `*!`, `#`) and without
/// the parameters that may be listed behind it.
fn name(comment: &str) -> Option<String> {
    let rest = comment.strip_prefix("--")?.trim_start();
    let rest = rest.strip_prefix("name")?.trim_start().strip_prefix(':')?;
    let word = rest
        .trim_start()
        .split(|letter: char| letter.is_whitespace() || letter == '(');
    let name = word
        .into_iter()
        .next()?
        .trim_end_matches(['!', '<', '^', '$', '#', '*', '?']);
    (!name.is_empty()).then(|| name.to_owned())
}

/// A statement of the file.
#[derive(Debug)]
struct Statement {
    name: Option<String>,
    /// The bytes of the file that its text has.
    range: Range<usize>,
    /// The bytes from its first to its last token that is no comment.
    code: Range<usize>,
    /// psql's doing in it.
    dynamic: Option<Dynamic>,
}

impl Statement {
    fn read(script: &Script, section: &Section, range: Range<usize>) -> Self {
        let tokens = tokens(&script.sql, &range);
        let mut codes = tokens.iter().filter(|token| !token.kind.is_blank());
        let first = codes.next();
        let last = codes.next_back().or(first);
        let code = first.map_or(range.start, |token| token.start)
            ..last.map_or(range.end, |token| token.end);
        let range = without_commands(script, &tokens, range, &code);
        let dynamic = command_in(script, &code).or_else(|| variable_in(script, &tokens));
        Self {
            name: section.name.clone(),
            range: if section.name.is_some() {
                code.clone()
            } else {
                range
            },
            code,
            dynamic,
        }
    }

    fn query(self, text: &str, script: &Script, ignored: Vec<String>) -> SourceQuery {
        let sql = text[self.range.clone()].to_owned();
        let style = match self.dynamic {
            Some(_) => Style::NoParameters,
            None => style(&script.sql, &self.range),
        };
        SourceQuery {
            name: self.name,
            style,
            pieces: vec![Piece {
                sql: 0..sql.len(),
                file: self.range,
                quoting: Quoting::Verbatim,
            }],
            sql,
            dynamic: self.dynamic,
            calls: Vec::new(),
            elsewhere: Vec::new(),
            ignored,
        }
    }
}

/// The tokens of a part of a text that was scanned before, at their places in the whole.
fn tokens(sql: &str, range: &Range<usize>) -> Vec<Token> {
    let tokens = Scanner::new(&sql[range.clone()]).map_while(Result::ok);
    let moved = tokens.map(|token| Token {
        start: token.start + range.start,
        end: token.end + range.start,
        ..token
    });
    moved.collect()
}

/// The bytes of a statement without psql's commands between it and the comments at its head and its end, and what is beyond those.
fn without_commands(
    script: &Script,
    tokens: &[Token],
    range: Range<usize>,
    code: &Range<usize>,
) -> Range<usize> {
    let inside = |command: &&Range<usize>| range.contains(&command.start);
    let mut commands = script.commands.iter().filter(inside);
    let before = commands
        .clone()
        .rev()
        .find(|command| command.end <= code.start);
    let behind = commands.find(|command| command.start >= code.end);
    let start = before.map_or(range.start, |command| {
        let mut comments = tokens.iter().filter(|token| is_comment(token));
        let comment = comments.find(|token| token.start >= command.end);
        comment.map_or(code.start, |comment| comment.start.min(code.start))
    });
    let end = behind.map_or(range.end, |command| {
        let mut comments = tokens.iter().rev().filter(|token| is_comment(token));
        let comment = comments.find(|token| token.end <= command.start);
        comment.map_or(code.end, |comment| comment.end.max(code.end))
    });
    start..end
}

fn is_comment(token: &Token) -> bool {
    matches!(token.kind, TokenKind::LineComment | TokenKind::BlockComment)
}

/// A command of psql's amid a statement, such as `\if`.
fn command_in(script: &Script, code: &Range<usize>) -> Option<Dynamic> {
    let mut commands = script.commands.iter();
    let command = commands.find(|command| code.contains(&command.start))?;
    Some(Dynamic {
        file: command.clone(),
        message: "a command of psql's stands amid the statement".to_owned(),
    })
}

/// A variable of psql's: `:'name'` or `:"name"`, and `:name` in a file with psql's commands.
fn variable_in(script: &Script, tokens: &[Token]) -> Option<Dynamic> {
    let mut brackets = 0_usize;
    for pair in tokens.windows(2) {
        let [colon, next] = pair else { continue };
        match colon.text(&script.sql) {
            "[" => brackets += 1,
            "]" => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        let text = next.text(&script.sql);
        let named = match next.kind {
            TokenKind::String => text.starts_with('\''),
            TokenKind::QuotedIdentifier => text.starts_with('"'),
            TokenKind::Identifier => !script.commands.is_empty(),
            TokenKind::Other => text == "{",
            _ => false,
        };
        if colon.kind == TokenKind::Colon && brackets == 0 && named {
            let part = format!("psql's variable `:{text}`");
            return Some(Dynamic::at_run_time(colon.start..next.end, &part));
        }
    }
    None
}

/// Whether the text may show a style at all. A percent sign in a function's body shows none: it is the body's own.
fn style(sql: &str, range: &Range<usize>) -> Style {
    let mut text = sql[range.clone()].to_owned();
    for token in tokens(sql, range) {
        if token.kind == TokenKind::DollarString {
            let body = token.start - range.start..token.end - range.start;
            let plain = text[body.clone()].replace('%', " ");
            text.replace_range(body, &plain);
        }
    }
    match translate(&text, Style::Auto) {
        Ok(found) if found.style.is_none() => Style::NoParameters,
        _ => Style::Auto,
    }
}

/// For each statement the codes of `-- pontoon: ignore …` in it, on its last line, or above it.
fn ignored(script: &Script, statements: &[Statement]) -> Vec<Vec<String>> {
    let mut ignored = vec![Vec::new(); statements.len()];
    for comment in &script.comments {
        let Some(codes) = ignored_codes(&script.sql[comment.clone()]) else {
            continue;
        };
        let line = script.sql[..comment.start]
            .rfind('\n')
            .map_or(0, |newline| newline + 1);
        let beside = !script.sql[line..comment.start].trim().is_empty();
        let owner = if beside {
            statements
                .iter()
                .rposition(|statement| statement.code.start < comment.start)
        } else {
            statements
                .iter()
                .position(|statement| statement.code.end > comment.start)
        };
        if let Some(owner) = owner {
            ignored[owner].extend(codes.into_iter().map(str::to_owned));
        }
    }
    ignored
}

/// What the translator could not read in a part that begins at `start` of the file.
fn unreadable(text: &str, start: usize, error: &TranslateError) -> Unreadable {
    let before = &text[..start + error.offset];
    let line = before.rsplit('\n').next().unwrap_or_default();
    Unreadable {
        line: before.matches('\n').count() + 1,
        column: line.trim_start_matches('\u{feff}').chars().count() + 1,
        message: format!("{}; expected {}", error.message, error.expected),
    }
}

#[cfg(test)]
mod tests;
