//! Controls that are dead, lossy or taken out of the plan: what is found without them.

use super::{Fed, Judge, PATIENCE, RTT, Rules, SECOND, State, Told};
use crate::{
    aggregate::Evidence,
    fixtures::of_sizes,
    judge::tests::sight::of_prefixes,
    outcome::{ControlOutcome, Fault},
    scopes::{BlockId, CountryId, Family, Host, Kind, Roster, RosterMapping, Scope},
};
use std::time::Duration;

fn ask_controls(fed: &mut Fed, control: impl Fn(u16, u32) -> Option<bool>) {
    let turn = fed.at() as u32;
    for place in 0..3 {
        let Some(answered) = control(place, turn) else { continue };
        let after = if answered { Duration::from_millis(20) } else { PATIENCE };
        let outcome = ControlOutcome { control: place, sent: fed.now, answered };
        fed.tell_later(after, Told::Control(outcome));
    }
}

/// So many seconds in which each block is asked once a second, hosts in turn, and each control
/// answers or does not.
fn play(
    fed: &mut Fed,
    seconds: u32,
    control: impl Fn(u16, u32) -> Option<bool>,
    answers: impl Fn(u32) -> bool,
) {
    for _ in 0..seconds {
        let turn = fed.at() as u32;
        ask_controls(fed, &control);
        for block in 0..fed.roster.blocks.len() {
            let hosts = fed.roster.blocks[block].targets.clone();
            let target = hosts.start + turn % hosts.len() as u32;
            fed.ask(target, answers(target).then_some(RTT));
        }
        fed.pass(SECOND);
    }
}

fn block(id: u32) -> Scope {
    Scope::Block(BlockId(id))
}

fn country(id: u32) -> Scope {
    Scope::Country(CountryId(id))
}

/// A country that goes dark, and one that lives on.
fn two_countries(controls: usize) -> Fed {
    Fed::new(of_sizes(&[vec![2, 2], vec![2]]), controls)
}

fn replan(fed: &mut Fed, controls: &[Family]) {
    let map = RosterMapping::between(&fed.roster, &fed.roster);
    let roster = fed.roster.clone();
    fed.judge.replan(roster, &map, Rules::default(), controls, |_| SECOND, fed.now);
    fed.collect();
}

#[test]
fn what_goes_dark_after_all_controls_have_died_is_out() {
    let mut fed = two_countries(1);
    play(&mut fed, 120, |place, _| (place == 0).then_some(true), |_| true);
    play(&mut fed, 120, |place, _| (place == 0).then_some(false), |_| true);
    play(&mut fed, 120, |place, _| (place == 0).then_some(false), |target| target >= 4);
    assert_eq!(
        (fed.state(Scope::Country(CountryId(0))), fed.state(country(1))),
        (State::Outage, State::Up)
    );
}

#[test]
fn a_control_that_comes_back_from_the_dead_is_no_loss_of_ours() {
    let mut fed = two_countries(1);
    play(&mut fed, 60, |place, _| (place == 0).then_some(true), |_| true);
    play(&mut fed, 120, |place, _| (place == 0).then_some(false), |_| true);
    play(&mut fed, 1, |place, _| (place == 0).then_some(true), |_| true);
    assert_eq!(fed.judge.sight[Family::V4].recent_loss(fed.now), None);
}

/// What one control misses, another that does not says is no loss of ours.
#[test]
fn the_best_control_tells_what_we_lose_just_now() {
    let lossy: [fn(u32) -> bool; 2] = [|_| false, |second| second.is_multiple_of(2)];
    for lossy in lossy {
        let mut fed = two_countries(2);
        let good_and_lossy = |place, second| match place {
            0 => Some(true),
            1 => Some(lossy(second)),
            _ => None,
        };
        play(&mut fed, 30, |place, _| (place < 2).then_some(true), |_| true);
        play(&mut fed, 20, good_and_lossy, |_| true);
        play(&mut fed, 12, good_and_lossy, |target| target >= 4);
        assert_eq!(fed.judge.sight[Family::V4].recent_loss(fed.now), None);
        assert_eq!(
            (fed.state(Scope::Country(CountryId(0))), fed.state(country(1))),
            (State::Down, State::Up)
        );
    }
}

#[test]
fn controls_that_leave_the_plan_leave_no_loss_behind() {
    let mut fed = two_countries(2);
    let lossy = |place, second: u32| (place < 2).then_some(second.is_multiple_of(4));
    play(&mut fed, 120, lossy, |_| true);
    let before = &fed.judge.sight[Family::V4];
    assert!(before.own_loss > 0.2 && before.recent_loss(fed.now).is_some());
    replan(&mut fed, &[Family::V4]);
    let sight = &fed.judge.sight[Family::V4];
    assert_eq!((sight.own_loss, sight.recent_loss(fed.now)), (0.0, None));
    play(&mut fed, 3, |place, _| (place == 0).then_some(true), |_| true);
    play(&mut fed, 12, |place, _| (place == 0).then_some(true), |target| target >= 4);
    assert_eq!(
        (fed.state(Scope::Country(CountryId(0))), fed.state(country(1))),
        (State::Down, State::Up)
    );
}

