//! Days in UTC, as files write times.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Before it nobody probed; a time further back is a mistake.
const FIRST: i64 = 0;
/// The end of the year 2200: what lies behind is no time in seconds.
const LAST: i64 = 7_258_118_400;

/// The day of so many seconds after 1970; None of what is no time, or lies behind the year 2200.
pub fn of_seconds(seconds: i64) -> Option<Date> {
    if !(FIRST..=LAST).contains(&seconds) {
        return None;
    }
    Timestamp::from_second(seconds).ok().map(|time| time.to_zoned(TimeZone::UTC).date())
}

/// `2026-11-25T18:55:46.833+0000`, `2026-11-25`, `20100122` or seconds after 1970.
pub(super) fn of_text(text: &str) -> Option<Date> {
    let text = text.trim();
    if let (Some(begin), true) = (text.get(..10), text.as_bytes().get(4) == Some(&b'-')) {
        return begin.parse().ok().filter(|day| is_of_probing(*day));
    }
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i32 = text.parse().ok()?;
        let [month, day] = [number / 100 % 100, number % 100].map(|part| part as i8);
        return Date::new((number / 10_000) as i16, month, day)
            .ok()
            .filter(|day| is_of_probing(*day));
    }
    of_seconds(text.split('.').next()?.parse().ok()?)
}

/// The same; None of an empty text. The error says what would be right.
pub(super) fn of_cell(text: &str) -> Result<Option<Date>, String> {
    let wrong = || format!("{text:?} is no day from 1970 to 2200; write it as 2026-11-25");
    if text.trim().is_empty() { Ok(None) } else { of_text(text).map(Some).ok_or_else(wrong) }
}

fn is_of_probing(day: Date) -> bool {
    (1970..=2200).contains(&day.year())
}

/// `Mon Sep 19 22:28:46 2016`, with anything behind it (a time zone stands before the year or
/// behind it): as C's `asctime` has it. It is the day by the clock of who wrote it.
pub(super) fn of_words(text: &str) -> Option<Date> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = text.split_ascii_whitespace().take(7).collect();
    let at = words.iter().position(|word| MONTHS.contains(word))?;
    let month = MONTHS.iter().position(|month| month == &words[at])? + 1;
    let day = words.get(at + 1)?.parse().ok()?;
    let is_year = |word: &&&str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    let year = words.iter().find(is_year)?.parse().ok()?;
    Date::new(year, month as i8, day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_days() {
        for text in [
            "2026-11-25T18:55:46.833+0000",
            "2026-11-25",
            "20261125",
            "1795632946",
            "1795632946.83",
        ] {
            assert_eq!(of_text(text).unwrap().to_string(), "2026-11-25", "{text}");
        }
        for text in [
            "",
            "-1",
            "2026-13-25",
            "99999999999999",
            "20261399",
            "é",
            "2026-",
            "9999-01-01",
            "1066-10-14",
            "99990101",
        ] {
            assert_eq!(of_text(text), None, "{text}");
        }
        for text in ["Mon Sep 19 22:28:46 2016", "Mon Sep 19 22:28:46 CEST 2016", "Sep 19 2016"] {
            assert_eq!(of_words(text).unwrap().to_string(), "2016-09-19", "{text}");
        }
        for text in ["", "Sep", "Sep 31 2016", "Sep 19"] {
            assert_eq!(of_words(text), None, "{text}");
        }
    }
}
