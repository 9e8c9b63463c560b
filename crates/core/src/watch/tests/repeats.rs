//! TCP-only countries in virtual time, and a kernel that repeats SYNs where it may.

use super::{Settings, Watch, target_views};
use crate::{
    fixtures::{SENT_AFTER, start},
    judge::State,
    outcome::{Due, Event, Found, IcmpCode, Outcome, Repeat},
    schedule::Budget,
    scopes::{Host, Kind, Roster},
    time::Time,
};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

const SECOND: Duration = Duration::from_secs(1);
const QUICK: Path = Path::Answered(Duration::from_millis(200));
const SLOW: Path = Path::Answered(Duration::from_millis(1200));

/// What becomes of every SYN.
#[derive(Clone, Copy, Debug)]
enum Path {
    /// An answer after this time.
    Answered(Duration),
    /// The same, but what is for its service is dropped.
    WithoutService(Duration),
    Dark,
    /// A router's no after 20 ms.
    Unreachable,
}

/// One block of so many hosts, all asked by TCP alone.
struct Country {
    watch: Watch,
    now: Time,
    /// Every SYN, those that the kernel repeated too.
    packets: Vec<Time>,
    /// How many probes the kernel repeated, and how many it might have.
    repeats: usize,
    granted: usize,
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
            granted: 0,
            states: Vec::new(),
            arrivals: BTreeMap::new(),
        }
    }

    /// For so many seconds, every SYN fares so.
    fn pass(&mut self, seconds: u64, path: Path) {
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
                self.send(due, path);
            }
            let state = self.watch.snapshot(next, 0, 0).scopes[0].verdict.state;
            self.states.push((next, state));
        }
    }

    fn send(&mut self, due: Due, path: Path) {
        let sent = due.sent + SENT_AFTER;
        self.packets.push(sent);
        let is_granted = due.repeat == Repeat::Once;
        self.granted += usize::from(is_granted);
        let found = match path {
            Path::Answered(rtt) | Path::WithoutService(rtt) if due.trap => {
                Some(Found::Refused { rtt })
            }
            Path::Answered(rtt) => Some(Found::Reply { rtt, rcode: None, unexpected: false }),
            Path::WithoutService(_) | Path::Dark => None,
            Path::Unreachable => Some(Found::Unreachable {
                from: IpAddr::from([127, 0, 0, 2]),
                code: IcmpCode { kind: 3, code: 1 },
                rtt: Duration::from_millis(20),
            }),
        };
        let ended_after = found.and_then(|found| found.ended_after());
        if is_granted && ended_after.is_none_or(|after| after >= SECOND) {
            self.packets.push(sent + SECOND);
            self.repeats += 1;
        }
        let listens = SECOND * if is_granted { 2 } else { 1 };
        if let Some(found) = found
            && let Some(after) = ended_after.filter(|&after| after < listens)
        {
            let key = (sent + after, due.target.0, due.seq);
            self.arrivals.insert(key, due.outcome(sent, found));
        }
    }

    /// When it was first in this state after `from`.
    fn first(&self, state: State, from: Time) -> Option<Time> {
        self.states.iter().find(|(at, found)| *at > from && *found == state).map(|each| each.0)
    }

    /// It is heard again in so many seconds once every SYN fares so, and never again lost.
    fn assert_heard_again(&mut self, path: Path, seconds: u64) {
        let changed = self.now;
        self.pass(600, path);
        let down = self.first(State::Down, changed);
        let lives =
            |&&(at, state): &&(Time, State)| at > down.unwrap_or(changed) && state.is_alive();
        let alive = self.states.iter().find(lives).expect("it lives").0;
        assert!(self.states.iter().all(|&(at, state)| at < alive || state.is_alive()));
        let took = alive.since(changed);
        assert!(took < Duration::from_secs(seconds), "{path:?} since {changed}: {took:?}");
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
        for target in target_views(&country.watch) {
            // At 20 packets an hour a host has only been asked so often.
            assert_eq!(target.recent_loss, Some(0.0), "{:?}", target.counts);
            assert_eq!((target.srtt, target.counts.late > 0), (None, true));
        }
        country.assert_within(budget);
    }
}

#[test]
fn a_path_that_becomes_long_is_heard_again_within_a_minute() {
    for hosts in [1, 2, 5, 6, 10, 20, 40] {
        for lead in 0..8 {
            let mut country = Country::new(hosts, Budget::DEFAULT);
            country.pass(900 + lead * 3, QUICK);
            assert_eq!(country.repeats, 0, "whoever answers is not asked twice");
            country.assert_heard_again(SLOW, 60);
        }
    }
}

#[test]
fn so_it_is_where_the_trap_port_alone_tells_of_life() {
    for hosts in [1, 2, 5] {
        for lead in 0..8 {
            let mut country = Country::new(hosts, Budget::DEFAULT);
            country.pass(900 + lead * 3, Path::WithoutService(Duration::from_millis(200)));
            country.assert_heard_again(Path::WithoutService(Duration::from_millis(1200)), 120);
        }
    }
}

#[test]
fn a_dark_country_gets_no_more_packets_than_its_budget_repetitions_included() {
    for budget in [Budget::DEFAULT, Budget::FRUGAL, Budget::of(2.0)] {
        for before in [QUICK, SLOW, Path::Dark] {
            let mut country = Country::new(4, budget);
            country.pass(3600, before);
            let repeats = country.repeats;
            country.pass(7200, Path::Dark);
            assert!(country.repeats > repeats, "{before:?} {budget:?}");
            country.assert_within(budget);
        }
    }
}

/// At two a second the tokens are spent on regular probes alone, unless those of the repetitions
/// that never came are given back.
#[test]
fn a_router_that_says_no_at_once_costs_no_repetition() {
    let mut country = Country::new(4, Budget::of(2.0));
    country.pass(600, Path::Unreachable);
    assert_eq!(country.repeats, 0);
    assert!(country.granted > 1000, "{} of {}", country.granted, country.packets.len());
    country.assert_within(Budget::of(2.0));
}
