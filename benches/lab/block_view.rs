//! A rival's view of one block: it probes, and gives verdicts. Each block has a world of its own
//! with the same seed, so the truth is the same, and a probe may be waited for.

use lifesign_core::{
    judge::{Change, Darknesses, Edge, EvidenceText, State},
    outcome::{Due, Event, Repeat},
    scopes::{BlockId, CountryId, Scope, TargetId},
    time::Time,
};
use lifesign_lab::{Referee, Scenario, Truth, World, world_and_truth};
use std::time::Duration;

/// All rivals wait so long for an answer (Trinocular §4; trinarkular; blackbox exporter's usual
/// module).
pub const PATIENCE: Duration = Duration::from_secs(3);
/// Probes to each target before the watch, from which a rival knows who answers, and how often.
const CENSUS_PROBES: u32 = 400;

/// A rival's verdict on a block.
#[derive(Clone, Copy, Debug)]
pub struct RivalVerdict {
    pub time: Time,
    pub state: State,
    pub edge: Edge,
}

/// One block, seen by a rival.
pub struct BlockView<'a> {
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
    pub verdicts: Vec<RivalVerdict>,
}

impl<'a> BlockView<'a> {
    pub fn new(
        scenario: &Scenario,
        seed: u64,
        truth: &'a Truth,
        referee: &'a mut Referee,
        block: u32,
    ) -> Self {
        let (world, _) = world_and_truth(scenario, seed);
        let block = BlockId(block);
        let mut view = Self {
            world,
            truth,
            referee,
            block,
            active: Vec::new(),
            availability: 0.0,
            start: scenario.start,
            end: scenario.end(),
            seq: 0,
            verdicts: Vec::new(),
        };
        // The census is taken at the first moment, and counts for no budget nor rate limit: it is
        // the rival's history.
        let (census, _) = world_and_truth(&scenario.without_rate_limit(), seed);
        let world = std::mem::replace(&mut view.world, census);
        let mut hits = 0;
        for target in scenario.roster.block(block).targets.clone().map(TargetId) {
            let answers =
                (0..CENSUS_PROBES).filter(|_| view.probe(scenario.start, target).is_some()).count();
            if answers > 0 {
                view.active.push(target);
                hits += answers;
            }
        }
        view.world = world;
        view.availability =
            hits as f64 / (CENSUS_PROBES as usize * view.active.len().max(1)) as f64;
        view
    }

    /// Probes the active target whose turn it is: when the answer came, if it was in time.
    pub fn probe_in_turn(&mut self, at: Time, number: usize) -> Option<Time> {
        let target = *self.active.get(number % self.active.len().max(1))?;
        self.referee.handle_probe(self.block, at);
        self.probe(at, target)
    }

    fn probe(&mut self, at: Time, target: TargetId) -> Option<Time> {
        self.seq = self.seq.wrapping_add(1);
        let seq = self.seq;
        let repeat = Repeat::Never;
        let due = Due { target, seq, sent: at, patience: PATIENCE, trap: false, repeat };
        self.world.handle_probe(&due);
        let mut answered = None;
        loop {
            let next = self.world.next_arrival();
            if next > at + PATIENCE {
                return answered;
            }
            if let Some(Event::Outcome(outcome)) = self.world.poll_event(next) {
                let alive = outcome.seq == seq && outcome.found.rtt_if_alive().is_some();
                answered = answered.or(alive.then_some(next));
            }
        }
    }

    /// Gives this verdict, unless it is the last one again.
    pub fn give_verdict(&mut self, time: Time, state: State, edge: Edge) {
        if self.verdicts.last().is_none_or(|last| last.state != state) && time < self.end {
            self.verdicts.push(RivalVerdict { time, state, edge });
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
pub fn country_changes(blocks: &[Vec<RivalVerdict>], id: CountryId) -> Vec<Change> {
    let mut all: Vec<(RivalVerdict, usize)> = blocks
        .iter()
        .enumerate()
        .flat_map(|(block, verdicts)| verdicts.iter().map(move |verdict| (*verdict, block)))
        .collect();
    all.sort_by_key(|(verdict, _)| verdict.time);
    let first = RivalVerdict {
        time: Time::default(),
        state: State::Unknown,
        edge: unknown_since(Time::default()),
    };
    let mut now = vec![first; blocks.len()];
    let mut changes = Vec::<Change>::new();
    let mut last = State::Unknown;
    for (verdict, block) in all {
        now[block] = verdict;
        let count = |state| now.iter().filter(|verdict| verdict.state == state).count();
        let out = count(State::Outage);
        let flapping = count(State::Flapping);
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
            let edges = || now.iter().filter(|now| now.state == state).map(|now| now.edge);
            let edge = match state {
                State::Outage => Edge {
                    earliest: edges().filter_map(|edge| edge.earliest).max(),
                    latest: edges().map(|edge| edge.latest).max().unwrap_or(verdict.edge.latest),
                },
                State::Up
                | State::Degraded
                | State::Partial
                | State::Down
                | State::Flapping
                | State::Unknown => verdict.edge,
            };
            changes.push(Change {
                time: verdict.time,
                scope: Scope::Country(id),
                from: last,
                to: state,
                edge,
                evidence: EvidenceText::default(),
                darknesses: Darknesses::default(),
            });
            last = state;
        }
    }
    changes
}

/// The verdicts on a block as changes.
pub fn block_changes(
    block: BlockId,
    verdicts: &[RivalVerdict],
) -> impl Iterator<Item = Change> + '_ {
    let mut last = State::Unknown;
    verdicts.iter().map(move |verdict| Change {
        time: verdict.time,
        scope: Scope::Block(block),
        from: std::mem::replace(&mut last, verdict.state),
        to: verdict.state,
        edge: verdict.edge,
        evidence: EvidenceText::default(),
        darknesses: Darknesses::default(),
    })
}
