//! The command `demo`: a simulated December 2014, shown by the core and the server of `run`. It
//! sends no probe, and everything it shows says that it is a simulation.

use crate::{
    daemon::{Failure, handle_signals},
    line_writer::print_line,
};
use lifesign_clock::Clock;
use lifesign_core::{
    judge::Change,
    scopes::{Remarks, Scope},
    watch::{Settings, Snapshot, Watch},
};
use lifesign_export::{
    ExportSettings, Sources, http,
    listener::{self, Listen},
    metric_sets::MetricSet,
    origin::Origin,
    target_queries::{TargetAsker, TargetQueries},
};
use lifesign_journal::verdict;
use lifesign_lab::{Scenario, Simulation};
use lifesign_store::{DirectoryError, PlayedStore, TemporaryDirectory};
use lifesign_web_config::WebConfig;
use std::{io, path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::{
    mpsc,
    oneshot::{self, error::TryRecvError},
    watch,
};

/// A scenario that the verdicts and the places are tested with.
const SCENARIO: &str = include_str!("../tests/data/scenarios/december-2014-path.toml");
/// Where it is watched from.
const VANTAGE: &str = "a simulation";
/// How often readers get a new snapshot.
const SNAPSHOT_INTERVAL: Duration = Duration::from_millis(500);
/// How much is played before it is seen that it should end: a slow machine may take long for what
/// is due.
const STEP: Duration = Duration::from_secs(600);

/// The options of `demo`.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many times as fast as real time.
    pub speed: f64,
    /// Where to serve the page and the metrics.
    pub listen: Vec<Listen>,
    /// Whose pages may show the page in frames.
    pub embed: Vec<Origin>,
    /// Where to keep what happens; None to keep it only as long as it is shown.
    pub state_dir: Option<PathBuf>,
}

/// Plays the scenario, and serves its last snapshot after its end, until SIGINT or SIGTERM.
pub fn run(options: &Options) -> Result<(), Failure> {
    let end = handle_signals()?;
    let scenario = Scenario::parse("december-2014-path.toml", SCENARIO)
        .map_err(|problems| io::Error::other(problems.to_string()))?;
    let listeners = listener::open(&options.listen)?;
    let temporary = match options.state_dir {
        Some(_) => None,
        None => Some(TemporaryDirectory::with_prefix("lifesign-")?),
    };
    let own = temporary.as_ref().map(|temporary| temporary.path().join("played"));
    let directory = options.state_dir.clone().or(own).unwrap_or_default();
    let (roster, start) = (&scenario.roster, scenario.start);
    let remarks = Remarks::on(roster, None);
    let store = PlayedStore::create(&directory, VANTAGE, roster, remarks, start)?;
    print_line(&format!(
        "lifesign {} plays a simulation: {}",
        env!("CARGO_PKG_VERSION"),
        scenario.story
    ));
    for listener in &listeners {
        print_line(&listener.invitation("http")?);
    }
    if options.state_dir.is_some() {
        print_line(&store.hint());
    }
    let (snapshots, snapshot) = watch::channel(None);
    let simulation = format!(
        "{} Played {} times as fast as it happened; nothing is sent.",
        scenario.story, options.speed
    );
    let settings = ExportSettings {
        vantage: VANTAGE.into(),
        contact: None,
        metrics: MetricSet::ALL.into(),
        simulation: Some(simulation),
    };
    let (_settings_sender, settings) = watch::channel(settings);
    // There is no plan to reload.
    let (reload_requests, _) = mpsc::channel(1);
    let store_file = Some(directory.join(lifesign_store::FILE_NAME));
    let (targets, target_queries) = TargetAsker::channel();
    let sources = Sources {
        snapshots: snapshot,
        targets,
        settings,
        store: store_file,
        embed: options.embed.clone(),
    };
    let http = http::serve(listeners, sources, reload_requests, WebConfig::unprotected())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let readers = Readers { snapshots, target_queries };
    let played = runtime.block_on(play(&scenario, options.speed, store, readers, end));
    let _ = http.join();
    played
}

/// Who looks at what is played.
struct Readers {
    snapshots: watch::Sender<Option<Arc<Snapshot>>>,
    target_queries: TargetQueries,
}

impl Readers {
    /// Answers what they ask about targets.
    async fn answer(&mut self, watch: &Watch) {
        while let Some(query) = self.target_queries.recv().await {
            query.answer(watch.roster(), |targets| watch.target_views(targets));
        }
    }
}

async fn play(
    scenario: &Scenario,
    speed: f64,
    store: PlayedStore,
    mut readers: Readers,
    mut end: oneshot::Receiver<()>,
) -> Result<(), Failure> {
    let settings = Settings { histograms: true, ..scenario.settings(scenario.seed) };
    let mut simulation = Simulation::new(scenario, scenario.seed, &settings);
    let clock = Clock::start();
    let began = clock.now();
    let mut store = Some(store);
    'played: loop {
        let played = clock.now().since(began).as_secs_f64() * speed;
        let played = Duration::try_from_secs_f64(played).unwrap_or(Duration::MAX);
        let over = simulation.now() >= scenario.end();
        let until = (scenario.start + played).min(scenario.end());
        while simulation.now() < until {
            let step = until.min(simulation.now() + STEP);
            simulation.run_by_minutes(step, |simulation, changes| {
                // An edge that is narrowed down is of interest once, and not of each block.
                let is_told = |change: &&Change| {
                    change.from != change.to || matches!(change.scope, Scope::Country(_))
                };
                for change in changes.iter().filter(is_told) {
                    print_line(&verdict::text(change, &scenario.roster, 0));
                }
                match &mut store {
                    Some(store) => {
                        store.keep_places(simulation.found(), &scenario.roster);
                        store.handle_changes(changes, simulation.watch(), simulation.now())
                    }
                    None => Ok(()),
                }
            })?;
            if end.try_recv() != Err(TryRecvError::Empty) {
                break 'played;
            }
        }
        let mut snapshot = simulation.watch().snapshot(simulation.now(), 0, 0);
        snapshot.paths = Arc::new(simulation.paths());
        readers.snapshots.send_replace(Some(Arc::new(snapshot)));
        if !over && simulation.now() >= scenario.end() {
            store.take().map_or(Ok(()), |store| finish(store, &simulation))?;
            print_line("the story is over; its last picture stays until Ctrl-C");
        }
        tokio::select! {
            _ = &mut end => break,
            () = readers.answer(simulation.watch()) => {}
            () = tokio::time::sleep(SNAPSHOT_INTERVAL) => {}
        }
    }
    Ok(store.map_or(Ok(()), |store| finish(store, &simulation))?)
}

fn finish(store: PlayedStore, simulation: &Simulation) -> Result<(), DirectoryError> {
    store.finish(simulation.watch(), simulation.now())
}
