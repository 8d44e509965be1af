//! `SET work_mem = %s`

use super::super::scan::TokenKind;
use super::finding::{Change, Fix, Form, Found, Piece};
use super::hazard::{Behind, Look};
use super::spot::{Spot, text};
use super::statement::Statement;
use super::token::Tok;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "utility-stmt",
    severity: Severity::Error,
    title: "a value in a statement that takes no parameters",
    why: "Only SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES, CALL and what wraps a query take parameters. Some of the others refuse `$1` \
          at once, some are prepared and fail when they run. Where there is a function (`set_config`, `pg_notify`, `current_setting`), call \
          it; elsewhere let the server compose the text with `format('… %L', $1::text)` and run what it answers.",
    postgres: "syntax error at or near \"$1\"",
    example: "SET work_mem = %s",
    rewrite: "SELECT set_config('work_mem', $1, false)",
    look: Look::Parameter(Behind::ANYTHING, find),
};

/// Settings that are lists of names: as one value they mean something else.
const LISTS: &str =
    "search_path temp_tablespaces session_preload_libraries local_preload_libraries datestyle";

fn find(spot: &Spot<'_>) -> Option<Found> {
    let statement = spot.statement().filter(|statement| statement.is_utility)?;
    let tokens = &spot.context.tokens[statement.tokens.0..statement.tokens.1];
    let verb = tokens
        .iter()
        .find(|token| token.kind == TokenKind::Identifier)?;
    let verb_text = spot.text(verb);
    let found = Found::new(format!(
        "a statement that begins with `{verb_text}` takes no parameters"
    ));
    let fix = match tokens {
        [_, .., last] if last.start != spot.placeholder.output.start => None,
        [set, rest @ .., _] if set.is("set") => setting(spot, statement, rest),
        [notify, channel, comma, _] if notify.is("notify") && comma.is_sign(b',') => {
            call(spot, statement, "pg_notify(", Some(channel), "", Form::Same)
        }
        _ => None,
    };
    Some(found.with(fix))
}

/// `SET … name = ` as a call of `set_config`, for the tokens between `SET` and the value.
fn setting(spot: &Spot<'_>, statement: &Statement, words: &[Tok]) -> Option<Fix> {
    let (is_local, words) = match words {
        [scope, rest @ ..] if scope.is("local") => (", true", rest),
        [scope, rest @ ..] if scope.is("session") => (", false", rest),
        _ => (", false", words),
    };
    match words {
        [role] if role.is("role") => named(spot, statement, "set_config('role', ", is_local),
        [time, zone] if time.is("time") && zone.is("zone") => {
            named(spot, statement, "set_config('TimeZone', ", is_local)
        }
        [_, sign] if sign.is("to") || spot.text(sign) == "=" => call(
            spot,
            statement,
            "set_config(",
            words.first(),
            is_local,
            Form::Text,
        ),
        [_, dot, _, sign] if dot.is_sign(b'.') && (sign.is("to") || spot.text(sign) == "=") => {
            let (start, end) = (words[0].start, words[2].end);
            let name = Tok {
                start,
                end,
                kind: TokenKind::Identifier,
                ..words[0]
            };
            call(
                spot,
                statement,
                "set_config(",
                Some(&name),
                is_local,
                Form::Text,
            )
        }
        _ => None,
    }
}

fn named(
    spot: &Spot<'_>,
    statement: &Statement,
    opening: &'static str,
    is_local: &'static str,
) -> Option<Fix> {
    call(spot, statement, opening, None, is_local, Form::Text)
}

/// The statement as a call with the name and the value for arguments.
fn call(
    spot: &Spot<'_>,
    statement: &Statement,
    opening: &'static str,
    name: Option<&Tok>,
    rest: &'static str,
    form: Form,
) -> Option<Fix> {
    let name = match name {
        None => String::new(),
        Some(name) if name.kind == TokenKind::Identifier => {
            format!("'{}', ", spot.text(name).to_ascii_lowercase())
        }
        Some(name) if name.kind == TokenKind::QuotedIdentifier && name.first == b'"' => {
            let inside = &spot.text(name)[1..name.end - name.start - 1];
            format!("'{}', ", inside.replace("\"\"", "\"").replace('\'', "''"))
        }
        Some(_) => return None,
    };
    let is_list = LISTS
        .split_ascii_whitespace()
        .any(|list| name.contains(list));
    let written = spot.written();
    let advice = format!(
        "write `SELECT {opening}{name}{written}{rest})` and pass the value as text; the statement answers with a row"
    );
    let first = &spot.context.tokens[statement.tokens.0];
    let range = spot.context.source_offset(first.start)..spot.placeholder.source.end;
    let pieces: Vec<Piece> = vec![
        text(format!("SELECT {opening}{name}")),
        spot.piece(form),
        text(rest),
        text(")"),
    ];
    Some(Fix::rewrite(advice, vec![Change { range, pieces }]).safe_if(!is_list))
}

#[cfg(test)]
mod tests {
    use super::super::table::{finds, fixes, leaves};
    use super::*;

    #[test]
    fn found() {
        finds(
            &HAZARD,
            &[
                "SET work_mem = ⟨%s⟩; NOTIFY c, ⟨%s⟩; SELECT %s",
                "CREATE VIEW v AS SELECT ⟨%s⟩",
                "CREATE INDEX ON t (id) WHERE id > ⟨%s⟩",
                "COPY (SELECT ⟨%s⟩) TO STDOUT",
                "WHERE id = ⟨%s⟩",
                "CREATE TABLE a AS SELECT %s; CREATE TEMP TABLE b AS (SELECT %s)",
                "((SELECT %s)); EXPLAIN SELECT %s; DECLARE c CURSOR FOR SELECT %s; CALL p(%s); TABLE %s",
                "WITH a AS (SELECT %s) INSERT INTO b SELECT * FROM a",
            ],
        );
    }

    #[test]
    fn fixed() {
        fixes(
            &HAZARD,
            &[
                (
                    "SET work_mem = %s",
                    "SELECT set_config('work_mem', $1, false)",
                    true,
                ),
                (
                    "SET LOCAL app.Tenant TO %(t)s ;",
                    "SELECT set_config('app.tenant', $1, true) ;",
                    true,
                ),
                (
                    "SET SESSION \"App.X\"=%s",
                    "SELECT set_config('App.X', $1, false)",
                    true,
                ),
                (
                    "SET search_path = %s",
                    "SELECT set_config('search_path', $1, false)",
                    false,
                ),
                (
                    "SET TIME ZONE %s",
                    "SELECT set_config('TimeZone', $1, false)",
                    true,
                ),
                (
                    "SET LOCAL ROLE %s",
                    "SELECT set_config('role', $1, true)",
                    true,
                ),
                ("NOTIFY Chan, %s", "SELECT pg_notify('chan', $1)", true),
            ],
        );
        leaves(
            &HAZARD,
            &[
                "SET search_path = %s, public",
                "SET SESSION AUTHORIZATION %s",
                "SHOW %s",
                "LISTEN %s",
                "VACUUM %s",
                "COMMENT ON TABLE t IS %s",
                "ALTER ROLE a PASSWORD %s",
            ],
        );
    }
}
