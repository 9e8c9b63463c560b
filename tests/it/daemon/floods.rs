//! Whoever sends us thousands of made-up ICMP errors a second delays no scrape and no verdict, and
//! none of them counts.

use crate::support::{
    LIFESIGN, Program, TIMEOUT, TempDir,
    chain::Chain,
    namespace::Namespace,
    own_process::{OWN_NETWORK, in_own_process},
    values,
};
use lifesign::probe::{
    icmp::{IcmpProber, TraceEvent},
    send_options::{SendOptions, SocketOptions},
};
use lifesign_clock::Clock;
use lifesign_core::{
    outcome::{Due, Event, Fault, Found, Outcome, Repeat},
    scopes::{BlockId, TargetId},
};
use lifesign_path::{TraceProbe, Traced};
use std::{process::Command, time::Duration};

const BLOCK: &str = "KP 10.45.176.0/24";

const PLAN: &str = r#"
vantage = "test"
controls = ["10.77.0.53"]
[budget]
per_block = "4/s"
[[country]]
code = "KP"
probes = ["icmp"]
[[country.block]]
prefix = "10.45.176.0/24"
hosts = ["10.45.176.8", "10.45.176.15", "10.45.176.67", "10.45.176.68"]
"#;

/// Time exceeded 10,000 times a second, each quoting eight bytes of an echo request that nobody
/// sent to one of the hosts; tells each second how many there were.
const FLOOD: &str = r#"
import os, socket, struct, time
def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return struct.pack("!H", ~total & 0xffff)
sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
hosts = [socket.inet_aton("10.45.176.%d" % host) for host in (8, 15, 67, 68)]
def error(number):
    quote = bytes([0x45, 0, 0, 42, 0, 0, 0, 0, 1, 1, 0, 0]) + socket.inet_aton("10.77.1.1")
    quote += hosts[number % 4] + b"\x08\0" + os.urandom(6)
    body = b"\x0b\0\0\0\0\0\0\0" + quote
    return body[:2] + checksum(body) + body[4:]
errors = [error(number) for number in range(20000)]
print("ready", flush=True)
begun = time.monotonic()
sent = 0
while True:
    for _ in range(100):
        sender.sendto(errors[sent % len(errors)], ("10.77.1.1", 0))
        sent += 1
    if sent % 10000 == 0: print("sent", sent, flush=True)
    time.sleep(max(0, begun + sent / 10000 - time.monotonic()))
"#;

#[test]
#[ignore = "needs root; run by tests/run"]
fn ten_thousand_made_up_errors_a_second_delay_nothing_and_none_counts() {
    let chain = Chain::new(Namespace::new(), 2);
    let temp_dir = TempDir::new("floods");
    let plan = temp_dir.put("plan.toml", PLAN);
    let mut watch = Program::start(chain.vantage.command(&[LIFESIGN, "--config", &plan]));
    watch.verdict(TIMEOUT, BLOCK, "up");
    watch.listen(Duration::from_secs(10));
    let mut flood = Program::start(chain.router(1).command(&["python3", "-c", FLOOD]));
    flood.line(TIMEOUT, "its readiness", |line| (line == "ready").then_some(()));
    watch.listen(Duration::from_secs(5));
    let clock = Clock::start();
    let mut slowest = Duration::ZERO;
    let mut metrics = String::new();
    for _ in 0..10 {
        let asked = clock.now();
        metrics = chain.vantage.get("/metrics").body;
        slowest = slowest.max(clock.now().since(asked));
    }
    // With the start of the program that asks.
    assert!(slowest < Duration::from_secs(2), "a scrape took {slowest:?}");
    let exceeded = ["outcome=\"time_exceeded\""];
    let traced = values(&metrics, "lifesign_path_probes_total", &exceeded)[0];
    assert!(traced < 100.0, "{traced} errors were taken for routers' answers");
    let unreachable = values(&metrics, "lifesign_unreachable_total", &[]).iter().sum::<f64>();
    assert_eq!(unreachable, 0.0);
    let rejected = values(&metrics, "lifesign_rejected_total", &[]).iter().sum::<f64>();
    assert!(rejected > 20_000.0, "only {rejected} came");
    let begin = watch.now();
    chain.rule(2, "ip daddr 10.45.176.0/22 drop");
    let down = watch.verdict(TIMEOUT, BLOCK, "down");
    let late = down.time.since(begin);
    assert!(late < Duration::from_secs(12), "down was said after {late:?}");
    let sent: u64 = flood.line(TIMEOUT, "its count", |line| {
        line.strip_prefix("sent ")?.parse().ok().filter(|&sent| sent >= 80_000)
    });
    eprintln!("{sent} errors; scrapes {slowest:?} at most; down after {late:?}");
    assert!(watch.terminate().success());
}

