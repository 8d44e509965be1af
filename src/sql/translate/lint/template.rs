//! `FROM {table} WHERE id = %s`

use std::ops::Range;

use super::super::scan::TokenKind;
use super::context::Context;
use super::finding::Found;
use super::hazard::Look;
use super::{Hazard, Severity};

pub(super) const HAZARD: Hazard = Hazard {
    code: "template",
    severity: Severity::Error,
    title: "a text that is not finished yet",
    why: "Braces are no SQL, and neither are the brackets `⟦` and `⟧` around anything but names: another step fills them in before the text is executed. The placeholders are numbered as they \
          stand; convert the text that comes out if that step adds placeholders, and keep this finding back with `pontoon: \
          ignore template` if it does not.",
    postgres: "syntax error at or near \"{\"",
    example: "SELECT id FROM {table} WHERE id = %s",
    rewrite: "",
    look: Look::Text(find),
};

fn find(context: &Context<'_>) -> Vec<(Range<usize>, Found)> {
    let mut findings: Vec<(Range<usize>, Found)> = Vec::new();
    let mut open = None;
    for &index in &context.odd {
        let token = &context.tokens[index];
        if token.kind != TokenKind::Other {
            continue;
        }
        match token.first {
            b'{' => open = Some(token.start),
            b'}' => {
                let start = open.take().unwrap_or(token.start);
                let range = context.source_offset(start)..context.source_end(token);
                let message = format!(
                    "`{}` is filled in by another step",
                    &context.source[range.clone()]
                );
                findings.push((range, Found::new(message)));
            }
            _ => {}
        }
    }
    if let Some(start) = open {
        let start = context.source_offset(start);
        findings.push((start..start + 1, Found::new("a `{` is no SQL")));
    }
    if context.sql.contains('⟦') {
        findings.extend(holes(context));
    }
    findings
}

/// What stands in `⟦…⟧`: texts that were collected from programs may mark what is known only at run time by these brackets. With nothing
/// but names in them, as in `⟦schema.table⟧`, they are names to the server.
fn holes(context: &Context<'_>) -> Vec<(Range<usize>, Found)> {
    let mut findings = Vec::new();
    // Where the hole opens, and whether it holds more than names so far.
    let mut open: Option<(usize, bool)> = None;
    for token in &context.tokens {
        if token.kind != TokenKind::Identifier {
            open = open.map(|(start, more)| (start, more || !token.is_sign(b'.')));
            continue;
        }
        let text = token.text(context.sql);
        let closes = match (text.find('⟧'), text.find('⟦')) {
            (Some(close), Some(open)) => close < open,
            (close, _) => close.is_some(),
        };
        if let Some((start, true)) = open.take_if(|_| closes) {
            let range = context.source_offset(start)..context.source_end(token);
            let message = format!(
                "`{}` is filled in by another step",
                &context.source[range.clone()]
            );
            findings.push((range, Found::new(message)));
        }
        if text.rfind('⟦') > text.rfind('⟧') {
            open = open.or(Some((token.start, false)));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::table::finds;
    use super::*;

    #[test]
    fn found() {
        finds(
            &HAZARD,
            &[
                "SELECT ⟨{columns}⟩ FROM ⟨{a.b}⟩ WHERE id = %s",
                "SELECT %s ⟨{⟩",
                "SELECT '{}', \"{}\", $${}$$, %s -- {}",
                "SELECT {columns} FROM t",
                "SELECT * FROM ⟨⟦sql.Identifier(table)⟧⟩ WHERE id = %s",
                "SELECT * FROM ⟦self.table⟧_log WHERE ⟦a⟧⟦b⟧ = %s AND '⟦a.b⟧' = %s",
            ],
        );
    }
}
