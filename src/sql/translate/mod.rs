//! The translator.

mod error;
mod scan;

pub use error::{TranslateError, TranslateErrorKind};
