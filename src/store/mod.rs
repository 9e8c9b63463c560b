//! Memory over restarts. In: changes of verdict, snapshots, what the judge learned. Out: a SQLite
//! file (docs/store.md) that outlives the run, and on the next start what was open and known. It
//! never makes the watch wait for a disk, and never ends it: what cannot be written waits in
//! bounded memory and is tried again.
//!
//! | file | its part |
//! |---|---|
//! | `episode` | from changes of verdict to episodes; pure |
//! | `backlog` | what waits to be written |
//! | `writer` | a thread that writes, and goes on trying |
//! | `file` | the tables, and how they are written |
//! | `history` | the days before, for the page |
//! | `reader` | reading them, also while they are written, also elsewhere |
//! | `list`, `report` | what a reader gets: lines, CSV, JSON; one page to send on |

mod backlog;
mod reader;
mod episode;
mod file;
mod history;
pub mod list;
pub mod report;
mod writer;

pub use episode::Episode;
pub use reader::{Filter, RunTime, StoreReader};

use backlog::Work;
use episode::Ledger;
use lifesign_core::{
    judge::{Change, Memory, State},
    scopes::{BlockId, Country, CountryId, Roster, Scope},
    time::Time,
    watch::{Snapshot, StoreView, Watch},
};
use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};
use writer::Writer;

/// The name of the file in the state directory.
pub const FILE: &str = "lifesign.db";
/// How often summaries and what was learned are written.
const MINUTE: Duration = Duration::from_secs(60);
/// What was learned is written with a change of verdict too, but for each thousand targets not more
/// often than this.
const SECOND: Duration = Duration::from_secs(1);
/// In plans of more scopes than this only countries have summaries: a block's take 20 MB in a year.
const FEW_SCOPES: usize = 1000;

/// A scope's last minute, or ten.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The prefix or the country's code.
    pub scope: String,
    /// The country's code.
    pub country: String,
    /// The end of the stretch, on the wall clock.
    pub time: Time,
    /// The verdict then; of ten minutes, the gravest.
    pub state: State,
    /// How many probes were answered or missed.
    pub probes: u64,
    /// Share of these that were missed, 0 to 1.
    pub loss: Option<f64>,
    /// Median round-trip time in seconds.
    pub median: Option<f64>,
    /// 95th percentile of the round-trip time in seconds.
    pub p95: Option<f64>,
}

/// The store of a run.
#[derive(Debug)]
pub struct Store {
    ledger: Ledger,
    writer: Writer,
    /// When summaries are due, and when what was learned was last written.
    due: Time,
    remembered: Time,
    /// A change was written without what was learned with it.
    owed: bool,
    episodes: Vec<Episode>,
}

impl Store {
    /// Opens or makes the file in this directory. `wall` is now, by the wall clock. A file that
    /// cannot be opened is told of and tried again; the error says only that there is no thread for
    /// it.
    ///
    /// With it comes what an earlier run learned. Call [`Store::begin`] before anything else.
    pub fn open(directory: &Path, vantage: &str, wall: Time) -> io::Result<(Self, Past)> {
        let path = directory.join(FILE);
        let (file, past) = match file::File::open(&path).and_then(|file| Ok((file.past()?, file))) {
            Ok((past, file)) => (Ok(file), past),
            Err(error) => (Err(error), Past::default()),
        };
        let writer = Writer::start(path, file, vantage.to_owned(), wall)?;
        let (due, remembered) = (Time::default(), Time::default());
        let store = Self {
            ledger: Ledger::default(),
            writer,
            due,
            remembered,
            owed: false,
            episodes: Vec::new(),
        };
        Ok((store, past))
    }

    /// Goes on with the episodes that were open, if what was learned with them is of use; else they
    /// end here.
    pub fn begin(&mut self, past: Past, recalled: bool, roster: &Roster, now: Time, offset: i64) {
        let wall = now.shifted(offset);
        let lasted = past.lasted.unwrap_or(wall).min(wall);
        self.ledger = Ledger::resume(past.open, recalled, lasted, wall, &mut self.episodes);
        self.due = now + MINUTE;
        self.replan(roster, wall);
    }

