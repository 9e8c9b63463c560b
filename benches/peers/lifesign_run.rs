//! lifesign itself: the release binary as a child, with a plan of hosts in 127.99.0.0/16. What it
//! cost is read from its metrics and from the kernel.

use crate::process::{Running, free_port, in_time};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{self, Error, Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

/// A plan's size and pace.
#[derive(Clone, Copy)]
pub struct PlanSize {
    /// How many /24 blocks.
    pub blocks: u8,
    /// How many hosts each block has.
    pub hosts: u8,
    /// Probes per second for each block.
    pub rate: f64,
}

impl PlanSize {
    /// The addresses of its hosts.
    pub fn addresses(self) -> impl Iterator<Item = Ipv4Addr> {
        (0..self.blocks).flat_map(move |block| {
            (1..=self.hosts).map(move |host| Ipv4Addr::new(127, 99, block, host))
        })
    }

    /// The plan.
    pub fn plan(self) -> String {
        let mut plan = format!(
            "vantage = \"bench\"\ncontrols = [\"127.0.0.1\"]\n[budget]\nper_block = \"{}/s\"\n\
             [[country]]\ncode = \"XX\"\nname = \"Loopback\"\n",
            self.rate
        );
        for (number, address) in self.addresses().enumerate() {
            let [_, _, block, _] = address.octets();
            if number % usize::from(self.hosts) == 0 {
                let close = if number == 0 { "" } else { "]\n" };
                let _ = write!(
                    plan,
                    "{close}[[country.block]]\nprefix = \"127.99.{block}.0/24\"\nhosts = [\n"
                );
            }
            let _ = writeln!(plan, "{{ host = \"{address}\", probes = [\"icmp\"] }},");
        }
        plan + "]\n"
    }
}

/// What one run cost, from one reading to the next.
#[derive(Clone, Copy, Debug)]
pub struct LifesignCost {
    /// Processor time per probe, in microseconds.
    pub cpu_us: f64,
    /// Probes per second that left.
    pub rate: f64,
    /// How many probes left between the readings.
    pub probes: f64,
    /// Probes that got no answer in time, could not be sent, or whose answer the kernel dropped: on
    /// a loopback network each is our own fault.
    pub lost: f64,
    /// Slots that the schedule gave up.
    pub skipped: f64,
    /// 99th percentile of how late probes left, in milliseconds.
    pub lag_p99_ms: f64,
    /// Resident memory at the end, in bytes.
    pub memory: f64,
}

/// A run under way.
pub struct LifesignRun {
    process: Running,
    /// Where it answers.
    pub port: u16,
}

impl LifesignRun {
    /// Starts it in `directory`, and waits until its metrics count a probe.
    pub fn start(
        directory: &Path,
        text: &str,
        journal: Option<&Path>,
        output: Stdio,
    ) -> io::Result<Self> {
        let plan = directory.join("plan.toml");
        fs::write(&plan, text)?;
        let port = free_port()?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifesign"));
        command.args(["run", "--listen", &format!("127.0.0.1:{port}"), "--config"]).arg(plan);
        if let Some(journal) = journal {
            command.arg("--record").arg(journal);
        }
        let mut run = Self { process: Running::start(&mut command, output)?, port };
        in_time("lifesign", || {
            run.process.cpu()?;
            let probes = run.metrics()?.total("lifesign_probes_total");
            if probes > 0.0 { Ok(()) } else { Err(Error::other("no probe has been sent")) }
        })?;
        Ok(run)
    }

    /// Its metrics, at this moment.
    pub fn metrics(&self) -> io::Result<Page> {
        let body = get(self.port, "/metrics")?;
        let series = body.lines().filter(|line| !line.starts_with('#'));
        let series = series
            .filter_map(|line| line.rsplit_once(' '))
            .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
        Ok(Page(series.collect()))
    }

    /// Lets it warm up, then measures it for `span`.
    pub fn measure(&mut self, warm_up: Duration, span: Duration) -> io::Result<LifesignCost> {
        sleep(warm_up);
        let before = self.metrics()?;
        let spent_before = self.process.cpu()?;
        sleep(span);
        // Read before the scrape, whose cost is not the probes'.
        let spent = (self.process.cpu()? - spent_before) / span.as_secs_f64();
        let after = self.metrics()?;
        let gained = |name: &str| after.total(name) - before.total(name);
        // Both pages show a snapshot up to a second old, so the rate is taken over the time between
        // the snapshots.
        let rate = gained("lifesign_probes_total") / gained("lifesign_snapshot_timestamp_seconds");
        let unanswered = [
            "outcome=\"late\"",
            "outcome=\"lost\"",
            "outcome=\"unreachable\"",
            "outcome=\"not_sent\"",
        ];
        let unanswered: f64 = unanswered
            .iter()
            .map(|outcome| gained(&format!("lifesign_probe_outcomes_total {outcome}")))
            .sum();
        Ok(LifesignCost {
            cpu_us: spent / rate * 1e6,
            rate,
            probes: gained("lifesign_probes_total"),
            lost: unanswered
                + gained("lifesign_probes_overdue")
                + gained("lifesign_receive_drops_total"),
            skipped: gained("lifesign_slots_skipped_total"),
            lag_p99_ms: lag_quantile(0.99, &before, &after) * 1e3,
            memory: after.total("process_resident_memory_bytes"),
        })
    }
}

/// Median round-trip time in microseconds, at 100 probes a second to ten hosts for `span`, from the
/// journal.
pub fn round_trip(directory: &Path, size: PlanSize, span: Duration) -> io::Result<f64> {
    let journal: PathBuf = directory.join("journal.jsonl");
    let run = LifesignRun::start(directory, &size.plan(), Some(&journal), Stdio::null())?;
    sleep(span);
    drop(run);
    let times = fs::read_to_string(&journal)?
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|line| line["probe"] == "icmp" && line["result"] == "reply")
        .filter_map(|line| line["rtt_ms"].as_f64())
        .collect();
    fs::remove_file(&journal)?;
    Ok(median(times) * 1e3)
}

