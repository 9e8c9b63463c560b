//! What the judge knows of one scope, and the verdict that follows from its facts by the precedence
//! of docs/verdicts.md.

use super::{
    PerState,
    belief::Belief,
    flaps::Flaps,
    quality::Quality,
    rules,
    state::{Edge, State},
};
use crate::{schedule::Escalation, time::Time};
use std::time::Duration;

/// Everything that a verdict depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// We see, and have heard of this scope lately.
    pub known: bool,
    pub dark: bool,
    /// Dark for `outage_after`, without doubt.
    pub outage: bool,
    pub flapping: bool,
    /// A country of which some blocks are in outage and others are alive.
    pub partial: bool,
    pub degraded: bool,
}

/// Unknown, outage, flapping, down, partial, degraded, up: the first that applies.
pub(super) const fn verdict(facts: Facts) -> State {
    match facts {
        Facts { known: false, .. } => State::Unknown,
        Facts { outage: true, .. } => State::Outage,
        Facts { flapping: true, .. } => State::Flapping,
        Facts { dark: true, .. } => State::Down,
        Facts { partial: true, .. } => State::Partial,
        Facts { degraded: true, .. } => State::Degraded,
        _ => State::Up,
    }
}

/// What the judge knows of one scope.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct ScopeState {
    /// When it last gave evidence.
    #[serde(rename = "heard")]
    pub last_evidence: Time,
    pub quality: Quality,
    /// Miss rate that its hosts have lately had in common, beyond each one's own, while it was
    /// alive.
    #[serde(rename = "chance")]
    pub common_miss_rate: f32,
    pub state: State,
    /// It has been dark for `outage_after`, without doubt.
    #[serde(rename = "long")]
    pub outage: bool,
    /// An earlier run found it dark, and this one has no proof of that yet.
    #[serde(skip)]
    pub recalled: bool,
    /// The other blocks of its country have been asked, in this doubt.
    #[serde(skip)]
    pub siblings_asked: bool,
    pub belief: Belief,
    /// The edge of its darkness, while it is dark.
    #[serde(rename = "dark")]
    pub darkness: Option<Edge>,
    #[serde(skip)]
    pub escalation: Option<Escalation>,
    pub flaps: Flaps,
    /// When its darkness most likely began.
    pub began: Time,
    /// How long of its darkness nobody could see.
    pub unseen: Duration,
    /// The edge of its last return.
    #[serde(rename = "back")]
    pub recovery: Edge,
    /// When it is to be evaluated for time alone.
    #[serde(skip)]
    pub timer: Time,
    /// The edge of the verdict.
    pub edge: Edge,
    #[serde(skip)]
    pub record: Box<VerdictTotals>,
}

/// What else is exported of a verdict. It begins anew with each run.
#[derive(Clone, Debug, Default)]
pub(super) struct VerdictTotals {
    pub changed: Time,
    pub evidence: String,
    /// How often each state was entered.
    pub entered: PerState<u64>,
    /// How long each state lasted, but for the present stay.
    spent: PerState<Duration>,
}

impl ScopeState {
    pub fn new(now: Time) -> Self {
        let edge = Edge { earliest: None, latest: now };
        Self {
            last_evidence: now,
            quality: Quality::default(),
            common_miss_rate: rules::MIN_MISS_RATE,
            state: State::Unknown,
            outage: false,
            recalled: false,
            siblings_asked: false,
            belief: Belief::default(),
            darkness: None,
            escalation: None,
            flaps: Flaps::default(),
            began: now,
            unseen: Duration::ZERO,
            recovery: edge,
            timer: Time::NEVER,
            edge,
            record: Box::new(VerdictTotals {
                changed: now,
                evidence: "the watch has just begun".into(),
                entered: PerState::default(),
                spent: PerState::default(),
            }),
        }
    }

    pub fn enter_state(&mut self, state: State, edge: Edge, evidence: String, now: Time) {
        let record = &mut *self.record;
        record.spent[self.state] += now.since(record.changed);
        record.entered[state] += 1;
        record.evidence = evidence;
        record.changed = now;
        self.state = state;
        self.edge = edge;
    }

