//! What the referee knows: the right state of each scope at each time. It follows from the scenario
//! alone, without a probe, and shares no line with the judge.
//!
//! A block is dark when an event on it or on its country says so, or when each of its hosts is
//! gone; a country when all its blocks are. Darkness of `outage_after` or more is `outage` from its
//! first moment, shorter is `down`. Within a flap, `flapping` begins at the third time down. After
//! its last return comes a calm of three of its longest cycles (at least a minute) in which
//! `flapping` is still right, and so is what follows it (docs/verdicts.md). A scope is `partial`
//! while it is not dark and fewer than half of its usual hosts are there; a country also while one
//! of its blocks is in outage, or half of them are dark or flap. Blocks in which nobody ever was do
//! not count. Added loss of 15 points or a doubled round-trip time is `degraded`; a country is
//! degraded when half of its blocks are. While we cannot see, `unknown` is right.

use super::{
    Scenario,
    event::Effect,
    event_scope::EventScope,
    host::{WorldHost, draw_hosts},
    impairment::{ByScope, Impairment, Span, intersection, span_at, suspensions, union},
    presence::{BlockPresence, Presence, added_loss, less_than_half, sum},
};
use lifesign_core::{
    judge::State,
    rng::Rng,
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
    /// What is right too: `flapping` in the calm after a flap; `partial` in that of the blocks;
    /// `degraded` behind a router that limits its answers.
    pub also: Option<State>,
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
    presence: Vec<Presence>,
    dark: Vec<Span>,
    outage: Vec<Span>,
    flapping: Vec<Span>,
    calm: Vec<Span>,
    degraded: Vec<Span>,
    blind: Vec<Span>,
    partial: Vec<Span>,
    partial_calm: Vec<Span>,
    rate_limited: bool,
}

impl Truth {
    pub(super) fn new(scenario: &Scenario, impairments: &[Impairment], seed: u64) -> Self {
        let roster = &scenario.roster;
        let suspensions: Vec<Span> =
            suspensions(impairments).into_iter().map(|suspension| suspension.span).collect();
        let blind = blind_spans(impairments, &suspensions, scenario);
        let world = Known {
            scenario,
            hosts: draw_hosts(scenario, &mut Rng::new(seed)),
            by_scope: ByScope::new(impairments),
        };
        let mut scopes: Vec<ScopeTruth> = Vec::with_capacity(roster.scope_count());
        for id in roster.scope_ids() {
            let mut scope = ScopeTruth {
                blind: blind.clone(),
                rate_limited: scenario.host_mix.rate_limit.is_some(),
                ..ScopeTruth::default()
            };
            match roster.scope(id) {
                Scope::Block(block) => scope.follow_block(&world, block.0),
                of @ (Scope::Network(_) | Scope::Country(_)) => {
                    let blocks = roster.blocks_of(of);
                    let parts: Vec<&ScopeTruth> =
                        blocks.clone().map(|block| &scopes[block as usize]).collect();
                    scope.follow_parts(&world, roster.country_id_of(of).0, blocks.start, &parts);
                }
            }
            scope.find_states(scenario.start, scenario.end());
            scopes.push(scope);
        }
        Self { roster: roster.clone(), scopes, suspensions }
    }

    fn of(&self, scope: Scope) -> &ScopeTruth {
        &self.scopes[self.roster.scope_id(scope).index()]
    }

    /// How many hosts of a scope are there over time, in order; the first begins with the scenario.
    pub fn presence(&self, scope: Scope) -> &[Presence] {
        &self.of(scope).presence
    }

    /// How many hosts of a scope are there at a time within the scenario.
    pub fn hosts(&self, scope: Scope, time: Time) -> Presence {
        let steps = self.presence(scope);
        steps[steps.partition_point(|step| step.from <= time).max(1) - 1]
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

    /// Is the scope dark at a time?
    pub fn is_dark(&self, scope: Scope, time: Time) -> bool {
        span_at(self.dark_spans(scope), time).is_some()
    }

    /// When the process or the machine stands still, and no verdict can be asked of it.
    pub fn suspensions(&self) -> &[(Time, Time)] {
        &self.suspensions
    }
}

/// What the truth follows from.
struct Known<'a> {
    scenario: &'a Scenario,
    hosts: Vec<WorldHost>,
    by_scope: ByScope<'a>,
}

