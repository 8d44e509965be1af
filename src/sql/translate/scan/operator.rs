//! Where operators end.

use super::class::{Class, run};

/// An operator's end, and the end of the signs behind it that are an operator each.
pub(super) struct Operator {
    pub(super) end: usize,
    pub(super) signs_end: usize,
}

/// The longest operator at `start`: a comment ends it, and it ends in `+` or `-` only if a character of it could not
/// stand in an operator of standard SQL. Without the second rule `a=-1` would hold the operator `=-`.
pub(super) fn operator(bytes: &[u8], start: usize) -> Operator {
    let run = &bytes[start..run(bytes, start, Class::OPERATOR)];
    let comment = |pair: &[u8]| pair == b"/*" || pair == b"--";
    let run = &run[..run.windows(2).position(comment).unwrap_or(run.len())];
    let signs_end = start + run.len();
    let custom = |&byte: &u8| Class::of(byte).is(Class::CUSTOM_OPERATOR);
    let end = if run.iter().any(custom) {
        signs_end
    } else {
        let other = run.iter().rposition(|byte| !matches!(byte, b'+' | b'-'));
        start + other.unwrap_or(0) + 1
    };
    Operator { end, signs_end }
}
