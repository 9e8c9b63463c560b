//! The tracer beside the watch: what `run` does with sockets, by routers that a file describes.

use super::{
    places::{OpenBreak, PlaceScore, TruePlace},
    roads::{Node, Roads},
    truth::Truth,
};
use lifesign_core::{
    judge::{Change, State},
    outcome::{Event, Found},
    schedule::Budget,
    scopes::{BlockId, Family, Host, Kind, Roster, Scope},
    time::Time,
    watch::Watch,
};
use lifesign_path::{PathEvent, Place, Settings, TracedBlock, Tracer};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

/// Hop limits of hosts begin here.
const INITIAL_HOP_LIMIT: u8 = 64;
/// So many hosts of a block may be traced.
const TARGETS: usize = 4;
/// So often it is seen whether what flaps is dark: as often as a run has a snapshot.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Tracing {
    roster: Arc<Roster>,
    pub tracer: Tracer,
    pub roads: Roads,
    score: PlaceScore,
    open: BTreeMap<u32, OpenBreak>,
    /// What was found on paths since the simulation was told last to run.
    pub found: Vec<PathEvent>,
    /// Blocks that flap, and when to look next whether they are dark.
    flapping: BTreeSet<u32>,
    next_look: Time,
    /// Since we are blind, it was said why.
    is_own_said: bool,
}

impl Tracing {
    pub fn new(
        roads: Roads,
        roster: &Arc<Roster>,
        budget: Budget,
        controls: &[IpAddr],
        seed: u64,
        now: Time,
    ) -> Self {
        let settings = Settings::default();
        let is_frugal = budget.base < Budget::DEFAULT.base;
        let settings = if is_frugal { settings.frugal() } else { settings };
        let mut tracer = Tracer::new(settings, seed, now);
        tracer.set_networks(roads.networks());
        let block = |(id, block): (u32, &lifesign_core::scopes::Block)| {
            let mut targets: Vec<IpAddr> = Vec::new();
            let of_block =
                &roster.targets[block.targets.start as usize..block.targets.end as usize];
            for is_pinged in [true, false] {
                let of_kind = of_block.iter().filter(|each| (each.kind == Kind::Icmp) == is_pinged);
                for target in of_kind {
                    if let Host::Address(address) = target.host
                        && !targets.contains(&address)
                    {
                        targets.push(address);
                    }
                }
            }
            targets.truncate(if roads.road_of(id).is_some() { TARGETS } else { 0 });
            TracedBlock {
                prefix: block.prefix,
                country: block.country,
                asn: block.network.and_then(|id| roster.network(id).asn),
                targets,
            }
        };
        tracer.set_blocks((0..).zip(&roster.blocks).map(block).collect(), now);
        tracer.set_controls(controls, now);
        Self {
            roster: roster.clone(),
            tracer,
            roads,
            score: PlaceScore::default(),
            open: BTreeMap::new(),
            found: Vec::new(),
            flapping: BTreeSet::new(),
            next_look: now,
            is_own_said: false,
        }
    }

    pub fn next_event(&self) -> Time {
        self.tracer.poll_timeout().min(self.roads.next_arrival())
    }

    /// Does what is due by now.
    pub fn advance(&mut self, truth: &Truth, now: Time) {
        while let Some(answer) = self.roads.poll_answer(now) {
            self.tracer.handle_answer(answer, now);
        }
        self.tracer.handle_timeout(now);
        while let Some(probe) = self.tracer.poll_probe(now) {
            self.score.sent += 1;
            let scope = match probe.of {
                lifesign_path::Traced::Block(block) => Scope::Block(block),
                lifesign_path::Traced::Control(_) => Scope::Block(BlockId(0)),
            };
            let is_control = matches!(probe.of, lifesign_path::Traced::Control(_));
            let is_blind = truth.state(scope, now) == State::Unknown;
            let is_cut = match probe.of {
                lifesign_path::Traced::Block(block) => self.roads.break_of(block.0, now).is_some(),
                lifesign_path::Traced::Control(_) => false,
            };
            let is_dark = || truth.is_dark(scope, now);
            let answers = is_control || is_cut || !is_dark();
            self.roads.handle_probe(&probe, answers, !is_blind, now);
        }
        while let Some(event) = self.tracer.poll_event() {
            self.record(event);
        }
    }

    fn record(&mut self, event: PathEvent) {
        match &event {
            PathEvent::Place { block, place } => {
                let is_near = place.place == Place::NearUs;
                match self.open.get_mut(&block.0) {
                    Some(open) => open.named.push(place.clone()),
                    None => self.score.false_near_us += u64::from(is_near),
                }
            }
            PathEvent::OwnPlace { place, .. } => {
                let is_first = !std::mem::replace(&mut self.is_own_said, true);
                self.score.own_places += u64::from(is_first && place.place == Place::NearUs);
            }
            PathEvent::Upstream { .. } => self.score.upstream_changes += 1,
            PathEvent::Hops { .. } => self.score.length_changes += 1,
            PathEvent::ReturnPath { .. } => self.score.return_path_changes += 1,
        }
        self.found.push(event);
    }