    /// Tells the watch what earlier runs saw, once that has been read: moments after the start,
    /// seconds in a large plan.
    pub fn recall(&self, watch: &mut Watch) {
        let Some(mut history) = self.writer.history() else { return };
        let roster = watch.roster().clone();
        for scope in scopes(&roster) {
            let past = history.remove(&roster.name_of(scope));
            if let Some((_, past)) =
                past.filter(|(country, _)| *country == roster.country_of(scope).code)
            {
                watch.history(scope).recall(past);
            }
        }
    }

    /// A plan, the first or a new one: what is not watched has no open episode.
    pub fn replan(&mut self, roster: &Roster, wall: Time) {
        self.ledger.retain(roster, wall, &mut self.episodes);
        let named =
            roster.countries.iter().map(|country| (country.code.clone(), country.name.clone()));
        let (countries, episodes) = (named.collect(), std::mem::take(&mut self.episodes));
        self.writer.write(Work { at: wall, countries, episodes, ..Work::default() });
    }

    /// Takes in what changed, and gives it to the writer with what is due.
    pub fn keep(&mut self, changes: &[Change], watch: &Watch, now: Time, offset: i64) {
        for change in changes {
            self.ledger.note(change, watch.roster(), offset, &mut self.episodes);
        }
        self.owed |= !changes.is_empty();
        let mut work = Work { at: now.shifted(offset), ..Work::default() };
        let minute = now >= self.due;
        self.owed |= minute;
        if minute {
            work.samples = samples(&watch.snapshot(now, offset, 0));
            self.due = now + MINUTE;
        }
        let pause = SECOND * (1 + watch.roster().targets.len() as u32 / 1000);
        if self.owed && (minute || now >= self.remembered + pause) && !self.writer.is_behind() {
            work.memory = Some(watch.remember(now, offset));
            (self.remembered, self.owed) = (now, false);
        }
        work.episodes = std::mem::take(&mut self.episodes);
        if minute || !work.episodes.is_empty() || work.memory.is_some() {
            self.writer.write(work);
        }
    }

    /// The last words of a run that ends as it should. Waits until they are written, or cannot be.
    pub fn end(mut self, watch: &Watch, now: Time, offset: i64) {
        let memory = Some(watch.remember(now, offset));
        let episodes = std::mem::take(&mut self.episodes);
        self.writer.write(Work {
            at: now.shifted(offset),
            memory,
            episodes,
            ended: true,
            ..Work::default()
        });
    }

    /// How the writing goes.
    pub fn view(&self) -> StoreView {
        self.writer.view()
    }
}

/// What an earlier run left.
#[derive(Debug, Default)]
pub struct Past {
    /// What its judge had learned.
    pub memory: Option<Memory>,
    open: Vec<Episode>,
    lasted: Option<Time>,
}

/// Where the state is: as asked for, or as systemd says (STATE_DIRECTORY, the first of its list).
pub fn directory(asked: Option<PathBuf>) -> Option<PathBuf> {
    asked.or_else(|| {
        let named = std::env::var("STATE_DIRECTORY").ok()?;
        named.split(':').next().filter(|path| !path.is_empty()).map(PathBuf::from)
    })
}

fn samples(snapshot: &Snapshot) -> Vec<Sample> {
    let roster = &snapshot.roster;
    let time = snapshot.time.shifted(snapshot.wall_offset);
    let sample =
        |scope: String, country: &Country, view: &lifesign_core::watch::ScopeView| Sample {
            scope,
            country: country.code.clone(),
            time,
            state: view.verdict.state,
            probes: view.windows[0].resolved,
            loss: view.windows[0].loss,
            median: view.windows[0].median,
            p95: view.windows[0].p95,
        };
    let countries = roster.countries.iter().zip(&snapshot.countries);
    let mut samples: Vec<Sample> =
        countries.map(|(country, view)| sample(country.code.clone(), country, view)).collect();
    if roster.blocks.len() + roster.countries.len() <= FEW_SCOPES {
        let blocks = roster.blocks.iter().zip(&snapshot.blocks);
        samples.extend(blocks.map(|(block, view)| {
            sample(block.prefix.to_string(), roster.country(block.country), &view.scope)
        }));
    }
    samples
}

fn scopes(roster: &Roster) -> impl Iterator<Item = Scope> + use<> {
    let blocks = (0..roster.blocks.len() as u32).map(|id| Scope::Block(BlockId(id)));
    blocks.chain((0..roster.countries.len() as u32).map(|id| Scope::Country(CountryId(id))))
}

#[cfg(test)]
mod tests;
