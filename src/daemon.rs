//! The run: the only file that knows all stages. In: a plan, where to listen, whether to record. Out: probes on
//! the wire, verdict lines on standard output, snapshots for readers. One task owns all state; it never waits
//! for a reader, a disk or a name.
//!
//! ```text
//!   icmp engine ──────────────┐ (same task: no queue between them and the fold)
//!   tcp, dns, controls ──mpsc─┤
//!   timers ───────────────────┴─> fold: Watch ──watch──> http (own thread)
//!                                   │    └────mpsc───> journal (own thread)
//!                                   └─> due probes ─> icmp, tcp, dns
//! ```

use crate::{
    clock::{Clock, Time},
    config::Plan,
    export::{Labels, http},
    journal,
    judge::Change,
    outcome::{Due, Event, Fault, Found, Outcome, Reject, Stray},
    probe::{self, Spec, controls::Controls, dns, icmp, names::Book, tcp},
    target::{Host, TargetId},
    watch::{Settings, Snapshot, Watch, verdict},
};
use std::{
    collections::hash_map::RandomState,
    fs::{File, OpenOptions},
    hash::BuildHasher,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    net::{IpAddr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc::UnboundedReceiver, watch},
};

/// How often readers get a new picture when no verdict changes.
const PUBLISH: Duration = Duration::from_secs(1);
/// Probes that are due within so short a time leave together: at thousands a second, waking up costs more than
/// asking does. Round-trip times do not suffer, since each packet's times are its own.
const NAP: Duration = Duration::from_millis(1);
/// In plans up to this many targets every host has series of its own, unless the plan says otherwise.
const FEW_TARGETS: usize = 500;

/// What to run.
#[derive(Debug)]
pub struct Options {
    /// What to watch.
    pub plan: Plan,
    /// Where readers find us.
    pub listen: Vec<SocketAddr>,
    /// Where to write the journal.
    pub record: Option<PathBuf>,
}

/// Why a run cannot begin, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No listener.
    #[error("cannot listen on {address}: {error}; choose another address with --listen")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// No journal.
    #[error("cannot write the journal {path}: {error}")]
    Journal {
        /// Where.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The system refuses something that every run needs.
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
}

/// Runs until SIGINT or SIGTERM.
pub fn run(options: Options) -> Result<(), Failure> {
    let listeners = options
        .listen
        .iter()
        .map(|&address| TcpListener::bind(address).map_err(|error| Failure::Listen { address, error }))
        .collect::<Result<Vec<_>, _>>()?;
    // A port 0 has become a real one.
    let addresses = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
    let journal = options.record.map(Journal::open).transpose()?;
    probe::trim_memory();
    let (publisher, source) = watch::channel(None);
    let per_host = options.plan.per_host_metrics.unwrap_or(options.plan.roster.targets.len() <= FEW_TARGETS);
    let labels = Labels { vantage: options.plan.vantage.clone(), per_host };
    let http = http::serve(listeners, source, labels)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut run = Run::start(options.plan, &addresses, journal, publisher);
        run.watch().await
    })?;
    // The publisher is gone with the run, which ends the readers' thread.
    let _ = http.join();
    Ok(())
}

/// A run under way.
struct Run {
    clock: Clock,
    plan: Plan,
    watch: Watch,
    network: Network,
    events: UnboundedReceiver<Event>,
    _controls: Option<Controls>,
    journal: Option<Journal>,
    publisher: watch::Sender<Option<Arc<Snapshot>>>,
}

impl Run {
    fn start(
        plan: Plan,
        listen: &[SocketAddr],
        journal: Option<Journal>,
        publisher: watch::Sender<Option<Arc<Snapshot>>>,
    ) -> Self {
        let clock = Clock::start();
        let (sender, events) = tokio::sync::mpsc::unbounded_channel();
        say(&format!("lifesign {} watches from {}: {plan}", env!("CARGO_PKG_VERSION"), plan.vantage));
        for warning in plan.warnings() {
            say(&format!("note: {warning}"));
        }
        let controls = match Controls::open(&plan.controls, clock, &sender) {
            Ok(controls) => Some(controls),
            Err(error) => {
                say(&format!("note: {error}; until then an outage cannot be told from blindness of our own"));
                None
            }
        };
        let network = Network::open(&plan, clock, sender);
        for address in listen {
            say(&format!("look at http://{address}/ (metrics: http://{address}/metrics)"));
        }
        let settings = Settings {
            budget: Some(plan.budget),
            rules: plan.rules,
            controls: if controls.is_some() { plan.controls.clone() } else { Vec::new() },
            seed: chance(1),
        };
        let mut watch = Watch::new(plan.roster.clone(), &settings, clock.now());
        if journal.is_some() {
            watch.record();
        }
        Self { clock, plan, watch, network, events, _controls: controls, journal, publisher }
    }

