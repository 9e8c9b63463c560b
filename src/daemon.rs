//! The daemon: sends the probes that are due, feeds what comes back to the core, and publishes what
//! the core concludes. One task owns all state; it never waits for a reader, a disk or a name.
//!
//! ```text
//!   icmp prober ──────────────┐ (same task: no queue in between)
//!   tcp, dns, controls ──mpsc─┤
//!   timers ───────────────────┴─> event loop: Watch ──watch──> http (own thread)
//!                              ^    │    ├────mpsc───> journal (own thread)
//!                              │    │    └────mpsc───> store (own thread)
//!   SIGHUP, http ─> plan file ─┘    └─> due probes ─> icmp, tcp, dns
//!                 (own thread)
//! ```
//!
//! | file | its part |
//! |---|---|
//! | `failure` | why a run cannot begin, or had to end |
//! | `end` | signals to end, and how long the end may take |
//! | `network` | the probers of all kinds |
//! | `path` | where paths break, beside the watch |
//! | `publication` | when readers get a new snapshot, and what is told then |
//! | `settings` | what a plan means for the core and for readers |
//! | `reload` | reading the plan again, and changing to it |
//! | `journal_writer` | writing the journal |
//! | `state` | the state directory: what outlives the run |
//! | `targets` | the own numbers of targets, for who asks |

mod failure;
mod end;
mod journal_writer;
mod network;
mod path;
mod settings;
mod publication;
mod reload;
mod state;
mod targets;

use crate::{
    config::Plan,
    line_writer::{LineWriter, Stdout},
    probe::{self, controls::Controls},
    systemd::Systemd,
};
pub(crate) use end::handle_signals;
pub use failure::Failure;
use journal_writer::JournalWriter;
use lifesign_clock::Clock;
use lifesign_core::{
    judge::Change,
    outcome::{Event, Reject, Stray},
    time::Time,
    watch::{Snapshot, Watch},
};
use lifesign_export::{
    ExportSettings, Sources, http,
    listener::{self, Listen},
    origin::Origin,
    target_queries::{TargetAsker, TargetQueries},
};
use lifesign_store::{self as store, Store};
use lifesign_web_config::WebConfig;
use network::Network;
use path::PathTracer;
use publication::Publication;
use reload::Reload;
use settings::{core_settings, export_settings};
use state::StateDirectory;
use std::{
    collections::{VecDeque, hash_map::RandomState},
    hash::BuildHasher,
    io,
    iter::from_fn,
    path::PathBuf,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::{
    mpsc::{self, UnboundedReceiver, UnboundedSender},
    oneshot, watch,
};

/// The shortest sleep: probes that are due within it leave together, because at thousands a second
/// waking up costs more than sending. Each packet still has its own send time.
const MIN_SLEEP: Duration = Duration::from_millis(2);
/// Fewer file descriptors are not enough for the runtime, the HTTP listeners and the ICMP sockets.
const MIN_DESCRIPTORS: usize = 32;
/// How many requests to read the plan again may be queued; the senders of more have to wait.
const RELOAD_QUEUE: usize = 8;
/// How many lines of standard output may wait for a slow reader: more than a large plan has
/// verdicts.
const STDOUT_QUEUE: usize = 16_384;
/// So many changes are handled in one turn; the next goes on, and no snapshot is taken before all
/// are.
const MANY_CHANGES: usize = 500;

/// What the command line of `lifesign run` says.
#[derive(Debug)]
pub struct Options {
    /// The plan as it was read at the start.
    pub plan: Plan,
    /// The plan's file, to read it again.
    pub config: PathBuf,
    /// Where to serve HTTP; if nowhere, at the sockets that systemd passes, or by default.
    pub listen: Vec<Listen>,
    /// Whose pages may show the page in frames.
    pub embed: Vec<Origin>,
    /// The web configuration file: TLS and passwords.
    pub web: Option<PathBuf>,
    /// The journal to append to; None to keep none.
    pub record: Option<PathBuf>,
    /// The state directory, for what outlives the run.
    pub state_dir: Option<PathBuf>,
}

/// Runs until SIGINT or SIGTERM.
pub fn run(options: Options) -> Result<(), Failure> {
    probe::use_granted_rights();
    let descriptors = probe::raise_descriptor_limit();
    if descriptors < MIN_DESCRIPTORS {
        return Err(io::Error::other(format!(
            "{descriptors} open files are allowed, and {MIN_DESCRIPTORS} are needed at least; \
             raise the limit (ulimit -n, or LimitNOFILE= in a unit of systemd)"
        ))
        .into());
    }
    let end = handle_signals()?;
    let web_config = match options.web {
        Some(path) => WebConfig::open(path, (random_bits(), random_bits()))?,
        None => WebConfig::unprotected(),
    };
    let listeners = listener::open_or_take(&options.listen)?;
    let scheme = if web_config.is_tls() { "https" } else { "http" };
    let invitations = listeners.iter().map(|listener| listener.invitation(scheme));
    let invitations = invitations.collect::<io::Result<Vec<String>>>()?;
    let state = StateDirectory::of(options.state_dir)?;
    let journal = options.record.map(JournalWriter::open).transpose()?;
    probe::trim_memory();
    let (snapshots, source) = watch::channel(None);
    let (export_settings_sender, export_settings_receiver) =
        watch::channel(export_settings(&options.plan));
    let (reload_sender, reload_requests) = mpsc::channel(RELOAD_QUEUE);
    let (targets, target_queries) = TargetAsker::channel();
    let sources = Sources {
        snapshots: source,
        targets,
        settings: export_settings_receiver,
        store: state.path().map(|path| path.join(store::FILE_NAME)),
        embed: options.embed,
    };
    let http = http::serve(listeners, sources, reload_sender, web_config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        let export_settings = export_settings_sender;
        let publishers = Publishers { snapshots, before: None, export_settings };
        let reload = Reload::new(options.config, reload_requests)?;
        let last = state.path().and_then(store::last_written).unwrap_or_default();
        let clock = Clock::start_after(last);
        let stdout_writer = LineWriter::open("stdout", STDOUT_QUEUE, Stdout)?;
        let mut daemon =
            Daemon::start(clock, options.plan, invitations, journal, publishers, stdout_writer);
        daemon.resume(&state)?;
        let result = daemon.event_loop(reload, target_queries, end, &http).await;
        if result.is_err() {
            end::exit_soon()?;
        }
        daemon.finish();
        result
    });
    // The publishers are gone, which ends the HTTP thread.
    let _ = http.join();
    result
}

