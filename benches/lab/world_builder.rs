//! The laboratory's worlds: scenarios that are written as the text of a scenario file, so that a
//! seed gives the same world to every prober.

use lifesign_core::{rng::Rng, scopes::Roster, time::Time};
use lifesign_lab::{Scenario, world_and_truth};
use std::{fmt::Write as _, sync::Arc};

/// Hosts per /24 in North Korea's plan.
pub const PLAN: [usize; 4] = [11, 3, 5, 2];

/// A world of four /24s behind one upstream. Times in seconds.
pub struct WorldBuilder {
    pub seconds: f64,
    /// Lines of the `[weather]` section beside round-trip time and jitter.
    pub weather_lines: String,
    /// Lines of the `[hosts]` section.
    pub hosts_lines: &'static str,
    /// How many hosts each /24 has, in the order of their addresses.
    pub hosts: [usize; 4],
    events: String,
}

impl WorldBuilder {
    /// One quiet world with this share of packets lost.
    pub fn new(seconds: f64, loss: f64) -> Self {
        Self {
            seconds,
            weather_lines: format!("loss = {loss}\n"),
            hosts_lines: "icmp_only = 0.2\ntcp_only = 0.3",
            hosts: PLAN,
            events: String::new(),
        }
    }

    /// Adds an event; `more` holds its further keys.
    pub fn event(&mut self, kind: &str, on: &str, at: f64, length: f64, more: &str) {
        let at = (at * 1000.0) as u64;
        let length = (length * 1000.0) as u64;
        let _ = writeln!(
            self.events,
            "[[event]]\nkind = \"{kind}\"\non = \"{on}\"\n\
             at = \"+{at}ms\"\nfor = \"{length}ms\"\n{more}"
        );
    }

    /// The scenario of this world.
    pub fn scenario(&self) -> Scenario {
        let Self { seconds, weather_lines, hosts_lines, events, .. } = self;
        let most = self.hosts.iter().max().copied().unwrap_or(1);
        let text = format!(
            r#"
            story = "a world of the laboratory"
            start = "2014-12-01T00:00:00Z"
            duration = "{}s"
            [weather]
            rtt = "200ms"
            jitter = "20ms"
            {weather_lines}
            [hosts]
            {hosts_lines}
            [[country]]
            code = "KP"
            blocks = ["127.45.176.0/24", "127.45.177.0/24", "127.45.178.0/24", "127.45.179.0/24"]
            hosts = {most}
            probes = ["icmp", "tcp/80"]
            {events}"#,
            *seconds as u64
        );
        let mut scenario =
            Scenario::parse("laboratory", &text).unwrap_or_else(|problems| panic!("{problems}"));
        scenario.roster = Arc::new(thin(&scenario.roster, &self.hosts));
        scenario
    }
}

/// Leaves each block as many hosts as the plan has, each with its two targets.
fn thin(roster: &Roster, hosts: &[usize; 4]) -> Roster {
    let mut thin = Roster { countries: roster.countries.clone(), ..Roster::default() };
    for (block, hosts) in roster.blocks.iter().zip(hosts) {
        let first = thin.targets.len() as u32;
        let range = block.targets.start as usize..block.targets.start as usize + 2 * hosts;
        thin.targets.extend_from_slice(&roster.targets[range]);
        thin.blocks.push(lifesign_core::scopes::Block {
            targets: first..thin.targets.len() as u32,
            ..block.clone()
        });
    }
    thin
}

/// Before anything happens: targets that never answer are known for it after a day.
pub const WARM_UP: f64 = 30.0 * 3600.0;

/// Darkness of `on`, `n` times, `apart` in the mean. Lengths are drawn evenly.
pub fn with_outages(
    n: usize,
    on: &str,
    seed: u64,
    loss: f64,
    lengths: (f64, f64),
    apart: f64,
) -> WorldBuilder {
    let mut rng = Rng::new(seed);
    let mut world = WorldBuilder::new(WARM_UP + apart * (n + 1) as f64, loss);
    for number in 0..n {
        let at = WARM_UP + apart * (number as f64 + 0.2 * rng.unit());
        let length = lengths.0 + (lengths.1 - lengths.0) * rng.unit();
        world.event("dark", on, at, length, "");
    }
    world
}

/// When the flaps of a world begin: darkness after a longer calm than any within a flap.
pub fn flap_begins(scenario: &Scenario, seed: u64, half: f64) -> Vec<Time> {
    let (_, truth) = world_and_truth(scenario, seed);
    let darks = truth.dark_spans(super::prober::COUNTRY);
    let mut last = scenario.start;
    let mut begins = Vec::new();
    for dark in darks {
        if begins.is_empty() || dark.0.since(last).as_secs_f64() > 1.5 * half {
            begins.push(dark.0);
        }
        last = dark.1;
    }
    begins
}
