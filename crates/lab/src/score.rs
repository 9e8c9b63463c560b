//! How good verdicts were.
//!
//! *Right share*: the share of time with the right state, without the 60 s after each true change
//! and without suspensions. *Delays* count from the true begin or end of a darkness. *False* is a
//! `down` with no darkness since its edge, an `outage` that no darkness of 45 s or more (in the
//! whole, seen or not) touches from its edge until it is taken back, a `flapping` with no flap and
//! fewer than three darknesses in the six hours before. *Taken back* is a darkness of 60 s or more
//! that was called so, and then called alive before it was over. *Wrongly dead* is the time of
//! `down`, `outage` or `flapping` in which the scope was alive and no flap was near.

use super::judged::{GivenVerdict, Judged};
use lifesign_core::{
    judge::{Edge, PerState, State},
    time::Time,
};
use std::time::Duration;

/// A change is given so much time to be seen.
pub(super) const GRACE: Duration = Duration::from_secs(60);
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
    /// Over all networks; nothing if there are none.
    pub networks: LevelScore,
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
    /// Share of time in each state that was given.
    pub time: PerState<f64>,
    /// Share of time in which a living scope was wrongly called dead.
    pub wrongly_dead: f64,
    /// Verdicts a day and scope.
    pub changes_a_day: f64,
    /// From the begin of each true darkness to a verdict of `down`, `outage` or `flapping`.
    pub down: Delays,
    /// From the begin of each true outage to a verdict of `outage`.
    pub outage: Delays,
    /// From the end of each darkness that was seen to a verdict of neither `down` nor `outage`.
    pub recovery: Delays,
    /// Do edges cover the true begins?
    pub begins: EdgeCoverage,
    /// The same of the true ends.
    pub ends: EdgeCoverage,
    /// Verdicts that were wrong.
    pub false_downs: u64,
    /// The same of `outage`.
    pub false_outages: u64,
    /// The same of `flapping`.
    pub false_flappings: u64,
    /// True darknesses of 60 s or more that were called alive before they were over.
    pub taken_back: u64,
    /// By how many percent points the share of hosts that answer was wrong, of scopes in which
    /// nothing had changed for an hour; in rising order once the score is made.
    pub share_errors: Vec<f64>,
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
        quantile(&self.seconds, share)
    }

    fn extend(&mut self, other: &Self) {
        self.seconds.extend(&other.seconds);
        self.missed.extend(&other.missed);
    }
}

/// The least of these, which rise, that this share (0 to 1) of them does not exceed; NaN if there
/// are none.
pub fn quantile(rising: &[f64], share: f64) -> f64 {
    let rank = (share * rising.len() as f64).ceil() as usize;
    rising.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
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
    /// The length of each interval, in seconds, in rising order once the score is made.
    pub widths: Vec<f64>,
}

impl EdgeCoverage {
    fn add(&mut self, edge: Edge, truth: Time) {
        let Some(earliest) = edge.earliest else { return };
        match () {
            () if truth < earliest => self.before += 1,
            () if truth > edge.latest => self.after += 1,
            () => self.covered += 1,
        }
        self.widths.push(edge.latest.since(earliest).as_secs_f64());
    }

    fn extend(&mut self, other: &Self) {
        self.covered += other.covered;
        self.before += other.before;
        self.after += other.after;
        self.widths.extend(&other.widths);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.covered + self.before + self.after
    }

    /// The share that covers the truth; NaN if there are none.
    pub fn share(&self) -> f64 {
        self.covered as f64 / self.count() as f64
    }
}

impl LevelScore {
    /// Scores all scopes of a level.
    pub(super) fn of(scopes: &[Judged]) -> Self {
        let scores: Vec<Self> = scopes.iter().map(Self::of_scope).collect();
        Self::pool(scores.iter())
    }

