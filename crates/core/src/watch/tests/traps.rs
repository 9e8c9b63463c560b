//! The trap question: a firewall that answers on every port, and one that does so no more.

use super::{Settings, Watch};
use crate::fixtures::start;
use crate::{
    judge::State,
    outcome::{Due, Event, Found, Outcome},
    scopes::{Host, Kind, Roster, TargetId},
    time::Time,
};
use std::{sync::Arc, time::Duration};

const RTT: Duration = Duration::from_millis(200);

/// A host that is asked by TCP alone.
struct Watched {
    watch: Watch,
    now: Time,
    /// How many trap questions it was asked.
    traps: u32,
}

impl Watched {
    fn new() -> Self {
        let mut roster = Roster::default();
        roster.add_country("XA", "A");
        roster.add_block("127.45.176.0/24".parse().unwrap());
        roster.add_target(Host::from("127.45.176.15"), "tcp/80", Kind::Tcp);
        let watch = Watch::new(Arc::new(roster), &Settings::default(), start());
        Self { watch, now: start(), traps: 0 }
    }

    /// For so long, the service answers or not, and so does the port that nobody uses.
    fn pass(&mut self, seconds: u64, service: bool, any_port: bool) {
        let until = self.now + Duration::from_secs(seconds);
        self.traps = 0;
        let mut answers: Vec<Outcome> = Vec::new();
        loop {
            let arrival = answers.iter().map(|answer| answer.sent + RTT).min();
            let next = self.watch.poll_timeout().min(arrival.unwrap_or(Time::NEVER)).max(self.now);
            if next >= until {
                return;
            }
            self.now = next;
            for answer in answers.extract_if(.., |answer| answer.sent + RTT <= next) {
                self.watch.handle_event(next, &Event::Outcome(answer));
            }
            self.watch.handle_timeout(next, next);
            while let Some(due) = self.watch.poll_probe(next) {
                self.traps += u32::from(due.trap);
                if if due.trap { any_port } else { service } {
                    let found = Found::Reply { rtt: RTT, rcode: None, unexpected: false };
                    let Due { target, seq, sent, trap, .. } = due;
                    answers.push(Outcome { target, seq, sent, trap, found });
                }
            }
        }
    }

    fn accepts_all(&self) -> bool {
        self.watch.aggregate.target(TargetId(0)).accepts_all()
    }

    fn state(&self) -> State {
        self.watch.snapshot(self.now, 0, 0).scopes[0].verdict.state
    }
}

#[test]
fn a_host_that_drops_other_ports_is_known_again_after_a_syn_proxy() {
    let mut watched = Watched::new();
    watched.pass(25, true, true);
    assert!(watched.accepts_all());
    assert_eq!(watched.state(), State::Unknown);
    // The proxy is gone, and the host drops what it does not serve.
    watched.pass(120, true, false);
    assert!(watched.accepts_all(), "three questions, a minute apart");
    watched.pass(80, true, false);
    assert!(!watched.accepts_all());
    assert_eq!(watched.state(), State::Up);
}

#[test]
fn a_firewall_is_asked_once_a_minute_whether_it_still_accepts_everything() {
    let mut watched = Watched::new();
    watched.pass(60, true, true);
    watched.pass(3600, true, true);
    assert!(watched.accepts_all() && (50..=60).contains(&watched.traps), "{}", watched.traps);
    assert_eq!(watched.state(), State::Unknown);
}

#[test]
fn silence_on_every_port_does_not_unmask_a_firewall() {
    let mut watched = Watched::new();
    watched.pass(60, true, true);
    watched.pass(3600, false, false);
    assert!(watched.accepts_all());
    watched.pass(50, true, true);
    assert_eq!(watched.state(), State::Unknown);
}
