//! What we ourselves cannot do, and what it must not be taken for.

use super::{Fed, PATIENCE, RTT, Rules, SECOND, State};
use crate::{
    aggregate::Evidence,
    fixtures::of_sizes,
    outcome::{Cause, Fault},
    scopes::{BlockId, CountryId, Family, Host, Kind, Roster, RosterMapping, Scope},
};
use std::{net::IpAddr, sync::Arc, time::Duration};

/// Two hosts in each block; a country for each list of prefixes.
pub fn of_prefixes(countries: &[&[&str]]) -> Roster {
    let mut roster = Roster::default();
    for (country, prefixes) in countries.iter().enumerate() {
        let code = format!("C{country}");
        roster.add_country(&code, &code);
        for prefix in *prefixes {
            roster.add_block(
                format!("{prefix}0/120").parse().or(format!("{prefix}0/24").parse()).unwrap(),
            );
            for host in 1..3 {
                let address: IpAddr = format!("{prefix}{host}").parse().unwrap();
                roster.add_target(Host::Address(address), "icmp", Kind::Icmp);
            }
        }
    }
    roster
}

const V4: &str = "127.45.1.";
const V6: &str = "2001:db8::1:";

fn block(id: u32) -> Scope {
    Scope::Block(BlockId(id))
}

fn country(id: u32) -> Scope {
    Scope::Country(CountryId(id))
}

#[test]
fn a_family_that_nobody_can_be_reached_in_is_unknown_and_the_other_is_judged() {
    // The only control is one of IPv4.
    let mut fed = Fed::new(of_prefixes(&[&[V4], &[V6]]), 1);
    fed.play(120, |_| Some(RTT));
    fed.play(120, |target| (target < 2).then_some(RTT));
    assert_eq!((fed.state(block(0)), fed.state(country(0))), (State::Up, State::Up));
    assert_eq!((fed.state(block(1)), fed.state(country(1))), (State::Unknown, State::Unknown));
    let blindness = fed.judge.blindness(fed.now);
    assert!(blindness[Family::V6].is_some_and(|six| six.is_blind && six.spells == 1));
    assert!(blindness[Family::V4].is_some_and(|four| !four.is_blind && four.spells == 0));
    let said = fed.changes.iter().rfind(|change| change.scope == block(1)).unwrap();
    assert!(said.evidence.text(0).starts_with("we are blind by IPv6"), "{said:?}");
    // In the family that is seen, a silence is one.
    fed.play(120, |_| None);
    assert_eq!((fed.state(block(0)), fed.state(block(1))), (State::Outage, State::Unknown));
    fed.play(10, |_| Some(RTT));
    for id in 0..2 {
        assert_eq!((fed.state(block(id)), fed.state(country(id))), (State::Up, State::Up));
    }
    assert!(
        !fed.changes
            .iter()
            .any(|change| change.scope == block(1) && change.to.is_dark_or_flapping())
    );
}

#[test]
fn a_country_of_both_families_is_judged_by_the_one_that_is_seen() {
    let mut fed = Fed::new(of_prefixes(&[&[V4, V6]]), 1);
    fed.play(120, |_| Some(RTT));
    fed.play(60, |target| (target < 2).then_some(RTT));
    assert_eq!((fed.state(block(1)), fed.state(country(0))), (State::Unknown, State::Up));
    fed.play(120, |_| None);
    assert_eq!((fed.state(block(0)), fed.state(country(0))), (State::Outage, State::Outage));
    fed.play(30, |_| Some(RTT));
    assert_eq!((fed.state(block(1)), fed.state(country(0))), (State::Up, State::Up));
}

#[test]
fn a_country_goes_dark_by_no_part_that_gets_out_of_sight() {
    let mut fed = Fed::new(of_prefixes(&[&[V4, V6]]), 1);
    fed.play(120, |_| Some(RTT));
    fed.play(120, |target| (target >= 2).then_some(RTT));
    assert_eq!((fed.state(block(0)), fed.state(country(0))), (State::Outage, State::Partial));
    fed.play(300, |_| None);
    assert_eq!(fed.state(block(1)), State::Unknown);
    assert!(
        !fed.changes
            .iter()
            .any(|change| change.scope == country(0) && change.to.is_dark_or_flapping())
    );
    fed.play(30, |_| Some(RTT));
    assert_eq!((fed.state(block(1)), fed.state(country(0))), (State::Up, State::Up));
}

