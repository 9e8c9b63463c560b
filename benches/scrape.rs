//! What a scrape of `/metrics` costs in a country as large as Taiwan's plan: 5,030 blocks of 8
//! hosts. Nothing is sent. `cargo bench --bench scrape`; the last line is JSON.
//!
//! Times are processor time of this process, and each is told as a multiple of what another library
//! needs to compress the same bytes in the same process: machines differ, and are busy.

#[path = "lab/table.rs"]
#[expect(dead_code, reason = "a scrape has only goals of one kind")]
mod table;

use flate2::{Compression, write::GzEncoder};
use lifesign::probe::trim_memory;
use lifesign_clock::processor_time;
use lifesign_core::{
    time::Time,
    watch::{Settings, Snapshot, TargetView, TargetViews, Watch},
};
use lifesign_export::{
    ExportSettings, Sources,
    http::serve,
    listener::Listener,
    metric_sets::MetricSet,
    metrics::{Metrics, Present},
    target_queries::TargetAsker,
};
use lifesign_exposition::Format;
use lifesign_lab::{Scenario, Simulation};
use lifesign_web_config::WebConfig;
use std::{
    io::{self, Write as _},
    net::{TcpListener, TcpStream},
    ops::Range,
    sync::Arc,
    thread,
    time::Duration,
};
use table::{Goal, Table};
use tokio::sync::{mpsc, watch};

const BLOCKS: usize = 5030;
const HOSTS: usize = 8;
/// As long as it takes until all windows hold something.
const PLAYED: Duration = Duration::from_secs(400);
const ROUNDS: usize = 5;
const SCRAPES: usize = 10;
/// Twice as many seconds as the shortest period of the windows has.
const RENEWALS: usize = 20;

fn main() {
    let scenario = scenario();
    let now = scenario.start + PLAYED;
    let play = |histograms| {
        let settings = Settings { histograms, ..scenario.settings(scenario.seed) };
        let mut simulation = Simulation::new(&scenario, scenario.seed, &settings);
        simulation.run_until(now, &mut |_| {});
        simulation
    };
    let taking = renewal(&mut play(false), now);
    let mut simulation = play(true);
    let snapshot = simulation.watch().snapshot(now, 0, 0);
    let taking_all = renewal(&mut simulation, now);
    let targets = Arc::new(SeenTargets::of_all(simulation.watch()));
    drop(simulation);
    let lean_resident = resident_of_scrapes(&snapshot, &targets, &[]);
    let all_resident = resident_of_scrapes(&snapshot, &targets, &MetricSet::ALL);
    let metrics = Metrics::default();
    let render = |format, sets| {
        let present = Present { snapshot: &snapshot, targets: &*targets };
        metrics.render(format, &settings(sets), Some(present))
    };
    let text = |sets| String::from_utf8(render(Format::Text, sets)).expect("text");
    let all = text(&MetricSet::ALL);
    let rendering = least_time(|| render(Format::Text, &MetricSet::ALL).len());
    let open = least_time(|| render(Format::OpenMetrics, &MetricSet::ALL).len());
    let protobuf = least_time(|| render(Format::Protobuf, &MetricSet::ALL).len());
    let compressing = least_time(|| gzip(&all, 1).len());
    let lean = text(&[]);
    let lean_time = least_time(|| render(Format::Text, &[]).len());
    let sent = gzip(&lean, 2).len() as f64 / 1e6;

    let most = |most| Some(Goal::AtMost(most));
    let mut table = Table::default();
    let n = amount(&all);
    let ratio = rendering / compressing;
    table.add("all metrics ÷ zlib-rs level 1", "lifesign", n.clone(), ratio, "×", most(2.0));
    table.add("the same as OpenMetrics", "lifesign", n.clone(), open / compressing, "×", most(2.0));
    let ratio = protobuf / compressing;
    table.add("the same as protobuf", "lifesign", n.clone(), ratio, "×", most(2.0));
    table.add("all metrics", "lifesign", n.clone(), rendering * 1e3, "ms", None);
    table.add("resident after ten of these ÷ before", "lifesign", n, all_resident, "×", None);
    let n = format!("{BLOCKS} blocks, {} hosts", BLOCKS * HOSTS);
    let figure = "a snapshot, of the watch's time";
    table.add(figure, "lifesign", n.clone(), taking * 1e3, "ms", most(1.0));
    let figure = "the same with histograms";
    table.add(figure, "lifesign", n, taking_all * 1e3, "ms", None);
    let n = amount(&lean);
    table.add("lean metrics", "lifesign", n.clone(), lean_time * 1e3, "ms", None);
    let figure = "resident after ten of these ÷ before";
    table.add(figure, "lifesign", n.clone(), lean_resident, "×", most(1.3));
    let series = series(&lean) as f64 / BLOCKS as f64;
    table.add("lean metrics, sent with gzip", "lifesign", n.clone(), sent, "MB", most(0.6));
    table.add("lean metrics, series a block", "lifesign", n, series, "", most(25.0));
    table.print();
}

