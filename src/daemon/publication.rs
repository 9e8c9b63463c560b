//! When readers get a new snapshot: each second, and when a verdict changes, but no more often than
//! ten times a second. A country of thousands of blocks that goes dark has thousands of changes
//! within seconds, and a snapshot of it takes milliseconds.

use lifesign_core::time::Time;
use std::time::Duration;

/// How often while no verdict changes.
const INTERVAL: Duration = Duration::from_secs(1);
/// The shortest pause from the end of one to the next.
const MIN_INTERVAL: Duration = Duration::from_millis(100);

/// When the last one was made.
#[derive(Debug, Default)]
pub(super) struct Publication(Time);

impl Publication {
    /// When the next is due; `changed` if a verdict is not told yet, or a plan is not followed.
    pub fn next(&self, changed: bool) -> Time {
        self.0 + if changed { MIN_INTERVAL } else { INTERVAL }
    }

    /// One is made now.
    pub fn made(&mut self, now: Time) {
        self.0 = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_at_most_ten_times_a_second_and_a_change_waits_for_no_more_than_a_tenth() {
        let start = Time::default() + Duration::from_secs(10);
        let mut publication = Publication::default();
        let mut made = Vec::new();
        let mut waits_since = None;
        // 5,000 changes from the second second on, one each millisecond.
        for millis in 0..10_000 {
            let now = start + Duration::from_millis(millis);
            if (2000..7000).contains(&millis) {
                waits_since.get_or_insert(now);
            }
            if now >= publication.next(waits_since.is_some()) {
                assert!(now.since(waits_since.take().unwrap_or(now)) <= MIN_INTERVAL);
                publication.made(now);
                made.push(millis);
            }
        }
        let within = |from, to| made.iter().filter(|&&at| (from..to).contains(&at)).count();
        assert_eq!((within(0, 2000), within(3000, 4000), within(8000, 10_000)), (2, 10, 2));
    }
}
