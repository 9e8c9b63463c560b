//! The command line: arguments, and exit codes of sysexits.h.

mod status;
mod stderr;
mod store;

use crate::{
    config::Plan,
    daemon::{self, Failure},
    demo, exit,
    export::listener::Listen,
};
use clap::{Args, CommandFactory, Parser, Subcommand};
use lifesign_core::{
    outcome::Event,
    time::Time,
    watch::{EventRecord, Settings, Watch},
};
use lifesign_document::Problems;
use lifesign_journal::{Reader, begun, verdict};
use lifesign_lab::Scenario;
use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal, Seek, Write},
    path::{Path, PathBuf},
};
use stderr::print_error;

/// Watches whether known hosts in small national networks are reachable, and tells a network that
/// flaps from one that is gone. Without a command it does `run`.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Probe the hosts of a plan, judge, and serve metrics (the default)
    Run(RunArgs),
    /// Judge a recorded journal again, with the plan it was recorded with
    Replay(ReplayArgs),
    /// Simulate a scenario, and compare the verdicts with the truth
    Simulate(SimulateArgs),
    /// Serve the page and the metrics of a simulated December 2014, played fast; sends no probe
    Demo(DemoArgs),
    /// Read a plan: print its summary, or every error in it
    Check(CheckArgs),
    /// Show what a running lifesign says
    Status(status::StatusArgs),
    /// List episodes (outages, flapping and the like) from the store
    Episodes(store::EpisodesArgs),
    /// Write a report on a country as one page of HTML, from the store
    Report(store::ReportArgs),
}

