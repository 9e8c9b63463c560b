//! The referee's knowledge. In: a scenario and its plays. Out: the right state of each scope at
//! each time. It never sees a probe, and shares no line with the judge: it knows what happened, so
//! it needs no evidence.
//!
//! A block is dark when an event on it or on its country says so, or when each of its hosts is
//! gone; a country when all its blocks are. Darkness of `outage_after` or more is `outage` from its
//! first moment, shorter is `down`. Within a flap, `flapping` begins at the third time down. After
//! its last return comes a calm of three of its longest cycles (at least a minute) in which
//! `flapping` is still right, and so is what follows it (docs/verdicts.md). Added loss of 15 points
//! or a doubled round-trip time is `degraded`; a country is degraded when half of its blocks are.
//! While we cannot see, `unknown` is right.

use super::{
    Scenario,
    event::{On, What},
    script::{Play, Span, halts, overlap, union, within},
};
use lifesign_core::{judge::State, scopes::Scope, time::Time};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
/// Added loss and slowness from which a scope is degraded.
const LOSSY: f64 = 0.15;
const SLOW: f64 = 2.0;
const CALM_CYCLES: u32 = 3;
/// Times down that make a flapping.
const SERIES: usize = 3;

/// One stay in a state; it ends where the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateSpan {
    /// When it begins.
    pub from: Time,
    /// The right state.
    pub state: State,
    /// `flapping` is right too: the calm after a flap has not lasted long enough.
    pub calm: bool,
}

/// The right state of every scope at every time.
#[derive(Clone, Debug)]
pub struct Truth {
    blocks: usize,
    /// Blocks first, then countries.
    scopes: Vec<Record>,
    halts: Vec<Span>,
}

#[derive(Clone, Debug, Default)]
struct Record {
    spells: Vec<StateSpan>,
    dark: Vec<Span>,
    long: Vec<Span>,
    flapping: Vec<Span>,
    calm: Vec<Span>,
    degraded: Vec<Span>,
    blind: Vec<Span>,
    partial: Vec<Span>,
}

impl Truth {
    pub(super) fn new(scenario: &Scenario, plays: &[Play]) -> Self {
        let roster = &scenario.roster;
        let stands: Vec<Span> = halts(plays).into_iter().map(|(span, _)| span).collect();
        let mut scopes = Vec::with_capacity(roster.blocks.len() + roster.countries.len());
        for (number, block) in roster.blocks.iter().enumerate() {
            let country = On::Country(block.country.0);
            let here = |on: On| on == On::Block(number as u32) || on == country;
            let mut record = Record { blind: blind(plays, &stands, scenario), ..Record::default() };
            let dark = plays.iter().filter(|play| play.darkens() && here(play.on));
            let dark =
                dark.flat_map(|play| play.spans.clone()).chain(deserted(scenario, plays, number));
            record.dark = union(dark.collect());
            record.restless(plays, here);
            record.degraded = worse(plays, |on| here(on) || on == On::Us);
            scopes.push(record);
        }
        for (number, country) in roster.countries.iter().enumerate() {
            let range = country.blocks.start as usize..country.blocks.end as usize;
            let here = |on: On| {
                let alone = range.len() == 1 && on == On::Block(range.start as u32);
                on == On::Country(number as u32) || alone
            };
            let mut record = Record { blind: blind(plays, &stands, scenario), ..Record::default() };
            record.dark =
                range.clone().map(|block| &scopes[block].dark).fold(
                    vec![(Time::default(), Time::NEVER)],
                    |all: Vec<Span>, dark: &Vec<Span>| overlap(&all, dark),
                );
            record.dark.retain(|span| span.1 != Time::NEVER || !range.is_empty());
            record.restless(plays, here);
            let own = worse(plays, |on| here(on) || on == On::Us);
            let half = quorum(
                scopes[range.clone()].iter().map(|block| &block.degraded),
                range.len().div_ceil(2),
            );
            record.degraded = union(own.into_iter().chain(half).collect());
            let longs = scopes[range].iter_mut().map(Record::lengths);
            record.partial = union(longs.flatten().collect());
            scopes.push(record);
        }
        for record in &mut scopes {
            record.lengths();
            record.settle(scenario.start, scenario.end());
        }
        Self { blocks: roster.blocks.len(), scopes, halts: stands }
    }

    fn record(&self, scope: Scope) -> &Record {
        &self.scopes[match scope {
            Scope::Block(id) => id.0 as usize,
            Scope::Country(id) => self.blocks + id.0 as usize,
        }]
    }

    /// The right state at a time within the scenario.
    pub fn state(&self, scope: Scope, time: Time) -> State {
        let spells = self.spells(scope);
        let place = spells.partition_point(|spell| spell.from <= time);
        spells.get(place.saturating_sub(1)).map_or(State::Unknown, |spell| spell.state)
    }

    /// Every stay of a scope in a state, in order; the first begins with the scenario.
    pub fn spells(&self, scope: Scope) -> &[StateSpan] {
        &self.record(scope).spells
    }

