//! The other programs, over the same hosts: processor time per probe, or why it cannot be measured.

use crate::{
    lifesign_run::{get, median},
    process::{Running, cpu, free_port, in_time},
};
use lifesign_clock::Clock;
use std::{
    fs,
    io::{self, Error, ErrorKind, Write},
    net::{IpAddr, Ipv4Addr},
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};
use surge_ping::{Client, Config, PingIdentifier, PingSequence};

/// How often fping asks each host: 5.1 gives up when more than 65,535 probes lie within 10 s.
const TIMES: usize = 6;

/// What a peer's run cost.
#[derive(Clone, Copy, Debug)]
pub struct PeerCost {
    /// Processor time per probe, in microseconds.
    pub cpu_us: f64,
    /// Probes that left per second of the run.
    pub rate: f64,
    /// Resident memory at the end, in bytes; not a number where nobody looked.
    pub memory: f64,
}

impl PeerCost {
    /// Of so many probes.
    pub fn of(cpu_seconds: f64, probes: f64, span: Duration, memory: f64) -> Self {
        let rate = probes / span.as_secs_f64();
        Self { cpu_us: cpu_seconds / probes * 1e6, rate, memory }
    }
}

/// fping, six rounds over all hosts, `interval` milliseconds between packets and a second between
/// rounds.
pub fn fping(directory: &Path, hosts: &[Ipv4Addr], interval: &str) -> io::Result<PeerCost> {
    let file = directory.join("hosts");
    let mut list = fs::File::create(&file)?;
    hosts.iter().try_for_each(|host| writeln!(list, "{host}"))?;
    let times = TIMES.to_string();
    let mut command = Command::new("fping");
    command.args(["-q", "-c", &times, "-p", "1000", "-i", interval, "-f"]).arg(file);
    let clock = Clock::start();
    let before = cpu("self")?.children;
    let begun = clock.now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = status.map_err(|error| named("fping", &error))?;
    // 1: some hosts did not answer. That is a measurement; everything else is a fault.
    if !matches!(status.code(), Some(0 | 1)) {
        return Err(Error::other(format!("fping failed: {status}")));
    }
    let probes = (hosts.len() * TIMES) as f64;
    let spent = cpu("self")?.children - before;
    Ok(PeerCost::of(spent, probes, clock.now().since(begun), f64::NAN))
}

/// fping, three rounds over all hosts, evenly spread over the interval.
pub fn fping_paced(
    directory: &Path,
    hosts: &[Ipv4Addr],
    interval: Duration,
) -> io::Result<PeerCost> {
    const ROUNDS: u32 = 3;
    let file = directory.join("hosts");
    let mut list = fs::File::create(&file)?;
    hosts.iter().try_for_each(|host| writeln!(list, "{host}"))?;
    let pause = interval.as_secs_f64() * 1e3 / hosts.len() as f64;
    let mut command = Command::new("fping");
    command.args(["-q", "-c", &ROUNDS.to_string(), "-p", &interval.as_millis().to_string()]);
    command.args(["-i", &format!("{pause:.3}"), "-f"]).arg(file);
    let mut fping =
        Running::start(&mut command, Stdio::null()).map_err(|error| named("fping", &error))?;
    let span = interval * (ROUNDS - 1);
    sleep(span);
    let spent = fping.cpu()?;
    let probes = hosts.len() as f64 * f64::from(ROUNDS - 1);
    Ok(PeerCost::of(spent, probes, span, fping.resident()?))
}

/// smokeping_prober, all hosts at this interval. What it sent, its metrics say.
pub fn smokeping(
    directory: &Path,
    hosts: &[Ipv4Addr],
    interval: Duration,
    warm_up: Duration,
    span: Duration,
) -> io::Result<PeerCost> {
    const PROGRAM: &str = "prometheus-smokeping-prober";
    let list: Vec<String> = hosts.iter().map(|host| format!("  - {host}\n")).collect();
    let file = directory.join("smokeping.yml");
    let seconds = interval.as_secs();
    fs::write(&file, format!("targets:\n- interval: {seconds}s\n  hosts:\n{}", list.concat()))?;
    let port = free_port()?;
    let mut command = Command::new(PROGRAM);
    command.arg(format!("--config.file={}", file.display()));
    command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let mut prober =
        Running::start(&mut command, Stdio::null()).map_err(|error| named(PROGRAM, &error))?;
    let sent = || -> io::Result<f64> {
        let body = get(port, "/metrics")?;
        let requests = body.lines().filter(|line| line.starts_with("smokeping_requests_total{"));
        Ok(requests.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum())
    };
    in_time(PROGRAM, || get(port, "/metrics").map(drop))?;
    sleep(warm_up);
    let sent_before = sent()?;
    let before = prober.cpu()?;
    sleep(span);
    let spent = prober.cpu()? - before;
    let probes = sent()? - sent_before;
    if probes < 1.0 {
        return Err(Error::other(format!("{PROGRAM} sent nothing")));
    }
    Ok(PeerCost::of(spent, probes, span, prober.resident()?))
}

