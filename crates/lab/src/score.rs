//! How good verdicts were.
//!
//! *Right share*: the share of time with the right state, without the 60 s after each true change
//! and without suspensions. *Delays* count from the true begin or end of a darkness. *False* is a
//! `down` with no darkness since its edge, an `outage` that no darkness of 45 s or more (in the
//! whole, seen or not) touches from its edge until it is taken back, a `flapping` with no flap and
//! fewer than three darknesses in the six hours before.

use super::truth::Truth;
use lifesign_core::{
    judge::{Edge, State},
    scopes::Scope,
    time::Time,
};
use std::time::Duration;

/// A change is given so much time to be seen.
const GRACE: Duration = Duration::from_secs(60);
const OUTAGE_LENGTH: Duration = Duration::from_secs(60);
const ENOUGH_FOR_OUTAGE: Duration = Duration::from_secs(45);
const FLAP_MEMORY: Duration = Duration::from_secs(6 * 3600);

/// How good the verdicts of a simulation were.
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// How long it ran, in seconds.
    pub seconds: f64,
    /// Over all blocks.
    pub blocks: LevelScore,
    /// Over all countries.
    pub countries: LevelScore,
    /// Probes sent.
    pub probes: u64,
    /// Probes per second and block.
    pub mean_rate: f64,
    /// The same in the worst 60 s of any block, at any offset.
    pub worst_minute: f64,
    /// The same in the worst hour of any block, at any whole minute.
    pub worst_hour: f64,
}

/// How good the verdicts of all blocks, or of all countries, were.
#[derive(Clone, Debug, Default)]
pub struct LevelScore {
    /// Share of time with the right state: mean over the scopes.
    pub right_share: f64,
    /// The same of the worst scope.
    pub worst_share: f64,
    /// From the begin of each true darkness to a verdict of `down`, `outage` or `flapping`.
    pub down: Delays,
    /// From the begin of each true outage to a verdict of `outage`.
    pub outage: Delays,
    /// From the end of each darkness that was seen to a verdict of neither `down` nor `outage`.
    pub recovery: Delays,
    /// Do edges cover the true begins and ends?
    pub edges: EdgeCoverage,
    /// Verdicts that were wrong.
    pub false_downs: u64,
    /// The same of `outage`.
    pub false_outages: u64,
    /// The same of `flapping`.
    pub false_flappings: u64,
}

/// Delays in seconds.
#[derive(Clone, Debug, Default)]
pub struct Delays {
    /// In rising order once the score is made.
    pub seconds: Vec<f64>,
    /// How long each of those was that no verdict followed.
    pub missed: Vec<f64>,
}

impl Delays {
    fn add(&mut self, delay: Option<Duration>, length: f64) {
        match delay {
            Some(delay) => self.seconds.push(delay.as_secs_f64()),
            None => self.missed.push(length),
        }
    }

    /// The mean; NaN if there are none.
    pub fn mean(&self) -> f64 {
        self.seconds.iter().sum::<f64>() / self.seconds.len() as f64
    }

    /// The least delay that this share (0 to 1) does not exceed; NaN if there are none.
    pub fn quantile(&self, share: f64) -> f64 {
        let rank = (share * self.seconds.len() as f64).ceil() as usize;
        self.seconds.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
    }
}

/// How often the interval that a change names holds the moment when it happened.
#[derive(Clone, Debug, Default)]
pub struct EdgeCoverage {
    /// It does.
    pub covered: u64,
    /// It does not: the moment lies before it.
    pub before: u64,
    /// It does not: the moment lies after it.
    pub after: u64,
    /// Half the length of each interval at the begin of a darkness, in seconds, in rising order
    /// once the score is made.
    pub begin_half_widths: Vec<f64>,
    /// The same at its end.
    pub end_half_widths: Vec<f64>,
}

#[derive(Clone, Copy)]
enum Bound {
    Begin,
    End,
}

impl EdgeCoverage {
    fn add(&mut self, edge: Edge, truth: Time, bound: Bound) {
        let Some(earliest) = edge.earliest else { return };
        match () {
            () if truth < earliest => self.before += 1,
            () if truth > edge.latest => self.after += 1,
            () => self.covered += 1,
        }
        let widths = match bound {
            Bound::Begin => &mut self.begin_half_widths,
            Bound::End => &mut self.end_half_widths,
        };
        widths.push(edge.latest.since(earliest).as_secs_f64() / 2.0);
    }
}

/// A verdict that was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct GivenVerdict {
    pub time: Time,
    pub state: State,
    pub edge: Edge,
}

/// All verdicts on a scope, in order, beside what was true of it.
#[derive(Clone, Copy)]
pub(super) struct Judged<'a> {
    pub scope: Scope,
    pub verdicts: &'a [GivenVerdict],
    pub truth: &'a Truth,
    pub start: Time,
    pub end: Time,
}

impl LevelScore {
    /// Scores all scopes of a level.
    pub(super) fn of(scopes: &[Judged]) -> Self {
        let mut level = Self { worst_share: 1.0, ..Self::default() };
        for scope in scopes {
            let share = scope.right_share();
            level.right_share += share / scopes.len() as f64;
            level.worst_share = level.worst_share.min(share);
            for &dark in scope.truth.dark_spans(scope.scope) {
                if scope.start < dark.0 && dark.0 < scope.end {
                    level.add_darkness(dark, scope);
                }
            }
            for index in 1..scope.verdicts.len() {
                level.add_false_alarm(index, scope);
            }
        }
        for list in [&mut level.down, &mut level.outage, &mut level.recovery] {
            list.seconds.sort_by(f64::total_cmp);
        }
        level.edges.begin_half_widths.sort_by(f64::total_cmp);
        level.edges.end_half_widths.sort_by(f64::total_cmp);
        level
    }

