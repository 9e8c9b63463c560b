//! Rivals at work. In: a scene. Out: what each says of its block, at the pace that is its own. It
//! never lets one see the truth, but for damping, whose input is the truth: its best case.

use super::{
    prober::{Prober, Run},
    rivals::{
        damping::Penalty,
        recipe::{Alert, Recipe, SCRAPE},
        ring::Ring,
        trinocular::{Belief, PROBES, ROUND},
    },
    scene::{PATIENCE, Scene, changes, country, unknown_since},
};
use lifesign_core::{
    judge::{Change, Edge, State},
    rng::Rng,
    scopes::{BlockId, CountryId, Scope},
    time::Time,
};
use lifesign_lab::{Referee, Scenario, world_and_truth};
use std::time::Duration;

/// Which algorithm.
pub enum Rival {
    Trinocular,
    /// The ring, in Nagios or in Icinga 2.
    Checks(Ring),
    Damping(Penalty),
    Recipe,
}

/// A rival with its name.
pub struct Theirs {
    pub name: &'static str,
    pub rival: Rival,
}

impl Prober for Theirs {
    fn name(&self) -> &str {
        self.name
    }

    fn run(&self, scenario: &Scenario, seed: u64) -> Run {
        let (_, truth) = world_and_truth(scenario, seed);
        let mut referee = Referee::new(&scenario.roster, scenario.start);
        let mut rng = Rng::new(seed ^ 0x71_4a15);
        let mut all: Vec<Change> = Vec::new();
        let mut blocks = Vec::new();
        for block in 0..scenario.roster.blocks.len() as u32 {
            let mut scene = Scene::new(scenario, seed, &truth, &mut referee, block);
            let phase = rng.unit();
            match &self.rival {
                Rival::Trinocular => trinocular(&mut scene, phase),
                Rival::Checks(ring) => checks(&mut scene, phase, ring.clone()),
                Rival::Damping(penalty) => damping(&mut scene, *penalty),
                Rival::Recipe => recipe(&mut scene, phase),
            }
            let said = scene.said;
            all.extend(changes(BlockId(block), &said));
            blocks.push(said);
        }
        all.extend(country(&blocks, CountryId(0)));
        all.sort_by_key(|change| change.time);
        for change in &all {
            referee.handle_change(change);
        }
        Run { score: referee.score(&truth, &scenario.roster, scenario.end()), changes: all }
    }
}

fn after(from: Time, seconds: f64) -> Time {
    from + Duration::from_secs_f64(seconds)
}

fn trinocular(scene: &mut Scene<'_>, phase: f64) {
    let mut belief = Belief::new(scene.availability);
    let (mut turn, mut down, mut rounds_down) = (0, false, 0);
    let (mut last_hit, mut last_miss, mut first_miss) = (scene.start, scene.start, None);
    let mut round = after(scene.start, phase * ROUND);
    while round < scene.end {
        let mut at = round;
        let least = if down { belief.recovery_probes(rounds_down) } else { 1 };
        let mut hit_now = false;
        for number in 1..=PROBES {
            let answer = scene.ask(at, turn);
            turn += 1;
            belief.learn(answer.is_some());
            if let Some(time) = answer {
                (hit_now, last_hit, first_miss) = (true, at, None);
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
                scene.say(at, State::Up, edge);
                down = false;
            }
            Some(false) => {
                let latest = first_miss.unwrap_or(at);
                scene.say(at, State::Outage, Edge { earliest: Some(last_hit), latest });
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
fn checks(scene: &mut Scene<'_>, phase: f64, mut ring: Ring) {
    let (mut turn, mut failed) = (0, 0);
    let mut at = after(scene.start, phase * 300.0);
    while at < scene.end {
        let mut answered = false;
        for question in 0..5 {
            answered |= scene.ask(after(at, f64::from(question)), turn).is_some();
            turn += 1;
        }
        let told = after(at, 4.0) + PATIENCE;
        failed = if answered { 0 } else { failed + 1 };
        let is_hard = answered || failed > 3;
        if is_hard {
            let state = match () {
                () if ring.check(answered) => State::Flapping,
                () if answered => State::Up,
                () => State::Outage,
            };
            scene.say(told, state, unknown_since(told));
        }
        at = after(at, if is_hard { 300.0 } else { 60.0 });
    }
}

/// Fed by the true changes. Not suppressed, it says what is true: down, and after a minute outage.
fn damping(scene: &mut Scene<'_>, mut penalty: Penalty) {
    let darks: Vec<(Time, Time)> = scene.truth.dark_spans(Scope::Block(scene.block)).to_vec();
    let start = scene.start;
    scene.say(start, State::Up, unknown_since(start));
    for (number, &(from, to)) in darks.iter().enumerate() {
        penalty.withdraw(from.since(start).as_secs_f64());
        let next = darks.get(number + 1).map_or(scene.end, |next| next.0);
        let reuse = penalty.reusable_at().map_or(from, |at| after(start, at));
        let (known, edge) = (reuse.max(from), Edge { earliest: Some(from), latest: from });
        if known > from {
            scene.say(from, State::Flapping, edge);
        }
        let long = after(from, 60.0).max(known);
        if known < to.min(long) {
            scene.say(known, State::Down, edge);
        }
        if long < to {
            scene.say(long, State::Outage, edge);
        }
        let back = to.max(known);
        if back < next {
            scene.say(back, State::Up, Edge { earliest: Some(to), latest: to });
        }
    }
}

fn recipe(scene: &mut Scene<'_>, phase: f64) {
    let mut recipe = Recipe::default();
    let mut at = after(scene.start, phase * SCRAPE);
    while at < scene.end {
        // A scrape config names one target; the first that ever answers is the kindest choice.
        let answer = scene.ask(at, 0);
        let told = answer.unwrap_or(at + PATIENCE);
        let state = match recipe.scrape(answer.is_some()) {
            Alert::Outage => State::Outage,
            Alert::Flapping => State::Flapping,
            Alert::None => State::Up,
        };
        scene.say(told, state, unknown_since(told));
        at = after(at, SCRAPE);
    }
}
