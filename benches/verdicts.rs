//! The laboratory: our verdicts beside other algorithms' in the same scripted worlds. In: which rows, and
//! whether a sample is enough. Out: a Markdown table, and one line of JSON. It never sends a packet.
//!
//! `cargo bench --bench verdicts` makes the whole table, `-- --quick` a sample of it, `-- --row NAME` one group
//! of rows, `-- --who TEXT` the probers whose name holds the text.

#[path = "lab/prober.rs"]
mod prober;
#[path = "lab/rows.rs"]
mod rows;
#[path = "lab/table.rs"]
mod table;
#[path = "lab/world.rs"]
mod world;

use lifesign::{judge::Rules, schedule::Budget};
use prober::{Ours, Prober};
use rows::{GROUPS, Goals, Scale, Trial};

const DEFAULT: Goals = Goals {
    down_mean: Some(8.0),
    down_p99: Some(12.0),
    shortest: 15.0,
    half_width: Some(2.0),
    recovery_p99: Some(6.0),
    still_flapping: Some(60.0),
    right_share: Some(99.5),
    worst_minute: Some(0.39),
    mean_per_hour: None,
    fastest_flap: 10.0,
    is_ours: true,
};

const FRUGAL: Goals = Goals {
    down_mean: Some(30.0),
    down_p99: Some(55.0),
    shortest: 60.0,
    half_width: Some(23.0),
    recovery_p99: Some(60.0),
    still_flapping: Some(120.0),
    right_share: Some(97.0),
    worst_minute: None,
    mean_per_hour: Some(20.0),
    fastest_flap: 120.0,
    is_ours: true,
};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |flag: &str| {
        let place = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(place + 1).map(String::as_str)
    };
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let scale = if quick {
        Scale { outages: 100, years: 0.1, spells: 40, flaps: 6, nights: 2 }
    } else {
        Scale { outages: 1000, years: 30.0, spells: 1000, flaps: 100, nights: 30 }
    };
    let probers: Vec<(Box<dyn Prober>, Goals)> = vec![
        (Box::new(Ours { name: "default", budget: Budget::DEFAULT, rules: Rules::default() }), DEFAULT),
        (Box::new(Ours { name: "frugal", budget: Budget::FRUGAL, rules: Rules::default() }), FRUGAL),
    ];
    let mut table = table::Table { quick, ..table::Table::default() };
    for (prober, goals) in &probers {
        if after("--who").is_some_and(|who| !prober.name().contains(who)) {
            continue;
        }
        let (prober, goals) = (prober.as_ref(), *goals);
        let mut trial = Trial { prober, goals, scale, table: &mut table, worst_minute: 0.0, worst_mean: 0.0 };
        for (name, part) in GROUPS {
            if after("--row").is_none_or(|row| row == *name) {
                part(&mut trial);
            }
        }
        trial.budget();
    }
    println!("{table}");
    println!("{}", serde_json::to_string(&table).expect("a table of numbers and texts is JSON"));
}
