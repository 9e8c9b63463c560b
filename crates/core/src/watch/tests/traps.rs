//! The trap question: a firewall that answers on every port, and one that does so no more.

use super::{
    one_host::{OneHost, refused, reply},
    target_views,
};
use crate::{
    judge::State,
    outcome::{Found, IcmpCode},
    scopes::{Kind, TargetId},
};
use std::time::Duration;

const TCP: [Kind; 1] = [Kind::Tcp];

fn accepts_all(host: &OneHost) -> bool {
    host.watch.aggregate.target(TargetId(0)).accepts_all()
}

fn only_its_service(_: Kind, trap: bool) -> Option<Found> {
    (!trap).then(|| reply(200))
}

#[test]
fn a_host_that_drops_other_ports_is_known_again_after_a_syn_proxy() {
    let mut host = OneHost::new(&TCP);
    host.pass(25, |_, _| Some(reply(200)));
    assert!(accepts_all(&host));
    assert_eq!(host.state(), State::Unknown);
    // The proxy is gone, and the host drops what it does not serve.
    host.pass(120, only_its_service);
    assert!(accepts_all(&host), "three questions, a minute apart");
    host.pass(80, only_its_service);
    assert!(!accepts_all(&host));
    assert_eq!(host.state(), State::Up);
}

#[test]
fn so_it_is_however_seldom_it_is_asked() {
    for seconds in [15, 61, 80, 600] {
        let mut host = OneHost::asked_each(Duration::from_secs(seconds));
        host.pass(seconds * 40, |_, _| Some(reply(200)));
        assert!(accepts_all(&host), "each {seconds} s");
        host.pass(seconds.max(60) * 16, only_its_service);
        assert!(!accepts_all(&host), "each {seconds} s");
        assert_eq!(host.state(), State::Up, "each {seconds} s");
    }
}

#[test]
fn a_firewall_is_asked_once_a_minute_whether_it_still_accepts_everything() {
    let mut host = OneHost::new(&TCP);
    host.pass(60, |_, _| Some(reply(200)));
    host.pass(3600, |_, _| Some(reply(200)));
    assert!(accepts_all(&host) && (50..=60).contains(&host.traps), "{}", host.traps);
    assert_eq!(host.state(), State::Unknown);
}

#[test]
fn a_host_whose_firewall_drops_what_is_for_its_service_lives_by_its_other_ports() {
    let mut host = OneHost::new(&TCP);
    host.pass(3600, |_, trap| trap.then(|| refused(200)));
    assert!(host.states.iter().all(|&state| state == State::Up), "{:?}", host.states);
    assert_eq!(host.state(), State::Up);
    host.pass(300, |_, _| None);
    assert_eq!(host.state(), State::Outage);
    host.pass(60, |_, trap| Some(if trap { refused(200) } else { reply(200) }));
    assert_eq!(host.state(), State::Up);
    // The service answers: it is asked again, and the trap port hardly ever.
    host.pass(3600, |_, trap| Some(if trap { refused(200) } else { reply(200) }));
    assert!(host.traps <= 2, "{}", host.traps);
}

#[test]
fn it_does_so_too_where_a_router_refuses_for_its_service() {
    let mut host = OneHost::new(&TCP);
    let code = IcmpCode { kind: 3, code: 13 };
    let no =
        Found::Unreachable { from: [127, 0, 0, 2].into(), code, rtt: Duration::from_millis(200) };
    host.pass(3600, |_, trap| Some(if trap { refused(200) } else { no }));
    assert!(host.states.iter().all(|&state| state == State::Up), "{:?}", host.states);
    assert_eq!(host.state(), State::Up);
    // That its service is silent, which is asked with each sixteenth probe still, is no loss.
    assert_eq!(target_views(&host.watch)[0].recent_loss, Some(0.0));
    host.pass(300, |_, _| Some(no));
    assert_eq!(host.state(), State::Outage);
}

#[test]
fn silence_on_every_port_does_not_unmask_a_firewall() {
    let mut host = OneHost::new(&TCP);
    host.pass(60, |_, _| Some(reply(200)));
    host.pass(3600, |_, _| None);
    assert!(accepts_all(&host));
    host.pass(50, |_, _| Some(reply(200)));
    assert_eq!(host.state(), State::Unknown);
}
