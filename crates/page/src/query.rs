//! What stands behind the question mark of an address: how much of the past, and what is open. What
//! a reader has opened is in the address and thus outlasts a reload.

use crate::Range;
use lifesign_core::time::Time;
use lifesign_incident::period::{When, period};
use std::fmt::Write as _;

/// What stands behind the question mark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// How much of the past; None for what suits the page.
    pub range: Option<Range>,
    /// The parts that are open, by name; None for those that differ.
    pub open: Option<Vec<String>>,
    /// The page stands still, so that it can be read in peace (WCAG 2.2, success criterion 2.2.2).
    pub hold: bool,
    /// Only that much of it, for programs: the full name of a scope.
    pub scope: Option<String>,
}

impl Query {
    /// What pages are asked with.
    pub const OF_PAGES: [&str; 5] = ["range", "from", "to", "open", "hold"];
    /// What programs ask with for incidents, episodes and series.
    pub const OF_ROWS: [&str; 4] = ["range", "from", "to", "scope"];

    /// Reads it, of these keys; times may be relative to `now`. The error says what is wrong, and
    /// what would be right.
    pub fn parse(text: &str, keys: &[&str], now: Time) -> Result<Self, String> {
        let mut query = Self::default();
        let mut read = Vec::new();
        let mut from = None;
        let mut to = None;
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !keys.contains(&key) {
                let there = match keys {
                    [key] => format!("is {key}"),
                    _ => format!("are {}", keys.join(", ")),
                };
                return Err(format!("{key:?} is no query here; there {there}"));
            }
            if read.contains(&key) {
                return Err(format!("{key} is there twice; write it once"));
            }
            read.push(key);
            // Forms write a blank as a plus sign, and a time may have one before its offset.
            let bare = decoded(value);
            let text = value.replace('+', " ");
            let value = decoded(&text);
            let when = || bare.parse::<When>().or_else(|why| value.parse().map_err(|_| why));
            match key {
                "range" => {
                    let named = Range::LAST.into_iter().find(|range| range.label() == value);
                    query.range = Some(named.ok_or_else(|| {
                        format!("{value:?} is no range: 1h, 6h, 24h, 7d, 30d or 400d")
                    })?);
                }
                "from" => from = Some(when()?),
                "to" => to = Some(when()?),
                "open" => {
                    // A comma in a name is encoded, one between names is not.
                    let names = text.split(',').filter(|name| !name.is_empty());
                    query.open = Some(names.map(decoded).collect());
                }
                "hold" => query.hold = true,
                _ => query.scope = Some(value),
            }
        }
        match (from, to) {
            (None, None) => {}
            (Some(_), _) | (_, Some(_)) if query.range.is_some() => {
                return Err("range is there beside from or to; write the one or the others".into());
            }
            (Some(from), to) => {
                let ahead = || format!("from must lie before now, which is {now}");
                let (from, to) = period(from, to, now).map_err(|error| match to {
                    Some(_) => format!("from must lie before to: {error}"),
                    None => ahead(),
                })?;
                if from >= now {
                    return Err(ahead());
                }
                query.range = Some(Range::Between(from, to));
            }
            (None, Some(_)) => {
                return Err("to needs a from, as in from=2014-12-22T16:15:00Z&to=…".into());
            }
        }
        Ok(query)
    }

    /// Behind the question mark of an address; with the question mark, unless it would be all.
    pub fn text(&self) -> String {
        let mut text = String::new();
        match self.range {
            Some(Range::Between(from, to)) => {
                let _ = write!(text, "&from={from}&to={to}");
            }
            Some(range) => {
                let _ = write!(text, "&range={}", range.label());
            }
            None => {}
        }
        if let Some(open) = &self.open {
            let names: Vec<String> = open.iter().map(|name| encoded(name, "/:")).collect();
            let _ = write!(text, "&open={}", names.join(","));
        }
        if let Some(scope) = &self.scope {
            let _ = write!(text, "&scope={}", encoded(scope, "/:"));
        }
        if self.hold {
            text += "&hold";
        }
        if text.is_empty() { text } else { text.replacen('&', "?", 1) }
    }
}