    /// The fold: takes in what came, polls, sends what is due, tells what changed; then waits.
    async fn watch(&mut self) -> io::Result<()> {
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let mut publish = self.clock.now();
        let (mut batch, mut due) = (Vec::new(), Vec::new());
        let mut nap_over = Time::NEVER;
        loop {
            // Whatever else has come: an answer that lies in the socket must not be called overdue.
            if self.clock.now() >= nap_over {
                self.network.icmp_receive(&mut batch);
                nap_over = Time::NEVER;
            }
            // A raw socket hears every ping of this machine, and our own controls are asked all the time.
            batch.retain(|event| !matches!(event, Event::Stray(stray) if self.is_control(stray)));
            while let Ok(event) = self.events.try_recv() {
                batch.push(event);
            }
            let now = self.clock.now();
            for event in batch.drain(..) {
                self.watch.observe(now, &event);
            }
            self.watch.poll(now, &mut due);
            self.network.send(&mut due, &self.plan, &mut batch);
            let changes: Vec<Change> = self.watch.changes().collect();
            if !changes.is_empty() || now >= publish {
                publish = now + PUBLISH;
                let snapshot =
                    self.watch.snapshot(now, self.clock.wall_offset(), self.network.receive_drops());
                self.publisher.send_replace(Some(Arc::new(snapshot)));
            }
            // Only then, so that who reads of a change here finds it everywhere.
            self.tell(&changes);
            if !batch.is_empty() {
                continue;
            }
            let wake = self.watch.next_wake().min(publish);
            let busy = wake < now + NAP;
            nap_over = if busy { nap_over.min(now + NAP) } else { Time::NEVER };
            let wake = self.clock.instant(wake.max(now + NAP));
            // In this order, so that no flood of answers delays the end, and none is left for the next turn.
            tokio::select! {
                biased;
                _ = interrupt.recv() => return Ok(()),
                _ = terminate.recv() => return Ok(()),
                () = self.network.icmp_readable(), if !busy => {
                    // A flood of ICMP keeps nobody from hearing TCP and DNS, whose tasks wait for their turn.
                    tokio::task::yield_now().await;
                    self.network.icmp_receive(&mut batch);
                }
                Some(event) = self.events.recv() => batch.push(event),
                () = tokio::time::sleep_until(wake.into()) => {}
            }
        }
    }

    fn is_control(&self, stray: &Stray) -> bool {
        stray.reason == Reject::WrongId && stray.from.is_some_and(|from| self.plan.controls.contains(&from))
    }

    /// Tells what changed, and writes down what was folded.
    fn tell(&mut self, changes: &[Change]) {
        let offset = self.clock.wall_offset();
        let roster = &self.plan.roster;
        if let Some(journal) = &self.journal {
            for record in self.watch.records() {
                journal.write(journal::write(&record, roster, &self.plan.controls, offset));
            }
        }
        for change in changes {
            say(&verdict::text(change, roster, offset));
        }
    }
}

/// All ways out.
struct Network {
    clock: Clock,
    icmp: Option<icmp::Engine>,
    tcp: tcp::Prober,
    dns: dns::Prober,
    names: Book,
    asks: Vec<(Due, IpAddr)>,
}

impl Network {
    fn open(plan: &Plan, clock: Clock, events: tokio::sync::mpsc::UnboundedSender<Event>) -> Self {
        let (key, id) = (((u128::from(chance(2)) << 64) | u128::from(chance(3))).to_le_bytes(), chance(4));
        let icmp = match icmp::Engine::open(key, id as u16) {
            Ok(engine) => {
                let family = |v6| engine.means(v6).map_or("none", icmp::Means::label);
                say(&format!("ICMP by {} (IPv4), {} (IPv6)", family(false), family(true)));
                Some(engine)
            }
            Err(error) => {
                say(&format!("note: {error}; TCP and DNS go on without ICMP"));
                None
            }
        };
        let names = plan.roster.targets.iter().filter_map(|target| match &target.host {
            Host::Name(name) => Some(name.clone()),
            Host::Address(_) => None,
        });
        Self {
            clock,
            icmp,
            tcp: tcp::Prober::new(clock, events.clone()),
            dns: dns::Prober::new(clock, events),
            names: Book::open(names, &plan.resolver),
            asks: Vec::new(),
        }
    }

