//! When readers get a new snapshot: each second, and when a verdict changes, but no more often than
//! ten times a second. A country of thousands of blocks that goes dark has thousands of changes
//! within seconds, and a snapshot of it takes milliseconds. Verdicts that are told then, in the
//! store and on standard output, are in the snapshot: whoever reads a line about one finds it in
//! the metrics too.

use super::{Daemon, journal_writer::JournalWriter};
use lifesign_core::{judge::Change, time::Time, watch::LinesLost};
use lifesign_journal::verdict;
use lifesign_store::Store;
use std::{sync::Arc, time::Duration};

/// How often while no verdict changes.
const INTERVAL: Duration = Duration::from_secs(1);
/// The shortest pause from the end of one to the next.
const MIN_INTERVAL: Duration = Duration::from_millis(100);
/// How many verdicts have their lines in one turn, which takes a millisecond.
pub(super) const LINES_TOGETHER: usize = 500;

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

impl Daemon {
    pub(super) fn publish(&mut self, now: Time) {
        self.adopt(now);
        self.say_whether_the_clock_is_behind();
        if let Some(store) = &mut self.store {
            store.restore_history(&mut self.watch);
            let wall = self.clock.wall_offset().written(now);
            store.keep_names(self.network.names.changes(), wall);
        }
        let drops = self.network.receive_drops();
        // Who still reads the one before keeps it.
        let before = self.publishers.before.take().and_then(|before| Arc::try_unwrap(before).ok());
        let offset = self.clock.wall_offset();
        let mut snapshot = self.watch.renew_snapshot(before, now, offset, drops);
        snapshot.lines_lost = LinesLost {
            journal: self.journal.as_ref().map(JournalWriter::lost),
            stdout: self.stdout_writer.lost(),
        };
        if let Some(paths) = &mut self.paths {
            paths.add_to(&mut snapshot, now);
        }
        snapshot.store = self.store.as_ref().filter(|_| self.store_is_kept).map(Store::view);
        let mut verdicts = snapshot.scopes.iter().map(|scope| &scope.verdict);
        self.network.names.set_dark(verdicts.any(|verdict| verdict.state.is_dark_or_flapping()));
        self.systemd.alive(&snapshot);
        let newest = Some(Arc::new(snapshot));
        self.publishers.before = self.publishers.snapshots.send_replace(newest);
    }

    /// Tells the store what has changed until the newest snapshot; then the lines are due.
    pub(super) fn tell(&mut self, changes: Vec<Change>) {
        let newest = self.publishers.snapshots.borrow().clone();
        if let (Some(store), Some(snapshot)) = (&mut self.store, newest) {
            store.handle_changes(&changes, &snapshot, &self.watch);
        }
        self.unwritten.get_or_insert_default().extend(changes);
    }

    /// The same, and writes all lines that are due.
    pub(super) fn tell_whole(&mut self, changes: Vec<Change>) {
        self.tell(changes);
        self.write_lines(usize::MAX);
    }

    /// Writes the lines that are due to standard output, so many of verdicts at most.
    pub(super) fn write_lines(&mut self, most: usize) {
        let Some(changes) = &mut self.unwritten else { return };
        let offset = self.clock.wall_offset();
        let roster = &self.plan.roster;
        for change in changes.drain(..most.min(changes.len())) {
            self.stdout_writer.write(verdict::text(&change, roster, offset));
        }
        if !changes.is_empty() {
            return;
        }
        self.unwritten = None;
        while let Some(change) = self.watch.poll_return_path_change() {
            self.stdout_writer.write(verdict::return_path(&change, roster, offset));
        }
        self.tell_paths(self.clock.now());
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
