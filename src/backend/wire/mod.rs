//! The only codec: [`Value`] to and from Postgres' binary format, by the type that the *server* names. Both drivers call it.
//!
//! Which types become which values is said on [`Value`]; a type that has no variant of its own becomes [`Value::Text`] in the text form that
//! the server prints in a session with `DateStyle` ISO, `IntervalStyle` postgres and `TimeZone` UTC. The reverse holds for parameters: a
//! text is accepted for every type here, in the form that the server reads.
//!
//! What a parameter may become beside its own type is what changes no value: an integer narrows with a check, a float becomes an integer
//! only where it is whole, a timestamp becomes a date only at midnight. A timestamp with and one without a time zone become each other as
//! in a session whose time zone is UTC. What Postgres itself would refuse in `column = literal`, such as a number where text is wanted, is
//! refused here too, before anything is sent.
//!
//! `money` is not supported: its binary form counts the smallest unit of a currency that only the server's locale knows.
//!
//! Adding a type: its name in `decode.rs` (`simple`) and in `text.rs` (`put_simple`), an example in `misfit.rs`, and lines in
//! `tests/it/samples/types.txt`, which every backend must bring back as they went.

mod decode;
mod encode;
mod geometry;
mod literal;
mod misfit;
mod nested;
mod network;
mod numeric;
mod reader;
mod search;
mod system;
#[cfg(test)]
mod tests;
mod text;

use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;
use postgres_types::Type;

/// All parameters of a call in the binary format, in one buffer.
///
/// The buffer begins with the place of each parameter, four bytes each; at that place stand the parameter's length (-1 for NULL) and its
/// bytes. So encoding allocates once, however many parameters there are.
#[derive(Debug)]
pub(crate) struct Encoded {
    buffer: Vec<u8>,
    count: usize,
}

impl Encoded {
    /// How many parameters there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The bytes of the parameter at `index`, counted from 0; `None` is NULL, as is every place past the last.
    pub(crate) fn get(&self, index: usize) -> Option<&[u8]> {
        if index >= self.count {
            return None;
        }
        let word = |at: usize| {
            let bytes = self.buffer.get(at..at + 4)?;
            Some(u32::from_be_bytes(bytes.try_into().ok()?))
        };
        let start = usize::try_from(word(index * 4)?).ok()?;
        let length = i32::from_be_bytes(word(start)?.to_be_bytes());
        let length = usize::try_from(length).ok()?;
        self.buffer.get(start + 4..start + 4 + length)
    }
}

/// Encodes the parameters of a call by the types that the server named for them.
///
/// # Errors
/// [`ErrorKind::Bind`] where a value does not fit its type or the counts differ, [`ErrorKind::Unsupported`] for a type that is not known
/// here. The message names the parameter as `$n`, its kind, the server's type and what to do; it never shows the value.
pub(crate) fn encode(values: &[Value], types: &[Type]) -> Result<Encoded> {
    if values.len() != types.len() {
        return Err(count_mismatch(types.len(), values.len()));
    }
    let header = values.len() * 4;
    let capacity = values
        .iter()
        .fold(header, |sum, value| sum + 4 + encode::size_hint(value));
    let mut buffer = Vec::with_capacity(capacity);
    buffer.resize(header, 0);
    for (index, (value, ty)) in values.iter().zip(types).enumerate() {
        let start = u32::try_from(buffer.len()).map_err(|_| too_large())?;
        buffer[index * 4..index * 4 + 4].copy_from_slice(&start.to_be_bytes());
        encode::put_field(value, ty, &mut buffer).map_err(|misfit| misfit.into_error(index + 1))?;
    }
    Ok(Encoded {
        buffer,
        count: values.len(),
    })
}

/// Decodes a column's value of the type `ty`; `None` is NULL.
///
/// # Errors
/// [`ErrorKind::Decode`] where the bytes are not of that type, [`ErrorKind::Unsupported`] by the type's name.
pub(crate) fn decode(ty: &Type, bytes: Option<&[u8]>) -> Result<Value> {
    match bytes {
        None => Ok(Value::Null),
        Some(bytes) => decode::value(ty, bytes, 0).map_err(|flaw| flaw.into_error(ty)),
    }
}

fn count_mismatch(wanted: usize, given: usize) -> Error {
    let plural = if wanted == 1 { "" } else { "s" };
    let verb = if given == 1 { "was" } else { "were" };
    Error::new(
        ErrorKind::Bind,
        format!("the statement takes {wanted} parameter{plural}, {given} {verb} given"),
    )
}

fn too_large() -> Error {
    Error::new(
        ErrorKind::Bind,
        "the parameters take more than 4 GiB; Postgres takes 1 GiB at most, send them in parts",
    )
}