/// Percent-encoded (RFC 3986 §2.1), but for letters, digits, `-._~` and these signs.
pub(crate) fn encoded(text: &str, kept: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        let sign = char::from(byte);
        if sign.is_ascii_alphanumeric() || "-._~".contains(sign) || kept.contains(sign) {
            all.push(sign);
        } else {
            let _ = write!(all, "%{byte:02X}");
        }
        all
    })
}

/// Without percent-encoding. What is no encoding stays as it is.
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|pair| pair.iter().all(u8::is_ascii_hexdigit));
        let pair = digits.filter(|_| *first == b'%').and_then(|pair| str::from_utf8(pair).ok());
        let byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_written_as_it_is_read_and_what_is_wrong_is_said() {
        let now: Time = "2014-12-24T12:00:00Z".parse().unwrap();
        let parse = |text: &str| Query::parse(text, &Query::OF_PAGES, now);
        for text in
            ["", "?range=6h", "?range=400d&open=175.45.176.0/24,KP/Star%20JV&hold", "?open="]
        {
            let query = parse(text.trim_start_matches('?')).unwrap();
            assert_eq!(query.text(), text);
        }
        let open = Some(vec!["KP/Foo, Inc".to_owned(), "KP/50 % + 1".to_owned()]);
        let query = Query { open, ..Query::default() };
        assert_eq!(parse(query.text().trim_start_matches('?')), Ok(query));
        for (text, seconds) in [
            ("from=2014-12-22T16:15:00Z&to=2014-12-23T01:46:00Z", 34_260),
            ("from=2014-12-22&to=2014-12-23T01:46Z", 92_760),
            ("from=yesterday&to=today", 86_400),
            ("from=2d&to=1d12h", 43_200),
            ("from=2h", 7200),
            ("from=2h&to=now", 7200),
            ("from=2014-12-23T01:15:00+09:00&to=2014-12-22T16:45Z", 1800),
            ("from=2014-12-22+16:15Z&to=2014-12-22+16:45Z", 1800),
            ("from=2014-12-23T01:15%2B09:00&to=2014-12-23T01:45+09:00", 1800),
        ] {
            assert_eq!(parse(text).unwrap().range.unwrap().length().as_secs(), seconds, "{text}");
        }
        for (text, wrong) in [
            ("range=2h", "\"2h\" is no range: 1h, 6h, 24h, 7d, 30d or 400d"),
            ("rang=1h", "\"rang\" is no query here; there are range, from, to, open, hold"),
            ("scope=KP", "\"scope\" is no query here; there are range, from, to, open, hold"),
            ("range=1h&range=6h", "range is there twice; write it once"),
            ("hold&hold", "hold is there twice; write it once"),
            ("range=1h&from=2h", "range is there beside from or to; write the one or the others"),
            ("to=1h&range=6h", "range is there beside from or to; write the one or the others"),
            (
                "from=2014-12-24T12:00Z&to=2014-12-25",
                "from must lie before now, which is 2014-12-24",
            ),
            ("from=x&to=y", "\"x\" is no time; write it as 2014-12-22, yesterday, today, now,"),
            ("to=2014-12-22T16:15:00Z", "to needs a from"),
            ("from=2014-12-22T16:15:00Z&to=2014-12-22T16:15:00Z", "from must lie before to: "),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(wrong), "{error}");
        }
        let of_rows = |text: &str| Query::parse(text, &Query::OF_ROWS, now);
        assert_eq!(of_rows("scope=KP").unwrap().scope.as_deref(), Some("KP"));
        let error = of_rows("hold").unwrap_err();
        assert_eq!(error, "\"hold\" is no query here; there are range, from, to, scope");
        let error = Query::parse("hold", &["scope"], now).unwrap_err();
        assert_eq!(error, "\"hold\" is no query here; there is scope");
        let ahead = parse("from=2014-12-24&to=2014-12-30").unwrap().range.unwrap();
        assert_eq!(ahead.period(now), ("2014-12-24T00:00Z".parse().unwrap(), now));
    }
}
