//! What it costs that a country of 5,030 blocks goes dark at once: 40,240 hosts on the loopback
//! network of a namespace, whose firewall then drops what is sent to them. `cargo bench --bench
//! dark`; it needs root and nft, and the last line is JSON. Packets go to 127.0.0.0/8 alone.

#[path = "../peers/lifesign_run.rs"]
#[expect(dead_code, reason = "processor time is not measured here")]
mod lifesign_run;
#[path = "plan.rs"]
mod plan;
#[path = "../peers/process.rs"]
#[expect(dead_code, reason = "processor time is not measured here")]
mod process;
#[path = "show.rs"]
mod show;
#[path = "../lab/table.rs"]
mod table;

use lifesign_clock::Clock;
use lifesign_run::{LifesignRun, Page, get};
use plan::{BLOCKS, plan};
use std::{
    collections::BTreeSet,
    env,
    fs::{self, File},
    io::{self, Error},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, ExitCode},
    thread::sleep,
    time::Duration,
};
use table::{Goal, Table};

/// Set in the namespace.
const INSIDE: &str = "LIFESIGN_BENCH_NAMESPACE";
const WARM_UP: Duration = Duration::from_secs(90);
const DARK: Duration = Duration::from_secs(90);
/// Somewhat less than the tenth of a second between two publications.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
const DROP: &str = "add table ip dark; \
                    add chain ip dark input { type filter hook input priority 0; }; \
                    add rule ip dark input ip daddr 127.60.0.0-127.79.255.255 \
                    icmp type echo-request drop";

fn main() -> ExitCode {
    if env::var_os(INSIDE).is_none() {
        let this = env::current_exe().expect("a path");
        let error = Command::new("unshare").arg("--net").arg(this).env(INSIDE, "1").exec();
        eprintln!("cannot measure: unshare: {error}");
        return ExitCode::FAILURE;
    }
    show::show(measure(Path::new(env!("CARGO_TARGET_TMPDIR"))))
}

fn system(program: &str, arguments: &[&str]) -> io::Result<()> {
    let status = Command::new(program).args(arguments).status()?;
    if status.success() { Ok(()) } else { Err(Error::other(format!("{program}: {status}"))) }
}

fn measure(directory: &Path) -> io::Result<Table> {
    system("ip", &["link", "set", "lo", "up"])?;
    let lines = directory.join("verdicts.txt");
    let run = LifesignRun::start(directory, &plan(8), None, File::create(&lines)?.into())?;
    sleep(WARM_UP);
    let before = run.metrics()?;
    let lines_before = fs::read_to_string(&lines)?.lines().count();
    system("nft", &[DROP])?;
    let clock = Clock::start();
    let begun = clock.now();
    let mut snapshots = BTreeSet::new();
    // All changes come within its first seconds.
    let busy = Duration::from_secs(30);
    while clock.now().since(begun) < busy {
        let state = get(run.port, "/api/v1/state?scope=127.60.0.0/24")?;
        let state: serde_json::Value = serde_json::from_str(&state)?;
        snapshots.insert(state["time"].to_string());
        sleep(LOOK_INTERVAL);
    }
    sleep(DARK.saturating_sub(busy));
    let after = run.metrics()?;
    let gained = |name: &str| after.total(name) - before.total(name);
    let text = fs::read_to_string(&lines)?;
    let outages = text.lines().skip(lines_before).filter(|line| line.contains("→ outage")).count();
    let n = format!("{BLOCKS} blocks, {} hosts", BLOCKS * 8);
    let mut table = Table::default();
    let mut add = |figure: &str, value, unit, goal| {
        table.add(figure, "lifesign", n.clone(), value, unit, goal);
    };
    let most = |most| Some(Goal::AtMost(most));
    let rate = snapshots.len() as f64 / busy.as_secs_f64();
    add("publications a second", rate, "1/s", most(10.0));
    add("lines lost", gained("lifesign_lines_lost_total"), "lines", most(0.0));
    let blocks_told = outages as f64;
    add("lines that tell an outage", blocks_told, "lines", Some(Goal::AtLeast(f64::from(BLOCKS))));
    add("longest stall", longest_lag(&before, &after) * 1e3, "ms", most(20.0));
    Ok(table)
}

/// The bound, in seconds, of the bucket of the longest lag between two pages.
fn longest_lag(before: &Page, after: &Page) -> f64 {
    let buckets = after.lags_since(before);
    let all = buckets.last().map_or(0.0, |bucket| bucket.1);
    buckets.iter().find(|bucket| bucket.1 >= all).map_or(f64::NAN, |bucket| bucket.0)
}
