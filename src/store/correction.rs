//! The clock was wrong when a run began, and has been set: what the run has written since is moved,
//! and nothing of what was written before it.

use lifesign_core::time::Time;

/// By how much the times of this run are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Correction {
    /// When this run began, as it was written: earlier times are an earlier run's.
    pub since: Time,
    /// By how many milliseconds, of either sign.
    pub millis: i64,
}

impl Correction {
    /// The time as it should have been written.
    pub fn of(self, time: Time) -> Time {
        if time < self.since { time } else { time.shifted(self.millis.saturating_mul(1_000_000)) }
    }
}
