//! What the tests of the record share.

use crate::Episode;
use lifesign_core::{
    judge::{Edge, State},
    time::Time,
};
use std::time::Duration;

/// So many seconds after 2014-12-22T16:15:00Z.
pub fn at(seconds: u64) -> Time {
    Time::from_nanos((1_419_264_900 + seconds) * 1_000_000_000)
}

/// An outage from [`at`] 0 to 4 on, which is over by `end` if there is one, 90 s of it not seen.
pub fn outage(scope: &str, end: Option<u64>) -> Episode {
    let begin = Edge { earliest: Some(at(0)), latest: at(4) };
    Episode {
        end: end.map(|end| Edge { earliest: Some(at(end - 4)), latest: at(end) }),
        evidence: "\"9\" misses, <b>all</b>".into(),
        unseen: Duration::from_secs(90),
        ..Episode::new(scope.into(), "KP".into(), State::Outage, at(70), begin)
    }
}
