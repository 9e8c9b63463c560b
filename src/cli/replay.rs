//! The command `replay`: judges a recorded journal again.

use super::{
    default_plan, exit,
    input::{file, unreadable},
    journal::{Journal, Tally, is_of_target, next_line},
    load_plans,
    refusal::Refusal,
    stderr::print_error,
};
use crate::{config::Plan, line_writer::print_line};
use clap::Args;
use lifesign_core::{
    outcome::Event,
    time::Time,
    watch::{EventRecord, Settings, Watch},
};
use lifesign_journal::{Reader, begun, path, verdict};
use lifesign_store::PlayedStore;
use std::{
    io::{self, BufRead, Read},
    path::{Path, PathBuf},
    time::Duration,
};

#[derive(Args, Debug)]
pub(super) struct ReplayArgs {
    /// The journal; - is standard input
    file: PathBuf,
    /// The plan that it was recorded with (default: as for run); if that changed meanwhile, give
    /// each plan, in order
    #[arg(long, value_name = "FILE", value_parser = file())]
    config: Vec<PathBuf>,
    /// Keep what happened in this directory, which has no store yet, for episodes and report
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Print changes of verdict as JSON Lines
    #[arg(long)]
    json: bool,
    /// Print nothing but what is wrong.
    #[arg(skip)]
    is_quiet: bool,
}

/// Judges a journal again into a store in this directory.
pub(super) fn into_store(
    file: PathBuf,
    config: Vec<PathBuf>,
    directory: PathBuf,
) -> Result<(), Refusal> {
    let state_dir = Some(directory);
    replay(ReplayArgs { file, config, state_dir, json: false, is_quiet: true })
}

/// Judges a journal again.
pub(super) fn replay(mut args: ReplayArgs) -> Result<(), Refusal> {
    if args.config.is_empty() {
        args.config.push(default_plan()?);
    }
    judge(&args, &load_plans(&args.config)?)
}

/// Where the run took a new plan, the next of the plans is taken.
fn judge(args: &ReplayArgs, plans: &[Plan]) -> Result<(), Refusal> {
    let readers: Vec<_> =
        plans.iter().map(|plan| Reader::new(&plan.roster, &plan.controls)).collect();
    let (journal, has_controls) = open(&args.file, &readers)?;
    let name = journal.name.clone();
    let settings = |plan: &Plan| {
        let controls = if has_controls { plan.controls.clone() } else { Vec::new() };
        Settings { budget: Some(plan.budget), rules: plan.rules, controls, ..Settings::default() }
    };
    let mut plans = plans.iter().zip(&readers);
    let Some((mut plan, mut reader)) = plans.next() else { return Ok(()) };
    let mut began = None;
    let mut watch: Option<Watch> = None;
    let mut store: Option<PlayedStore> = None;
    let mut jumps = BackwardJumps::default();
    let mut tally = Tally::default();
    journal.for_each(&mut tally, |number, text| {
        let record = match reader.read(text) {
            Ok(record) => record,
            Err(error) => {
                // What was found on paths is told as it was: nobody can be asked again.
                let Some(event) = path::read(text, &plan.roster) else { return Ok(Err(error)) };
                let is_shown = !args.json && !args.is_quiet;
                if let Some(line) = path::text(&event, &plan.roster, 0).filter(|_| is_shown) {
                    print_line(&line);
                }
                if let Some(store) = &mut store {
                    store.keep_places(&[event], &plan.roster);
                }
                return Ok(Ok(None));
            }
        };
        let began = *began.get_or_insert_with(|| begun(&record));
        // Of a plan that has none of the targets nothing is kept.
        if let (None, Some(directory)) = (&store, &args.state_dir)
            && is_of_target(record.event)
        {
            let Plan { vantage, roster, .. } = plan;
            let made = PlayedStore::create(directory, vantage, roster, plan.remarks(), began);
            store = Some(made?);
        }
        let watch =
            watch.get_or_insert_with(|| Watch::new(plan.roster.clone(), &settings(plan), began));
        jumps.note(number, record.seen);
        watch.replay(&record);
        if record.event == Event::Replan
            && let Some(next) = plans.next()
        {
            (plan, reader) = next;
            watch.replan(plan.roster.clone(), &settings(plan), record.seen);
            if let Some(store) = &mut store {
                store.replan(&plan.roster, plan.remarks(), record.seen);
            }
        }
        let changes: Vec<_> = std::iter::from_fn(|| watch.poll_change()).collect();
        for change in changes.iter().filter(|_| !args.is_quiet) {
            let format = if args.json { verdict::json } else { verdict::text };
            print_line(&format(change, &plan.roster, 0));
        }
        while let Some(change) = watch.poll_return_path_change() {
            if !args.json && !args.is_quiet {
                print_line(&verdict::return_path(&change, &plan.roster, 0));
            }
        }
        if let Some(store) = &mut store {
            store.handle_changes(&changes, watch, jumps.last)?;
        }
        Ok(Ok(Some(record.event)))
    })?;
    jumps.tell(&name);
    if let (Some(store), Some(watch)) = (store, &watch) {
        let hint = store.hint();
        store.finish(watch, jumps.last)?;
        if !args.json && !args.is_quiet {
            print_line(&hint);
        }
    }
    if tally.is_empty() {
        let text = format!("{name}: nothing in it; give the file that a run wrote with --record");
        return Err(Refusal::new(text, exit::DATA));
    }
    tally.refusal(&name, &args.config).map_or(Ok(()), Err)
}

