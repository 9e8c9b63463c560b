//! The laboratory: our verdicts beside other algorithms' in the same scripted worlds. In: which
//! rows, and whether a sample is enough. Out: a Markdown table, and one line of JSON. It never
//! sends a packet.
//!
//! `cargo bench --bench verdicts` makes the whole table, `-- --quick` a sample of it, `-- --row
//! NAME` one group of rows, `-- --who TEXT` the probers whose name holds the text, `-- --years N`
//! other lengths of our rate rows.

#[path = "lab/contest.rs"]
mod contest;
#[path = "lab/prober.rs"]
mod prober;
#[path = "rivals/mod.rs"]
mod rivals;
#[path = "lab/rows.rs"]
mod rows;
#[path = "lab/scene.rs"]
mod scene;
#[path = "lab/table.rs"]
mod table;
#[path = "lab/world.rs"]
mod world;

use contest::{Rival, Theirs};
use lifesign_core::{judge::Rules, schedule::Budget};
use prober::{Ours, Prober};
use rivals::{damping::Penalty, ring::Ring};
use rows::{GROUPS, Goals, Scale, Trial};
use std::time::Duration;

const HOUR: f64 = 3600.0;

const DEFAULT: Goals = Goals {
    down_mean: Some(8.0),
    down_p99: Some(12.0),
    shortest: 15.0,
    apart: 3.0 * HOUR,
    half_width: Some(2.0),
    recovery_p99: Some(6.0),
    still_flapping: Some(60.0),
    right_share: Some(99.5),
    worst_minute: Some(0.39),
    mean_per_hour: None,
    fastest_flap: 10.0,
    is_ours: true,
    judged: true,
};

const FRUGAL: Goals = Goals {
    down_mean: Some(30.0),
    down_p99: Some(55.0),
    shortest: 60.0,
    apart: 48.0 * HOUR,
    half_width: Some(23.0),
    recovery_p99: Some(60.0),
    still_flapping: Some(120.0),
    right_share: Some(97.0),
    worst_minute: None,
    mean_per_hour: Some(20.0),
    fastest_flap: 120.0,
    is_ours: true,
    judged: true,
};

/// A rival's goals: none. Its outages are far enough apart for its slowest recovery.
const THEIRS: Goals = Goals {
    down_mean: None,
    down_p99: None,
    shortest: 60.0,
    apart: 6.0 * HOUR,
    half_width: None,
    recovery_p99: None,
    still_flapping: None,
    right_share: None,
    worst_minute: None,
    mean_per_hour: None,
    fastest_flap: f64::INFINITY,
    is_ours: false,
    judged: false,
};

/// Somebody on trial, and by which groups of rows; all, if none is named.
struct Entry {
    prober: Box<dyn Prober>,
    goals: Goals,
    groups: &'static [&'static str],
}

/// Ours, ours with a part taken out, and the rivals.
fn entries() -> Vec<Entry> {
    let ours = |name, budget, rules, goals, groups| Entry {
        prober: Box::new(Ours { name, budget, rules }),
        goals,
        groups,
    };
    let theirs = |name, rival, groups| Entry {
        prober: Box::new(Theirs { name, rival }),
        goals: THEIRS,
        groups,
    };
    let plain = Rules::default();
    let calm = Rules { confirm: false, ..plain };
    let hasty = Rules { span: Duration::ZERO, ..plain };
    let alone = Rules { pooled: false, ..plain };
    let cut = |goals| Goals { is_ours: true, ..without_goals(goals) };
    let (default, frugal) = (Budget::DEFAULT, Budget::FRUGAL);
    let parts = &["delay", "one-block", "rates-2", "rates-bursts"];
    let damped = &["flap", "flap-then-dark", "december"];
    vec![
        ours("default", default, plain, DEFAULT, &[]),
        ours("frugal", frugal, plain, FRUGAL, &[]),
        ours("default without confirming", default, calm, cut(DEFAULT), parts),
        ours("default without the 5-s span", default, hasty, cut(DEFAULT), parts),
        ours("default without pooling", default, alone, cut(DEFAULT), parts),
        ours("frugal without confirming", frugal, calm, cut(FRUGAL), parts),
        ours("frugal without the 5-s span", frugal, hasty, cut(FRUGAL), parts),
        ours("frugal without pooling", frugal, alone, cut(FRUGAL), parts),
        theirs("Trinocular", Rival::Trinocular, &[]),
        theirs("Nagios 5/20", Rival::Checks(Ring::nagios(5.0, 20.0)), &[]),
        theirs("Nagios 20/30", Rival::Checks(Ring::nagios(20.0, 30.0)), damped),
        theirs("Icinga 2", Rival::Checks(Ring::icinga()), damped),
        theirs("RFC 2439", Rival::Damping(Penalty::cisco()), damped),
        theirs("RFC 7196", Rival::Damping(Penalty::rfc7196()), damped),
        theirs("Prometheus recipe", Rival::Recipe, &[]),
    ]
}

/// An ablation has nothing to reach, and the same worlds.
fn without_goals(goals: Goals) -> Goals {
    Goals { shortest: goals.shortest, apart: goals.apart, ..THEIRS }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |flag: &str| {
        let place = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(place + 1).map(String::as_str)
    };
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let whole = if quick {
        Scale { outages: 100, years: 0.05, spells: 40, flaps: 6, nights: 2 }
    } else {
        Scale { outages: 1000, years: 30.0, spells: 1000, flaps: 100, nights: 30 }
    };
    let years = after("--years")
        .map_or(whole.years, |years| years.parse().expect("--years takes a number"));
    let mut table = table::Table { quick, ..table::Table::default() };
    for Entry { prober, goals, groups } in entries() {
        if after("--who").is_some_and(|who| !prober.name().contains(who)) {
            continue;
        }
        let scale = if !goals.is_ours {
            // They err often enough for few years to show it, and cost little, so that a sample
            // need not be small.
            let years = if quick { 1.0 } else { years.min(5.0) };
            Scale { outages: 1000, years, flaps: 20, nights: 10, ..whole }
        } else if groups.is_empty() {
            Scale { years, ..whole }
        } else {
            Scale { years: years.min(1.0), ..whole }
        };
        let prober = prober.as_ref();
        let mut trial =
            Trial { prober, goals, scale, table: &mut table, worst_minute: 0.0, worst_mean: 0.0 };
        for (name, part) in GROUPS {
            let wanted = after("--row").is_none_or(|row| row == *name);
            if wanted && (groups.is_empty() || groups.contains(name)) {
                part(&mut trial);
            }
        }
        if !groups.contains(&"december") {
            trial.budget();
        }
    }
    println!("{table}");
    println!("{}", serde_json::to_string(&table).expect("a table of numbers and texts is JSON"));
}
