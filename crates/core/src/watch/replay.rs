//! Recorded events, taken in again. Nothing is scheduled.

use super::{EventRecord, Watch};
use crate::{
    outcome::{Event, Found, Outcome},
    scopes::{IdMapping, TargetId},
    time::Time,
};
use std::collections::BTreeSet;

/// The probes that are overdue, by when they were given out: a record has no number of its probe.
#[derive(Debug, Default)]
pub(super) struct ReplayedOverdue {
    probes: BTreeSet<(TargetId, Time)>,
}

impl ReplayedOverdue {
    /// Goes on with another roster.
    pub fn replan(&mut self, targets: &IdMapping) {
        let remapped =
            |(TargetId(target), given_out)| Some((TargetId(targets.new_id(target)?), given_out));
        self.probes = std::mem::take(&mut self.probes).into_iter().filter_map(remapped).collect();
    }

    /// When the outcome's probe was given out, if it was overdue until now.
    fn take_in(&mut self, outcome: &Outcome, was_overdue: bool) -> Option<Time> {
        let Outcome { target, sent, found, .. } = *outcome;
        if found == Found::Overdue {
            self.probes.insert((target, sent));
        }
        if !was_overdue {
            return None;
        }
        // A target's probes leave in the order in which they are given out, each before the next
        // is; the oldest is the first that is lost.
        let probe = if found == Found::Lost {
            self.probes.range((target, Time::default())..=(target, Time::NEVER)).next()
        } else {
            self.probes.range((target, Time::default())..=(target, sent)).next_back()
        };
        let probe = probe.copied();
        probe.inspect(|probe| {
            self.probes.remove(probe);
        });
        // Of what was overdue when the journal began, no miss was told.
        Some(probe.map_or(sent, |(_, given_out)| given_out))
    }
}

impl Watch {
    /// Takes in a recorded event again.
    pub fn replay(&mut self, record: &EventRecord) {
        let missed_at = match &record.event {
            Event::Outcome(outcome) => self.replayed.take_in(outcome, record.was_overdue),
            _ => None,
        };
        self.take_in(record.seen, &record.event, missed_at);
        while self.judge.poll_directive().is_some() {}
    }

    /// Lets time pass without an event.
    pub fn replay_until(&mut self, now: Time) {
        self.judge.handle_timeout(now);
        while self.judge.poll_directive().is_some() {}
    }
}
