//! Answers that come sooner than their host ever answered.

use super::one_host::{OneHost, refused, reply};
use crate::{
    judge::State,
    outcome::{Found, Reject},
    scopes::{Kind, TargetId},
};
use std::cell::Cell;

const BOTH: [Kind; 2] = [Kind::Icmp, Kind::Tcp];
const DAY: u64 = 24 * 3600;

fn rejected(host: &OneHost) -> u64 {
    host.watch.aggregate.vantage().rejected.get(&Reject::Implausible).copied().unwrap_or(0)
}

/// A box near us resets every connection while the country is dark.
#[test]
fn a_box_near_us_that_resets_everything_keeps_no_country_up() {
    let mut host = OneHost::new(&BOTH);
    host.pass(1200, |_, trap| Some(if trap { refused(200) } else { reply(200) }));
    assert_eq!(host.state(), State::Up);
    let answered =
        |host: &OneHost| [0, 1].map(|target| host.watch.schedule.answered(TargetId(target)));
    let before = answered(&host);
    host.pass(1800, |kind, _| (kind == Kind::Tcp).then(|| refused(1)));
    assert_eq!(host.state(), State::Outage);
    assert_eq!(answered(&host), before, "whoever traces its path learns nothing either");
    assert!(rejected(&host) > 20 && host.counts(1).rejected > 20, "{}", rejected(&host));
    // All is well again: nothing was learned from it.
    host.pass(1800, |_, trap| Some(if trap { refused(200) } else { reply(200) }));
    assert_eq!(host.state(), State::Up);
    assert!(!host.states.contains(&State::Degraded), "{:?}", host.states);
}

/// It rejects in the name of whoever is asked, by whatever kind of probe: an ICMP error quotes no
/// more than it saw.
#[test]
fn a_box_near_us_that_rejects_everything_keeps_no_country_up() {
    for kinds in [&[Kind::Icmp][..], &[Kind::Dns], &BOTH, &Kind::ALL] {
        let mut host = OneHost::new(kinds);
        let alive = |_, trap: bool| Some(if trap { refused(200) } else { reply(200) });
        host.pass(1200, alive);
        assert_eq!(host.state(), State::Up);
        host.pass(1800, |_, _| Some(refused(1)));
        assert_eq!(host.state(), State::Outage, "{kinds:?}");
        assert!(rejected(&host) > 20 && host.counts(0).refused == 0, "{kinds:?}");
        host.pass(1800, alive);
        assert_eq!(host.state(), State::Up);
        assert!(!host.states.contains(&State::Degraded), "{:?}", host.states);
    }
}

/// A host that begins to refuse what it served.
#[test]
fn a_refusal_that_takes_its_time_is_life() {
    let mut host = OneHost::new(&[Kind::Icmp]);
    host.pass(1200, |_, _| Some(reply(200)));
    host.pass(600, |_, _| Some(refused(200)));
    assert_eq!((host.state(), rejected(&host)), (State::Up, 0));
}

/// Whatever is nearer may be slow for once, and we may read late what it sent: Linux keeps no time
/// of a reset.
#[test]
fn one_answer_in_time_or_without_one_ends_no_outage() {
    for (what, odd) in [("slow", refused(150)), ("read late", refused(0)), ("slow", reply(150))] {
        let mut host = OneHost::new(&[Kind::Tcp]);
        host.pass(1200, |_, trap| Some(if trap { refused(200) } else { reply(200) }));
        host.pass(600, |_, _| Some(refused(1)));
        assert_eq!(host.state(), State::Outage);
        let counts = host.counts(0);
        let asked = Cell::new(0);
        host.pass(3600, |_, trap| {
            asked.set(asked.get() + u32::from(!trap));
            let is_odd = !trap && asked.get().is_multiple_of(20);
            Some(if is_odd { odd } else { refused(1) })
        });
        assert_eq!((host.state(), host.states.len()), (State::Outage, 0), "{what}");
        assert_eq!((host.counts(0).reply, host.counts(0).refused), (counts.reply, counts.refused));
        // The second in a row is believed, and the first with it.
        let misses = |host: &OneHost| host.counts(0).overdue + host.counts(0).lost;
        let before = misses(&host);
        host.pass(600, |_, _| Some(refused(200)));
        assert_eq!((host.state(), host.counts(0).late), (State::Up, 0), "{what}");
        assert!(misses(&host) <= before, "{what}: {} after {before}", misses(&host));
    }
}