/// The middle figure; not a number if there is none.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Series by name and labels.
pub struct Page(BTreeMap<String, f64>);

impl Page {
    /// The sum of a metric's series; behind a space, a label that they must have.
    pub fn total(&self, name: &str) -> f64 {
        let (name, label) = name.split_once(' ').unwrap_or((name, ""));
        self.0
            .iter()
            .filter(|(series, _)| series.split('{').next() == Some(name) && series.contains(label))
            .map(|(_, value)| value)
            .sum()
    }

    /// What the buckets of the schedule's lag gained since another page, from the lowest bound;
    /// each counts those below it, too.
    pub fn lags_since(&self, before: &Page) -> Vec<(f64, f64)> {
        let name = "lifesign_schedule_lag_seconds_bucket{le=\"";
        let bucket = |(series, count): (&String, &f64)| {
            let bound = series.strip_prefix(name)?.strip_suffix("\"}")?.parse().ok()?;
            Some((bound, count - before.0.get(series).unwrap_or(&0.0)))
        };
        let mut buckets: Vec<(f64, f64)> = self.0.iter().filter_map(bucket).collect();
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        buckets
    }
}

/// A quantile of the lags between two pages, as `histogram_quantile` draws it.
fn lag_quantile(share: f64, before: &Page, after: &Page) -> f64 {
    let buckets = after.lags_since(before);
    let rank = share * buckets.last().map_or(0.0, |bucket| bucket.1);
    let mut lower = 0.0;
    let mut below = 0.0;
    for (bound, count) in buckets {
        if count >= rank && bound.is_finite() {
            return lower + (bound - lower) * (rank - below) / (count - below).max(1.0);
        }
        lower = bound;
        below = count;
    }
    lower
}

/// The body of one page.
pub fn get(port: u16, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) =
        answer.split_once("\r\n\r\n").ok_or_else(|| Error::other("no HTTP answer"))?;
    if head.contains(" 200 ") { Ok(body.to_owned()) } else { Err(Error::other(head.to_owned())) }
}
