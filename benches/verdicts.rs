//! The laboratory: our verdicts beside other algorithms' in the same scripted worlds, as a Markdown
//! table and one line of JSON. Nothing is sent.
//!
//! `cargo bench --bench verdicts` makes the whole table, `-- --quick` a sample of it, `-- --row
//! NAME` one group of rows, `-- --who TEXT` the probers whose name holds the text, `-- --years N`
//! other lengths of our rate rows, `-- --seeds N` as many events in the worlds of parts.

#[path = "lab/block_view.rs"]
mod block_view;
#[path = "lab/prober.rs"]
mod prober;
#[path = "lab/rival_prober.rs"]
mod rival_prober;
#[path = "rivals/mod.rs"]
mod rivals;
#[path = "lab/rows/mod.rs"]
mod rows;
#[path = "lab/table.rs"]
mod table;
#[path = "lab/world_builder.rs"]
mod world_builder;

use lifesign_core::{judge::Rules, schedule::Budget};
use prober::{Lifesign, Prober};
use rival_prober::{Rival, RivalProber};
use rivals::{damping::Penalty, ring::Ring};
use rows::{GROUPS, Goals, Pace, Scale, Trial};
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
    mean_per_hour: Some(0.29 * HOUR),
    fastest_flap: 10.0,
    lead: 3.0 * HOUR,
    pace: Pace::Default,
    is_ours: true,
    judged: true,
};

const FRUGAL: Goals = Goals {
    down_mean: Some(32.0),
    down_p99: Some(60.0),
    shortest: 60.0,
    apart: 48.0 * HOUR,
    half_width: Some(27.0),
    recovery_p99: Some(60.0),
    still_flapping: Some(120.0),
    right_share: Some(97.0),
    worst_minute: None,
    mean_per_hour: Some(20.0),
    fastest_flap: 120.0,
    lead: 30.0 * HOUR,
    pace: Pace::Frugal,
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
    lead: 3.0 * HOUR,
    pace: Pace::Theirs,
    is_ours: false,
    judged: false,
};

/// A prober, and the groups of rows that it is in; all, if none is named.
struct Entry {
    prober: Box<dyn Prober>,
    goals: Goals,
    groups: &'static [&'static str],
}

/// Lifesign, ours with a part taken out, and the rivals.
fn entries() -> Vec<Entry> {
    let ours = |name, budget, rules, goals, groups| Entry {
        prober: Box::new(Lifesign { name, budget, rules }),
        goals,
        groups,
    };
    let theirs = |name, rival, groups| Entry {
        prober: Box::new(RivalProber { name, rival }),
        goals: THEIRS,
        groups,
    };
    let plain = Rules::default();
    let without_span = Rules { span: Duration::ZERO, ..plain };
    let cut = |goals| Goals { is_ours: true, ..without_goals(goals) };
    let default = Budget::DEFAULT;
    let frugal = Budget::FRUGAL;
    let ablation = &["delay", "one-block", "rates-2", "rates-bursts"];
    let only_flaps = &["flap", "flap-then-dark", "december"];
    vec![
        ours("default", default, plain, DEFAULT, &[]),
        ours("frugal", frugal, plain, FRUGAL, &[]),
        ours("default without the 5-s span", default, without_span, cut(DEFAULT), ablation),
        ours("frugal without the 5-s span", frugal, without_span, cut(FRUGAL), ablation),
        theirs("Trinocular", Rival::Trinocular, &[]),
        theirs("Nagios 5/20", Rival::Checks(Ring::nagios(5.0, 20.0)), &[]),
        theirs("Nagios 20/30", Rival::Checks(Ring::nagios(20.0, 30.0)), only_flaps),
        theirs("Icinga 2", Rival::Checks(Ring::icinga()), only_flaps),
        theirs("RFC 2439", Rival::Damping(Penalty::cisco()), only_flaps),
        theirs("RFC 7196", Rival::Damping(Penalty::rfc7196()), only_flaps),
        theirs("Prometheus recipe", Rival::Recipe, &[]),
    ]
}

/// An ablation has nothing to reach, and the same worlds.
fn without_goals(goals: Goals) -> Goals {
    Goals { shortest: goals.shortest, apart: goals.apart, lead: goals.lead, ..THEIRS }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |flag: &str| {
        let index = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(index + 1).map(String::as_str)
    };
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let whole = if quick {
        Scale { outages: 100, years: 0.05, blind_spells: 40, flaps: 6, december_seeds: 2, seeds: 4 }
    } else {
        Scale {
            outages: 1000,
            years: 30.0,
            blind_spells: 1000,
            flaps: 100,
            december_seeds: 30,
            seeds: 40,
        }
    };
    let seeds = after("--seeds")
        .map_or(whole.seeds, |seeds| seeds.parse().expect("--seeds takes a whole number"));
    let whole = Scale { seeds, ..whole };
    let years = after("--years")
        .map_or(whole.years, |years| years.parse().expect("--years takes a number"));
    let mut table = table::Table { quick, ..table::Table::default() };
    for Entry { prober, goals, groups } in entries() {
        if after("--who").is_some_and(|who| !prober.name().contains(who)) {
            continue;
        }
        let scale = if !goals.is_ours {
            // Rivals err often enough for a few years to show it, and cost little, so that a sample
            // need not be small.
            let years = if quick { 1.0 } else { years.min(5.0) };
            Scale { outages: 1000, years, flaps: 20, december_seeds: 10, ..whole }
        } else if groups.is_empty() {
            Scale { years, ..whole }
        } else {
            Scale { years: years.min(1.0), ..whole }
        };
        let prober = prober.as_ref();
        let mut trial =
            Trial { prober, goals, scale, table: &mut table, worst_minute: 0.0, worst_mean: 0.0 };
        for (name, group) in GROUPS {
            let wanted = after("--row").is_none_or(|row| row == *name);
            if wanted && (groups.is_empty() || groups.contains(name)) {
                group(&mut trial);
            }
        }
        if !groups.contains(&"december") {
            trial.budget();
        }
    }
    table.print();
}
