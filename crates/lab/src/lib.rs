//! Scripted worlds that know the truth. In: a scenario file. Out: a [`Simulation`] that drives the
//! very core that `run` drives, in virtual time, against scripted hosts; the [`Truth`] that follows
//! from the file alone; a [`Score`] of the verdicts against it; and a picture for a terminal. It
//! never sends a packet, never reads a clock, and rolls no rng but the seed's: same file, same
//! seed, same bytes out.
//!
//! | file | from | to |
//! |---|---|---|
//! | `file`, `event` | text | [`Scenario`], or every problem with its place |
//! | `script` | events, seed | when what is dark, lossy, slow: the one thing that world and truth share |
//! | `world`, `host`, `lane` | a probe | when which answer comes, if any |
//! | `drive` | world and `Watch` | changes of verdict: [`Simulation`] |
//! | `truth` | script | the right state of each scope at each time: [`Truth`] |
//! | `score` | truth and changes | [`Score`] |
//! | `picture`, `simulate` | all of it | a timeline, JSON lines, a summary |

mod drive;
mod event;
mod file;
mod host;
mod lane;
mod picture;
mod score;
mod script;
mod simulate;
mod truth;
mod world;

pub use drive::Simulation;
pub use file::Expect;
pub use picture::timeline;
pub use score::{Delays, Edges, Level, Referee, Score};
pub use simulate::{Options, simulate};
pub use truth::{StateSpan, Truth};
pub use world::World;

use event::Event;
use lifesign_core::{schedule::Budget, scopes::Roster, time::Time, watch::Settings};
use lifesign_document::Problems;
use std::{net::IpAddr, path::Path, sync::Arc, time::Duration};

/// The world and the truth that follow from a scenario and a seed, for another prober than ours:
/// what [`Simulation`] runs in, too.
pub fn stage(scenario: &Scenario, seed: u64) -> (World, Truth) {
    let plays = script::plays(scenario, seed);
    (World::new(scenario, &plays, seed), Truth::new(scenario, &plays))
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
    /// What its test demands.
    pub expect: Expect,
    weather: Weather,
    classes: Classes,
    controls: u16,
    events: Vec<Event>,
}

impl Scenario {
    /// Reads a scenario file; every error at once, each with its line and column.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        Self::parse(&path.display().to_string(), &lifesign_document::load(path)?)
    }

    /// Reads a scenario from a text. `name` is what problems call it.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        lifesign_document::read(name, text, file::scenario)
    }

    /// What the core is told by default; change what an experiment varies.
    pub fn settings(&self, seed: u64) -> Settings {
        let control = |n: u16| IpAddr::from([127, 99, (n / 256) as u8, (n % 256) as u8]);
        Settings {
            budget: Some(self.budget),
            controls: (0..self.controls).map(control).collect(),
            seed,
            ..Settings::default()
        }
    }

    /// When it is over.
    pub fn end(&self) -> Time {
        self.start + self.duration
    }
}

/// What the network does when nothing happens. Shares and probabilities from 0 to 1, times in
/// seconds.
#[derive(Clone, Debug)]
struct Weather {
    rtt: f64,
    /// Mean of the exponential that is added to it.
    jitter: f64,
    /// Share of answers that take `tail_range` instead (drawn evenly in the logarithm).
    tail: f64,
    tail_range: (f64, f64),
    loss: f64,
    /// Each host's own miss rate, drawn evenly.
    miss: (f64, f64),
    bursts: Option<Bursts>,
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
struct Bursts {
    mean: f64,
    gap: f64,
    loss: f64,
}

/// Sorts of hosts, as shares; the rest answers whatever it is asked.
#[derive(Clone, Debug, Default)]
struct Classes {
    icmp_only: f64,
    tcp_only: f64,
    /// Nothing listens there: TCP is answered with a RST.
    refuses: f64,
    /// A firewall completes every TCP connection for it, also while the host is gone.
    accept_all: f64,
    /// Given by name, so that the resolver is needed.
    named: f64,
    /// ICMP answers per second that a block's router lets pass.
    rate_limit: Option<f64>,
    /// A router answers for what is dark.
    unreachable: bool,
}
