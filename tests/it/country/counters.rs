//! Counters are the ledger: to the last packet, for every target, under every fault that a world
//! can have.

use crate::support::{
    self, TIMEOUT, TempDir,
    country::{PORT, WatchedCountry, agree, answering, network},
    until, values,
};
use lifesign_core::time::Time;
use std::{fmt::Write as _, time::Duration};

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
    let mut watched = WatchedCountry::from_text(name, FAULTS, v6, "budget.per_block = \"250/s\"");
    watched.program.listen(Duration::from_secs(60));
    watched.silence(Duration::from_secs(15), &[]);
    let found = watched.account(PORT);
    let ledger = watched.country.ledger();
    let wanted = ledger.account(watched.scenario.roster.targets.len());
    let sum = wanted.sum();
    eprintln!(
        "{sum:?} {:?} {:?} {} repeats, cost {:?}",
        wanted.rejected,
        wanted.unreachable,
        ledger.repeats.len(),
        ledger.cost
    );
    agree(&found, &wanted, &watched.scenario);
    let kinds = [
        sum.reply,
        sum.refused,
        sum.late,
        sum.silent,
        sum.unreachable,
        sum.duplicate,
        sum.rejected,
    ];
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
    let scenario = answering(
        r#"rtt = "20ms", jitter = "2ms""#,
        r#"blocks = ["127.45.176.0/24"], hosts = 4, probes = ["icmp", "tcp/80", "dns/kptc.kp/SOA"]"#,
    );
    let mut watched =
        WatchedCountry::start("answers", scenario, false, "budget.per_block = \"50/s\"", false);
    watched.program.verdict(TIMEOUT, "KP", "up");
    watched.program.listen(Duration::from_secs(5));
    watched.silence(Duration::from_secs(3), &[]);
    let found = watched.account(PORT);
    let ledger = watched.country.ledger();
    let wanted = ledger.account(watched.scenario.roster.targets.len());
    agree(&found, &wanted, &watched.scenario);
    assert!(ledger.entries.len() > 200, "{}", ledger.entries.len());
}

/// Whoever stops the program stops no answer: those that came in time, while it could not look, are
/// in time.
#[test]
#[ignore = "needs root; run by tests/run"]
fn what_comes_in_time_is_in_time_though_nobody_looks() {
    let scenario = answering(
        r#"rtt = "40ms", jitter = "5ms""#,
        r#"blocks = ["127.45.176.0/24", "127.45.177.0/24"], hosts = 20, probes = ["icmp", "tcp/80", "dns/kptc.kp/SOA"]"#,
    );
    let mut watched =
        WatchedCountry::start("stopped", scenario, false, "budget.per_block = \"150/s\"", false);
    watched.program.verdict(TIMEOUT, "KP", "up");
    let mut stops = Vec::new();
    for _ in 0..10 {
        stops.push(watched.program.now());
        for (signal, millis) in [("STOP", 800), ("CONT", 700)] {
            support::signal(signal, watched.program.id());
            watched.program.listen(Duration::from_millis(millis));
        }
    }
    watched.silence(Duration::from_secs(3), &[]);
    let wanted = watched.country.ledger().account(watched.scenario.roster.targets.len()).sum();
    let found = watched.account(PORT).sum();
    assert!(wanted.sent > 1000 && wanted.sent == wanted.reply + wanted.refused, "{wanted:?}");
    assert_eq!(found.sent, found.reply + found.refused + found.late, "{found:?}");
    // Only what was given out before a stop and left after it is late for itself.
    assert!(found.sent == wanted.sent && found.late <= found.sent / 100, "{found:?}");
    // A dozen are under way at every stop.
    let late = late_answers(&watched.temp_dir);
    let under_way: Vec<_> = late
        .iter()
        .filter(|(sent, seen)| stops.iter().any(|stop| sent < stop && stop < seen))
        .collect();
    assert!(late.len() as u64 == found.late && under_way.is_empty(), "{under_way:?} of {late:?}");
}

/// When each late answer's question was sent, and when it came, by the journal.
fn late_answers(temp_dir: &TempDir) -> Vec<(Time, Time)> {
    let journal = std::fs::read_to_string(temp_dir.join(format!("journal-{PORT}"))).unwrap();
    let late = journal.lines().filter(|line| line.contains(r#""result":"late""#));
    late.map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let sent: Time = line["sent"].as_str().unwrap().parse().unwrap();
        (sent, sent + Duration::from_secs_f64(line["rtt_ms"].as_f64().unwrap() / 1e3))
    })
    .collect()
}

