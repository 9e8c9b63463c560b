//! Scripted worlds that know the truth: a [`Scenario`] becomes a [`World`] that answers probes, the
//! [`Truth`] that follows from the file alone, a [`Simulation`] of the core in virtual time, and a
//! [`Score`] of its verdicts. Nothing here sends a packet or reads a clock, and all chance comes
//! from the seed: same file, same seed, same bytes out.
//!
//! | module | what it is |
//! |---|---|
//! | `scenario_file`, `watched`, `event`, `event_kind`, `event_scope` | parsers of the scenario file |
//! | `sample`, `impairment` | when what is dark, lossy or slow: all that the two below share |
//! | `channel`, `segment`, `host`, `world` | what answers a probe, and when |
//! | `road`, `roads`, `road_networks` | the hops of paths, and what they answer to traces |
//! | `presence`, `truth` | who is there, and the right state of each scope, at each time |
//! | `referee`, `load`, `judged`, `score` | verdicts held against the truth |
//! | `traceroute` | the same paths, for other tracers than ours |
//! | `tracing`, `places` | the tracer beside the watch, and its places held against the truth |
//! | `expect` | what a scenario demands of the verdicts, held against a score |
//! | `handshakes` | what a kernel makes of TCP probes: it repeats them, and gives up |
//! | `simulation` | world and core, driven through virtual time |
//! | `timeline`, `simulate` | what `lifesign simulate` prints |

mod channel;
mod event;
mod event_kind;
mod event_scope;
mod expect;
mod handshakes;
mod host;
mod impairment;
mod judged;
mod load;
mod places;
mod presence;
mod referee;
mod road;
mod roads;
mod road_networks;
mod sample;
mod scenario_file;
mod score;
mod segment;
mod simulate;
mod simulation;
mod timeline;
mod traceroute;
mod tracing;
mod truth;
mod watched;
mod world;

#[cfg(test)]
mod tests;

pub use event_kind::EventKind;
pub use expect::{Expect, Expectation};
pub use places::PlaceScore;
pub use presence::Presence;
pub use referee::Referee;
pub use score::{Delays, EdgeCoverage, LevelScore, Score, quantile};
pub use simulate::{OnMinute, Options, simulate};
pub use simulation::Simulation;
pub use timeline::timeline;
pub use traceroute::Traceroute;
pub use truth::{StateSpan, Truth};
pub use world::World;

use event::ScenarioEvent;
use lifesign_core::{schedule::Budget, scopes::Roster, time::Time, watch::Settings};
use lifesign_document::Problems;
use road::{Road, RoadEvent};
use std::{net::IpAddr, path::Path, sync::Arc, time::Duration};

/// The world and the truth that follow from a scenario and a seed, for another prober than ours.
/// [`Simulation`] uses the same two.
pub fn world_and_truth(scenario: &Scenario, seed: u64) -> (World, Truth) {
    let impairments = impairment::impairments(scenario, seed);
    (World::new(scenario, &impairments, seed), Truth::new(scenario, &impairments, seed))
}

/// A scenario as its file gives it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What happens, in one sentence.
    pub story: String,
    /// Where the story comes from.
    pub sources: Vec<String>,
    /// When it begins.
    pub start: Time,
    /// How long it lasts.
    pub duration: Duration,
    /// The seed, unless the caller has another.
    pub seed: u64,
    /// How much may be sent.
    pub budget: Budget,
    /// Who is watched.
    pub roster: Arc<Roster>,
    /// What it demands of the verdicts, if anything.
    pub expect: Option<Expect>,
    normal: NormalConditions,
    host_mix: HostMix,
    controls: u16,
    /// How many of each block's hosts are there at all.
    alive: Vec<u32>,
    events: Vec<ScenarioEvent>,
    roads: Vec<Road>,
    road_events: Vec<RoadEvent>,
}

/// Longer scenarios are refused; in mebibytes.
pub const MAX_MEBIBYTES: usize = 4;

impl Scenario {
    /// Reads a scenario file; every error at once, each with its line and column.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        Self::parse(&path.display().to_string(), &lifesign_document::load(path, MAX_MEBIBYTES)?)
    }

    /// Reads a scenario from a text. `name` is what problems call it.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        lifesign_document::read(name, text, scenario_file::scenario)
    }

    /// The core's settings for this scenario; an experiment changes what it varies.
    pub fn settings(&self, seed: u64) -> Settings {
        let prefixes = || self.roster.blocks.iter().map(|block| block.prefix.address());
        let v4 = prefixes().any(|address| address.is_ipv4());
        let v6 = prefixes().any(|address| address.is_ipv6());
        let v4_control = |n: u16| IpAddr::from([127, 99, (n / 256) as u8, (n % 256) as u8]);
        let v6_control = |n: u16| IpAddr::from([0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, n]);
        let of_v4 = (0..self.controls).map(v4_control).filter(|_| v4 || !v6);
        let of_v6 = (0..self.controls).map(v6_control).filter(|_| v6);
        Settings {
            budget: Some(self.budget),
            controls: of_v4.chain(of_v6).collect(),
            seed,
            ..Settings::default()
        }
    }

    /// The same with routers that let every answer pass: what is known of hosts from long before.
    pub fn without_rate_limit(&self) -> Self {
        let mut scenario = self.clone();
        scenario.host_mix.rate_limit = None;
        scenario
    }

    /// When it is over.
    pub fn end(&self) -> Time {
        self.start + self.duration
    }
}

/// What the network does when nothing happens: `[weather]` of the file. Shares and probabilities
/// from 0 to 1, times in seconds.
#[derive(Clone, Debug)]
struct NormalConditions {
    rtt: f64,
    /// Mean of the exponential that is added to it.
    jitter: f64,
    /// Share of answers whose round-trip time is drawn from `tail_range` instead, evenly in the
    /// logarithm.
    tail: f64,
    tail_range: (f64, f64),
    loss: f64,
    /// Each host's own miss rate, drawn evenly.
    miss: (f64, f64),
    bursts: Option<BurstLoss>,
    duplicates: f64,
    forged: f64,
    /// Shares of answers that are damaged on the way, and that are cut short.
    corrupt: f64,
    truncated: f64,
    /// Jitter and loss swing by this share over a day.
    diurnal: f64,
}

/// A Gilbert–Elliott channel (Gilbert 1960, Elliott 1963), one for each country's upstream.
#[derive(Clone, Copy, Debug)]
struct BurstLoss {
    mean_length: f64,
    mean_interval: f64,
    loss: f64,
}

/// Classes of hosts as shares: `[hosts]` of the file. The rest answers whatever it is asked.
#[derive(Clone, Debug, Default)]
struct HostMix {
    icmp_only: f64,
    tcp_only: f64,
    /// Nothing listens there: TCP is answered with a RST.
    refuses: f64,
    /// A firewall completes every TCP connection for it, also while the host is gone.
    accepts_all: f64,
    /// Given by name, so that the resolver is needed.
    named: f64,
    /// ICMP answers per second that a block's router lets pass.
    rate_limit: Option<f64>,
    /// A router answers for what is dark.
    router_answers: bool,
}
