//! Answers of other addresses of the block than the asked ones.

use super::{Settings, Watch, first_probe, target_views};
use crate::fixtures::{SENT_AFTER, of_sizes, start};
use crate::{
    judge::State,
    outcome::{ControlOutcome, Event, Found, LOST_AFTER, Reject},
    scopes::{BlockId, CountryId, Scope},
    time::Time,
};
use std::{net::IpAddr, sync::Arc, time::Duration};

const RTT: Duration = Duration::from_millis(200);
const SECOND: Duration = Duration::from_secs(1);
const COUNTRY: Scope = Scope::Country(CountryId(0));
const BLOCK: Scope = Scope::Block(BlockId(0));

fn reply() -> Found {
    Found::Reply { rtt: RTT, rcode: None, unexpected: false }
}

/// Of 127.0.`block`.0/24.
fn neighbour(block: u8) -> Found {
    Found::Neighbour { from: IpAddr::from([127, 0, block, 200]), rtt: RTT }
}

/// A country, and a control that always answers.
struct World {
    watch: Watch,
    now: Time,
    control: Time,
    under_way: Vec<(Time, Event)>,
    /// Every state that the first block and the country were found in since the last `pass`.
    block: Vec<State>,
    country: Vec<State>,
}

impl World {
    fn new(sizes: &[u32]) -> Self {
        let roster = Arc::new(of_sizes(&[sizes.to_vec()]));
        let controls = vec![IpAddr::from([127, 9, 9, 9])];
        let settings = Settings { controls, ..Settings::default() };
        Self {
            watch: Watch::new(roster, &settings, start()),
            now: start(),
            control: start(),
            under_way: Vec::new(),
            block: Vec::new(),
            country: Vec::new(),
        }
    }

    /// For so many seconds, each probe finds what `found` says of its target.
    fn pass(&mut self, seconds: u64, found: impl Fn(u32) -> Option<Found>) {
        let until = self.now + Duration::from_secs(seconds);
        self.block.clear();
        self.country.clear();
        loop {
            let arrival = self.under_way.iter().map(|entry| entry.0).min().unwrap_or(Time::NEVER);
            let next = self.watch.poll_timeout().min(arrival).min(self.control).max(self.now);
            if next >= until {
                self.now = until;
                return;
            }
            self.now = next;
            if next == self.control {
                let control = ControlOutcome { control: 0, sent: next, answered: true };
                self.under_way.push((next + RTT / 10, Event::Control(control)));
                self.control = next + SECOND;
            }
            for (_, event) in self.under_way.extract_if(.., |entry| entry.0 <= next) {
                self.watch.handle_event(next, &event);
            }
            self.watch.handle_timeout(next, next);
            while let Some(change) = self.watch.poll_change() {
                match change.scope {
                    BLOCK => self.block.push(change.to),
                    COUNTRY => self.country.push(change.to),
                    _ => {}
                }
            }
            while let Some(due) = self.watch.poll_probe(next) {
                let found =
                    found(due.target.0).map(|found| due.outcome(due.sent + SENT_AFTER, found));
                self.under_way.extend(found.map(|found| (found.sent + RTT, Event::Outcome(found))));
            }
        }
    }

    fn state(&self, scope: Scope) -> State {
        self.watch.snapshot(self.now, 0, 0).scope(scope).verdict.state
    }

    fn wrong_source(&self) -> u64 {
        self.watch.aggregate.vantage().rejected.get(&Reject::WrongSource).copied().unwrap_or(0)
    }
}

#[test]
fn a_block_lives_by_its_neighbour_while_the_asked_hosts_miss() {
    let mut world = World::new(&[6, 6]);
    world.pass(300, |_| Some(reply()));
    assert_eq!(world.state(BLOCK), State::Up);
    world.pass(600, |target| if target < 6 { Some(neighbour(0)) } else { Some(reply()) });
    assert_eq!(world.block, [State::Partial], "none of its usual hosts answers, but it lives");
    assert_eq!(world.wrong_source(), 0);
    let snapshot = world.watch.snapshot(world.now, 0, 0);
    assert!(
        snapshot.scope(BLOCK).verdict.last_life.is_some_and(|life| life + SECOND * 5 > world.now)
    );
    let targets = &target_views(&world.watch)[..6];
    for target in targets {
        assert!(target.counts.neighbour > 5 && target.counts.lost > 5, "{:?}", target.counts);
        assert!(target.last_life.is_some_and(|life| life < start() + Duration::from_secs(300)));
        assert_eq!(target.counts.late, 0);
    }
    assert!(targets.iter().filter(|target| target.gone).count() == 5);
}

