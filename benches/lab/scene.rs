//! A rival's view of one block. In: questions. Out: whether they were answered in time, and what
//! the rival said of it. Each block has a world of its own with the same seed, so the truth is the
//! same and its probes may wait.

use lifesign_core::{
    judge::{Change, Edge, State},
    outcome::{Due, Event},
    scopes::{BlockId, CountryId, Scope, TargetId},
    time::Time,
};
use lifesign_lab::{Referee, Scenario, Truth, World, world_and_truth};
use std::time::Duration;

/// All rivals wait so long for an answer (Trinocular §4; trinarkular; blackbox exporter's usual
/// module).
pub const PATIENCE: Duration = Duration::from_secs(3);
/// Questions to each target before the watch, from which a rival knows who answers, and how often.
const CENSUS: u32 = 400;

/// What a rival said of a block, and since when.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    pub time: Time,
    pub state: State,
    pub edge: Edge,
}

/// One block, seen by a rival.
pub struct Scene<'a> {
    world: World,
    pub truth: &'a Truth,
    referee: &'a mut Referee,
    pub block: BlockId,
    /// Targets that answered the census at all.
    pub active: Vec<TargetId>,
    /// Mean share that they answered: what years of censuses would have taught.
    pub availability: f64,
    pub start: Time,
    pub end: Time,
    seq: u32,
    pub said: Vec<Said>,
}

impl<'a> Scene<'a> {
    pub fn new(
        scenario: &Scenario,
        seed: u64,
        truth: &'a Truth,
        referee: &'a mut Referee,
        block: u32,
    ) -> Self {
        let (world, _) = world_and_truth(scenario, seed);
        let block = BlockId(block);
        let mut scene = Self {
            world,
            truth,
            referee,
            block,
            active: Vec::new(),
            availability: 0.0,
            start: scenario.start,
            end: scenario.end(),
            seq: 0,
            said: Vec::new(),
        };
        // The census is taken at the first moment, and counts for no budget: it is the rival's
        // history.
        let mut hits = 0;
        for target in scenario.roster.block(block).targets.clone().map(TargetId) {
            let answers =
                (0..CENSUS).filter(|_| scene.question(scenario.start, target).is_some()).count();
            if answers > 0 {
                scene.active.push(target);
                hits += answers;
            }
        }
        scene.availability = hits as f64 / (CENSUS as usize * scene.active.len().max(1)) as f64;
        scene
    }

    /// Asks the `number`-th active target in turn: when the answer came, if it was in time.
    pub fn ask(&mut self, at: Time, number: usize) -> Option<Time> {
        let target = *self.active.get(number % self.active.len().max(1))?;
        self.referee.handle_probe(self.block, at);
        self.question(at, target)
    }

    fn question(&mut self, at: Time, target: TargetId) -> Option<Time> {
        self.seq = self.seq.wrapping_add(1);
        let seq = self.seq;
        self.world.handle_probe(&Due { target, seq, sent: at, patience: PATIENCE, trap: false });
        let mut answered = None;
        loop {
            let next = self.world.next_arrival();
            if next > at + PATIENCE {
                return answered;
            }
            if let Some(Event::Outcome(outcome)) = self.world.poll_event(next) {
                let alive = outcome.seq == seq && outcome.found.alive().is_some();
                answered = answered.or(alive.then_some(next));
            }
        }
    }

    /// Says this of the block, if it is news.
    pub fn say(&mut self, time: Time, state: State, edge: Edge) {
        if self.said.last().is_none_or(|last| last.state != state) && time < self.end {
            self.said.push(Said { time, state, edge });
        }
    }
}

/// An edge of which a rival knows nothing but its end.
pub fn unknown_since(latest: Time) -> Edge {
    Edge { earliest: None, latest }
}

/// What follows for the country: outage when fewer than half of its blocks are left, as IODA's
/// critical level has it; flapping when most flap or are in outage; partial when some are in
/// outage.
pub fn country(blocks: &[Vec<Said>], id: CountryId) -> Vec<Change> {
    let mut news: Vec<(Said, usize)> = blocks
        .iter()
        .enumerate()
        .flat_map(|(place, said)| said.iter().map(move |said| (*said, place)))
        .collect();
    news.sort_by_key(|(said, _)| said.time);
    let first =
        Said { time: Time::default(), state: State::Unknown, edge: unknown_since(Time::default()) };
    let mut now = vec![first; blocks.len()];
    let (mut changes, mut last) = (Vec::<Change>::new(), State::Unknown);
    for (said, place) in news {
        now[place] = said;
        let count = |state| now.iter().filter(|said| said.state == state).count();
        let (out, flapping) = (count(State::Outage), count(State::Flapping));
        let state = match () {
            () if count(State::Unknown) > 0 => State::Unknown,
            () if 2 * out > now.len() => State::Outage,
            () if flapping > 0 && 2 * (out + flapping) > now.len() => State::Flapping,
            () if 2 * (count(State::Down) + out) > now.len() => State::Down,
            () if out > 0 => State::Partial,
            () => State::Up,
        };
        if state != last {
            // All blocks share the begin of a country's darkness, so every edge of theirs holds it.
            let edges = || now.iter().filter(|said| said.state == state).map(|said| said.edge);
            let edge = match state {
                State::Outage => Edge {
                    earliest: edges().filter_map(|edge| edge.earliest).max(),
                    latest: edges().map(|edge| edge.latest).max().unwrap_or(said.edge.latest),
                },
                _ => said.edge,
            };
            let scope = Scope::Country(id);
            let evidence = String::new();
            changes.push(Change { time: said.time, scope, from: last, to: state, edge, evidence });
            last = state;
        }
    }
    changes
}

/// A block's own sayings as changes.
pub fn changes(block: BlockId, said: &[Said]) -> impl Iterator<Item = Change> + '_ {
    let mut last = State::Unknown;
    said.iter().map(move |said| {
        let from = std::mem::replace(&mut last, said.state);
        let (scope, evidence) = (Scope::Block(block), String::new());
        Change { time: said.time, scope, from, to: said.state, edge: said.edge, evidence }
    })
}
