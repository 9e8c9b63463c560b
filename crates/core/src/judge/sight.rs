//! Can we see at all? Whether we are blind, up to when misses are confirmed, and the periods
//! whose misses count for nothing.
//!
//! One rule does most of the work: a miss is evidence only once somebody, somewhere, has answered a
//! probe that was sent *no earlier* than it. When our own uplink dies, nobody answers any more, so
//! no miss is ever confirmed and nothing is called down, however long it takes to notice that we
//! are blind.

use super::rules::{BLIND_AFTER, CONTROLS_DEAD_AFTER, LONGEST_PATIENCE};
use crate::time::Time;
use std::time::Duration;

/// How many failures to send in a row, without one success between them, are blindness too.
const SEND_FAILURES: u32 = 3;
/// The time over which these failures must be spread.
const SEND_FAILURES_FOR: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
pub(super) struct Sight {
    controls: bool,
    /// The longest regular probe interval of any country.
    interval: Duration,
    /// When the newest answered probe, of target or control, was sent.
    last_answered: Time,
    /// The same, of controls alone.
    last_control_answered: Time,
    send_failures: u32,
    failing_since: Time,
    blind_since: Option<Time>,
    /// We see since then: no probe sent before tells the present state.
    pub restored: Time,
    pub blind_periods: u64,
    /// How long all finished blind periods lasted.
    blind_for: Duration,
}

/// How our sight changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SightChange {
    None,
    Lost,
    /// We see again: misses sent between these times count for nothing.
    Restored(Time, Time),
}

impl Sight {
    pub fn new(controls: bool, interval: Duration, now: Time) -> Self {
        Self {
            controls,
            interval,
            last_answered: now,
            last_control_answered: now,
            send_failures: 0,
            failing_since: now,
            blind_since: None,
            restored: now,
            blind_periods: 0,
            blind_for: Duration::ZERO,
        }
    }

    /// Goes on with the controls and the interval of `fresh`. Controls that were not there before
    /// cannot have been silent.
    pub fn replan(&self, fresh: &Self, now: Time) -> Self {
        let mut next = Self { controls: fresh.controls, interval: fresh.interval, ..self.clone() };
        if next.controls && !self.controls {
            next.last_answered = now;
            next.last_control_answered = now;
        }
        next
    }

    pub fn is_blind(&self) -> bool {
        self.blind_since.is_some()
    }

    /// Misses sent up to this time are evidence. Without controls nothing can confirm them, and all
    /// are.
    pub fn confirmed_until(&self) -> Time {
        if self.controls { self.last_answered } else { Time::NEVER }
    }

    /// How long we have been blind in all, by now.
    pub fn blind_total(&self, now: Time) -> Duration {
        self.blind_for + self.blind_since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// When silence alone will make us blind.
    pub fn poll_timeout(&self) -> Time {
        if !self.controls || self.is_blind() {
            return Time::NEVER;
        }
        let controls_are_dead =
            self.last_answered.since(self.last_control_answered) > CONTROLS_DEAD_AFTER;
        let patience =
            if controls_are_dead { BLIND_AFTER + self.interval * 3 } else { BLIND_AFTER };
        self.last_answered + patience
    }

    /// That time has come.
    pub fn handle_timeout(&mut self, now: Time) -> SightChange {
        self.lose(now)
    }

    /// A target answered a probe sent then.
    pub fn target_answered(&mut self, sent: Time, now: Time) -> SightChange {
        self.send_failures = 0;
        self.answered(sent, now)
    }

    /// A control answered a probe sent then.
    pub fn control_answered(&mut self, sent: Time, now: Time) -> SightChange {
        self.last_control_answered = self.last_control_answered.max(sent);
        self.answered(sent, now)
    }

    fn answered(&mut self, sent: Time, now: Time) -> SightChange {
        let before = self.last_answered;
        self.last_answered = self.last_answered.max(sent);
        match self.blind_since {
            // Our own sending is still broken: controls have a socket of their own and prove
            // nothing of it.
            Some(_) if self.send_failures >= SEND_FAILURES => SightChange::None,
            Some(since) if sent >= since => self.restore(since.min(before), sent, now),
            _ => SightChange::None,
        }
    }

    /// A probe left, whatever became of it.
    pub fn probe_sent(&mut self) {
        self.send_failures = 0;
    }

    /// A probe could not leave.
    pub fn send_failed(&mut self, now: Time) -> SightChange {
        if self.send_failures == 0 {
            self.failing_since = now;
        }
        self.send_failures = self.send_failures.saturating_add(1);
        if self.send_failures >= SEND_FAILURES && now.since(self.failing_since) >= SEND_FAILURES_FOR
        {
            return self.lose(now);
        }
        SightChange::None
    }

    /// Nobody watched from then to now: we were stopped, starved or suspended.
    pub fn gap(&mut self, from: Time, now: Time) -> SightChange {
        if self.blind_since.is_none() {
            self.blind_periods += 1;
            self.blind_since = Some(from);
        }
        self.last_answered = self.last_answered.max(now);
        self.restore(from - LONGEST_PATIENCE, now, now)
    }

    fn lose(&mut self, now: Time) -> SightChange {
        if self.is_blind() {
            return SightChange::None;
        }
        self.blind_periods += 1;
        self.blind_since = Some(now);
        SightChange::Lost
    }

    fn restore(&mut self, from: Time, to: Time, now: Time) -> SightChange {
        if let Some(since) = self.blind_since.take() {
            self.blind_for += now.since(since);
        }
        self.restored = to;
        SightChange::Restored(from, to)
    }
}