/// The loop of this machine was slow, not the host.
#[test]
fn an_answer_without_a_time_is_life_and_measures_nothing() {
    let mut host = OneHost::new(&[Kind::Tcp]);
    host.pass(1200, |_, _| Some(refused(200)));
    let patience = host.watch.aggregate.patience(TargetId(0));
    host.pass(600, |_, _| Some(refused(0)));
    assert_eq!((host.state(), rejected(&host)), (State::Up, 0));
    assert_eq!(host.watch.aggregate.patience(TargetId(0)), patience);
}

#[test]
fn a_box_near_us_keeps_no_country_up_after_a_restart() {
    // It resets connections, or rejects whatever is asked.
    for (kinds, by_box) in [(&BOTH[..], Kind::Tcp), (&[Kind::Icmp], Kind::Icmp)] {
        let mut host = OneHost::new(kinds);
        let answer = |kind: Kind, millis| match kind {
            Kind::Tcp => refused(millis),
            _ => reply(millis),
        };
        let boxed = |kind: Kind, _: bool| -> Option<Found> { (kind == by_box).then(|| refused(1)) };
        host.pass(1200, |kind, _| Some(answer(kind, 200)));
        host.pass(600, boxed);
        assert_eq!(host.state(), State::Outage);
        for _ in 0..2 {
            host.restart();
            host.pass(600, boxed);
            assert_eq!(host.state(), State::Outage);
            assert!(!host.states.contains(&State::Up), "{:?}", host.states);
        }
        host.restart();
        host.pass(600, |kind, _| Some(answer(kind, 50)));
        assert_eq!(host.state(), State::Up);
        assert!(rejected(&host) <= 2, "{}", rejected(&host));
    }
}

#[test]
fn a_shorter_path_is_believed_when_it_has_lasted_a_day_over_a_restart() {
    let mut host = OneHost::new(&[Kind::Tcp]);
    host.pass(1200, |_, _| Some(refused(200)));
    host.pass(DAY / 2, |_, _| Some(refused(50)));
    host.restart();
    host.pass(DAY / 2 + 600, |_, _| Some(refused(50)));
    assert_eq!(host.state(), State::Up);
}

#[test]
fn a_shorter_path_is_believed_when_an_answer_with_our_token_shows_it() {
    let mut host = OneHost::new(&BOTH);
    host.pass(1200, |_, _| Some(refused(200)));
    host.pass(600, |kind, _| Some(if kind == Kind::Tcp { refused(50) } else { reply(50) }));
    assert!(rejected(&host) <= 2, "{}", rejected(&host));
    assert_eq!(host.state(), State::Up);
}

#[test]
fn a_shorter_path_is_believed_when_it_has_lasted_a_day() {
    let mut host = OneHost::new(&[Kind::Tcp]);
    host.pass(1200, |_, _| Some(refused(200)));
    host.pass(DAY - 60, |_, _| Some(refused(50)));
    assert_eq!(host.state(), State::Outage);
    host.pass(600, |_, _| Some(refused(50)));
    assert_eq!(host.state(), State::Up);
}

/// Its name has another address from now on, and the path to that is shorter.
#[test]
fn a_host_whose_name_has_another_address_is_measured_anew() {
    let mut host = OneHost::new(&[Kind::Tcp]);
    host.pass(1200, |_, _| Some(refused(200)));
    host.restart();
    host.pass(1200, |_, _| Some(refused(200)));
    host.watch.forget_path(TargetId(0));
    // The first answer is slow, and is no measure of the others.
    host.pass(10, |_, _| Some(refused(300)));
    host.pass(1200, |_, _| Some(refused(50)));
    assert_eq!((host.state(), rejected(&host)), (State::Up, 0));
    assert!(!host.states.contains(&State::Down), "{:?}", host.states);
    // Something nearer that answers for it is found as before.
    host.pass(1800, |_, _| Some(refused(5)));
    assert!(rejected(&host) > 20, "{}", rejected(&host));
    assert_eq!(host.state(), State::Outage);
}

/// Below 10 ms half of it is chance; and so it is on the loopback device.
#[test]
fn a_host_that_is_near_may_answer_in_any_time() {
    let mut host = OneHost::new(&BOTH);
    host.pass(1200, |_, _| Some(refused(8)));
    host.pass(600, |_, _| Some(refused(1)));
    assert_eq!(rejected(&host), 0);
}

#[test]
fn a_record_without_round_trip_times_makes_nothing_slow_that_has_some_later() {
    let mut host = OneHost::new(&[Kind::Icmp]);
    host.pass(3600, |_, _| Some(reply(0)));
    host.pass(3600, |_, _| Some(reply(200)));
    host.pass(3600, |_, _| Some(reply(0)));
    assert_eq!((host.state(), host.states.len()), (State::Up, 0));
    host.pass(3600, |_, _| Some(reply(200)));
    assert_eq!((host.state(), host.states.len()), (State::Up, 0));
}
