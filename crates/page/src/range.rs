//! How much of the past is shown.

use lifesign_core::time::Time;
use std::time::Duration;

/// How much of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// The last hour.
    Hour,
    /// The last six hours.
    SixHours,
    /// The last day.
    Day,
    /// The last seven days.
    Week,
    /// The last thirty days.
    Month,
    /// As long as anything is kept.
    All,
    /// From one time to another.
    Between(Time, Time),
}

impl Range {
    /// Those that end now, the shortest first.
    pub const LAST: [Self; 6] =
        [Self::Hour, Self::SixHours, Self::Day, Self::Week, Self::Month, Self::All];

    /// As an address has it; nothing for one between two times.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::SixHours => "6h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::All => "400d",
            Self::Between(..) => "",
        }
    }

    /// How long it is.
    pub fn length(self) -> Duration {
        let hours = match self {
            Self::Hour => 1,
            Self::SixHours => 6,
            Self::Day => 24,
            Self::Week => 7 * 24,
            Self::Month => 30 * 24,
            Self::All => 400 * 24,
            Self::Between(from, to) => return to.since(from),
        };
        Duration::from_secs(hours * 3600)
    }

    /// From when to when, if it is `now`: nothing is known of what comes.
    pub fn period(self, now: Time) -> (Time, Time) {
        match self {
            Self::Between(from, to) => (from, to.min(now)),
            last => (now - last.length(), now),
        }
    }

    /// The shortest that holds this time with a little before it; a day where nothing is to be
    /// held.
    pub fn holding(time: Option<Time>, now: Time) -> Self {
        let Some(time) = time else { return Self::Day };
        let needed = now.since(time) * 21 / 20;
        Self::LAST.into_iter().find(|range| range.length() >= needed).unwrap_or(Self::All)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_range_is_the_shortest_that_holds_the_incident() {
        let now = Time::from_nanos(1_419_379_200_000_000_000);
        let range =
            |minutes: u64| Range::holding(Some(now - Duration::from_secs(minutes * 60)), now);
        assert_eq!(range(50), Range::Hour);
        assert_eq!(range(59), Range::SixHours);
        assert_eq!(range(60 * 23), Range::Week);
        assert_eq!(range(60 * 24 * 900), Range::All);
        assert_eq!(Range::holding(None, now), Range::Day);
    }
}
