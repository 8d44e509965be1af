//! Reads big-endian words from bytes that may end anywhere or be anything.

use super::misfit::type_name;
use crate::error::{Error, ErrorKind};
use postgres_types::Type;

/// Why bytes could not be read as a type.
#[derive(Debug)]
pub(super) enum Flaw {
    /// The bytes are not what the type's format says.
    Bytes(&'static str),
    /// The type of that name is not known here.
    Unsupported(String),
}

impl Flaw {
    pub(super) fn into_error(self, ty: &Type) -> Error {
        match self {
            Self::Bytes(what) => Error::new(
                ErrorKind::Decode,
                format!("a value of type {} cannot be read: {what}", type_name(ty)),
            ),
            Self::Unsupported(name) => Error::new(
                ErrorKind::Unsupported,
                format!("the type {name} is not supported: cast it to text in the query"),
            ),
        }
    }
}

pub(super) type Read<T> = Result<T, Flaw>;

const ENDS_EARLY: Flaw = Flaw::Bytes("it ends early");

/// A place in a value's bytes.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.0.len()
    }

    pub(super) fn take(&mut self, length: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(ENDS_EARLY)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(ENDS_EARLY)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Read<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn i16(&mut self) -> Read<i16> {
        self.array().map(i16::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Read<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Read<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Read<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> Read<i64> {
        self.array().map(i64::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Read<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn f64(&mut self) -> Read<f64> {
        self.array().map(f64::from_be_bytes)
    }

    /// A count of 32 bits of things that take at least `size` bytes each: never more than there are bytes for.
    pub(super) fn count(&mut self, size: usize) -> Read<usize> {
        let count = usize::try_from(self.i32()?).map_err(|_| Flaw::Bytes("a count is negative"))?;
        if count.saturating_mul(size) > self.left() {
            return Err(ENDS_EARLY);
        }
        Ok(count)
    }

    /// A length of 32 bits and as many bytes; `None` is NULL.
    pub(super) fn field(&mut self) -> Read<Option<&'a [u8]>> {
        match self.i32()? {
            -1 => Ok(None),
            length => {
                let length =
                    usize::try_from(length).map_err(|_| Flaw::Bytes("a length is negative"))?;
                self.take(length).map(Some)
            }
        }
    }

    /// The bytes up to the next zero, as text.
    pub(super) fn cstring(&mut self) -> Read<&'a str> {
        let end = self.0.iter().position(|byte| *byte == 0);
        let text = self.take(end.ok_or(ENDS_EARLY)?)?;
        self.take(1)?;
        text_of(text)
    }

    /// Makes sure that nothing is left.
    pub(super) fn end(&self) -> Read<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Flaw::Bytes("it has more bytes than the type"))
        }
    }
}

/// The bytes as an array of exactly `N`.
pub(super) fn fixed<const N: usize>(bytes: &[u8]) -> Read<[u8; N]> {
    bytes
        .try_into()
        .map_err(|_| Flaw::Bytes("it has not as many bytes as the type"))
}

pub(super) fn text_of(bytes: &[u8]) -> Read<&str> {
    std::str::from_utf8(bytes).map_err(|_| Flaw::Bytes("it is not UTF-8"))
}