    /// The judge doubts a block.
    pub fn handle_doubt(&mut self, block: BlockId, now: Time) {
        self.tracer.handle_doubt(block, now);
    }

    /// What the network told the watch, which has taken it in.
    pub fn handle_event(&mut self, event: &Event, watch: &Watch, now: Time) {
        let Event::Outcome(outcome) = event else { return };
        let target = self.roster.target(outcome.target);
        if watch.is_life(outcome) {
            self.tracer.handle_host_answer(target.block, outcome.sent, now);
        }
        if !matches!(outcome.found, Found::Reply { .. }) {
            return;
        }
        if let (Kind::Icmp, Some(length)) = (target.kind, self.roads.length(target.block.0, now)) {
            let left = INITIAL_HOP_LIMIT - length + 1;
            self.tracer.handle_reply_hop_limit(target.block, outcome.target, left, now);
        }
    }

    /// What the judge says.
    pub fn handle_change(&mut self, change: &Change, truth: &Truth) {
        let Scope::Block(block) = change.scope else { return };
        let family = Family::of(self.roster.block(block).prefix.address());
        let now = change.time;
        if change.to == State::Unknown {
            return self.tracer.handle_blind(family, true, now);
        }
        if change.from == State::Unknown {
            self.tracer.handle_blind(family, false, now);
            self.is_own_said = false;
        }
        self.flapping.remove(&block.0);
        match change.to {
            State::Down | State::Outage => self.begin_break(block, truth, now),
            State::Up | State::Degraded | State::Partial => self.end_break(block, now),
            State::Flapping => {
                self.flapping.insert(block.0);
                self.next_look = now;
            }
            State::Unknown => {}
        }
    }

    /// What no change says: whether a block that flaps is dark just now.
    pub fn look_at_flapping(&mut self, watch: &Watch, truth: &Truth, now: Time) {
        if self.flapping.is_empty() || now < self.next_look {
            return;
        }
        self.next_look = now + LOOK_INTERVAL;
        let snapshot = watch.snapshot(now, 0, 0);
        for block in self.flapping.clone().into_iter().map(BlockId) {
            let is_dark = snapshot.scope(Scope::Block(block)).verdict.calm_at.is_none();
            match (is_dark, self.tracer.is_down(block)) {
                (true, false) => self.begin_break(block, truth, now),
                (false, true) => self.end_break(block, now),
                _ => {}
            }
        }
    }

    fn begin_break(&mut self, block: BlockId, truth: &Truth, now: Time) {
        self.tracer.handle_down(block, now);
        if !self.open.contains_key(&block.0) {
            let truth = true_place(&self.roads, block, truth, now);
            self.open.insert(block.0, OpenBreak { down: now, truth, named: Vec::new() });
        }
        while let Some(event) = self.tracer.poll_event() {
            self.record(event);
        }
    }

    fn end_break(&mut self, block: BlockId, now: Time) {
        self.tracer.handle_life(block, now);
        if let Some(open) = self.open.remove(&block.0) {
            self.score.close(&open);
        }
    }

    /// How good places were so far.
    pub fn score(&self) -> PlaceScore {
        let mut score = self.score.clone();
        for open in self.open.values() {
            score.close(open);
        }
        (score.busiest, score.beyond_budget) = self.roads.busiest();
        score.arrived = self.tracer.arrived();
        PlaceScore::pool(std::iter::once(&score))
    }
}

/// Where the path to a dark block breaks.
pub(super) fn true_place(
    roads: &Roads,
    block: BlockId,
    truth: &Truth,
    now: Time,
) -> Option<TruePlace> {
    let road = roads.road_of(block.0)?;
    if !truth.is_dark(Scope::Block(block), now) {
        return None;
    }
    let nodes = roads.nodes(block.0, now);
    let event = roads.break_of(block.0, now);
    let after = event.map_or(nodes.len(), |event| roads.position(block.0, event, now));
    let answers = |hop: &usize| nodes[hop - 1].answers > 0.2;
    let last = (1..=after).rev().find(answers).unwrap_or(0);
    let target = nodes.len() + 1;
    let first_silent = (after + 1..target).find(answers).unwrap_or(target);
    let word = |last: usize, silent: usize| {
        let is_inside = |hop: usize| nodes.get(hop - 1).is_none_or(|node: &Node| node.is_inside);
        match () {
            () if silent <= road.shared => Place::NearUs,
            () if last == 0 => Place::Unknown,
            () if is_inside(last) => Place::Inside,
            () if is_inside(silent) => Place::AtTheirBorder,
            () => Place::OnTheWay,
        }
    };
    Some(TruePlace {
        after,
        last,
        first_silent,
        word: word(last, first_silent),
        strict_word: word(after, after + 1),
    })
}
