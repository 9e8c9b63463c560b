//! The run: the only file that knows all stages. In: a plan, where to listen, whether to record.
//! Out: probes on the wire, verdict lines on standard output, snapshots for readers; and the same
//! with a new plan, when it is asked to read it again. One task owns all state; it never waits for
//! a reader, a disk or a name.
//!
//! ```text
//!   icmp engine ──────────────┐ (same task: no queue between them and the fold)
//!   tcp, dns, controls ──mpsc─┤
//!   timers ───────────────────┴─> fold: Watch ──watch──> http (own thread)
//!                              ^    │    ├────mpsc───> journal (own thread)
//!                              │    │    └────mpsc───> store (own thread)
//!   SIGHUP, http ─> plan file ─┘    └─> due probes ─> icmp, tcp, dns
//!                 (own thread)
//! ```
//!
//! | file | its part |
//! |---|---|
//! | `failure` | why a run cannot begin |
//! | `network` | all ways out, side by side |
//! | `wire_ids` | what targets are called on the wire, so that no answer is taken for another's |
//! | `reload` | reading the plan again |
//! | `journal_writer` | writing the journal |
//! | `state` | what outlives the run |
//! | `verdict_writer` | standard output |

mod failure;
mod journal_writer;
mod network;
mod wire_ids;
mod reload;
mod state;
mod verdict_writer;

use crate::{
    clock::Clock,
    config::Plan,
    export::{Labels, http},
    probe::{self, controls::Controls},
    store::{self, Store},
    systemd::Systemd,
};
pub use failure::Failure;
use journal_writer::JournalWriter;
use lifesign_core::{
    journal,
    judge::Change,
    outcome::{Event, Reject, Stray},
    time::Time,
    watch::{Settings, Snapshot, Watch, verdict},
};
use lifesign_document::Problems;
use lifesign_web_config::WebConfig;
use network::Network;
use reload::{Loaded, Reload};
use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    io,
    iter::from_fn,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{
        mpsc::{self, UnboundedReceiver, UnboundedSender},
        watch,
    },
};
use verdict_writer::VerdictWriter;

/// How often readers get a new picture when no verdict changes.
const PUBLISH: Duration = Duration::from_secs(1);
/// Probes that are due within so short a time leave together: at thousands a second, waking up
/// costs more than asking does. Round-trip times do not suffer, since each packet's times are its
/// own.
const NAP: Duration = Duration::from_millis(1);
/// How often to make sure that everything has been heard. Silence is told so much later at the
/// most.
const LISTEN: Duration = Duration::from_millis(10);
/// So many tasks may run, each with an answer, before the fold has its turn.
const TASKS: u32 = 4096;
/// In plans up to this many targets every host has series of its own, unless the plan says
/// otherwise.
const FEW_TARGETS: usize = 500;
/// Fewer file descriptors do not even carry the runtime, the pages and the ICMP sockets.
const FEWEST_DESCRIPTORS: usize = 32;
/// So many readers may wait for the plan to be read again; more wait at the door.
const ASKS: usize = 8;

/// What to run.
#[derive(Debug)]
pub struct Options {
    /// What to watch.
    pub plan: Plan,
    /// Where the plan was read, and is to be read again.
    pub config: PathBuf,
    /// Where readers find us.
    pub listen: Vec<SocketAddr>,
    /// Who may read, and how: TLS and passwords.
    pub web: Option<PathBuf>,
    /// Where to write the journal.
    pub record: Option<PathBuf>,
    /// Where to keep what outlives the run.
    pub state: Option<PathBuf>,
}

/// Runs until SIGINT or SIGTERM.
pub fn run(options: Options) -> Result<(), Failure> {
    let descriptors = probe::descriptor_limit();
    if descriptors < FEWEST_DESCRIPTORS {
        return Err(io::Error::other(format!(
            "{descriptors} open files are allowed, and {FEWEST_DESCRIPTORS} are needed at least; raise the limit \
             (ulimit -n, or LimitNOFILE= in a unit of systemd)"
        ))
        .into());
    }
    let web_config = match options.web {
        Some(path) => WebConfig::open(path, (chance(3), chance(4)))?,
        None => WebConfig::unprotected(),
    };
    let listeners = options
        .listen
        .iter()
        .map(|&address| {
            TcpListener::bind(address).map_err(|error| Failure::Listen { address, error })
        })
        .collect::<Result<Vec<_>, _>>()?;
    // A port 0 has become a real one.
    let addresses =
        listeners.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
    let state = store::directory(options.state);
    let _claim = state.as_deref().map(state::claim).transpose()?;
    let journal = options.record.map(JournalWriter::open).transpose()?;
    probe::trim_memory();
    let (snapshots, source) = watch::channel(None);
    let (labels, labelled) = watch::channel(labels(&options.plan));
    let (asker, asks) = mpsc::channel(ASKS);
    let scheme = if web_config.is_tls() { "https" } else { "http" };
    let addresses: Vec<String> =
        addresses.iter().map(|address| format!("{scheme}://{address}/")).collect();
    let http = http::serve(listeners, source, labelled, asker, web_config)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().event_interval(TASKS).build()?;
    runtime.block_on(async {
        let readers = Readers { snapshots, labels };
        let reload = Reload::new(options.config, asks)?;
        let mut run =
            Run::start(options.plan, &addresses, journal, readers, VerdictWriter::open()?);
        run.resume(state)?;
        run.watch(reload).await?;
        run.end();
        Ok::<_, io::Error>(())
    })?;
    // The publishers are gone with the run, which ends the readers' thread.
    let _ = http.join();
    Ok(())
}

