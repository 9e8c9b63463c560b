//! The scenario file (docs/scenario.md), but for its events. Every problem is noted; what is wrong
//! is replaced by a default, so that the rest can be read.

use super::{BurstLoss, HostMix, NormalConditions, Scenario, event};
use lifesign_core::{
    judge::State,
    schedule::Budget,
    scopes::{Host, Kind, Prefix, Roster},
    time::Time,
};
use lifesign_document::{Table, Value};
use std::{collections::HashSet, net::IpAddr, sync::Arc, time::Duration};

/// Effect the test of a scenario demands of the verdicts.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// How much of it is run; all, if not given.
    pub slice: Option<Duration>,
    /// Least share of time with the right state.
    pub right_share: Option<f64>,
    /// States that some scope must enter.
    pub seen: Vec<State>,
    /// States that no scope may enter.
    pub no: Vec<State>,
    /// Longest delay from a true darkness to `down`.
    pub max_down: Option<Duration>,
    /// False outages and flappings are allowed up to this number, which is 0 if not given.
    pub false_verdicts: u64,
}

const KEYS: &[&str] = &[
    "story", "sources", "start", "duration", "seed", "pace", "controls", "weather", "hosts",
    "country", "event", "expect",
];
const WEATHER: &[&str] = &[
    "rtt",
    "jitter",
    "tail",
    "tail_from",
    "tail_to",
    "loss",
    "miss",
    "burst_mean",
    "burst_gap",
    "burst_loss",
    "duplicates",
    "forged",
    "corrupt",
    "truncated",
    "diurnal",
];
const HOST_MIX: &[&str] =
    &["icmp_only", "tcp_only", "refuses", "accept_all", "named", "rate_limit", "unreachable"];
/// More than one prober should ask, and some tens of megabytes. Without a limit a few words of a
/// file could ask for terabytes.
const MOST_TARGETS: usize = 200_000;
/// How many /24s there are from 127.100.0.0 on.
const MOST_GENERATED: u32 = 156 * 256;
const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);

pub(super) fn scenario(root: Table<'_>) -> Scenario {
    root.only(KEYS);
    let story = root.need("story", "\"what happens, in one sentence\"");
    let story =
        story.and_then(|value| value.text("what happens, in one sentence")).unwrap_or_default();
    let sources = root.get("sources").and_then(|value| value.list("texts")).unwrap_or_default();
    let sources = sources
        .into_iter()
        .filter_map(|value| value.text("where it comes from"))
        .map(str::to_owned);
    let start = root.need("start", "\"2014-12-22T16:15:00Z\"");
    let start = start.and_then(|value| {
        value.parsed("a time in quotes such as \"2014-12-22T16:15:00Z\"", str::parse)
    });
    let start: Time = start.unwrap_or_default();
    let duration = root.need("duration", "\"24h\"");
    let duration = duration
        .and_then(|value| value.duration(Duration::from_secs(1)..=LONGEST))
        .unwrap_or_default();
    let pace = root.get("pace").and_then(|value| value.one_of(&["default", "frugal"]));
    let roster = roster(root);
    Scenario {
        story: story.to_owned(),
        sources: sources.collect(),
        start,
        duration,
        seed: root.get("seed").and_then(|value| value.integer(0..=i64::MAX)).unwrap_or(1) as u64,
        budget: if pace == Some("frugal") { Budget::FRUGAL } else { Budget::DEFAULT },
        normal: normal_conditions(root.section("weather", WEATHER)),
        host_mix: host_mix(root.section("hosts", HOST_MIX)),
        controls: root.get("controls").and_then(|value| value.integer(0..=16)).unwrap_or(3) as u16,
        events: event::events(root, start, duration, &roster),
        expect: expect(root),
        roster: Arc::new(roster),
    }
}

fn share(table: Option<Table<'_>>, key: &'static str) -> f64 {
    table.and_then(|table| table.get(key)).and_then(|value| value.number(0.0..=1.0)).unwrap_or(0.0)
}

