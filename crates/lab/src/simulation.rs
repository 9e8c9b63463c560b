//! A scenario in virtual time: the core that `run` drives, with a [`World`] for its network. Time
//! goes from one event to the next.

use super::{
    Scenario,
    handshakes::Handshakes,
    impairment::{self, Suspension},
    places::PlaceScore,
    referee::Referee,
    roads::Roads,
    score::Score,
    tracing::Tracing,
    truth::Truth,
    world::World,
};
use lifesign_core::{
    judge::{Change, State},
    outcome::Due,
    scopes::{BlockId, PerFamily, Scope},
    time::Time,
    watch::{Settings, Watch},
};
use lifesign_path::{PathEvent, Paths};
use std::{ops::Range, sync::Arc, time::Duration};

/// Each control is asked so often, as `run` does.
const CONTROL_INTERVAL: Duration = Duration::from_secs(1);
/// How long after it is given out a probe leaves: a prober reads the clock for itself.
const SENT_AFTER: Duration = Duration::from_micros(50);

const MINUTE: Duration = Duration::from_secs(60);
/// So often the shares of hosts are read.
const SHARE_INTERVAL: Duration = Duration::from_secs(3600);

/// A scenario under way.
#[derive(Debug)]
pub struct Simulation {
    watch: Watch,
    world: World,
    handshakes: Handshakes,
    truth: Truth,
    referee: Referee,
    /// If the file says what the paths are.
    tracing: Option<Tracing>,
    controls: u16,
    next_control_probe: Time,
    next_share: Time,
    /// Those to come, the nearest last.
    suspensions: Vec<Suspension>,
    now: Time,
    end: Time,
    probes: u64,
}

impl Simulation {
    /// World and truth depend on the scenario and `seed` alone; the core is given `settings`, for
    /// which [`Scenario::settings`] is the usual value.
    pub fn new(scenario: &Scenario, seed: u64, settings: &Settings) -> Self {
        let impairments = impairment::impairments(scenario, seed);
        let mut suspensions = impairment::suspensions(&impairments);
        suspensions.reverse();
        let roads = Roads::new(scenario, &settings.controls, seed);
        let tracing = roads.map(|roads| {
            let budget = settings.budget.unwrap_or(scenario.budget);
            let controls = &settings.controls;
            Tracing::new(roads, &scenario.roster, budget, controls, seed, scenario.start)
        });
        Self {
            tracing,
            watch: Watch::new(scenario.roster.clone(), settings, scenario.start),
            world: World::new(scenario, &impairments, seed),
            handshakes: Handshakes::new(scenario.roster.clone()),
            truth: Truth::new(scenario, &impairments, seed),
            referee: Referee::new(scenario.roster.clone(), scenario.start),
            controls: settings.controls.len() as u16,
            next_control_probe: scenario.start,
            next_share: scenario.start + SHARE_INTERVAL,
            suspensions,
            now: scenario.start,
            end: scenario.end(),
            probes: 0,
        }
    }

    /// Runs to this time, or to the end if that is earlier. Every change of verdict is passed on.
    pub fn run_until(&mut self, until: Time, on_change: &mut dyn FnMut(&Change)) {
        let until = until.min(self.end);
        if let Some(tracing) = &mut self.tracing {
            tracing.found.clear();
        }
        loop {
            let network = self.world.next_arrival().min(self.handshakes.poll_timeout());
            let traced = self.tracing.as_ref().map_or(Time::NEVER, Tracing::next_event);
            let network = network.min(traced);
            let due = self.watch.poll_timeout();
            let wake = due.min(network);
            let wake = if self.controls > 0 { wake.min(self.next_control_probe) } else { wake };
            if wake >= until {
                self.now = until;
                return;
            }
            self.now = self.now.max(wake);
            self.sit_out_suspensions();
            while let Some(repeat) = self.handshakes.poll_repeat(self.now) {
                self.world.handle_probe(&repeat);
                self.referee
                    .handle_probe(self.watch.roster().target(repeat.target).block, repeat.sent);
            }
            while self.controls > 0 && self.next_control_probe <= self.now {
                for control in 0..self.controls {
                    self.world.handle_control_probe(control, self.next_control_probe);
                }
                self.next_control_probe = self.now.max(self.next_control_probe) + CONTROL_INTERVAL;
            }
            if due <= self.now {
                self.watch.handle_timeout(self.now, self.now);
                let sent = self.now + SENT_AFTER;
                while let Some(probe) = self.watch.poll_probe(self.now) {
                    let probe = Due { sent, ..probe };
                    self.probes += 1;
                    self.world.handle_probe(&probe);
                    self.handshakes.handle_probe(&probe);
                    let block = self.watch.roster().target(probe.target).block;
                    self.referee.handle_probe(block, probe.sent);
                }
            }
            while let Some(event) = &mut self.world.poll_event(self.now) {
                if self.handshakes.report(event) {
                    self.watch.handle_event(self.now, event);
                    if let Some(tracing) = &mut self.tracing {
                        tracing.handle_event(event, &self.watch, self.now);
                    }
                }
            }
            while let Some(change) = self.watch.poll_change() {
                self.referee.handle_change(&change);
                if let Some(tracing) = &mut self.tracing {
                    tracing.handle_change(&change, &self.truth);
                }
                on_change(&change);
            }
            if let Some(tracing) = &mut self.tracing {
                tracing.look_at_flapping(&self.watch, &self.truth, self.now);
                while let Some(block) = self.watch.poll_doubt() {
                    tracing.handle_doubt(block, self.now);
                }
                tracing.advance(&self.truth, self.now);
            }
            if self.next_share <= self.now {
                self.note_shares();
            }
        }
    }

