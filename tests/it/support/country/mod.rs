//! The simulated country: the real program in front of scripted hosts that answer real packets, in
//! a network namespace of the test's own. What the program counts and finds is held against the
//! ledger of those who answered.
//!
//! | file | its part |
//! |---|---|
//! | `tun` | the device |
//! | `wire` | packets as bytes |
//! | `hosts` | which packet answers which |
//! | `network` | the loop: the scenario's world, in real time |
//! | `ledger` | what the prober's counters must say |
//! | `forger` | an attacker off the path |
//! | `abridged` | scenario files made short enough for real time |
//!
//! Its tests need root, of the machine or of a user namespace: `unshare --user --map-root-user
//! cargo test --test it country -- --ignored`, where /dev/net/tun may be opened.

pub mod abridged;
pub mod forger;
pub mod hosts;
pub mod ledger;
pub mod network;
pub mod tun;
pub mod wire;

use crate::support::{LIFESIGN, Program, TIMEOUT, TempDir, namespace::Namespace, until, values};
use ledger::{Account, Tally};
use lifesign_core::{outcome::IcmpCode, time::Time};
use lifesign_lab::Scenario;
use network::{Country, plan};
use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

/// The real program in front of a country.
pub struct WatchedCountry {
    pub namespace: Namespace,
    pub country: Country,
    pub program: Program,
    pub scenario: Scenario,
    v6: bool,
    plan: String,
    pub temp_dir: TempDir,
    /// Since when nothing can be under way.
    silent: Time,
}

/// Where the program serves its pages, unless another one does.
pub const PORT: u16 = 17545;

/// Echo requests are dropped where they leave.
pub const HUSH: &str = "nft add table inet hush
    nft add chain inet hush out '{ type filter hook output priority 0; }'
    nft add rule inet hush out icmp type echo-request drop
    nft add rule inet hush out icmpv6 type echo-request drop";

/// The program, with as many descriptors as are allowed, so that no DNS question must be given up
/// for another.
fn watch(namespace: &Namespace, plan: &str, temp_dir: &TempDir, port: u16) -> Program {
    let shell = ["sh", "-c", "ulimit -n $(ulimit -Hn); exec \"$@\"", "sh", LIFESIGN];
    let listen = format!("127.0.0.1:{port}");
    let journal = temp_dir.path(&format!("journal-{port}"));
    let arguments = ["--config", plan, "--listen", &listen, "--record", &journal];
    Program::start(namespace.command(&[&shell[..], &arguments].concat()))
}

/// An hour in which every host of KP answers: in this weather, and with these blocks, hosts and
/// probes, as scenario files have them.
pub fn answering(weather: &str, country: &str) -> Scenario {
    let text = format!(
        "story = \"everybody answers\"\nstart = \"2024-03-01T00:00:00Z\"\nduration = \"1h\"\n\
         weather = {{ {weather} }}\ncountry = [{{ code = \"KP\", {country} }}]\n"
    );
    Scenario::parse("answering", &text).unwrap_or_else(|problems| panic!("{problems}"))
}

impl WatchedCountry {
    pub fn from_text(name: &str, scenario: &str, v6: bool, head: &str) -> Self {
        let scenario =
            Scenario::parse(name, scenario).unwrap_or_else(|problems| panic!("{problems}"));
        Self::start(name, scenario, v6, head, false)
    }

    /// `cut` makes name servers' answers too long for a datagram, and the plan expect data in them.
    pub fn start(name: &str, scenario: Scenario, v6: bool, head: &str, cut: bool) -> Self {
        Self::open(name, scenario, v6, head, cut, |_| {})
    }

    /// In a namespace that was first made to be like this.
    pub fn open(
        name: &str,
        scenario: Scenario,
        v6: bool,
        head: &str,
        cut: bool,
        namespace_is: impl FnOnce(&Namespace),
    ) -> Self {
        let namespace = Namespace::new();
        namespace_is(&namespace);
        let country = Country::begin(&namespace, &scenario, v6, cut);
        let temp_dir = TempDir::new(name);
        let mut text = plan(&scenario, v6, head);
        if cut {
            let address = Ipv4Addr::from(hosts::ADDRESS);
            let expect = |probe: &str| format!("{{ probe = {probe}, expect = \"{address}\" }}");
            text = text.replace("\"dns/kptc.kp/A\"", &expect("\"dns/kptc.kp/A\""));
        }
        let plan = temp_dir.put("plan.toml", text);
        let program = watch(&namespace, &plan, &temp_dir, PORT);
        let silent = Time::NEVER;
        Self { namespace, country, program, scenario, v6, plan, temp_dir, silent }
    }

    /// One more of them, with the same plan.
    pub fn another(&self, port: u16) -> Program {
        watch(&self.namespace, &self.plan, &self.temp_dir, port)
    }

