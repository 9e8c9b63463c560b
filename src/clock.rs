//! The machine's clocks; nothing else in lifesign reads one.

use lifesign_core::time::Time;
use nix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The timeline of one run: monotonic, and anchored to the wall clock once, at the start. It goes
/// on while the machine is suspended, so that a suspension is a gap in the watch like any other.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// What the boot time was at the origin.
    anchor: Duration,
    origin: Time,
}

#[expect(clippy::disallowed_methods, reason = "clocks are read in this file alone")]
impl Clock {
    /// Anchors the timeline to the wall clock.
    pub fn start() -> Self {
        Self { anchor: boot_time(), origin: wall() }
    }

    /// Now, on the timeline; never goes back.
    pub fn now(&self) -> Time {
        self.origin + boot_time().saturating_sub(self.anchor)
    }

    /// How many nanoseconds the wall clock is now ahead of the timeline (behind it, if negative).
    /// Add it with [`Time::shifted`] to write a time down.
    pub fn wall_offset(&self) -> i64 {
        wall().as_nanos() as i64 - self.now().as_nanos() as i64
    }

    /// The same moment as an [`Instant`], for tokio's timers; one that has passed is now.
    pub fn instant(&self, time: Time) -> Instant {
        Instant::now() + time.since(self.now())
    }

    /// When a packet arrived, on the timeline, by its kernel receive timestamp (wall clock,
    /// nanoseconds since the epoch); without one, now.
    ///
    /// Only the packet's age, some microseconds, is taken from the wall clock. An age that cannot
    /// be true (in the future, or before `sent`) means that the wall clock was set in between: then
    /// the packet counts as received now.
    pub fn received(&self, timestamp_nanos: Option<u64>, sent: Time) -> Time {
        let now = self.now();
        let age = timestamp_nanos.and_then(|nanos| wall().as_nanos().checked_sub(nanos));
        let received = age.map(|age| now - Duration::from_nanos(age));
        received.filter(|&received| received >= sent).unwrap_or(now)
    }
}

#[expect(clippy::disallowed_methods, reason = "clocks are read in this file alone")]
fn wall() -> Time {
    Time::default() + SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Since the machine began, the time included in which it was suspended. Every Linux has it since
/// 2.6.39.
#[expect(clippy::disallowed_methods, reason = "clocks are read in this file alone")]
fn boot_time() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_that_cannot_be_true_is_read_as_now() {
        let clock = Clock::start();
        let sent = clock.now();
        let an_hour = 3_600_000_000_000;
        for timestamp in [wall().as_nanos() - an_hour, wall().as_nanos() + an_hour] {
            let received = clock.received(Some(timestamp), sent);
            assert!(received >= sent && received.since(sent) < Duration::from_secs(60));
        }
        assert!(clock.received(Some(wall().as_nanos()), sent) >= sent);
    }
}
