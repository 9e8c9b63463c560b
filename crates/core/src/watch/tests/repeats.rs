//! TCP-only countries in virtual time, and a kernel that repeats SYNs where it may.

use super::{Settings, Watch};
use crate::{
    fixtures::start,
    judge::State,
    outcome::{Due, Event, Found, Outcome, Repeat},
    schedule::Budget,
    scopes::{Host, Kind, Roster},
    time::Time,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const SECOND: Duration = Duration::from_secs(1);
const QUICK: Option<Duration> = Some(Duration::from_millis(200));
const SLOW: Option<Duration> = Some(Duration::from_millis(1200));
const DARK: Option<Duration> = None;

/// One block of so many hosts, all asked by TCP alone.
struct Country {
    watch: Watch,
    now: Time,
    /// Every SYN, those that the kernel repeated too.
    packets: Vec<Time>,
    repeats: usize,
    /// The state of the country after each event.
    states: Vec<(Time, State)>,
    arrivals: BTreeMap<(Time, u32, u32), Outcome>,
}

impl Country {
    fn new(hosts: u8, budget: Budget) -> Self {
        let mut roster = Roster::default();
        roster.add_country("XA", "A");
        roster.add_block("127.45.176.0/24".parse().unwrap());
        for host in 1..=hosts {
            let address = format!("127.45.176.{host}");
            roster.add_target(Host::from(address.as_str()), "tcp/80", Kind::Tcp);
        }
        let settings = Settings { budget: Some(budget), ..Settings::default() };
        Self {
            watch: Watch::new(Arc::new(roster), &settings, start()),
            now: start(),
            packets: Vec::new(),
            repeats: 0,
            states: Vec::new(),
            arrivals: BTreeMap::new(),
        }
    }

    /// For so many seconds, every SYN is answered after this time.
    fn pass(&mut self, seconds: u64, rtt: Option<Duration>) {
        let until = self.now + SECOND * seconds as u32;
        loop {
            let arrival = self.arrivals.first_key_value().map_or(Time::NEVER, |first| first.0.0);
            let next = self.watch.poll_timeout().min(arrival).max(self.now);
            if next >= until {
                self.now = until;
                return;
            }
            self.now = next;
            while let Some(arrived) = self.arrivals.first_entry()
                && arrived.key().0 <= next
            {
                self.watch.handle_event(next, &Event::Outcome(arrived.remove()));
            }
            self.watch.handle_timeout(next, next);
            while let Some(due) = self.watch.poll_probe(next) {
                self.send(due, rtt);
            }
            let state = self.watch.snapshot(next, 0, 0).scopes[0].verdict.state;
            self.states.push((next, state));
        }
    }

    fn send(&mut self, due: Due, rtt: Option<Duration>) {
        let Due { target, seq, sent, trap, repeat, .. } = due;
        self.packets.push(sent);
        let listens = SECOND * if repeat == Repeat::Once { 3 } else { 1 };
        if repeat == Repeat::Once && rtt.is_none_or(|rtt| rtt >= SECOND) {
            self.packets.push(sent + SECOND);
            self.repeats += 1;
        }
        if let Some(rtt) = rtt.filter(|&rtt| rtt < listens) {
            let found = if trap {
                Found::Refused { rtt }
            } else {
                Found::Reply { rtt, rcode: None, unexpected: false }
            };
            let outcome = due.outcome(sent, found);
            self.arrivals.insert((sent + rtt, target.0, seq), outcome);
        }
    }

    /// When it was first in this state after `from`.
    fn first(&self, state: State, from: Time) -> Option<Time> {
        self.states.iter().find(|(at, found)| *at > from && *found == state).map(|each| each.0)
    }

    fn assert_within(&self, budget: Budget) {
        let mut packets = self.packets.clone();
        packets.sort();
        // A repetition comes a second after its token was taken.
        let most = budget.burst + budget.mean;
        let mut tokens = most;
        let mut before = start();
        for at in packets {
            let saved = at.since(before).as_secs_f64() * budget.mean;
            tokens = (tokens + saved).min(most) - 1.0;
            before = at;
            assert!(tokens > -1e-6, "a packet too many at {at}");
        }
    }
}

#[test]
fn a_country_of_long_paths_is_up_without_loss_and_measures_nothing() {
    for (hosts, budget) in [(1, Budget::DEFAULT), (5, Budget::DEFAULT), (1, Budget::FRUGAL)] {
        let mut country = Country::new(hosts, budget);
        country.pass(4 * 3600, SLOW);
        assert_eq!(country.first(State::Down, start()), None);
        let up = country.first(State::Up, start()).expect("it is up");
        assert!(country.states.iter().all(|&(at, state)| at < up || state == State::Up));
        let view = country.watch.snapshot(country.now, 0, 0);
        for target in &view.targets {
            // At 20 packets an hour a host has only been asked so often.
            assert_eq!(target.recent_loss, Some(0.0), "{:?}", target.counts);
            assert_eq!((target.srtt, target.counts.late > 0), (None, true));
        }
        country.assert_within(budget);
    }
}

#[test]
fn a_path_that_becomes_long_is_heard_again_within_a_minute() {
    for hosts in [1, 2, 5] {
        for lead in 0..8 {
            let mut country = Country::new(hosts, Budget::DEFAULT);
            country.pass(900 + lead * 3, QUICK);
            assert_eq!(country.repeats, 0, "whoever answers is not asked twice");
            let changed = country.now;
            country.pass(600, SLOW);
            let last = country.states.last().expect("states").1;
            let down = country.first(State::Down, changed);
            let up = down.map_or(Some(changed), |down| country.first(State::Up, down));
            assert_eq!(last, State::Up);
            let took = up.expect("it is up").since(changed);
            assert!(took < Duration::from_secs(60), "{hosts} hosts, lead {lead}: {took:?}");
        }
    }
}

#[test]
fn a_dark_country_gets_no_more_packets_than_its_budget_repetitions_included() {
    for budget in [Budget::DEFAULT, Budget::FRUGAL, Budget::of(2.0)] {
        for before in [QUICK, SLOW, DARK] {
            let mut country = Country::new(4, budget);
            country.pass(3600, before);
            let repeats = country.repeats;
            country.pass(7200, DARK);
            assert!(country.repeats > repeats, "{before:?} {budget:?}");
            country.assert_within(budget);
        }
    }
}
