//! What each byte can be part of, as a table: the lexer looks up, it does not compare.

/// The classes that a byte belongs to, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Class(u8);

impl Class {
    pub(super) const SPACE: Self = Self(1);
    /// May stand in an identifier.
    pub(super) const IDENTIFIER: Self = Self(1 << 1);
    pub(super) const DIGIT: Self = Self(1 << 2);
    pub(super) const OPERATOR: Self = Self(1 << 3);
    /// In an operator that holds one of these, a last `+` or `-` belongs to it.
    pub(super) const CUSTOM_OPERATOR: Self = Self(1 << 4);
    pub(super) const PUNCTUATION: Self = Self(1 << 5);
    /// May open a literal, a quoted name, a comment or a parameter.
    pub(super) const OPENER: Self = Self(1 << 6);
    /// May stand in a token before a quote or a `$` that belongs to the same token, or just before such a token.
    pub(super) const JOINED: Self = Self(1 << 7);

    /// The classes of a byte.
    pub(super) const fn of(byte: u8) -> Self {
        TABLE[byte as usize]
    }

    pub(super) const fn is(self, class: Self) -> bool {
        self.0 & class.0 != 0
    }

    const fn compute(byte: u8) -> Self {
        const fn flag(class: Class, holds: bool) -> u8 {
            if holds { class.0 } else { 0 }
        }
        let identifier =
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii();
        let custom = matches!(
            byte,
            b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'%'
        );
        let standard = matches!(byte, b'+' | b'-' | b'*' | b'/' | b'<' | b'>' | b'=');
        Self(
            flag(
                Self::SPACE,
                matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c'),
            ) | flag(Self::IDENTIFIER, identifier)
                | flag(Self::DIGIT, byte.is_ascii_digit())
                | flag(Self::OPERATOR, custom || standard)
                | flag(Self::CUSTOM_OPERATOR, custom)
                | flag(
                    Self::PUNCTUATION,
                    matches!(byte, b',' | b'(' | b')' | b'[' | b']' | b'.' | b';'),
                )
                | flag(
                    Self::OPENER,
                    matches!(byte, b'\'' | b'"' | b'$' | b'-' | b'/'),
                )
                | flag(
                    Self::JOINED,
                    identifier || matches!(byte, b'.' | b'&' | b'+' | b'-'),
                ),
        )
    }
}

const TABLE: [Class; 256] = {
    let mut table = [Class(0); 256];
    let mut byte = 0_u8;
    loop {
        table[byte as usize] = Class::compute(byte);
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

/// The end of the run of bytes of that class that starts at `start`.
pub(super) fn run(bytes: &[u8], start: usize, class: Class) -> usize {
    find(bytes, start, |byte| !Class::of(byte).is(class))
}

/// The first byte from `start` that is `wanted`, or the end of the text.
pub(super) fn find(bytes: &[u8], start: usize, wanted: impl Fn(u8) -> bool) -> usize {
    bytes[start..]
        .iter()
        .position(|&byte| wanted(byte))
        .map_or(bytes.len(), |length| start + length)
}

/// Whether an identifier may hold the byte. One that does not start with a digit or `$` may start one.
pub(crate) fn is_identifier(byte: u8) -> bool {
    Class::of(byte).is(Class::IDENTIFIER)
}

pub(super) fn is_newline(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}
