//! The laboratory's worlds: scenarios that are written as the text of a scenario file, so that a
//! seed gives the same world to every prober.

use lifesign_core::{rng::Rng, time::Time};
use lifesign_lab::{Scenario, world_and_truth};
use std::fmt::Write as _;

/// Hosts per /24 in North Korea's plan.
pub const PLAN: [usize; 4] = [11, 3, 5, 2];

/// A world of one country, KP, behind one upstream. Times in seconds.
pub struct WorldBuilder {
    pub seconds: f64,
    /// Lines of the `[weather]` section beside round-trip time and jitter.
    pub weather_lines: String,
    /// Lines of the `[hosts]` section.
    pub hosts_lines: &'static str,
    /// How many hosts each /24 has, in the order of their addresses.
    pub hosts: Vec<usize>,
    /// Further lines of the country.
    pub country_lines: String,
    /// Further countries: lines of the file.
    pub others: String,
    events: String,
}

/// The n-th /24 of a world.
pub fn block(n: usize) -> String {
    format!("127.{}.{}.0/24", 45 + (176 + n) / 256, (176 + n) % 256)
}

/// These /24s, apart by spaces.
pub fn blocks(numbers: impl Iterator<Item = usize>) -> String {
    numbers.map(block).collect::<Vec<_>>().join(" ")
}

impl WorldBuilder {
    /// A quiet world of North Korea's plan, with this share of packets lost.
    pub fn new(seconds: f64, loss: f64) -> Self {
        let hosts_lines = "icmp_only = 0.2\ntcp_only = 0.3";
        Self { hosts_lines, ..Self::of(seconds, loss, PLAN.to_vec()) }
    }

    /// A quiet world of so many hosts per /24, all of which answer whatever they are asked.
    pub fn of(seconds: f64, loss: f64, hosts: Vec<usize>) -> Self {
        Self {
            seconds,
            weather_lines: format!("loss = {loss}\n"),
            hosts_lines: "",
            hosts,
            country_lines: "probes = [\"icmp\", \"tcp/80\"]".into(),
            others: String::new(),
            events: String::new(),
        }
    }

    /// Adds an event; `more` holds its further keys.
    pub fn event(&mut self, kind: &str, on: &str, at: f64, length: f64, more: &str) {
        let length = (length * 1000.0) as u64;
        self.event_for_good(kind, on, at, &format!("for = \"{length}ms\"\n{more}"));
    }

    /// Adds an event that has no length.
    pub fn event_for_good(&mut self, kind: &str, on: &str, at: f64, more: &str) {
        let at = (at * 1000.0) as u64;
        let _ = writeln!(
            self.events,
            "[[event]]\nkind = \"{kind}\"\non = \"{on}\"\nat = \"+{at}ms\"\n{more}"
        );
    }

    /// The scenario of this world.
    pub fn scenario(&self) -> Scenario {
        let Self { seconds, weather_lines, hosts_lines, hosts, country_lines, others, .. } = self;
        let blocks: Vec<String> = (0..hosts.len()).map(block).collect();
        let events = &self.events;
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
            blocks = {blocks:?}
            hosts = {hosts:?}
            {country_lines}
            {others}
            {events}"#,
            *seconds as u64
        );
        Scenario::parse("laboratory", &text).unwrap_or_else(|problems| panic!("{problems}"))
    }
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