#[test]
fn controls_that_have_never_answered_make_nobody_blind_who_is_asked_each_four_seconds() {
    // A family has a control that is silent, or none.
    for prefix in [V4, V6] {
        let mut fed = Fed::new(of_prefixes(&[&[prefix]]), 1);
        for second in 0..120 {
            fed.ask_control(false);
            if second % 4 == 0 {
                fed.ask(0, Some(RTT));
            }
            fed.pass(SECOND);
        }
        let states: Vec<State> = fed.changes.iter().map(|change| change.to).collect();
        assert!(states.iter().all(|&state| state == State::Up), "{states:?}");
    }
}

#[test]
fn another_block_of_a_family_without_controls_confirms_its_misses() {
    let other = "2001:db8::2:";
    let mut fed = Fed::new(of_prefixes(&[&[V4], &[V6], &[other]]), 1);
    fed.play(120, |_| Some(RTT));
    fed.play(120, |target| (target < 4).then_some(RTT));
    assert_eq!((fed.state(block(1)), fed.state(block(2))), (State::Up, State::Outage));
}

#[test]
fn controls_of_one_family_alone_leave_the_other_blind_from_the_start() {
    let mut fed = Fed::new(of_prefixes(&[&[V6]]), 1);
    fed.play(120, |_| None);
    assert_eq!(fed.state(block(0)), State::Unknown);
    assert_eq!(fed.judge.blindness(fed.now)[Family::V4], None, "nothing of it is watched");
    fed.play(4, |_| Some(RTT));
    assert_eq!(fed.state(block(0)), State::Up);
    fed.pass(SECOND);
}

/// A host asked by ICMP and by TCP, and two that are asked by TCP.
fn of_kinds() -> Roster {
    let mut roster = Roster::default();
    roster.add_country("KP", "KP");
    roster.add_block("127.45.1.0/24".parse().unwrap());
    for (host, probe, kind) in [
        ("127.45.1.1", "icmp", Kind::Icmp),
        ("127.45.1.1", "tcp/80", Kind::Tcp),
        ("127.45.1.2", "tcp/80", Kind::Tcp),
        ("127.45.1.3", "tcp/80", Kind::Tcp),
    ] {
        roster.add_target(Host::from(host), probe, kind);
    }
    roster
}

const ICMP: u32 = 0;

/// Why nothing is known of the first block and its country.
fn causes(fed: &Fed) -> [Option<Cause>; 2] {
    let verdicts = fed.verdicts();
    [block(0), country(0)].map(|scope| verdicts[fed.roster.scope_id(scope).index()].cause)
}

#[test]
fn what_is_unknown_says_why() {
    let unsent = |fed: &mut Fed, fault| {
        for _ in 0..120 {
            fed.ask_control(true);
            for target in 0..4 {
                fed.tell_of(target, fed.now, Duration::ZERO, Evidence::Fault(fault));
            }
            fed.pass(SECOND);
        }
    };
    let faults = [Fault::Unresolved, Fault::OutsideBlock, Fault::NoDescriptors, Fault::NoPrivilege];
    for fault in faults {
        let mut fed = Fed::new(of_kinds(), 1);
        fed.play(60, |_| Some(RTT));
        assert_eq!(causes(&fed), [None; 2]);
        unsent(&mut fed, fault);
        assert_eq!(causes(&fed), [Some(Cause::NotSent(fault)); 2]);
        let label = Cause::NotSent(fault).label();
        assert!(
            fed.changes.iter().any(|change| change.evidence.text(0).contains(label)),
            "{fault:?}"
        );
    }
    let mut fed = Fed::new(of_kinds(), 1);
    assert_eq!(causes(&fed), [Some(Cause::NoAnswer); 2]);
    for _ in 0..120 {
        fed.ask_control(true);
        fed.pass(SECOND);
    }
    assert_eq!(causes(&fed), [Some(Cause::NothingAsked); 2]);
    for target in 0..4 {
        assert_eq!(causes(&fed), [Some(Cause::NothingAsked); 2]);
        fed.tell_of(target, fed.now, Duration::ZERO, Evidence::AcceptsAll);
        fed.ask_control(true);
        fed.pass(SECOND);
    }
    assert_eq!(causes(&fed), [Some(Cause::AcceptsAll); 2]);
    let mut fed = Fed::new(of_kinds(), 1);
    fed.play(60, |_| Some(RTT));
    fed.pass(SECOND * 10);
    assert_eq!(causes(&fed), [Some(Cause::ControlsSilent); 2]);
}

