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
//! | `forger` | an attacker off the path |
//! | `story` | scenario files made short enough to be lived through |
//!
//! Its tests need root, of the machine or of a user namespace:
//! `unshare --user --map-root-user cargo test --test country -- --ignored`.

#![expect(clippy::unwrap_used, reason = "a test whose stage cannot be set has failed")]

mod forger;
mod hosts;
mod land;
mod ledger;
mod story;
mod tun;
mod wire;

#[path = "../support/mod.rs"]
mod support;

use forger::Attack;
use land::{Country, plan};
use ledger::{Account, Tally};
use lifesign::{
    clock::Time,
    outcome::IcmpCode,
    scenario::{Scenario, Simulation},
    schedule::Budget,
    target::{Kind, Scope},
};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::Duration,
};
use support::{Program, Room, SOON, namespace::Namespace, until, values};

/// The real program in front of a country.
struct Stage {
    namespace: Namespace,
    country: Country,
    watch: Program,
    scenario: Scenario,
    v6: bool,
    plan: String,
    room: Room,
}

/// Where the program serves its pages, unless another one does.
const PORT: u16 = 17545;

/// The program, with as many descriptors as are allowed, so that no DNS question must be given up for another.
fn watch(namespace: &Namespace, plan: &str, room: &Room, port: u16) -> Program {
    let shell = ["sh", "-c", "ulimit -n $(ulimit -Hn); exec \"$@\"", "sh", support::LIFESIGN];
    let (listen, journal) = (format!("127.0.0.1:{port}"), room.path(&format!("journal-{port}")));
    let arguments = ["--config", plan, "--listen", &listen, "--record", &journal];
    Program::start(namespace.command(&[&shell[..], &arguments].concat()))
}

impl Stage {
    fn set(name: &str, scenario: &str, v6: bool, head: &str) -> Self {
        let scenario = Scenario::parse(name, scenario).unwrap_or_else(|problems| panic!("{problems}"));
        Self::play(name, scenario, v6, head)
    }

    fn play(name: &str, scenario: Scenario, v6: bool, head: &str) -> Self {
        let namespace = Namespace::new();
        let country = Country::begin(&namespace, &scenario, v6, false);
        let room = Room::new(name);
        let plan = room.put("plan.toml", plan(&scenario, v6, head));
        let watch = watch(&namespace, &plan, &room, PORT);
        Self { namespace, country, watch, scenario, v6, plan, room }
    }

    /// One more of them, with the same plan.
    fn another(&self, port: u16) -> Program {
        watch(&self.namespace, &self.plan, &self.room, port)
    }

    /// Nothing more is asked from now on, but everything that is under way still comes, for so long. The program is
    /// left to run: its sockets are refused it (TCP, DNS), and its echo requests are (ICMP). Only when nothing can
    /// be under way any more does the route go, so that it gets its sockets back and can be asked over HTTP.
    fn silence(&mut self, long: Duration, others: &[u32]) {
        let all: Vec<u32> = others.iter().copied().chain([self.watch.id()]).collect();
        let limit = |most: &str| {
            all.iter().map(|pid| format!("prlimit --pid {pid} --nofile={most}:\n")).collect::<String>()
        };
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
        self.namespace.sh(&format!("ip {route}\n{}", limit("$(ulimit -Hn)")));
        // The pages are made anew every second.
        self.watch.listen(Duration::from_millis(2500));
    }

    /// What the program's own counters say. It still tries to send, and each such probe counts as sent until it
    /// learns that it cannot; so what a target was sent is the sum of what became of it, and the rest, which must be
    /// just the probes that are open, is left out.
    fn account(&self, port: u16) -> Account {
        let state: serde_json::Value =
            serde_json::from_str(&self.namespace.get_at(port, "/api/v1/state").body).unwrap();
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
        let metrics = self.namespace.get_at(port, "/metrics").body;
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
    let _machine = shared();
    let mut stage = Stage::set(name, FAULTS, v6, "budget.per_block = \"250/s\"");
    stage.watch.listen(Duration::from_secs(60));
    stage.silence(Duration::from_secs(15), &[]);
    let (found, ledger) = (stage.account(PORT), stage.country.ledger());
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
    let _machine = shared();
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
    stage.silence(Duration::from_secs(3), &[]);
    let (found, ledger) = (stage.account(PORT), stage.country.ledger());
    assert_eq!(found, ledger.account(stage.scenario.roster.targets.len()));
    assert!(ledger.entries.len() > 200, "{}", ledger.entries.len());
}

/// Round-trip times in milliseconds by kind of probe, as the journal has them, sorted.
fn journalled(room: &Room, probe: &str) -> Vec<f64> {
    let journal = std::fs::read_to_string(room.join(format!("journal-{PORT}"))).unwrap();
    let rtt = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let answered = ["reply", "refused", "late"].contains(&line["result"].as_str()?);
        (answered && line["probe"].as_str()?.starts_with(probe)).then(|| line["rtt_ms"].as_f64())?
    };
    let mut rtts: Vec<f64> = journal.lines().filter_map(rtt).collect();
    rtts.sort_by(f64::total_cmp);
    rtts
}

