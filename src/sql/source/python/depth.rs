//! How deep the tree of a file is, before anything walks it.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::Mode;
use ruff_python_parser::lexer::lex;

/// A bound of the depth of the tree that these tokens make: open brackets and blocks, and the operators between two commas.
pub(super) fn bound(tokens: impl Iterator<Item = TokenKind>) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    // The operators of each open bracket's current element.
    let mut levels: Vec<usize> = vec![0];
    for token in tokens {
        match token {
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                levels.push(0);
                depth += 1;
            }
            TokenKind::Rpar
            | TokenKind::Rsqb
            | TokenKind::Rbrace
            | TokenKind::FStringEnd
            | TokenKind::TStringEnd => {
                if levels.len() > 1 {
                    depth -= levels.pop().unwrap_or(0) + 1;
                }
                // A call or an index, which the next one may stand on.
                deepen(&mut levels, &mut depth);
            }
            TokenKind::Indent => depth += 1,
            TokenKind::Dedent => depth = depth.saturating_sub(1),
            TokenKind::Newline | TokenKind::Semi | TokenKind::Comma => {
                depth = depth.saturating_sub(levels.last().copied().unwrap_or(0));
                if let Some(last) = levels.last_mut() {
                    *last = 0;
                }
            }
            TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::String
            | TokenKind::FStringMiddle
            | TokenKind::TStringMiddle
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline => {}
            TokenKind::EndOfFile => break,
            _ => deepen(&mut levels, &mut depth),
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn deepen(levels: &mut [usize], depth: &mut usize) {
    if let Some(last) = levels.last_mut() {
        *last += 1;
        *depth += 1;
    }
}

/// Whether a file that was not parsed yet may be deeper than that.
pub(super) fn may_exceed(most: usize, source: &str) -> bool {
    // Each level has a token of its own, and to count what begins one takes much less than to read it.
    source.len() > most && starts(source.as_bytes()) > most && of_source(source) > most
}

/// How many bytes may begin a token: signs, and the first ones of words.
fn starts(source: &[u8]) -> usize {
    // As many as a byte can count: then many are compared at once.
    const PART: usize = u8::MAX as usize;
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
    let begins =
        |before: &u8, byte: &u8| !(byte.is_ascii_whitespace() || in_word(before) && in_word(byte));
    let Some((first, rest)) = source.split_first() else {
        return 0;
    };
    let parts = source.chunks(PART).zip(rest.chunks(PART));
    let counts = parts.map(|(before, part)| {
        let pairs = before.iter().zip(part);
        let count: u8 = pairs
            .map(|(before, byte)| u8::from(begins(before, byte)))
            .sum();
        usize::from(count)
    });
    usize::from(begins(&b' ', first)) + counts.sum::<usize>()
}

/// The bound of a text that was not parsed yet.
pub(super) fn of_source(source: &str) -> usize {
    let mut lexer = lex(source, Mode::Module);
    bound(std::iter::from_fn(|| Some(lexer.next_token())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_has_a_byte_that_begins_a_token() {
        for source in [
            "",
            "a",
            "((a))",
            "if a:\n  if b:\n    f(not c)(d)[e]",
            "a.b.c**-~1if 0or 0else[lambda:{}]",
            "f'{f\"{a!r:>{b}}\"}' 'c' and ünï",
        ] {
            let depth = of_source(source);
            assert!(depth <= starts(source.as_bytes()), "{source}");
            assert!(!may_exceed(depth, source), "{source}");
            assert!(depth == 0 || may_exceed(depth - 1, source), "{source}");
        }
    }
}
