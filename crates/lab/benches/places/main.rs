//! Where paths break: our places beside what other tracers would say, in scripted worlds that know
//! the truth, as a Markdown table and one line of JSON. Nothing is sent. It exits with 1 if a goal
//! is missed.
//!
//! `cargo bench -p lifesign-lab --bench places` makes the whole table, `-- --quick` a sample of it,
//! `-- --row TEXT` the kinds of break whose name holds the text.

mod plan_cost;
mod rivals;
#[path = "../../../../benches/lab/table.rs"]
mod table;
mod worlds;

use lifesign_lab::{PlaceScore, Simulation, quantile};
use table::{Goal, Table};
use worlds::{KINDS, Kind};

/// How much of it is played.
struct Scale {
    /// Breaks of each kind.
    breaks: u64,
    days: u32,
    rivals: u64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let row = arguments.iter().position(|argument| argument == "--row");
    let row = row.and_then(|at| arguments.get(at + 1)).map_or("", String::as_str);
    let scale = if quick {
        Scale { breaks: 100, days: 10, rivals: 100 }
    } else {
        Scale { breaks: 1000, days: 365, rivals: 1000 }
    };
    let mut table = Table { quick, ..Table::default() };
    for kind in KINDS.iter().filter(|kind| kind.name.contains(row)) {
        breaks(kind, &scale, &mut table);
    }
    if row.is_empty() {
        moves(&scale, &mut table);
        near_us(&scale, &mut table);
        year(&scale, &mut table);
        plan_cost::rows(&mut table, quick);
    }
    table.print();
    let missed = table.rows.iter().filter(|row| row.met == Some(false)).count();
    if missed > 0 {
        eprintln!("{missed} goals are missed");
        std::process::exit(1);
    }
}

fn played(scenario: &lifesign_lab::Scenario, seed: u64) -> PlaceScore {
    let mut simulation = Simulation::new(scenario, seed, &scenario.settings(seed));
    simulation.run_until(scenario.end(), &mut |_| {});
    simulation.place_score().expect("the file has a path")
}

fn percent(part: u64, of: u64) -> f64 {
    part as f64 / of as f64 * 100.0
}

/// Breaks of one kind, at every hop.
fn breaks(kind: &Kind, scale: &Scale, table: &mut Table) {
    let mut scores = Vec::new();
    let mut seed = 1;
    let mut rival_scores = rivals::Scores::default();
    while scores.iter().map(|score: &PlaceScore| score.breaks).sum::<u64>() < scale.breaks {
        let scenario = worlds::breaks(kind, seed);
        scores.push(played(&scenario, seed));
        if rival_scores.breaks < scale.rivals {
            rival_scores.play(&scenario, seed);
        }
        seed += 1;
    }
    let all = PlaceScore::pool(scores.iter());
    let n = format!("{} breaks", all.breaks);
    let mut add = |what: &str, figure: f64, unit, goal| {
        table.add(&format!("{}: {what}", kind.name), "lifesign", n.clone(), figure, unit, goal);
    };
    let at_least = |figure| Some(Goal::AtLeast(figure));
    let at_most = |figure| Some(Goal::AtMost(figure));
    let inside = percent(all.inside, all.breaks);
    let last_hop = rival_scores.last_hop();
    add("truth inside the interval", inside, "%", at_least(99.0));
    add("better than the last answering hop by", inside - last_hop, "points", at_least(0.0));
    add("no wider than silent hops force", percent(all.narrow, all.breaks), "%", at_least(95.0));
    add("word right", percent(all.right, all.breaks), "%", at_least(98.0));
    add("word of the link itself", percent(all.strictly_right, all.breaks), "%", None);
    let mean = all.delays.iter().sum::<f64>() / all.delays.len() as f64;
    add("named after down, mean", mean, "s", at_most(5.0));
    add("named after down, longest", quantile(&all.delays, 1.0), "s", at_most(10.0));
    add("last change of it, p99", quantile(&all.last_delays, 0.99), "s", None);
    let probes = all.probes.iter().sum::<f64>() / all.probes.len() as f64;
    add("probes per place, mean", probes, "", None);
    add("probes per place, most", quantile(&all.probes, 1.0), "", at_most(80.0));
    // Who turns packets back gets them by surprise, until it is known.
    let surprises = if kind.is_turned_back() { 5.0 } else { 0.0 };
    add("packets to a router beyond 0.5/s and 5", all.beyond_budget, "", at_most(surprises));
    add("near_us, false", all.false_near_us as f64, "", at_most(0.0));
    for (who, share) in rival_scores.shares() {
        let n = format!("{} breaks", rival_scores.breaks);
        let what = format!("{}: truth inside the interval", kind.name);
        table.add(&what, who, n, share, "%", None);
    }
}

