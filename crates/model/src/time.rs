//! Moments, as the core counts them.
//!
//! A [`Time`] counts nanoseconds since the Unix epoch, fixed to the wall clock once, at the start
//! of the program, and carried on by a clock that is never set and goes on in suspension. A step of
//! the wall clock therefore never moves a round-trip time, a timer or an edge; it changes only how
//! a time is written down.

use std::{
    fmt,
    ops::{Add, Sub},
    str::FromStr,
    time::Duration,
};

/// A moment, in nanoseconds since the Unix epoch (see the module).
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize,
)]
pub struct Time(u64);

impl Time {
    /// Later than every moment that happens: "no timer is set".
    pub const NEVER: Time = Time(u64::MAX);

    /// The moment `nanos` nanoseconds after the Unix epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the Unix epoch, as Prometheus wants time stamps.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// This moment moved by so many nanoseconds, of either sign.
    pub const fn shifted(self, nanos: i64) -> Self {
        Self(self.0.saturating_add_signed(nanos))
    }

    /// RFC 3339 to the nanosecond, for a journal that is to be replayed exactly.
    pub fn exact(self) -> String {
        self.timestamp().to_string()
    }

    /// In UTC, in the manner of strftime(3).
    pub fn utc(self, format: &str) -> String {
        self.timestamp().strftime(format).to_string()
    }

    fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or(jiff::Timestamp::MAX)
    }
}

/// How the times of one run are written down: moved by as much as the wall clock is ahead of the
/// timeline. What an earlier run wrote down, before this one began, stays as it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WallOffset {
    nanos: i64,
    began: Time,
}

impl WallOffset {
    /// So many nanoseconds, of either sign, for the times of a run that began then.
    pub const fn new(nanos: i64, began: Time) -> Self {
        Self { nanos, began }
    }

    /// By how many nanoseconds the times of this run are moved.
    pub const fn nanos(self) -> i64 {
        self.nanos
    }

    /// The first moment whose times are moved.
    pub const fn began(self) -> Time {
        self.began
    }

    /// The time as it is written down.
    pub fn written(self, time: Time) -> Time {
        if time < self.began { time } else { time.shifted(self.nanos) }
    }
}

/// For every time alike.
impl From<i64> for WallOffset {
    fn from(nanos: i64) -> Self {
        Self::new(nanos, Time::default())
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, span: Duration) -> Time {
        Time(self.0.saturating_add(nanos(span)))
    }
}

impl Sub<Duration> for Time {
    type Output = Time;
    fn sub(self, span: Duration) -> Time {
        Time(self.0.saturating_sub(nanos(span)))
    }
}

/// RFC 3339 in UTC, to the millisecond: `2014-12-22T16:15:00.120Z`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.timestamp())
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.exact())
    }
}

impl FromStr for Time {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let outside = || format!("{text:?} lies outside the years 1970 to 2554");
        let year = text.get(..5).and_then(|begin| begin.strip_suffix('-')?.parse::<u16>().ok());
        // RFC 3339 §5.6 has no hour 24 of an offset, and jiff reads it.
        let time = text.split_once(['T', 't', ' ']).map(|(_, time)| time);
        let offset = time.and_then(|time| time.split_once(['+', '-']));
        let hours = offset.and_then(|(_, offset)| offset.get(..2)?.parse::<u8>().ok());
        let stamp = text.parse().ok().filter(|_| hours.is_none_or(|hours| hours < 24));
        let stamp: jiff::Timestamp = stamp.ok_or_else(|| match year {
            Some(2555..) => outside(),
            _ => format!("{text:?} is no time; write it as 2014-12-22T16:15:00Z"),
        })?;
        let nanos = u64::try_from(stamp.as_nanosecond()).ok();
        // `NEVER` is no moment, and a loop that runs up to it has no end.
        nanos.map(Time).filter(|&time| time < Time::NEVER).ok_or_else(outside)
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_to_the_millisecond_and_read_back_exactly() {
        let time: Time = "2014-12-22T16:15:00.123456789Z".parse().unwrap();
        assert_eq!(time.to_string(), "2014-12-22T16:15:00.123Z");
        assert_eq!(time.exact().parse::<Time>().unwrap(), time);
        assert!("yesterday".parse::<Time>().unwrap_err().contains("write it as"));
        for offset in ["+25:00", "-24:00", "+2400", "-25"] {
            let found = format!("2026-03-01T02:00:00{offset}").parse::<Time>();
            assert!(found.is_err_and(|why| why.contains("is no time; write it as")), "{offset}");
        }
        for offset in ["+23:59", "-23:59", "+0530", "-05", "-04[America/New_York]"] {
            assert!(format!("2026-03-31T02:00:00{offset}").parse::<Time>().is_ok(), "{offset}");
        }
        // The date of a year of six digits has the same signs.
        assert!("+002014-12-25T00:00:00Z".parse::<Time>().is_ok());
        assert!("1914-12-22T16:15:00Z".parse::<Time>().is_err());
        assert!("2554-07-21T23:34:33.709551615Z".parse::<Time>().is_err(), "that is never");
        assert!("2554-07-21T23:34:33.709551614Z".parse::<Time>().is_ok());
    }
}
