//! `simulate`: plays a scenario and writes verdict lines (docs/verdicts.md), or a timeline and a
//! summary.

use super::{
    EdgeCoverage, Expectation, LevelScore, PlaceScore, Scenario, Score, Simulation, quantile,
    timeline,
};
use lifesign_core::{
    judge::{Change, State},
    scopes::{Level, Roster},
};
use lifesign_document::format_duration;
use lifesign_journal::verdict;
use std::{
    collections::BTreeSet,
    io::{self, Write},
    time::Duration,
};

/// How to play it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Verdict lines instead of a timeline.
    pub json: bool,
    /// The truth too: as JSON, lines with `"truth":true`; else, every true change as a line.
    pub truth: bool,
    /// How many times as fast as real time; as fast as it goes, if not given.
    pub speed: Option<f64>,
    /// Colours in the timeline.
    pub colour: bool,
}

/// Blocks in the timeline for each country.
const BLOCKS_SHOWN: usize = 8;
/// How many lines of progress there are.
const PROGRESS_LINES: u32 = 20;
/// With a speed given, virtual time goes on each time that so much real time has passed.
const FRAME: Duration = Duration::from_millis(200);

/// What wants to know of each simulated minute what changed in it.
pub type OnMinute<'a> = &'a mut dyn FnMut(&Simulation, &[Change]) -> io::Result<()>;

/// Plays the simulation of the scenario to its end, and says what of its expectations was met.
/// `pause` waits as long as it is told; it is called only if a speed is given.
pub fn simulate(
    scenario: &Scenario,
    simulation: &mut Simulation,
    options: Options,
    out: &mut dyn Write,
    progress: &mut dyn Write,
    pause: &mut dyn FnMut(Duration),
    on_minute: OnMinute,
) -> io::Result<Vec<Expectation>> {
    let roster = scenario.roster.clone();
    if options.truth {
        write_truth(simulation, &roster, options.json, out)?;
    }
    let step = match options.speed {
        Some(speed) => FRAME.mul_f64(speed.max(0.001)).max(Duration::from_millis(1)),
        None => (scenario.duration / PROGRESS_LINES).max(Duration::from_nanos(1)),
    };
    let mut at = scenario.start;
    let mut lines_written = 0;
    let slice = scenario.expect.as_ref().and_then(|expect| expect.slice);
    let judged_until = slice.map_or(scenario.end(), |slice| scenario.start + slice);
    let mut entered = BTreeSet::new();
    let mut judged = None;
    while at < scenario.end() {
        let next = (at + step).min(scenario.end());
        at = if at < judged_until { next.min(judged_until) } else { next };
        simulation.run_by_minutes(at, |simulation, changes| {
            for change in changes {
                if judged.is_none() {
                    entered.insert(change.to);
                }
                if options.json {
                    writeln!(out, "{}", verdict::json(change, &roster, 0))?;
                }
            }
            on_minute(simulation, changes)
        })?;
        if at == judged_until && at < scenario.end() {
            judged = Some(simulation.score());
        }
        if options.speed.is_some() {
            out.flush()?;
            pause(FRAME);
        }
        let done = at.since(scenario.start).as_secs_f64() / scenario.duration.as_secs_f64();
        let lines_due = (done * f64::from(PROGRESS_LINES)) as u32;
        if lines_due > lines_written {
            lines_written = lines_due;
            writeln!(progress, "{at}  {:3.0} %  {} probes", done * 100.0, simulation.probes())?;
        }
    }
    let score = simulation.score();
    if !options.json {
        writeln!(out, "{}\n", scenario.story)?;
        write!(out, "{}", timeline(simulation, scenario.start, BLOCKS_SHOWN, options.colour))?;
        write_summary(&score, !roster.networks.is_empty(), out)?;
    }
    let places = simulation.place_score();
    if let Some(places) = &places {
        write_places(places, options.json, out)?;
    }
    let judged = judged.unwrap_or(score);
    let expect = scenario.expect.as_ref();
    let expectations =
        expect.map_or_else(Vec::new, |expect| expect.check(&judged, places.as_ref(), &entered));
    write_expectations(&expectations, slice, options.json, out)?;
    Ok(expectations)
}

fn write_expectations(
    expectations: &[Expectation],
    slice: Option<Duration>,
    json: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    if !json && !expectations.is_empty() {
        let slice = slice.map(format_duration);
        writeln!(
            out,
            "{}",
            slice.map_or(String::new(), |slice| format!("\nin the first {slice}:"))
        )?;
    }
    for expectation in expectations {
        if json {
            let Expectation { demand, is_met, was } = expectation;
            let line = serde_json::json!({ "expected": demand, "met": is_met, "was": was });
            writeln!(out, "{line}")?;
        } else {
            writeln!(out, "{expectation}")?;
        }
    }
    Ok(())
}

fn write_truth(
    simulation: &Simulation,
    roster: &Roster,
    json: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let of_level = |level| roster.scopes().filter(move |scope| scope.level() == level);
    for scope in Level::ALL.into_iter().rev().flat_map(of_level) {
        let name = roster.name_of(scope);
        let level = scope.level().label();
        for span in simulation.truth().state_spans(scope) {
            let time = span.from.exact();
            let state = span.state.label();
            if json {
                let line = serde_json::json!({
                    "truth": true, "time": time, "scope": level, "name": name, "to": state
                });
                writeln!(out, "{line}")?;
            } else {
                writeln!(out, "truth {time} {level} {name} {state}")?;
            }
        }
    }
    Ok(())
}

