//! `demo`: December 2014 before everybody's eyes. In: a speed, where to listen. Out: the page, the
//! metrics and the verdict lines of a scripted world, by the very core and the very server that
//! `run` has. It never sends a probe, and whatever it shows says that it is a simulation.

use crate::{
    clock::Clock,
    daemon::Failure,
    export::{Labels, http},
};
use lifesign_core::watch::verdict;
use lifesign_lab::{Scenario, Simulation};
use lifesign_web_config::WebConfig;
use std::{
    io::{self, Write},
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
};

/// The story that the verdicts are tested with.
const STORY: &str = include_str!("../tests/data/scenarios/december-2014.toml");
/// Readers get a new picture so often.
const FRAME: Duration = Duration::from_millis(500);

/// How to play it.
#[derive(Clone, Debug)]
pub struct Options {
    /// So many times as fast as real time.
    pub speed: f64,
    /// Where readers find us.
    pub listen: Vec<SocketAddr>,
}

/// Plays it until SIGINT or SIGTERM. At its end the last picture stays.
pub fn run(options: &Options) -> Result<(), Failure> {
    let scenario = Scenario::parse("december-2014.toml", STORY)
        .map_err(|problems| io::Error::other(problems.to_string()))?;
    let bind =
        |&address| TcpListener::bind(address).map_err(|error| Failure::Listen { address, error });
    let listeners = options.listen.iter().map(bind).collect::<Result<Vec<_>, _>>()?;
    say(&format!("lifesign {} plays a simulation: {}", env!("CARGO_PKG_VERSION"), scenario.story));
    for listener in &listeners {
        let address = listener.local_addr()?;
        say(&format!("look at http://{address}/ (metrics: http://{address}/metrics)"));
    }
    let (snapshots, source) = watch::channel(None);
    let simulation = format!(
        "{} Played {} times as fast as it happened; nothing is sent.",
        scenario.story, options.speed
    );
    let labels =
        Labels { vantage: "a simulation".into(), per_host: true, simulation: Some(simulation) };
    let (_labels, labelled) = watch::channel(labels);
    // There is no plan to read again.
    let (asker, _) = mpsc::channel(1);
    let http = http::serve(listeners, source, labelled, asker, WebConfig::unprotected())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(play(&scenario, options.speed, snapshots))?;
    let _ = http.join();
    Ok(())
}

async fn play(
    scenario: &Scenario,
    speed: f64,
    snapshots: watch::Sender<Option<Arc<lifesign_core::watch::Snapshot>>>,
) -> io::Result<()> {
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut simulation =
        Simulation::new(scenario, scenario.seed, &scenario.settings(scenario.seed));
    let clock = Clock::start();
    let begun = clock.now();
    loop {
        let played = clock.now().since(begun).as_secs_f64() * speed;
        let played = Duration::try_from_secs_f64(played).unwrap_or(Duration::MAX);
        let over = simulation.now() >= scenario.end();
        simulation.run_until(scenario.start + played, &mut |change| {
            say(&verdict::text(change, &scenario.roster, 0));
        });
        snapshots.send_replace(Some(Arc::new(simulation.watch().snapshot(simulation.now(), 0, 0))));
        if !over && simulation.now() >= scenario.end() {
            say("the story is over; its last picture stays until Ctrl-C");
        }
        tokio::select! {
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            () = tokio::time::sleep(FRAME) => {}
        }
    }
}

/// A line on standard output. The page goes on when nobody reads them.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
