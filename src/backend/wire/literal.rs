//! The text forms of arrays, composites, ranges and multiranges, taken apart: their parts are texts, which their own types then read.

use crate::sql::{Array, Range, Value};

/// The most dimensions that Postgres gives an array.
const MOST_DIMENSIONS: usize = 6;

/// The array that `{1,NULL,"a b"}` names, with its bounds if it has them: `[0:1]={a,b}`.
pub(super) fn array(text: &str, delimiter: char) -> Option<Array> {
    let mut scan = Scan(text);
    scan.spaces();
    let bounds = bounds(&mut scan)?;
    let mut found = Found {
        delimiter,
        lengths: Vec::new(),
        elements: Vec::new(),
    };
    found.level(&mut scan, 0)?;
    scan.spaces();
    if !scan.0.is_empty() {
        return None;
    }
    let lengths = found.lengths.into_iter();
    let counted = lengths.map(|length| Some((length?, 1)));
    let counted = counted.collect::<Option<Vec<_>>>()?;
    if found.elements.is_empty() {
        // `{}`; an array of empty arrays is not one that the server takes.
        let empty = counted.len() == 1 && bounds.is_empty();
        return empty.then(|| Array::of::<Value>([]));
    }
    let length = |dimension: &(u32, i32)| dimension.0;
    let dimensions = if bounds.is_empty() {
        counted
    } else {
        let same = bounds.iter().map(length).eq(counted.iter().map(length));
        same.then_some(bounds)?
    };
    Some(Array {
        dimensions,
        elements: found.elements,
    })
}

/// What stands before the braces, if anything: the length and the first index of each dimension.
fn bounds(scan: &mut Scan<'_>) -> Option<Vec<(u32, i32)>> {
    let mut bounds = Vec::new();
    while scan.eat('[') {
        let lower = scan.integer()?;
        scan.eat(':').then_some(())?;
        let upper = scan.integer()?;
        scan.eat(']').then_some(())?;
        let length = i64::from(upper) - i64::from(lower) + 1;
        bounds.push((u32::try_from(length).ok()?, lower));
        scan.spaces();
    }
    if !bounds.is_empty() {
        scan.eat('=').then_some(())?;
        scan.spaces();
    }
    Some(bounds)
}

struct Found {
    delimiter: char,
    /// The length of each dimension, once a list of that depth has ended.
    lengths: Vec<Option<u32>>,
    elements: Vec<Value>,
}

impl Found {
    /// Reads one pair of braces.
    fn level(&mut self, scan: &mut Scan<'_>, depth: usize) -> Option<()> {
        scan.eat('{').then_some(())?;
        if depth >= MOST_DIMENSIONS {
            return None;
        }
        if self.lengths.len() == depth {
            // A list whose siblings held elements cannot hold lists.
            if self.elements.is_empty() {
                self.lengths.push(None);
            } else {
                return None;
            }
        }
        let mut length = 0u32;
        scan.spaces();
        while !scan.eat('}') {
            if length > 0 {
                scan.eat(self.delimiter).then_some(())?;
                scan.spaces();
            }
            if scan.0.starts_with('{') {
                self.level(scan, depth + 1)?;
            } else if self.lengths.len() > depth + 1 {
                return None;
            } else {
                self.elements.push(scan.element(self.delimiter)?);
            }
            length += 1;
            scan.spaces();
        }
        let known = self.lengths[depth].get_or_insert(length);
        (*known == length && (length > 0 || depth == 0)).then_some(())
    }
}

/// The fields of `(1,"b c",)`: texts and NULLs.
pub(super) fn composite(text: &str) -> Option<Vec<Value>> {
    let inner = text.trim_ascii().strip_prefix('(')?;
    let mut scan = Scan(inner);
    let mut fields = Vec::new();
    loop {
        fields.push(scan.member(&[',', ')'])?);
        if scan.eat(')') {
            break;
        }
        scan.eat(',').then_some(())?;
    }
    scan.0.is_empty().then_some(fields)
}

