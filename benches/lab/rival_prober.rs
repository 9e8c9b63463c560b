//! Rivals as probers: each at its own pace, block by block. Only damping sees the truth, as its
//! input: that is its best case.

use super::{
    block_view::{BlockView, PATIENCE, block_changes, country_changes, unknown_since},
    prober::{Findings, Prober},
    rivals::{
        damping::Penalty,
        recipe::{Alert, Recipe, SCRAPE},
        ring::Ring,
        trinocular::{Belief, PROBES, ROUND},
    },
};
use lifesign_core::{
    judge::{Change, Edge, State},
    rng::Rng,
    scopes::{BlockId, CountryId, Scope},
    time::Time,
};
use lifesign_lab::{Referee, Scenario, world_and_truth};
use std::time::Duration;

/// The algorithm of a rival, with its settings where it has some.
pub enum Rival {
    Trinocular,
    /// The ring, in Nagios or in Icinga 2.
    Checks(Ring),
    Damping(Penalty),
    Recipe,
}

/// A rival with its name.
pub struct RivalProber {
    pub name: &'static str,
    pub rival: Rival,
}

impl Prober for RivalProber {
    fn name(&self) -> &str {
        self.name
    }

    fn run(&self, scenario: &Scenario, seed: u64) -> Findings {
        let (_, truth) = world_and_truth(scenario, seed);
        let mut referee = Referee::new(scenario.roster.clone(), scenario.start);
        let mut rng = Rng::new(seed ^ 0x71_4a15);
        let mut all: Vec<Change> = Vec::new();
        let mut blocks = Vec::new();
        for block in 0..scenario.roster.blocks.len() as u32 {
            let mut view = BlockView::new(scenario, seed, &truth, &mut referee, block);
            let phase = rng.unit();
            match &self.rival {
                Rival::Trinocular => trinocular(&mut view, phase),
                Rival::Checks(ring) => checks(&mut view, phase, ring.clone()),
                Rival::Damping(penalty) => damping(&mut view, *penalty),
                Rival::Recipe => recipe(&mut view, phase),
            }
            let verdicts = view.verdicts;
            all.extend(block_changes(BlockId(block), &verdicts));
            blocks.push(verdicts);
        }
        all.extend(country_changes(&blocks, CountryId(0)));
        all.sort_by_key(|change| change.time);
        for change in &all {
            referee.handle_change(change);
        }
        Findings { score: referee.score(&truth, scenario.end()), changes: all, shares: Vec::new() }
    }
}

fn after(from: Time, seconds: f64) -> Time {
    from + Duration::from_secs_f64(seconds)
}

fn trinocular(view: &mut BlockView<'_>, phase: f64) {
    let mut belief = Belief::new(view.availability);
    let mut turn = 0;
    let mut down = false;
    let mut rounds_down = 0;
    let mut last_hit = view.start;
    let mut last_miss = view.start;
    let mut first_miss = None;
    let mut round = after(view.start, phase * ROUND);
    while round < view.end {
        let mut at = round;
        let least = if down { belief.recovery_probes(rounds_down) } else { 1 };
        let mut hit_now = false;
        for number in 1..=PROBES {
            let answer = view.probe_in_turn(at, turn);
            turn += 1;
            belief.learn(answer.is_some());
            if let Some(time) = answer {
                hit_now = true;
                last_hit = at;
                first_miss = None;
                at = time;
            } else {
                first_miss = first_miss.or(Some(at + PATIENCE));
                if !hit_now {
                    last_miss = at;
                }
                at = at + PATIENCE;
            }
            if belief.verdict().is_some() && (hit_now || number >= least) {
                break;
            }
        }
        match belief.verdict() {
            Some(true) => {
                let edge = Edge { earliest: down.then_some(last_miss), latest: at };
                view.give_verdict(at, State::Up, edge);
                down = false;
            }
            Some(false) => {
                let latest = first_miss.unwrap_or(at);
                view.give_verdict(at, State::Outage, Edge { earliest: Some(last_hit), latest });
                rounds_down = if down { rounds_down + 1 } else { 1 };
                down = true;
            }
            None => belief.exhaust(),
        }
        round = after(round, ROUND);
    }
}

/// A check asks five times, a second apart, as `check_ping` does, and fails if nobody answers.
/// Every 5 minutes; a failure is tried again three times, a minute apart, before it is hard. Soft
/// failures leave no trace in the ring.
fn checks(view: &mut BlockView<'_>, phase: f64, mut ring: Ring) {
    let mut turn = 0;
    let mut failed = 0;
    let mut at = after(view.start, phase * 300.0);
    while at < view.end {
        let mut answered = false;
        for second in 0..5 {
            answered |= view.probe_in_turn(after(at, f64::from(second)), turn).is_some();
            turn += 1;
        }
        let finished = after(at, 4.0) + PATIENCE;
        failed = if answered { 0 } else { failed + 1 };
        let is_hard = answered || failed > 3;
        if is_hard {
            let state = match () {
                () if ring.check(answered) => State::Flapping,
                () if answered => State::Up,
                () => State::Outage,
            };
            view.give_verdict(finished, state, unknown_since(finished));
        }
        at = after(at, if is_hard { 300.0 } else { 60.0 });
    }
}

/// Fed by the true changes. Not suppressed, it says what is true: down, and after a minute outage.
fn damping(view: &mut BlockView<'_>, mut penalty: Penalty) {
    let darks: Vec<(Time, Time)> = view.truth.dark_spans(Scope::Block(view.block)).to_vec();
    let start = view.start;
    view.give_verdict(start, State::Up, unknown_since(start));
    for (number, &(from, to)) in darks.iter().enumerate() {
        penalty.withdraw(from.since(start).as_secs_f64());
        let next = darks.get(number + 1).map_or(view.end, |next| next.0);
        let reuse = penalty.reusable_at().map_or(from, |at| after(start, at));
        let known = reuse.max(from);
        let edge = Edge::at(from);
        if known > from {
            view.give_verdict(from, State::Flapping, edge);
        }
        let long = after(from, 60.0).max(known);
        if known < to.min(long) {
            view.give_verdict(known, State::Down, edge);
        }
        if long < to {
            view.give_verdict(long, State::Outage, edge);
        }
        let back = to.max(known);
        if back < next {
            view.give_verdict(back, State::Up, Edge::at(to));
        }
    }
}

fn recipe(view: &mut BlockView<'_>, phase: f64) {
    let mut recipe = Recipe::default();
    let mut at = after(view.start, phase * SCRAPE);
    while at < view.end {
        // A scrape config names one target; the first that ever answers is the kindest choice.
        let answer = view.probe_in_turn(at, 0);
        let finished = answer.unwrap_or(at + PATIENCE);
        let state = match recipe.scrape(answer.is_some()) {
            Alert::Outage => State::Outage,
            Alert::Flapping => State::Flapping,
            Alert::None => State::Up,
        };
        view.give_verdict(finished, state, unknown_since(finished));
        at = after(at, SCRAPE);
    }
}
