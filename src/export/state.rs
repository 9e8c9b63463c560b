//! The state as JSON, for programs. In: a snapshot. Out: the body of `/api/v1/state`, shaped as
//! `Watch` and the structs below it. It never leaves a field out: what is not known is null.
//!
//! Times are RFC 3339 in UTC, spans are seconds, shares and probabilities 0 to 1; lists are in the
//! plan's order.

use super::ExportSettings;
use lifesign_core::{
    scopes::Kind,
    time::Time,
    watch::{self, ControlView, Counts, ScopeView, Snapshot, WINDOWS},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The whole answer.
#[derive(Serialize)]
struct Watch<'a> {
    vantage: &'a str,
    /// Is nothing of it real?
    simulation: bool,
    /// When this picture was taken.
    time: String,
    started: String,
    /// Can we not see for reasons of our own?
    blind: bool,
    blind_seconds: f64,
    blind_spells: u64,
    controls: &'a [ControlView],
    countries: Vec<Country<'a>>,
}

/// A country: its own verdict, whose fields stand beside `code` and `name`, and its blocks.
#[derive(Serialize)]
struct Country<'a> {
    code: &'a str,
    name: &'a str,
    #[serde(flatten)]
    verdict: Verdict<'a>,
    blocks: Vec<Block<'a>>,
}

/// A block: its own verdict, whose fields stand beside `prefix`, and its targets.
#[derive(Serialize)]
struct Block<'a> {
    prefix: String,
    #[serde(flatten)]
    verdict: Verdict<'a>,
    /// By probe kind (`icmp`, `tcp`, `dns`), for the kinds that the block uses.
    counts: BTreeMap<&'static str, &'a Counts>,
    targets: Vec<Target<'a>>,
}

/// What is found of a scope.
#[derive(Serialize)]
struct Verdict<'a> {
    /// One of `up degraded partial down flapping outage unknown`.
    state: &'static str,
    edge: Edge,
    /// When the judge found the state; `edge` says when it really began.
    changed: String,
    evidence: &'a str,
    /// Probability that the scope is reachable.
    belief: f64,
    /// When the newest answered probe was sent.
    last_life: Option<String>,
    /// By window: `1m`, `5m`, `1h`.
    windows: BTreeMap<&'static str, Window>,
}

/// The interval in which a change really happened.
#[derive(Serialize)]
struct Edge {
    /// Null where nothing was watched yet.
    earliest: Option<String>,
    latest: String,
}

/// Loss and round-trip time over one window.
#[derive(Serialize)]
struct Window {
    /// Probes that were answered or missed.
    resolved: u64,
    loss_ratio: Option<f64>,
    rtt_median_seconds: Option<f64>,
    rtt_p95_seconds: Option<f64>,
}

/// A host and one way to ask it.
#[derive(Serialize)]
struct Target<'a> {
    host: String,
    /// Such as `icmp`, `tcp/443`.
    probe: &'a str,
    counts: &'a Counts<u32>,
    /// Share of the last 64 probes that were missed.
    loss_ratio: Option<f32>,
    /// By RFC 6298.
    rtt_smoothed_seconds: Option<f32>,
    rtt_lowest_seconds: Option<f32>,
    last_life: Option<String>,
    /// Learned while the block is up.
    miss_rate: f32,
    /// Silent for a day while the block lived: no evidence any more.
    retired: bool,
    /// A firewall answers for it on every port.
    accepts_all: bool,
}

/// The body. The error would be a fault of ours: nothing in a snapshot cannot be written as JSON.
pub fn render(snapshot: &Snapshot, labels: &ExportSettings) -> serde_json::Result<String> {
    let written = |time: Time| time.shifted(snapshot.wall_offset).to_string();
    let roster = &snapshot.roster;
    let target = |number: u32| {
        let (target, view) = (&roster.targets[number as usize], &snapshot.targets[number as usize]);
        Target {
            host: target.host.to_string(),
            probe: &target.probe,
            counts: &view.counts,
            loss_ratio: view.recent_loss,
            rtt_smoothed_seconds: view.srtt,
            rtt_lowest_seconds: view.min_rtt,
            last_life: view.last_life.map(written),
            miss_rate: view.miss_rate,
            retired: view.retired,
            accepts_all: view.accepts_all,
        }
    };
    let block = |number: u32| {
        let (block, view) = (&roster.blocks[number as usize], &snapshot.blocks[number as usize]);
        let kinds = Kind::ALL.into_iter().zip(&view.kinds);
        Block {
            prefix: block.prefix.to_string(),
            verdict: verdict(&view.scope, &written),
            counts: kinds
                .filter_map(|(kind, view)| Some((kind.label(), &view.as_ref()?.counts)))
                .collect(),
            targets: block.targets.clone().map(target).collect(),
        }
    };
    let countries =
        roster.countries.iter().zip(&snapshot.countries).map(|(country, view)| Country {
            code: &country.code,
            name: &country.name,
            verdict: verdict(view, &written),
            blocks: country.blocks.clone().map(block).collect(),
        });
    serde_json::to_string(&Watch {
        vantage: &labels.vantage,
        simulation: labels.simulation.is_some(),
        time: written(snapshot.time),
        started: written(snapshot.started),
        blind: snapshot.blind,
        blind_seconds: snapshot.blind_seconds,
        blind_spells: snapshot.blind_spells,
        controls: &snapshot.controls,
        countries: countries.collect(),
    })
}

fn verdict<'a>(view: &'a ScopeView, written: &impl Fn(Time) -> String) -> Verdict<'a> {
    let window = |w: watch::WindowView| Window {
        resolved: w.resolved,
        loss_ratio: w.loss,
        rtt_median_seconds: w.median,
        rtt_p95_seconds: w.p95,
    };
    Verdict {
        state: view.verdict.state.label(),
        edge: Edge {
            earliest: view.verdict.edge.earliest.map(written),
            latest: written(view.verdict.edge.latest),
        },
        changed: written(view.verdict.changed),
        evidence: &view.verdict.evidence,
        belief: view.verdict.belief,
        last_life: view.verdict.last_life.map(written),
        windows: WINDOWS.into_iter().zip(view.windows.map(window)).collect(),
    }
}
