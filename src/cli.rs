//! The command line. In: arguments. Out: an exit code (sysexits), and one clear line for each thing
//! that is wrong. It never decides how anything is done.

mod past;
mod status;

use crate::{
    config::Plan,
    daemon::{self, Failure},
    demo,
};
use clap::{Args, CommandFactory, Parser, Subcommand};
use lifesign_core::{
    journal,
    outcome::Event,
    watch::{EventRecord, Settings, Watch, verdict},
};
use lifesign_document::Problems;
use lifesign_lab::{self, Scenario};
use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal, Seek, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Exit codes, from sysexits.h.
pub mod exit {
    /// All went well.
    pub const OK: u8 = 0;
    /// An input file is missing or wrong.
    pub const DATA: u8 = 65;
    /// Something that we need is taken: a port, the state directory.
    pub const UNAVAILABLE: u8 = 69;
    /// A bug of ours, or of the system.
    pub const SOFTWARE: u8 = 70;
    /// An output file cannot be written.
    pub const CANNOT_CREATE: u8 = 73;
    /// No permission.
    pub const PERMISSION: u8 = 77;
    /// The plan is wrong.
    pub const CONFIG: u8 = 78;
}

/// Watches whether known hosts in small national networks are reachable, and tells a network that
/// flaps from one that is gone. Without a command it does `run`.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Probe the hosts of a plan, judge, and serve metrics (the default)
    Run(Run),
    /// Judge a recorded journal again, with the plan it was recorded with
    Replay(Replay),
    /// Play a scripted world that knows the truth, and compare the verdicts with it
    Simulate(Simulate),
    /// Show the page and the metrics of December 2014, played fast; sends nothing
    Demo(Demo),
    /// Read a plan: print its summary, or every error in it
    Check(Check),
    /// Show what a running lifesign says
    Status(status::Status),
    /// List what happened: outages, flapping and the like, from the store
    Episodes(past::Episodes),
    /// Write what happened to a country as one page of HTML, to read, print or send on
    Report(past::Report),
}

