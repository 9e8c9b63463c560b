//! Forged answers, by somebody off the path.

use crate::support::{
    TIMEOUT,
    country::{PORT, WatchedCountry, agree, forger::Attack, network},
    values,
};
use std::{net::IpAddr, sync::Arc, time::Duration};

/// A dark country and a living one, and somebody who plays the dark one's hosts.
#[test]
#[ignore = "needs root; run by tests/run"]
fn nobody_who_has_not_seen_the_questions_can_keep_a_country_alive_or_wake_it() {
    let mut watched = WatchedCountry::from_text(
        "forgery",
        r#"
        story = "one of two countries goes dark for a minute while somebody answers in its name"
        start = "2024-03-01T00:00:00Z"
        duration = "1h"
        controls = 1
        weather = { rtt = "30ms", jitter = "3ms" }
        country = [
            { code = "KP", blocks = ["127.45.176.0/24", "127.45.177.0/24"], hosts = 8, probes = ["icmp", "tcp/80", "dns/kptc.kp/SOA"] },
            { code = "XA", blocks = ["127.46.176.0/24", "127.46.177.0/24"], hosts = 8, probes = ["icmp", "tcp/80", "dns/kptc.kp/SOA"] },
        ]
        event = [{ kind = "dark", at = "+20s", for = "50s", on = "KP" }]
        "#,
        false,
        "judge.outage_after = \"20s\"\nbudget.per_block = \"5/s\"",
    );
    for scope in ["KP", "XA"] {
        watched.program.verdict(TIMEOUT, scope, "up");
    }
    watched.program.listen(Duration::from_secs(8));
    let before = watched.program.memory();
    let victims = watched.scenario.roster.targets.iter().filter(|target| target.block.0 < 2);
    let victims: Vec<IpAddr> =
        victims.map(|target| network::address(&target.host, false)).collect();
    let attack =
        Attack::begin(Arc::clone(&watched.country.device), victims, [10, 0, 0, 2].into(), 10_000);
    watched.program.verdict(Duration::from_secs(25), "KP", "down");
    watched.program.verdict(Duration::from_secs(25), "KP", "outage");
    watched.program.listen(Duration::from_secs(25));
    let during = watched.program.memory();
    watched.program.verdict(Duration::from_secs(25), "KP", "up");
    let forged = attack.end();
    let verdicts = watched.program.verdicts();
    watched.silence(Duration::from_secs(3), &[]);
    let found = watched.account(PORT);
    let ledger = watched.country.ledger();
    let mut wanted = ledger.account(watched.scenario.roster.targets.len());
    // Each made-up echo reply is rejected by us, and a DNS answer whose port was guessed right. The
    // kernel throws out the rest, since no socket is connected so.
    let hits: u64 = found.targets.iter().map(|tally| tally.rejected).sum();
    assert!(hits <= forged.dns, "{hits} of {forged:?}");
    assert_eq!(
        found.rejected.values().sum::<u64>(),
        forged.echo + hits,
        "{:?} {forged:?}",
        found.rejected
    );
    assert!(forged.echo > 100_000, "{forged:?}");
    for (tally, found) in wanted.targets.iter_mut().zip(&found.targets) {
        tally.rejected = found.rejected;
    }
    wanted.rejected.clone_from(&found.rejected);
    agree(&found, &wanted, &watched.scenario);
    assert_eq!(
        values(&watched.namespace.get("/metrics").body, "lifesign_receive_drops_total", &[]),
        [0.0]
    );
    let of = |scope: &str| {
        verdicts
            .iter()
            .filter(|verdict| verdict.scope == scope)
            .map(|v| v.to.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("KP"), ["up", "down", "outage", "up"], "{}", watched.program.said());
    assert_eq!(of("XA"), ["up"], "{}", watched.program.said());
    assert!(during < before + (8 << 10), "memory went from {before} to {during} KiB");
}
