//! The body of `/api/v1/state`: what is watched and found, as JSON for programs. No field is ever
//! left out: what is not known is null. Times are RFC 3339 in UTC, durations are in seconds, shares
//! and probabilities are 0 to 1; lists are in the plan's order. Of many blocks it has those whose
//! state is not that of what they lie in, and of many targets none.

use crate::{
    error_response::{ErrorResponse, internal_error},
    path_json::{self, PathBreak, PathJson},
    sources::ExportSettings,
};
use axum::http::StatusCode;
use lifesign_core::{
    judge::{Blindness, HostCounts},
    outcome::Cause,
    scopes::{
        Block, BlockId, Country, CountryId, Family, Labels, Maintenance, NetworkId, Scope, Target,
    },
    time::Time,
    time_zone::TimeZone,
    watch::{ControlView, Counts, Snapshot, TargetView, TargetViews, WindowView},
};
use lifesign_incident::{Incident, gravity, present, story};
use lifesign_page::MOST_BLOCKS;
use serde::Serialize;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    ops::Range,
};

/// Where there are more targets, they are shown with their block alone.
const MOST_TARGETS: usize = 1000;

#[derive(Serialize)]
struct SightJson {
    family: &'static str,
    blind: bool,
    blind_seconds: f64,
    blind_spells: u64,
    /// Where our own way out breaks, while we are blind.
    path_break: Option<PathBreak>,
}

#[derive(Serialize)]
struct StateJson<'a> {
    vantage: &'a str,
    /// Who runs it, if the plan says so.
    contact: Option<&'a str>,
    /// True if nothing of it is real.
    simulation: bool,
    /// When the snapshot was taken.
    time: String,
    started: String,
    /// True while we cannot see for reasons of our own, in one family or all.
    blind: bool,
    /// The same of each family that is watched.
    sight: Vec<SightJson>,
    controls: &'a [ControlView],
    countries: Vec<CountryJson<'a>>,
}

/// A country: its own verdict, whose fields stand beside `code` and `name`, its networks, and all
/// its blocks.
#[derive(Serialize)]
struct CountryJson<'a> {
    code: &'a str,
    name: &'a str,
    /// The IANA name of its time zone, if the plan gives one.
    timezone: Option<&'a str>,
    labels: &'a Labels,
    #[serde(flatten)]
    verdict: VerdictJson<'a>,
    /// Null once it has been seen to be well for a day.
    incident: Option<IncidentJson>,
    networks: Vec<NetworkJson<'a>>,
    blocks: Vec<BlockJson<'a>>,
    /// How many blocks more it has.
    blocks_left_out: usize,
}

/// The incident that a country is in, as far as the last days tell.
#[derive(Serialize)]
struct IncidentJson {
    begin_earliest: Option<String>,
    begin_latest: String,
    /// The present one.
    phase: &'static str,
    /// How often it went dark so far.
    darknesses: u32,
    /// What happened in it so far, for people.
    sentence: String,
}

impl IncidentJson {
    fn new(name: &str, incident: &Incident, now: Time) -> Option<Self> {
        let begin = incident.begin();
        Some(Self {
            begin_earliest: begin.earliest.map(|time| time.to_string()),
            begin_latest: begin.latest.to_string(),
            phase: incident.phases.last()?.kind.label(),
            darknesses: incident.phases.iter().map(|phase| phase.darknesses).sum(),
            sentence: story::sentence(name, incident, now) + ".",
        })
    }
}

/// A network: its own verdict, whose fields stand beside `name` and `asn`.
#[derive(Serialize)]
struct NetworkJson<'a> {
    name: &'a str,
    asn: Option<u32>,
    labels: &'a Labels,
    #[serde(flatten)]
    verdict: VerdictJson<'a>,
}

/// A block: its own verdict, whose fields stand beside `prefix`, and its targets.
#[derive(Serialize)]
struct BlockJson<'a> {
    prefix: String,
    /// The name of the network of the country that it belongs to.
    network: Option<&'a str>,
    labels: &'a Labels,
    #[serde(flatten)]
    verdict: VerdictJson<'a>,
    /// By probe kind (`icmp`, `tcp`, `dns`), for the kinds that the block uses.
    counts: BTreeMap<&'static str, &'a Counts>,
    /// What was left of the hop limit (TTL) of the echo replies of most of its hosts.
    reply_hop_limit: Option<u8>,
    /// How often the path back from it moved.
    return_path_changes: u64,
    /// Null if it is not traced, and until it is known.
    path: Option<PathJson>,
    /// Null where they are too many.
    targets: Option<Vec<TargetJson<'a>>>,
}