/// Each error makes the next packet fail that a socket with an error queue sends.
#[test]
#[ignore = "needs root; run by tests/run"]
fn no_flood_of_errors_keeps_a_probe_from_leaving() {
    if !in_own_process(no_flood_of_errors_keeps_a_probe_from_leaving, OWN_NETWORK) {
        return;
    }
    let chain = Chain::new(Namespace::here(), 2);
    let mut flood = Program::start(chain.router(1).command(&["python3", "-c", FLOOD]));
    flood.line(TIMEOUT, "its readiness", |line| (line == "ready").then_some(()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (events, traced) = runtime.block_on(async { send_for(Duration::from_secs(5)) });
    let not_sent =
        |event: &&Event| matches!(event, Event::Outcome(Outcome { found: Found::NotSent(_), .. }));
    let strays = events.iter().filter(|event| matches!(event, Event::Stray(_))).count();
    assert!(strays > 5_000, "only {strays} errors came");
    let left = traced.iter().filter(|event| matches!(event, TraceEvent::NotSent(_)));
    assert_eq!((events.iter().filter(not_sent).count(), left.count()), (0, 0));
}

/// What becomes of ordinary and trace probes, sent without a pause.
fn send_for(long: Duration) -> (Vec<Event>, Vec<TraceEvent>) {
    let target = "10.45.176.15".parse().unwrap();
    let clock = Clock::start();
    let mut prober = IcmpProber::open([7; 16], 7).unwrap();
    let mut events = Vec::new();
    let mut traced = Vec::new();
    let end = clock.now() + long;
    let mut number = 0_u32;
    while clock.now() < end {
        for _ in 0..20 {
            number += 1;
            let due = due(number, &clock);
            let probe = TraceProbe {
                id: number.into(),
                of: Traced::Block(BlockId(0)),
                target,
                hop_limit: 1,
                slot: number,
                reaches_block: false,
            };
            prober.send(&[(due, target)], &SendOptions::default(), &clock, &mut events);
            prober.trace(&[probe], &SocketOptions::default(), &clock, &mut events);
        }
        prober.receive(&clock, &mut events);
        traced.extend(std::iter::from_fn(|| prober.poll_trace()));
    }
    (events, traced)
}

fn due(seq: u32, clock: &Clock) -> Due {
    Due {
        target: TargetId(0),
        seq,
        sent: clock.now(),
        patience: TIMEOUT,
        trap: false,
        repeat: Repeat::Never,
    }
}

/// Of IPv4 the kernel hides it from a raw socket that asks for no errors.
#[test]
#[ignore = "needs root; run by tests/run"]
fn that_our_own_queue_is_full_is_told_of_every_icmp_socket() {
    if !in_own_process(that_our_own_queue_is_full_is_told_of_every_icmp_socket, OWN_NETWORK) {
        return;
    }
    let qdisc = ["qdisc", "add", "dev", "lo", "root", "tbf", "rate", "8kbit", "burst", "200"];
    let mut tc = Command::new("tc");
    assert!(tc.args(qdisc).args(["limit", "200"]).status().unwrap().success());
    let clock = Clock::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _context = runtime.enter();
    let mut prober = IcmpProber::open([7; 16], 7).unwrap();
    for target in ["127.0.0.1", "::1"] {
        for dscp in [0, 46] {
            let socket = SocketOptions { dscp, ..SocketOptions::default() };
            let options = SendOptions { socket, ..SendOptions::default() };
            let mut events = Vec::new();
            for seq in 0..50 {
                let probe = (due(seq, &clock), target.parse().unwrap());
                prober.send(&[probe], &options, &clock, &mut events);
            }
            let is_full = |event: &&Event| {
                let Event::Outcome(outcome) = event else { return false };
                outcome.found == Found::NotSent(Fault::NoBuffers)
            };
            let full = events.iter().filter(is_full).count();
            assert!(full > 30, "{target}, codepoint {dscp}: {full} of 50");
        }
    }
}