#[derive(Args, Debug)]
struct Run {
    /// The plan: what to watch. SIGHUP and POST /-/reload read it again
    #[arg(long, value_name = "FILE", default_value = "targets.toml")]
    config: PathBuf,
    /// Where to serve metrics and the page; may be given several times
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:17545")]
    listen: Vec<SocketAddr>,
    /// TLS and passwords for these: a web configuration file as Prometheus' exporters have it. Read
    /// again on change
    #[arg(long = "web.config.file", value_name = "FILE")]
    web: Option<PathBuf>,
    /// Append every outcome to this journal, as JSON Lines
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Keep episodes, and what was learned, in this directory, and go on from there (default:
    /// $STATE_DIRECTORY, as systemd sets it)
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct Replay {
    /// The journal
    file: PathBuf,
    /// The plan that it was recorded with; if the plan was changed meanwhile, give each in its turn
    #[arg(long, value_name = "FILE", default_value = "targets.toml")]
    config: Vec<PathBuf>,
    /// Print changes of verdict as JSON Lines
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct Simulate {
    /// The scenario
    file: PathBuf,
    /// Another seed than the file's: the same story with other chances
    #[arg(long)]
    seed: Option<u64>,
    /// Print changes of verdict as JSON Lines
    #[arg(long)]
    json: bool,
    /// Tell the truth too: every real change of state
    #[arg(long)]
    truth: bool,
    /// Play so many times as fast as real time (default: as fast as it goes)
    #[arg(long, value_name = "X")]
    speed: Option<f64>,
}

#[derive(Args, Debug)]
struct Demo {
    /// So many times as fast as real time; its three days take three minutes
    #[arg(long, value_name = "X", default_value_t = 1440.0, value_parser = speed)]
    speed: f64,
    /// Where to serve metrics and the page; may be given several times
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:17545")]
    listen: Vec<SocketAddr>,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed| (1.0..=1e6).contains(speed));
    speed.ok_or_else(|| "a speed is a number from 1 to 1000000".into())
}

#[derive(Args, Debug)]
struct Check {
    /// The plan
    #[arg(default_value = "targets.toml")]
    file: PathBuf,
}

/// The command line itself, from which its manual and completions are made.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Does what the arguments say; the exit code.
pub fn main() -> u8 {
    let filter = tracing_subscriber::EnvFilter::try_from_env("LIFESIGN_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("lifesign=info,error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    let cli = Cli::parse();
    match cli.command.unwrap_or(Command::Run(cli.run)) {
        Command::Run(run) => with_plan(&run.config.clone(), |plan| watch(run, plan)),
        Command::Replay(replay) => {
            match replay.config.iter().map(|path| Plan::load(path)).collect::<Result<Vec<_>, _>>() {
                Ok(plans) => again(&replay, &plans),
                Err(problems) => refuse(&problems),
            }
        }
        Command::Simulate(simulate) => play(&simulate),
        Command::Status(asked) => status::status(&asked),
        Command::Episodes(episodes) => past::episodes(episodes),
        Command::Report(report) => past::report(report),
        Command::Demo(Demo { speed, listen }) => code(demo::run(&demo::Options { speed, listen })),
        Command::Check(check) => with_plan(&check.file, |plan| {
            say(&format!("{plan}"));
            for warning in plan.warnings() {
                say(&format!("note: {warning}"));
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
    eprintln!("{problems}");
    exit::CONFIG
}

fn watch(run: Run, plan: Plan) -> u8 {
    let Run { config, listen, web, record, state_dir: state } = run;
    code(daemon::run(daemon::Options { plan, config, listen, web, record, state }))
}

/// How a run ended.
fn code(end: Result<(), Failure>) -> u8 {
    let Err(failure) = end else { return exit::OK };
    match &failure {
        Failure::Web(problems) => eprintln!("{problems}"),
        other => eprintln!("lifesign: {other}"),
    }
    match &failure {
        Failure::Listen { error, .. } | Failure::Journal { error, .. } | Failure::System(error)
            if error.kind() == io::ErrorKind::PermissionDenied =>
        {
            exit::PERMISSION
        }
        Failure::Web(_) => exit::CONFIG,
        Failure::Listen { .. } | Failure::Taken(_) => exit::UNAVAILABLE,
        Failure::Journal { .. } => exit::CANNOT_CREATE,
        Failure::System(_) => exit::SOFTWARE,
    }
}

/// Folds a journal again. A line that cannot be read is reported and skipped; a journal of nothing
/// else is no journal of this plan. Where the run went on with a new plan, so does this, if there
/// is another.
fn again(replay: &Replay, plans: &[Plan]) -> u8 {
    let name = replay.file.display();
    let readers: Vec<_> =
        plans.iter().map(|plan| journal::Reader::new(&plan.roster, &plan.controls)).collect();
    let opened = File::open(&replay.file).and_then(|mut file| {
        let controls = heard_controls(&file, &readers)?;
        file.rewind()?;
        Ok((file, controls))
    });
    let (file, with_controls) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            eprintln!("{name}: cannot read the journal: {error}");
            return exit::DATA;
        }
    };
    let settings = |plan: &Plan| {
        let controls = if with_controls { plan.controls.clone() } else { Vec::new() };
        Settings { budget: Some(plan.budget), rules: plan.rules, controls, seed: 0 }
    };
    let mut pages = plans.iter().zip(&readers);
    let Some((mut plan, mut reader)) = pages.next() else { return exit::CONFIG };
    let mut watch: Option<Watch> = None;
    let mut skipped = Skipped::default();
    for (number, line) in BufReader::new(file).split(b'\n').enumerate() {
        let number = number + 1;
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                eprintln!("{name}:{number}: cannot read on: {error}");
                return exit::DATA;
            }
        };
        let record = std::str::from_utf8(&line)
            .map_err(|_| "the line is not UTF-8".to_owned())
            .and_then(|text| reader.read(text));
        let record = match record {
            Ok(record) => record,
            Err(problem) => {
                skipped.note(&format!("{name}:{number}"), problem);
                continue;
            }
        };
        let watch = watch.get_or_insert_with(|| {
            Watch::new(plan.roster.clone(), &settings(plan), journal::begun(&record))
        });
        watch.replay(&record);
        if record.event == Event::Replan
            && let Some(next) = pages.next()
        {
            (plan, reader) = next;
            watch.replan(plan.roster.clone(), &settings(plan), record.seen);
        }
        while let Some(change) = watch.poll_change() {
            let write = if replay.json { verdict::json } else { verdict::text };
            say(&write(&change, &plan.roster, 0));
        }
    }
    if let 1.. = skipped.again {
        eprintln!("{name}: {} more lines are skipped for the same reasons", skipped.again);
    }
    if watch.is_none() && !skipped.told.is_empty() { exit::DATA } else { exit::OK }
}

/// Lines that could not be read: each reason is told once, at the first such line.
#[derive(Default)]
struct Skipped {
    told: HashSet<String>,
    again: usize,
}

impl Skipped {
    fn note(&mut self, place: &str, problem: String) {
        if self.told.contains(&problem) {
            self.again += 1;
        } else {
            eprintln!("{place}: {problem}; the line is skipped");
            self.told.insert(problem);
        }
    }
}

/// Were controls asked at all, when this journal was written? A run that may not ask them goes on
/// without. Usually the first second tells.
fn heard_controls(file: &File, readers: &[journal::Reader]) -> io::Result<bool> {
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

fn play(simulate: &Simulate) -> u8 {
    let scenario = match Scenario::load(&simulate.file) {
        Ok(scenario) => scenario,
        Err(problems) => return refuse(&problems),
    };
    let options = lifesign_lab::Options {
        seed: simulate.seed,
        json: simulate.json,
        truth: simulate.truth,
        speed: simulate.speed,
        colour: io::stdout().is_terminal(),
    };
    let (mut out, mut pause) = (io::stdout().lock(), std::thread::sleep);
    // Progress is for a person who waits; a file or a pipe gets none.
    let mut progress: Box<dyn Write> =
        if io::stderr().is_terminal() { Box::new(io::stderr()) } else { Box::new(io::sink()) };
    match lifesign_lab::simulate(&scenario, options, &mut out, &mut progress, &mut pause) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("lifesign: cannot write: {error}");
            exit::SOFTWARE
        }
        _ => exit::OK,
    }
}

/// A line on standard output. A reader that has gone away is no error of ours.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
