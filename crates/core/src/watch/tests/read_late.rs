//! An answer is late by its round-trip time, and not by when it was read.

use super::{
    Settings, TargetView, Watch,
    one_host::{refused, reply},
    target_views,
};
use crate::fixtures::{SENT_AFTER, of_sizes, start};
use crate::{
    judge::State,
    outcome::{Due, Event, Found},
    time::Time,
    watch::Window,
};
use std::{collections::BTreeMap, iter::from_fn, sync::Arc, time::Duration};

const RTT: Duration = Duration::from_millis(200);
/// After this all hosts are known well.
const KNOWN: Duration = Duration::from_secs(600);

/// Blocks of hosts that answer everything. Some answers are read later than they come.
struct World {
    watch: Watch,
    now: Time,
    /// How long after it is given out a probe leaves.
    sent_after: Duration,
    under_way: BTreeMap<(Time, usize), Event>,
    /// Every state that a scope was found in since all were known.
    states: Vec<State>,
}

impl World {
    fn new(blocks: &[Vec<u32>]) -> Self {
        let watch = Watch::new(Arc::new(of_sizes(blocks)), &Settings::default(), start());
        let mut world = Self {
            watch,
            now: start(),
            sent_after: SENT_AFTER,
            under_way: BTreeMap::new(),
            states: Vec::new(),
        };
        world.pass(KNOWN, |due| Some((due.sent + RTT, reply(200))));
        world.states.clear();
        world
    }

    /// Lets time pass; `read` says when the answer to a probe is read, and what it is.
    fn pass(&mut self, time: Duration, mut read: impl FnMut(&Due) -> Option<(Time, Found)>) {
        let until = self.now + time;
        loop {
            let arrival = self.under_way.keys().next().map_or(Time::NEVER, |key| key.0);
            let next = self.watch.poll_timeout().min(arrival).max(self.now);
            if next >= until {
                self.now = until;
                return;
            }
            self.now = next;
            while let Some(entry) =
                self.under_way.first_entry().filter(|entry| entry.key().0 <= next)
            {
                self.watch.handle_event(next, &entry.remove());
            }
            self.watch.handle_timeout(next, next);
            while let Some(due) = self.watch.poll_probe(next) {
                let due = Due { sent: due.sent + self.sent_after, ..due };
                if let Some((at, found)) = read(&due) {
                    let outcome = due.outcome(due.sent, found);
                    let number = self.under_way.len();
                    self.under_way.insert((at, number), Event::Outcome(outcome));
                }
            }
            self.states.extend(from_fn(|| self.watch.poll_change()).map(|change| change.to));
        }
    }

    fn view(&self, target: usize) -> TargetView {
        target_views(&self.watch).remove(target)
    }
}

/// The next probe's answer is this and is read so much after its patience; then the rest of a
/// minute passes. `sent_after`: how long after it is given out each of its probes leaves.
fn after_one(found: Found, read_after: Option<Duration>, sent_after: Duration) -> World {
    let mut world = World::new(&[vec![1]]);
    world.sent_after = sent_after;
    let mut first = true;
    world.pass(Duration::from_secs(60), |due| {
        let is_first = std::mem::replace(&mut first, false);
        let after = read_after.filter(|_| is_first);
        let answer = if is_first { found } else { reply(200) };
        Some((after.map_or(due.sent + RTT, |after| due.sent + due.patience + after), answer))
    });
    world
}

#[test]
fn an_answer_that_was_read_late_is_in_time() {
    let kept_back = Duration::from_millis(700);
    for (found, sent_after) in
        [(reply(200), SENT_AFTER), (refused(200), SENT_AFTER), (reply(200), kept_back)]
    {
        let [in_time, read_late] = [None, Some(Duration::from_millis(1300))]
            .map(|after| after_one(found, after, sent_after));
        let views = [&in_time, &read_late].map(|world| world.view(0));
        let counts = views[0].counts;
        assert_eq!((counts.late, counts.lost, counts.overdue), (0, 0, 0));
        // A doubt asks more often; every answer counts as it would have.
        let resolved = |view: &TargetView| view.counts.reply + view.counts.refused;
        assert_eq!(views[1].counts.refused, counts.refused);
        for view in &views {
            assert_eq!(resolved(view), view.counts.sent, "{:?}", view.counts);
            assert_eq!(view.recent_loss, Some(0.0));
        }
        let [ours, theirs] = [in_time, read_late].map(|world| {
            assert_eq!(world.states, []);
            let snapshot = world.watch.snapshot(world.now, 0, 0);
            snapshot
                .scopes
                .iter()
                .map(|scope| (scope.verdict.state, scope.windows[Window::Minute].loss))
                .collect::<Vec<_>>()
        });
        assert_eq!(ours, theirs);
    }
}

#[test]
fn an_answer_that_came_late_is_late() {
    let world = after_one(reply(5000), Some(Duration::from_secs(4)), SENT_AFTER);
    let counts = world.view(0).counts;
    assert_eq!((counts.late, counts.overdue), (1, 0));
}

/// For two seconds nobody reads, and then everything: what was thought dark for a moment flaps not.
#[test]
fn a_world_that_was_read_late_had_no_darkness() {
    let mut world = World::new(&vec![vec![3; 4]; 2]);
    let read = world.now + Duration::from_secs(2);
    world.pass(Duration::from_secs(120), |due| Some((read.max(due.sent + RTT), reply(200))));
    let snapshot = world.watch.snapshot(world.now, 0, 0);
    for scope in &snapshot.scopes {
        assert_eq!(scope.verdict.state, State::Up);
        assert_eq!(scope.windows[Window::FiveMinutes].loss, Some(0.0));
    }
    for view in target_views(&world.watch) {
        assert_eq!((view.counts.late, view.counts.overdue, view.counts.lost), (0, 0, 0));
        assert_eq!(view.counts.reply, view.counts.sent);
    }
}

/// A journal has it too.
#[test]
fn a_replay_takes_the_same_miss_back() {
    let mut world = World::new(&[vec![2]]);
    world.watch.keep_records();
    let mut again = World::new(&[vec![2]]);
    world.pass(Duration::from_secs(60), |due| {
        Some((due.sent + due.patience + Duration::from_millis(300), reply(200)))
    });
    while let Some(record) = world.watch.poll_record() {
        again.watch.replay(&record);
    }
    again.now = world.now;
    for target in 0..2 {
        let [ours, theirs] = [&world, &again].map(|world| world.view(target));
        assert_eq!(ours.counts.reply, theirs.counts.reply);
        assert_eq!((theirs.counts.late, theirs.counts.overdue), (0, ours.counts.overdue));
        assert_eq!((ours.miss_rate, ours.recent_loss), (theirs.miss_rate, theirs.recent_loss));
    }
}
