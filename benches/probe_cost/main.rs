//! What a probe costs: the whole path of lifesign, from schedule to verdict, beside four others
//! over the same 10,000 loopback hosts, as a table, a list of goals and one line of JSON. Packets
//! go to 127.99.0.0/16 and 127.0.0.1 alone.
//!
//! Other programs may run on the machine, so all take turns, in three rounds, and the figures are
//! medians. fping runs twice in each round: at an interval of 0.1 ms, which is meant for 10,000
//! probes a second (its own pauses make it slower), and in a burst at the start of each second,
//! which keeps that pace. The second is the harder goal.
//!
//! Run it with `cargo bench --bench probe_cost`. It needs fping, and CAP_NET_RAW for the floor.

mod floor;
#[path = "../peers/lifesign_run.rs"]
mod lifesign_run;
#[path = "../peers/programs.rs"]
#[expect(dead_code, reason = "memory and watches at a pace are measured by the bench peers")]
mod peers;
#[path = "../peers/process.rs"]
mod process;

use lifesign_run::{LifesignRun, PlanSize, median};
use serde_json::json;
use std::{
    io,
    net::Ipv4Addr,
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

const ROUNDS: usize = 3;
const LARGE: PlanSize = PlanSize { blocks: 40, hosts: 250, rate: 250.0 };
const SMALL: PlanSize = PlanSize { blocks: 1, hosts: 10, rate: 100.0 };
/// Probes a second of the large plan.
const RATE: f64 = 10_000.0;
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
            "fping is not installed, and this benchmark needs it to compare with \
             (Debian: apt install fping)"
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

/// What a peer cost in each round, or why it could not be measured.
#[derive(Default)]
struct PeerRow {
    costs: Vec<peers::PeerCost>,
    error: Option<String>,
}

impl PeerRow {
    fn add(&mut self, result: io::Result<peers::PeerCost>) {
        match result {
            Ok(cost) => self.costs.push(cost),
            Err(error) => self.error = Some(error.to_string()),
        }
    }

    fn cpu_us(&self) -> Option<f64> {
        (!self.costs.is_empty())
            .then(|| median(self.costs.iter().map(|cost| cost.cpu_us).collect()))
    }

    fn print(&self, name: &str, ours: f64) {
        match self.cpu_us() {
            Some(cpu_us) => {
                print_row(
                    name,
                    cpu_us,
                    median(self.costs.iter().map(|cost| cost.rate).collect()),
                    ours,
                );
            }
            None => println!("{name:<42} {}", self.error.as_deref().unwrap_or("not measured")),
        }
    }
}

fn print_row(name: &str, cpu_us: f64, rate: f64, ours: f64) {
    println!("{name:<42} {cpu_us:>9.2} {rate:>11.0} {:>16.2}", ours / cpu_us);
}

fn measure(directory: &Path) -> io::Result<()> {
    let hosts: Vec<Ipv4Addr> = LARGE.addresses().collect();
    let ten: Vec<Ipv4Addr> = SMALL.addresses().collect();
    let mut costs = Vec::new();
    let mut fping = PeerRow::default();
    let mut burst = PeerRow::default();
    let mut surge = PeerRow::default();
    let mut floor = PeerRow::default();
    let mut paced = PeerRow::default();
    let mut blackbox = PeerRow::default();
    let mut rtt = Vec::new();
    let mut fping_rtt = Vec::new();
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}, about a minute");
        costs.push(
            LifesignRun::start(directory, &LARGE.plan(), None, Stdio::null())?
                .measure(WARM_UP, SPAN)?,
        );
        fping.add(Ok(peers::fping(directory, &hosts, "0.1")?));
        burst.add(Ok(peers::fping(directory, &hosts, "0.01")?));
        surge.add(peers::surge_ping(&hosts));
        floor.add(floor::run(&hosts.repeat(6)));
        paced.add(floor::paced(&hosts.repeat(12), RATE));
        rtt.push(lifesign_run::round_trip(directory, SMALL, SHORT)?);
        fping_rtt.push(peers::fping_round_trip(&ten)?);
    }
    blackbox.add(peers::blackbox(directory, &hosts[..BLACKBOX]));

    let of =
        |figure: fn(&lifesign_run::LifesignCost) -> f64| median(costs.iter().map(figure).collect());
    let sum =
        |figure: fn(&lifesign_run::LifesignCost) -> f64| costs.iter().map(figure).sum::<f64>();
    let cpu_us = of(|cost| cost.cpu_us);
    let rate = of(|cost| cost.rate);
    println!(
        "{:<42} {:>9} {:>11} {:>16}",
        "10,000 loopback hosts", "µs/probe", "probes/s", "ours ÷ this"
    );
    print_row("lifesign, schedule to judge", cpu_us, rate, cpu_us);
    fping.print("fping, a probe every 0.1 ms", cpu_us);
    burst.print("fping, bursts of 10,000", cpu_us);
    surge.print("surge-ping, one after the other", cpu_us);
    blackbox.print("blackbox_exporter, by HTTP", cpu_us);
    floor.print("sendmmsg and recvmmsg alone, at full speed", cpu_us);
    paced.print("the same at our pace (the floor)", cpu_us);

    let ratio = fping.cpu_us().map_or(f64::NAN, |fping_us| cpu_us / fping_us);
    let burst_ratio = burst.cpu_us().map_or(f64::NAN, |fping_us| cpu_us / fping_us);
    let paced_ratio = paced.cpu_us().map_or(f64::NAN, |floor_us| cpu_us / floor_us);
    let lost = sum(|cost| cost.lost);
    let skipped = sum(|cost| cost.skipped);
    let lag = of(|cost| cost.lag_p99_ms);
    let rtt = median(rtt);
    let fping_rtt = median(fping_rtt);
    println!();
    for (met, line) in [
        (paced_ratio <= 1.4, format!("CPU per probe {paced_ratio:.2} of the floor (at most 1.4)")),
        (ratio <= 0.25, format!("CPU per probe {ratio:.2} of fping's (at most 0.25)")),
        (
            burst_ratio <= 1.0,
            format!("CPU per probe {burst_ratio:.2} of fping's in bursts (at most 1)"),
        ),
        (lost <= 0.0, format!("{lost} probes lost of {:.0} (none)", sum(|cost| cost.probes))),
        (lag <= 5.0, format!("99th percentile of schedule lag {lag:.2} ms (at most 5 ms)")),
        (
            (rtt - fping_rtt).abs() <= 50.0,
            format!("median round-trip time {rtt:.0} µs, fping's {fping_rtt:.0} µs (within 50 µs)"),
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
            "resident_bytes": of(|cost| cost.memory),
            "rtt_median_us": rtt,
            "fping_rtt_median_us": fping_rtt,
            "fping_cpu_us": fping.cpu_us(),
            "fping_burst_cpu_us": burst.cpu_us(),
            "surge_ping_cpu_us": surge.cpu_us(),
            "blackbox_exporter_cpu_us": blackbox.cpu_us(),
            "full_speed_cpu_us": floor.cpu_us(),
            "floor_cpu_us": paced.cpu_us(),
            "ratio_to_floor": paced_ratio,
        })
    );
    Ok(())
}