#[derive(Args, Debug)]
struct RunArgs {
    /// The plan: what to watch. SIGHUP and POST /-/reload read it again
    #[arg(long, value_name = "FILE", default_value = "targets.toml")]
    config: PathBuf,
    /// Where to serve metrics and the page: ADDRESS:PORT, localhost:PORT, :PORT for every address,
    /// or unix:/PATH; may be given several times (default: the sockets that systemd passes, or else
    /// 127.0.0.1:17545)
    #[arg(long, value_name = "WHERE")]
    listen: Vec<Listen>,
    /// TLS and passwords for these addresses: a web configuration file as Prometheus' exporters
    /// have it. Read again when it changes
    #[arg(long = "web.config.file", value_name = "FILE")]
    web: Option<PathBuf>,
    /// Append every outcome to this journal, as JSON Lines
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Keep episodes, measurements and what was learned in this directory, and continue from them
    /// after a restart (default: $STATE_DIRECTORY, as systemd sets it)
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct ReplayArgs {
    /// The journal
    file: PathBuf,
    /// The plan that it was recorded with; if that changed meanwhile, give each plan, in order
    #[arg(long, value_name = "FILE", default_value = "targets.toml")]
    config: Vec<PathBuf>,
    /// Print changes of verdict as JSON Lines
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct SimulateArgs {
    /// The scenario
    file: PathBuf,
    /// Use this seed of the random numbers instead of the scenario's
    #[arg(long)]
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
}

#[derive(Args, Debug)]
struct DemoArgs {
    /// Play X times as fast as real time; at 1440 its three days take three minutes
    #[arg(long, value_name = "X", default_value_t = 1440.0, value_parser = speed)]
    speed: f64,
    /// Where to serve metrics and the page, as in `run`; may be given several times
    #[arg(long, value_name = "WHERE", default_value = "127.0.0.1:17545")]
    listen: Vec<Listen>,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed| (1.0..=1e6).contains(speed));
    speed.ok_or_else(|| "a speed is a number from 1 to 1000000".into())
}

#[derive(Args, Debug)]
struct CheckArgs {
    /// The plan
    #[arg(default_value = "targets.toml")]
    file: PathBuf,
}

/// The command line's definition, from which the manual and the completions are made.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the command that the arguments name; returns the exit code.
pub fn main() -> u8 {
    stderr::open();
    let code = command_line();
    stderr::end();
    code
}

fn command_line() -> u8 {
    let filter = tracing_subscriber::EnvFilter::try_from_env("LIFESIGN_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("lifesign=info,error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_writer(|| stderr::Log)
        .with_ansi(io::stderr().is_terminal())
        .init();
    let cli = Cli::parse();
    match cli.command.unwrap_or(Command::Run(cli.run)) {
        Command::Run(args) => with_plan(&args.config.clone(), |plan| run(args, plan)),
        Command::Replay(args) => {
            match args.config.iter().map(|path| Plan::load(path)).collect::<Result<Vec<_>, _>>() {
                Ok(plans) => replay(&args, &plans),
                Err(problems) => refuse(&problems),
            }
        }
        Command::Simulate(args) => simulate(&args),
        Command::Status(args) => status::status(&args),
        Command::Episodes(args) => store::episodes(args),
        Command::Report(args) => store::report(args),
        Command::Demo(DemoArgs { speed, listen }) => {
            exit_code(demo::run(&demo::Options { speed, listen }))
        }
        Command::Check(args) => with_plan(&args.file, |plan| {
            print_line(&plan.to_string());
            for warning in plan.warnings() {
                print_line(&format!("note: {warning}"));
            }
            exit::OK
        }),
    }
}

fn with_plan(path: &Path, then: impl FnOnce(Plan) -> u8) -> u8 {
    match Plan::load(path) {
        Ok(plan) => then(plan),
        Err(problems) => refuse(&problems),
    }
}

fn refuse(problems: &Problems) -> u8 {
    print_error(problems.to_string());
    exit::CONFIG
}

fn run(args: RunArgs, plan: Plan) -> u8 {
    let RunArgs { config, listen, web, record, state_dir } = args;
    exit_code(daemon::run(daemon::Options { plan, config, listen, web, record, state_dir }))
}

/// Prints the failure, if there is one; returns its exit code.
fn exit_code(result: Result<(), Failure>) -> u8 {
    let Err(failure) = result else { return exit::OK };
    let who = if matches!(failure, Failure::Web(_)) { "" } else { "lifesign: " };
    print_error(format!("{who}{failure}"));
    match &failure {
        _ if failure.is_denied() => exit::PERMISSION,
        Failure::Web(_) => exit::CONFIG,
        Failure::Listen(_) | Failure::StateDirectoryInUse(_) => exit::UNAVAILABLE,
        Failure::Journal { .. } => exit::CANNOT_CREATE,
        Failure::Ended(_) | Failure::System(_) => exit::SOFTWARE,
    }
}

/// Judges a journal again. Where the run took a new plan, the next of the plans is taken. A line
/// that cannot be read is reported and skipped; it is an error if there are no others.
fn replay(args: &ReplayArgs, plans: &[Plan]) -> u8 {
    let name = args.file.display();
    let readers: Vec<_> =
        plans.iter().map(|plan| Reader::new(&plan.roster, &plan.controls)).collect();
    let opened = File::open(&args.file).and_then(|mut file| {
        let controls = has_control_outcomes(&file, &readers)?;
        file.rewind()?;
        Ok((file, controls))
    });
    let (file, with_controls) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            print_error(format!("{name}: cannot read the journal: {error}"));
            return exit::DATA;
        }
    };
    let settings = |plan: &Plan| {
        let controls = if with_controls { plan.controls.clone() } else { Vec::new() };
        Settings { budget: Some(plan.budget), rules: plan.rules, controls, seed: 0 }
    };
    let mut plans = plans.iter().zip(&readers);
    let Some((mut plan, mut reader)) = plans.next() else { return exit::CONFIG };
    let mut watch: Option<Watch> = None;
    let mut skipped = SkippedLines::default();
    let mut jumps = BackwardJumps::default();
    for (number, line) in BufReader::new(file).split(b'\n').enumerate() {
        let number = number + 1;
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                print_error(format!("{name}:{number}: cannot read on: {error}"));
                return exit::DATA;
            }
        };
        let record = std::str::from_utf8(&line)
            .map_err(|_| "the line is not UTF-8".to_owned())
            .and_then(|text| reader.read(text));
        let record = match record {
            Ok(record) => record,
            Err(problem) => {
                skipped.report(&format!("{name}:{number}"), problem);
                continue;
            }
        };
        let watch = watch.get_or_insert_with(|| {
            Watch::new(plan.roster.clone(), &settings(plan), begun(&record))
        });
        jumps.note(number, record.seen);
        watch.replay(&record);
        if record.event == Event::Replan
            && let Some(next) = plans.next()
        {
            (plan, reader) = next;
            watch.replan(plan.roster.clone(), &settings(plan), record.seen);
        }
        while let Some(change) = watch.poll_change() {
            let format = if args.json { verdict::json } else { verdict::text };
            print_line(&format(&change, &plan.roster, 0));
        }
    }
    if let 1.. = skipped.repeated {
        print_error(format!(
            "{name}: {} more lines are skipped for the same reasons",
            skipped.repeated
        ));
    }
    if let Some(first) = jumps.first {
        let more = match jumps.count {
            1 => String::new(),
            count => format!(", the first of {count} such lines"),
        };
        print_error(format!(
            "{name}:{first}: the time goes back here{more}; \
             all were judged in the order of the file, so sort it by \"seen\""
        ));
    }
    if watch.is_none() && !skipped.problems.is_empty() { exit::DATA } else { exit::OK }
}

