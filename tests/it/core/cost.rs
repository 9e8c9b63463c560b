//! What the core costs, which it cannot measure itself: it has no clock.

use crate::support::roster;
use lifesign_clock::Clock;
use lifesign_core::{
    outcome::{Event, Found},
    schedule::Budget,
    time::Time,
    watch::{Settings, Watch},
};
use std::{sync::Arc, time::Duration};

/// Plays until then; every probe is answered at once.
fn play(watch: &mut Watch, until: Time) {
    loop {
        let now = watch.poll_timeout();
        if now > until {
            return;
        }
        watch.handle_timeout(now, now);
        while let Some(due) = watch.poll_probe(now) {
            let found = Found::Refused { rtt: Duration::ZERO };
            watch.handle_event(now, &Event::Outcome(due.outcome(now, found)));
        }
    }
}

/// Processor time would depend on what else the machine does, so the least of many runs counts, and
/// the bound is wide: if each target cost anything, the larger block would take 10,000 times as
/// long.
#[test]
fn targets_that_are_not_asked_cost_nothing() {
    let clock = Clock::start();
    let start: Time = "2014-12-22T16:15:00Z".parse().unwrap();
    let settings = Settings { budget: Some(Budget::of(1.0)), ..Settings::default() };
    let fastest = |targets: u32| {
        let mut watch = Watch::new(Arc::new(roster::of_sizes(&[&[targets]])), &settings, start);
        let mut now = start;
        let mut one = || {
            let began = clock.now();
            now = now + Duration::from_secs(500);
            play(&mut watch, now);
            clock.now().since(began)
        };
        (0..20).map(|_| one()).min().expect("twenty runs")
    };
    let few = fastest(10);
    let many = fastest(100_000);
    assert!(many < few * 10, "500 probes took {few:?} among 10 targets, {many:?} among 100,000");
}
