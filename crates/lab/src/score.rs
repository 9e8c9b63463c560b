//! The referee. In: changes of verdict, probes, and the truth. Out: a [`Score`]. It never judges a
//! network.
//!
//! *Right share*: the share of time with the right state, without the 60 s after each true change
//! and without halts. *Delays* count from the true begin or end of a darkness. *False* is a `down`
//! with no darkness since its edge, an `outage` that no darkness of 45 s or more (in the whole,
//! seen or not) touches from its edge until it is taken back, a `flapping` with no flap and fewer
//! than three darknesses in the six hours before.

use super::truth::Truth;
use lifesign_core::{
    judge::{Change, Edge, State},
    scopes::{BlockId, CountryId, Roster, Scope},
    time::Time,
};
use std::{collections::VecDeque, time::Duration};

const GRACE: Duration = Duration::from_secs(60);
const ENOUGH_FOR_OUTAGE: Duration = Duration::from_secs(45);
const RESTLESS: Duration = Duration::from_secs(6 * 3600);

/// How good the verdicts of a simulation were.
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// How long it ran, in seconds.
    pub seconds: f64,
    /// Over all blocks.
    pub blocks: Level,
    /// Over all countries.
    pub countries: Level,
    /// Probes sent.
    pub probes: u64,
    /// Probes per second and block.
    pub mean_rate: f64,
    /// The same in the worst 60 s of any block, at any offset.
    pub worst_minute: f64,
    /// The same in the worst hour of any block, at any whole minute.
    pub worst_hour: f64,
}

/// How good the verdicts of all scopes of one sort were.
#[derive(Clone, Debug, Default)]
pub struct Level {
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
    pub edges: Edges,
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
pub struct Edges {
    /// It does.
    pub covered: u64,
    /// It does not: the moment lies before it, or after it.
    pub before: u64,
    /// See `before`.
    pub after: u64,
    /// Half the length of each interval at the begin of a darkness, in seconds, in rising order
    /// once the score is made.
    pub half_widths: Vec<f64>,
    /// The same at its end.
    pub half_widths_back: Vec<f64>,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    time: Time,
    state: State,
    edge: Edge,
}

/// Notes what a prober sends and says (see the module).
#[derive(Debug)]
pub struct Referee {
    start: Time,
    /// Blocks first, then countries.
    marks: Vec<Vec<Mark>>,
    load: Vec<Load>,
}

/// Probes of one block.
#[derive(Clone, Debug)]
struct Load {
    total: u64,
    last_minute: VecDeque<Time>,
    worst_minute: usize,
    minutes: [u16; 60],
    minute: u64,
    worst_hour: u32,
}

impl Referee {
    /// A referee of a watch that begins at `start`.
    pub fn new(roster: &Roster, start: Time) -> Self {
        let minute = start.as_nanos() / 60_000_000_000;
        let last_minute = VecDeque::with_capacity(32);
        let load = Load {
            total: 0,
            last_minute,
            worst_minute: 0,
            minutes: [0; 60],
            minute,
            worst_hour: 0,
        };
        let edge = Edge { earliest: None, latest: start };
        let first = Mark { time: start, state: State::Unknown, edge };
        Self {
            start,
            marks: vec![vec![first]; roster.blocks.len() + roster.countries.len()],
            load: vec![load; roster.blocks.len()],
        }
    }

    fn place(&self, scope: Scope) -> usize {
        match scope {
            Scope::Block(id) => id.0 as usize,
            Scope::Country(id) => self.load.len() + id.0 as usize,
        }
    }

    /// Notes a change of verdict; in the order in which they are given.
    pub fn change(&mut self, change: &Change) {
        let place = self.place(change.scope);
        self.marks[place].push(Mark { time: change.time, state: change.to, edge: change.edge });
    }

    /// A scope's verdicts so far, each with when it was given.
    pub fn verdicts(&self, scope: Scope) -> Vec<(Time, State)> {
        self.marks[self.place(scope)].iter().map(|mark| (mark.time, mark.state)).collect()
    }

