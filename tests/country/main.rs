//! The test country: the real program in front of scripted hosts that answer real packets, in a network namespace
//! of the test's own. What the program counts and finds is held against the ledger of those who answered.
//!
//! | file | its part |
//! |---|---|
//! | `tun` | the device |
//! | `wire` | packets as bytes |
//! | `hosts` | which packet answers which |
//! | `land` | the loop: the scenario's world, in real time |
//! | `ledger` | what the prober's counters must say |
//!
//! Its tests need root, of the machine or of a user namespace:
//! `unshare --user --map-root-user cargo test --test country -- --ignored`.

#![expect(clippy::unwrap_used, reason = "a test whose stage cannot be set has failed")]

mod hosts;
mod land;
mod ledger;
mod tun;
mod wire;

#[path = "../support/mod.rs"]
mod support;

use land::{Country, plan};
use ledger::{Account, Tally};
use lifesign::{outcome::IcmpCode, scenario::Scenario};
use std::{collections::BTreeMap, time::Duration};
use support::{Program, Room, SOON, namespace::Namespace, until, values};

/// The real program in front of a country.
struct Stage {
    namespace: Namespace,
    country: Country,
    watch: Program,
    scenario: Scenario,
    v6: bool,
    room: Room,
}

impl Stage {
    fn set(name: &str, scenario: &str, v6: bool, head: &str) -> Self {
        let scenario = Scenario::parse(name, scenario).unwrap_or_else(|problems| panic!("{problems}"));
        let namespace = Namespace::new();
        let country = Country::begin(&namespace, &scenario, v6, false);
        let room = Room::new(name);
        let file = room.put("plan.toml", plan(&scenario, v6, head));
        let journal = room.path("journal");
        // As many descriptors as are allowed, so that no DNS question must be given up for another.
        let shell = ["sh", "-c", "ulimit -n $(ulimit -Hn); exec \"$@\"", "sh", support::LIFESIGN];
        let command = [&shell[..], &["--config", &file, "--record", &journal]].concat();
        let watch = Program::start(namespace.command(&command));
        Self { namespace, country, watch, scenario, v6, room }
    }

    /// Nothing more is asked from now on, but everything that is under way still comes, for so long. The program is
    /// left to run: its sockets are refused it (TCP, DNS), and its echo requests are (ICMP). Only when nothing can
    /// be under way any more does the route go, so that it gets its sockets back and can be asked over HTTP.
    fn silence(&mut self, long: Duration) {
        let (pid, lifted) = (self.watch.id(), "$(ulimit -Hn)");
        let limit = |most: &str| format!("prlimit --pid {pid} --nofile={most}:");
        self.namespace.sh(&format!(
            "nft add table inet hush
             nft add chain inet hush out '{{ type filter hook output priority 0; }}'
             nft add rule inet hush out icmp type echo-request drop
             nft add rule inet hush out icmpv6 type echo-request drop
             {}",
            limit("3")
        ));
        self.watch.listen(long);
        let route = if self.v6 { "-6 route del fd00::/16" } else { "route del 10.0.0.0/8" };
        self.namespace.sh(&format!("ip {route}\n{}", limit(lifted)));
        // The pages are made anew every second.
        self.watch.listen(Duration::from_millis(2500));
    }

    /// What the program's own counters say. It still tries to send, and each such probe counts as sent until it
    /// learns that it cannot; so what a target was sent is the sum of what became of it, and the rest, which must be
    /// just the probes that are open, is left out.
    fn account(&self) -> Account {
        let state: serde_json::Value =
            serde_json::from_str(&self.namespace.get("/api/v1/state").body).unwrap();
        let list = |value: &serde_json::Value, key: &str| value[key].as_array().unwrap().clone();
        let mut account = Account::default();
        for country in list(&state, "countries") {
            for block in list(&country, "blocks") {
                account.targets.extend(list(&block, "targets").iter().map(|target| {
                    let count = |name: &str| target["counts"][name].as_u64().unwrap();
                    let [reply, refused, late] = ["reply", "refused", "late"].map(count);
                    let (silent, unreachable) = (count("lost") + count("overdue"), count("unreachable"));
                    let sent = reply + refused + late + silent + unreachable;
                    let (duplicate, rejected) = (count("duplicate"), count("rejected"));
                    Tally { sent, reply, refused, late, silent, unreachable, duplicate, rejected }
                }));
            }
        }
        let metrics = self.namespace.get("/metrics").body;
        let sum = |name: &str, parts: &[&str]| values(&metrics, name, parts).iter().sum::<f64>();
        let became = ["reply", "refused", "late", "lost", "unreachable"]
            .map(|outcome| sum("lifesign_probe_outcomes_total", &[&format!("outcome=\"{outcome}\"")]));
        let settled = became.iter().sum::<f64>() + sum("lifesign_probes_overdue", &[]);
        assert_eq!(
            sum("lifesign_probes_total", &[]) - settled,
            sum("lifesign_probes_open", &[]),
            "{became:?}"
        );
        for reason in lifesign::outcome::Reject::ALL {
            let label = format!("reason=\"{}\"", reason.label());
            let count = values(&metrics, "lifesign_rejected_total", &[&label])[0] as u64;
            if count > 0 {
                account.rejected.insert(reason.label(), count);
            }
        }
        account.unreachable = unreachable(&metrics);
        account
    }
}