/// Whoever measures has the machine to itself and its spinning processes; all others share it.
static MACHINE: RwLock<()> = RwLock::new(());

fn shared() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}

/// Two processes that never rest.
struct Spin(Vec<std::process::Child>);

impl Spin {
    fn begin() -> Self {
        let one = || std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        Self((0..2).map(|_| one()).collect())
    }
}

impl Drop for Spin {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn round_trip_times_are_true_on_a_busy_machine() {
    let _alone = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
    let mut stage = Stage::set(
        "rtt",
        r#"
        story = "everybody answers, sooner or later"
        start = "2024-03-01T00:00:00Z"
        duration = "1h"
        weather = { rtt = "40ms", jitter = "10ms" }
        [[country]]
        code = "KP"
        blocks = ["127.45.176.0/24", "127.45.177.0/24", "127.45.178.0/24", "127.45.179.0/24"]
        hosts = 60
        probes = ["icmp", "tcp/80", "dns/kptc.kp/SOA"]
        "#,
        false,
        "budget.per_block = \"250/s\"",
    );
    let spin = Spin::begin();
    stage.watch.listen(Duration::from_secs(30));
    stage.silence(Duration::from_secs(2), &[]);
    drop(spin);
    stage.watch.terminate();
    let ledger = stage.country.ledger();
    let mut apart = Vec::new();
    for (kind, probe) in [(Kind::Icmp, "icmp"), (Kind::Tcp, "tcp"), (Kind::Dns, "dns")] {
        let (measured, true_ones) = (journalled(&stage.room, probe), ledger.rtts(kind));
        assert_eq!(measured.len(), true_ones.len(), "{probe}");
        assert!(measured.len() > 5000, "{probe}: {}", measured.len());
        for share in [0.5, 0.99] {
            let at = (measured.len() as f64 * share) as usize;
            apart.push((probe, share, measured[at], measured[at] - true_ones[at]));
        }
    }
    // Without optimisation each packet costs a good part of a millisecond by itself.
    let within = if cfg!(debug_assertions) { 4.0 } else { 1.0 };
    assert!(
        apart.iter().all(|(.., apart)| apart.abs() < within),
        "kind, quantile, measured and apart (ms): {apart:?}"
    );
}

/// A dark country and a living one, and somebody who plays the dark one's hosts.
#[test]
#[ignore = "needs root; run by tests/run"]
fn nobody_who_has_not_seen_the_questions_can_keep_a_country_alive_or_wake_it() {
    let _machine = shared();
    let mut stage = Stage::set(
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
        stage.watch.verdict(SOON, scope, "up");
    }
    stage.watch.listen(Duration::from_secs(8));
    let before = memory(stage.watch.id());
    let victims = stage.scenario.roster.targets.iter().filter(|target| target.block.0 < 2);
    let victims: Vec<IpAddr> = victims.map(|target| land::address(&target.host, false)).collect();
    let attack = Attack::begin(Arc::clone(&stage.country.device), victims, [10, 0, 0, 2].into(), 10_000);
    stage.watch.verdict(Duration::from_secs(25), "KP", "down");
    let outage = stage.watch.verdict(Duration::from_secs(25), "KP", "outage");
    stage.watch.listen(Duration::from_secs(25));
    let during = memory(stage.watch.id());
    stage.watch.verdict(Duration::from_secs(25), "KP", "up");
    let forged = attack.end();
    let verdicts = stage.watch.verdicts();
    stage.silence(Duration::from_secs(3), &[]);
    let (found, ledger) = (stage.account(PORT), stage.country.ledger());
    let mut wanted = ledger.account(stage.scenario.roster.targets.len());
    // Each made-up echo reply is rejected by us, and a DNS answer whose port was guessed right. The kernel throws
    // out the rest, since no socket is connected so.
    let hits: u64 = found.targets.iter().map(|tally| tally.rejected).sum();
    assert!(hits <= forged.dns, "{hits} of {forged:?}");
    assert_eq!(found.rejected.values().sum::<u64>(), forged.echo + hits, "{:?} {forged:?}", found.rejected);
    assert!(forged.echo > 100_000, "{forged:?}");
    for (tally, found) in wanted.targets.iter_mut().zip(&found.targets) {
        tally.rejected = found.rejected;
    }
    wanted.rejected.clone_from(&found.rejected);
    agree(&found, &wanted, &stage.scenario);
    assert_eq!(values(&stage.namespace.get("/metrics").body, "lifesign_receive_drops_total", &[]), [0.0]);
    let of = |scope: &str| {
        verdicts.iter().filter(|verdict| verdict.scope == scope).map(|v| v.to.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("KP"), ["up", "down", "outage", "up"], "{}", stage.watch.said());
    assert_eq!(of("XA"), ["up"], "{}", stage.watch.said());
    assert!(during < before + 8 << 20, "memory went from {before} to {during} bytes");
}

/// Bytes of memory that a process has in use (proc(5), the second number of statm).
fn memory(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// Two lifesigns and an fping ask the same hosts, and a raw socket hears everybody's answers.
#[test]
#[ignore = "needs root; run by tests/run"]
fn nobody_takes_another_ones_answers() {
    let _machine = shared();
    let mut stage = Stage::set(
        "together",
        r#"
        story = "everybody answers"
        start = "2024-03-01T00:00:00Z"
        duration = "1h"
        weather = { rtt = "30ms", jitter = "10ms" }
        country = [{ code = "KP", blocks = ["127.45.176.0/24", "127.45.177.0/24"], hosts = 20, probes = ["icmp", "tcp/80", "dns/kptc.kp/SOA"] }]
        "#,
        false,
        "budget.per_block = \"100/s\"",
    );
    let mut other = stage.another(PORT + 1);
    for program in [&mut stage.watch, &mut other] {
        program.verdict(SOON, "KP", "up");
    }
    let hosts = (176..178).flat_map(|block| (10..30).map(move |host| format!("10.45.{block}.{host}")));
    let hosts: Vec<String> = hosts.collect();
    let arguments = ["fping", "-q", "-c", "40", "-p", "500", "-i", "5"].map(str::to_owned);
    let command: Vec<&str> = arguments.iter().chain(&hosts).map(String::as_str).collect();
    let mut fping = Program::start(stage.namespace.command(&command));
    let status = fping.end(Duration::from_secs(60));
    assert!(status.success(), "{status} {}", fping.said());
    assert_eq!(fping.err.len(), hosts.len(), "{}", fping.said());
    assert!(fping.err.iter().all(|line| line.contains("40/40/0%")), "{}", fping.said());
    stage.silence(Duration::from_secs(3), &[other.id()]);
    let accounts = [stage.account(PORT), stage.account(PORT + 1)];
    let wanted = stage.country.ledger().account(stage.scenario.roster.targets.len());
    let icmp: Vec<u64> =
        accounts.iter().map(|account| account.targets.iter().step_by(3).map(|t| t.reply).sum()).collect();
    let pings = 40 * hosts.len() as u64;
    for (account, others) in accounts.iter().zip([icmp[1], icmp[0]]) {
        let sum = account.sum();
        assert!(sum.sent > 1000 && sum.sent == sum.reply + sum.refused && sum.duplicate == 0, "{sum:?}");
        // Nobody's answers but the others'; an identifier that two of them drew is told by its token.
        assert_eq!(account.rejected.values().sum::<u64>(), others + pings, "{:?}", account.rejected);
    }
    let both = accounts.iter().map(|account| account.sum().sent).sum::<u64>();
    assert_eq!(both + pings, wanted.sum().sent);
}

/// A change of verdict: to what, and its edge. Times since the story began.
#[derive(Debug)]
struct Turn {
    to: String,
    earliest: Duration,
    latest: Duration,
}

/// The same story in virtual time: the changes of each scope.
fn simulated(scenario: &Scenario, per_block: f64, outage_after: Duration) -> BTreeMap<String, Vec<Turn>> {
    let mut settings = scenario.settings(scenario.seed);
    settings.budget = Some(Budget::of(per_block));
    settings.rules.outage_after = outage_after;
    let mut simulation = Simulation::new(scenario, scenario.seed, &settings);
    let mut turns: BTreeMap<String, Vec<Turn>> = BTreeMap::new();
    simulation.run(scenario.end(), &mut |change| {
        let name = match change.scope {
            Scope::Country(_) => scenario.roster.name_of(change.scope),
            Scope::Block(block) => {
                let address = land::played(scenario.roster.block(block).prefix.address(), false);
                format!("{} {address}/24", scenario.roster.country_of(change.scope).code)
            }
        };
        let since = |time: Time| time.since(scenario.start);
        turns.entry(name).or_default().push(Turn {
            to: change.to.to_string(),
            earliest: since(change.edge.earliest.unwrap_or_default()),
            latest: since(change.edge.latest),
        });
    });
    turns
}

/// The real program lives through a short story as the core does in virtual time: the same states of each scope in
/// the same order, and edges that are no further apart than `GAP`, some probes of a block.
fn lived_as_simulated(name: &str, scenario: Scenario, wanted: &[&str]) {
    const GAP: Duration = Duration::from_millis(1500);
    let _machine = shared();
    let virtually = simulated(&scenario, 5.0, Duration::from_secs(15));
    let states = |turns: &[Turn]| turns.iter().map(|turn| turn.to.clone()).collect::<Vec<_>>();
    assert_eq!(states(&virtually["KP"]), wanted, "in virtual time");
    let long = scenario.duration;
    let head = "judge.outage_after = \"15s\"\nbudget.per_block = \"5/s\"";
    let mut stage = Stage::play(name, scenario, false, head);
    let began = stage.country.began;
    stage.watch.listen(long.saturating_sub(stage.watch.now().since(began)));
    let mut lived: BTreeMap<String, Vec<Turn>> = BTreeMap::new();
    for verdict in stage.watch.verdicts() {
        lived.entry(verdict.scope).or_default().push(Turn {
            to: verdict.to,
            earliest: verdict.earliest.unwrap_or_default().since(began),
            latest: verdict.latest.since(began),
        });
    }
    assert_eq!(lived.len(), 5, "{}", stage.watch.said());
    for (scope, lived) in &lived {
        let virtually = &virtually[scope];
        assert_eq!(states(lived), states(virtually), "{scope}: {lived:#?} {virtually:#?}");
        for (live, virtually) in lived.iter().zip(virtually).skip(1) {
            let apart =
                live.earliest.abs_diff(virtually.earliest).max(live.latest.abs_diff(virtually.latest));
            assert!(apart <= GAP, "{scope}: live {live:?}, in virtual time {virtually:?}");
        }
    }
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn december_2014_is_lived_as_simulated() {
    let hours = [
        ("2014-12-22T15:13:00Z", "2014-12-22T15:18:00Z"),
        ("2014-12-22T15:21:30Z", "2014-12-22T15:25:00Z"),
        ("2014-12-22T16:14:00Z", "2014-12-22T16:18:00Z"),
        ("2014-12-23T01:45:10Z", "2014-12-23T01:47:10Z"),
    ];
    let story = story::abridged("december-2014.toml", &hours, 10);
    lived_as_simulated(
        "december",
        story,
        &["up", "down", "up", "down", "up", "flapping", "outage", "flapping"],
    );
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn october_2017_is_lived_as_simulated() {
    let hours = [
        ("2017-10-01T10:42:30Z", "2017-10-01T10:52:00Z"),
        ("2017-10-01T11:18:00Z", "2017-10-01T11:24:00Z"),
        ("2017-10-01T11:50:00Z", "2017-10-01T11:57:00Z"),
    ];
    let story = story::abridged("october-2017.toml", &hours, 18);
    lived_as_simulated("october", story, &["up", "down", "up", "down", "up", "flapping"]);
}
