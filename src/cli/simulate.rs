//! The command `simulate`: verdicts in a scripted world, beside its truth.

use super::{exit, has_colour, input::read, refusal::Refusal, speed};
use crate::line_writer::print_line;
use clap::Args;
use lifesign_core::{judge::Change, scopes::Remarks};
use lifesign_lab::{Scenario, Simulation};
use lifesign_store::PlayedStore;
use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
};

#[derive(Args, Debug)]
pub(super) struct SimulateArgs {
    /// The scenario; - is standard input
    file: PathBuf,
    /// Use this seed of the random numbers instead of the scenario's
    #[arg(long, value_parser = |text: &str| text.parse::<u64>().map_err(|_| "a seed is a whole number"))]
    seed: Option<u64>,
    /// Print changes of verdict as JSON Lines
    #[arg(long)]
    json: bool,
    /// Print every real change of state too
    #[arg(long)]
    truth: bool,
    /// Play X times as fast as real time (default: as fast as possible)
    #[arg(long, value_name = "X", value_parser = speed)]
    speed: Option<f64>,
    /// Keep what happens in this directory, which has no store yet, for episodes and report
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

/// Plays a scenario; returns the exit code.
pub(super) fn simulate(args: &SimulateArgs) -> Result<u8, Refusal> {
    let scenario = read(&args.file, lifesign_lab::MAX_MEBIBYTES, Scenario::load, Scenario::parse);
    let scenario = scenario.map_err(|why| Refusal::of_plan(&why))?;
    let options = lifesign_lab::Options {
        json: args.json,
        truth: args.truth,
        speed: args.speed,
        colour: has_colour(&io::stdout()),
    };
    let store = args.state_dir.as_deref().map(|directory| {
        let (roster, start) = (&scenario.roster, scenario.start);
        PlayedStore::create(directory, "a simulation", roster, Remarks::on(roster, None), start)
    });
    let mut store = store.transpose()?;
    let mut keep = |simulation: &Simulation, changes: &[Change]| {
        let Some(store) = &mut store else { return Ok(()) };
        store.keep_places(simulation.found(), simulation.watch().roster());
        let kept = store.handle_changes(changes, simulation.watch(), simulation.now());
        kept.map_err(io::Error::other)
    };
    let seed = args.seed.unwrap_or(scenario.seed);
    let mut simulation = Simulation::new(&scenario, seed, &scenario.settings(seed));
    let mut out = io::stdout().lock();
    let mut pause = std::thread::sleep;
    // Progress is shown on a terminal only.
    let mut progress: Box<dyn Write> =
        if io::stderr().is_terminal() { Box::new(io::stderr()) } else { Box::new(io::sink()) };
    let played = lifesign_lab::simulate(
        &scenario,
        &mut simulation,
        options,
        &mut out,
        &mut progress,
        &mut pause,
        &mut keep,
    );
    drop(out);
    if let Some(store) = store {
        let hint = store.hint();
        store.finish(simulation.watch(), simulation.now())?;
        if !args.json {
            print_line(&format!("\n{hint}"));
        }
    }
    match played {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Refusal::cannot_create(format!("cannot write: {error}")))
        }
        Ok(expectations) if expectations.iter().any(|expectation| !expectation.is_met) => {
            Ok(exit::NOT_AS_EXPECTED)
        }
        _ => Ok(exit::OK),
    }
}