/// Every way in which a router says no, to every kind of probe, in both families. Nobody is heard
/// before: of a silent block only who was heard would be asked on.
fn every_no_is_counted_by_its_code(name: &str, v6: bool) {
    let mut scenario = String::from(
        r#"
        story = "blocks that are gone, and for each code a router that says so with it"
        start = "2024-03-01T00:00:00Z"
        duration = "1h"
        weather = { rtt = "20ms", jitter = "2ms" }
        country = [{ code = "KP", count = 17, hosts = 3, probes = ["icmp", "tcp/80", "dns/kptc.kp/SOA"] }]
        "#,
    );
    let codes = (0..16).map(|code| (3, code)).chain([(11, 0)]);
    for (block, (kind, code)) in codes.enumerate() {
        let _ = writeln!(
            scenario,
            "[[event]]\nkind = \"unreachable\"\nat = \"+0s\"\nfor = \"50m\"\non = \"127.100.{block}.0/24\"\ncode = [{kind}, {code}]"
        );
    }
    let mut watched = WatchedCountry::from_text(name, &scenario, v6, "budget.per_block = \"5/s\"");
    watched.program.listen(Duration::from_secs(20));
    watched.silence(Duration::from_secs(3), &[]);
    let wanted = watched.country.ledger().account(watched.scenario.roster.targets.len());
    assert_eq!(wanted.unreachable.len(), if v6 { 4 } else { 17 }, "{:?}", wanted.unreachable);
    assert!(wanted.unreachable.values().all(|&count| count > 30), "{:?}", wanted.unreachable);
    agree(&watched.account(PORT), &wanted, &watched.scenario);
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn every_no_of_an_ipv4_router_is_counted_by_its_code() {
    every_no_is_counted_by_its_code("codes", false);
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn every_no_of_an_ipv6_router_is_counted_by_its_code() {
    every_no_is_counted_by_its_code("codes6", true);
}

/// An answer is late, and not lost, up to 150 s after its question. Nothing shortens that time, so
/// this test takes as long; it does next to nothing meanwhile.
#[test]
#[ignore = "needs root; run by tests/run"]
fn answers_are_late_until_they_are_lost() {
    let scenario = answering(
        r#"rtt = "20ms", jitter = "2ms", tail = 1.0, tail_from = "135s", tail_to = "165s""#,
        r#"blocks = ["127.45.176.0/24"], hosts = 20, probes = ["icmp", "dns/kptc.kp/SOA"]"#,
    );
    let mut watched =
        WatchedCountry::start("late", scenario, false, "budget.per_block = \"20/s\"", false);
    watched.program.listen(Duration::from_secs(10));
    watched.silence(Duration::from_secs(168), &[]);
    let wanted = watched.country.ledger().account(watched.scenario.roster.targets.len());
    let sum = wanted.sum();
    assert!(sum.late > 40 && sum.silent > 40 && sum.reply == 0, "{sum:?}");
    agree(&watched.account(PORT), &wanted, &watched.scenario);
}

/// Every answer takes longer than the kernel waits before it repeats a SYN. It is life; but to
/// which of the two it is nobody knows, so it measures nothing.
#[test]
#[ignore = "needs root; run by tests/run"]
fn a_country_behind_satellites_is_up_by_tcp_alone() {
    let scenario = answering(
        r#"rtt = "1s250ms", jitter = "10ms""#,
        r#"blocks = ["127.45.176.0/24", "127.45.177.0/24"], hosts = 4, probes = ["tcp/80"]"#,
    );
    let mut watched =
        WatchedCountry::start("satellite", scenario, false, "budget.per_block = \"2/s\"", false);
    watched.program.verdict(TIMEOUT, "KP", "up");
    watched.program.listen(Duration::from_secs(25));
    let verdicts = watched.program.verdicts();
    assert!(verdicts.iter().all(|verdict| verdict.to == "up"), "{verdicts:#?}");
    let metrics = watched.namespace.get("/metrics").body;
    let sum = |name: &str, parts: &[&str]| values(&metrics, name, parts).iter().sum::<f64>();
    assert!(sum("lifesign_probe_outcomes_total", &["outcome=\"reply\""]) > 40.0, "{metrics}");
    assert_eq!(sum("lifesign_probe_rtt_seconds_count", &[]), 0.0, "{metrics}");
}

/// What the kernel repeats is counted too, and it repeats nothing twice.
#[test]
#[ignore = "needs root; run by tests/run"]
fn a_dark_country_asked_by_tcp_gets_no_more_packets_than_its_budget() {
    let mut watched = WatchedCountry::from_text(
        "dark-tcp",
        r#"
        story = "a country that is asked by TCP alone goes dark"
        start = "2024-03-01T00:00:00Z"
        duration = "1h"
        controls = 1
        weather = { rtt = "30ms", jitter = "3ms" }
        country = [{ code = "KP", blocks = ["127.45.176.0/24", "127.45.177.0/24"], hosts = 4, probes = ["tcp/80"] }]
        event = [{ kind = "dark", at = "+15s", for = "50m", on = "KP" }]
        "#,
        false,
        "judge.outage_after = \"10s\"\nbudget.per_block = \"2/s\"",
    );
    for verdict in ["up", "down", "outage"] {
        watched.program.verdict(TIMEOUT, "KP", verdict);
    }
    watched.program.listen(Duration::from_secs(30));
    let ledger = watched.country.ledger();
    assert!(ledger.repeats.len() >= 5, "{} repeats", ledger.repeats.len());
    assert!(ledger.repeats.len() * 3 < ledger.entries.len(), "{} repeats", ledger.repeats.len());
    let asked = ledger.entries.iter().map(|entry| (entry.target, entry.at));
    let all: Vec<_> = asked.chain(ledger.repeats.iter().copied()).collect();
    for block in &watched.scenario.roster.blocks {
        let of_block = all.iter().filter(|(target, _)| block.targets.contains(target));
        let mut times: Vec<Time> = of_block.map(|each| each.1).collect();
        times.sort();
        for (index, &from) in times.iter().enumerate() {
            for (count, &to) in (1_u32..).zip(&times[index..]) {
                // A repetition comes a second after its token was taken, and on a busy machine
                // another second may pass.
                let most = 6.0 + 2.32 * (to.since(from).as_secs_f64() + 2.0);
                assert!(f64::from(count) <= most, "{count} packets from {from} to {to}");
            }
        }
    }
}

/// 1,024 hosts, 2,500 questions a second and as many answers.
#[test]
#[ignore = "needs root; run by tests/run"]
fn a_thousand_hosts_cost_less_than_a_processor() {
    let scenario = answering(
        r#"rtt = "50ms", jitter = "10ms""#,
        r#"count = 8, hosts = 128, probes = ["icmp"]"#,
    );
    let watched =
        WatchedCountry::start("cost", scenario, false, "budget.per_block = \"312/s\"", false);
    let packets = until(2 * TIMEOUT, "60,000 packets", || {
        let packets = watched.country.ledger().entries.len() * 2;
        if packets > 60_000 { Ok(packets) } else { Err(packets.to_string()) }
    });
    let ledger = watched.country.ledger();
    // At 5,000 packets/s: less than 200 µs each.
    assert!(
        ledger.cost < Duration::from_micros(200) * packets as u32,
        "{:?} for {packets}",
        ledger.cost
    );
}

/// Hops that expire are told of by the router at which they do.
#[test]
#[ignore = "needs root; run by tests/run"]
fn routers_stand_in_front_of_the_hosts() {
    let scenario = answering(
        r#"rtt = "20ms", jitter = "2ms""#,
        r#"blocks = ["127.45.176.0/24"], hosts = 4, probes = ["icmp"]"#,
    );
    let watched = WatchedCountry::start("routers", scenario, false, "", false);
    for hops in 1..=network::ROUTERS {
        let hops = hops.to_string();
        let ping = ["fping", "-c", "1", "-H", &hops, "10.45.176.10"];
        let (_, out, err) = support::done(watched.namespace.command(&ping));
        let router = format!("ICMP Time Exceeded from 10.255.{hops}.1");
        assert!(err.contains(&router) || out.contains(&router), "{out}\n{err}");
    }
    let (code, out, err) =
        support::done(watched.namespace.command(&["fping", "-c", "1", "-H", "5", "10.45.176.10"]));
    assert!(code == 0, "{out}\n{err}");
    assert_eq!(watched.country.ledger().expired, u64::from(network::ROUTERS));
}

/// Answers that do not fit into a datagram are asked for again by TCP, where the plan expects
/// certain data.
#[test]
#[ignore = "needs root; run by tests/run"]
fn a_cut_answer_is_fetched_by_tcp() {
    let scenario = answering(
        r#"rtt = "20ms", jitter = "2ms""#,
        r#"blocks = ["127.45.176.0/24"], hosts = 4, probes = ["dns/kptc.kp/A"]"#,
    );
    let mut watched =
        WatchedCountry::start("cut", scenario, false, "budget.per_block = \"10/s\"", true);
    watched.program.listen(Duration::from_secs(8));
    // The data that the plan expects stood in none of the datagrams.
    let metrics = watched.namespace.get("/metrics").body;
    assert_eq!(values(&metrics, "lifesign_probes_unexpected_total", &["dns"]), [0.0]);
    watched.silence(Duration::from_secs(4), &[]);
    let wanted = watched.country.ledger().account(watched.scenario.roster.targets.len());
    agree(&watched.account(PORT), &wanted, &watched.scenario);
    assert!(wanted.sum().reply > 40, "{wanted:?}");
}
