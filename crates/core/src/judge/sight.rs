//! Can we see at all? In: answers of controls and targets, our own failures to send, gaps in the
//! watch. Out: whether we are blind, up to when our sight is vouched for, and stretches whose
//! misses count for nothing. It never says anything of a scope.
//!
//! One rule does most of the work: a miss is evidence only once somebody, somewhere, has answered a
//! question that was sent *no earlier* than it. When our own uplink dies, nobody answers any more,
//! so no miss is ever vouched for and nothing is called down, however long it takes to notice that
//! we are blind.

use super::rules::{BLIND_AFTER, CONTROLS_DEAD, LONGEST_PATIENCE};
use crate::time::Time;
use std::time::Duration;

/// So many failures to send in a row, over this time, without one success between them, are
/// blindness too.
const FAULTS: u32 = 3;
const FAULTS_FOR: Duration = Duration::from_secs(3);

/// Our own sight.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    controls: bool,
    /// How far apart even probes are, over all targets.
    gap: Duration,
    /// When the newest answered question, of whomever, was sent.
    proof: Time,
    control_proof: Time,
    faults: u32,
    faults_since: Time,
    blind_since: Option<Time>,
    /// Nothing sent before this tells the present state.
    pub renewed: Time,
    pub spells: u64,
    pub blind_for: Duration,
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shift {
    None,
    /// We went blind.
    Blind,
    /// We see again: misses sent in between count for nothing.
    Sighted(Time, Time),
}

impl Sight {
    pub fn new(controls: bool, gap: Duration, now: Time) -> Self {
        Self {
            controls,
            gap,
            proof: now,
            control_proof: now,
            faults: 0,
            faults_since: now,
            blind_since: None,
            renewed: now,
            spells: 0,
            blind_for: Duration::ZERO,
        }
    }

    /// Goes on with other controls and another gap, those of `fresh`. Controls that were not there
    /// before cannot have been silent.
    pub fn replan(&self, fresh: &Self, now: Time) -> Self {
        let (controls, gap) = (fresh.controls, fresh.gap);
        if controls && !self.controls {
            return Self { controls, gap, proof: now, control_proof: now, ..self.clone() };
        }
        Self { controls, gap, ..self.clone() }
    }

    pub fn is_blind(&self) -> bool {
        self.blind_since.is_some()
    }

    /// Misses sent up to this time are evidence. Without controls there is nobody to vouch.
    pub fn vouched(&self) -> Time {
        if self.controls { self.proof } else { Time::NEVER }
    }

    /// How long we have been blind in all, by now.
    pub fn blind_total(&self, now: Time) -> Duration {
        self.blind_for + self.blind_since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// When silence alone will make us blind.
    pub fn deadline(&self) -> Time {
        if !self.controls || self.is_blind() {
            return Time::NEVER;
        }
        let dead = self.proof.since(self.control_proof) > CONTROLS_DEAD;
        self.proof + if dead { BLIND_AFTER + self.gap * 3 } else { BLIND_AFTER }
    }

    /// The deadline has come.
    pub fn silence(&mut self, now: Time) -> Shift {
        self.go_blind(now)
    }

    /// Somebody answered a question sent then.
    pub fn answer(&mut self, sent: Time, control: bool, now: Time) -> Shift {
        let before = self.proof;
        self.proof = self.proof.max(sent);
        if control {
            self.control_proof = self.control_proof.max(sent);
        } else {
            self.faults = 0;
        }
        match self.blind_since {
            // Our own sending is still broken: controls have a socket of their own and prove
            // nothing of it.
            Some(_) if control && self.faults >= FAULTS => Shift::None,
            Some(since) if sent >= since => self.see(since.min(before), sent, now),
            _ => Shift::None,
        }
    }

    /// A probe left, whatever became of it.
    pub fn sent(&mut self) {
        self.faults = 0;
    }

    /// A probe could not leave.
    pub fn fault(&mut self, now: Time) -> Shift {
        if self.faults == 0 {
            self.faults_since = now;
        }
        self.faults = self.faults.saturating_add(1);
        if self.faults >= FAULTS && now.since(self.faults_since) >= FAULTS_FOR {
            return self.go_blind(now);
        }
        Shift::None
    }

    /// We did not watch from then to now: stopped, starved or suspended.
    pub fn gap(&mut self, from: Time, now: Time) -> Shift {
        if self.blind_since.is_none() {
            self.spells += 1;
            self.blind_since = Some(from);
        }
        self.proof = self.proof.max(now);
        self.see(from - LONGEST_PATIENCE, now, now)
    }

    fn go_blind(&mut self, now: Time) -> Shift {
        if self.is_blind() {
            return Shift::None;
        }
        self.spells += 1;
        self.blind_since = Some(now);
        Shift::Blind
    }

    fn see(&mut self, from: Time, to: Time, now: Time) -> Shift {
        if let Some(since) = self.blind_since.take() {
            self.blind_for += now.since(since);
        }
        self.renewed = to;
        Shift::Sighted(from, to)
    }
}