fn normal_conditions(table: Option<Table<'_>>) -> NormalConditions {
    let seconds = |key: &'static str, low: u64, high: u64| {
        let range = Duration::from_millis(low)..=Duration::from_millis(high);
        Some(table?.get(key)?.duration(range)?.as_secs_f64())
    };
    let mean_length = seconds("burst_mean", 10, 3_600_000);
    let mean_interval = seconds("burst_gap", 1000, 86_400_000_000);
    if let (Some(table), true) = (table, mean_length.is_some() != mean_interval.is_some()) {
        table.note(
            "bursts need both burst_mean and burst_gap; \
             write burst_mean = \"3s\" and burst_gap = \"10m\"",
        );
    }
    let loss = table
        .and_then(|table| table.get("burst_loss"))
        .map_or(Some(1.0), |value| value.number(0.0..=1.0));
    NormalConditions {
        rtt: seconds("rtt", 1, 60_000).unwrap_or(0.2),
        jitter: seconds("jitter", 0, 60_000).unwrap_or(0.01),
        tail: share(table, "tail"),
        tail_range: (
            seconds("tail_from", 1, 150_000).unwrap_or(5.0),
            seconds("tail_to", 1, 600_000).unwrap_or(150.0),
        ),
        loss: share(table, "loss"),
        miss: table
            .and_then(|table| table.get("miss"))
            .and_then(range_of_shares)
            .unwrap_or((0.0, 0.0)),
        bursts: mean_length.zip(mean_interval).zip(loss).map(
            |((mean_length, mean_interval), loss)| BurstLoss { mean_length, mean_interval, loss },
        ),
        duplicates: share(table, "duplicates"),
        forged: share(table, "forged"),
        corrupt: share(table, "corrupt"),
        truncated: share(table, "truncated"),
        diurnal: share(table, "diurnal"),
    }
}

fn range_of_shares(value: Value<'_>) -> Option<(f64, f64)> {
    let list = value.list("two numbers such as [0.0, 0.7]")?;
    let numbers: Vec<f64> = list.iter().filter_map(|value| value.number(0.0..=1.0)).collect();
    match numbers[..] {
        [low, high] if low <= high => Some((low, high)),
        _ if numbers.len() < list.len() => None,
        _ => {
            value.note("a range is its low end and its high end; write [0.0, 0.7]");
            None
        }
    }
}

fn host_mix(table: Option<Table<'_>>) -> HostMix {
    HostMix {
        icmp_only: share(table, "icmp_only"),
        tcp_only: share(table, "tcp_only"),
        refuses: share(table, "refuses"),
        accepts_all: share(table, "accept_all"),
        named: share(table, "named"),
        rate_limit: table
            .and_then(|table| table.get("rate_limit"))
            .and_then(|value| value.rate(1000.0)),
        router_answers: table
            .and_then(|table| table.get("unreachable"))
            .and_then(Value::flag)
            .unwrap_or(false),
    }
}

fn expect(root: Table<'_>) -> Expect {
    let keys = ["slice", "right_share", "seen", "no", "max_down", "false_verdicts"];
    let Some(table) = root.section("expect", &keys) else { return Expect::default() };
    let duration = |key| table.get(key)?.duration(Duration::from_secs(1)..=LONGEST);
    let states = |key| {
        let labels = State::ALL.map(State::label);
        let list = table
            .get(key)
            .and_then(|value| value.list("states such as [\"outage\"]"))
            .unwrap_or_default();
        let label = list.into_iter().filter_map(|value| value.one_of(&labels));
        label
            .filter_map(|label| State::ALL.into_iter().find(|state| state.label() == label))
            .collect()
    };
    Expect {
        slice: duration("slice"),
        right_share: table.get("right_share").and_then(|value| value.number(0.0..=1.0)),
        seen: states("seen"),
        no: states("no"),
        max_down: duration("max_down"),
        false_verdicts: table
            .get("false_verdicts")
            .and_then(|value| value.integer(0..=1000))
            .unwrap_or(0) as u64,
    }
}

