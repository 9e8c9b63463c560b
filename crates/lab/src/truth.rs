//! What the referee knows: the right state of each scope at each time. It follows from the scenario
//! alone, without a probe, and shares no line with the judge.
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
    event::{Effect, EventScope},
    impairment::{Impairment, Span, intersection, span_at, suspensions, union},
};
use lifesign_core::{
    judge::State,
    scopes::{Roster, Scope},
    time::Time,
};
use std::{sync::Arc, time::Duration};

const OUTAGE_AFTER: Duration = Duration::from_secs(60);
/// Added loss and slowdown from which a scope is degraded.
const DEGRADED_LOSS: f64 = 0.15;
const DEGRADED_SLOWDOWN: f64 = 2.0;
const CALM_CYCLES: u32 = 3;
const LEAST_CALM: Duration = Duration::from_secs(60);
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
    roster: Arc<Roster>,
    /// By [`ScopeId`](lifesign_core::scopes::ScopeId).
    scopes: Vec<ScopeTruth>,
    suspensions: Vec<Span>,
}

#[derive(Clone, Debug, Default)]
struct ScopeTruth {
    states: Vec<StateSpan>,
    dark: Vec<Span>,
    outage: Vec<Span>,
    flapping: Vec<Span>,
    calm: Vec<Span>,
    degraded: Vec<Span>,
    blind: Vec<Span>,
    partial: Vec<Span>,
}

impl Truth {
    pub(super) fn new(scenario: &Scenario, impairments: &[Impairment]) -> Self {
        let roster = &scenario.roster;
        let suspensions: Vec<Span> =
            suspensions(impairments).into_iter().map(|suspension| suspension.span).collect();
        let blind = blind_spans(impairments, &suspensions, scenario);
        let mut scopes = Vec::with_capacity(roster.scope_count());
        for index in 0..roster.blocks.len() {
            let mut block = ScopeTruth { blind: blind.clone(), ..ScopeTruth::default() };
            block.follow_block(scenario, impairments, index);
            scopes.push(block);
        }
        for id in roster.scope_ids().skip(roster.blocks.len()) {
            let scope = roster.scope(id);
            let blocks = roster.blocks_of(scope);
            let blocks = blocks.start as usize..blocks.end as usize;
            let whole = EventScope::Country(roster.country_id_of(scope).0);
            let on_country = |scope: EventScope| {
                let alone = blocks.len() == 1 && scope == EventScope::Block(blocks.start as u32);
                scope == whole || alone
            };
            let mut country = ScopeTruth { blind: blind.clone(), ..ScopeTruth::default() };
            country.follow_country(impairments, on_country, &scopes[blocks.clone()]);
            scopes.push(country);
        }
        for scope in &mut scopes {
            scope.find_states(scenario.start, scenario.end());
        }
        Self { roster: roster.clone(), scopes, suspensions }
    }

    fn of(&self, scope: Scope) -> &ScopeTruth {
        &self.scopes[self.roster.scope_id(scope).index()]
    }

    /// The right state at a time within the scenario.
    pub fn state(&self, scope: Scope, time: Time) -> State {
        let spans = self.state_spans(scope);
        let next = spans.partition_point(|span| span.from <= time);
        spans.get(next.saturating_sub(1)).map_or(State::Unknown, |span| span.state)
    }

    /// Every stay of a scope in a state, in order; the first begins with the scenario.
    pub fn state_spans(&self, scope: Scope) -> &[StateSpan] {
        &self.of(scope).states
    }

    /// When the scope is dark, from and until; sorted and disjoint.
    pub fn dark_spans(&self, scope: Scope) -> &[(Time, Time)] {
        &self.of(scope).dark
    }

    /// When the process or the machine stands still, and no verdict can be asked of it.
    pub fn suspensions(&self) -> &[(Time, Time)] {
        &self.suspensions
    }
}

impl ScopeTruth {
    fn follow_block(&mut self, scenario: &Scenario, impairments: &[Impairment], index: usize) {
        let country = EventScope::Country(scenario.roster.blocks[index].country.0);
        let on_block =
            |scope: EventScope| scope == EventScope::Block(index as u32) || scope == country;
        let dark = impairments
            .iter()
            .filter(|impairment| impairment.is_darkness() && on_block(impairment.scope))
            .flat_map(|impairment| impairment.spans.clone());
        self.dark = union(dark.chain(all_hosts_gone(scenario, impairments, index)).collect());
        self.find_outages();
        self.find_flapping(impairments, on_block);
        self.degraded =
            degraded_spans(impairments, |scope| on_block(scope) || scope == EventScope::Us);
    }

    fn follow_country(
        &mut self,
        impairments: &[Impairment],
        on_country: impl Fn(EventScope) -> bool,
        blocks: &[ScopeTruth],
    ) {
        let always = vec![(Time::default(), Time::NEVER)];
        self.dark = blocks.iter().fold(always, |all, block| intersection(&all, &block.dark));
        self.dark.retain(|span| span.1 != Time::NEVER || !blocks.is_empty());
        self.find_outages();
        self.find_flapping(impairments, &on_country);
        let own = degraded_spans(impairments, |scope| on_country(scope) || scope == EventScope::Us);
        let half = at_least(blocks.len().div_ceil(2), blocks.iter().map(|block| &block.degraded));
        self.degraded = union(own.into_iter().chain(half).collect());
        self.partial = union(blocks.iter().flat_map(|block| block.outage.clone()).collect());
    }

