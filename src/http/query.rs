//! Reads a request's query string: every parameter known, once, and whole.

use super::error::{Code, Problem};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

/// The parameters of a query string that nobody has asked for yet.
#[derive(Debug)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(parts.uri.query().unwrap_or_default())
    }
}

impl Parameters {
    fn read(query: &str) -> Result<Self, Problem> {
        let mut read = BTreeMap::new();
        for (pair, (name, value)) in pairs(query) {
            // What is no UTF-8 would be searched for as another text than was meant.
            if value.contains('\0') || !is_utf8(pair) {
                return Err(wrong(&name, "it holds a NUL, or is no UTF-8"));
            }
            if read.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(wrong(&name, "it is there more than once"));
            }
        }
        Ok(Self(read))
    }

    /// Takes a parameter's text of 1 to `longest` characters.
    pub(super) fn text(&mut self, name: &str, longest: usize) -> Result<Option<String>, Problem> {
        match self.0.remove(name) {
            Some(text) if text.trim().is_empty() => Err(wrong(name, "it is empty")),
            Some(text) if text.chars().count() > longest => Err(wrong(
                name,
                &format!("it has more than {longest} characters"),
            )),
            text => Ok(text),
        }
    }

    /// Takes a parameter that has to be there.
    pub(super) fn required(&mut self, name: &str, longest: usize) -> Result<String, Problem> {
        self.text(name, longest)?
            .ok_or_else(|| wrong(name, "it is missing"))
    }

    /// Takes a parameter as a `T`.
    pub(super) fn parsed<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, Problem> {
        let text = self.0.remove(name);
        text.map(|text| {
            text.parse()
                .map_err(|error: T::Err| wrong(name, &error.to_string()))
        })
        .transpose()
    }

    /// Takes a parameter as a number from 1 to `most`.
    pub(super) fn count(&mut self, name: &str, default: u16, most: u16) -> Result<u16, Problem> {
        match self.0.remove(name).map(|text| text.parse()) {
            None => Ok(default),
            Some(Ok(count)) if (1..=most).contains(&count) => Ok(count),
            Some(_) => Err(wrong(name, &format!("a number from 1 to {most} is wanted"))),
        }
    }

    /// Refuses what is left.
    pub(super) fn end(self, known: &str) -> Result<(), Problem> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(wrong(
                name,
                &format!("there is no such parameter; there are {known}"),
            )),
        }
    }
}

/// Each pair as it was written, and what it means.
fn pairs(query: &str) -> impl Iterator<Item = (&str, (Cow<'_, str>, Cow<'_, str>))> {
    let written = query.split('&');
    written.filter_map(|pair| Some((pair, url::form_urlencoded::parse(pair.as_bytes()).next()?)))
}

/// Whether a pair's escapes are UTF-8. What replaces those that are not is a character like any other, which a client may send.
fn is_utf8(pair: &str) -> bool {
    percent_encoding::percent_decode_str(pair)
        .decode_utf8()
        .is_ok()
}

fn wrong(name: &str, why: &str) -> Problem {
    Problem::new(Code::InvalidQuery, why).with_field(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parameter_is_read_once() {
        let mut read = Parameters::read("q=a+b%C3%A9&limit=7").unwrap();
        assert_eq!(read.required("q", 4).unwrap(), "a bé");
        assert_eq!(read.count("limit", 20, 100).unwrap(), 7);
        assert_eq!(read.count("limit", 20, 100).unwrap(), 20);
        assert!(read.end("none").is_ok());
    }

    #[test]
    fn the_replacement_character_is_one_like_any_other() {
        for (query, means) in [
            ("q=%EF%BF%BD", "\u{fffd}"),
            ("q=\u{fffd}", "\u{fffd}"),
            ("&q=%&&", "%"),
            ("q=%2&n=1", "%2"),
            ("q=%f0%9f%98%80", "\u{1f600}"),
        ] {
            let mut read = Parameters::read(query).unwrap();
            assert_eq!(read.required("q", 9).unwrap(), means, "{query}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for bad in ["q=%00", "q=%ff", "q=%EF%BF", "q=%EF%BF%BD%C3", "q=1&q=1"] {
            assert_eq!(
                Parameters::read(bad).unwrap_err().code(),
                Code::InvalidQuery,
                "{bad}"
            );
        }
        let read = |query| Parameters::read(query).unwrap();
        assert!(read("q=").required("q", 9).is_err());
        assert!(read("q=abc").required("q", 2).is_err());
        assert!(read("").required("q", 2).is_err());
        for bad in [
            "n=0",
            "n=101",
            "n=-1",
            "n=x",
            "n=",
            "n=1.0",
            "n=99999999999",
        ] {
            assert!(read(bad).count("n", 20, 100).is_err(), "{bad}");
        }
        assert!(read("other=1").end("n").is_err());
    }
}