    /// When the scope is dark, from and until; sorted and disjoint.
    pub fn dark(&self, scope: Scope) -> &[(Time, Time)] {
        &self.record(scope).dark
    }

    /// Spans in which the process or the machine stands still, and no verdict can be asked of it.
    pub fn halts(&self) -> &[(Time, Time)] {
        &self.halts
    }
}

impl Record {
    /// Darkness of outage length.
    fn lengths(&mut self) -> Vec<Span> {
        self.long = self.dark.iter().copied().filter(|span| span.1.since(span.0) >= LONG).collect();
        self.long.clone()
    }

    /// Finds flapping, and the calm after it.
    fn restless(&mut self, plays: &[Play], here: impl Fn(On) -> bool) {
        for play in
            plays.iter().filter(|play| matches!(play.what, What::Flap { .. }) && here(play.on))
        {
            if let (Some(third), Some(last)) = (play.spans.get(SERIES - 1), play.spans.last()) {
                let cycles = play.spans.windows(2).map(|pair| pair[1].0.since(pair[0].0));
                let calm = (cycles.max().unwrap_or_default() * CALM_CYCLES).max(LONG);
                self.flapping.push((third.0, play.to));
                self.calm.push((play.to, last.1.max(play.to) + calm));
            }
        }
        self.flapping = union(std::mem::take(&mut self.flapping));
        self.calm = union(std::mem::take(&mut self.calm));
    }

    /// Makes spells of it all.
    fn settle(&mut self, start: Time, end: Time) {
        let lists = [
            &self.dark,
            &self.flapping,
            &self.calm,
            &self.degraded,
            &self.blind,
            &self.partial,
            &self.long,
        ];
        let ends = lists.into_iter().flatten().flat_map(|span| [span.0, span.1]);
        let mut times: Vec<Time> =
            ends.filter(|&time| time > start && time < end).chain([start]).collect();
        times.sort_unstable();
        times.dedup();
        for from in times {
            let holds = |spans: &[Span]| within(spans, from).is_some();
            let state = match () {
                () if holds(&self.blind) => State::Unknown,
                () if holds(&self.long) => State::Outage,
                () if holds(&self.flapping) => State::Flapping,
                () if holds(&self.dark) => State::Down,
                () if holds(&self.partial) => State::Partial,
                () if holds(&self.degraded) => State::Degraded,
                () => State::Up,
            };
            let spell = StateSpan { from, state, calm: holds(&self.calm) };
            let same = |last: &StateSpan| (last.state, last.calm) == (spell.state, spell.calm);
            if !self.spells.last().is_some_and(same) {
                self.spells.push(spell);
            }
        }
    }
}

/// When we cannot see. A dead resolver blinds us only if every host is given by name.
fn blind(plays: &[Play], halts: &[Span], scenario: &Scenario) -> Vec<Span> {
    let ours = plays.iter().filter(|play| match play.what {
        What::Uplink | What::Send => true,
        What::Resolver => scenario.classes.named >= 1.0,
        _ => false,
    });
    union(ours.flat_map(|play| play.spans.clone()).chain(halts.iter().copied()).collect())
}

fn worse(plays: &[Play], here: impl Fn(On) -> bool) -> Vec<Span> {
    let worse = plays.iter().filter(|play| {
        here(play.on)
            && match play.what {
                What::Lossy(loss) => loss >= LOSSY,
                What::Slow(factor) => factor >= SLOW,
                _ => false,
            }
    });
    union(worse.flat_map(|play| play.spans.clone()).collect())
}

/// When every host of a block is gone by events on hosts alone.
fn deserted(scenario: &Scenario, plays: &[Play], block: usize) -> Vec<Span> {
    let roster = &scenario.roster;
    let mut all = vec![(Time::default(), Time::NEVER)];
    for target in roster.blocks[block].targets.clone() {
        let first = target == 0
            || roster.targets[target as usize - 1].host != roster.targets[target as usize].host;
        if first {
            let gone = plays.iter().filter(|play| play.darkens() && play.on == On::Host(target));
            all = overlap(&all, &union(gone.flat_map(|play| play.spans.clone()).collect()));
        }
        if all.is_empty() {
            break;
        }
    }
    all
}

/// When at least `least` of the lists hold.
fn quorum<'a>(lists: impl Iterator<Item = &'a Vec<Span>>, least: usize) -> Vec<Span> {
    let mut turns: Vec<(Time, i32)> =
        lists.flatten().flat_map(|span| [(span.0, 1), (span.1, -1)]).collect();
    turns.sort_unstable();
    let (mut count, mut since, mut spans) = (0_i32, None, Vec::new());
    for (time, step) in turns {
        count += step;
        match since {
            None if count >= least as i32 => since = Some(time),
            Some(from) if count < least as i32 => {
                spans.push((from, time));
                since = None;
            }
            _ => {}
        }
    }
    union(spans)
}