    /// Notes a probe; in the order in which they are sent.
    pub fn probe(&mut self, block: BlockId, sent: Time) {
        let load = &mut self.load[block.0 as usize];
        load.total += 1;
        while load
            .last_minute
            .front()
            .is_some_and(|&old| sent.since(old) >= Duration::from_secs(60))
        {
            load.last_minute.pop_front();
        }
        load.last_minute.push_back(sent);
        load.worst_minute = load.worst_minute.max(load.last_minute.len());
        let minute = sent.as_nanos() / 60_000_000_000;
        if minute > load.minute {
            load.worst_hour = load.worst_hour.max(load.minutes.iter().map(|&n| u32::from(n)).sum());
            for empty in load.minute + 1..=minute.min(load.minute + 60) {
                load.minutes[(empty % 60) as usize] = 0;
            }
            load.minute = minute;
        }
        load.minutes[(minute % 60) as usize] += 1;
    }

    /// Holds everything noted up to `end` against the truth.
    pub fn score(&self, truth: &Truth, roster: &Roster, end: Time) -> Score {
        let blocks = (0..roster.blocks.len() as u32).map(|id| Scope::Block(BlockId(id)));
        let countries = (0..roster.countries.len() as u32).map(|id| Scope::Country(CountryId(id)));
        let seconds = end.since(self.start).as_secs_f64();
        let probes = self.load.iter().map(|load| load.total).sum();
        let hour =
            |load: &Load| load.worst_hour.max(load.minutes.iter().map(|&n| u32::from(n)).sum());
        Score {
            seconds,
            blocks: self.level(&blocks.collect::<Vec<_>>(), truth, end),
            countries: self.level(&countries.collect::<Vec<_>>(), truth, end),
            probes,
            mean_rate: probes as f64 / seconds.max(1e-9) / self.load.len().max(1) as f64,
            worst_minute: self.load.iter().map(|load| load.worst_minute).max().unwrap_or(0) as f64
                / 60.0,
            worst_hour: f64::from(self.load.iter().map(hour).max().unwrap_or(0)) / 3600.0,
        }
    }

    fn level(&self, scopes: &[Scope], truth: &Truth, end: Time) -> Level {
        let mut level = Level { worst_share: 1.0, ..Level::default() };
        for &scope in scopes {
            let marks = &self.marks[self.place(scope)];
            let share = right_share(truth, scope, marks, end);
            level.right_share += share / scopes.len() as f64;
            level.worst_share = level.worst_share.min(share);
            for &dark in truth.dark(scope).iter().filter(|dark| dark.0 < end && dark.0 > self.start)
            {
                level.darkness(dark, truth, scope, marks, end);
            }
            for (number, pair) in marks.windows(2).enumerate() {
                let until = marks.get(number + 2).map_or(end, |next| next.time);
                level.alarm(&pair[0], &pair[1], until, truth, scope);
            }
        }
        for list in [&mut level.down, &mut level.outage, &mut level.recovery] {
            list.seconds.sort_by(f64::total_cmp);
        }
        level.edges.half_widths.sort_by(f64::total_cmp);
        level.edges.half_widths_back.sort_by(f64::total_cmp);
        level
    }
}

impl Level {
    /// What the verdicts made of one true darkness.
    fn darkness(
        &mut self,
        (from, to): (Time, Time),
        truth: &Truth,
        scope: Scope,
        marks: &[Mark],
        end: Time,
    ) {
        let unseen = |time| truth.state(scope, time) == State::Unknown;
        if unseen(from) || to <= end && unseen(to) {
            return;
        }
        let length = to.since(from).as_secs_f64();
        let first = marks.partition_point(|mark| mark.time < from);
        let before = marks[first.max(1) - 1].state;
        let later = || marks[first..].iter().take_while(|mark| mark.time < to + GRACE);
        if !matches!(before, State::Down | State::Outage | State::Flapping | State::Unknown) {
            let seen = later()
                .find(|mark| matches!(mark.state, State::Down | State::Outage | State::Flapping));
            self.down.note(seen.map(|mark| mark.time.since(from)), length);
            if let Some(mark) = seen {
                self.edges.note(mark.edge, from, true);
            }
        }
        let is_outage = to.since(from) >= Duration::from_secs(60);
        if is_outage && before != State::Outage && from + GRACE * 2 < end {
            let seen = later().find(|mark| mark.state == State::Outage);
            self.outage.note(seen.map(|mark| mark.time.since(from)), length);
        }
        let after = marks.partition_point(|mark| mark.time < to);
        if to < end && matches!(marks[after.max(1) - 1].state, State::Down | State::Outage) {
            let back = marks[after..]
                .iter()
                .find(|mark| !matches!(mark.state, State::Down | State::Outage));
            self.recovery.note(back.map(|mark| mark.time.since(to)), length);
            if let Some(mark) =
                back.filter(|mark| matches!(mark.state, State::Up | State::Degraded))
            {
                self.edges.note(mark.edge, to, false);
            }
        }
    }

