//! What the pure core costs: a country-year of a plan as small as North Korea's, a day of one as
//! large as Taiwan's with an hour in the dark, and the core alone, on events made beforehand, with
//! 4 blocks and with 5,030, while they answer and in the dark. Nothing is sent.
//!
//! `cargo bench --bench core` runs it all on one core; `-- --quick` a fifteenth of the two long
//! runs. Times are processor time, which other programs on the machine hardly change.

#[path = "lab/table.rs"]
#[expect(dead_code, reason = "speed has only goals of one kind")]
mod table;

use lifesign_core::{outcome::Event, schedule::Budget, time::Time, watch::Watch};
use lifesign_lab::{Scenario, Simulation, world_and_truth};
use std::{path::Path, process::Command, time::Duration};
use table::{Goal, Table};

const YEAR: f64 = 365.25 * 86_400.0;
/// Probes that the core alone gives out at the even pace, escalations not counted; the second
/// half is timed.
const PROBES: u64 = 2_000_000;
const OURS: &str = "default";
/// Arguments of this program when it calls itself, before a number of blocks: to measure the core
/// alone, with blocks that answer or with blocks that have gone dark.
const CORE_ANSWERED: &str = "--core-answered";
const CORE_DARK: &str = "--core-dark";

fn main() {
    for mode in [CORE_ANSWERED, CORE_DARK] {
        let mut arguments = std::env::args().skip_while(|argument| argument != mode);
        if let Some(blocks) = arguments.nth(1) {
            let blocks = blocks.parse().expect("a number of blocks");
            let (cost, probes) = core_alone(blocks, mode == CORE_DARK);
            return println!("{cost} {probes}");
        }
    }
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    let quick = has("--quick");
    let part = if quick { 1.0 / 15.0 } else { 1.0 };
    let mut table = Table { quick, ..Table::default() };

    let year = small(YEAR * part);
    let (seconds, probes) = simulate(&year);
    let n = format!("{part:.3} years, {probes} probes");
    let most = |most| Some(Goal::AtMost(most));
    table.add(
        "a country-year simulated, 4 blocks",
        OURS,
        n.clone(),
        seconds / part,
        "s",
        most(30.0),
    );
    table.add("simulation, a probe", OURS, n, seconds / probes as f64 * 1e9, "ns", None);

    let (seconds, probes) = simulate(&taiwan(part));
    let n = format!("{part:.3} days, {probes} probes");
    table.add("a day simulated, 5030 blocks", OURS, n.clone(), seconds / part, "s", most(300.0));
    // Before the recorded events below take room of their own.
    if let Some(peak) = peak_megabytes() {
        table.add("peak memory of this process", OURS, n, peak, "MB", most(512.0));
    }

    // All of the core, schedule included: what aggregate and judge cost is less.
    let worlds = [
        (CORE_ANSWERED, "an outcome", most(400.0)),
        (CORE_DARK, "a probe into the dark, with both its outcomes", None),
    ];
    for (mode, what, goal_of_few) in worlds {
        let [(few, n_few), (many, n_many)] =
            [4, 5030].map(|blocks| core_in_own_process(mode, blocks));
        let of = |blocks| format!("schedule, aggregate and judge, {what}: {blocks} blocks");
        table.add(&of(4), OURS, n_few, few, "ns", goal_of_few);
        table.add(&of(5030), OURS, n_many, many, "ns", None);
    }

    table.print();
}