/// The verdict and measurements of a scope.
#[derive(Serialize)]
struct VerdictJson<'a> {
    /// One of `up degraded partial down flapping outage unknown`.
    state: &'static str,
    edge: EdgeJson,
    /// When the judge found the state; `edge` says when it really began.
    changed: String,
    evidence: String,
    /// Why nothing is known of it, while it is unknown.
    unknown_reason: Option<&'static str>,
    /// Most countries fell silent together with it: it may be us.
    together: bool,
    /// The window that is open for it, or for what it lies in.
    maintenance: Option<&'a Maintenance>,
    /// Probability that the scope is reachable.
    belief: f64,
    /// When the newest answered probe was sent.
    last_life: Option<String>,
    /// Where the path to it breaks; null while it lives, and until that is known.
    path_break: Option<PathBreak>,
    hosts: HostCounts,
    /// By window: `1m`, `5m`, `1h`.
    windows: BTreeMap<&'static str, WindowJson>,
}

/// The interval in which a change really happened.
#[derive(Serialize)]
struct EdgeJson {
    /// Null where nothing was watched yet.
    earliest: Option<String>,
    latest: String,
}

/// Loss and round-trip time over one window.
#[derive(Serialize)]
struct WindowJson {
    /// Probes that were answered or missed.
    resolved: u64,
    loss_ratio: Option<f64>,
    rtt_median_seconds: Option<f64>,
    rtt_p95_seconds: Option<f64>,
}

/// A host and one kind of probe.
#[derive(Serialize)]
struct TargetJson<'a> {
    host: String,
    /// The address that a host by name was asked by last; null for an address.
    address: Option<IpAddr>,
    /// Such as `icmp`, `tcp/443`.
    probe: &'a str,
    /// Those of its host.
    labels: &'a Labels,
    counts: Counts<u32>,
    /// Share of the last 64 probes that were missed.
    loss_ratio: Option<f32>,
    rtt_smoothed_seconds: Option<f32>,
    rtt_lowest_seconds: Option<f32>,
    last_life: Option<String>,
    /// Learned while the block is up.
    miss_rate: f32,
    /// Silent while the block lives, retired or not: no evidence until it answers.
    gone: bool,
    /// Silent for a day while the block lived: no evidence any more.
    retired: bool,
    /// A firewall answers for it on every port.
    accepts_all: bool,
}

/// What is shown of what is asked for.
struct Shown {
    scope: Option<Scope>,
    blocks: BTreeSet<BlockId>,
    /// All targets of these blocks.
    targets: bool,
}

impl Shown {
    fn of(snapshot: &Snapshot, scope: Option<Scope>) -> Self {
        let roster = &snapshot.roster;
        let state = |scope| snapshot.scope(scope).verdict.state;
        let all = match scope {
            Some(scope) => roster.blocks_of(scope),
            None => 0..roster.blocks.len() as u32,
        };
        let mut blocks: Vec<BlockId> = all.map(BlockId).collect();
        let is_many = blocks.len() > MOST_BLOCKS;
        if is_many {
            blocks.retain(|&id| {
                let block = roster.block(id);
                let parent = block.network.map_or(Scope::Country(block.country), Scope::Network);
                state(Scope::Block(id)) != state(parent)
            });
            blocks.sort_by_key(|&id| Reverse(gravity(state(Scope::Block(id)))));
            blocks.truncate(MOST_BLOCKS);
        }
        let targets: usize = blocks.iter().map(|&id| roster.block(id).targets.len()).sum();
        let targets = matches!(scope, Some(Scope::Block(_))) || !is_many && targets <= MOST_TARGETS;
        Self { scope, blocks: blocks.into_iter().collect(), targets }
    }

    /// Does a network or a country lie in what is asked for, or this in it?
    fn has(&self, snapshot: &Snapshot, scope: Scope) -> bool {
        self.scope.is_none_or(|asked| {
            let blocks = snapshot.roster.blocks_of(scope);
            let asked = snapshot.roster.blocks_of(asked);
            blocks.start.max(asked.start) < blocks.end.min(asked.end)
        })
    }
}

