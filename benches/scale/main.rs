//! What a plan of 1.29 million hosts costs: 5,030 blocks of 256 addresses on the loopback network,
//! asked at the default pace for a minute, beside a scrape of the default metrics each five
//! seconds. `cargo bench --bench scale`; it needs CAP_NET_RAW, and the last line is JSON. Packets
//! go to 127.0.0.0/8 alone.

#[path = "../peers/lifesign_run.rs"]
#[expect(dead_code, reason = "no journal is kept here")]
mod lifesign_run;
mod plan;
#[path = "../peers/process.rs"]
#[expect(dead_code, reason = "children are not measured here")]
mod process;
mod show;
#[path = "../lab/table.rs"]
#[expect(dead_code, reason = "a plan has only goals of one kind")]
mod table;

use lifesign_clock::Clock;
use lifesign_run::{LifesignCost, LifesignRun, get};
use plan::{BLOCKS, plan};
use process::{Running, free_port, in_time};
use std::{
    fs, io,
    path::Path,
    process::{Command, ExitCode, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread::{scope, sleep},
    time::Duration,
};
use table::{Goal, Table};

const WARM_UP: Duration = Duration::from_secs(15);
const SPAN: Duration = Duration::from_secs(60);
const SCRAPE_INTERVAL: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    show::show(measure(Path::new(env!("CARGO_TARGET_TMPDIR"))))
}

fn measure(directory: &Path) -> io::Result<Table> {
    let (_, few, prometheus) = run(directory, 8)?;
    let (start, many, _) = run(directory, 256)?;
    let hosts = f64::from(BLOCKS * 256);
    let a_host = (many.memory - few.memory) / (hosts - f64::from(BLOCKS * 8));
    let most = |most| Some(Goal::AtMost(most));
    let mut table = Table::default();
    let n = format!("{BLOCKS} blocks, {hosts} hosts, {} probes", many.probes);
    let mut add = |figure: &str, value, unit, goal| {
        table.add(figure, "lifesign", n.clone(), value, unit, goal);
    };
    add("start to the first probe", start.as_secs_f64(), "s", most(10.0));
    add("resident beside scrapes", many.memory / 1e6, "MB", most(512.0));
    add("of that a host", a_host, "bytes", most(256.0));
    add("99th percentile of schedule lag", many.lag_p99_ms, "ms", most(5.0));
    add("processor time a probe, scrapes included", many.cpu_us, "µs", None);
    let n = format!("{BLOCKS} blocks, {} hosts, {} probes", BLOCKS * 8, few.probes);
    let mut add = |figure: &str, value, unit, goal| {
        table.add(figure, "lifesign", n.clone(), value, unit, goal);
    };
    add("resident beside scrapes", few.memory / 1e6, "MB", None);
    add("99th percentile of schedule lag", few.lag_p99_ms, "ms", most(5.0));
    add("processor time a probe, scrapes included", few.cpu_us, "µs", None);
    add("processor time of Prometheus a scrape", prometheus, "s", most(0.25));
    Ok(table)
}

/// How long it took until a probe was counted, what the run cost, and what a scrape of it costs
/// Prometheus.
fn run(directory: &Path, hosts: u32) -> io::Result<(Duration, LifesignCost, f64)> {
    let clock = Clock::start();
    let begun = clock.now();
    let mut run = LifesignRun::start(directory, &plan(hosts), None, Stdio::null())?;
    let start = clock.now().since(begun);
    let port = run.port;
    let is_over = AtomicBool::new(false);
    let cost = scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                // Whether they are answered, the run itself tells.
                let _ = get(port, "/metrics");
                sleep(SCRAPE_INTERVAL);
            }
        });
        let cost = run.measure(WARM_UP, SPAN);
        is_over.store(true, Ordering::Relaxed);
        cost
    });
    Ok((start, cost?, prometheus(directory, port)?))
}

/// Processor time of a Prometheus, in seconds, for each scrape of what answers at this port.
fn prometheus(directory: &Path, scraped: u16) -> io::Result<f64> {
    const SCRAPES: f64 = 10.0;
    let config = directory.join("prometheus.yml");
    let seconds = SCRAPE_INTERVAL.as_secs();
    let text = format!(
        "global:\n  scrape_interval: {seconds}s\nscrape_configs:\n- job_name: lifesign\n  \
         static_configs:\n  - targets: [\"127.0.0.1:{scraped}\"]\n"
    );
    fs::write(&config, text)?;
    let data = directory.join("prometheus");
    let port = free_port()?;
    let mut command = Command::new("prometheus");
    command.arg(format!("--config.file={}", config.display()));
    command.arg(format!("--storage.tsdb.path={}", data.display()));
    command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let mut running = Running::start(&mut command, Stdio::null())?;
    in_time("prometheus", || get(port, "/-/ready"))?;
    // The first scrapes make the series.
    sleep(SCRAPE_INTERVAL * 4);
    let before = running.cpu()?;
    sleep(SCRAPE_INTERVAL.mul_f64(SCRAPES));
    let spent = running.cpu()? - before;
    drop(running);
    fs::remove_dir_all(data)?;
    Ok(spent / SCRAPES)
}
