//! `simulate`: a scenario played to a person or a program. In: a scenario and [`Options`]. Out:
//! verdict lines as JSON (docs/verdicts.md) or a timeline and a summary; and the [`Score`]. It
//! never reads a clock: who wants to watch it at a speed lends it a pause.

use super::{Scenario, Score, Simulation, score::Level, timeline};
use lifesign_core::{
    scopes::{BlockId, CountryId, Roster, Scope},
    watch::verdict,
};
use std::{
    io::{self, Write},
    time::Duration,
};

/// How to play it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Another seed than the file's.
    pub seed: Option<u64>,
    /// Verdict lines instead of a timeline.
    pub json: bool,
    /// The truth too: as JSON, lines with `"truth":true`; else, every true change as a line.
    pub truth: bool,
    /// So many times as fast as real time; as fast as it goes, if not given.
    pub speed: Option<f64>,
    /// Colours in the timeline.
    pub colour: bool,
}

/// Blocks drawn per country.
const BLOCKS_DRAWN: usize = 8;
/// Progress is told so many times.
const PARTS: u32 = 20;
/// With a speed given, time is let go in such steps of real time.
const FRAME: Duration = Duration::from_millis(200);

/// Plays the scenario to its end. `pause` waits as long as it is told; it is called only if a speed
/// is given.
pub fn simulate(
    scenario: &Scenario,
    options: Options,
    out: &mut dyn Write,
    progress: &mut dyn Write,
    pause: &mut dyn FnMut(Duration),
) -> io::Result<Score> {
    let seed = options.seed.unwrap_or(scenario.seed);
    let mut simulation = Simulation::new(scenario, seed, &scenario.settings(seed));
    let roster = scenario.roster.clone();
    if options.truth {
        tell_truth(&simulation, &roster, options.json, out)?;
    }
    let step = match options.speed {
        Some(speed) => FRAME.mul_f64(speed.max(0.001)).max(Duration::from_millis(1)),
        None => (scenario.duration / PARTS).max(Duration::from_nanos(1)),
    };
    let (mut at, mut told) = (scenario.start, 0);
    while at < scenario.end() {
        at = (at + step).min(scenario.end());
        let mut written = Ok(());
        simulation.run(at, &mut |change| {
            if options.json && written.is_ok() {
                written = writeln!(out, "{}", verdict::json(change, &roster, 0));
            }
        });
        written?;
        if options.speed.is_some() {
            out.flush()?;
            pause(FRAME);
        }
        let done = at.since(scenario.start).as_secs_f64() / scenario.duration.as_secs_f64();
        let part = (done * f64::from(PARTS)) as u32;
        if part > told {
            told = part;
            writeln!(progress, "{at}  {:3.0} %  {} probes", done * 100.0, simulation.probes())?;
        }
    }
    let score = simulation.score();
    if !options.json {
        writeln!(out, "{}\n", scenario.story)?;
        write!(out, "{}", timeline(&simulation, scenario.start, BLOCKS_DRAWN, options.colour))?;
        summary(&score, out)?;
    }
    Ok(score)
}

fn sort(scope: Scope) -> &'static str {
    if matches!(scope, Scope::Block(_)) { "block" } else { "country" }
}

fn tell_truth(
    simulation: &Simulation,
    roster: &Roster,
    json: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let blocks = (0..roster.blocks.len() as u32).map(|id| Scope::Block(BlockId(id)));
    let countries = (0..roster.countries.len() as u32).map(|id| Scope::Country(CountryId(id)));
    for scope in countries.chain(blocks) {
        let (name, sort) = (roster.name_of(scope), sort(scope));
        for spell in simulation.truth().spells(scope) {
            let (time, state) = (spell.from.exact(), spell.state.label());
            if json {
                let line = serde_json::json!({"truth": true, "time": time, "scope": sort, "name": name, "to": state});
                writeln!(out, "{line}")?;
            } else {
                writeln!(out, "truth {time} {sort} {name} {state}")?;
            }
        }
    }
    Ok(())
}

fn summary(score: &Score, out: &mut dyn Write) -> io::Result<()> {
    for (name, level) in [("countries", &score.countries), ("blocks", &score.blocks)] {
        level_summary(name, level, out)?;
    }
    let Score { probes, mean_rate, worst_minute, worst_hour, .. } = score;
    writeln!(
        out,
        "probes    {probes}, per block and second: {mean_rate:.4} mean, {worst_minute:.4} worst minute, \
         {worst_hour:.4} worst hour"
    )
}

fn level_summary(name: &str, level: &Level, out: &mut dyn Write) -> io::Result<()> {
    let (right, worst) = (level.right_share * 100.0, level.worst_share * 100.0);
    writeln!(out, "\n{name:<9} right state {right:.3} % of the time, worst {worst:.3} %")?;
    for (what, delays) in
        [("down", &level.down), ("outage", &level.outage), ("recovery", &level.recovery)]
    {
        let (seen, missed) = (delays.seconds.len(), delays.missed.len());
        if seen + missed > 0 {
            let [mean, half, most] = [delays.mean(), delays.quantile(0.5), delays.quantile(0.99)];
            let last = delays.quantile(1.0);
            writeln!(
                out,
                "  {what:<8} {seen} seen, {missed} missed; delay mean {mean:.1} s, p50 {half:.1} s, \
                 p99 {most:.1} s, max {last:.1} s"
            )?;
        }
    }
    let edges = &level.edges;
    let all = edges.covered + edges.before + edges.after;
    if all > 0 {
        let middle = edges.half_widths[edges.half_widths.len() / 2];
        writeln!(
            out,
            "  edges    {} of {all} hold the truth ({} early, {} late), half-width p50 {middle:.2} s",
            edges.covered, edges.before, edges.after
        )?;
    }
    let Level { false_downs, false_outages, false_flappings, .. } = level;
    writeln!(
        out,
        "  false    {false_downs} down, {false_outages} outage, {false_flappings} flapping"
    )
}
