//! What the pure core costs. In: scripted worlds. Out: a table, and one line of JSON: a country-year of a plan
//! as small as North Korea's, a day of one as large as Taiwan's, and the core alone, on events made beforehand, in the
//! same weather with 4 blocks and with 5,030.
//! Thousands of blocks are held up by memory rather than by work, so what memory costs on this machine stands beside
//! them. It never sends a packet.
//!
//! `cargo bench --bench core` runs it all on one core; `-- --quick` a fifteenth of the two long runs. Times are those
//! on the processor: others on the machine slow the clock down, and not this.

#[path = "lab/table.rs"]
#[expect(dead_code, reason = "speed has only goals of one kind")]
mod table;

use lifesign::{
    clock::Time,
    dice::Dice,
    outcome::{Due, Event},
    scenario::{Scenario, Simulation, stage},
    schedule::Budget,
    watch::Watch,
};
use std::{path::Path, process::Command, time::Duration};
use table::{Goal, Table};

const YEAR: f64 = 365.25 * 86_400.0;
/// Events that the core alone is fed; the second half is timed.
const EVENTS: usize = 2_000_000;
const OURS: &str = "default";
/// The argument, before a number of blocks, with which this program measures nothing but the core.
const ALONE: &str = "--alone";
/// How often memory is touched, to learn what that costs.
const TOUCHES: usize = 5_000_000;

fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != ALONE);
    if let Some(blocks) = arguments.nth(1) {
        return println!("{}", core_alone(&even(blocks.parse().expect("a number of blocks"))));
    }
    let quick = std::env::args().any(|argument| argument == "--quick");
    let part = if quick { 1.0 / 15.0 } else { 1.0 };
    let mut table = Table { quick, ..Table::default() };

    let year = small(YEAR * part);
    let (seconds, probes) = simulate(&year);
    let n = format!("{part:.3} years, {probes} probes");
    let most = |most| Some(Goal::AtMost(most));
    table.add("a country-year simulated, 4 blocks", OURS, n.clone(), seconds / part, "s", most(30.0));
    table.add("simulation, a probe", OURS, n, seconds / probes as f64 * 1e9, "ns", None);

    let mut day = taiwan();
    day.duration = day.duration.mul_f64(part);
    let (seconds, probes) = simulate(&day);
    let n = format!("{part:.3} days, {probes} probes");
    table.add("a day simulated, 5030 blocks", OURS, n.clone(), seconds / part, "s", most(300.0));
    // Before the recorded events below take room of their own.
    if let Some(peak) = peak_megabytes() {
        table.add("peak memory of this process", OURS, n, peak, "MB", most(512.0));
    }

    let few = core_by_itself(4);
    let n = format!("{EVENTS} events");
    // All of the core, schedule included: what aggregate and judge cost is less.
    table.add("schedule, aggregate and judge, an outcome: 4 blocks", OURS, n.clone(), few, "ns", most(400.0));
    let cost = core_by_itself(5030);
    table.add("schedule, aggregate and judge, an outcome: 5030 blocks", OURS, n.clone(), cost, "ns", None);
    table.add("cost of 5030 blocks to cost of 4", OURS, n, cost / few, "×", most(2.0));
    // What the figure above is made of: a plan of this size fits no nearer memory.
    for (place, bytes) in [("64 KB", 64 << 10), ("32 MB", 32 << 20)] {
        let touch = one_touch(bytes);
        let n = format!("{TOUCHES} touches");
        table.add(&format!("waiting for one line of memory among {place}"), "none", n, touch, "ns", None);
    }

    println!("{table}");
    println!("{}", serde_json::to_string(&table).expect("a table of numbers and texts is JSON"));
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