/// What is missed in a family that is not seen explains no silence in the other.
#[test]
fn a_country_of_both_families_goes_dark_in_the_one_that_is_seen() {
    let v4: Vec<String> = (0..8).map(|block| format!("127.45.{block}.")).collect();
    let of_both: Vec<&str> = v4.iter().map(String::as_str).chain(["2001:db8::1:"]).collect();
    let mut fed = Fed::new(of_prefixes(&[&of_both, &["127.46.1."]]), 0);
    let families = [Family::V4, Family::V6];
    let roster = fed.roster.clone();
    fed.judge = Judge::new(roster, Rules::default(), &families, |_| SECOND, fed.now);
    let is_v6 = |target: u32| (16..18).contains(&target);
    let without_v6 = |place, _| (place < 2).then_some(place == 0);
    play(&mut fed, 60, |place, _| (place < 2).then_some(true), |_| true);
    play(&mut fed, 10, without_v6, |target| !is_v6(target));
    assert_eq!(
        (fed.state(block(8)), fed.state(Scope::Country(CountryId(0)))),
        (State::Unknown, State::Up)
    );
    // Each block is asked every four seconds: the country is down by what all of them miss.
    for turn in 0..9 {
        ask_controls(&mut fed, without_v6);
        for block in [2 * turn % 8, (2 * turn + 1) % 8] {
            fed.ask(2 * block + turn % 2, None);
        }
        fed.ask(18, Some(RTT));
        fed.pass(SECOND);
    }
    assert_eq!(fed.state(Scope::Country(CountryId(0))), State::Down);
}

#[test]
fn a_blindness_ends_with_the_controls_that_could_end_it() {
    let mut fed = Fed::new(of_sizes(&[vec![2, 2]]), 1);
    play(&mut fed, 120, |place, _| (place == 0).then_some(true), |_| true);
    play(&mut fed, 30, |place, _| (place == 0).then_some(false), |_| false);
    assert_eq!(fed.state(Scope::Country(CountryId(0))), State::Unknown);
    replan(&mut fed, &[]);
    assert!(fed.judge.blindness(fed.now)[Family::V4].is_some_and(|sight| !sight.is_blind));
    play(&mut fed, 120, |_, _| None, |_| false);
    assert_eq!(
        (fed.state(block(0)), fed.state(Scope::Country(CountryId(0)))),
        (State::Outage, State::Outage)
    );
}

fn one_host(probe: &str, kind: Kind) -> Roster {
    let mut roster = Roster::default();
    roster.add_country("KP", "KP");
    roster.add_block("127.45.1.0/24".parse().unwrap());
    roster.add_target(Host::from("127.45.1.1"), probe, kind);
    roster
}

/// So many seconds in which nothing leaves.
fn without_a_route(fed: &mut Fed, seconds: u32) {
    for _ in 0..seconds {
        fed.tell_of(0, fed.now, Duration::ZERO, Evidence::Fault(Fault::NoRoute));
        fed.pass(SECOND);
    }
}

#[test]
fn without_controls_who_can_send_again_sees_that_all_is_dark() {
    for (probe, kind) in [("icmp", Kind::Icmp), ("tcp/443", Kind::Tcp)] {
        let mut fed = Fed::new(one_host(probe, kind), 0);
        fed.play(60, |_| Some(RTT));
        without_a_route(&mut fed, 20);
        assert_eq!(fed.state(Scope::Country(CountryId(0))), State::Unknown, "{probe}");
        let again = fed.now;
        fed.play(120, |_| None);
        assert_eq!(fed.state(Scope::Country(CountryId(0))), State::Outage, "{probe}");
        assert!(fed.changes.last().unwrap().edge.latest >= again, "nobody saw it before");
    }
}

#[test]
fn without_controls_what_was_missed_before_nothing_left_was_seen() {
    let mut fed = Fed::new(one_host("icmp", Kind::Icmp), 0);
    fed.play(60, |_| Some(RTT));
    fed.play(45, |_| None);
    assert_eq!(fed.state(Scope::Country(CountryId(0))), State::Down);
    without_a_route(&mut fed, 6);
    // 45 s of the minute were seen before.
    fed.play(40, |_| None);
    assert_eq!(fed.state(Scope::Country(CountryId(0))), State::Outage);
}
