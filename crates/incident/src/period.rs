//! Times and periods as people ask for them: `2014-12-22`, `yesterday`, `7d`. Days are those of
//! UTC.

use lifesign_core::time::Time;
use lifesign_document::parse_duration;
use std::{str::FromStr, time::Duration};

const DAY: Duration = Duration::from_secs(86_400);

/// A time, given as such or relative to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// A moment; of a day without a time, its begin.
    At(Time),
    /// So long before now.
    Ago(Duration),
    /// The begin of the day so many days before today.
    Day(u32),
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Letters may be of either case.
        let small = text.to_ascii_lowercase();
        match small.as_str() {
            "now" => return Ok(When::Ago(Duration::ZERO)),
            "today" => return Ok(When::Day(0)),
            "yesterday" => return Ok(When::Day(1)),
            _ => {}
        }
        let ago = parse_duration(&small).map(When::Ago);
        let day = || format!("{text}T00:00Z").parse().map(When::At);
        let capital = || text.to_ascii_uppercase().parse().map(When::At);
        ago.or_else(|_| day()).or_else(|_: String| capital()).or_else(|_: String| {
            let others = "write it as 2014-12-22, yesterday, today, now, 7d, 1h30m or";
            let at = text.parse().map(When::At);
            at.map_err(|error: String| error.replace("write it as", others))
        })
    }
}

impl When {
    fn resolve(self, now: Time) -> Time {
        match self {
            When::At(time) => time,
            When::Ago(duration) => now - duration,
            When::Day(before) => {
                let days = now.since(Time::default()).as_secs() / DAY.as_secs();
                Time::default() + DAY * (days as u32).saturating_sub(before)
            }
        }
    }
}

/// The period from `since` to `until`, or to now. It is an error if it is empty, which does not say
/// what these are called where they are asked for.
pub fn period(since: When, until: Option<When>, now: Time) -> Result<(Time, Time), String> {
    let since = since.resolve(now);
    let until = until.map_or(now, |until| until.resolve(now));
    if since < until { Ok((since, until)) } else { Err(format!("{since} is not before {until}")) }
}

/// The same up to now: nothing is known of what comes. It is an error if all of it is to come.
pub fn past(since: When, until: Option<When>, now: Time) -> Result<(Time, Time), String> {
    let (since, until) = period(since, until, now)?;
    if since < now {
        Ok((since, until.min(now)))
    } else {
        Err(format!("{since} lies ahead of now, which is {now}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_given_as_a_day_a_minute_a_second_a_word_or_how_long_ago() {
        let now: Time = "2014-12-22T16:15:30Z".parse().unwrap();
        for (text, wanted) in [
            ("2014-12-20", "2014-12-20T00:00:00Z"),
            ("2014-12-20T16:15Z", "2014-12-20T16:15:00Z"),
            ("2014-12-20T16:15:04.5Z", "2014-12-20T16:15:04.5Z"),
            ("2014-12-20T16:15+09:00", "2014-12-20T07:15:00Z"),
            ("today", "2014-12-22T00:00:00Z"),
            ("now", "2014-12-22T16:15:30Z"),
            ("yesterday", "2014-12-21T00:00:00Z"),
            ("1h30m", "2014-12-22T14:45:30Z"),
            ("30min", "2014-12-22T15:45:30Z"),
            ("7d", "2014-12-15T16:15:30Z"),
            ("TODAY", "2014-12-22T00:00:00Z"),
            ("1H30Min", "2014-12-22T14:45:30Z"),
            ("2014-12-20t16:15z", "2014-12-20T16:15:00Z"),
        ] {
            let when: When = text.parse().unwrap();
            assert_eq!(when.resolve(now), wanted.parse().unwrap(), "{text}");
        }
        for text in
            ["", "7", "-7d", "tomorrow", "2014-12-32", "2014-12", "2014-12-20T16:15", "16:15"]
        {
            let wanted = format!(
                "{text:?} is no time; write it as 2014-12-22, yesterday, today, now, 7d, 1h30m or \
                 2014-12-22T16:15:00Z"
            );
            assert_eq!(text.parse::<When>(), Err(wanted));
        }
        let early = "\"1914-12-22T00:00:00Z\" lies outside the years 1970 to 2554";
        assert_eq!("1914-12-22T00:00:00Z".parse::<When>(), Err(early.to_owned()));
    }

    #[test]
    fn a_period_ends_after_its_begin() {
        let now: Time = "2014-12-22T16:15:30Z".parse().unwrap();
        let of = |since: &str, until: Option<&str>| {
            period(since.parse().unwrap(), until.map(|until| until.parse().unwrap()), now)
        };
        let day = |text: &str| text.parse::<Time>().unwrap();
        let yesterday = (day("2014-12-21T00:00:00Z"), day("2014-12-22T00:00:00Z"));
        assert_eq!(of("yesterday", Some("today")), Ok(yesterday));
        assert_eq!(of("today", None), Ok((yesterday.1, now)));
        assert!(of("today", Some("yesterday")).is_err());
        assert!(of("7d", Some("7d")).is_err());
    }

    #[test]
    fn of_a_period_nothing_is_known_of_what_comes() {
        let now: Time = "2014-12-22T16:15:30Z".parse().unwrap();
        let of = |since: &str, until: Option<&str>| {
            past(since.parse().unwrap(), until.map(|until| until.parse().unwrap()), now)
        };
        let begin = "2014-12-20T00:00:00Z".parse().unwrap();
        assert_eq!(of("2014-12-20", Some("2014-12-30")), Ok((begin, now)));
        assert_eq!(of("2014-12-20", None), Ok((begin, now)));
        let ahead = format!("2014-12-24T00:00:00.000Z lies ahead of now, which is {now}");
        assert_eq!(of("2014-12-24", Some("2014-12-30")), Err(ahead));
        assert!(of("now", Some("2014-12-30")).is_err());
    }
}