fn roster(root: Table<'_>) -> Roster {
    let mut roster = Roster::default();
    let mut generated = 0;
    let countries = root.tables("country", "country");
    if countries.is_empty() {
        root.missing(
            "no country here; write [[country]] with code, name, blocks or count, hosts and probes",
        );
    }
    let mut seen = HashSet::new();
    for table in countries {
        table.only(&["code", "name", "blocks", "count", "hosts", "probes"]);
        let code = table
            .need("code", "\"KP\"")
            .and_then(|value| value.text("a country code such as \"KP\""));
        let code = code.unwrap_or_default().to_owned();
        if !seen.insert(code.clone()) {
            table.note(&format!("country {code:?} is given twice; keep one of them"));
        }
        let name =
            table.get("name").and_then(|value| value.text("a name")).unwrap_or(&code).to_owned();
        let hosts = table.need("hosts", "6").and_then(|value| value.integer(1..=200)).unwrap_or(1);
        let probes = table
            .need("probes", "[\"icmp\"]")
            .and_then(|value| value.list("probes such as [\"icmp\"]"));
        let probes: Vec<(Arc<str>, Kind)> = probes
            .into_iter()
            .flatten()
            .filter_map(|value| {
                let kind = value.parsed("a probe such as \"icmp\"", kind)?;
                Some((value.text("a probe")?.into(), kind))
            })
            .collect();
        if let (Some(value), true) = (table.get("probes"), probes.is_empty()) {
            value.note("a host without probes is never asked; write probes = [\"icmp\"]");
        }
        roster.add_country(code, name);
        let first = roster.blocks.len();
        for prefix in prefixes(table, &mut generated) {
            if roster.targets.len() + hosts as usize * probes.len() > MOST_TARGETS {
                table.note(&format!(
                    "with this country there are more than {MOST_TARGETS} targets; \
                     write fewer blocks, hosts or probes"
                ));
                break;
            }
            if let Some(other) =
                roster.blocks.iter().find(|block| first < 64 && block.prefix.overlaps(&prefix))
            {
                table.note(&format!("{prefix} overlaps {}; keep one of them", other.prefix));
            }
            add_block(&mut roster, prefix, hosts as u32, &probes);
        }
    }
    roster
}

/// The kind of a probe in the plan's short form. Scripted hosts answer by kind alone, so the rest
/// (port, name, record type) is not read.
fn kind(text: &str) -> Result<Kind, String> {
    let (label, rest) =
        text.split_once('/').map_or((text, None), |(label, rest)| (label, Some(rest)));
    match (Kind::from_label(label), rest) {
        (Some(Kind::Icmp), None) => Ok(Kind::Icmp),
        (Some(kind @ (Kind::Tcp | Kind::Dns)), Some(_)) => Ok(kind),
        _ => Err(format!(
            "unknown probe {text:?}; a probe is \"icmp\", \"tcp/PORT\" or \"dns/NAME/TYPE\""
        )),
    }
}

/// The prefixes that a country lists, or as many /24s of 127.100.0.0 and above as it counts.
fn prefixes(table: Table<'_>, generated: &mut u32) -> Vec<Prefix> {
    match (table.get("blocks"), table.get("count")) {
        (Some(value), None) => {
            let want = "a prefix of length 24 such as \"127.45.176.0/24\"";
            let list = value.list("prefixes such as [\"127.45.176.0/24\"]").unwrap_or_default();
            if list.is_empty() {
                value.note(
                    "a country without blocks cannot be judged; \
                     write blocks = [\"127.45.176.0/24\"]",
                );
            }
            list.into_iter().filter_map(|value| value.parsed(want, prefix)).collect()
        }
        (None, Some(value)) => {
            let count = value.integer(1..=20_000).unwrap_or(1) as u32;
            if *generated + count > MOST_GENERATED {
                value.note(&format!(
                    "there are {MOST_GENERATED} blocks to be counted out in all; write less"
                ));
                return Vec::new();
            }
            let first = std::mem::replace(generated, *generated + count);
            (first..first + count)
                .filter_map(|n| format!("127.{}.{}.0/24", 100 + n / 256, n % 256).parse().ok())
                .collect()
        }
        _ => {
            table.note(
                "a country needs either blocks or count; write blocks = [\"127.45.176.0/24\"]",
            );
            Vec::new()
        }
    }
}

fn prefix(text: &str) -> Result<Prefix, String> {
    let prefix: Prefix = text.parse()?;
    match prefix.address() {
        IpAddr::V4(address) if address.is_loopback() && text.ends_with("/24") => Ok(prefix),
        _ => Err(format!(
            "{text} is no /24 of 127.0.0.0/8; scripted hosts live there, as in 127.45.176.0/24"
        )),
    }
}

/// Hosts have the addresses .10, .11 and so on.
fn add_block(roster: &mut Roster, prefix: Prefix, hosts: u32, probes: &[(Arc<str>, Kind)]) {
    roster.add_block(prefix);
    for host in 0..hosts {
        let IpAddr::V4(base) = prefix.address() else { continue };
        let host = Host::Address(IpAddr::V4((base.to_bits() + 10 + host).into()));
        for (probe, kind) in probes {
            roster.add_target(host.clone(), probe.clone(), *kind);
        }
    }
}