/// What readers are told.
struct Readers {
    snapshots: watch::Sender<Option<Arc<Snapshot>>>,
    labels: watch::Sender<Labels>,
}

fn labels(plan: &Plan) -> Labels {
    let per_host = plan.per_host_metrics.unwrap_or(plan.roster.targets.len() <= FEW_TARGETS);
    Labels { vantage: plan.vantage.clone(), per_host, simulation: None }
}

/// A run under way.
struct Run {
    clock: Clock,
    plan: Plan,
    watch: Watch,
    network: Network,
    events: UnboundedReceiver<Event>,
    /// Whoever asks reports to it.
    sender: UnboundedSender<Event>,
    controls: Option<Controls>,
    journal: Option<JournalWriter>,
    store: Option<Store>,
    readers: Readers,
    systemd: Systemd,
    verdict_writer: VerdictWriter,
}

impl Run {
    fn start(
        plan: Plan,
        pages: &[String],
        journal: Option<JournalWriter>,
        readers: Readers,
        verdict_writer: VerdictWriter,
    ) -> Self {
        let clock = Clock::start();
        let (sender, events) = mpsc::unbounded_channel();
        verdict_writer.say(format!(
            "lifesign {} watches from {}: {plan}",
            env!("CARGO_PKG_VERSION"),
            plan.vantage
        ));
        note(&plan, &verdict_writer);
        let controls = ask_controls(&plan, clock, &sender, &verdict_writer);
        let network = Network::open(&plan, clock, sender.clone(), &verdict_writer);
        for page in pages {
            verdict_writer.say(format!("look at {page} (metrics: {page}metrics)"));
        }
        let mut watch =
            Watch::new(plan.roster.clone(), &settings(&plan, controls.is_some()), clock.now());
        if journal.is_some() {
            watch.record();
        }
        let (store, systemd) = (None, Systemd::default());
        Self {
            clock,
            plan,
            watch,
            network,
            events,
            sender,
            controls,
            journal,
            store,
            readers,
            systemd,
            verdict_writer,
        }
    }

    /// The fold: takes in what came, polls, sends what is due, tells what changed; then waits.
    async fn watch(&mut self, mut reload: Reload) -> io::Result<()> {
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (mut publish, mut loaded) = (self.clock.now(), None);
        let (mut batch, mut due) = (Vec::new(), Vec::new());
        let mut heard = Time::default();
        loop {
            // An answer that lies in a socket, or with a task that has not run, must not be called
            // overdue, however long we were kept from running. The first turn lets the runtime see
            // which sockets have something, the second lets their tasks read it.
            let now = self.clock.now();
            if now.since(heard) > LISTEN {
                for _ in 0..2 {
                    tokio::task::yield_now().await;
                }
                heard = now;
            }
            self.network.icmp_receive(&mut batch);
            // A raw socket hears every ping of this machine, and our own controls are asked all the
            // time.
            batch.retain(|event| !matches!(event, Event::Stray(stray) if self.is_control(stray)));
            while let Ok(event) = self.events.try_recv() {
                batch.push(event);
            }
            let now = self.clock.now();
            for event in batch.drain(..) {
                if let Some(event) = self.network.told(event) {
                    self.watch.handle_event(now, &event);
                }
            }
            self.watch.handle_timeout(now, heard);
            due.extend(from_fn(|| self.watch.poll_probe(now)));
            self.network.send(&mut due, &self.plan, &mut batch);
            let changes: Vec<Change> = from_fn(|| self.watch.poll_change()).collect();
            if !changes.is_empty() || now >= publish {
                publish = now + PUBLISH;
                self.publish(now);
            }
            // Only then, so that who reads of a change here finds it everywhere.
            self.tell(&changes, now);
            // Now that nothing is left which speaks of the old numbers.
            if let Some(loaded) = loaded.take() {
                self.replan(loaded, now);
                continue;
            }
            if !batch.is_empty() {
                continue;
            }
            let wake = self.watch.poll_timeout().min(publish);
            let busy = wake < now + NAP;
            let wake = self.clock.instant(wake.max(now + NAP));
            // In this order, so that no flood of answers delays the end, and none is left for the
            // next turn.
            tokio::select! {
                biased;
                _ = interrupt.recv() => return Ok(()),
                _ = terminate.recv() => return Ok(()),
                () = self.network.icmp_readable(), if !busy => {}
                Some(event) = self.events.recv(), if !busy => batch.push(event),
                read = reload.next() => loaded = Some(read),
                () = tokio::time::sleep_until(wake.into()) => {}
            }
        }
    }

