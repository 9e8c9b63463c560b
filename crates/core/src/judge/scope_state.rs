//! What the judge knows of one scope, and the verdict that follows from its facts by the precedence
//! of docs/verdicts.md.

use super::{
    Darknesses, Edge, EvidenceText, State, VerdictTotals,
    common_loss::CommonLoss,
    darkness::{Darkness, Proof},
    flaps::Flaps,
    hindrance::Hindrance,
    quality::Quality,
    recovery::Recovery,
    rules,
    share::Presence,
    silence::Silence,
};
use crate::{outcome::Cause, schedule::Escalation, scopes::TargetId, time::Time};
use std::{sync::Arc, time::Duration};

/// Everything that a verdict depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// We see, and have heard of this scope lately.
    pub known: bool,
    pub dark: bool,
    /// Dark for `outage_after`, without doubt.
    pub outage: bool,
    pub flapping: bool,
    /// A part of it lives, and a part that usually does is silent.
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

/// What a scope tells the one above it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Report {
    /// Somebody in it has answered.
    pub heard: bool,
    pub dark: bool,
    pub outage: bool,
    /// It, or something below it that was ever heard, is in outage.
    pub has_outage: bool,
    /// Dark while the scope above it lives: its silence says nothing of that.
    pub excluded: bool,
    /// How many of its blocks were heard.
    pub heard_blocks: u32,
    /// Of these: down, flapping, partial or in outage, and not only since what it lies in was dark.
    pub troubled_blocks: u32,
    pub hosts: Presence,
}

/// What the scopes below have told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Children {
    pub all: u32,
    pub dark: u32,
    pub outage: u32,
    pub heard: u32,
    /// Of those that were heard, as all that follows.
    pub heard_dark: u32,
    pub heard_outage: u32,
    /// In outage, or with something in outage below.
    pub with_outage: u32,
    /// How many blocks they have that were heard.
    pub heard_blocks: u32,
    /// Of these: down, flapping, partial or in outage, by themselves.
    pub troubled_blocks: u32,
    pub excluded: u32,
}

impl Children {
    /// A child tells something else than before.
    pub fn update(&mut self, old: &Report, new: &Report) {
        let add = |count: &mut u32, before: bool, after: bool| {
            *count = *count + u32::from(after) - u32::from(before);
        };
        add(&mut self.dark, old.dark, new.dark);
        add(&mut self.outage, old.outage, new.outage);
        add(&mut self.heard, old.heard, new.heard);
        add(&mut self.heard_dark, old.heard && old.dark, new.heard && new.dark);
        add(&mut self.heard_outage, old.heard && old.outage, new.heard && new.outage);
        add(&mut self.with_outage, old.heard && old.has_outage, new.heard && new.has_outage);
        self.heard_blocks = self.heard_blocks + new.heard_blocks - old.heard_blocks;
        self.troubled_blocks = self.troubled_blocks + new.troubled_blocks - old.troubled_blocks;
        add(&mut self.excluded, old.heard && old.excluded, new.heard && new.excluded);
    }

    /// How many can tell that the scope above them is dark.
    pub fn usable(&self) -> u32 {
        self.heard.saturating_sub(self.excluded)
    }

    /// Does a part live, and is a part silent that usually answers?
    pub fn are_partial(&self) -> bool {
        self.with_outage > 0
            || self.heard_blocks > 0 && 2 * self.troubled_blocks >= self.heard_blocks
    }

    /// Is each of them dark that was ever heard, or each of all if none was?
    pub fn all_dark(&self) -> bool {
        if self.heard > 0 { self.heard_dark >= self.heard } else { all(self.dark, self.all) }
    }

    /// Is each of them in outage that was ever heard, or each of all if none was?
    pub fn all_in_outage(&self) -> bool {
        if self.heard > 0 { self.heard_outage >= self.heard } else { all(self.outage, self.all) }
    }
}

fn all(some: u32, of: u32) -> bool {
    of > 0 && some >= of
}

/// What a scope has added to the silence of the one above it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Contribution {
    /// The life of the scope above since which it counts.
    pub since: Option<Time>,
    pub odds: f32,
    pub counted: bool,
}

/// The oldest miss since a block was heard, from which loss is learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FirstMiss {
    pub target: TargetId,
    pub sent: Time,
}

/// What the judge knows of one scope.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct ScopeState {
    /// When it last gave evidence.
    pub last_evidence: Time,
    pub quality: Quality,
    /// Why it gave none since.
    #[serde(skip)]
    pub hindrance: Hindrance,
    pub common_loss: CommonLoss,
    /// Of a block: the miss rate of whoever was heard last, who surely has not gone.
    pub newest_miss_rate: f32,
    pub state: State,
    /// When its newest answered probe was sent.
    pub life: Option<Time>,
    /// The one before it.
    #[serde(skip)]
    pub previous_life: Option<Time>,
    /// Of a block: that life is a neighbour's, of whom nobody knows whether it answers again.
    #[serde(skip)]
    pub is_neighbour: bool,
    /// Of a block: its oldest miss since it was heard.
    #[serde(skip)]
    pub first_miss: Option<FirstMiss>,
    /// A miss between the last two lives has been learned from.
    #[serde(skip)]
    pub has_learned: bool,
    pub silence: Silence,
    pub darkness: Option<Darkness>,
    pub recovery: Recovery,
    #[serde(skip)]
    pub contribution: Contribution,
    #[serde(skip)]
    pub children: Children,
    /// What the scope above knows of it.
    #[serde(skip)]
    pub reported: Report,
    /// How many of its hosts answer; of a dark block, how many did before.
    #[serde(skip)]
    pub hosts: Presence,
    /// Dark while the scope above it lives.
    #[serde(skip)]
    pub excluded: bool,
    /// Fewer hosts answer than usual.
    pub few: bool,
    /// Fewer hosts answered than usual at some time since it became partial.
    #[serde(skip)]
    pub was_few: bool,
    /// The other blocks of its country have been asked, in this doubt.
    #[serde(skip)]
    pub siblings_asked: bool,
    #[serde(skip)]
    pub escalation: Option<Escalation>,
    pub flaps: Flaps,
    /// When it is to be evaluated for time alone.
    #[serde(skip)]
    pub timer: Time,
    /// The edge of the verdict.
    pub edge: Edge,
    /// That ended in the present flapping; and the same without the newest, which may be refuted.
    pub darknesses: Darknesses,
    pub darknesses_before: Darknesses,
    /// Readers share it until it changes.
    #[serde(skip)]
    pub totals: Arc<VerdictTotals>,
}

