//! A place in a short text that is read from left to right.

/// What is left of the text.
pub(super) struct Scan<'a>(pub(super) &'a str);

impl<'a> Scan<'a> {
    pub(super) fn spaces(&mut self) -> bool {
        let rest = self.0.trim_ascii_start();
        let any = rest.len() < self.0.len();
        self.0 = rest;
        any
    }

    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// -1 or 1 for a sign, `None` where there is none.
    pub(super) fn sign(&mut self) -> Option<i64> {
        if self.eat('-') {
            Some(-1)
        } else {
            self.eat('+').then_some(1)
        }
    }

    /// All the digits that come next; empty where there are none.
    pub(super) fn digits(&mut self) -> &'a str {
        self.while_(u8::is_ascii_digit)
    }

    /// All the letters that come next.
    pub(super) fn word(&mut self) -> &'a str {
        self.while_(u8::is_ascii_alphabetic)
    }

    /// A number of `least` to `most` digits.
    pub(super) fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let digits = self.digits();
        if !(least..=most).contains(&digits.len()) {
            return None;
        }
        digits.parse().ok()
    }

    pub(super) fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    fn while_(&mut self, accept: impl Fn(&u8) -> bool) -> &'a str {
        let bytes = self.0.as_bytes();
        let end = bytes.iter().position(|byte| !accept(byte));
        let (taken, rest) = self.0.split_at(end.unwrap_or(bytes.len()));
        self.0 = rest;
        taken
    }
}

/// The digits after a decimal point, as a count of units of which `10^places` are one; rounded.
pub(super) fn fraction(digits: &str, places: usize) -> Option<i64> {
    let kept = digits.get(..places).unwrap_or(digits);
    let scale = 10i64.checked_pow(u32::try_from(places - kept.len()).ok()?)?;
    let kept: i64 = if kept.is_empty() {
        0
    } else {
        kept.parse().ok()?
    };
    let up = digits
        .as_bytes()
        .get(places)
        .is_some_and(|next| *next >= b'5');
    Some(kept * scale + i64::from(up))
}
