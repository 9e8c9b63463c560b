//! In virtual time the watch is away for minutes, or has a country too large for its memory of
//! single misses.

use super::{Settings, Watch};
use crate::fixtures::{SENT_AFTER, of_sizes, start};
use crate::{
    judge::{Blindness, Change, Edge, State},
    outcome::{ControlOutcome, Due, Event, Found},
    schedule::Budget,
    scopes::{CountryId, Family, Roster, Scope},
    time::Time,
};
use std::{iter::from_fn, sync::Arc, time::Duration};

const RTT: Duration = Duration::from_millis(50);

/// A watch in virtual time whose hosts all answer, but where `dark` says otherwise.
struct World {
    watch: Watch,
    now: Time,
    /// When it was called before: what came by then has been read.
    turn: Time,
    asked: Vec<Due>,
    control: bool,
}

impl World {
    fn new(roster: Roster, control: bool) -> Self {
        let now = start();
        let controls = if control { vec!["127.0.0.1".parse().unwrap()] } else { vec![] };
        let watch =
            Watch::new(Arc::new(roster), &Settings { controls, ..Settings::default() }, now);
        Self { watch, now, turn: now, asked: Vec::new(), control }
    }

    fn play(&mut self, long: Duration, dark: bool) {
        let end = self.now + long;
        let mut tick = self.now;
        while self.now < end {
            for due in std::mem::take(&mut self.asked) {
                let found = Found::Reply { rtt: RTT, rcode: None, unexpected: false };
                if !dark {
                    let outcome = due.outcome(due.sent + SENT_AFTER, found);
                    self.watch.handle_event(self.now, &Event::Outcome(outcome));
                }
            }
            if self.control && tick <= self.now {
                let control = ControlOutcome { control: 0, sent: self.now, answered: true };
                self.watch.handle_event(self.now, &Event::Control(control));
                tick = self.now + Duration::from_secs(1);
            }
            self.watch.handle_timeout(self.now, self.turn);
            self.turn = self.now;
            self.asked.extend(from_fn(|| self.watch.poll_probe(self.now)));
            self.now = (self.now + RTT).min(end);
        }
    }

    /// Nobody watches for so long.
    fn halt(&mut self, long: Duration) {
        self.now = self.now + long;
    }

    fn changes(&mut self) -> Vec<Change> {
        from_fn(|| self.watch.poll_change()).collect()
    }

    /// For how many seconds every scope was in this state.
    fn seconds(&self, state: State) -> Vec<f64> {
        let snapshot = self.watch.snapshot(self.now, 0, 0);
        snapshot.scopes.iter().map(|scope| scope.verdict.state_seconds()[state]).collect()
    }

    fn blindness(&self) -> Blindness {
        self.watch.snapshot(self.now, 0, 0).blindness[Family::V4].expect("hosts of IPv4")
    }

    fn state(&self) -> State {
        let snapshot = self.watch.snapshot(self.now, 0, 0);
        snapshot.scope(Scope::Country(CountryId(0))).verdict.state
    }
}

/// A laptop's lid, a virtual machine's pause: five minutes in which nobody watched prove nothing.
#[test]
fn nobody_watches_for_five_minutes() {
    for control in [true, false] {
        let mut world = World::new(of_sizes(&[vec![4; 4]]), control);
        world.play(Duration::from_secs(120), false);
        assert_eq!(world.state(), State::Up);
        while world.watch.poll_change().is_some() {}
        world.now = world.now + Duration::from_secs(300);
        world.play(Duration::from_secs(30), false);
        let changes: Vec<_> = from_fn(|| world.watch.poll_change()).collect();
        let states: Vec<State> = changes.iter().map(|change| change.to).collect();
        assert_eq!(states.iter().filter(|&&state| state == State::Up).count(), 5, "{changes:#?}");
        assert!(
            states.iter().all(|state| matches!(state, State::Up | State::Unknown)),
            "{changes:#?}"
        );
        let Blindness { is_blind, seconds, spells } = world.blindness();
        assert_eq!((is_blind, spells), (false, 1));
        assert!((300.0..302.0).contains(&seconds), "{seconds}");
        assert!(world.watch.snapshot(world.now, 0, 0).slots_missed > 200);
    }
}

