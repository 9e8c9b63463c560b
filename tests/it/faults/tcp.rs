//! Of SYNs the kernel does not say whether they left.

use crate::support::namespace::World;
use crate::support::watched_world::{EVERYTHING, SCOPES, WatchedWorld, fast, never};
use std::time::Duration;

/// What a check of ours leaves from, as no probe does.
const CHECK: &str = "tcp sport 64999";

/// The world's plan, in which all are asked by TCP but the control.
fn by_tcp_alone() -> String {
    fast().replace("\"icmp\"", "\"tcp/80\"").replace("\"dns/kptc.kp/SOA\"", "\"tcp/80\"")
}

/// All is well with the country of this plan. Checks are counted where they come to the router, and
/// to the country.
fn start(name: &str, plan: &str) -> WatchedWorld {
    let mut watched =
        WatchedWorld::open(name, plan, &[], &[], |World { router, country, .. }| {
            for namespace in [router, country] {
                namespace.sh(&format!(
                    "nft add table ip checks
                 nft add counter ip checks seen
                 nft add chain ip checks arrivals '{{ type filter hook prerouting priority 0; }}'
                 nft add rule ip checks arrivals {CHECK} tcp dport 80 counter name seen"
                ));
            }
        });
    watched.acquaint();
    watched
}

/// How many came so far: to the router, and to the country.
fn checks(watched: &WatchedWorld) -> [u64; 2] {
    [&watched.world.router, &watched.world.country]
        .map(|namespace| namespace.counted("ip checks seen"))
}

fn forbid(watched: &WatchedWorld, rule: &str) {
    watched.world.vantage.sh(&format!(
        "nft add table ip wall
         nft add chain ip wall output '{{ type filter hook output priority 0; }}'
         nft add rule ip wall output {rule}"
    ));
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn our_own_firewall_forbids_tcp_alone() {
    for (name, rule) in [
        ("port", "tcp dport 80 drop"),
        ("state", "ip daddr 10.45.176.0/22 ct state new tcp flags syn drop"),
        ("reset", "tcp dport 80 reject with tcp reset"),
    ] {
        let mut watched = start(name, &by_tcp_alone());
        // They are so near that our own firewall might have refused in their place.
        let before = checks(&watched);
        assert_eq!(before[1], 0, "none reaches a target");
        forbid(&watched, rule);
        watched.all("unknown");
        assert!(watched.metric("lifesign_not_sent_total", &["permission"]) >= 3.0);
        assert_eq!(watched.metric("lifesign_blind_spells_total", &[]), 0.0, "the control answers");
        let label = [r#"reason="permission""#];
        assert_eq!(watched.metric("lifesign_block_unknown_info", &label), 4.0);
        watched.calm(Duration::from_secs(30));
        assert_eq!(checks(&watched), before, "nothing left");
        watched.world.vantage.sh("nft delete table ip wall");
        watched.all("up");
        watched.never_dark();
    }
}

/// The router drops them, and it is not ours. That is told in the time in which it is told of any
/// country.
#[test]
#[ignore = "needs root; run by tests/run"]
fn a_country_that_is_asked_by_tcp_alone_is_dead() {
    let mut watched = start("alone", &by_tcp_alone());
    let [before, _] = checks(&watched);
    let cut = watched.at(|world| world.cut(EVERYTHING, "drop"));
    watched.in_time(&SCOPES, "down", cut, Duration::from_secs(10));
    watched.in_time(&SCOPES, "outage", cut, Duration::from_secs(25));
    let passed = watched.program.now().since(cut.0).as_secs();
    let [router, country] = checks(&watched);
    let router = router - before;
    assert!((1..=passed + 1).contains(&router), "{router} checks in {passed} s");
    assert_eq!(country, 0, "none reaches a target");
    assert_eq!(watched.metric("lifesign_rejected_total", &[]), 0.0, "nobody answers them");
    watched.world.mend();
    watched.all("up");
    never(&watched.program, &["unknown", "partial"]);
}

/// One host may never be asked: that says nothing of the others.
#[test]
#[ignore = "needs root; run by tests/run"]
fn one_host_is_forbidden_for_good_and_its_country_dies() {
    for (name, plan) in [("one", by_tcp_alone()), ("kind", fast())] {
        let mut watched = start(name, &plan);
        forbid(&watched, "ip daddr 10.45.176.15 drop");
        watched.calm(Duration::from_secs(30));
        assert!(watched.metric("lifesign_not_sent_total", &["permission"]) >= 3.0);
        let cut = watched.at(|world| world.cut(EVERYTHING, "drop"));
        watched.in_time(&SCOPES, "down", cut, Duration::from_secs(12));
        watched.in_time(&SCOPES, "outage", cut, Duration::from_secs(25));
        watched.world.mend();
        watched.all("up");
        never(&watched.program, &["unknown", "partial"]);
    }
}