    /// Goes on with the plan that was read, or with the one before if that is wrong; and answers
    /// who asked.
    fn replan(&mut self, Loaded { plan, asked }: Loaded, now: Time) {
        self.systemd.reloading();
        let answer = match plan {
            Ok(plan) => Ok(self.adopt(plan, now)),
            Err(problems) => Err(self.refuse(&problems)),
        };
        self.publish(now);
        if let Some(asked) = asked {
            // Who asked may have gone away.
            let _ = asked.send(answer);
        }
    }

    /// What is watched from now on.
    fn adopt(&mut self, plan: Plan, now: Time) -> String {
        if plan.controls != self.plan.controls || self.controls.is_none() {
            // The old ones end first. All that they reported has been folded, since no task has run
            // meanwhile: nothing of theirs is taken for an answer of the new.
            self.controls = None;
            self.controls = ask_controls(&plan, self.clock, &self.sender, &self.verdict_writer);
        }
        let settings = settings(&plan, self.controls.is_some());
        let map = self.watch.replan(plan.roster.clone(), &settings, now);
        self.network.replan(&plan, &map.targets);
        self.readers.labels.send_replace(labels(&plan));
        self.plan = plan;
        if let Some(store) = &mut self.store {
            store.replan(&self.plan.roster, now.shifted(self.clock.wall_offset()));
        }
        let text = format!("watches by the new plan, from {}: {}", self.plan.vantage, self.plan);
        self.verdict_writer.say(text.clone());
        note(&self.plan, &self.verdict_writer);
        text
    }

    /// What is wrong, one line each.
    fn refuse(&mut self, problems: &Problems) -> String {
        self.watch.refuse();
        let text = problems.to_string();
        for line in text.lines() {
            tracing::error!("{line}");
        }
        tracing::error!("the new plan is wrong; the one before goes on");
        text
    }

    fn publish(&mut self, now: Time) {
        if let Some(store) = &self.store {
            store.recall(&mut self.watch);
        }
        let drops = self.network.receive_drops();
        let mut snapshot = self.watch.snapshot(now, self.clock.wall_offset(), drops);
        snapshot.store = self.store.as_ref().map(Store::view);
        self.systemd.alive(&snapshot);
        self.readers.snapshots.send_replace(Some(Arc::new(snapshot)));
    }

    fn is_control(&self, stray: &Stray) -> bool {
        stray.reason == Reject::WrongId
            && stray.from.is_some_and(|from| self.plan.controls.contains(&from))
    }

    /// Tells what changed, and writes down what was folded.
    fn tell(&mut self, changes: &[Change], now: Time) {
        let offset = self.clock.wall_offset();
        let roster = &self.plan.roster;
        if let Some(journal) = &mut self.journal {
            while let Some(record) = self.watch.poll_record() {
                journal.write(journal::write(&record, roster, &self.plan.controls, offset));
            }
        }
        if let Some(store) = &mut self.store {
            store.keep(changes, &self.watch, now, offset);
        }
        for change in changes {
            self.verdict_writer.say(verdict::text(change, roster, offset));
        }
    }
}

/// What the plan and what can be done say to the core.
fn settings(plan: &Plan, controls: bool) -> Settings {
    Settings {
        budget: Some(plan.budget),
        rules: plan.rules,
        controls: if controls { plan.controls.clone() } else { Vec::new() },
        seed: chance(1),
    }
}

/// Begins to ask the controls, or says why it cannot.
fn ask_controls(
    plan: &Plan,
    clock: Clock,
    events: &UnboundedSender<Event>,
    verdict_writer: &VerdictWriter,
) -> Option<Controls> {
    Controls::open(&plan.controls, clock, events)
        .map_err(|error| {
            verdict_writer.say(format!(
                "note: {error}; until then an outage cannot be told from blindness of our own"
            ));
        })
        .ok()
}

fn note(plan: &Plan, verdict_writer: &VerdictWriter) {
    for warning in plan.warnings() {
        verdict_writer.say(format!("note: {warning}"));
    }
}

/// 64 bits from the system's own source of chance, by way of the standard library's hash keys.
fn chance(salt: u64) -> u64 {
    RandomState::new().hash_one(salt)
}