    /// Was this change, which held `until` then, a false alarm?
    fn alarm(&mut self, before: &Mark, mark: &Mark, until: Time, truth: &Truth, scope: Scope) {
        let alive = !matches!(before.state, State::Down | State::Outage | State::Flapping);
        let since = mark.edge.earliest.unwrap_or(mark.time);
        let darks = truth.dark(scope);
        let touches = |dark: &(Time, Time), until| dark.0 < until && dark.1 > since;
        match mark.state {
            State::Down if alive => {
                let dark = darks.iter().any(|dark| touches(dark, mark.time));
                self.false_downs += u64::from(!dark);
            }
            State::Outage => {
                let long = |dark: &(Time, Time)| dark.1.since(dark.0) >= ENOUGH_FOR_OUTAGE;
                let dark = darks.iter().any(|dark| touches(dark, until) && long(dark));
                self.false_outages += u64::from(!dark);
            }
            State::Flapping if before.state != State::Outage => {
                let recent =
                    |dark: &&(Time, Time)| dark.0 <= mark.time && dark.1 + RESTLESS > mark.time;
                self.false_flappings += u64::from(darks.iter().filter(recent).count() < 3);
            }
            _ => {}
        }
    }
}

impl Delays {
    fn note(&mut self, delay: Option<Duration>, length: f64) {
        match delay {
            Some(delay) => self.seconds.push(delay.as_secs_f64()),
            None => self.missed.push(length),
        }
    }
}

impl Edges {
    fn note(&mut self, edge: Edge, truth: Time, begin: bool) {
        let Some(earliest) = edge.earliest else { return };
        match () {
            () if truth < earliest => self.before += 1,
            () if truth > edge.latest => self.after += 1,
            () => self.covered += 1,
        }
        let widths = if begin { &mut self.half_widths } else { &mut self.half_widths_back };
        widths.push(edge.latest.since(earliest).as_secs_f64() / 2.0);
    }
}

fn right_share(truth: &Truth, scope: Scope, marks: &[Mark], end: Time) -> f64 {
    let (mut right, mut total) = (Duration::ZERO, Duration::ZERO);
    let spells = truth.spells(scope);
    let mut place = 0;
    for (number, spell) in spells.iter().enumerate() {
        let to = spells.get(number + 1).map_or(end, |next| next.from).min(end);
        // A calm begins and ends without a change of state: no grace for that.
        let changed = number == 0 || spells[number - 1].state != spell.state;
        let from = if changed { spell.from + GRACE } else { spell.from };
        if from >= to
            || truth.halts().iter().any(|halt| halt.0 <= spell.from && spell.from < halt.1)
        {
            continue;
        }
        total += to.since(from);
        while marks.get(place + 1).is_some_and(|next| next.time <= from) {
            place += 1;
        }
        for (number, mark) in
            marks.iter().enumerate().skip(place).take_while(|(_, mark)| mark.time < to)
        {
            if mark.state == spell.state || spell.calm && mark.state == State::Flapping {
                let until = marks.get(number + 1).map_or(end, |next| next.time).min(to);
                right += until.since(mark.time.max(from));
            }
        }
    }
    if total.is_zero() { 1.0 } else { right.as_secs_f64() / total.as_secs_f64() }
}
