//! What a probe costs: the whole path of lifesign, from schedule to verdict, beside four others
//! over the same 10,000 loopback hosts. In: nothing. Out: a table, which targets are met, and as
//! the last line one JSON object. It never sends beyond 127.99.0.0/16 and 127.0.0.1.
//!
//! The machine is seldom ours alone, so all take turns, in three rounds, and the figures are
//! medians. fping runs twice in each: at the interval of 0.1 ms that asks for 10,000 probes a
//! second (its own pauses make it slower), and as fast as keeps that pace, in a burst at the start
//! of each second. The first is the target's yardstick, the second the harder one.
//!
//! Run it with `cargo bench --bench probe_cost`. It needs fping, and CAP_NET_RAW for the floor.

mod floor;
mod ours;
mod peers;
mod process;

use ours::{Ours, Size};
use serde_json::json;
use std::{
    io,
    net::Ipv4Addr,
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

const ROUNDS: usize = 3;
const LARGE: Size = Size { blocks: 40, hosts: 250, rate: 250.0 };
const SMALL: Size = Size { blocks: 1, hosts: 10, rate: 100.0 };
const WARM_UP: Duration = Duration::from_secs(4);
const SPAN: Duration = Duration::from_secs(20);
/// How long the small plan runs, for memory and for round-trip times.
const SHORT: Duration = Duration::from_secs(5);
/// How many questions blackbox_exporter is asked.
const BLACKBOX: usize = 300;

fn main() -> ExitCode {
    if Command::new("fping").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err()
    {
        eprintln!(
            "fping is not installed, and this benchmark is measured against it (Debian: apt install fping)"
        );
        return ExitCode::FAILURE;
    }
    match measure(Path::new(env!("CARGO_TARGET_TMPDIR"))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot measure: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The rows beside ours, each with its figure of every round, or why it has none.
#[derive(Default)]
struct Row(Vec<peers::Cost>, Option<String>);

impl Row {
    fn add(&mut self, result: io::Result<peers::Cost>) {
        match result {
            Ok(cost) => self.0.push(cost),
            Err(error) => self.1 = Some(error.to_string()),
        }
    }

    fn cpu_us(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| median(self.0.iter().map(|cost| cost.cpu_us).collect()))
    }

    fn print(&self, name: &str, ours: f64) {
        match self.cpu_us() {
            Some(cpu_us) => {
                print_row(
                    name,
                    cpu_us,
                    median(self.0.iter().map(|cost| cost.rate).collect()),
                    ours,
                );
            }
            None => println!("{name:<42} {}", self.1.as_deref().unwrap_or("not measured")),
        }
    }
}

fn print_row(name: &str, cpu_us: f64, rate: f64, ours: f64) {
    println!("{name:<42} {cpu_us:>9.2} {rate:>11.0} {:>16.2}", ours / cpu_us);
}

fn measure(directory: &Path) -> io::Result<()> {
    let hosts: Vec<Ipv4Addr> = LARGE.addresses().collect();
    let ten: Vec<Ipv4Addr> = SMALL.addresses().collect();
    let small = Ours::start(directory, SMALL, None)?.measure(WARM_UP, SHORT)?;
    let mut costs = Vec::new();
    let (mut fping, mut burst, mut surge, mut floor, mut blackbox) =
        (Row::default(), Row::default(), Row::default(), Row::default(), Row::default());
    let (mut trip, mut fping_trip) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}, about a minute");
        costs.push(Ours::start(directory, LARGE, None)?.measure(WARM_UP, SPAN)?);
        fping.add(Ok(peers::fping(directory, &hosts, "0.1")?));
        burst.add(Ok(peers::fping(directory, &hosts, "0.01")?));
        surge.add(peers::surge_ping(&hosts));
        floor.add(floor::run(&hosts.repeat(6)));
        trip.push(ours::round_trip(directory, SMALL, SHORT)?);
        fping_trip.push(peers::fping_round_trip(&ten)?);
    }
    blackbox.add(peers::blackbox(directory, &hosts[..BLACKBOX]));

    let of = |figure: fn(&ours::Cost) -> f64| median(costs.iter().map(figure).collect());
    let sum = |figure: fn(&ours::Cost) -> f64| costs.iter().map(figure).sum::<f64>();
    let (cpu_us, rate) = (of(|cost| cost.cpu_us), of(|cost| cost.rate));
    println!(
        "{:<42} {:>9} {:>11} {:>16}",
        "10,000 loopback hosts", "µs/probe", "probes/s", "ours ÷ this"
    );
    print_row("lifesign, schedule to judge", cpu_us, rate, cpu_us);
    fping.print("fping, a probe every 0.1 ms", cpu_us);
    burst.print("fping, bursts of 10,000", cpu_us);
    surge.print("surge-ping, one after the other", cpu_us);
    blackbox.print("blackbox_exporter, by HTTP", cpu_us);
    floor.print("sendmmsg and recvmmsg alone (the floor)", cpu_us);

    let ratio = fping.cpu_us().map_or(f64::NAN, |fping_us| cpu_us / fping_us);
    let burst_ratio = burst.cpu_us().map_or(f64::NAN, |fping_us| cpu_us / fping_us);
    let (lost, skipped, lag) =
        (sum(|cost| cost.lost), sum(|cost| cost.skipped), of(|cost| cost.lag_p99_ms));
    let memory = (of(|cost| cost.memory) - small.memory) / (hosts.len() - ten.len()) as f64;
    let (trip, fping_trip) = (median(trip), median(fping_trip));
    println!();
    for (met, line) in [
        (ratio <= 1.0, format!("CPU per probe {ratio:.2} of fping's (at most 1)")),
        (
            burst_ratio <= 1.0,
            format!("CPU per probe {burst_ratio:.2} of fping's in bursts (at most 1)"),
        ),
        (lost <= 0.0, format!("{lost} probes lost of {:.0} (none)", sum(|cost| cost.probes))),
        (lag <= 5.0, format!("99th percentile of schedule lag {lag:.2} ms (at most 5 ms)")),
        (memory <= 1024.0, format!("{memory:.0} bytes of memory per host (at most 1024)")),
        (
            (trip - fping_trip).abs() <= 50.0,
            format!(
                "median round-trip time {trip:.0} µs, fping's {fping_trip:.0} µs (within 50 µs)"
            ),
        ),
    ] {
        println!("{:<7} {line}", if met { "met" } else { "MISSED" });
    }
    println!(
        "{}",
        json!({
            "cpu_us_per_probe": cpu_us,
            "probes_per_second": rate,
            "probes": sum(|cost| cost.probes),
            "ratio_to_fping": ratio,
            "ratio_to_fping_burst": burst_ratio,
            "lag_p99_ms": lag,
            "lost": lost,
            "slots_skipped": skipped,
            "bytes_per_host": memory,
            "rtt_median_us": trip,
            "fping_rtt_median_us": fping_trip,
            "fping_cpu_us": fping.cpu_us(),
            "fping_burst_cpu_us": burst.cpu_us(),
            "surge_ping_cpu_us": surge.cpu_us(),
            "blackbox_exporter_cpu_us": blackbox.cpu_us(),
            "floor_cpu_us": floor.cpu_us(),
        })
    );
    Ok(())
}

/// The middle figure; not a number if there is none.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
