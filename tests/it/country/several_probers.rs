//! Several probers that ask the same hosts at once.

use crate::support::{
    Program, TIMEOUT,
    country::{HUSH, PORT, WatchedCountry, answering},
    namespace::Namespace,
};
use std::time::Duration;

/// Two lifesigns and an fping ask the same hosts, and a raw socket hears everybody's answers.
#[test]
#[ignore = "needs root; run by tests/run"]
fn nobody_takes_another_ones_answers() {
    let scenario = answering(
        r#"rtt = "30ms", jitter = "10ms""#,
        r#"blocks = ["127.45.176.0/24", "127.45.177.0/24"], hosts = 20, probes = ["icmp", "tcp/80", "dns/kptc.kp/SOA"]"#,
    );
    let head = "budget.per_block = \"100/s\"";
    let hush = |namespace: &Namespace| drop(namespace.sh(HUSH));
    let mut watched = WatchedCountry::open("together", scenario, false, head, false, hush);
    let mut other = watched.another(PORT + 1);
    // Whoever opens its socket later has not heard the answers until then.
    for program in [&mut watched.program, &mut other] {
        program.address();
    }
    watched.namespace.sh("nft delete table inet hush");
    for program in [&mut watched.program, &mut other] {
        program.verdict(TIMEOUT, "KP", "up");
    }
    let hosts =
        (176..178).flat_map(|block| (10..30).map(move |host| format!("10.45.{block}.{host}")));
    let hosts: Vec<String> = hosts.collect();
    // It waits for longer than it is ever kept from looking.
    let arguments = ["fping", "-q", "-c", "40", "-p", "500", "-i", "5", "-t", "5000"];
    let hosts_too = hosts.iter().map(String::as_str);
    let command: Vec<&str> = arguments.into_iter().chain(hosts_too).collect();
    let mut fping = Program::start(watched.namespace.command(&command));
    let status = fping.end(2 * TIMEOUT);
    assert!(status.success(), "{status} {}", fping.said());
    assert_eq!(fping.err.len(), hosts.len(), "{}", fping.said());
    assert!(fping.err.iter().all(|line| line.contains("40/40/0%")), "{}", fping.said());
    watched.silence(Duration::from_secs(3), &[other.id()]);
    let accounts = [watched.account(PORT), watched.account(PORT + 1)];
    let wanted = watched.country.ledger().account(watched.scenario.roster.targets.len());
    let icmp: Vec<u64> = accounts
        .iter()
        .map(|account| account.targets.iter().step_by(3).map(|t| t.reply + t.late).sum())
        .collect();
    let pings = 40 * hosts.len() as u64;
    for (account, others) in accounts.iter().zip([icmp[1], icmp[0]]) {
        let sum = account.sum();
        assert!(
            sum.sent > 1000
                && sum.sent == sum.reply + sum.refused + sum.late
                && sum.late <= sum.sent / 100
                && sum.duplicate == 0,
            "{sum:?}"
        );
        // Nobody's answers but the others'; an identifier that two of them drew is told by its
        // token.
        assert_eq!(
            account.rejected.values().sum::<u64>(),
            others + pings,
            "{:?}",
            account.rejected
        );
    }
    let both = accounts.iter().map(|account| account.sum().sent).sum::<u64>();
    assert_eq!(both + pings, wanted.sum().sent);
}