/// The range that `empty`, `[1,10)` or `(,5]` names.
pub(super) fn range(text: &str) -> Option<Range> {
    let mut scan = Scan(text.trim_ascii());
    let range = scan.range()?;
    scan.0.is_empty().then_some(range)
}

/// The ranges of `{[1,3),[5,8)}`.
pub(super) fn multirange(text: &str) -> Option<Vec<Range>> {
    let mut scan = Scan(text.trim_ascii());
    scan.eat('{').then_some(())?;
    let mut ranges = Vec::new();
    scan.spaces();
    while !scan.eat('}') {
        if !ranges.is_empty() {
            scan.eat(',').then_some(())?;
            scan.spaces();
        }
        ranges.push(scan.range()?);
        scan.spaces();
    }
    scan.0.is_empty().then_some(ranges)
}

struct Scan<'a>(&'a str);

impl Scan<'_> {
    fn spaces(&mut self) {
        self.0 = self.0.trim_start_matches(is_space);
    }

    fn eat(&mut self, wanted: char) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn integer(&mut self) -> Option<i32> {
        let end = self
            .0
            .find(|c: char| !c.is_ascii_digit() && !matches!(c, '-' | '+'))?;
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        digits.parse().ok()
    }

    /// An array's element: quoted, or up to the delimiter or brace, without the space around it.
    fn element(&mut self, delimiter: char) -> Option<Value> {
        if self.eat('"') {
            let mut text = String::new();
            self.quoted(&mut text, false)?;
            return Some(Value::Text(text));
        }
        let mut text = String::new();
        // Up to here the text is kept, spaces at its end included: those that a backslash escaped.
        let (mut kept, mut escaped, mut end) = (0, false, self.0.len());
        let mut chars = self.0.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => {
                    text.push(chars.next()?.1);
                    (kept, escaped) = (text.len(), true);
                }
                '"' | '{' => return None,
                c if c == delimiter || c == '}' => {
                    end = at;
                    break;
                }
                c => {
                    text.push(c);
                    if !is_space(c) {
                        kept = text.len();
                    }
                }
            }
        }
        self.0 = &self.0[end..];
        text.truncate(kept);
        if !escaped && text.eq_ignore_ascii_case("null") {
            return Some(Value::Null);
        }
        (!text.is_empty()).then_some(Value::Text(text))
    }

    /// A field or a bound, of quoted and bare pieces, up to one of `ends`; NULL where nothing stands.
    fn member(&mut self, ends: &[char]) -> Option<Value> {
        let mut text = String::new();
        let mut any = false;
        loop {
            let c = self.0.chars().next()?;
            if ends.contains(&c) {
                return Some(any.then_some(text).into());
            }
            any = true;
            self.0 = &self.0[c.len_utf8()..];
            match c {
                '"' => self.quoted(&mut text, true)?,
                '\\' => {
                    let next = self.0.chars().next()?;
                    self.0 = &self.0[next.len_utf8()..];
                    text.push(next);
                }
                c => text.push(c),
            }
        }
    }

    /// What follows an opening quote, up to the closing one; where quotes may be `doubled`, two are one.
    fn quoted(&mut self, text: &mut String, doubled: bool) -> Option<()> {
        let mut chars = self.0.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => text.push(chars.next()?.1),
                '"' if doubled && chars.peek().is_some_and(|(_, next)| *next == '"') => {
                    chars.next();
                    text.push('"');
                }
                '"' => {
                    self.0 = &self.0[at + 1..];
                    return Some(());
                }
                c => text.push(c),
            }
        }
        None
    }

    fn range(&mut self) -> Option<Range> {
        let word = self
            .0
            .get(..5)
            .is_some_and(|word| word.eq_ignore_ascii_case("empty"));
        if word {
            self.0 = &self.0[5..];
            return Some(Range::Empty);
        }
        let lower_in = self.eat('[');
        if !lower_in {
            self.eat('(').then_some(())?;
        }
        let ends = [',', ')', ']'];
        let lower = self.member(&ends)?;
        self.eat(',').then_some(())?;
        let upper = self.member(&ends)?;
        let upper_in = self.eat(']');
        if !upper_in {
            self.eat(')').then_some(())?;
        }
        Some(Range::Bounds {
            lower: (!lower.is_null()).then_some((lower, lower_in)),
            upper: (!upper.is_null()).then_some((upper, upper_in)),
        })
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn arrays_keep_what_they_hold() {
        for text in [
            "{}",
            "{a,NULL,\"NULL\",\"\",\"b c\"}",
            "{{1,2},{3,4}}",
            "[0:1]={a,b}",
            "[-1:0][2:2]={{1},{2}}",
            r#"{"\"\\","{",é}"#,
        ] {
            assert_eq!(
                array(text, ',').map(|array| array.to_string()).as_deref(),
                Some(text)
            );
        }
        let spaced = array(" { a , b\\  c ,null } ", ',').map(|array| array.to_string());
        assert_eq!(spaced.as_deref(), Some("{a,\"b  c\",NULL}"));
    }

    #[test]
    fn what_is_no_array_is_refused() {
        for text in [
            "",
            "1",
            "{",
            "{1",
            "{1,}",
            "{,1}",
            "{1}x",
            "{{1},{2,3}}",
            "{{1},2}",
            "{1,{2}}",
            "{{}}",
            "[0:2]={1}",
            "[0:0]={}",
            "{\"a}",
            "{a\"b}",
            "{{{{{{{1}}}}}}}",
            "{\\",
        ] {
            assert_eq!(array(text, ','), None, "{text}");
        }
    }

    #[test]
    fn composites_ranges_and_multiranges_are_taken_apart() {
        let fields = composite(r#"(1,,"","a ""b""",\, x)"#).map(Array::of);
        assert_eq!(
            fields.map(|array| array.to_string()).as_deref(),
            Some(r#"{1,NULL,"","a \"b\"",", x"}"#)
        );
        for text in ["", "(", "(1", "1,2", "(1)x", "(\"1)"] {
            assert_eq!(composite(text), None, "{text}");
        }
        for text in [
            "empty",
            "[1,10)",
            "(,5]",
            "(,)",
            "[\"2000-01-01 00:00:00\",\"\")",
        ] {
            assert_eq!(
                range(text).map(|range| range.to_string()).as_deref(),
                Some(text)
            );
        }
        for text in ["", "[1,2", "1,2", "[1)", "[1,2,3)", "[1,2)x"] {
            assert_eq!(range(text), None, "{text}");
        }
        let ranges =
            multirange("{ [1,3), empty }").map(|ranges| Value::Multirange(ranges).to_string());
        assert_eq!(ranges.as_deref(), Some("{[1,3),empty}"));
        assert_eq!(multirange("{[1,3) [4,5)}"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_taken_apart_or_refused(text in "[\\[\\]{}(),:=\"\\\\ 0-9a-b]{0,40}|\\PC{0,20}") {
            let _ = (array(&text, ','), composite(&text), range(&text), multirange(&text));
        }

        #[test]
        fn arrays_of_any_texts_go_there_and_back(texts in proptest::collection::vec(proptest::option::of("\\PC{0,8}"), 0..8)) {
            let made = Array::of(texts);
            let back = array(&made.to_string(), ',');
            prop_assert_eq!(back, Some(made));
        }

        #[test]
        fn composites_of_any_texts_go_there_and_back(texts in proptest::collection::vec(proptest::option::of("\\PC{0,8}"), 1..8)) {
            let fields: Vec<Value> = texts.into_iter().map(Value::from).collect();
            let named = fields.iter().map(|value| (String::new(), value.clone())).collect();
            let back = composite(&Value::Composite(named).to_string());
            prop_assert_eq!(back, Some(fields));
        }
    }
}