fn write_summary(score: &Score, has_networks: bool, out: &mut dyn Write) -> io::Result<()> {
    write_level("countries", &score.countries, out)?;
    if has_networks {
        write_level("networks", &score.networks, out)?;
    }
    write_level("blocks", &score.blocks, out)?;
    let Score { probes, mean_rate, worst_minute, worst_hour, .. } = score;
    writeln!(
        out,
        "probes    {probes}, per block and second: {mean_rate:.4} mean, \
         {worst_minute:.4} worst minute, {worst_hour:.4} worst hour"
    )
}

fn write_level(name: &str, level: &LevelScore, out: &mut dyn Write) -> io::Result<()> {
    let right = level.right_share * 100.0;
    let worst = level.worst_share * 100.0;
    writeln!(out, "\n{name:<9} right state {right:.3} % of the time, worst {worst:.3} %")?;
    for (what, delays) in
        [("down", &level.down), ("outage", &level.outage), ("recovery", &level.recovery)]
    {
        let seen = delays.seconds.len();
        let missed = delays.missed.len();
        if seen == 0 && missed > 0 {
            writeln!(out, "  {what:<8} 0 seen, {missed} missed")?;
        } else if seen > 0 {
            let mean = delays.mean();
            let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| delays.quantile(share));
            writeln!(
                out,
                "  {what:<8} {seen} seen, {missed} missed; delay mean {mean:.1} s, p50 {p50:.1} s, \
                 p99 {p99:.1} s, max {max:.1} s"
            )?;
        }
    }
    for (what, edges) in [("begins", &level.begins), ("ends", &level.ends)] {
        let all = edges.count();
        if all > 0 {
            let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| quantile(&edges.widths, share));
            let EdgeCoverage { covered, before, after, .. } = edges;
            writeln!(
                out,
                "  {what:<8} {covered} of {all} edges hold the truth ({before} early, {after} \
                 late); width p50 {p50:.1} s, p99 {p99:.1} s, max {max:.1} s"
            )?;
        }
    }
    let LevelScore { false_downs, false_outages, false_flappings, taken_back, .. } = level;
    let wrongly = level.wrongly_dead * 100.0;
    writeln!(
        out,
        "  false    {false_downs} down, {false_outages} outage, {false_flappings} flapping; \
         {taken_back} taken back; wrongly dead {wrongly:.3} % of the time"
    )?;
    let time = State::ALL.into_iter().filter(|&state| level.time[state] > 0.0);
    let time = time.map(|state| format!("{state} {:.2} %", level.time[state] * 100.0));
    let time = time.collect::<Vec<_>>().join(", ");
    writeln!(out, "  time     {time}; {:.1} changes a day", level.changes_a_day)?;
    if !level.share_errors.is_empty() {
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| quantile(&level.share_errors, share));
        writeln!(
            out,
            "  share    of hosts beside the truth by p50 {p50:.1}, p99 {p99:.1}, max {max:.1} points"
        )?;
    }
    Ok(())
}

/// Where paths broke, and where they were said to.
fn write_places(places: &PlaceScore, json: bool, out: &mut dyn Write) -> io::Result<()> {
    let PlaceScore { breaks, named, inside, narrow, right, sent, arrived, .. } = places;
    if json {
        let line = serde_json::json!({ "places": {
            "breaks": breaks, "named": named, "inside": inside, "narrow": narrow, "right": right,
            "delays": places.delays, "false_near_us": places.false_near_us,
            "own_places": places.own_places, "upstream_changes": places.upstream_changes,
            "length_changes": places.length_changes,
            "return_path_changes": places.return_path_changes, "sent": sent, "arrived": arrived,
        } });
        return writeln!(out, "{line}");
    }
    writeln!(
        out,
        "\nplaces    {named} of {breaks} breaks named; {inside} hold the truth, {narrow} no wider \
         than silent hops force, {right} in the right word"
    )?;
    if *named > 0 {
        let mean = places.delays.iter().sum::<f64>() / places.delays.len() as f64;
        let longest = quantile(&places.delays, 1.0);
        let probes = places.probes.iter().sum::<f64>() / places.probes.len() as f64;
        let most = quantile(&places.probes, 1.0);
        writeln!(
            out,
            "  named    {mean:.1} s after down in the mean, {longest:.1} s at most; by {probes:.0} \
             probes, {most:.0} at most"
        )?;
    }
    let PlaceScore { upstream_changes, length_changes, return_path_changes, .. } = places;
    writeln!(
        out,
        "  moved    {upstream_changes} upstreams, {length_changes} lengths, {return_path_changes} \
         ways back; ours broke {} times, {} false near_us",
        places.own_places, places.false_near_us
    )?;
    writeln!(out, "  probes   {sent} traces, {arrived} of them to a host")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_without_a_begin_has_a_summary() {
        let ends = EdgeCoverage { covered: 1, widths: vec![2.0], ..EdgeCoverage::default() };
        let mut out = Vec::new();
        write_level("countries", &LevelScore { ends, ..LevelScore::default() }, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("ends     1 of 1 edges hold the truth (0 early, 0 late); width p50"),
            "{text}"
        );
    }
}