/// Five minutes away in the middle of a darkness: it is not called long for time in which nobody
/// asked.
#[test]
fn nobody_watches_while_a_country_is_dark() {
    let mut world = World::new(of_sizes(&[vec![4; 4]]), true);
    world.play(Duration::from_secs(120), false);
    world.play(Duration::from_secs(15), true);
    assert_eq!(world.state(), State::Down);
    world.now = world.now + Duration::from_secs(300);
    while world.watch.poll_change().is_some() {}
    world.play(Duration::from_secs(5), false);
    let changes: Vec<_> = from_fn(|| world.watch.poll_change()).collect();
    assert!(changes.iter().all(|change| change.to != State::Outage), "{changes:#?}");
    assert_eq!(world.state(), State::Up);
}

/// Stopped for 45 s: that is 45 s of unknown, and whatever was found afterwards began in it.
#[test]
fn what_nobody_watched_is_unknown_and_edges_span_it() {
    let halt = Duration::from_secs(45);
    let mut world = World::new(of_sizes(&[vec![4; 4]]), true);
    world.play(Duration::from_secs(120), false);
    world.changes();
    let up = world.seconds(State::Up);
    let unknown = world.seconds(State::Unknown);
    let stopped = world.now;
    world.halt(halt);
    let woken = world.now;
    world.play(Duration::from_secs(5), false);
    for (after, before) in world.seconds(State::Up).iter().zip(up) {
        assert!(after - before <= 5.0, "{before} s up, and then {after} s");
    }
    for (after, before) in world.seconds(State::Unknown).iter().zip(unknown) {
        assert!(after - before >= 44.9, "{before} s unknown, and then {after} s");
    }
    let changes = world.changes();
    assert_eq!(changes.len(), 10, "{changes:#?}");
    for change in &changes {
        let Edge { earliest, latest } = change.edge;
        assert!(earliest.is_some_and(|earliest| earliest <= stopped), "{change:?}");
        match change.to {
            State::Unknown => {
                assert!(change.time <= stopped && latest <= stopped, "{change:?}");
                assert!(change.evidence.text(0).contains("nobody watched"), "{change:?}");
            }
            _ => assert!(change.to == State::Up && latest >= woken, "{change:?}"),
        }
    }
}

#[test]
fn what_nobody_watched_of_an_outage_is_no_time_of_it() {
    let mut world = World::new(of_sizes(&[vec![4; 4]]), true);
    world.play(Duration::from_secs(120), false);
    world.play(Duration::from_secs(90), true);
    assert_eq!(world.state(), State::Outage);
    let began = world.changes().last().map(|change| change.edge);
    let outage = world.seconds(State::Outage);
    world.halt(Duration::from_secs(300));
    world.play(Duration::from_secs(5), true);
    assert_eq!(world.state(), State::Outage);
    for (after, before) in world.seconds(State::Outage).iter().zip(outage) {
        assert!(after - before <= 5.1, "{before} s of outage, and then {after} s");
    }
    let changes = world.changes();
    assert_eq!(changes.len(), 10, "{changes:#?}");
    let again = changes.iter().filter(|change| change.to == State::Outage);
    assert!(again.clone().count() == 5 && again.clone().any(|change| Some(change.edge) == began));
}

/// A cut just before a halt: the halt is no part of the minute that makes an outage.
#[test]
fn a_darkness_that_begins_before_a_halt_is_called_by_what_was_watched() {
    let mut world = World::new(of_sizes(&[vec![4; 4]]), true);
    world.play(Duration::from_secs(120), false);
    world.play(Duration::from_secs(5), true);
    world.changes();
    world.halt(Duration::from_secs(300));
    world.play(Duration::from_secs(50), true);
    assert_eq!(world.state(), State::Down);
    world.play(Duration::from_secs(40), true);
    assert_eq!(world.state(), State::Outage);
}

