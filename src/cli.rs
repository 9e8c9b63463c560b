//! The command line: arguments, and exit codes of sysexits.h.

mod check;
mod compare;
mod complete;
mod episodes;
mod events;
#[cfg(feature = "parquet")]
mod export;
mod import;
mod in_time;
mod input;
mod journal;
mod open_store;
mod output;
mod plan;
mod progress;
mod refusal;
mod replay;
mod report;
mod run;
mod simulate;
mod status;
mod stderr;

use crate::{
    config::Plan,
    demo, exit,
    line_writer::{end_stdout, print},
};
use clap::{Args, CommandFactory, Parser, Subcommand};
use lifesign_document::words_of;
use lifesign_export::{listener::Listen, origin::Origin};
use refusal::Refusal;
use std::{
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};
use stderr::print_error;

/// Watches whether known hosts in small national networks can be reached, and tells a network that
/// flaps from one that is gone. Without a command it does `run`.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::RunArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Probe the hosts of a plan, judge, and serve metrics (the default)
    Run(run::RunArgs),
    /// Judge a recorded journal again, with the plan it was recorded with
    Replay(replay::ReplayArgs),
    /// Turn what another prober recorded into a journal, and a plan that fits it
    Import(import::ImportArgs),
    /// Simulate a scenario, and compare the verdicts with the truth
    Simulate(simulate::SimulateArgs),
    /// Serve the page and the metrics of a simulated December 2014, played fast; sends no probe
    Demo(DemoArgs),
    /// Make a plan from what people have (registries, scans, zones), or review one by what its run
    /// has learned; sends no probe
    Plan(plan::PlanArgs),
    /// Read a plan: print its summary, or the first 20 errors in it, each with its place, and how
    /// many more there are
    Check(check::CheckArgs),
    /// Show what a running lifesign says
    Status(status::StatusArgs),
    /// List incidents from the store, phase by phase; with --all, every episode
    Episodes(episodes::EpisodesArgs),
    /// Write a report on a country as one page of HTML, from the store
    Report(report::ReportArgs),
    /// Compare what others said of a country with what a store or a journal says
    ///
    /// A difference is 0 if theirs lies within the interval in which ours began or ended; else it
    /// is how far theirs lies outside.
    Compare(compare::CompareArgs),
    /// Write journals and the store's episodes as files for other programs
    #[cfg(feature = "parquet")]
    Export(export::ExportArgs),
}

#[derive(Args, Debug)]
struct DemoArgs {
    /// Play X times as fast as real time; at 1440 its three days take three minutes
    #[arg(long, value_name = "X", default_value_t = 1440.0, value_parser = speed)]
    speed: f64,
    /// Where to serve metrics and the page, as in `run`; may be given several times
    #[arg(long, value_name = "WHERE", default_value = "127.0.0.1:17545")]
    listen: Vec<Listen>,
    /// Pages of this origin may show the page in a frame, as in `run`; may be given several times
    #[arg(long, value_name = "ORIGIN")]
    embed: Vec<Origin>,
    /// Keep what happens in this directory, which has no store yet, for episodes and report
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed| (1.0..=1e6).contains(speed));
    speed.ok_or_else(|| "a speed is a number from 1 to 1000000".into())
}

/// The command line's definition, from which the manual and the completions are made.
pub fn command() -> clap::Command {
    Cli::command()
}

pub use complete::script;

/// Runs the command that the arguments name; returns the exit code.
pub fn main() -> u8 {
    // First, while there is one thread: it changes the environment.
    complete::answer_a_shell();
    stderr::open();
    let mut code = command_line();
    // Who was refused something knows that not all was written.
    if let (Err(error), ..exit::DATA) = (end_stdout(), code) {
        print_error(&format!("lifesign: cannot write to standard output: {}", words_of(error)));
        code = exit::CANNOT_CREATE;
    }
    stderr::end();
    code
}

fn command_line() -> u8 {
    stderr::open_log();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => error.exit(),
        Err(help) => {
            let help = help.render();
            let has_colour = has_colour(&io::stdout());
            print(&if has_colour { help.ansi().to_string() } else { help.to_string() });
            return exit::OK;
        }
    };
    let done = match cli.command.unwrap_or(Command::Run(cli.run)) {
        Command::Run(args) => run::run(args),
        Command::Replay(args) => replay::replay(args),
        Command::Plan(args) => plan::plan(args),
        Command::Import(args) => import::import(&args),
        Command::Simulate(args) => return simulate::simulate(&args).unwrap_or_else(Refusal::tell),
        Command::Status(args) => return status::status(&args),
        Command::Episodes(args) => episodes::episodes(args),
        Command::Compare(args) => compare::compare(args),
        Command::Report(args) => report::report(args),
        #[cfg(feature = "parquet")]
        Command::Export(args) => export::export(args),
        Command::Demo(DemoArgs { speed, listen, embed, state_dir }) => {
            demo::run(&demo::Options { speed, listen, embed, state_dir }).map_err(Refusal::from)
        }
        Command::Check(args) => check::check(args),
    };
    done.map_or_else(Refusal::tell, |()| exit::OK)
}

/// The plan of who names none: the one here, else the installed one.
const DEFAULT_PLANS: [&str; 2] = ["targets.toml", "/etc/lifesign/targets.toml"];

/// The first of these that is there, or of which that cannot be known.
fn first_there(paths: &[&str]) -> Option<PathBuf> {
    let found = paths.iter().map(Path::new).find(|path| path.try_exists().unwrap_or(true));
    found.map(Path::to_owned)
}

/// The plan of who names none, if there is one.
fn default_plan_path() -> Option<PathBuf> {
    first_there(&DEFAULT_PLANS)
}

/// The plan of who names none.
fn default_plan() -> Result<PathBuf, Refusal> {
    default_plan_path().ok_or_else(|| {
        let [here, installed] = DEFAULT_PLANS;
        Refusal::of_us(format!(
            "no plan: there is neither {here} here nor {installed}; name yours by --config FILE \
             (for check: FILE alone), write one (docs/plan.md), or see without one what it does: \
             lifesign demo"
        ), exit::CONFIG)
    })
}

/// The plans that a journal was recorded with, in order.
fn load_plans(paths: &[PathBuf]) -> Result<Vec<Plan>, Refusal> {
    let plans = paths.iter().map(|path| Plan::load(path)).collect::<Result<_, _>>();
    plans.map_err(|why| Refusal::of_plan(&why))
}

/// May what is written there have colours? Only on a terminal, and not where the user has none of
/// them (https://no-color.org).
fn has_colour(output: &impl IsTerminal) -> bool {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    output.is_terminal() && !no_colour
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_here_comes_before_the_installed_one() {
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/targets.toml");
        let installed = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/targets/kp.toml");
        assert_eq!(first_there(&[here, installed]), Some(here.into()));
        assert_eq!(first_there(&["nowhere.toml", installed]), Some(installed.into()));
        assert_eq!(first_there(&["nowhere.toml", "/nowhere/targets.toml"]), None);
    }
}
