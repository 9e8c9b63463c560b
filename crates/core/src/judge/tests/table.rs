//! Every state of a scope, and what each event makes of it.

use super::{Fed, PATIENCE, RTT, SECOND};
use crate::fixtures::{of_sizes, without};
use crate::{
    aggregate::{Evidence, Timing},
    judge::{Rules, State},
    scopes::{BlockId, CountryId, Family, RosterMapping, Scope},
};
use std::{fmt::Write as _, sync::Arc, time::Duration};

const BLOCK: Scope = Scope::Block(BlockId(0));
const COUNTRY: Scope = Scope::Country(CountryId(0));

fn fresh() -> Fed {
    Fed::new(of_sizes(&[vec![4, 4]]), 1)
}

fn up() -> Fed {
    let mut fed = fresh();
    fed.play(300, |_| Some(RTT));
    fed
}

fn degraded() -> Fed {
    let mut fed = up();
    fed.play(300, |_| Some(RTT * 3));
    fed
}

fn partial() -> Fed {
    let mut fed = up();
    fed.play(300, |target| target.is_multiple_of(4).then_some(RTT));
    fed
}

fn down() -> Fed {
    let mut fed = up();
    fed.play(10, |_| None);
    fed
}

fn outage() -> Fed {
    let mut fed = up();
    fed.play(90, |_| None);
    fed
}

pub fn flapping_and_alive() -> Fed {
    let mut fed = up();
    for _ in 0..3 {
        fed.play(20, |_| None);
        fed.play(20, |_| Some(RTT));
    }
    fed
}

fn flapping_and_dark() -> Fed {
    let mut fed = flapping_and_alive();
    fed.play(10, |_| None);
    fed
}

fn blind_over(mut fed: Fed) -> Fed {
    fed.pass(SECOND * 5);
    fed
}

/// The next run of one that was stopped in an outage.
fn recalled() -> Fed {
    let before = outage();
    let mut fed = fresh();
    fed.now = before.now + SECOND;
    fed.judge =
        super::Judge::new(fed.roster.clone(), Rules::default(), &[Family::V4], |_| SECOND, fed.now);
    let memory = before.remember();
    assert!(fed.judge.recall(memory, fed.now).is_some());
    fed
}

type Prepared = (&'static str, State, fn() -> Fed);

const STATES: [Prepared; 11] = [
    ("fresh", State::Unknown, fresh),
    ("up", State::Up, up),
    ("degraded", State::Degraded, degraded),
    ("partial", State::Partial, partial),
    ("down", State::Down, down),
    ("outage", State::Outage, outage),
    ("flapping, alive", State::Flapping, flapping_and_alive),
    ("flapping, dark", State::Flapping, flapping_and_dark),
    ("blind over up", State::Unknown, || blind_over(up())),
    ("blind over outage", State::Unknown, || blind_over(outage())),
    ("recalled outage", State::Unknown, recalled),
];

type Happening = (&'static str, fn(&mut Fed));

const EVENTS: [Happening; 9] = [
    ("answer", |fed| {
        fed.ask(0, Some(RTT));
        fed.pass(RTT);
    }),
    ("answers of all", |fed| fed.play(4, |_| Some(RTT))),
    ("miss", |fed| {
        fed.ask(0, None);
        fed.pass(PATIENCE);
        fed.ask_control(true);
        fed.pass(RTT);
    }),
    ("late answer", |fed| {
        let rtt = SECOND * 12;
        let life = Evidence::Life { rtt, timing: Timing::Late, is_measured: true };
        fed.tell_of(0, fed.now - rtt, Duration::ZERO, life);
        fed.pass(Duration::ZERO);
    }),
    ("sight lost", |fed| fed.pass(SECOND * 5)),
    ("sight restored", |fed| {
        for _ in 0..3 {
            fed.ask_control(true);
            fed.pass(SECOND);
        }
    }),
    ("gap", |fed| {
        let from = fed.now;
        fed.now = from + SECOND * 30;
        fed.judge.handle_gap(from, fed.now);
        fed.collect();
    }),
    ("timeout", |fed| {
        // Nobody but the control is asked for ten minutes.
        for _ in 0..600 {
            fed.ask_control(true);
            fed.pass(SECOND);
        }
    }),
    ("replan", |fed| {
        let gone = fed.roster.blocks[1].prefix.to_string();
        let next = Arc::new(without(&fed.roster, |name| name == gone, false));
        let map = RosterMapping::between(&fed.roster, &next);
        fed.judge.replan(next.clone(), &map, Rules::default(), &[Family::V4], |_| SECOND, fed.now);
        fed.roster = next;
        fed.collect();
    }),
];

#[test]
fn every_event_in_every_state_has_the_reviewed_verdict() {
    let mut table = String::new();
    for (name, state, prepare) in STATES {
        let _ = writeln!(table, "{name}");
        for (event, apply) in EVENTS {
            let mut fed = prepare();
            assert_eq!((fed.state(BLOCK), fed.state(COUNTRY)), (state, state), "{name}");
            apply(&mut fed);
            let dark = |scope| {
                let scope = &fed.judge.scopes[fed.roster.scope_id(scope).index()];
                if scope.darkness.is_some() { ", dark" } else { "" }
            };
            let [block, country] =
                [BLOCK, COUNTRY].map(|scope| format!("{}{}", fed.state(scope), dark(scope)));
            let _ = writeln!(table, "  {event:<15} block {block:<15} country {country}");
            assert!(fed.changes.iter().all(|change| change.edge.latest <= change.time + RTT));
        }
    }
    insta::assert_snapshot!(table);
}
