//! The end of a darkness: when it was, and whether there was a darkness at all.
//!
//! Only hosts that are back tell when it ended: one that stays silent may never have been asked
//! while the others lived. So the end is narrowed for two minutes, with every host that answers
//! again. Of one who ends a darkness without having missed anything in it, it is asked whether
//! those who fell silent are back too: if they stay silent, only they had gone.

use super::{
    Edge, State,
    darkness::{Darkness, Proof},
    rules::{
        DOUBTFUL_ODDS, EDGE_MISSES, EDGE_RISK, GONE_ODDS, LIMITED_MISSES_BEFORE_NEXT,
        LONGEST_LIMIT, RETURN_TIME, STEADY_ANSWERS,
    },
    silence::Miss,
};
use crate::time::Time;
use std::time::Duration;

/// How a scope came back from its last darkness.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Recovery {
    /// When it came back.
    pub edge: Edge,
    /// The darkness had become an outage.
    pub was_outage: bool,
    /// What it was told as when it ended, if as dark or flapping.
    pub told_as: Option<State>,
    /// How long the darkness was, from the middle of its edge to the latest time of this one.
    pub length: Duration,
    /// It was one, or was told as an outage while it went on: its length counts.
    pub counts: bool,
    /// Its life before the darkness.
    pub life_before: Option<Time>,
    /// By when the darkness had begun: how far back a host's misses are looked for.
    pub dark_from: Time,
    /// The loss that its hosts had in common before it.
    pub common_miss_rate: f32,
    /// When the answered probe was sent that ended it.
    pub answered: Time,
    /// The newest misses of those that are back, newest first.
    misses: Vec<Miss>,
    /// Until when returning hosts narrow the edge.
    pub until: Time,
    /// The verdict that was told with this edge.
    #[serde(skip)]
    pub told: Option<State>,
    /// The edge is narrower than it was told.
    #[serde(skip)]
    pub narrowed: bool,
    /// There was no darkness.
    pub was_none: bool,
    /// How many probes that were sent in it were answered after it.
    #[serde(skip)]
    late_answers: u32,
    pub check: Option<Check>,
    since: ProbesSince,
    pub proof: Option<Proof>,
}

/// Are those back who fell silent in the darkness?
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Check {
    /// Who answered had missed enough in the darkness to prove it.
    is_witnessed: bool,
    /// Odds of their misses since.
    missing: f32,
    misses: u32,
    misses_at_answer: u32,
}

/// What became of the probes of the first two minutes after a return.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
struct ProbesSince {
    answered: u32,
    unanswered: u32,
    /// Of these, those before the last one that was answered.
    unanswered_between: u32,
}

/// What a check has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    Genuine,
    /// Only some hosts had gone: there was no darkness.
    Refuted,
    /// One answer, and none to whatever was sent after it: few answers are let through, and there
    /// was no darkness.
    RateLimited,
}

impl Recovery {
    /// None yet.
    pub fn none(now: Time) -> Self {
        let edge = Edge { earliest: None, latest: now };
        Self { edge, dark_from: now, ..Self::default() }
    }

    /// A darkness ended by an answer that came by `latest`.
    pub fn new(darkness: &Darkness, latest: Time, now: Time) -> Self {
        // It cannot have come back before it had surely gone.
        let began = darkness.edge.latest;
        let earliest = Some(began.min(latest));
        Self {
            edge: Edge { earliest, latest },
            was_outage: darkness.outage,
            length: darkness.whole_length(latest),
            counts: darkness.outage,
            dark_from: began,
            until: now + RETURN_TIME,
            proof: Some(darkness.proof),
            ..Self::default()
        }
    }

    /// What counts of the length: up to the middle of the edge; in a flapping, all of it.
    pub fn counted_length(&self) -> Duration {
        let width = self.edge.latest.since(self.edge.start()).min(self.length);
        match (self.counts, self.told_as == Some(State::Flapping)) {
            (false, _) => Duration::ZERO,
            (true, true) => self.length,
            (true, false) => self.length.saturating_sub(width / 2),
        }
    }

    /// Was this sent in the darkness?
    pub fn was_dark_at(&self, sent: Time) -> bool {
        self.life_before.is_none_or(|life| sent > life) && sent < self.answered
    }