/// Lines that could not be read. Each problem is reported once, at its first line.
#[derive(Default)]
struct SkippedLines {
    problems: HashSet<String>,
    repeated: usize,
}

impl SkippedLines {
    fn report(&mut self, position: &str, problem: String) {
        if self.problems.contains(&problem) {
            self.repeated += 1;
        } else {
            print_error(format!("{position}: {problem}; the line is skipped"));
            self.problems.insert(problem);
        }
    }
}

/// Lines that were seen before the one above them.
#[derive(Default)]
struct BackwardJumps {
    last: Time,
    first: Option<usize>,
    count: usize,
}

impl BackwardJumps {
    fn note(&mut self, number: usize, seen: Time) {
        if seen < self.last {
            self.first.get_or_insert(number);
            self.count += 1;
        }
        self.last = seen;
    }
}

/// Whether the run that wrote this journal asked its controls: one without the permission runs
/// without them. Usually the answer is in the journal's first second.
fn has_control_outcomes(file: &File, readers: &[Reader]) -> io::Result<bool> {
    for line in BufReader::new(file).split(b'\n') {
        let line = line?;
        let Ok(line) = std::str::from_utf8(&line) else { continue };
        let of_control = |record: EventRecord| matches!(record.event, Event::Control(_));
        if readers.iter().any(|reader| reader.read(line).is_ok_and(of_control)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn simulate(args: &SimulateArgs) -> u8 {
    let scenario = match Scenario::load(&args.file) {
        Ok(scenario) => scenario,
        Err(problems) => return refuse(&problems),
    };
    let options = lifesign_lab::Options {
        seed: args.seed,
        json: args.json,
        truth: args.truth,
        speed: args.speed,
        colour: io::stdout().is_terminal(),
    };
    let mut out = io::stdout().lock();
    let mut pause = std::thread::sleep;
    // Progress is shown on a terminal only.
    let mut progress: Box<dyn Write> =
        if io::stderr().is_terminal() { Box::new(io::stderr()) } else { Box::new(io::sink()) };
    match lifesign_lab::simulate(&scenario, options, &mut out, &mut progress, &mut pause) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            print_error(format!("lifesign: cannot write: {error}"));
            exit::SOFTWARE
        }
        Ok(expectations) if expectations.iter().any(|expectation| !expectation.is_met) => {
            exit::NOT_AS_EXPECTED
        }
        _ => exit::OK,
    }
}

/// A line on standard output. A reader that has gone away is no error of ours.
fn print_line(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