/// A plan as small as North Korea's: one country, four /24s, 20 hosts, two probes each.
fn small(seconds: f64) -> Scenario {
    let text = format!(
        r#"
        story = "a quiet year"
        start = "2014-01-01T00:00:00Z"
        duration = "{}s"
        [weather]
        rtt = "200ms"
        jitter = "20ms"
        loss = 0.01
        [[country]]
        code = "KP"
        blocks = ["127.45.176.0/24", "127.45.177.0/24", "127.45.178.0/24", "127.45.179.0/24"]
        hosts = 5
        probes = ["icmp", "tcp/80"]"#,
        seconds as u64
    );
    Scenario::parse("small", &text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// This many blocks under the conditions of taiwan.toml, worse than those of a quiet year: a tenth
/// of all probes is missed, and every miss is weighed. If `goes_dark`, all blocks do in the middle,
/// which is the second result.
fn blocks_of_taiwan(blocks: u32, goes_dark: bool) -> (Scenario, Duration) {
    let half = (PROBES as f64 / 2.0 / f64::from(blocks) / Budget::DEFAULT.base) as u64;
    let dark =
        format!("[[event]]\nkind = \"dark\"\nat = \"+{half}s\"\nfor = \"{half}s\"\non = \"TW\"");
    let text = format!(
        r#"
        story = "nothing happens"
        start = "2024-03-01T00:00:00Z"
        duration = "{}s"
        [weather]
        rtt = "200ms"
        jitter = "20ms"
        loss = 0.02
        miss = [0.0, 0.2]
        [[country]]
        code = "TW"
        count = {blocks}
        hosts = 4
        probes = ["icmp", "tcp/443"]
        {}"#,
        2 * half,
        if goes_dark { &dark } else { "" }
    );
    let scenario =
        Scenario::parse("blocks of taiwan", &text).unwrap_or_else(|problems| panic!("{problems}"));
    (scenario, Duration::from_secs(half))
}

/// A day with an hour in the dark, or the same shortened to this part of a day.
fn taiwan(part: f64) -> Scenario {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scenarios/taiwan.toml");
    let text = std::fs::read_to_string(file).expect("a scenario of this repository");
    let shorter = |hours: f64| format!("{}s\"", (hours * 3600.0 * part) as u64);
    let text = [("24h\"", 24.0), ("12h\"", 12.0), ("1h\"", 1.0)]
        .into_iter()
        .fold(text, |text, (whole, hours)| text.replace(whole, &shorter(hours)));
    let scenario = Scenario::parse("taiwan", &text).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(
        scenario.duration,
        Duration::from_secs_f64(86_400.0 * part),
        "it is a story of a day"
    );
    scenario
}

fn simulate(scenario: &Scenario) -> (f64, u64) {
    let mut settings = scenario.settings(1);
    settings.budget = Some(Budget::DEFAULT);
    let begin = processor_time();
    let mut simulation = Simulation::new(scenario, 1, &settings);
    simulation.run_until(scenario.end(), &mut |_| {});
    (processor_time().saturating_sub(begin).as_secs_f64(), simulation.probes())
}

/// What the core is given, in order.
#[derive(Clone, Copy)]
enum Step {
    Timeout,
    Event(Event),
}

/// [`core_alone`] in a process of its own: in a heap that other worlds have fragmented, thousands
/// of blocks cost a sixth more.
fn core_in_own_process(mode: &str, blocks: u32) -> (f64, String) {
    let this = std::env::current_exe().expect("a program has a path");
    let output =
        Command::new(this).args([mode, &blocks.to_string()]).output().expect("this program again");
    let text = String::from_utf8_lossy(&output.stdout);
    let figures =
        text.trim().split_once(' ').and_then(|(cost, probes)| Some((cost.parse().ok()?, probes)));
    let (cost, probes) =
        figures.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    (cost, format!("{probes} probes"))
}

/// Nanoseconds that the core takes for each probe, and of how many probes that is the mean. A probe
/// has one outcome, or two in the dark: overdue, then lost. Events are made beforehand.
fn core_alone(blocks: u32, goes_dark: bool) -> (f64, usize) {
    let (scenario, half) = blocks_of_taiwan(blocks, goes_dark);
    let mut settings = scenario.settings(1);
    settings.budget = Some(Budget::DEFAULT);
    settings.controls.clear();
    let (mut world, _) = world_and_truth(&scenario, 1);
    let mut watch = Watch::new(scenario.roster.clone(), &settings, scenario.start);
    let mut steps: Vec<(Time, Step)> = Vec::new();
    let mut now = scenario.start;
    while now < scenario.end() {
        now = watch.poll_timeout().min(world.next_arrival()).max(now);
        if watch.poll_timeout() <= now {
            steps.push((now, Step::Timeout));
            watch.handle_timeout(now, now);
            while let Some(due) = watch.poll_probe(now) {
                world.handle_probe(&due);
            }
        }
        while let Some(event) = world.poll_event(now) {
            steps.push((now, Step::Event(event)));
            watch.handle_event(now, &event);
        }
        while watch.poll_change().is_some() {}
    }
    let mut watch = Watch::new(scenario.roster.clone(), &settings, scenario.start);
    // The first half lets everything grow to its size.
    let middle = steps.partition_point(|&(now, _)| now < scenario.start + half);
    let mut begin = processor_time();
    let mut probes = 0;
    for (number, (now, step)) in steps.iter().enumerate() {
        if number == middle {
            begin = processor_time();
            probes = 0;
        }
        match step {
            Step::Timeout => {
                watch.handle_timeout(*now, *now);
                while watch.poll_probe(*now).is_some() {
                    probes += 1;
                }
            }
            Step::Event(event) => watch.handle_event(*now, event),
        }
    }
    let spent = processor_time().saturating_sub(begin);
    assert!(watch.poll_change().is_some(), "the core was given nothing to judge");
    (spent.as_secs_f64() / probes as f64 * 1e9, probes)
}

/// How long this thread has had a processor (proc(5), `schedstat`).
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")
        .expect("a Linux kernel with schedstat");
    let nanos = text.split(' ').next().and_then(|first| first.parse().ok()).expect("nanoseconds");
    Duration::from_nanos(nanos)
}

/// The most that this process ever had in memory (proc(5), `VmHWM`); None where there is no such
/// file.
fn peak_megabytes() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes / 1000.0)
}
