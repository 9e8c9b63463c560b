//! Time zones by their IANA names, from the database that is built into the program: it is the same
//! on every machine, and none needs files for it.

use crate::time::Time;
use jiff::{Timestamp, tz::TimeZoneDatabase};
use std::sync::LazyLock;

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone, with what its clocks have shown so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone(jiff::tz::TimeZone);

impl TimeZone {
    /// The zone of this IANA name, such as `Asia/Pyongyang`; None if there is none that is written
    /// just so.
    pub fn named(name: &str) -> Option<Self> {
        let zone = Self(DATABASE.get(name).ok()?);
        (zone.name() == name).then_some(zone)
    }

    /// Every name that [`TimeZone::named`] knows.
    pub fn names() -> impl Iterator<Item = String> {
        DATABASE.available().map(|name| name.to_string())
    }

    /// Its IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or_default()
    }

    /// A time as its clocks show it, in RFC 3339 to the millisecond:
    /// `2014-12-23T01:15:00.120+09:00`.
    pub fn rfc3339(&self, time: Time) -> String {
        self.written(time, "%Y-%m-%dT%H:%M:%S%.3f%:z")
    }

    /// A time as its clocks show it, in the manner of strftime(3).
    pub fn written(&self, time: Time, format: &str) -> String {
        let stamp = Timestamp::from_nanosecond(i128::from(time.as_nanos()));
        let zoned = stamp.unwrap_or(Timestamp::MAX).to_zoned(self.0.clone());
        zoned.strftime(format).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_by_the_clocks_of_its_day() {
        let zone = TimeZone::named("Asia/Pyongyang").unwrap();
        // Pyongyang's clocks were half an hour slow from August 2015 to May 2018.
        for (time, local) in [
            ("2014-12-22T16:15:00.120Z", "2014-12-23T01:15:00.120+09:00"),
            ("2016-12-22T16:15:00Z", "2016-12-23T00:45:00.000+08:30"),
            ("2026-12-22T16:15:00Z", "2026-12-23T01:15:00.000+09:00"),
        ] {
            assert_eq!(zone.rfc3339(time.parse().unwrap()), local);
        }
        assert!(!zone.rfc3339(Time::NEVER).is_empty());
    }

    #[test]
    fn each_name_of_the_database_is_known_and_no_other() {
        assert!(TimeZone::names().count() > 400);
        for name in TimeZone::names() {
            assert_eq!(TimeZone::named(&name).map(|zone| zone.name().to_owned()), Some(name));
        }
        for name in ["", "asia/pyongyang", "Asia/Pyonyang", "Asia", "../Asia/Seoul", "+09:00"] {
            assert_eq!(TimeZone::named(name), None, "{name}");
        }
    }
}
