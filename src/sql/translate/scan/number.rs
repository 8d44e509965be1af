//! Where numbers end.

use super::class::find;

/// The end of the number at `start`, which starts with a digit, or with a dot before one.
pub(super) fn number(bytes: &[u8], start: usize) -> usize {
    let at = |index: usize| bytes.get(index).copied();
    if let Some(end) = in_another_base(bytes, start) {
        return end;
    }
    let digits = |index| find(bytes, index, |byte| !byte.is_ascii_digit() && byte != b'_');
    let mut end = digits(start);
    // `1..2` is two numbers and a range sign, not `1.` and `.2`.
    if at(end) == Some(b'.') && at(end + 1) != Some(b'.') {
        end = digits(end + 1);
    }
    if matches!(at(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(at(end + 1), Some(b'+' | b'-')));
        if at(end + 1 + sign).is_some_and(|byte| byte.is_ascii_digit()) {
            end = digits(end + 1 + sign);
        }
    }
    end
}

/// The end of a number such as `0x1F`; none if its prefix is followed by no digit.
fn in_another_base(bytes: &[u8], start: usize) -> Option<usize> {
    if bytes[start] != b'0' {
        return None;
    }
    let digit: fn(u8) -> bool = match bytes.get(start + 1)? {
        b'x' | b'X' => |byte| byte.is_ascii_hexdigit() || byte == b'_',
        b'o' | b'O' => |byte| matches!(byte, b'0'..=b'7' | b'_'),
        b'b' | b'B' => |byte| matches!(byte, b'0' | b'1' | b'_'),
        _ => return None,
    };
    let end = find(bytes, start + 2, |byte| !digit(byte));
    (end > start + 2).then_some(end)
}