    fn of_scope(judged: &Judged) -> Self {
        let share = judged.right_share();
        let days = judged.end.since(judged.start).as_secs_f64() / 86_400.0;
        let mut score = Self {
            right_share: share,
            worst_share: share,
            time: judged.time(),
            wrongly_dead: judged.wrongly_dead(),
            changes_a_day: (judged.verdicts.len() - 1) as f64 / days.max(1e-9),
            share_errors: judged.share_errors(),
            ..Self::default()
        };
        for &dark in judged.truth.dark_spans(judged.scope) {
            if judged.start < dark.0 && dark.0 < judged.end {
                score.add_darkness(dark, judged);
            }
        }
        for index in 1..judged.verdicts.len() {
            score.add_false_alarm(index, judged);
        }
        score
    }

    /// Many scopes, or the same level of many runs, as one: shares are means, all else is summed.
    pub fn pool<'a>(levels: impl Iterator<Item = &'a Self>) -> Self {
        let mut all = Self { worst_share: 1.0, ..Self::default() };
        let mut count = 0.0;
        for level in levels {
            count += 1.0;
            all.right_share += level.right_share;
            all.worst_share = all.worst_share.min(level.worst_share);
            all.wrongly_dead += level.wrongly_dead;
            all.changes_a_day += level.changes_a_day;
            all.time = PerState::new(|state| all.time[state] + level.time[state]);
            all.down.extend(&level.down);
            all.outage.extend(&level.outage);
            all.recovery.extend(&level.recovery);
            all.begins.extend(&level.begins);
            all.ends.extend(&level.ends);
            all.false_downs += level.false_downs;
            all.false_outages += level.false_outages;
            all.false_flappings += level.false_flappings;
            all.taken_back += level.taken_back;
            all.share_errors.extend(&level.share_errors);
        }
        let count = f64::max(count, 1.0);
        for share in [&mut all.right_share, &mut all.wrongly_dead, &mut all.changes_a_day] {
            *share /= count;
        }
        all.time = PerState::new(|state| all.time[state] / count);
        for list in [
            &mut all.down.seconds,
            &mut all.outage.seconds,
            &mut all.recovery.seconds,
            &mut all.begins.widths,
            &mut all.ends.widths,
            &mut all.share_errors,
        ] {
            list.sort_by(f64::total_cmp);
        }
        all
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
        if before.is_alive() {
            let seen = later().find(|verdict| verdict.state.is_dark_or_flapping());
            self.down.add(seen.map(|verdict| verdict.time.since(from)), length);
            // The edge of a flapping is that of its first darkness.
            if let Some(verdict) = seen.filter(|verdict| verdict.state != State::Flapping) {
                self.begins.add(verdict.edge, from);
            }
        }
        let is_outage = to.since(from) >= OUTAGE_LENGTH;
        if is_outage && before != State::Outage && from + GRACE * 2 < end {
            let seen = later().find(|verdict| verdict.state == State::Outage);
            self.outage.add(seen.map(|verdict| verdict.time.since(from)), length);
        }
        let after = verdicts.partition_point(|verdict| verdict.time < to);
        if to < end && verdicts[after.max(1) - 1].state.is_dark() {
            let back = verdicts[after..].iter().find(|verdict| !verdict.state.is_dark());
            self.recovery.add(back.map(|verdict| verdict.time.since(to)), length);
            if let Some(verdict) = back.filter(|verdict| verdict.state.is_alive()) {
                self.ends.add(verdict.edge, to);
            }
        }
        let within = verdicts[first.max(1) - 1..after].windows(2);
        let taken_back =
            |pair: &[GivenVerdict]| pair[0].state.is_dark() && pair[1].state.is_alive();
        self.taken_back += u64::from(is_outage && within.into_iter().any(taken_back));
    }

    /// Counts the verdict of this index if it was a false alarm.
    fn add_false_alarm(&mut self, index: usize, judged: &Judged) {
        let before = judged.verdicts[index - 1].state;
        let verdict = &judged.verdicts[index];
        let until = judged.verdicts.get(index + 1).map_or(judged.end, |next| next.time);
        let alive = !before.is_dark_or_flapping();
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
