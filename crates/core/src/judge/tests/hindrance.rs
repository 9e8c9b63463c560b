//! Hosts that we cannot send to ourselves, in a block that dies.

use super::{Fed, RTT, SECOND, State};
use crate::{
    aggregate::Evidence,
    outcome::{Cause, Fault},
    scopes::{BlockId, CountryId, Host, Kind, Roster, Scope},
};
use std::time::Duration;

const HOSTS: u32 = 8;
const BLOCK: Scope = Scope::Block(BlockId(0));
const COUNTRY: Scope = Scope::Country(CountryId(0));

/// When our own side begins to keep back what is sent to a host.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Since {
    TheStart,
    Before,
    TheCut,
}

/// A block of hosts that are asked by one of these kinds each, in turn.
fn of_kinds(kinds: &[Kind]) -> Roster {
    let mut roster = Roster::default();
    roster.add_country("KP", "KP");
    roster.add_block("127.45.1.0/24".parse().unwrap());
    for (host, &kind) in (1..=HOSTS).zip(kinds.iter().cycle()) {
        roster.add_target(Host::from(format!("127.45.1.{host}").as_str()), kind.label(), kind);
    }
    roster
}

/// So many seconds of a host a second, of whom the first so many cannot be sent to.
fn play(fed: &mut Fed, seconds: u32, hindered: u32, fault: Fault, rtt: Option<Duration>) {
    for _ in 0..seconds {
        fed.ask_control(true);
        let target = fed.at() as u32 % HOSTS;
        if target < hindered {
            fed.tell_of(target, fed.now, Duration::ZERO, Evidence::Fault(fault));
        } else {
            fed.ask(target, rtt);
        }
        fed.pass(SECOND);
    }
}

/// What is told of a block that dies while the first so many of its hosts are hindered.
fn outage(kinds: &[Kind], hindered: u32, fault: Fault, since: Since) -> Fed {
    let mut fed = Fed::new(of_kinds(kinds), 1);
    let before = |at: Since| if since == at { hindered } else { 0 };
    play(&mut fed, 200, before(Since::TheStart), fault, Some(RTT));
    let told = before(Since::TheStart) + before(Since::Before);
    play(&mut fed, 40, told, fault, Some(RTT));
    play(&mut fed, 200, hindered, fault, None);
    fed
}

/// Each case of how many hosts are hindered, why, and since when.
fn cases(hindered: &[u32]) -> impl Iterator<Item = (u32, Fault, Since)> {
    let faults = [Fault::Permission, Fault::NoRoute];
    let since = [Since::TheStart, Since::Before, Since::TheCut];
    let faults = faults.into_iter().flat_map(move |fault| since.map(|since| (fault, since)));
    faults.flat_map(move |(fault, since)| hindered.iter().map(move |&each| (each, fault, since)))
}

#[test]
fn hosts_that_cannot_be_sent_to_leave_the_proof_of_an_outage_to_the_others() {
    let all_kinds: [&[Kind]; 4] =
        [&[Kind::Icmp], &[Kind::Dns], &[Kind::Tcp], &[Kind::Icmp, Kind::Tcp]];
    for kinds in all_kinds {
        for (hindered, fault, since) in cases(&[1, 4, HOSTS - 1]) {
            let fed = outage(kinds, hindered, fault, since);
            let case = format!("{kinds:?}, {hindered} {fault:?} {since:?}: {:#?}", fed.changes);
            // All that the kernel would tell of began with the silence, and is held back: so may
            // the others be.
            let is_common = since == Since::TheCut
                && match kinds {
                    [Kind::Tcp] => fault != Fault::Permission,
                    _ => kinds.len() > 1 && hindered == HOSTS - 1,
                };
            if is_common {
                assert_eq!([fed.state(BLOCK), fed.state(COUNTRY)], [State::Unknown; 2], "{case}");
                assert!(
                    !fed.changes.iter().any(|change| change.to.is_dark_or_flapping()),
                    "{case}"
                );
            } else {
                assert_eq!([fed.state(BLOCK), fed.state(COUNTRY)], [State::Outage; 2], "{case}");
            }
        }
    }
}

#[test]
fn a_block_whose_every_host_cannot_be_sent_to_is_unknown_and_says_why() {
    for kind in Kind::ALL {
        for (hindered, fault, since) in cases(&[HOSTS]) {
            let fed = outage(&[kind], hindered, fault, since);
            let case = format!("{kind:?}, {fault:?} {since:?}: {:#?}", fed.changes);
            assert_eq!([fed.state(BLOCK), fed.state(COUNTRY)], [State::Unknown; 2], "{case}");
            assert!(!fed.changes.iter().any(|change| change.to.is_dark_or_flapping()), "{case}");
            let causes: Vec<_> = fed.verdicts().into_iter().map(|verdict| verdict.cause).collect();
            assert_eq!(causes, [Some(Cause::NotSent(fault)); 2], "{case}");
        }
    }
}
