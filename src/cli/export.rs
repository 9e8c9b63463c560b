//! The command `export`: journals and episodes as Parquet (docs/export.md).
//!
//! The parquet crate is heavy: without arrow it takes 80 s of processor time to compile for a
//! release, and 1.7 MB of the program. Who wants neither builds with `--no-default-features`.

use super::{
    default_plan,
    input::{file, names_of},
    journal::{Journal, Tally},
    load_plans,
    open_store::{open_store, tell_broken},
    output::{self, Leftover, remove_when_ended},
    refusal::Refusal,
};
use crate::{config::Plan, line_writer::print_line};
use clap::{ArgGroup, Args};
use lifesign_clock::Clock;
use lifesign_core::outcome::Event;
use lifesign_journal::{Reader, path};
use lifesign_parquet::{
    ExportError, HourlyFiles, Written, episodes::Episodes, outcomes::Outcomes, part_of,
};
use lifesign_store::{StoreError, StoreReader};
use std::{
    fs,
    path::{Path, PathBuf},
};

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("source").required(true).multiple(true))]
pub(super) struct ExportArgs {
    /// Journals whose outcomes are written, oldest first; - is standard input
    #[arg(value_name = "JOURNAL", group = "source")]
    journals: Vec<PathBuf>,
    /// Write Parquet files into this directory, where there is no export yet: one for each hour
    #[arg(long, value_name = "DIR", required = true, value_parser = file())]
    parquet: PathBuf,
    /// The plan that the journals were recorded with (default: as for run); if that changed
    /// meanwhile, give each plan, in order
    #[arg(long, value_name = "FILE", requires = "journals", value_parser = file())]
    config: Vec<PathBuf>,
    /// Write the episodes of the store in this state directory
    #[arg(long, value_name = "DIR", group = "source")]
    state_dir: Option<PathBuf>,
    /// Write the episodes of this store's file, such as a copy from another machine
    #[arg(long, value_name = "FILE", group = "source", conflicts_with = "state_dir", value_parser = file())]
    db: Option<PathBuf>,
}

impl From<ExportError> for Refusal {
    fn from(error: ExportError) -> Self {
        Self::cannot_create(error)
    }
}

/// Writes what was asked for.
pub(super) fn export(mut args: ExportArgs) -> Result<(), Refusal> {
    if !args.journals.is_empty() && args.config.is_empty() {
        args.config.push(default_plan()?);
    }
    let plans = load_plans(&args.config)?;
    let has_store = args.state_dir.is_some() || args.db.is_some();
    let made: Vec<PathBuf> =
        args.parquet.ancestors().take_while(|path| !path.exists()).map(Path::to_owned).collect();
    let removed = |leftover| {
        remove_when_ended(leftover).map_err(|error| output::cannot_write(&args.parquet, &error))
    };
    // Registered only now: before, the directory may be another export's.
    let begun = |table| removed(Leftover::Tree(part_of(&args.parquet, table)));
    for directory in made.iter().rev().cloned() {
        removed(Leftover::Directory(directory))?;
    }
    let written = || {
        // What cannot be had is told before the first row is written.
        let reader = has_store.then(|| open_store(args.state_dir, args.db)).transpose()?;
        let has_outcomes = !plans.is_empty();
        let outcomes_table = has_outcomes.then(|| Outcomes::create(&args.parquet)).transpose()?;
        if outcomes_table.is_some() {
            begun("outcomes")?;
        }
        let episodes_table = match &reader {
            Some(reader) => {
                let now = Clock::start().now();
                let until = reader.observed_until(now).map_err(StoreError::from)?;
                let table = Episodes::create(&args.parquet, until)?;
                begun("episodes")?;
                Some((reader, table))
            }
            None => None,
        };
        let outcomes_table = outcomes_table
            .map(|table| outcomes(&args.journals, &args.config, &plans, table))
            .transpose()?;
        let episodes_table =
            episodes_table.map(|(reader, table)| episodes(reader, table)).transpose()?;
        // Both or none.
        if let Some(table) = outcomes_table {
            tell("outcome", "outcomes", "", table.finish()?, &args.parquet);
        }
        if let Some(table) = episodes_table {
            tell("episode", "episodes", OF_EPISODES, table.finish()?, &args.parquet);
        }
        Ok(())
    };
    let written = written();
    for directory in made {
        // One in which something was written is not empty, and stays.
        let _ = fs::remove_dir(directory);
    }
    written
}

/// They are not what `episodes` counts without `--all`.
const OF_EPISODES: &str =
    ": stays in another state than up, as episodes --all lists them, and not incidents";

fn tell(one: &str, many: &str, what: &str, Written { rows, files }: Written, directory: &Path) {
    if rows == 0 {
        return print_line(&format!("no {many}, so no file of them is written"));
    }
    let rows_text = if rows == 1 { one } else { many };
    let files_text = if files == 1 { "file" } else { "files" };
    let directory = directory.join(many);
    let folder = directory.display();
    print_line(&format!("{rows} {rows_text} in {files} {files_text} in {folder}{what}"));
}

/// Where a run took a new plan, the next of the plans is taken.
fn outcomes(
    journals: &[PathBuf],
    config: &[PathBuf],
    plans: &[Plan],
    mut table: Outcomes,
) -> Result<HourlyFiles, Refusal> {
    let mut plans = plans.iter();
    let mut next_reader = |table: &mut Outcomes| {
        let plan = plans.next()?;
        table.replan(&plan.roster);
        Some(Reader::new(&plan.roster, &plan.controls))
    };
    let Some(mut reader) = next_reader(&mut table) else { return Ok(table.end()?) };
    let mut tally = Tally::default();
    for path in journals {
        Journal::open(path)?.for_each(&mut tally, |_, text| {
            let (line, record) = match reader.read_line(text) {
                Ok(read) => read,
                // What was found on a path is no outcome.
                Err(_) if path::is_one(text) => return Ok(Ok(None)),
                Err(error) => return Ok(Err(error)),
            };
            table.add(&line, &record)?;
            if record.event == Event::Replan
                && let Some(next) = next_reader(&mut table)
            {
                reader = next;
            }
            Ok(Ok(Some(record.event)))
        })?;
    }
    match tally.refusal(&names_of(journals), config) {
        Some(refusal) => Err(refusal),
        None => Ok(table.end()?),
    }
}

/// Every episode of the store.
fn episodes(reader: &StoreReader, mut table: Episodes) -> Result<HourlyFiles, Refusal> {
    let broken = reader.for_each_episode(|episode| Ok::<_, Refusal>(table.add(episode)?))?;
    tell_broken(broken);
    Ok(table.end()?)
}
