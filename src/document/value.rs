//! One value of a file. In: what the parser found. Out: the value as the type that the caller wants, in the
//! range that it wants, or a noted problem. It never converts silently: a number is no duration.

use super::{Page, Table};
use std::{fmt::Display, ops::RangeInclusive, time::Duration};
use toml::{Spanned, de::DeValue};

/// A value of the file. Every method that takes it out as some type notes a problem and returns `None` if it
/// is not of that type or not in that range.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    pub(super) page: &'a Page<'a>,
    /// The key that it, or the list that it is in, belongs to.
    pub(super) key: &'a str,
    pub(super) found: &'a Spanned<DeValue<'a>>,
}

impl<'a> Value<'a> {
    /// Notes a problem of this value, at its start.
    pub fn note(self, text: &str) {
        self.page.note(self.found.span().start, text);
    }

    /// The line on which it starts, from 1.
    pub fn line(self) -> usize {
        self.page.place(self.found.span().start).0
    }

    /// The key that it, or the list that it is in, belongs to.
    pub fn key(self) -> &'a str {
        self.key
    }

    /// Is it a table?
    pub fn is_table(self) -> bool {
        self.found.get_ref().is_table()
    }

    /// A string. `want` says what the string is: `an address such as "192.0.2.1"`.
    pub fn text(self, want: &str) -> Option<&'a str> {
        self.or_wrong(self.found.get_ref().as_str(), want)
    }

    /// A string that `parse` understands; its error must say what would be right.
    pub fn parsed<T, E: Display>(self, want: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        parse(self.text(want)?).map_err(|error| self.note(&error.to_string())).ok()
    }

    /// One of a few words.
    pub fn one_of(self, words: &[&'static str]) -> Option<&'static str> {
        let text = self.text(&format!("one of {}", quoted(words)))?;
        let word = words.iter().copied().find(|&word| word == text);
        if word.is_none() {
            self.note(&format!("{:?} cannot be {text:?}; {}", self.key, suggestion(text, words)));
        }
        word
    }

    /// `true` or `false`.
    pub fn flag(self) -> Option<bool> {
        self.or_wrong(self.found.get_ref().as_bool(), "true or false")
    }

    /// A whole number.
    pub fn integer(self, range: RangeInclusive<i64>) -> Option<i64> {
        let want = format!("a whole number from {} to {}", range.start(), range.end());
        let digits = self.or_wrong(self.found.get_ref().as_integer(), &want)?;
        let number = i64::from_str_radix(digits.as_str(), digits.radix()).ok();
        self.within(number.filter(|number| range.contains(number)), digits, &want)
    }

    /// A number, whole or not.
    pub fn number(self, range: RangeInclusive<f64>) -> Option<f64> {
        let want = format!("a number from {} to {}", range.start(), range.end());
        let digits = match self.found.get_ref() {
            DeValue::Integer(digits) => digits.to_string(),
            DeValue::Float(digits) => digits.to_string(),
            _ => return self.or_wrong(None, &want),
        };
        self.within(digits.parse().ok().filter(|number| range.contains(number)), digits, &want)
    }

    /// A span of time: a whole number and its unit in a string, such as `"250ms"`, `"10s"`, `"5m"`, `"24h"`.
    pub fn duration(self, range: RangeInclusive<Duration>) -> Option<Duration> {
        let text =
            self.text("a duration in quotes with its unit, such as \"10s\" (a bare number has none)")?;
        let Some(span) = parse_duration(text) else {
            self.note(&format!(
                "{text:?} is no duration; write a whole number and its unit: \"250ms\", \"10s\", \"5m\", \"24h\""
            ));
            return None;
        };
        let (low, high) = (written(*range.start()), written(*range.end()));
        let want = format!("a duration from \"{low}\" to \"{high}\"");
        self.within(Some(span).filter(|span| range.contains(span)), format!("{text:?}"), &want)
    }

    /// A rate, in events per second: written `"0.25/s"`, `"15/m"` or `"20/h"`; above 0 and at most `most`.
    pub fn rate(self, most: f64) -> Option<f64> {
        let text = self.text("a rate in quotes, such as \"0.25/s\" or \"20/h\"")?;
        let Some(rate) = parse_rate(text) else {
            self.note(&format!("{text:?} is no rate; write it as \"0.25/s\", \"15/m\" or \"20/h\""));
            return None;
        };
        let want = format!("a rate above \"0/s\" and at most \"{most}/s\"");
        self.within(Some(rate).filter(|&rate| rate > 0.0 && rate <= most), format!("{text:?}"), &want)
    }

    /// A list, empty or not. `want` says of what: `addresses such as ["192.0.2.1"]`.
    pub fn list(self, want: &str) -> Option<Vec<Value<'a>>> {
        let items = self.or_wrong(self.found.get_ref().as_array(), &format!("a list of {want}"))?;
        Some(items.iter().map(|found| Value { found, ..self }).collect())
    }

    /// A table. `want` says what for: `tables such as { host = "192.0.2.1" }`.
    pub fn table(self, want: &str) -> Option<Table<'a>> {
        let entries = self.or_wrong(self.found.get_ref().as_table(), want)?;
        Some(Table { page: self.page, entries, start: self.found.span().start })
    }

    fn or_wrong<T>(self, taken: Option<T>, want: &str) -> Option<T> {
        if taken.is_none() {
            self.note(&format!("found {}, but {:?} wants {want}", in_words(self.found.get_ref()), self.key));
        }
        taken
    }

    fn within<T>(self, taken: Option<T>, found: impl Display, want: &str) -> Option<T> {
        if taken.is_none() {
            self.note(&format!("{found} is out of range; {:?} wants {want}", self.key));
        }
        taken
    }
}

fn in_words(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the string {text:?}"),
        DeValue::Integer(digits) => format!("the number {digits}"),
        DeValue::Float(digits) => format!("the number {digits}"),
        DeValue::Boolean(flag) => format!("{flag}"),
        DeValue::Datetime(time) => format!("the date or time {time}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// The nearest word if it is near enough for a slip of the finger, else all of them.
pub(super) fn suggestion(text: &str, words: &[&str]) -> String {
    // The distance takes time in proportion to the text; no slip makes a word that long.
    let slips = |word: &str| if text.len() > 64 { usize::MAX } else { strsim::osa_distance(text, word) };
    match words.iter().min_by_key(|word| slips(word)) {
        Some(word) if words.len() == 1 => format!("write {word:?}"),
        Some(word) if slips(word) <= 1 + word.len() / 4 => format!("did you mean {word:?}?"),
        _ => format!("write one of {}", quoted(words)),
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
}

const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

fn parse_duration(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let (_, millis) = UNITS.into_iter().find(|&(name, _)| name == unit)?;
    digits.parse::<u64>().ok()?.checked_mul(millis).map(Duration::from_millis)
}

/// A duration as a file writes it, in the largest unit that fits: `"90s"`, `"24h"`.
pub fn written(span: Duration) -> String {
    let millis = span.as_millis() as u64;
    let fits = UNITS.into_iter().find(|&(_, unit)| millis > 0 && millis.is_multiple_of(unit));
    let (name, unit) = fits.unwrap_or(("s", 1000));
    format!("{}{name}", millis / unit)
}

fn parse_rate(text: &str) -> Option<f64> {
    let (number, unit) = text.split_once('/')?;
    let seconds = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? / seconds)
}