/// Paths that move, and are whole.
fn moves(scale: &Scale, table: &mut Table) {
    let mut scores = Vec::new();
    for seed in 1..=scale.breaks / 20 {
        scores.push(played(&worlds::moves(seed), seed));
    }
    let all = PlaceScore::pool(scores.iter());
    let moves = worlds::MOVES as u64 * scores.len() as u64;
    let n = format!("{moves} moves");
    let mut add = |what: &str, count: u64, least: f64, most: f64| {
        let figure = percent(count, moves);
        table.add(what, "lifesign", n.clone(), figure, "%", Some(Goal::AtLeast(least)));
        table.add(what, "lifesign", n.clone(), figure, "%", Some(Goal::AtMost(most)));
    };
    add("reroute: way back seen to move", all.return_path_changes, 99.0, 101.0);
    add("reroute: upstream seen to change", all.upstream_changes, 98.0, 105.0);
    add("reroute: length seen to change", all.length_changes, 99.0, 101.0);
}

/// Our own way out breaks: it is said of us, and of nobody else.
fn near_us(scale: &Scale, table: &mut Table) {
    let mut scores = Vec::new();
    for seed in 1..=scale.breaks / 20 {
        scores.push(played(&worlds::near_us(seed), seed));
    }
    let all = PlaceScore::pool(scores.iter());
    let spells = worlds::SPELLS as u64 * scores.len() as u64;
    let n = format!("{spells} breaks");
    let said = percent(all.own_places, spells);
    table.add("near us: said of us", "lifesign", n.clone(), said, "%", Some(Goal::AtLeast(98.0)));
    let blamed = all.named as f64;
    table.add("near us: said of a block", "lifesign", n, blamed, "", Some(Goal::AtMost(0.0)));
}

/// A year with equal paths and reroutes.
fn year(scale: &Scale, table: &mut Table) {
    let score = played(&worlds::year(scale.days), 1);
    let n = format!("{} days, {} breaks", scale.days, score.breaks);
    let mut add = |what: &str, figure, unit, goal| {
        table.add(what, "lifesign", n.clone(), figure, unit, goal);
    };
    add("year: near_us, false", score.false_near_us as f64, "", Some(Goal::AtMost(0.0)));
    let inside = percent(score.inside, score.breaks);
    add("year: truth inside the interval", inside, "%", Some(Goal::AtLeast(99.0)));
    let rate = score.sent as f64 / f64::from(scale.days) / 86_400.0 / 4.0;
    add("year: probes per block", rate, "/s", Some(Goal::AtMost(0.05)));
    let arrived = score.arrived as f64 / f64::from(scale.days) / 86_400.0 / 4.0;
    add("year: of these to a host", arrived, "/s", None);
    let busiest = score.busiest as f64 / f64::from(scale.days) / 86_400.0;
    add("year: packets to any router", busiest, "/s", Some(Goal::AtMost(0.5)));
    add("year: packets beyond 0.5/s and 5", score.beyond_budget, "", Some(Goal::AtMost(0.0)));
}