    /// What the verdicts made of one true darkness.
    fn add_darkness(&mut self, (from, to): (Time, Time), judged: &Judged) {
        let Judged { scope, verdicts, truth, end, .. } = *judged;
        let unseen = |time| truth.state(scope, time) == State::Unknown;
        if unseen(from) || to <= end && unseen(to) {
            return;
        }
        let length = to.since(from).as_secs_f64();
        let first = verdicts.partition_point(|verdict| verdict.time < from);
        let before = verdicts[first.max(1) - 1].state;
        let later = || verdicts[first..].iter().take_while(|verdict| verdict.time < to + GRACE);
        if !matches!(before, State::Down | State::Outage | State::Flapping | State::Unknown) {
            let seen = later().find(|verdict| {
                matches!(verdict.state, State::Down | State::Outage | State::Flapping)
            });
            self.down.add(seen.map(|verdict| verdict.time.since(from)), length);
            if let Some(verdict) = seen {
                self.edges.add(verdict.edge, from, Bound::Begin);
            }
        }
        let is_outage = to.since(from) >= OUTAGE_LENGTH;
        if is_outage && before != State::Outage && from + GRACE * 2 < end {
            let seen = later().find(|verdict| verdict.state == State::Outage);
            self.outage.add(seen.map(|verdict| verdict.time.since(from)), length);
        }
        let is_dark = |verdict: &GivenVerdict| matches!(verdict.state, State::Down | State::Outage);
        let after = verdicts.partition_point(|verdict| verdict.time < to);
        if to < end && is_dark(&verdicts[after.max(1) - 1]) {
            let back = verdicts[after..].iter().find(|verdict| !is_dark(verdict));
            self.recovery.add(back.map(|verdict| verdict.time.since(to)), length);
            let alive =
                |verdict: &&GivenVerdict| matches!(verdict.state, State::Up | State::Degraded);
            if let Some(verdict) = back.filter(alive) {
                self.edges.add(verdict.edge, to, Bound::End);
            }
        }
    }

    /// Counts the verdict of this index if it was a false alarm.
    fn add_false_alarm(&mut self, index: usize, judged: &Judged) {
        let before = judged.verdicts[index - 1].state;
        let verdict = &judged.verdicts[index];
        let until = judged.verdicts.get(index + 1).map_or(judged.end, |next| next.time);
        let alive = !matches!(before, State::Down | State::Outage | State::Flapping);
        let since = verdict.edge.earliest.unwrap_or(verdict.time);
        let darks = judged.truth.dark_spans(judged.scope);
        let touches = |dark: &(Time, Time), until| dark.0 < until && dark.1 > since;
        match verdict.state {
            State::Down if alive => {
                let dark = darks.iter().any(|dark| touches(dark, verdict.time));
                self.false_downs += u64::from(!dark);
            }
            State::Outage => {
                let long = |dark: &(Time, Time)| dark.1.since(dark.0) >= ENOUGH_FOR_OUTAGE;
                let dark = darks.iter().any(|dark| touches(dark, until) && long(dark));
                self.false_outages += u64::from(!dark);
            }
            State::Flapping if before != State::Outage => {
                let recent = |dark: &&(Time, Time)| {
                    dark.0 <= verdict.time && dark.1 + FLAP_MEMORY > verdict.time
                };
                self.false_flappings += u64::from(darks.iter().filter(recent).count() < 3);
            }
            State::Up
            | State::Degraded
            | State::Partial
            | State::Down
            | State::Flapping
            | State::Unknown => {}
        }
    }
}

impl Judged<'_> {
    fn right_share(&self) -> f64 {
        let mut right = Duration::ZERO;
        let mut total = Duration::ZERO;
        let spans = self.truth.state_spans(self.scope);
        let suspended =
            |time| self.truth.suspensions().iter().any(|span| span.0 <= time && time < span.1);
        let mut first = 0;
        for (index, span) in spans.iter().enumerate() {
            let to = spans.get(index + 1).map_or(self.end, |next| next.from).min(self.end);
            // A calm begins and ends without a change of state: no grace for that.
            let changed = index == 0 || spans[index - 1].state != span.state;
            let from = if changed { span.from + GRACE } else { span.from };
            if from >= to || suspended(span.from) {
                continue;
            }
            total += to.since(from);
            while self.verdicts.get(first + 1).is_some_and(|next| next.time <= from) {
                first += 1;
            }
            let within = self.verdicts.iter().enumerate().skip(first);
            for (index, verdict) in within.take_while(|(_, verdict)| verdict.time < to) {
                if verdict.state == span.state || span.calm && verdict.state == State::Flapping {
                    let until = self.verdicts.get(index + 1).map_or(self.end, |next| next.time);
                    right += until.min(to).since(verdict.time.max(from));
                }
            }
        }
        if total.is_zero() { 1.0 } else { right.as_secs_f64() / total.as_secs_f64() }
    }
}