/// What HTTP readers see.
struct Publishers {
    snapshots: watch::Sender<Option<Arc<Snapshot>>>,
    /// The snapshot before, whose place the next may take.
    before: Option<Arc<Snapshot>>,
    export_settings: watch::Sender<ExportSettings>,
}

/// The state of a run.
struct Daemon {
    clock: Clock,
    plan: Plan,
    watch: Watch,
    network: Network,
    /// None if the plan wants none, or nothing can be sent.
    paths: Option<PathTracer>,
    events: UnboundedReceiver<Event>,
    /// For new controls to report to.
    sender: UnboundedSender<Event>,
    controls: Option<Controls>,
    journal: Option<JournalWriter>,
    store: Option<Store>,
    /// The next run finds it.
    store_is_kept: bool,
    /// The wall clock is behind what the store knows.
    clock_is_behind: bool,
    publishers: Publishers,
    systemd: Systemd,
    stdout_writer: LineWriter,
    /// Changes that the store knows, and whose lines are not written yet.
    unwritten: Option<VecDeque<Change>>,
}

impl Daemon {
    fn start(
        clock: Clock,
        plan: Plan,
        invitations: Vec<String>,
        journal: Option<JournalWriter>,
        publishers: Publishers,
        stdout_writer: LineWriter,
    ) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        stdout_writer.write(format!(
            "lifesign {} watches from {}: {plan}",
            env!("CARGO_PKG_VERSION"),
            plan.vantage
        ));
        write_warnings(&plan, clock.now(), &stdout_writer);
        let controls = network::open_controls(&plan, clock, &sender, &stdout_writer);
        let network = Network::open(&plan, clock, sender.clone(), &stdout_writer);
        for invitation in invitations {
            stdout_writer.write(invitation);
        }
        let mut watch =
            Watch::new(plan.roster.clone(), &core_settings(&plan, controls.is_some()), clock.now());
        if journal.is_some() {
            watch.keep_records();
        }
        let paths = PathTracer::new(&plan, &watch, &network, clock.now());
        Self {
            clock,
            plan,
            watch,
            network,
            paths,
            events,
            sender,
            controls,
            journal,
            store: None,
            store_is_kept: false,
            clock_is_behind: false,
            publishers,
            systemd: Systemd::default(),
            stdout_writer,
            unwritten: None,
        }
    }

    /// Feeds what arrived to the core, sends what is due, reports what changed; then waits.
    async fn event_loop(
        &mut self,
        mut reload: Reload,
        mut target_queries: TargetQueries,
        mut end: oneshot::Receiver<()>,
        http: &JoinHandle<()>,
    ) -> Result<(), Failure> {
        let mut publication = Publication::default();
        // Those that no snapshot has yet, and those that the newest has and nobody was told of.
        let mut changes: Vec<Change> = Vec::new();
        let mut published = Vec::new().into_iter();
        let mut loaded = None;
        let mut batch = Vec::new();
        let mut turn = self.clock.now();
        loop {
            // The runtime sees which sockets are readable now, and lets those tasks read that it
            // saw in the turn before. What came by then has been received, however long we were
            // kept from running. With very many tasks some may read later: the core takes their
            // misses back.
            let received_until = std::mem::replace(&mut turn, self.clock.now());
            tokio::task::yield_now().await;
            self.network.icmp_receive(&mut batch);
            // A raw socket also receives the replies to other pings of this machine, and our own
            // controls are pinged all the time.
            batch.retain(|event| !matches!(event, Event::Stray(stray) if self.is_control(stray)));
            while let Ok(event) = self.events.try_recv() {
                batch.push(event);
            }
            let now = self.clock.now();
            for event in batch.drain(..) {
                if let Some(event) = self.network.translate(event, &self.plan) {
                    self.watch.handle_event(now, &event);
                    if let Some(paths) = &mut self.paths {
                        paths.handle_event(&event, &self.watch, now);
                    }
                }
            }
            self.watch.handle_timeout(now, received_until);
            self.network.pay_tcp_questions(&mut self.watch, &self.plan, now);
            self.network.send(&mut self.watch, &self.plan, now, &mut batch);
            // One a turn: many who ask hold up nobody.
            if let Ok(query) = target_queries.try_recv() {
                self.answer(query);
            }
            let told = changes.len();
            changes.extend(from_fn(|| self.watch.poll_change()).take(MANY_CHANGES));
            self.trace(&changes[told..], &mut batch, now);
            self.record();
            let found = changes.len() - told;
            if published.len() > 0 {
                self.tell(published.by_ref().take(MANY_CHANGES).collect());
            }
            self.write_lines(publication::LINES_TOGETHER);
            if let Some(store) = &mut self.store {
                store.copy_memory(&self.watch);
            }
            let has_news = loaded.is_some() || !changes.is_empty();
            // What takes milliseconds when a large country goes dark, turns share: taking the
            // changes, their snapshot, what the store is told of them, and their lines.
            if now >= publication.next(has_news) && found < MANY_CHANGES && published.len() == 0 {
                self.publish(now);
                let fresh = std::mem::take(&mut changes);
                if fresh.len() > MANY_CHANGES && loaded.is_none() {
                    if let Some(store) = &mut self.store {
                        store.expect_changes(&fresh, &self.watch);
                    }
                    published = fresh.into_iter();
                } else {
                    self.tell_whole(fresh);
                }
                if let Some(loaded) = loaded.take() {
                    // Nothing is left that uses the ids of the old plan.
                    self.replan(loaded, now);
                }
                publication.made(self.clock.now());
                if let Some(thread) = self.ended_thread(http) {
                    self.tell_whole(published.chain(changes).collect());
                    return Err(Failure::Ended(thread));
                }
                continue;
            }
            let is_unfinished = found == MANY_CHANGES || published.len() > 0;
            if !batch.is_empty() || is_unfinished || self.unwritten.is_some() {
                continue;
            }
            let traced = self.paths.as_ref().map_or(Time::NEVER, PathTracer::poll_timeout);
            let wake = self.watch.poll_timeout().min(publication.next(has_news)).min(traced);
            let busy = wake < now + MIN_SLEEP;
            let wake = self.clock.instant(wake.max(now + MIN_SLEEP));
            // In this order, so that no flood of answers delays the end.
            tokio::select! {
                biased;
                _ = &mut end => {
                    self.publish(now);
                    self.tell_whole(changes);
                    return Ok(());
                }
                () = self.network.icmp_readable(), if !busy => {}
                Some(event) = self.events.recv(), if !busy => batch.push(event),
                Some(query) = target_queries.recv() => self.answer(query),
                read = reload.next(), if loaded.is_none() => loaded = Some(read),
                () = tokio::time::sleep_until(wake.into()) => {}
            }
        }
    }

    fn is_control(&self, stray: &Stray) -> bool {
        stray.reason == Reject::WrongId
            && stray.from.is_some_and(|from| self.plan.controls.contains(&from))
    }
}

fn write_warnings(plan: &Plan, now: Time, stdout_writer: &LineWriter) {
    for warning in plan.warnings(now) {
        stdout_writer.write(format!("note: {warning}"));
    }
}

/// 64 random bits of the system: the standard library gives each hasher keys of its own.
fn random_bits() -> u64 {
    RandomState::new().hash_one(0)
}