/// A block is asked each three minutes, and nothing is due when nobody runs for 45 s.
#[test]
fn a_halt_between_two_probes_that_are_far_apart_is_unknown() {
    let mut world = World::new(of_sizes(&[vec![1]]), false);
    let settings = Settings { budget: Some(Budget::FRUGAL), ..Settings::default() };
    world.watch = Watch::new(world.watch.roster().clone(), &settings, world.now);
    world.play(Duration::from_secs(1200), false);
    while world.watch.schedule.poll_timeout() < world.now + Duration::from_secs(60) {
        world.play(Duration::from_secs(5), false);
    }
    assert_eq!(world.state(), State::Up);
    let blindness = world.blindness();
    world.halt(Duration::from_secs(45));
    world.play(Duration::from_secs(5), false);
    assert_eq!(world.state(), State::Unknown);
    let seconds = world.blindness().seconds - blindness.seconds;
    assert!((45.0..46.0).contains(&seconds), "{seconds}");
    world.play(Duration::from_secs(400), false);
    assert_eq!(world.state(), State::Up);
}

/// Our uplink dies in a darkness, and then nobody runs for ten seconds: we are as blind after it.
#[test]
fn a_halt_ends_no_blindness() {
    let mut world = World::new(of_sizes(&[vec![4; 4]]), true);
    world.play(Duration::from_secs(120), false);
    world.play(Duration::from_secs(20), true);
    assert_eq!(world.state(), State::Down);
    world.control = false;
    world.play(Duration::from_secs(300), true);
    assert_eq!(world.state(), State::Unknown);
    world.changes();
    world.halt(Duration::from_secs(10));
    world.play(Duration::from_secs(60), true);
    let changes = world.changes();
    assert!(changes.is_empty(), "{changes:#?}");
    let Blindness { is_blind, seconds, spells } = world.blindness();
    assert!(is_blind && spells == 1 && (365.0..368.0).contains(&seconds), "{seconds} s, {spells}");
    // Of the darkness, what was watched counts.
    world.control = true;
    world.play(Duration::from_secs(20), true);
    assert_eq!(world.state(), State::Down);
    world.play(Duration::from_secs(60), true);
    assert_eq!(world.state(), State::Outage);
}

/// Of a hundred blocks more is missed in 5 s than is remembered one by one.
#[test]
fn a_country_of_a_hundred_blocks_is_gone() {
    let mut world = World::new(of_sizes(&[vec![4; 100]]), true);
    world.play(Duration::from_secs(300), false);
    assert_eq!(world.state(), State::Up);
    while world.watch.poll_change().is_some() {}
    world.play(Duration::from_secs(12), true);
    assert_eq!(world.state(), State::Down);
    world.play(Duration::from_secs(60), true);
    assert_eq!(world.state(), State::Outage);
    assert!(from_fn(|| world.watch.poll_change()).all(|change| change.to != State::Partial));
    world.play(Duration::from_secs(30), false);
    assert_eq!(world.state(), State::Up);
}

/// What was saved up for doubts outlives a run: without it, four blocks wait three minutes for
/// the second token.
#[test]
fn a_restart_in_a_young_darkness_keeps_what_was_saved_up_for_doubts() {
    let mut world = World::new(of_sizes(&[vec![4; 4]]), true);
    let controls = vec!["127.0.0.1".parse().unwrap()];
    let settings = Settings { budget: Some(Budget::FRUGAL), controls, ..Settings::default() };
    world.watch = Watch::new(world.watch.roster().clone(), &settings, world.now);
    world.play(Duration::from_secs(2 * 3600), false);
    world.play(Duration::from_secs(5), true);
    let memory = world.watch.remember(world.now, 0);
    world.halt(Duration::from_secs(1));
    world.watch = Watch::new(world.watch.roster().clone(), &settings, world.now);
    world.turn = world.now;
    world.asked.clear();
    assert!(world.watch.recall(memory, world.now));
    world.play(Duration::from_secs(60), true);
    assert_eq!(world.state(), State::Down);
}
