//! Events that befall some hosts of a scope: which, and when each. All of it follows from the seed.

use super::{
    Scenario,
    event::{Course, Effect, Pick, Sample, ScenarioEvent},
    event_scope::EventScope,
    impairment::{Impairment, Span},
};
use lifesign_core::{
    rng::Rng,
    scopes::{BlockId, Roster},
    time::Time,
};
use std::{collections::HashMap, time::Duration};

/// The hosts of a scenario, as events befall them one after the other.
pub(super) struct Hosts<'a> {
    scenario: &'a Scenario,
    rng: Rng,
    /// When each host is gone, by its first target; only of those that ever are.
    gone: HashMap<u32, Vec<Span>>,
}

impl<'a> Hosts<'a> {
    pub fn new(scenario: &'a Scenario, seed: u64) -> Self {
        Self { scenario, rng: Rng::new(seed ^ 0x0b57_ed05), gone: HashMap::new() }
    }

    /// Hosts that are listed and not there, from the first to the last moment.
    pub fn absent(&mut self) -> Vec<Impairment> {
        let mut all = Vec::new();
        for (block, &alive) in self.scenario.alive.iter().enumerate() {
            let mut hosts = hosts_of(&self.scenario.roster, block);
            if alive as usize >= hosts.len() {
                continue;
            }
            self.rng.shuffle(&mut hosts);
            for &host in &hosts[alive as usize..] {
                let span = (self.scenario.start, self.scenario.end());
                self.gone.entry(host).or_default().push(span);
                all.push(Impairment::of_host(host, span));
            }
        }
        all
    }

    /// Notes an event on one host, or adds what an event on some hosts of a scope comes to.
    pub fn befall(&mut self, event: &ScenarioEvent, all: &mut Vec<Impairment>) {
        if let (EventScope::Host(host), Effect::Dark { .. }) = (event.scope, event.effect) {
            self.gone.entry(host).or_default().push((event.from, event.to));
        }
        let Some(sample) = event.sample else { return };
        let blocks = match event.scope {
            EventScope::Country(index) => {
                self.scenario.roster.countries[index as usize].blocks.clone()
            }
            EventScope::Block(index) => index..index + 1,
            EventScope::Us | EventScope::Control(_) | EventScope::Host(_) => 0..0,
        };
        for block in blocks {
            self.befall_block(event, sample, block as usize, all);
        }
    }

    fn befall_block(
        &mut self,
        event: &ScenarioEvent,
        sample: Sample,
        block: usize,
        all: &mut Vec<Impairment>,
    ) {
        let hosts = hosts_of(&self.scenario.roster, block);
        let (mut there, mut absent): (Vec<u32>, Vec<u32>) =
            hosts.into_iter().partition(|host| !self.is_gone(*host, event.from));
        match sample.pick {
            Pick::Count(number) => {
                self.rng.shuffle(&mut there);
                there.truncate(number);
            }
            Pick::Share(share) => there.retain(|_| self.rng.chance(share)),
        }
        self.rng.shuffle(&mut absent);
        for host in there {
            let at = event.from + sample.over.mul_f64(self.rng.unit());
            match sample.course {
                // What goes for a while returns at one time for all.
                Course::Once => {
                    self.add(event, host, vec![(at.min(event.to), event.to)], all);
                }
                Course::Appear => {
                    let at = (event.to + at.since(event.from)).min(self.scenario.end());
                    self.add(event, host, vec![(event.from, at)], all);
                }
                Course::Churn { down, up } => {
                    let spans = self.churn(event.from, event.to, down, up);
                    self.add(event, host, spans, all);
                }
                Course::Renumber => {
                    self.add(event, host, vec![(at, event.to)], all);
                    if let Some(other) = absent.pop() {
                        self.bring_back(other, at, all);
                    }
                }
            }
        }
    }

    fn add(
        &mut self,
        event: &ScenarioEvent,
        host: u32,
        spans: Vec<Span>,
        all: &mut Vec<Impairment>,
    ) {
        if let (Effect::Dark { .. }, None) = (event.effect, event.only) {
            self.gone.entry(host).or_default().extend(&spans);
        }
        let &ScenarioEvent { from, to, effect, only, .. } = event;
        all.push(Impairment { scope: EventScope::Host(host), effect, only, from, to, spans });
    }

    fn is_gone(&self, host: u32, at: Time) -> bool {
        let spans = self.gone.get(&host).into_iter().flatten();
        spans.into_iter().any(|span| span.0 <= at && at < span.1)
    }

    /// Ends every absence of a host that goes on at this time.
    fn bring_back(&mut self, host: u32, at: Time, all: &mut [Impairment]) {
        let end = |span: &mut Span| {
            if span.0 <= at && at < span.1 {
                span.1 = at;
            }
        };
        self.gone.entry(host).or_default().iter_mut().for_each(end);
        let of_host = |impairment: &&mut Impairment| impairment.scope == EventScope::Host(host);
        for impairment in all.iter_mut().filter(of_host) {
            impairment.spans.iter_mut().for_each(end);
        }
    }

    fn churn(&mut self, from: Time, to: Time, down: f64, up: f64) -> Vec<Span> {
        let mut draw = |mean| Duration::from_secs_f64(self.rng.exponential(mean).max(1.0));
        let mut spans = Vec::new();
        let mut at = from + draw(up);
        while at < to {
            let back = (at + draw(down)).min(to);
            spans.push((at, back));
            at = back + draw(up);
        }
        spans
    }
}

/// The first target of each host of a block.
pub(super) fn hosts_of(roster: &Roster, block: usize) -> Vec<u32> {
    roster.targets_by_host(BlockId(block as u32)).map(|targets| targets.start).collect()
}
