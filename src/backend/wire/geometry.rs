//! The geometric types in their text forms.

use super::reader::{Flaw, Read, Reader};
use crate::sql::show_float8;
use postgres_types::Type;
use std::fmt;

type Point = (f64, f64);

/// The text of a geometric value.
pub(super) fn read(ty: &Type, bytes: &[u8]) -> Read<String> {
    let mut reader = Reader::new(bytes);
    let text = match *ty {
        Type::POINT => shown(&point(&mut reader)?),
        Type::LSEG => format!("[{}]", points(&mut reader, 2)?),
        Type::BOX => points(&mut reader, 2)?,
        Type::LINE => {
            let (a, b, c) = (reader.f64()?, reader.f64()?, reader.f64()?);
            format!("{{{},{},{}}}", float(a), float(b), float(c))
        }
        Type::CIRCLE => {
            let centre = point(&mut reader)?;
            format!("<{},{}>", shown(&centre), float(reader.f64()?))
        }
        Type::PATH => {
            let closed = reader.u8()? != 0;
            let count = reader.count(16)?;
            let points = points(&mut reader, count)?;
            if closed {
                format!("({points})")
            } else {
                format!("[{points}]")
            }
        }
        Type::POLYGON => {
            let count = reader.count(16)?;
            format!("({})", points(&mut reader, count)?)
        }
        _ => return Err(Flaw::Unsupported(ty.name().to_owned())),
    };
    reader.end()?;
    Ok(text)
}

fn float(v: f64) -> impl fmt::Display {
    fmt::from_fn(move |f| show_float8(f, v))
}

fn point(reader: &mut Reader<'_>) -> Read<Point> {
    Ok((reader.f64()?, reader.f64()?))
}

fn shown((x, y): &Point) -> String {
    format!("({},{})", float(*x), float(*y))
}

fn points(reader: &mut Reader<'_>, count: usize) -> Read<String> {
    let points: Vec<String> = (0..count)
        .map(|_| point(reader).map(|point| shown(&point)))
        .collect::<Read<_>>()?;
    Ok(points.join(","))
}

/// Puts the geometric value that the text names.
pub(super) fn put(text: &str, ty: &Type, out: &mut Vec<u8>) -> Option<()> {
    let mut scan = Scan(text.trim_ascii());
    let mut numbers: Vec<f64> = Vec::new();
    match *ty {
        Type::POINT => {
            let (x, y) = scan.pair()?;
            numbers.extend([x, y]);
        }
        Type::LSEG | Type::BOX => {
            let (points, open) = scan.path()?;
            if points.len() != 2 || (open && *ty == Type::BOX) {
                return None;
            }
            numbers.extend(points.into_iter().flat_map(|(x, y)| [x, y]));
        }
        Type::LINE => {
            scan.eat('{').then_some(())?;
            numbers.push(scan.number()?);
            for _ in 0..2 {
                scan.eat(',').then_some(())?;
                numbers.push(scan.number()?);
            }
            scan.eat('}').then_some(())?;
        }
        Type::CIRCLE => numbers.extend(scan.circle()?),
        Type::PATH | Type::POLYGON => {
            let (points, open) = scan.path()?;
            match *ty {
                Type::PATH => out.push(u8::from(!open)),
                _ if open => return None,
                _ => {}
            }
            out.extend_from_slice(&i32::try_from(points.len()).ok()?.to_be_bytes());
            numbers.extend(points.into_iter().flat_map(|(x, y)| [x, y]));
        }
        _ => return None,
    }
    for number in numbers {
        out.extend_from_slice(&number.to_be_bytes());
    }
    scan.0.is_empty().then_some(())
}

struct Scan<'a>(&'a str);

impl Scan<'_> {
    fn eat(&mut self, wanted: char) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0).trim_ascii_start();
        rest.is_some()
    }

    fn number(&mut self) -> Option<f64> {
        let end = self.0.find([',', '(', ')', '[', ']', '{', '}', '<', '>']);
        let (number, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        super::text::float(number)
    }

    /// `(1,2)` or `1,2`
    fn pair(&mut self) -> Option<Point> {
        let inside = self.eat('(');
        let x = self.number()?;
        self.eat(',').then_some(())?;
        let y = self.number()?;
        (!inside || self.eat(')')).then_some((x, y))
    }

    /// Points in `[...]`, in `(...)` or without either, and whether it was the first.
    fn path(&mut self) -> Option<(Vec<Point>, bool)> {
        let open = self.eat('[');
        let closed = !open && self.0.starts_with('(') && {
            let inner = self.0[1..].trim_ascii_start();
            inner.starts_with('(') || !inner.contains('(')
        };
        if closed {
            self.eat('(');
        }
        let mut points = vec![self.pair()?];
        while self.eat(',') {
            points.push(self.pair()?);
        }
        let ends = match (open, closed) {
            (true, _) => self.eat(']'),
            (_, true) => self.eat(')'),
            _ => true,
        };
        ends.then_some((points, open))
    }

    /// `<(1,2),3>`, `((1,2),3)`, `(1,2),3` or `1,2,3`
    fn circle(&mut self) -> Option<[f64; 3]> {
        let angle = self.eat('<');
        let outer = !angle
            && self.0.starts_with('(')
            && self.0[1..].trim_ascii_start().starts_with('(')
            && self.eat('(');
        let (x, y) = self.pair()?;
        self.eat(',').then_some(())?;
        let radius = self
            .number()
            .filter(|radius| radius.is_nan() || *radius >= 0.0)?;
        let ends = (!angle || self.eat('>')) && (!outer || self.eat(')'));
        ends.then_some([x, y, radius])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(ty: &Type, text: &str) -> Option<String> {
        let mut out = Vec::new();
        put(text, ty, &mut out)?;
        read(ty, &out).ok()
    }

    #[test]
    fn shapes_go_there_and_back() {
        for (ty, text) in [
            (Type::POINT, "(1.5,-2)"),
            (Type::LSEG, "[(1,2),(3,4)]"),
            (Type::BOX, "(3,4),(1,2)"),
            (Type::LINE, "{1,-1,0}"),
            (Type::CIRCLE, "<(1,2),3>"),
            (Type::PATH, "[(1,2),(3,4)]"),
            (Type::PATH, "((1,2),(3,4),(5,6))"),
            (Type::POLYGON, "((0,0),(0,1),(1,0))"),
        ] {
            assert_eq!(back(&ty, text).as_deref(), Some(text));
        }
        assert_eq!(back(&Type::POINT, " 1 , 2 ").as_deref(), Some("(1,2)"));
        assert_eq!(back(&Type::CIRCLE, "1,2,3").as_deref(), Some("<(1,2),3>"));
        assert_eq!(
            back(&Type::BOX, "((1,2),(3,4))").as_deref(),
            Some("(1,2),(3,4)")
        );
        assert_eq!(back(&Type::BOX, "1,2,3,4").as_deref(), Some("(1,2),(3,4)"));
    }

    #[test]
    fn what_is_no_shape_is_refused() {
        for ty in [
            Type::POINT,
            Type::LSEG,
            Type::BOX,
            Type::LINE,
            Type::CIRCLE,
            Type::PATH,
            Type::POLYGON,
        ] {
            for text in [
                "",
                "(",
                "(1",
                "1,",
                "(1,2",
                "((1,2),(3,4)",
                "<(1,2),-3>",
                "{1,2}",
                "é,é",
                "(1,2)x",
                "[(1,2),(3,4))",
            ] {
                assert_eq!(back(&ty, text), None, "{text} as {ty}");
            }
        }
    }
}