    /// The same, by minutes: what changed in each is passed on after it, with the simulation as it
    /// is then. It stops at an error.
    pub fn run_by_minutes<E>(
        &mut self,
        until: Time,
        mut on_minute: impl FnMut(&Self, &[Change]) -> Result<(), E>,
    ) -> Result<(), E> {
        let until = until.min(self.end);
        let mut at = self.now;
        let mut changes = Vec::new();
        while at < until {
            at = (at + MINUTE).min(until);
            self.run_until(at, &mut |change| changes.push(change.clone()));
            on_minute(self, &changes)?;
            changes.clear();
        }
        Ok(())
    }

    fn note_shares(&mut self) {
        let snapshot = self.watch.snapshot(self.now, 0, 0);
        for (id, view) in self.watch.roster().scope_ids().zip(&snapshot.scopes) {
            if let Some(share) = view.verdict.hosts.share() {
                self.referee.handle_share(self.watch.roster().scope(id), self.now, share);
            }
        }
        self.next_share = self.now + SHARE_INTERVAL;
    }

    /// If the process or the machine stands still now, goes on to when it does not.
    fn sit_out_suspensions(&mut self) {
        while let Some(next) = self.suspensions.pop_if(|next| next.span.0 <= self.now) {
            if next.loses_arrivals {
                self.world.drop_arrivals(next.span);
            }
            self.now = self.now.max(next.span.1);
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

    /// What was found on paths in the last [`Self::run_until`], or in the last minute of
    /// [`Self::run_by_minutes`].
    pub fn found(&self) -> &[PathEvent] {
        self.tracing.as_ref().map_or(&[], |tracing| &tracing.found)
    }

    /// Where paths break now, if the file says what they are.
    pub fn paths(&self) -> Paths {
        let Some(Tracing { tracer, .. }) = &self.tracing else { return Paths::default() };
        let roster = self.watch.roster();
        let view = |id| Arc::new(tracer.path_view(BlockId(id)));
        let place = |blocks: &Range<u32>| tracer.place_of(blocks.clone());
        Paths {
            blocks: (0..roster.blocks.len() as u32).map(view).collect(),
            networks: roster.networks.iter().map(|of| place(&of.blocks)).collect(),
            countries: roster.countries.iter().map(|of| place(&of.blocks)).collect(),
            own: PerFamily::new(|family| tracer.own_place(family).cloned()),
            probes: *tracer.counts(),
        }
    }

    /// What is right.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The verdicts so far, held against the truth.
    pub fn score(&self) -> Score {
        self.referee.score(&self.truth, self.now)
    }

    /// The places so far, held against the truth, if the file says what the paths are.
    pub fn place_score(&self) -> Option<PlaceScore> {
        self.tracing.as_ref().map(Tracing::score)
    }

    /// What share of its usual hosts a scope was said to have so far, and when.
    pub fn shares(&self, scope: Scope) -> Vec<(Time, f64)> {
        self.referee.shares(scope)
    }

    /// A scope's verdicts so far, each with when it was given.
    pub fn verdicts(&self, scope: Scope) -> Vec<(Time, State)> {
        self.referee.verdicts(scope)
    }
}
