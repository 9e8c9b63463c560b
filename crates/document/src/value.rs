//! One value of a file, taken out as a type and in a range. Nothing is converted silently: a number
//! is no duration.

use crate::{
    Problems, Table,
    document::Document,
    duration::{format_duration, parse_duration},
    tree::{Item, Node},
};
use std::{fmt::Display, ops::RangeInclusive, time::Duration};
use toml::de::DeValue;

/// A value of the file. A method that takes it out as a type notes a problem and returns `None` if
/// it is not of that type or not in range.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    pub(super) document: &'a Document<'a>,
    /// The key that it, or the list that it is in, belongs to.
    pub(super) key: &'a str,
    pub(super) found: &'a Item<'a>,
}

/// The least rate that is taken, an hour: its intervals, many times over, are still times.
const LEAST_AN_HOUR: f64 = 0.01;

impl<'a> Value<'a> {
    /// Notes a problem of this value, at its start.
    pub fn note(self, text: &str) {
        self.document.note(self.start(), text);
    }

    /// Notes what is wrong with the file that it names: here, if there is no text of it at all.
    pub fn include(self, problems: Problems) {
        if problems.are_of_whole() {
            return self.note(&problems.to_string());
        }
        self.document.included.borrow_mut().push(problems);
    }

    /// The line and the column of its start, from 1.
    pub fn position(self) -> (usize, usize) {
        self.document.position(self.start())
    }

    /// Notes that something is missing; but not after a syntax error, which may hide it.
    pub fn missing(self, text: &str) {
        if self.document.broken_lines.is_empty() {
            self.note(text);
        }
    }

    /// Its line, from 1.
    pub fn line(self) -> usize {
        self.position().0
    }

