//! The driver of virtual time. In: a scenario. Out: changes of verdict, from the very core that
//! `run` drives, and a [`Score`]. It never waits: time goes from one event to the next.

use super::{
    Scenario,
    score::{Referee, Score},
    script::{self, Span},
    truth::Truth,
    world::World,
};
use lifesign_core::{
    judge::Change,
    time::Time,
    watch::{Settings, Watch},
};
use std::time::Duration;

/// Controls are asked in turn, one each second.
const CONTROL_EVERY: Duration = Duration::from_secs(1);

/// A scenario under way.
#[derive(Debug)]
pub struct Simulation {
    watch: Watch,
    world: World,
    truth: Truth,
    referee: Referee,
    controlled: bool,
    asked: u64,
    next_control: Time,
    /// Halts to come, the nearest last; `true` where what arrives is lost.
    halts: Vec<(Span, bool)>,
    now: Time,
    end: Time,
    probes: u64,
}

impl Simulation {
    /// Sets it up. World and truth depend on the file and `seed` alone; the core is told
    /// `settings`, for which [`Scenario::settings`] is the usual value.
    pub fn new(scenario: &Scenario, seed: u64, settings: &Settings) -> Self {
        let plays = script::plays(scenario, seed);
        let mut halts = script::halts(&plays);
        halts.reverse();
        Self {
            watch: Watch::new(scenario.roster.clone(), settings, scenario.start),
            world: World::new(scenario, &plays, seed),
            truth: Truth::new(scenario, &plays),
            referee: Referee::new(&scenario.roster, scenario.start),
            controlled: !settings.controls.is_empty(),
            asked: 0,
            next_control: scenario.start,
            halts,
            now: scenario.start,
            end: scenario.end(),
            probes: 0,
        }
    }

    /// Runs to this time, or to the end if that is earlier. Every change of verdict is passed on.
    pub fn run(&mut self, until: Time, each: &mut dyn FnMut(&Change)) {
        let until = until.min(self.end);
        loop {
            let wake = self.watch.poll_timeout().min(self.world.next_arrival());
            let wake = if self.controlled { wake.min(self.next_control) } else { wake };
            if wake >= until {
                self.now = until;
                return;
            }
            self.now = self.now.max(wake);
            self.halt();
            while self.controlled && self.next_control <= self.now {
                self.world.ask_control(self.asked, self.next_control);
                self.asked += 1;
                self.next_control = self.now.max(self.next_control) + CONTROL_EVERY;
            }
            if self.watch.poll_timeout() <= self.now {
                self.watch.handle_timeout(self.now, self.now);
                while let Some(due) = self.watch.poll_probe(self.now) {
                    self.probes += 1;
                    self.world.ask(&due);
                    self.referee.probe(self.watch.roster().target(due.target).block, due.sent);
                }
            }
            while let Some(event) = self.world.arrive(self.now) {
                self.watch.handle_event(self.now, &event);
            }
            while let Some(change) = self.watch.poll_change() {
                self.referee.change(&change);
                each(&change);
            }
        }
    }

    /// If the process or the machine stands still now, goes on to when it does not.
    fn halt(&mut self) {
        while let Some(&(span, lost)) = self.halts.last().filter(|(span, _)| span.0 <= self.now) {
            if lost {
                self.world.drop_arrivals(span);
            }
            self.now = self.now.max(span.1);
            self.halts.pop();
        }
    }

    /// How far it has come.
    pub fn now(&self) -> Time {
        self.now
    }

    /// How many probes were sent.
    pub fn probes(&self) -> u64 {
        self.probes
    }

    /// The core, to ask for more than changes.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// What is right.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The verdicts so far, held against the truth.
    pub fn score(&self) -> Score {
        self.referee.score(&self.truth, self.watch.roster(), self.now)
    }

    /// A scope's verdicts so far, each with when it was given.
    pub fn verdicts(
        &self,
        scope: lifesign_core::scopes::Scope,
    ) -> Vec<(Time, lifesign_core::judge::State)> {
        self.referee.verdicts(scope)
    }
}
