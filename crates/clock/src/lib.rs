//! The machine's clocks; nothing else in lifesign reads one.

use lifesign_core::time::{Time, WallOffset};
use nix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Two clocks that are read within this time are read at the same moment.
const CLOSE: Duration = Duration::from_micros(20);
/// So often they are read at most until they are.
const READINGS: usize = 8;

/// The timeline of one run: monotonic, and anchored to the wall clock once, at the start. It goes
/// on while the machine is suspended, so that a suspension is a gap in the watch like any other.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// What the boot time was at the origin.
    anchor: Duration,
    origin: Time,
    /// The least by which times are moved to the wall clock, in nanoseconds.
    least_offset: i64,
}

#[expect(clippy::disallowed_methods, reason = "clocks are read in this file alone")]
impl Clock {
    /// Anchors the timeline to the wall clock.
    pub fn start() -> Self {
        Self::start_after(Time::default())
    }

    /// The same, after a last time that is written down already: the timeline begins later than
    /// that. While the wall clock is behind it, times are written as if it were not.
    pub fn start_after(last: Time) -> Self {
        let Reading { wall, boot, .. } = read_both();
        let origin = wall.max(last + Duration::from_millis(1));
        let clock = Self { anchor: boot, origin, least_offset: i64::MIN };
        clock.going_on_after(last)
    }

    /// The same timeline: from now on nothing of it is written down as earlier than this time,
    /// which is found to be written down already.
    pub fn going_on_after(self, last: Time) -> Self {
        Self { least_offset: ahead(last, self.now()).max(self.least_offset), ..self }
    }

    /// How far the wall clock is behind what is written down already.
    pub fn behind(&self) -> Duration {
        let behind = self.least_offset.saturating_sub(self.wall_ahead());
        Duration::from_nanos(u64::try_from(behind).unwrap_or_default())
    }

    /// Now, on the timeline; never goes back.
    pub fn now(&self) -> Time {
        self.at(boot_time())
    }

    fn at(&self, boot: Duration) -> Time {
        self.origin + boot.saturating_sub(self.anchor)
    }

    /// By how much the wall clock is ahead of the timeline.
    fn wall_ahead(&self) -> i64 {
        let Reading { wall, boot, .. } = read_both();
        ahead(wall, self.at(boot))
    }

    /// How a time is written down: by as much as the wall clock is now ahead of the timeline.
    pub fn wall_offset(&self) -> WallOffset {
        WallOffset::new(self.wall_ahead().max(self.least_offset), self.origin)
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
        let Some(nanos) = timestamp_nanos else { return self.now() };
        let Reading { wall, boot, .. } = read_both();
        let now = self.at(boot);
        let age = wall.as_nanos().checked_sub(nanos);
        let received = age.map(|age| now - Duration::from_nanos(age));
        received.filter(|&received| received >= sent).unwrap_or(now)
    }
}

/// Both clocks, read one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reading {
    wall: Time,
    boot: Duration,
    /// How much later the boot time was once both had been read.
    took: Duration,
}

fn read_both() -> Reading {
    closest(|| {
        let boot = boot_time();
        let wall = wall();
        Reading { wall, boot, took: boot_time().saturating_sub(boot) }
    })
}

/// Between two clocks the thread may lose the processor for as long as others want it: of a few
/// readings the one counts that took the shortest.
fn closest(mut read: impl FnMut() -> Reading) -> Reading {
    let mut closest = read();
    for _ in 1..READINGS {
        if closest.took <= CLOSE {
            break;
        }
        let next = read();
        if next.took < closest.took {
            closest = next;
        }
    }
    closest
}

#[expect(clippy::disallowed_methods, reason = "clocks are read in this file alone")]
fn wall() -> Time {
    Time::default() + SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// How many nanoseconds the first is ahead of the second; behind it, if negative.
fn ahead(time: Time, other: Time) -> i64 {
    time.as_nanos() as i64 - other.as_nanos() as i64
}

/// Since the machine began, the time included in which it was suspended. Every Linux has it since
/// 2.6.39.
#[expect(clippy::disallowed_methods, reason = "clocks are read in this file alone")]
fn boot_time() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default()
}

/// How long processors have worked for this process, in all its threads.
#[expect(clippy::disallowed_methods, reason = "clocks are read in this file alone")]
pub fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_readings_between_which_the_processor_was_lost_the_closest_counts() {
        let read = |took: &[u64]| {
            let mut left = took.iter().map(|&took| Reading {
                wall: Time::default(),
                boot: Duration::ZERO,
                took: Duration::from_micros(took),
            });
            let found = closest(|| left.next().unwrap()).took.as_micros();
            (found, left.len())
        };
        assert_eq!(read(&[1, 2]), (1, 1));
        assert_eq!(read(&[15_000, 2, 1]), (2, 1));
        assert_eq!(read(&[900, 700, 800, 600, 900, 900, 900, 900, 1]), (600, 1));
    }

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

    #[test]
    fn a_clock_that_is_behind_what_is_written_down_goes_on_from_there() {
        let ten_minutes = Duration::from_secs(600);
        let last = wall() + ten_minutes;
        let clock = Clock::start_after(last);
        let written = clock.wall_offset().written(clock.now());
        assert!(written > last && written < last + Duration::from_secs(60));
        assert!(clock.behind() > Duration::from_secs(540));
        assert_eq!(clock.wall_offset().written(last), last, "an earlier run's");
        let good = Clock::start_after(wall() - ten_minutes);
        assert!(good.behind() < Duration::from_secs(1), "{:?}", good.behind());
        let found = good.going_on_after(last);
        let written = found.wall_offset().written(found.now());
        assert!(written > last && written < last + Duration::from_secs(60));
    }
}
