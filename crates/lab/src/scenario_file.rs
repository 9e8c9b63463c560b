//! The scenario file (docs/scenario.md), but for its countries and events. Every problem is noted;
//! what is wrong is replaced by a default, so that the rest can be read.

use super::{
    BurstLoss, Expect, HostMix, NormalConditions, Scenario,
    event::{self, LONGEST},
    road,
    watched::watched,
};
use lifesign_core::{schedule::Budget, time::Time};
use lifesign_document::{Table, Value};
use std::{sync::Arc, time::Duration};

const KEYS: &[&str] = &[
    "story", "sources", "start", "duration", "seed", "pace", "total", "controls", "weather",
    "hosts", "country", "path", "event", "expect",
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
/// Probes per second over all blocks: no more than anybody should send.
const MOST_TOTAL: f64 = 100_000.0;

pub(super) fn scenario(root: Table<'_>) -> Scenario {
    root.unless(&["vantage"], "this is a plan, which lifesign check reads; give a scenario");
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
    let mut budget = if pace == Some("frugal") { Budget::FRUGAL } else { Budget::DEFAULT };
    budget.total = root.get("total").and_then(|value| value.rate(MOST_TOTAL));
    let (roster, alive) = watched(root);
    let controls = root.get("controls").and_then(|value| value.integer(0..=16)).unwrap_or(3) as u16;
    let roads = road::roads(root, &roster);
    let (events, road_events) = event::events(root, start, duration, &roster, controls, &roads);
    Scenario {
        story: story.to_owned(),
        sources: sources.collect(),
        start,
        duration,
        seed: root.get("seed").and_then(|value| value.integer(0..=i64::MAX)).unwrap_or(1) as u64,
        budget,
        normal: normal_conditions(root.section("weather", WEATHER)),
        host_mix: host_mix(root.section("hosts", HOST_MIX)),
        controls,
        alive,
        events,
        roads,
        road_events,
        expect: Expect::read(root),
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
    let tail_from = seconds("tail_from", 1, 150_000).unwrap_or(5.0);
    let tail_to = seconds("tail_to", 1, 600_000).unwrap_or(150.0);
    let last_given = table.and_then(|table| table.get("tail_to").or(table.get("tail_from")));
    if let (Some(value), true) = (last_given, tail_from > tail_to) {
        value.note(&format!(
            "the tail begins at {tail_from} s and ends at {tail_to} s; \
             write a \"tail_to\" that is no shorter than \"tail_from\""
        ));
    }
    let loss = table
        .and_then(|table| table.get("burst_loss"))
        .map_or(Some(1.0), |value| value.number(0.0..=1.0));
    NormalConditions {
        rtt: seconds("rtt", 1, 60_000).unwrap_or(0.2),
        jitter: seconds("jitter", 0, 60_000).unwrap_or(0.01),
        tail: share(table, "tail"),
        tail_range: (tail_from, tail_to),
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