#[test]
fn it_is_dark_when_its_neighbour_falls_silent_too() {
    let mut world = World::new(&[6, 6]);
    world.pass(300, |_| Some(reply()));
    world.pass(600, |target| if target < 6 { Some(neighbour(0)) } else { Some(reply()) });
    world.pass(300, |target| (target >= 6).then(reply));
    assert_eq!(world.state(BLOCK), State::Outage);
    world.pass(300, |_| None);
    assert_eq!(world.state(COUNTRY), State::Outage, "the block keeps its country from nothing");
    world.pass(300, |_| Some(reply()));
    assert_eq!((world.state(BLOCK), world.state(COUNTRY)), (State::Up, State::Up));
}

#[test]
fn a_block_of_which_a_neighbour_alone_was_ever_heard_lives_and_dies_with_it() {
    let mut world = World::new(&[2, 6]);
    let found = |target| if target < 2 { Some(neighbour(0)) } else { Some(reply()) };
    world.pass(600, found);
    assert_eq!(world.block, [State::Up]);
    world.pass(300, |_| None);
    assert_eq!((world.state(BLOCK), world.state(COUNTRY)), (State::Outage, State::Outage));
    world.pass(600, found);
    assert_eq!((world.state(BLOCK), world.state(COUNTRY)), (State::Up, State::Up));
}

#[test]
fn a_neighbour_ends_a_darkness_and_is_no_witness_that_there_was_one() {
    let mut world = World::new(&[6, 6]);
    world.pass(300, |_| Some(reply()));
    world.pass(300, |target| (target >= 6).then(reply));
    assert_eq!(world.state(BLOCK), State::Outage);
    world.pass(300, |target| if target < 6 { Some(neighbour(0)) } else { Some(reply()) });
    assert_eq!(world.state(BLOCK), State::Partial);
    assert!(!world.block.contains(&State::Down), "{:?}", world.block);
}

#[test]
fn an_address_outside_the_block_proves_nothing() {
    let mut world = World::new(&[6, 6]);
    world.pass(300, |_| Some(reply()));
    world.pass(300, |target| if target < 6 { Some(neighbour(1)) } else { Some(reply()) });
    assert_eq!(world.state(BLOCK), State::Outage);
    let targets = target_views(&world.watch);
    assert_eq!(targets.iter().map(|target| target.counts.neighbour).sum::<u32>(), 0);
    let rejected = targets.iter().map(|target| u64::from(target.counts.rejected)).sum::<u64>();
    assert!(rejected > 20 && world.wrong_source() == rejected, "{rejected}");
}

#[test]
fn a_probe_stays_open_behind_a_neighbour_whose_second_answer_is_a_duplicate() {
    let mut watch = Watch::new(Arc::new(of_sizes(&[vec![1]])), &Settings::default(), start());
    let (now, due) = first_probe(&mut watch);
    let mut hear = |found| {
        watch.handle_event(now + RTT, &Event::Outcome(due.outcome(due.sent, found)));
        let snapshot = watch.snapshot(now + RTT, 0, 0);
        let counts = target_views(&watch)[0].counts;
        let told = (counts.neighbour, counts.duplicate, counts.reply, counts.rejected);
        (told, snapshot.open, snapshot.scope(BLOCK).verdict.last_life)
    };
    let late = Found::Neighbour { from: IpAddr::from([127, 0, 0, 200]), rtt: LOST_AFTER };
    assert_eq!(hear(late), ((0, 0, 0, 1), 1, None), "too late to tell");
    assert_eq!(hear(neighbour(0)), ((1, 0, 0, 1), 1, Some(due.sent)));
    assert_eq!(hear(neighbour(0)), ((1, 1, 0, 1), 1, Some(due.sent)));
    assert_eq!(hear(reply()), ((1, 1, 1, 1), 0, Some(due.sent)));
    assert_eq!(hear(neighbour(0)), ((1, 2, 1, 1), 0, Some(due.sent)));
}