/// What is watched in this scope, or in all.
pub(crate) fn render<'a>(
    snapshot: &'a Snapshot,
    targets: &dyn TargetViews,
    settings: &ExportSettings,
    scope: Option<Scope>,
) -> Result<String, ErrorResponse> {
    let rfc3339 = |time: Time| snapshot.wall_offset.written(time).to_string();
    let now = snapshot.wall_offset.written(snapshot.time);
    let roster = &snapshot.roster;
    let shown = Shown::of(snapshot, scope);
    let block = |id: BlockId| {
        let block = roster.block(id);
        let index = id.0 as usize;
        let kinds = snapshot.kinds_of(id);
        let targets =
            if shown.targets { Some(targets_json(snapshot, targets, block)?) } else { None };
        Ok(BlockJson {
            prefix: block.prefix.to_string(),
            network: block.network.map(|id| &*roster.network(id).name),
            labels: &block.labels,
            verdict: verdict(snapshot, Scope::Block(id)),
            counts: kinds.iter().map(|kind| (kind.kind.label(), &kind.counts)).collect(),
            reply_hop_limit: snapshot.return_paths[index].hop_limit,
            return_path_changes: snapshot.return_paths[index].changes,
            path: path_json::path(snapshot, id),
            targets,
        })
    };
    let network = |id: NetworkId| {
        let network = roster.network(id);
        NetworkJson {
            name: &network.name,
            asn: network.asn,
            labels: &network.labels,
            verdict: verdict(snapshot, Scope::Network(id)),
        }
    };
    let country = |(id, country): (CountryId, &'a Country)| {
        let networks = country.networks.clone().map(NetworkId);
        let networks = networks.filter(|&id| shown.has(snapshot, Scope::Network(id)));
        let Range { start, end } = country.blocks;
        let blocks = shown.blocks.range(BlockId(start)..BlockId(end));
        let blocks = blocks.map(|&id| block(id)).collect::<Result<Vec<_>, ErrorResponse>>()?;
        Ok(CountryJson {
            code: &country.code,
            name: &country.name,
            timezone: country.timezone.as_ref().map(TimeZone::name),
            labels: &country.labels,
            verdict: verdict(snapshot, Scope::Country(id)),
            incident: present(snapshot, id)
                .and_then(|incident| IncidentJson::new(&country.name, &incident, now)),
            networks: networks.map(network).collect(),
            blocks_left_out: country.blocks.len() - blocks.len(),
            blocks,
        })
    };
    let countries = (0..).map(CountryId).zip(&roster.countries);
    let countries = countries.filter(|&(id, _)| shown.has(snapshot, Scope::Country(id)));
    serde_json::to_string(&StateJson {
        vantage: &settings.vantage,
        contact: settings.contact.as_deref(),
        simulation: settings.simulation.is_some(),
        time: rfc3339(snapshot.time),
        started: rfc3339(snapshot.started),
        blind: snapshot.is_blind(),
        sight: sights(snapshot),
        controls: &snapshot.controls,
        countries: countries.map(country).collect::<Result<Vec<_>, ErrorResponse>>()?,
    })
    .map_err(internal_error)
}

fn targets_json<'a>(
    snapshot: &'a Snapshot,
    targets: &dyn TargetViews,
    block: &Block,
) -> Result<Vec<TargetJson<'a>>, ErrorResponse> {
    let views = targets.of(block.targets.clone()).ok_or_else(|| {
        let said = "the plan has just changed, or the watch is stuck; ask again\n";
        (StatusCode::SERVICE_UNAVAILABLE, said.to_owned())
    })?;
    let rfc3339 = |time: Time| snapshot.wall_offset.written(time).to_string();
    let json = |(target, view): (&'a Target, TargetView)| TargetJson {
        host: target.host.to_string(),
        address: view.address,
        probe: &target.probe,
        labels: target.labels(),
        counts: view.counts,
        loss_ratio: view.recent_loss,
        rtt_smoothed_seconds: view.srtt,
        rtt_lowest_seconds: view.min_rtt,
        last_life: view.last_life.map(rfc3339),
        miss_rate: view.miss_rate,
        gone: view.gone,
        retired: view.retired,
        accepts_all: view.accepts_all,
    };
    Ok(snapshot.roster.targets_in(block).iter().zip(views).map(json).collect())
}

fn sights(snapshot: &Snapshot) -> Vec<SightJson> {
    let sight = |(family, blindness): (Family, &Option<Blindness>)| {
        let &Blindness { is_blind, seconds, spells } = blindness.as_ref()?;
        Some(SightJson {
            family: family.label(),
            blind: is_blind,
            blind_seconds: seconds,
            blind_spells: spells,
            path_break: path_json::own_break(snapshot, family),
        })
    };
    snapshot.blindness.iter().filter_map(sight).collect()
}

fn verdict(snapshot: &Snapshot, scope: Scope) -> VerdictJson<'_> {
    let view = snapshot.scope(scope);
    let offset = snapshot.wall_offset;
    let rfc3339 = |time: Time| offset.written(time).to_string();
    let window = |view: &WindowView| WindowJson {
        resolved: view.resolved,
        loss_ratio: view.loss,
        rtt_median_seconds: view.median(),
        rtt_p95_seconds: view.p95(),
    };
    VerdictJson {
        state: view.verdict.state.label(),
        edge: EdgeJson {
            earliest: view.verdict.edge.earliest.map(rfc3339),
            latest: rfc3339(view.verdict.edge.latest),
        },
        changed: rfc3339(view.verdict.totals.changed),
        evidence: view.verdict.totals.evidence.text(offset),
        unknown_reason: view.verdict.cause.map(Cause::label),
        together: view.verdict.together,
        maintenance: snapshot.roster.maintenance_at(scope, offset.written(snapshot.time)),
        belief: view.verdict.belief,
        last_life: view.verdict.last_life.map(rfc3339),
        path_break: path_json::path_break(snapshot, scope),
        hosts: view.verdict.hosts,
        windows: view.windows.iter().map(|(each, view)| (each.label(), window(view))).collect(),
    }
}