/// The journal, and whether the run that wrote it asked its controls: one without the permission
/// runs without them. What is no file cannot be read twice: what is read of it to find out is kept.
/// Usually that is the journal's first second; of one without controls it is all.
fn open(path: &Path, readers: &[Reader]) -> Result<(Journal, bool), Refusal> {
    let mut journal = Journal::open(path)?;
    let mut head = Vec::new();
    let is_file = journal.length.is_some();
    let has_controls = has_control_outcomes(&mut *journal.lines, readers, &mut |line| {
        if !is_file {
            head.extend_from_slice(line);
        }
    });
    let has_controls = has_controls.map_err(|error| unreadable(&journal.name, &error))?;
    let journal = if is_file {
        Journal::open(path)?
    } else {
        let Journal { name, lines, length } = journal;
        Journal { name, lines: Box::new(io::Cursor::new(head).chain(lines)), length }
    };
    Ok((journal, has_controls))
}

/// Reads up to the first outcome of a control; each line that was read is passed on whole.
fn has_control_outcomes(
    journal: &mut dyn BufRead,
    readers: &[Reader],
    on_line: &mut dyn FnMut(&[u8]),
) -> io::Result<bool> {
    let of_control = |record: EventRecord| matches!(record.event, Event::Control(_));
    let mut line = Vec::new();
    while next_line(journal, &mut line)? {
        on_line(&line);
        let text = std::str::from_utf8(&line).unwrap_or_default().trim_end_matches('\n');
        if readers.iter().any(|reader| reader.read(text).is_ok_and(of_control)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A clock that is slewed (adjtime(3)), and read twice, makes times that differ by less.
const SLEWED: Duration = Duration::from_millis(1);

/// Lines that were seen before the one above them.
#[derive(Default)]
struct BackwardJumps {
    last: Time,
    first: Option<usize>,
    count: usize,
}

impl BackwardJumps {
    fn note(&mut self, number: usize, seen: Time) {
        if seen + SLEWED < self.last {
            self.first.get_or_insert(number);
            self.count += 1;
        }
        self.last = seen;
    }

    fn tell(&self, journal: &str) {
        let Some(first) = self.first else { return };
        let more = match self.count {
            1 => String::new(),
            count => format!(", the first of {count} such lines"),
        };
        print_error(&format!(
            "{journal}:{first}:1: the time goes back here{more}; \
             all were judged in the order of the file, so sort it by \"seen\""
        ));
    }
}