#[test]
fn what_keeps_one_host_from_being_asked_is_no_cause_while_another_is_asked() {
    let hindrances = [
        Evidence::Fault(Fault::Unresolved),
        Evidence::Fault(Fault::NoPrivilege),
        Evidence::AcceptsAll,
    ];
    for hindrance in hindrances {
        let mut fed = Fed::new(of_prefixes(&[&[V4]]), 1);
        for _ in 0..60 {
            fed.ask_control(true);
            fed.ask(1, None);
            fed.tell_of(0, fed.now, PATIENCE, hindrance);
            fed.pass(SECOND);
            assert_eq!(causes(&fed), [Some(Cause::NoAnswer); 2], "{hindrance:?}");
        }
    }
}

#[test]
fn who_is_blind_knows_no_other_cause() {
    let mut fed = Fed::new(of_prefixes(&[&[V4]]), 1);
    fed.play(60, |_| Some(RTT));
    for _ in 0..60 {
        fed.ask_control(false);
        for target in 0..2 {
            let fault = Evidence::Fault(Fault::Unresolved);
            fed.tell_of(target, fed.now, Duration::ZERO, fault);
        }
        fed.pass(SECOND);
    }
    assert_eq!(causes(&fed), [Some(Cause::ControlsSilent); 2]);
}

/// Whoever else cannot be seen then, in the same family, cannot for the same reason.
#[test]
fn who_is_blind_since_nothing_leaves_says_so() {
    let mut fed = Fed::new(of_prefixes(&[&[V4], &["127.46.1."]]), 0);
    fed.play(60, |_| Some(RTT));
    for _ in 0..40 {
        for target in 0..2 {
            fed.tell_of(target, fed.now, Duration::ZERO, Evidence::Fault(Fault::NoRoute));
        }
        fed.pass(SECOND / 2);
    }
    let id = fed.roster.scope_id(country(1)).index();
    assert_eq!(fed.verdicts()[id].cause, Some(Cause::NotSent(Fault::NoRoute)));
    let told =
        fed.changes.iter().find(|change| change.scope == country(1) && change.to == State::Unknown);
    let text = told.expect("a change").evidence.text(0);
    assert!(text.starts_with("we are blind: ") && text.contains("(no_route)"), "{text}");
    fed.play(30, |_| Some(RTT));
    assert_eq!([fed.state(country(0)), fed.state(country(1))], [State::Up; 2]);
}

/// So many seconds in which the control answers, ICMP cannot be sent, and TCP is silent.
fn held_back(fed: &mut Fed, seconds: u32, fault: Fault) {
    for _ in 0..seconds {
        fed.ask_control(true);
        fed.tell_of(ICMP, fed.now, Duration::ZERO, Evidence::Fault(fault));
        for tcp in 1..4 {
            fed.ask(tcp, None);
        }
        fed.pass(SECOND);
    }
}

#[test]
fn nobody_is_down_because_our_own_firewall_drops() {
    for fault in [Fault::Permission, Fault::NoRoute, Fault::NoBuffers] {
        // Known before, and from the start.
        for acquaintance in [120, 0] {
            let mut fed = Fed::new(of_kinds(), 1);
            fed.play(acquaintance, |_| Some(RTT));
            held_back(&mut fed, 200, fault);
            assert_eq!(fed.state(block(0)), State::Unknown, "{fault:?}");
            assert_eq!(fed.state(country(0)), State::Unknown, "{fault:?}");
            assert_eq!(causes(&fed), [Some(Cause::NotSent(fault)); 2]);
            let blindness = fed.judge.blindness(fed.now)[Family::V4].unwrap();
            assert_eq!(blindness.spells, 0, "the control answers");
            fed.play(5, |_| Some(RTT));
            assert_eq!(fed.state(block(0)), State::Up, "{fault:?}");
            assert!(
                !fed.changes.iter().any(|change| change.to.is_dark_or_flapping()),
                "{:#?}",
                fed.changes
            );
        }
    }
}

#[test]
fn a_kind_that_we_may_never_send_does_not_hide_an_outage() {
    let mut fed = Fed::new(of_kinds(), 1);
    for second in 0..300 {
        fed.ask_control(true);
        fed.tell_of(ICMP, fed.now, Duration::ZERO, Evidence::Fault(Fault::NoPrivilege));
        for tcp in 1..4 {
            fed.ask(tcp, (second < 120).then_some(RTT));
        }
        fed.pass(SECOND);
    }
    assert_eq!(fed.state(block(0)), State::Outage);
}

