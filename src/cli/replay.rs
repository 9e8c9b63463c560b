//! The command `replay`: judges a recorded journal again.

use super::{default_plan, exit, refuse, refuse_directory, standard_input, stderr::print_error};
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
    collections::HashSet,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    time::Duration,
};

#[derive(Args, Debug)]
pub(super) struct ReplayArgs {
    /// The journal; - is standard input
    file: PathBuf,
    /// The plan that it was recorded with (default: as for run); if that changed meanwhile, give
    /// each plan, in order
    #[arg(long, value_name = "FILE")]
    config: Vec<PathBuf>,
    /// Keep what happened in this directory, which has no store yet, for episodes and report
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Print changes of verdict as JSON Lines
    #[arg(long)]
    json: bool,
}

/// Judges a journal again; returns the exit code.
pub(super) fn replay(mut args: ReplayArgs) -> u8 {
    if args.config.is_empty() {
        match default_plan() {
            Ok(path) => args.config.push(path),
            Err(code) => return code,
        }
    }
    match args.config.iter().map(|path| Plan::load(path)).collect::<Result<Vec<_>, _>>() {
        Ok(plans) => judge(&args, &plans),
        Err(problems) => refuse(&problems),
    }
}

/// Where the run took a new plan, the next of the plans is taken. A line that cannot be read is
/// reported and skipped; it is an error if there are no others.
fn judge(args: &ReplayArgs, plans: &[Plan]) -> u8 {
    let readers: Vec<_> =
        plans.iter().map(|plan| Reader::new(&plan.roster, &plan.controls)).collect();
    let is_stdin = standard_input(&args.file);
    let name = if is_stdin { "<stdin>".into() } else { args.file.display().to_string() };
    let journal = match Journal::open(&args.file, &readers) {
        Ok(journal) => journal,
        Err(error) => {
            print_error(format!("{name}: cannot read the journal: {error}"));
            return exit::DATA;
        }
    };
    let settings = |plan: &Plan| {
        let controls = if journal.has_controls { plan.controls.clone() } else { Vec::new() };
        Settings { budget: Some(plan.budget), rules: plan.rules, controls, seed: 0 }
    };
    let mut plans = plans.iter().zip(&readers);
    let Some((mut plan, mut reader)) = plans.next() else { return exit::CONFIG };
    let mut watch: Option<Watch> = None;
    let mut store: Option<PlayedStore> = None;
    let mut skipped = SkippedLines::default();
    let mut jumps = BackwardJumps::default();
    for (number, line) in journal.lines.split(b'\n').enumerate() {
        let number = number + 1;
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                print_error(format!("{name}:{number}: cannot read on: {error}"));
                return exit::DATA;
            }
        };
        let text = std::str::from_utf8(&line);
        let record =
            text.map_err(|_| "the line is not UTF-8".to_owned()).and_then(|text| reader.read(text));
        let record = match record {
            Ok(record) => record,
            Err(problem) => {
                // What was found on paths is told as it was: nobody can be asked again.
                let found = text.ok().and_then(|text| path::read(text, &plan.roster));
                if let Some(event) = found {
                    if let Some(line) = path::text(&event, &plan.roster, 0).filter(|_| !args.json) {
                        print_line(&line);
                    }
                    continue;
                }
                skipped.report(&format!("{name}:{number}"), problem);
                continue;
            }
        };
        if let (None, Some(directory)) = (&watch, &args.state_dir) {
            let contact = plan.contact.as_deref();
            let began = begun(&record);
            match PlayedStore::create(directory, &plan.vantage, &plan.roster, contact, began) {
                Ok(made) => store = Some(made),
                Err(error) => return refuse_directory(&error),
            }
        }
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
            if let Some(store) = &mut store {
                store.replan(&plan.roster, plan.contact.as_deref(), record.seen);
            }
        }
        let changes: Vec<_> = std::iter::from_fn(|| watch.poll_change()).collect();
        for change in &changes {
            let format = if args.json { verdict::json } else { verdict::text };
            print_line(&format(change, &plan.roster, 0));
        }
        while let Some(change) = watch.poll_return_path_change() {
            if !args.json {
                print_line(&verdict::return_path(&change, &plan.roster, 0));
            }
        }
        if let Some(store) = &mut store
            && let Err(error) = store.handle_changes(&changes, watch, jumps.last)
        {
            return refuse_directory(&error);
        }
    }
    skipped.report_repeated(&name);
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
    if let Some(mut store) = store {
        let hint = store.hint();
        if let Some(watch) = &watch {
            store.count_at_end(watch, jumps.last);
        }
        if let Err(error) = store.finish(jumps.last) {
            return refuse_directory(&error);
        }
        if !args.json {
            print_line(&hint);
        }
    }
    if watch.is_none() && !skipped.is_empty() { exit::DATA } else { exit::OK }
}

/// A journal, open at its first line.
struct Journal {
    lines: Box<dyn BufRead>,
    /// The run that wrote it asked its controls: one without the permission runs without them.
    has_controls: bool,
}

impl Journal {
    /// Standard input cannot be read twice: what is read of it to find out is kept. Usually that is
    /// the journal's first second; of one without controls it is all.
    fn open(path: &Path, readers: &[Reader]) -> io::Result<Self> {
        if standard_input(path) {
            let mut head = Vec::new();
            let has_controls =
                has_control_outcomes(&mut io::stdin().lock(), readers, &mut |line| {
                    head.extend_from_slice(line);
                })?;
            let lines = Box::new(BufReader::new(io::Cursor::new(head).chain(io::stdin())));
            return Ok(Self { lines, has_controls });
        }
        let has_controls =
            has_control_outcomes(&mut BufReader::new(File::open(path)?), readers, &mut |_| {})?;
        Ok(Self { lines: Box::new(BufReader::new(File::open(path)?)), has_controls })
    }
}

/// Reads up to the first outcome of a control; each line that was read is passed on whole.
fn has_control_outcomes(
    journal: &mut dyn BufRead,
    readers: &[Reader],
    on_line: &mut dyn FnMut(&[u8]),
) -> io::Result<bool> {
    let of_control = |record: EventRecord| matches!(record.event, Event::Control(_));
    let mut line = Vec::new();
    while journal.read_until(b'\n', &mut line)? > 0 {
        on_line(&line);
        let text = std::str::from_utf8(&line).unwrap_or_default().trim_end_matches('\n');
        if readers.iter().any(|reader| reader.read(text).is_ok_and(of_control)) {
            return Ok(true);
        }
        line.clear();
    }
    Ok(false)
}

/// Lines that could not be read. Each problem is reported once, at its first line.
#[derive(Default)]
pub(super) struct SkippedLines {
    problems: HashSet<String>,
    repeated: usize,
}

impl SkippedLines {
    pub(super) fn report(&mut self, position: &str, problem: String) {
        if self.problems.contains(&problem) {
            self.repeated += 1;
        } else {
            print_error(format!("{position}: {problem}; the line is skipped"));
            self.problems.insert(problem);
        }
    }

    /// At the end of the journal.
    pub(super) fn report_repeated(&self, journal: &str) {
        if self.repeated > 0 {
            let lines = self.repeated;
            print_error(format!("{journal}: {lines} more lines are skipped for the same reasons"));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }
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
}