    /// The key that it, or the list that it is in, belongs to.
    pub fn key(self) -> &'a str {
        self.key
    }

    /// Whether it is a string.
    pub fn is_text(self) -> bool {
        matches!(self.found.value, Node::Text(_))
    }

    /// Whether it is a table.
    pub fn is_table(self) -> bool {
        matches!(self.found.value, Node::Table(_))
    }

    /// A string. `want` says what the string is: `an address such as "192.0.2.1"`.
    pub fn text(self, want: &str) -> Option<&'a str> {
        let text = if let Node::Text(text) = &self.found.value { Some(&**text) } else { None };
        self.or_wrong(text, want)
    }

    /// A string that `parse` understands; its error must say what would be right.
    pub fn parsed<T, E: Display>(
        self,
        want: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
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

    /// A moment: a date and time with an offset, as TOML has it or in a string (RFC 3339). The
    /// error of `parse` must say what would be right.
    pub fn moment<T>(self, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let example = "2026-03-01T02:00:00Z or 2026-03-01T11:00:00+09:00";
        let text = match self.other() {
            Some(DeValue::Datetime(time)) if time.offset.is_none() => {
                self.note(&format!(
                    "{time} says no moment; write a date, a time and an offset, such as {example}"
                ));
                return None;
            }
            Some(DeValue::Datetime(time)) => time.to_string(),
            _ => self.text(&format!("a time such as {example}"))?.into(),
        };
        parse(&text).map_err(|error| self.note(&error)).ok()
    }

    /// A TOML boolean; anything else is noted as a problem.
    pub fn flag(self) -> Option<bool> {
        self.or_wrong(self.other().and_then(DeValue::as_bool), "true or false")
    }

    /// A whole number within the range; anything else is noted as a problem.
    pub fn integer(self, range: RangeInclusive<i64>) -> Option<i64> {
        let want = format!("a whole number from {} to {}", range.start(), range.end());
        let digits = self.or_wrong(self.other().and_then(DeValue::as_integer), &want)?;
        let number = i64::from_str_radix(digits.as_str(), digits.radix()).ok();
        self.within(number.filter(|number| range.contains(number)), digits, &want)
    }

    /// A number, whole or not.
    pub fn number(self, range: RangeInclusive<f64>) -> Option<f64> {
        let want = format!("a number from {} to {}", range.start(), range.end());
        let digits = match self.other() {
            Some(DeValue::Integer(digits)) => digits.to_string(),
            Some(DeValue::Float(digits)) => digits.to_string(),
            _ => return self.or_wrong(None, &want),
        };
        self.within(digits.parse().ok().filter(|number| range.contains(number)), digits, &want)
    }

    /// A duration in a string, as [`parse_duration`] reads it.
    pub fn duration(self, range: RangeInclusive<Duration>) -> Option<Duration> {
        let text = self
            .text("a duration in quotes with its unit, such as \"10s\" (a bare number has none)")?;
        let duration = parse_duration(text).map_err(|error| self.note(&error)).ok()?;
        let low = format_duration(*range.start());
        let high = format_duration(*range.end());
        let want = format!("a duration from \"{low}\" to \"{high}\"");
        self.within(
            Some(duration).filter(|duration| range.contains(duration)),
            format!("{text:?}"),
            &want,
        )
    }

    /// A rate, in events per second: written `"0.25/s"`, `"15/m"` or `"20/h"`; one in a hundred
    /// hours at least, and `most` at most.
    pub fn rate(self, most: f64) -> Option<f64> {
        let text = self.text("a rate in quotes, such as \"0.25/s\" or \"20/h\"")?;
        let Some(rate) = parse_rate(text) else {
            self.note(&format!(
                "{text:?} is no rate; write it as \"0.25/s\", \"15/m\" or \"20/h\""
            ));
            return None;
        };
        let want = format!("a rate from \"{LEAST_AN_HOUR}/h\" to \"{most}/s\"");
        self.within(
            Some(rate).filter(|&rate| rate >= LEAST_AN_HOUR / 3600.0 && rate <= most),
            format!("{text:?}"),
            &want,
        )
    }

    /// Is it a list?
    pub fn is_list(self) -> bool {
        matches!(self.found.value, Node::List(_))
    }

    /// A list, empty or not. `want` says of what: `addresses such as ["192.0.2.1"]`.
    pub fn list(self, want: &str) -> Option<Vec<Value<'a>>> {
        let items = if let Node::List(items) = &self.found.value { Some(items) } else { None };
        let items = self.or_wrong(items, &format!("a list of {want}"))?;
        Some(items.iter().map(|found| Value { found, ..self }).collect())
    }

    /// A table. `want` says what for: `tables such as { host = "192.0.2.1" }`.
    pub fn table(self, want: &str) -> Option<Table<'a>> {
        let entries =
            if let Node::Table(entries) = &self.found.value { Some(entries) } else { None };
        let entries = self.or_wrong(entries, want)?;
        Some(Table { document: self.document, entries, start: self.start() })
    }

    fn start(self) -> usize {
        self.found.start as usize
    }

    /// What it is if it is neither a string, a list nor a table.
    fn other(self) -> Option<&'a DeValue<'a>> {
        if let Node::Other(other) = &self.found.value { Some(other) } else { None }
    }

    fn or_wrong<T>(self, taken: Option<T>, want: &str) -> Option<T> {
        if taken.is_none() {
            self.note(&format!(
                "found {}, but {:?} wants {want}",
                describe(&self.found.value),
                self.key
            ));
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

fn describe(value: &Node<'_>) -> String {
    let other = match value {
        Node::Text(text) => return format!("the string {text:?}"),
        Node::List(_) => return "a list".to_owned(),
        Node::Table(_) => return "a table".to_owned(),
        Node::Other(other) => other,
    };
    match &**other {
        DeValue::Integer(digits) => format!("the number {digits}"),
        DeValue::Float(digits) => format!("the number {digits}"),
        DeValue::Datetime(time) => format!("the date or time {time}"),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::String(text) => format!("the string {text:?}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// The nearest word if it is near enough for a typing mistake, in whatever case, else all of them.
pub fn suggestion(text: &str, words: &[&str]) -> String {
    let text = text.to_lowercase();
    // The distance takes time in proportion to the text; no typing mistake makes a word that long.
    let distance = |word: &str| match text.len() {
        65.. => usize::MAX,
        _ => strsim::osa_distance(&text, &word.to_lowercase()),
    };
    match words.iter().min_by_key(|word| distance(word)) {
        Some(word) if words.len() == 1 => format!("write {word:?}"),
        Some(word) if distance(word) <= 1 + word.len() / 5 => format!("did you mean {word:?}?"),
        _ => format!("write one of {}", quoted(words)),
    }
}

/// The word that is most like the text, or whose last part, after its last `/`, is; None if there
/// are no words.
pub fn nearest(text: &str, words: impl IntoIterator<Item = String>) -> Option<String> {
    by_likeness(text, words).into_iter().next()
}

/// The words, those that are most like the text first, by themselves or by their last part, and
/// in whatever case.
pub fn by_likeness(text: &str, words: impl IntoIterator<Item = String>) -> Vec<String> {
    let text: String = text.chars().take(64).flat_map(char::to_lowercase).collect();
    let mut words: Vec<String> = words.into_iter().collect();
    words.sort_by_cached_key(|word| {
        let word = word.to_lowercase();
        let last = word.rsplit('/').next().unwrap_or_default();
        strsim::osa_distance(&text, &word).min(strsim::osa_distance(&text, last))
    });
    words
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;
    use proptest::prelude::*;

    /// What `take` makes of `key = VALUE`, or the first problem's text.
    fn taken<T>(value: &str, take: impl FnOnce(Value<'_>) -> Option<T>) -> Result<T, String> {
        let text = format!("key = {value}");
        read("t", &text, |root| take(root.get("key").unwrap()))
            .map(Option::unwrap)
            .map_err(|problems| problems.list[0].text.clone())
    }

    #[test]
    fn a_duration_is_in_quotes_and_in_range() {
        let day = Duration::from_secs(86_400);
        let read = |text| taken(text, |value| value.duration(Duration::from_secs(1)..=day));
        assert_eq!(read("\"1d\""), Ok(day));
        assert!(read("10").unwrap_err().contains("wants a duration in quotes with its unit"));
        assert!(read("\"10\"").unwrap_err().starts_with("\"10\" is no duration; write "));
        let wanted = "\"2d\" is out of range; \"key\" wants a duration from \"1s\" to \"24h\"";
        assert_eq!(read("\"2d\""), Err(wanted.to_owned()));
    }

    #[test]
    fn rates_are_per_second() {
        for (text, rate) in
            [("0.25/s", 0.25), ("15/m", 0.25), ("20/h", 20.0 / 3600.0), ("1e2/s", 100.0)]
        {
            assert_eq!(taken(&format!("{text:?}"), |value| value.rate(100.0)), Ok(rate), "{text}");
        }
        for text in [
            "1",
            "\"1\"",
            "\"/s\"",
            "\"1/d\"",
            "\"0/s\"",
            "\"1e-300/s\"",
            "\"0.001/h\"",
            "\"-1/s\"",
            "\"nan/s\"",
            "\"inf/h\"",
            "\"101/s\"",
        ] {
            assert!(taken(text, |value| value.rate(100.0)).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_keep_their_range() {
        assert_eq!(taken("0x1_0", |value| value.integer(0..=16)), Ok(16));
        assert_eq!(
            taken("17", |value| value.integer(0..=16)),
            Err("17 is out of range; \"key\" wants a whole number from 0 to 16".to_owned())
        );
        assert!(taken("99999999999999999999", |value| value.integer(0..=i64::MAX)).is_err());
        assert!(taken("1.0", |value| value.integer(0..=16)).is_err());
        assert_eq!(taken("1", |value| value.number(0.0..=1.0)), Ok(1.0));
        assert_eq!(taken("0.5", |value| value.number(0.0..=1.0)), Ok(0.5));
        assert!(taken("nan", |value| value.number(0.0..=1.0)).is_err());
        assert!(taken("true", |value| value.number(0.0..=1.0)).is_err());
        assert_eq!(
            read("t", "key = false", |root| root.get("key").and_then(Value::flag)),
            Ok(Some(false))
        );
    }

    #[test]
    fn a_moment_has_an_offset() {
        let read = |text| taken(text, |value| value.moment(|text| Ok(text.to_owned())));
        for text in ["2026-03-01T02:00:00Z", "2026-03-01 11:00:00.5+09:00", "2026-03-01T02:00:00z"]
        {
            let moment = text.replace(' ', "T").to_uppercase();
            assert_eq!(read(text), Ok(moment));
        }
        assert_eq!(read("\"anything\""), Ok("anything".into()));
        for text in ["2026-03-01T02:00:00", "2026-03-01", "02:00:00"] {
            assert!(read(text).unwrap_err().starts_with(&format!("{text} says no moment; write")));
        }
        assert!(read("1").unwrap_err().contains("wants a time such as 2026-03-01T02:00:00Z"));
    }

    #[test]
    fn a_typing_mistake_is_guessed() {
        let keys = ["interval", "expect", "port"];
        assert_eq!(suggestion("intervall", &keys), "did you mean \"interval\"?");
        assert_eq!(suggestion("PORT", &keys), "did you mean \"port\"?");
        assert_eq!(suggestion("prot", &keys), "did you mean \"port\"?");
        assert_eq!(suggestion("host", &keys), "write one of \"interval\", \"expect\", \"port\"");
    }

    #[test]
    fn the_nearest_of_many_words_is_found_by_its_last_part_too() {
        let words = || ["Asia/Pyongyang", "Asia/Seoul", "Europe/Paris"].map(str::to_owned);
        for (text, word) in [
            ("Asia/Pyonyang", "Asia/Pyongyang"),
            ("pyongyang", "Asia/Pyongyang"),
            ("Seul", "Asia/Seoul"),
        ] {
            assert_eq!(nearest(text, words()).as_deref(), Some(word));
        }
        assert_eq!(nearest("x", []), None);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(millis in 0..u64::MAX / 1_000_000) {
            let duration = Duration::from_millis(millis);
            let text = format!("{:?}", format_duration(duration));
            let read = taken(&text, |value| value.duration(Duration::ZERO..=Duration::MAX));
            prop_assert_eq!(read, Ok(duration));
        }
    }
}