    /// Nothing more is asked from now on, but everything that is under way still comes, for so
    /// long. The program is left to run: its sockets are refused it (TCP, DNS), and its echo
    /// requests are (ICMP). Only when nothing can be under way any more does the route go, so that
    /// it gets its sockets back and can be asked over HTTP.
    pub fn silence(&mut self, long: Duration, others: &[u32]) {
        let all: Vec<u32> = others.iter().copied().chain([self.program.id()]).collect();
        let limit = |most: &str| {
            all.iter().fold(String::new(), |lines, pid| {
                format!("{lines}prlimit --pid {pid} --nofile={most}:\n")
            })
        };
        self.namespace.sh(&format!("{HUSH}\n{}", limit("3")));
        self.program.listen(long);
        let route = if self.v6 { "-6 route del fd00::/16" } else { "route del 10.0.0.0/8" };
        self.namespace.sh(&format!("ip {route}\n{}", limit("$(ulimit -Hn)")));
        self.silent = self.program.now();
    }

    /// What the program's own counters say. It still tries to send, and each such probe counts as
    /// sent until it learns that it cannot; so what a target was sent is the sum of what became of
    /// it, and the rest, which must be just the probes that are open, is left out.
    pub fn account(&self, port: u16) -> Account {
        until(TIMEOUT, "a page of the silence", || {
            let metrics = self.namespace.get_at(port, "/metrics").body;
            let made = values(&metrics, "lifesign_snapshot_timestamp_seconds", &[])[0];
            if made > self.silent.as_secs_f64() { Ok(()) } else { Err(made.to_string()) }
        });
        let state: serde_json::Value =
            serde_json::from_str(&self.namespace.get_at(port, "/api/v1/state").body).unwrap();
        let list = |value: &serde_json::Value, key: &str| value[key].as_array().unwrap().clone();
        let mut account = Account::default();
        for country in list(&state, "countries") {
            for block in list(&country, "blocks") {
                account.targets.extend(list(&block, "targets").iter().map(|target| {
                    let count = |name: &str| target["counts"][name].as_u64().unwrap();
                    let [reply, refused, late] = ["reply", "refused", "late"].map(count);
                    let silent = count("lost") + count("overdue");
                    let unreachable = count("unreachable");
                    let sent = reply + refused + late + silent + unreachable;
                    let duplicate = count("duplicate");
                    let rejected = count("rejected");
                    Tally { sent, reply, refused, late, silent, unreachable, duplicate, rejected }
                }));
            }
        }
        let metrics = self.namespace.get_at(port, "/metrics").body;
        let sum = |name: &str, parts: &[&str]| values(&metrics, name, parts).iter().sum::<f64>();
        let became = ["reply", "refused", "late", "lost", "unreachable"].map(|outcome| {
            sum("lifesign_probe_outcomes_total", &[&format!("outcome=\"{outcome}\"")])
        });
        let settled = became.iter().sum::<f64>() + sum("lifesign_probes_overdue", &[]);
        assert_eq!(
            sum("lifesign_probes_total", &[]) - settled,
            sum("lifesign_probes_open", &[]),
            "{became:?}"
        );
        for reason in lifesign_core::outcome::Reject::ALL {
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
        let code = IcmpCode {
            kind: label("icmp_type")?.parse().ok()?,
            code: label("icmp_code")?.parse().ok()?,
        };
        let count = line.rsplit_once(' ')?.1.parse::<f64>().ok()? as u64;
        Some(((label("family")? == "ipv6", code), count))
    };
    lines.map(|line| read(line).unwrap()).filter(|(_, count)| *count > 0).collect()
}

/// Is this what the ledger says? A probe's patience runs from when it is given out. On a busy
/// machine a moment may pass until it leaves, and an answer that came in time by the ledger may be
/// counted as late; never the other way round.
fn agrees(found: &Tally, wanted: &Tally) -> bool {
    let answered = |tally: &Tally| tally.reply + tally.refused + tally.late;
    let rest = |tally: &Tally| Tally { reply: 0, refused: 0, late: 0, ..*tally };
    rest(found) == rest(wanted)
        && answered(found) == answered(wanted)
        && found.reply <= wanted.reply
        && found.refused <= wanted.refused
}

/// Fails with what differs, and not with all that does not.
pub fn agree(found: &Account, wanted: &Account, scenario: &Scenario) {
    let few = wanted.sum().sent / 100;
    let late = found.sum().late;
    let in_ledger = wanted.sum().late;
    assert!(late - in_ledger <= few, "{late} late answers, {in_ledger} in the ledger");
    assert!(wanted.unsure <= few, "{} answers on the border of patience", wanted.unsure);
    let pairs = found.targets.iter().zip(&wanted.targets).zip(&scenario.roster.targets);
    let apart: Vec<String> = pairs
        .filter(|((found, wanted), _)| !agrees(found, wanted))
        .map(|((found, wanted), target)| {
            format!(
                "{} {}: counted {found:?}\n  in the ledger {wanted:?}",
                target.host, target.probe
            )
        })
        .collect();
    assert!(apart.is_empty(), "{} targets apart\n{}", apart.len(), apart.join("\n"));
    assert_eq!(found.targets.len(), wanted.targets.len());
    assert_eq!(found.rejected, wanted.rejected, "rejected");
    assert_eq!(found.unreachable, wanted.unreachable, "unreachable");
}