/// The median processor time, in seconds, of a snapshot each second, in the place of the one before
/// the last, as a run takes them.
fn renewal(simulation: &mut Simulation, mut now: Time) -> f64 {
    let mut last = None;
    let mut before = None;
    let mut one = |_| {
        now = now + Duration::from_secs(1);
        simulation.run_until(now, &mut |_| {});
        let begun = processor_time();
        let newest = simulation.watch().renew_snapshot(before.take(), now, 0, 0);
        let taken = processor_time().saturating_sub(begun).as_secs_f64();
        before = last.replace(newest);
        taken
    };
    let mut taken: Vec<f64> = (0..RENEWALS + 2).map(&mut one).skip(2).collect();
    taken.sort_by(f64::total_cmp);
    taken[RENEWALS / 2]
}

/// What the targets have found.
struct SeenTargets(Vec<TargetView>);

impl SeenTargets {
    fn of_all(watch: &Watch) -> Self {
        Self(watch.target_views(0..watch.roster().targets.len() as u32))
    }
}

impl TargetViews for SeenTargets {
    fn of(&self, targets: Range<u32>) -> Option<Vec<TargetView>> {
        Some(self.0.get(targets.start as usize..targets.end as usize)?.to_vec())
    }
}

/// What this process holds after scrapes over HTTP, each of a snapshot of its own, plain and
/// compressed in turn, as a multiple of what it held before.
fn resident_of_scrapes(snapshot: &Snapshot, seen: &Arc<SeenTargets>, sets: &[MetricSet]) -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let (snapshots, receiver) = watch::channel(Some(Arc::new(snapshot.clone())));
    let (_settings, settings) = watch::channel(settings(sets));
    let (reload_requests, _requests) = mpsc::channel(1);
    let (targets, mut queries) = TargetAsker::channel();
    let seen = seen.clone();
    let watch = thread::spawn(move || {
        while let Some(query) = queries.blocking_recv() {
            let roster = query.roster.clone();
            query.answer(&roster, |targets| seen.of(targets).expect("they are known"));
        }
    });
    let sources = Sources { snapshots: receiver, targets, settings, store: None, embed: vec![] };
    let listeners = vec![Listener::Tcp(listener)];
    let server = serve(listeners, sources, reload_requests, WebConfig::unprotected());
    let server = server.expect("a server");
    trim_memory();
    let before = resident();
    for number in 0..SCRAPES {
        snapshots.send_replace(Some(Arc::new(snapshot.clone())));
        let encoding = ["identity", "gzip"][number % 2];
        let mut stream = TcpStream::connect(address).expect("a connection");
        let head = format!(
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Accept-Encoding: {encoding}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("a request");
        let read = io::copy(&mut stream, &mut io::sink()).expect("an answer");
        assert!(read > 100_000, "only {read} bytes");
    }
    let after = resident();
    drop(snapshots);
    server.join().expect("it ends");
    watch.join().expect("nobody asks any more");
    after / before
}

fn settings(sets: &[MetricSet]) -> ExportSettings {
    ExportSettings {
        vantage: "a bench".into(),
        contact: None,
        metrics: sets.iter().copied().collect(),
        simulation: None,
    }
}

fn series(text: &str) -> usize {
    text.lines().filter(|line| line.starts_with("lifesign_")).count()
}

fn amount(text: &str) -> String {
    format!("{} series, {} bytes", series(text), text.len())
}

/// A country of so many blocks, with hosts that answer.
fn scenario() -> Scenario {
    let text = format!(
        "story = \"a quiet country\"\nsources = [\"made for a bench\"]\n\
         start = \"2014-12-01T00:00:00Z\"\nduration = \"1h\"\nseed = 1\n\
         [weather]\nrtt = \"100ms\"\njitter = \"20ms\"\nloss = 0.01\n\
         [[country]]\ncode = \"TW\"\nname = \"Taiwan\"\ncount = {BLOCKS}\nhosts = {HOSTS}\n\
         probes = [\"icmp\"]\n"
    );
    Scenario::parse("the bench", &text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn gzip(text: &str, level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(text.as_bytes()).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

/// The least processor time that this took, in seconds.
fn least_time(mut run: impl FnMut() -> usize) -> f64 {
    let one = |_| {
        let before = processor_time();
        std::hint::black_box(run());
        processor_time().saturating_sub(before).as_secs_f64()
    };
    (0..ROUNDS).map(one).fold(f64::INFINITY, f64::min)
}

/// What this process holds of memory now, in kilobytes (proc_pid_status(5)).
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok());
    number.unwrap_or(f64::NAN)
}