    /// Sends what is due; what cannot be sent is reported at once.
    fn send(&mut self, due: &mut Vec<Due>, plan: &Plan, out: &mut Vec<Event>) {
        for due in due.drain(..) {
            match (self.address(&due, plan), &plan.specs[due.target.0 as usize]) {
                (Err(fault), _) => out.push(not_sent(&due, fault)),
                (Ok(address), Spec::Tcp(spec)) => self.tcp.send(due, address, spec),
                (Ok(address), Spec::Dns(spec)) => self.dns.send(due, address, spec),
                (Ok(address), Spec::Icmp) if self.icmp.is_some() => self.asks.push((due, address)),
                (Ok(_), Spec::Icmp) => out.push(not_sent(&due, Fault::Permission)),
            }
        }
        if let Some(icmp) = &mut self.icmp {
            icmp.send(&self.asks, &self.clock, out);
        }
        self.asks.clear();
    }

    fn address(&self, due: &Due, plan: &Plan) -> Result<IpAddr, Fault> {
        let TargetId(number) = due.target;
        let target = &plan.roster.targets[number as usize];
        match &target.host {
            Host::Address(address) => Ok(*address),
            Host::Name(name) => self.names.next(name, &plan.roster.block(target.block).prefix, due.seq),
        }
    }

    fn icmp_receive(&mut self, out: &mut Vec<Event>) {
        if let Some(icmp) = &mut self.icmp {
            icmp.receive(&self.clock, out);
        }
    }

    async fn icmp_readable(&mut self) {
        match &mut self.icmp {
            Some(icmp) => icmp.readable().await,
            None => std::future::pending().await,
        }
    }

    fn receive_drops(&mut self) -> u64 {
        self.icmp.as_mut().map_or(0, icmp::Engine::drops)
    }
}

fn not_sent(due: &Due, fault: Fault) -> Event {
    let Due { target, seq, sent, trap, .. } = *due;
    Event::Outcome(Outcome { target, seq, sent, trap, found: Found::NotSent(fault) })
}

/// A line on standard output. The watch goes on for other readers when this one has gone away.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// 64 bits from the system's own source of chance, by way of the standard library's hash keys.
fn chance(salt: u64) -> u64 {
    RandomState::new().hash_one(salt)
}

/// The journal's own thread: a slow disk delays no probe.
struct Journal {
    lines: Option<mpsc::Sender<String>>,
    writer: Option<thread::JoinHandle<()>>,
}

impl Journal {
    fn open(path: PathBuf) -> Result<Self, Failure> {
        let file = append_lines(&path).map_err(|error| Failure::Journal { path: path.clone(), error })?;
        let (lines, received) = mpsc::channel();
        let writer = thread::Builder::new()
            .name("journal".into())
            .spawn(move || keep(&received, BufWriter::new(file), &path))?;
        Ok(Self { lines: Some(lines), writer: Some(writer) })
    }

    fn write(&self, line: String) {
        if let Some(lines) = &self.lines {
            // The thread ends only with the run.
            let _ = lines.send(line);
        }
    }
}

impl Drop for Journal {
    /// Waits until all is written.
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// Opens a file of lines to add more. A last line that a crash has torn off is ended first, so that it spoils
/// no other.
fn append_lines(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let mut last = [b'\n'];
    // What cannot be sought in, such as a pipe, has no last line.
    if file.seek(SeekFrom::End(-1)).is_ok() {
        file.read_exact(&mut last)?;
    }
    if last != [b'\n'] {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

fn keep(lines: &mpsc::Receiver<String>, mut file: BufWriter<File>, path: &Path) {
    let mut failed = false;
    let mut note = |result: io::Result<()>| match result {
        Ok(()) => failed = false,
        Err(error) if !failed => {
            failed = true;
            tracing::error!("cannot write the journal {}: {error}; lines are being lost", path.display());
        }
        Err(_) => {}
    };
    while let Ok(line) = lines.recv() {
        note(writeln!(file, "{line}"));
        for line in lines.try_iter() {
            note(writeln!(file, "{line}"));
        }
        note(file.flush());
    }
}