impl ScopeTruth {
    fn follow_block(&mut self, known: &Known<'_>, index: u32) {
        let roster = &known.scenario.roster;
        let country = EventScope::Country(roster.blocks[index as usize].country.0);
        let here = [EventScope::Block(index), country];
        let on_block =
            || here.into_iter().flat_map(|scope| known.by_scope.of(scope).iter().copied());
        let whole = on_block().filter(|one| one.is_darkness() && one.only.is_none());
        let presence = BlockPresence::new(
            roster,
            &known.hosts,
            &known.by_scope,
            index,
            whole.flat_map(|impairment| impairment.spans.clone()).collect(),
            (known.scenario.start, known.scenario.end()),
        );
        self.dark = presence.dark;
        self.presence = presence.steps;
        self.partial = less_than_half(&self.presence);
        self.find_outages();
        self.find_flapping(on_block());
        let ours = known.by_scope.of(EventScope::Us).iter().copied();
        self.degraded =
            degraded_spans(on_block().chain(ours), |one| added_loss(one, roster, index));
    }

    /// A country, or a network of one: what follows from its blocks, the first of which is given.
    fn follow_parts(
        &mut self,
        known: &Known<'_>,
        country: u32,
        first: u32,
        blocks: &[&ScopeTruth],
    ) {
        let always = vec![(Time::default(), Time::NEVER)];
        self.dark = blocks.iter().fold(always, |all, block| intersection(&all, &block.dark));
        self.dark.retain(|span| span.1 != Time::NEVER || !blocks.is_empty());
        self.find_outages();
        let own = known.by_scope.of(EventScope::Country(country)).iter().copied();
        let alone = known.by_scope.of(EventScope::Block(first)).iter().copied();
        let here = || own.clone().chain(alone.clone().filter(|_| blocks.len() == 1));
        self.find_flapping(here());
        let ours = known.by_scope.of(EventScope::Us).iter().copied();
        let own = degraded_spans(here().chain(ours), |one| match one.effect {
            Effect::Lossy(loss) if one.only.is_none() => loss,
            _ => 0.0,
        });
        let half = at_least(blocks.len().div_ceil(2), blocks.iter().map(|block| &block.degraded));
        self.degraded = union(own.into_iter().chain(half).collect());
        self.presence = sum(known.scenario.start, blocks.iter().map(|block| &block.presence[..]));
        let inhabited = |block: &&&ScopeTruth| block.presence.iter().any(|step| step.usual > 0);
        let inhabited: Vec<&ScopeTruth> = blocks.iter().filter(inhabited).copied().collect();
        let half = inhabited.len().div_ceil(2).max(1);
        let troubled = |block: &&ScopeTruth| {
            union(block.dark.iter().chain(&block.flapping).copied().collect())
        };
        let troubled: Vec<Vec<Span>> = inhabited.iter().map(troubled).collect();
        let restless = |block: &&ScopeTruth| {
            union(
                [&block.dark, &block.flapping, &block.calm]
                    .into_iter()
                    .flatten()
                    .copied()
                    .collect(),
            )
        };
        let restless: Vec<Vec<Span>> = inhabited.iter().map(restless).collect();
        let outages = inhabited.iter().flat_map(|block| block.outage.iter().copied());
        let partial =
            outages.chain(at_least(half, troubled.iter())).chain(less_than_half(&self.presence));
        self.partial = union(partial.collect());
        self.partial_calm = at_least(half, restless.iter());
    }

    fn find_outages(&mut self) {
        let is_outage = |span: &Span| span.1.since(span.0) >= OUTAGE_AFTER;
        self.outage = self.dark.iter().copied().filter(is_outage).collect();
    }

    /// Finds flapping, and the calm after it.
    fn find_flapping<'a>(&mut self, here: impl Iterator<Item = &'a Impairment>) {
        let is_flap = |impairment: &&Impairment| {
            matches!(impairment.effect, Effect::Flap { .. }) && impairment.only.is_none()
        };
        for Impairment { to, spans, .. } in here.filter(is_flap) {
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
            &self.partial_calm,
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
            let calm = holds(&self.calm).then_some(State::Flapping);
            let also = calm
                .or(holds(&self.partial_calm).then_some(State::Partial))
                .or(self.rate_limited.then_some(State::Degraded));
            let span = StateSpan { from, state, also };
            let is_same = |last: &StateSpan| (last.state, last.also) == (span.state, span.also);
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

/// When answers are much rarer or later than usual; `added_loss` says how much an event adds.
fn degraded_spans<'a>(
    impairments: impl Iterator<Item = &'a Impairment>,
    added_loss: impl Fn(&Impairment) -> f64,
) -> Vec<Span> {
    let degrading = impairments.filter(|impairment| match impairment.effect {
        Effect::Slow(factor) => factor >= DEGRADED_SLOWDOWN && impairment.only.is_none(),
        _ => added_loss(impairment) >= DEGRADED_LOSS,
    });
    union(degrading.flat_map(|impairment| impairment.spans.clone()).collect())
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