    /// Is it dark, as far as this run can prove?
    pub fn is_dark(&self) -> bool {
        self.darkness.is_some() && !self.recalled
    }

    /// The odds that a verdict needs now, where `usual` are needed of a scope that does not flap.
    pub fn needed_odds(&mut self, usual: f32, now: Time) -> f32 {
        if self.flaps.is_flapping(now) { usual - rules::FLAPPING_PRIOR } else { usual }
    }

    /// Do its misses span a darkness of `outage_after`, and go on beyond those that proved it? A
    /// flapping scope needs no misses beyond, since there a darkness is no surprise.
    pub fn is_outage_proved(&mut self, outage_after: Duration, groups: usize, now: Time) -> bool {
        let down_odds = self.needed_odds(rules::DOWN_ODDS, now);
        let outage_odds = self.needed_odds(rules::OUTAGE_ODDS, now);
        let is_flapping = self.flaps.is_flapping(now);
        let odds = self.belief.odds(Time::NEVER, outage_odds, groups);
        let beyond = outage_after.mul_f32(rules::LASTING_SHARE);
        let goes_on =
            || self.belief.reached_at(down_odds, groups).is_some_and(|at| odds.last >= at + beyond);
        odds.log >= outage_odds
            && odds.span() + rules::MAX_UNASKED >= outage_after
            && (is_flapping || goes_on())
    }

    /// Learns from a miss that was chance; `own` is the host's own miss rate. What that does not
    /// explain is the scope's.
    pub fn record_chance_miss(&mut self, own: f32) {
        let common = self.common_miss_rate;
        let explained = common / (own + common - own * common);
        self.common_miss_rate += (explained - common) / rules::SCOPE_MEMORY;
        self.quality.record_miss();
    }

    /// `slowdown` is ln(round-trip time / the target's usual one).
    pub fn record_answer(&mut self, slowdown: f32) {
        self.common_miss_rate +=
            (rules::MIN_MISS_RATE - self.common_miss_rate) / rules::SCOPE_MEMORY;
        self.quality.record_answer(slowdown);
    }

    /// Seconds in each state up to now.
    pub fn state_seconds(&self, now: Time) -> PerState<f64> {
        let mut spent = self.record.spent;
        spent[self.state] += now.since(self.record.changed);
        PerState::new(|state| spent[state].as_secs_f64())
    }

    /// Nobody saw anything between these two times: that does not count towards an outage.
    pub fn record_unseen(&mut self, from: Time, to: Time) {
        if let Some(since) = self.counted_since() {
            self.unseen += to.since(from.max(since));
        }
    }

    /// Since when the darkness counts towards an outage: its last proof of life, but not from long
    /// before the first miss of it, since time in which nobody asked is no silence; and later by as
    /// long as nobody could see.
    pub fn counted_since(&self) -> Option<Time> {
        let asked = self.began - rules::MAX_UNASKED;
        let since = |edge: Edge| edge.earliest.map_or(self.began, |earliest| earliest.max(asked));
        self.darkness.map(|edge| since(edge) + self.unseen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn every_combination_of_facts_has_the_reviewed_verdict() {
        let mut table = String::from("known dark outage flapping partial degraded\n");
        for bits in 0..64u8 {
            let bit = |n: u8| bits >> n & 1 == 1;
            let facts = Facts {
                known: bit(5),
                dark: bit(4),
                outage: bit(3),
                flapping: bit(2),
                partial: bit(1),
                degraded: bit(0),
            };
            // Only the dark are in outage, and only the living are partial or degraded.
            if facts.outage && !facts.dark || facts.dark && (facts.partial || facts.degraded) {
                continue;
            }
            let cell = |on: bool| if on { "x" } else { "." };
            let _ = writeln!(
                table,
                "{}     {}    {}      {}        {}       {}        -> {}",
                cell(facts.known),
                cell(facts.dark),
                cell(facts.outage),
                cell(facts.flapping),
                cell(facts.partial),
                cell(facts.degraded),
                verdict(facts)
            );
        }
        insta::assert_snapshot!(table);
    }
}