/// So many blocks in the weather of taiwan.toml, which is worse than that of a quiet year: a tenth of all probes is
/// missed, and every miss is weighed.
fn even(blocks: u32) -> Scenario {
    let text = format!(
        r#"
        story = "nothing happens"
        start = "2024-03-01T00:00:00Z"
        duration = "1440h"
        [weather]
        rtt = "200ms"
        jitter = "20ms"
        loss = 0.02
        miss = [0.0, 0.2]
        [[country]]
        code = "TW"
        count = {blocks}
        hosts = 4
        probes = ["icmp", "tcp/443"]"#
    );
    Scenario::parse("even", &text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn taiwan() -> Scenario {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/taiwan.toml");
    Scenario::load(&file).unwrap_or_else(|problems| panic!("{problems}"))
}

fn simulate(scenario: &Scenario) -> (f64, u64) {
    let mut settings = scenario.settings(1);
    settings.budget = Some(Budget::DEFAULT);
    let begin = on_processor();
    let mut simulation = Simulation::new(scenario, 1, &settings);
    simulation.run(scenario.end(), &mut |_| {});
    (on_processor().saturating_sub(begin).as_secs_f64(), simulation.probes())
}

/// A cache line.
#[derive(Clone)]
#[repr(align(64))]
struct Line(usize);

/// What the core is told, in order.
#[derive(Clone, Copy)]
enum Step {
    Poll,
    Observe(Event),
}

/// The same in a process of its own, as a run is: in a heap that other worlds have left in pieces thousands of blocks
/// cost a sixth more.
fn core_by_itself(blocks: u32) -> f64 {
    let this = std::env::current_exe().expect("a program has a path");
    let output = Command::new(this).args([ALONE, &blocks.to_string()]).output().expect("this program again");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
}

/// Nanoseconds of the core for each probe, which has one outcome in the end: events are made first, and fed to a
/// second core.
fn core_alone(scenario: &Scenario) -> f64 {
    let mut settings = scenario.settings(1);
    settings.budget = Some(Budget::DEFAULT);
    settings.controls.clear();
    let (mut world, _) = stage(scenario, 1);
    let mut watch = Watch::new(scenario.roster.clone(), &settings, scenario.start);
    let mut steps: Vec<(Time, Step)> = Vec::with_capacity(2 * EVENTS);
    let (mut due, mut now, mut events): (Vec<Due>, _, _) = (Vec::new(), scenario.start, 0);
    while events < EVENTS {
        now = watch.next_wake().min(world.next_arrival()).max(now);
        if watch.next_wake() <= now {
            steps.push((now, Step::Poll));
            watch.poll(now, now, &mut due);
            due.drain(..).for_each(|due| world.ask(&due));
        }
        while let Some(event) = world.arrive(now) {
            steps.push((now, Step::Observe(event)));
            watch.observe(now, &event);
            events += 1;
        }
        watch.changes().for_each(drop);
    }
    let mut watch = Watch::new(scenario.roster.clone(), &settings, scenario.start);
    // The first half lets everything grow to its size.
    let (mut begin, mut probes) = (on_processor(), 0);
    for (number, (now, step)) in steps.iter().enumerate() {
        if number == steps.len() / 2 {
            (begin, probes) = (on_processor(), 0);
        }
        match step {
            Step::Poll => {
                watch.poll(*now, *now, &mut due);
                probes += due.len();
                due.clear();
            }
            Step::Observe(event) => watch.observe(*now, event),
        }
    }
    let spent = on_processor().saturating_sub(begin);
    assert!(watch.changes().next().is_some(), "a core that was fed nothing would be fast");
    spent.as_secs_f64() / probes as f64 * 1e9
}

/// Nanoseconds to read one cache line of so many bytes, when it alone tells which is next.
fn one_touch(bytes: usize) -> f64 {
    let mut order: Vec<usize> = (0..bytes / size_of::<Line>()).collect();
    Dice::new(1).shuffle(&mut order);
    let mut lines = vec![Line(0); order.len()];
    for (&here, &next) in order.iter().zip(order.iter().cycle().skip(1)) {
        lines[here].0 = next;
    }
    let begin = on_processor();
    let end = (0..TOUCHES).fold(0, |here, _| lines[here].0);
    let spent = on_processor().saturating_sub(begin);
    std::hint::black_box(end);
    spent.as_secs_f64() / TOUCHES as f64 * 1e9
}

/// How long this thread has had a processor (proc(5), `schedstat`): what others do on the machine is not in it, but
/// for the caches that they take.
fn on_processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("a Linux kernel with schedstat");
    let nanos = text.split(' ').next().and_then(|first| first.parse().ok()).expect("nanoseconds");
    Duration::from_nanos(nanos)
}

/// The most that this process ever had in memory (proc(5), `VmHWM`); None where there is no such file.
fn peak_megabytes() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes / 1000.0)
}
