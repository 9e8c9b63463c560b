//! The own numbers of targets, asked of the task that owns them while an answer is made.

use lifesign_clock::Clock;
use lifesign_core::{
    scopes::Roster,
    time::Time,
    watch::{TargetView, TargetViews},
};
use std::{
    ops::Range,
    sync::{Arc, mpsc as std_mpsc},
    time::Duration,
};
use tokio::sync::mpsc;

/// How many targets are asked for at once: the task that probes is held up by no more.
const MOST_AT_ONCE: u32 = 4096;
/// An answer waits no longer than this for all that it asks, should the watch be stuck.
const TIMEOUT: Duration = Duration::from_secs(1);
/// More than there are threads that ask.
const QUEUE: usize = 8;

/// A question for the own numbers of some targets.
#[derive(Debug)]
pub struct TargetQuery {
    /// The ids are of this roster.
    pub roster: Arc<Roster>,
    /// Their ids.
    pub targets: Range<u32>,
    answer: std_mpsc::SyncSender<Option<Vec<TargetView>>>,
}

impl TargetQuery {
    /// Answers it, if this is still what is watched.
    pub fn answer(self, roster: &Arc<Roster>, views: impl FnOnce(Range<u32>) -> Vec<TargetView>) {
        let is_watched = Arc::ptr_eq(&self.roster, roster);
        // Whoever asked may have gone.
        let _ = self.answer.try_send(is_watched.then(|| views(self.targets)));
    }
}

/// Where such questions arrive.
pub type TargetQueries = mpsc::Receiver<TargetQuery>;

/// Whom readers ask.
#[derive(Clone, Debug)]
pub struct TargetAsker(mpsc::Sender<TargetQuery>);

impl TargetAsker {
    /// One who asks, and where the questions arrive.
    pub fn channel() -> (Self, TargetQueries) {
        let (sender, queries) = mpsc::channel(QUEUE);
        (Self(sender), queries)
    }

    /// Asks about the targets of this roster.
    pub(crate) fn about<'a>(&'a self, roster: &'a Arc<Roster>) -> impl TargetViews + 'a {
        let clock = Clock::start();
        AboutRoster { asker: self, roster, clock, begun: clock.now() }
    }
}

struct AboutRoster<'a> {
    asker: &'a TargetAsker,
    roster: &'a Arc<Roster>,
    clock: Clock,
    begun: Time,
}

impl AboutRoster<'_> {
    fn ask(&self, targets: Range<u32>) -> Option<Vec<TargetView>> {
        let (sender, answer) = std_mpsc::sync_channel(1);
        let query = TargetQuery { roster: self.roster.clone(), targets, answer: sender };
        self.asker.0.try_send(query).ok()?;
        let waited = self.clock.now().since(self.begun);
        answer.recv_timeout(TIMEOUT.saturating_sub(waited)).ok()?
    }
}

impl TargetViews for AboutRoster<'_> {
    fn of(&self, targets: Range<u32>) -> Option<Vec<TargetView>> {
        let mut views = Vec::with_capacity(targets.len());
        for begin in targets.clone().step_by(MOST_AT_ONCE as usize) {
            let end = targets.end.min(begin.saturating_add(MOST_AT_ONCE));
            views.extend(self.ask(begin..end)?);
        }
        Some(views)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::{
        scopes::{Host, Kind},
        watch::{Settings, Watch},
    };

    #[test]
    fn many_are_asked_for_in_parts_and_those_of_another_plan_not_at_all() {
        let mut roster = Roster::default();
        roster.add_country("XA", "");
        roster.add_block("127.0.0.0/16".parse().unwrap());
        for host in 0..10_000_u16 {
            let [high, low] = host.to_be_bytes();
            roster.add_target(Host::Address([127, 0, high, low].into()), "icmp", Kind::Icmp);
        }
        let roster = Arc::new(roster);
        let watch = Watch::new(roster.clone(), &Settings::default(), Time::default());
        let (asker, mut queries) = TargetAsker::channel();
        let asked = std::thread::spawn(move || {
            let mut lengths = Vec::new();
            while let Some(query) = queries.blocking_recv() {
                query.answer(watch.roster(), |targets| {
                    lengths.push(targets.len());
                    watch.target_views(targets)
                });
            }
            lengths
        });
        let views = asker.about(&roster).of(1..10_000).unwrap();
        assert_eq!(views.len(), 9_999);
        assert_eq!(asker.about(&roster).of(5..5), Some(Vec::new()));
        assert_eq!(asker.about(&Arc::new(Roster::clone(&roster))).of(0..1), None);
        drop(asker);
        assert_eq!(asked.join().unwrap(), [4096, 4096, 1807]);
    }

    #[test]
    fn nobody_answers_where_nothing_is_watched_any_more() {
        let (asker, queries) = TargetAsker::channel();
        drop(queries);
        assert_eq!(asker.about(&Arc::default()).of(0..1), None);
    }
}