#[test]
fn what_the_kernel_tells_seconds_later_was_no_silence() {
    // Nobody answers ARP: each probe is overdue first, and after three seconds it had no route.
    let mut fed = Fed::new(of_prefixes(&[&[V4]]), 1);
    fed.play(120, |_| Some(RTT));
    for turn in 0..240 {
        fed.ask_control(true);
        let target = turn % 2;
        fed.ask(target, None);
        fed.tell_of(target, fed.now, SECOND * 3, Evidence::Fault(Fault::NoRoute));
        fed.pass(SECOND);
    }
    assert_eq!(fed.state(block(0)), State::Unknown);
    assert!(
        !fed.changes.iter().any(|change| change.to.is_dark_or_flapping()),
        "{:#?}",
        fed.changes
    );
}

#[test]
fn single_failures_in_a_long_outage_leave_it_one() {
    let mut fed = Fed::new(of_kinds(), 1);
    fed.play(120, |_| Some(RTT));
    fed.play(120, |_| None);
    assert_eq!(fed.state(block(0)), State::Outage);
    let before = fed.changes.len();
    for _ in 0..6 {
        fed.tell_of(ICMP, fed.now, Duration::ZERO, Evidence::Fault(Fault::NoDescriptors));
        fed.play(60, |_| None);
        fed.tell_of(ICMP, fed.now, Duration::ZERO, Evidence::Fault(Fault::NoBuffers));
        fed.play(200, |_| None);
    }
    assert_eq!(fed.changes.len(), before, "{:#?}", fed.changes);
}

/// All connects hang: there is no socket for the next one.
#[test]
fn want_of_sockets_in_an_outage_is_no_blindness() {
    for controls in [0, 1] {
        let mut fed = Fed::new(of_kinds(), controls);
        fed.play(120, |_| Some(RTT));
        for _ in 0..120 {
            if controls > 0 {
                fed.ask_control(true);
            }
            fed.tell_of(1, fed.now, Duration::ZERO, Evidence::Fault(Fault::NoDescriptors));
            fed.ask(2, None);
            fed.ask(3, None);
            fed.pass(SECOND);
        }
        assert!(!fed.changes.iter().skip(2).any(|change| change.to == State::Unknown));
        assert_eq!(fed.judge.blindness(fed.now)[Family::V4].unwrap().spells, 0);
    }
}

#[test]
fn of_a_gap_in_both_families_a_scope_of_both_is_out_of_sight_once() {
    let mut fed = Fed::new(of_prefixes(&[&[V4, V6], &["2001:db8::2:"]]), 1);
    fed.play(120, |_| Some(RTT));
    fed.play(60, |target| (target >= 4).then_some(RTT));
    let unseen = |fed: &Fed, id: usize| fed.judge.scopes[id].darkness.as_ref().unwrap().unseen;
    let gap = Duration::from_secs(30);
    let country = fed.roster.scope_id(country(0)).index();
    let of_all = |fed: &Fed| [0, 1, country].map(|id| unseen(fed, id));
    let before = of_all(&fed);
    let from = fed.now;
    fed.now = from + gap;
    fed.judge.handle_gap(from, fed.now);
    let added: Vec<_> = of_all(&fed)
        .iter()
        .zip(before)
        .map(|(after, before)| after.saturating_sub(before))
        .collect();
    assert!(added[0] >= gap && added.iter().all(|each| *each == added[0]), "{added:?}");
}

#[test]
fn a_country_whose_last_living_block_leaves_the_plan_is_dark_with_the_rest() {
    let mut fed = Fed::new(of_sizes(&[vec![2, 2]]), 1);
    fed.play(120, |_| Some(RTT));
    fed.play(300, |target| (target >= 2).then_some(RTT));
    assert_eq!((fed.state(block(0)), fed.state(country(0))), (State::Outage, State::Partial));
    let roster = Arc::new(of_sizes(&[vec![2]]));
    let map = RosterMapping::between(&fed.roster, &roster);
    let controls = [Family::V4];
    fed.judge.replan(roster.clone(), &map, Rules::default(), &controls, |_| SECOND, fed.now);
    fed.roster = roster;
    fed.under_way.clear();
    fed.play(90, |_| None);
    assert_eq!((fed.state(block(0)), fed.state(country(0))), (State::Outage, State::Outage));
}