    fn find_outages(&mut self) {
        let is_outage = |span: &Span| span.1.since(span.0) >= OUTAGE_AFTER;
        self.outage = self.dark.iter().copied().filter(is_outage).collect();
    }

    /// Finds flapping, and the calm after it.
    fn find_flapping(&mut self, impairments: &[Impairment], here: impl Fn(EventScope) -> bool) {
        let is_flap = |impairment: &&Impairment| {
            matches!(impairment.effect, Effect::Flap { .. }) && here(impairment.scope)
        };
        for Impairment { to, spans, .. } in impairments.iter().filter(is_flap) {
            if let (Some(third), Some(last)) = (spans.get(SERIES - 1), spans.last()) {
                let cycles = spans.windows(2).map(|pair| pair[1].0.since(pair[0].0));
                let calm = (cycles.max().unwrap_or_default() * CALM_CYCLES).max(LEAST_CALM);
                self.flapping.push((third.0, *to));
                self.calm.push((*to, last.1.max(*to) + calm));
            }
        }
        self.flapping = union(std::mem::take(&mut self.flapping));
        self.calm = union(std::mem::take(&mut self.calm));
    }

    /// Makes states of it all.
    fn find_states(&mut self, start: Time, end: Time) {
        let lists = [
            &self.dark,
            &self.flapping,
            &self.calm,
            &self.degraded,
            &self.blind,
            &self.partial,
            &self.outage,
        ];
        let bounds = lists.into_iter().flatten().flat_map(|span| [span.0, span.1]);
        let mut times: Vec<Time> =
            bounds.filter(|&time| time > start && time < end).chain([start]).collect();
        times.sort_unstable();
        times.dedup();
        for from in times {
            let holds = |spans: &[Span]| span_at(spans, from).is_some();
            let state = match () {
                () if holds(&self.blind) => State::Unknown,
                () if holds(&self.outage) => State::Outage,
                () if holds(&self.flapping) => State::Flapping,
                () if holds(&self.dark) => State::Down,
                () if holds(&self.partial) => State::Partial,
                () if holds(&self.degraded) => State::Degraded,
                () => State::Up,
            };
            let span = StateSpan { from, state, calm: holds(&self.calm) };
            let is_same = |last: &StateSpan| (last.state, last.calm) == (span.state, span.calm);
            if !self.states.last().is_some_and(is_same) {
                self.states.push(span);
            }
        }
    }
}

/// When we cannot see. A dead resolver blinds us only if every host is given by name.
fn blind_spans(impairments: &[Impairment], suspensions: &[Span], scenario: &Scenario) -> Vec<Span> {
    let blinding = impairments.iter().filter(|impairment| match impairment.effect {
        Effect::Uplink | Effect::Send => true,
        Effect::Resolver => scenario.host_mix.named >= 1.0,
        _ => false,
    });
    let spans = blinding.flat_map(|impairment| impairment.spans.clone());
    union(spans.chain(suspensions.iter().copied()).collect())
}

fn degraded_spans(impairments: &[Impairment], here: impl Fn(EventScope) -> bool) -> Vec<Span> {
    let degrading = impairments.iter().filter(|impairment| {
        here(impairment.scope)
            && match impairment.effect {
                Effect::Lossy(loss) => loss >= DEGRADED_LOSS,
                Effect::Slow(factor) => factor >= DEGRADED_SLOWDOWN,
                _ => false,
            }
    });
    union(degrading.flat_map(|impairment| impairment.spans.clone()).collect())
}

/// When every host of a block is gone by events on hosts alone.
fn all_hosts_gone(scenario: &Scenario, impairments: &[Impairment], block: usize) -> Vec<Span> {
    let targets = &scenario.roster.targets;
    let mut all = vec![(Time::default(), Time::NEVER)];
    for index in scenario.roster.blocks[block].targets.clone() {
        let target = index as usize;
        let is_first_of_host = target == 0 || targets[target - 1].host != targets[target].host;
        if is_first_of_host {
            let gone = impairments.iter().filter(|impairment| {
                impairment.is_darkness() && impairment.scope == EventScope::Host(index)
            });
            let gone = union(gone.flat_map(|impairment| impairment.spans.clone()).collect());
            all = intersection(&all, &gone);
        }
        if all.is_empty() {
            break;
        }
    }
    all
}

/// When so many of the lists hold.
fn at_least<'a>(least: usize, lists: impl Iterator<Item = &'a Vec<Span>>) -> Vec<Span> {
    let mut steps: Vec<(Time, i32)> =
        lists.flatten().flat_map(|span| [(span.0, 1), (span.1, -1)]).collect();
    steps.sort_unstable();
    let mut count = 0_i32;
    let mut since = None;
    let mut spans = Vec::new();
    for (time, step) in steps {
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