    /// A host is back that had missed these in the darkness.
    pub fn narrow(&mut self, misses: impl Iterator<Item = Miss>) {
        for miss in misses {
            let index = self.misses.partition_point(|newer| newer.sent > miss.sent);
            self.misses.insert(index, miss);
        }
        self.misses.truncate(EDGE_MISSES);
        // If it had come back before its last misses, chance alone would explain them all.
        let mut odds = 0.0;
        let last = self.misses.iter().find(|miss| {
            odds += f64::from(miss.weight);
            (-odds).exp() <= EDGE_RISK
        });
        if let Some(last) = last.map(|miss| miss.sent) {
            self.narrow_to(last);
        }
    }

    /// It was still dark at this time.
    pub fn narrow_to(&mut self, dark: Time) {
        let earliest = dark.min(self.edge.latest);
        self.narrowed |= self.edge.earliest < Some(earliest);
        self.edge.earliest = self.edge.earliest.max(Some(earliest));
    }

    /// From now on it is asked whether those are back who fell silent.
    pub fn begin_check(&mut self, is_witnessed: bool) {
        self.check = Some(Check { is_witnessed, ..Check::default() });
    }

    /// A probe sent in the darkness was answered after it. Were so many by now that there was none,
    /// where one is sent per `interval`?
    pub fn record_late_answer(&mut self, interval: Duration) -> bool {
        self.late_answers += 1;
        interval * (2 * self.late_answers) >= self.answered.since(self.dark_from)
    }

    /// There was no darkness: nothing more is asked about it, and only what was told as an outage
    /// counts. Returns whether that is new.
    pub fn take_back(&mut self) -> bool {
        self.check = None;
        self.counts = self.was_outage;
        !std::mem::replace(&mut self.was_none, true)
    }

    /// One who fell silent in the darkness has missed again.
    pub fn record_miss(&mut self, weight: f32) {
        if let Some(check) = &mut self.check {
            check.missing += weight;
            check.misses += 1;
        }
    }

    /// A probe was not answered that was sent since.
    pub fn record_unanswered(&mut self) {
        self.since.unanswered += 1;
    }

    /// Somebody answered a later probe.
    pub fn record_answer(&mut self) -> Option<Finding> {
        self.since.answered += 1;
        self.since.unanswered_between = self.since.unanswered;
        let check = self.check.as_mut()?;
        check.misses_at_answer = check.misses;
        let is_refuted = check.missing >= GONE_ODDS && !check.is_witnessed;
        is_refuted.then_some(Finding::Refuted)
    }

    /// Is it open what the return was, and has nobody answered since, though so many were asked?
    /// But what it lies in came back with it, and steadily.
    pub fn is_limited(&self, asked: u32, above: Option<&Recovery>) -> bool {
        let is_steady = above.is_some_and(|above| {
            let ProbesSince { answered, unanswered_between, .. } = above.since;
            let is_with_it = self.answered.since(above.answered) <= RETURN_TIME
                && self.answered >= above.answered;
            is_with_it && answered >= STEADY_ANSWERS && unanswered_between * 4 <= answered
        });
        self.check.is_some()
            && self.answered.since(self.dark_from) <= LONGEST_LIMIT
            && self.since.answered == 0
            && self.since.unanswered >= asked
            && !is_steady
    }

    /// What has been found when the time for it is over.
    pub fn finding(&self, now: Time) -> Option<Finding> {
        let check = self.check.as_ref().filter(|_| now >= self.until)?;
        let is_doubtful = check.missing >= DOUBTFUL_ODDS && !check.is_witnessed;
        Some(if is_doubtful { Finding::Refuted } else { Finding::Genuine })
    }

    /// What has been found when the scope is dark again.
    pub fn finding_at_next_darkness(&self, above: Option<&Recovery>) -> Option<Finding> {
        let check = self.check.as_ref()?;
        Some(if self.is_limited(LIMITED_MISSES_BEFORE_NEXT, above) {
            Finding::RateLimited
        } else if check.misses_at_answer > 0 && !check.is_witnessed {
            Finding::Refuted
        } else {
            Finding::Genuine
        })
    }

    /// A darkness that ended with this one has a witness.
    pub fn witness(&mut self) {
        if let Some(check) = &mut self.check {
            check.is_witnessed = true;
        }
    }

    /// Every time in it that has passed.
    pub fn times(&mut self) -> impl Iterator<Item = &mut Time> {
        let times = [&mut self.dark_from, &mut self.answered];
        let misses = self.misses.iter_mut().map(|miss| &mut miss.sent);
        self.edge.times().chain(&mut self.life_before).chain(times).chain(misses)
    }
}