fn unreachable(metrics: &str) -> BTreeMap<(bool, IcmpCode), u64> {
    let lines = metrics.lines().filter(|line| line.starts_with("lifesign_unreachable_total{"));
    let read = |line: &str| {
        let label = |name: &str| line.split(&format!("{name}=\"")).nth(1)?.split('"').next();
        let code =
            IcmpCode { kind: label("icmp_type")?.parse().ok()?, code: label("icmp_code")?.parse().ok()? };
        let count = line.rsplit_once(' ')?.1.parse::<f64>().ok()? as u64;
        Some(((label("family")? == "ipv6", code), count))
    };
    lines.map(|line| read(line).unwrap()).filter(|(_, count)| *count > 0).collect()
}

/// Fails with what differs, and not with all that does not.
fn agree(found: &Account, wanted: &Account, scenario: &Scenario) {
    let pairs = found.targets.iter().zip(&wanted.targets).zip(&scenario.roster.targets);
    let apart: Vec<String> = pairs
        .filter(|((found, wanted), _)| found != wanted)
        .map(|((found, wanted), target)| {
            format!("{} {}: counted {found:?}\n  in the ledger {wanted:?}", target.host, target.probe)
        })
        .collect();
    assert!(apart.is_empty(), "{} targets apart\n{}", apart.len(), apart.join("\n"));
    assert_eq!(found.targets.len(), wanted.targets.len());
    assert_eq!(found.rejected, wanted.rejected, "rejected");
    assert_eq!(found.unreachable, wanted.unreachable, "unreachable");
    assert_eq!(wanted.unsure, 0, "answers on the border of patience");
}

/// A world with every fault that it can have, but for darkness.
const FAULTS: &str = r#"
    story = "loss, bursts, duplicates, lateness, forgery, damage; hosts of every sort; routers that say no"
    start = "2024-03-01T00:00:00Z"
    duration = "1h"
    controls = 1
    seed = 4
    [weather]
    rtt = "30ms"
    jitter = "8ms"
    tail = 0.02
    tail_from = "4s"
    tail_to = "14s"
    loss = 0.03
    miss = [0.0, 0.3]
    burst_mean = "1s"
    burst_gap = "10s"
    burst_loss = 0.8
    duplicates = 0.05
    forged = 0.05
    corrupt = 0.02
    truncated = 0.02
    [hosts]
    icmp_only = 0.1
    tcp_only = 0.1
    refuses = 0.3
    accept_all = 0.1
    [[country]]
    code = "KP"
    blocks = ["127.45.176.0/24", "127.45.177.0/24", "127.45.178.0/24", "127.45.179.0/24"]
    hosts = 60
    probes = ["icmp", "tcp/80", "dns/kptc.kp/SOA"]
    [[event]]
    kind = "unreachable"
    at = "+20s"
    for = "6s"
    on = "127.45.177.0/24"
    code = [3, 13]
    [[event]]
    kind = "dark"
    at = "+30s"
    for = "5s123ms"
    on = "127.45.178.0/24"
"#;

/// For every target, to the last packet.
fn counters_are_the_ledger(name: &str, v6: bool) {
    let mut stage = Stage::set(name, FAULTS, v6, "budget.per_block = \"250/s\"");
    stage.watch.listen(Duration::from_secs(60));
    stage.silence(Duration::from_secs(15));
    let (found, ledger) = (stage.account(), stage.country.ledger());
    let wanted = ledger.account(stage.scenario.roster.targets.len());
    let sum = wanted.sum();
    eprintln!(
        "{sum:?} {:?} {:?} {} repeats, cost {:?}",
        wanted.rejected, wanted.unreachable, ledger.repeats, ledger.cost
    );
    agree(&found, &wanted, &stage.scenario);
    let kinds = [sum.reply, sum.refused, sum.late, sum.silent, sum.unreachable, sum.duplicate, sum.rejected];
    assert!(kinds.iter().all(|&count| count > 100), "the world was too kind: {sum:?}");
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn counters_are_the_ledger_at_a_thousand_a_second() {
    counters_are_the_ledger("ledger", false);
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn counters_are_the_ledger_in_ipv6() {
    counters_are_the_ledger("ledger6", true);
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn a_country_answers() {
    let mut stage = Stage::set(
        "answers",
        r#"
        story = "four hosts answer everything"
        start = "2024-03-01T00:00:00Z"
        duration = "1h"
        weather = { rtt = "20ms", jitter = "2ms" }
        country = [{ code = "KP", blocks = ["127.45.176.0/24"], hosts = 4, probes = ["icmp", "tcp/80", "dns/kptc.kp/SOA"] }]
        "#,
        false,
        "budget.per_block = \"50/s\"",
    );
    stage.watch.verdict(SOON, "KP", "up");
    stage.watch.listen(Duration::from_secs(5));
    stage.silence(Duration::from_secs(3));
    let (found, ledger) = (stage.account(), stage.country.ledger());
    assert_eq!(found, ledger.account(stage.scenario.roster.targets.len()));
    assert!(ledger.entries.len() > 200, "{}", ledger.entries.len());
}