/// fping's median round-trip time in microseconds, 100 probes a second for five seconds.
pub fn fping_round_trip(hosts: &[Ipv4Addr]) -> io::Result<f64> {
    let hosts = hosts.iter().map(ToString::to_string);
    let output = Command::new("fping")
        .args(["-q", "-C", "50", "-p", "100", "-i", "10"])
        .args(hosts)
        .output();
    let output = output.map_err(|error| named("fping", &error))?;
    // One line a host: "127.99.0.1 : 0.031 0.029 …", in milliseconds, a dash where no answer came.
    let text = String::from_utf8_lossy(&output.stderr);
    let times = text.lines().filter_map(|line| line.split_once(" : ")).flat_map(|(_, times)| {
        times.split_whitespace().filter_map(|time| time.parse::<f64>().ok()).collect::<Vec<_>>()
    });
    Ok(median(times.collect()) * 1e3)
}

/// surge-ping as its documentation uses it: one client, one probe after the other, each awaited.
pub fn surge_ping(hosts: &[Ipv4Addr]) -> io::Result<PeerCost> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let clock = Clock::start();
    let before = cpu("self")?.own;
    let begun = clock.now();
    let answered = runtime.block_on(async {
        let client = Client::new(&Config::default())?;
        let mut answered = 0;
        for (number, host) in hosts.iter().enumerate() {
            let mut pinger =
                client.pinger(IpAddr::V4(*host), PingIdentifier(std::process::id() as u16)).await;
            pinger.timeout(Duration::from_secs(1));
            answered +=
                usize::from(pinger.ping(PingSequence(number as u16), &[0; 40]).await.is_ok());
        }
        io::Result::Ok(answered)
    })?;
    if answered < hosts.len() {
        return Err(Error::other(format!("surge-ping got {answered} of {} answers", hosts.len())));
    }
    let spent = cpu("self")?.own - before;
    Ok(PeerCost::of(spent, hosts.len() as f64, clock.now().since(begun), f64::NAN))
}

/// blackbox_exporter, asked over HTTP as Prometheus does, once for every host.
pub fn blackbox(directory: &Path, hosts: &[Ipv4Addr]) -> io::Result<PeerCost> {
    const PROGRAM: &str = "prometheus-blackbox-exporter";
    let file = directory.join("blackbox.yml");
    fs::write(
        &file,
        "modules:\n  icmp:\n    prober: icmp\n    timeout: 1s\n    \
         icmp:\n      preferred_ip_protocol: ip4\n",
    )?;
    let port = free_port()?;
    let mut command = Command::new(PROGRAM);
    command.arg(format!("--config.file={}", file.display()));
    command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let mut exporter =
        Running::start(&mut command, Stdio::null()).map_err(|error| named(PROGRAM, &error))?;
    in_time(PROGRAM, || get(port, "/-/healthy"))?;
    let clock = Clock::start();
    let before = exporter.cpu()?;
    let begun = clock.now();
    for host in hosts {
        if !get(port, &format!("/probe?module=icmp&target={host}"))?.contains("\nprobe_success 1") {
            return Err(Error::other(format!("{PROGRAM} got no answer from {host}")));
        }
    }
    let span = clock.now().since(begun);
    Ok(PeerCost::of(exporter.cpu()? - before, hosts.len() as f64, span, exporter.resident()?))
}

fn named(program: &str, error: &io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => {
            Error::new(ErrorKind::NotFound, format!("{program} is not installed"))
        }
        kind => Error::new(kind, format!("{program}: {error}")),
    }
}
