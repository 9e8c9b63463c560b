//! The command `export`: journals and episodes as Parquet (docs/export.md).
//!
//! The parquet crate is heavy: without arrow it takes 80 s of processor time to compile for a
//! release, and 1.7 MB of the program. Who wants neither builds with `--no-default-features`.

use super::{
    default_plan, exit, refuse, replay::SkippedLines, standard_input, stderr::print_error,
    store::tell_broken,
};
use crate::{config::Plan, line_writer::print_line};
use clap::{ArgGroup, Args};
use lifesign_clock::Clock;
use lifesign_core::outcome::Event;
use lifesign_journal::Reader;
use lifesign_parquet::{ExportError, Written, episodes::Episodes, outcomes::Outcomes};
use lifesign_store::{FILE_NAME, StoreError, StoreReader};
use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("source").required(true).multiple(true))]
pub(super) struct ExportArgs {
    /// Journals whose outcomes are written, oldest first; - is standard input
    #[arg(value_name = "JOURNAL", group = "source")]
    journals: Vec<PathBuf>,
    /// Write Parquet files into this directory, where there is no export yet: one for each hour
    #[arg(long, value_name = "DIR", required = true)]
    parquet: PathBuf,
    /// The plan that the journals were recorded with (default: as for run); if that changed
    /// meanwhile, give each plan, in order
    #[arg(long, value_name = "FILE", requires = "journals")]
    config: Vec<PathBuf>,
    /// Write the episodes of the store in this state directory
    #[arg(long, value_name = "DIR", group = "source")]
    state_dir: Option<PathBuf>,
    /// Write the episodes of this store's file, such as a copy from another machine
    #[arg(long, value_name = "FILE", group = "source", conflicts_with = "state_dir")]
    db: Option<PathBuf>,
}

/// Why an export ended before its end: what is said, and the exit code.
struct Failure(String, u8);

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        Self(error.to_string(), exit::CANNOT_CREATE)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(format!("cannot read the store: {error}"), exit::DATA)
    }
}

/// Writes what was asked for; returns the exit code.
pub(super) fn export(mut args: ExportArgs) -> u8 {
    if !args.journals.is_empty() && args.config.is_empty() {
        match default_plan() {
            Ok(path) => args.config.push(path),
            Err(code) => return code,
        }
    }
    let plans = args.config.iter().map(|path| Plan::load(path)).collect::<Result<Vec<_>, _>>();
    let plans = match plans {
        Ok(plans) => plans,
        Err(problems) => return refuse(&problems),
    };
    let store = args.db.or_else(|| Some(args.state_dir?.join(FILE_NAME)));
    let written = || {
        // What cannot be had is told before the first row is written.
        let reader = store.as_deref().map(open_store).transpose()?;
        let has_outcomes = !plans.is_empty();
        let outcomes_table = has_outcomes.then(|| Outcomes::create(&args.parquet)).transpose()?;
        let episodes_table = match &reader {
            Some(reader) => {
                let now = Clock::start().now();
                let until = reader.observed_until(now).map_err(StoreError::from)?;
                Some((reader, Episodes::create(&args.parquet, until)?))
            }
            None => None,
        };
        if let Some(table) = outcomes_table {
            let written = outcomes(&args.journals, &plans, table)?;
            tell("outcomes", written, &args.parquet);
        }
        if let Some((reader, table)) = episodes_table {
            let written = episodes(reader, table)?;
            tell("episodes", written, &args.parquet);
        }
        Ok(())
    };
    match written() {
        Ok(()) => exit::OK,
        Err(Failure(why, code)) => {
            print_error(format!("lifesign: {why}"));
            code
        }
    }
}

fn tell(table: &str, Written { rows, files }: Written, directory: &Path) {
    let directory = directory.join(table);
    print_line(&format!("{rows} {table} in {files} files in {}", directory.display()));
}

/// Where a run took a new plan, the next of the plans is taken. A line that cannot be read is
/// reported and skipped; it is an error if there are no others.
fn outcomes(journals: &[PathBuf], plans: &[Plan], mut table: Outcomes) -> Result<Written, Failure> {
    let mut plans = plans.iter();
    let mut next_reader = |table: &mut Outcomes| {
        let plan = plans.next()?;
        table.replan(&plan.roster);
        Some(Reader::new(&plan.roster, &plan.controls))
    };
    let Some(mut reader) = next_reader(&mut table) else { return Ok(table.finish()?) };
    let mut are_all_skipped = true;
    let mut are_some_skipped = false;
    for path in journals {
        let is_stdin = standard_input(path);
        let name = if is_stdin { "<stdin>".into() } else { path.display().to_string() };
        let failed = |what| move |error| Failure(format!("{what}: {error}"), exit::DATA);
        let opened: Box<dyn BufRead> = if is_stdin {
            Box::new(io::stdin().lock())
        } else {
            let file = File::open(path).map_err(failed(format!("cannot read {name}")))?;
            Box::new(BufReader::new(file))
        };
        let mut skipped = SkippedLines::default();
        for (number, line) in (1..).zip(opened.split(b'\n')) {
            let line = line.map_err(failed(format!("{name}:{number}: cannot read on")))?;
            let read = std::str::from_utf8(&line)
                .map_err(|_| "the line is not UTF-8".to_owned())
                .and_then(|text| reader.read_line(text));
            match read {
                Ok((line, record)) => {
                    table.add(&line, &record)?;
                    are_all_skipped = false;
                    if record.event == Event::Replan
                        && let Some(next) = next_reader(&mut table)
                    {
                        reader = next;
                    }
                }
                Err(problem) => skipped.report(&format!("{name}:{number}"), problem),
            }
        }
        skipped.report_repeated(&name);
        are_some_skipped |= !skipped.is_empty();
    }
    let written = table.finish()?;
    if are_all_skipped && are_some_skipped {
        return Err(Failure("no line can be read".into(), exit::DATA));
    }
    Ok(written)
}

fn open_store(store: &Path) -> Result<StoreReader, Failure> {
    StoreReader::open(store).map_err(|error| {
        Failure(format!("cannot read the store {}: {error}", store.display()), exit::DATA)
    })
}

/// Every episode of the store.
fn episodes(reader: &StoreReader, mut table: Episodes) -> Result<Written, Failure> {
    let broken = reader.for_each_episode(|episode| Ok::<_, Failure>(table.add(episode)?))?;
    tell_broken(broken);
    Ok(table.finish()?)
}