impl ScopeState {
    pub fn new(now: Time) -> Self {
        Self {
            last_evidence: now,
            newest_miss_rate: rules::MIN_MISS_RATE,
            recovery: Recovery::none(now),
            timer: Time::NEVER,
            edge: Edge { earliest: None, latest: now },
            totals: Arc::new(VerdictTotals {
                changed: now,
                evidence: "the watch has just begun".into(),
                ..VerdictTotals::default()
            }),
            ..Self::default()
        }
    }

    pub fn enter_state(
        &mut self,
        state: State,
        edge: Edge,
        evidence: EvidenceText,
        cause: Option<Cause>,
        now: Time,
    ) {
        let totals = Arc::make_mut(&mut self.totals);
        totals.spent[self.state] += now.since(totals.changed);
        let began = self.darkness.as_ref().map(|darkness| darkness.began);
        if state != State::Outage || totals.outage != began {
            totals.entered[state] += 1;
        }
        if state == State::Outage {
            totals.outage = began;
        }
        totals.evidence = evidence;
        totals.first_cause = cause;
        totals.changed = now;
        self.darknesses = Darknesses::default();
        self.darknesses_before = Darknesses::default();
        self.was_few &= state == State::Partial;
        self.state = state;
        self.edge = edge;
    }

    /// Its darkness has ended.
    pub fn begin_recovery(&mut self, recovery: Recovery) {
        let before = std::mem::replace(&mut self.recovery, recovery);
        Arc::make_mut(&mut self.totals).dark += before.counted_length();
    }

    /// Is it dark, as far as this run can prove?
    pub fn is_dark(&self) -> bool {
        self.darkness.as_ref().is_some_and(|darkness| darkness.proof != Proof::Recalled)
    }

    pub fn is_recalled(&self) -> bool {
        self.darkness.is_some() && !self.is_dark()
    }

    pub fn is_in_outage(&self) -> bool {
        self.darkness.as_ref().is_some_and(|darkness| darkness.outage)
    }

    /// Does an answer of somebody in it give no reason to evaluate it?
    pub fn answer_changes_nothing(&self, now: Time) -> bool {
        let Recovery { check, narrowed, told, until, .. } = &self.recovery;
        let is_steady = match self.state {
            State::Up => !self.quality.is_degraded(),
            State::Flapping => self.flaps.is_flapping(now) && (told.is_none() || now < *until),
            _ => false,
        };
        is_steady
            && self.escalation.is_none()
            && !self.siblings_asked
            && (check.is_some() || !narrowed)
            && !self.few
    }

    /// Does a miss of somebody in it give no reason to evaluate it?
    pub fn miss_changes_nothing(&self, now: Time) -> bool {
        let is_proved = self.state == State::Outage && self.is_dark() && self.is_in_outage();
        is_proved && self.escalation.is_none() && self.flaps.is_updated(now)
    }

    /// The odds that a verdict needs now, where `usual` are needed of a scope that does not flap.
    pub fn needed_odds(&self, usual: f32, now: Time) -> f32 {
        if self.flaps.is_flapping(now) { usual - rules::FLAPPING_PRIOR } else { usual }
    }

    /// How long it has been dark in the outage that lasts and in the last darkness that ended, of
    /// which the end may yet be known more closely.
    pub fn dark_of_late(&self, now: Time) -> Duration {
        let open = self.darkness.as_ref().filter(|darkness| darkness.outage);
        // It may have ended since it was last asked, or while we are blind.
        let is_asked = !self.silence.is_empty();
        let seen = if is_asked { self.silence.last } else { self.last_evidence }.min(now);
        open.map_or(Duration::ZERO, |darkness| darkness.whole_length(seen))
            + self.recovery.counted_length()
    }

    /// For how long it has been dark in all, from the middles of edges to those of edges. What may
    /// yet turn out to have been no darkness is not in it. It never becomes less.
    pub fn dark_time(&self, now: Time) -> Duration {
        self.totals.dark_with(self.dark_of_late(now))
    }

    /// What was told of it until now stands, whatever is found out.
    pub fn keep_dark_time(&mut self, now: Time) {
        Arc::make_mut(&mut self.totals).most_dark = self.dark_time(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    /// Such as a network whose blocks are new, or of the family in which we are blind.
    #[test]
    fn of_whose_blocks_none_was_heard_nothing_is_partial() {
        let heard = Children { heard: 1, ..Children::default() };
        assert!(!heard.are_partial());
        assert!(Children { heard_blocks: 2, troubled_blocks: 1, ..heard }.are_partial());
    }

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
