//! What outlives a run: episodes, samples and the judge's memory, in a SQLite file (docs/store.md).
//! The watch never waits for the disk: a thread writes, and what the disk refuses waits in bounded
//! memory.
//!
//! | file | its part |
//! |---|---|
//! | `episode` | from changes of verdict to episodes; pure |
//! | `place` | where paths broke |
//! | `plan` | what plans said, and which episodes were planned |
//! | `sample` | what is measured in a minute |
//! | `backlog` | what waits to be written |
//! | `correction` | what this run has written, once the clock is set |
//! | `writer` | the thread that writes and retries |
//! | `directory` | which directory it is in, and who may write there |
//! | `tables` | the tables, in the words of SQL, and those of earlier versions |
//! | `memory` | the judge's memory as rows |
//! | `database` | how they are written |
//! | `played` | what is played, by a replay or a simulation, instead of seen |
//! | `learned` | what a run has learned of each target |
//! | `history` | the last seven days, with which a run begins |
//! | `opening` | the file as it is opened, and what is none of ours |
//! | `row` | a row of a table, as it is read |
//! | `reader` | reading, also while a run writes, also a copy |
//! | `run` | the runs: who watched, and when |
//! | `every_episode` | all episodes, a few at a time |
//! | `scope_name` | what scopes are called there, and what is near a name that is none |
//! | `series` | what was measured, in periods of equal length |
//! | `rows` | what programs read of the past: JSON and CSV |
//! | `list` | episodes as a table |
//! | `report` | a page on one country |
//! | `incidents` | incidents as a table |

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used)]

mod sample;
mod backlog;
mod correction;
mod opening;
mod tables;
mod row;
mod reader;
mod run;
mod series;
mod directory;
mod scope_name;
mod place;
mod plan;
mod every_episode;
mod memory;
mod database;
mod episode;
mod history;
pub mod rows;
pub mod list;
pub mod incidents;
pub mod report;
mod played;
mod learned;
mod writer;

pub use directory::{DirectoryError, FILE_NAME, directory, last_written, lock};
pub use learned::{Learned, LearnedTarget};
pub use lifesign_incident::Episode;
pub use opening::StoreError;
pub use place::{PlaceOf, Places};
pub use played::PlayedStore;
pub use reader::{EpisodeFilter, RUN_TIMEOUT, Rows, StoreReader, ToldIncidents};
pub use run::{PastRun, unwatched_until, watched};
pub use sample::Sample;
pub use scope_name::{KnownScopes, ScopeError, other_scopes};
pub use series::{Measured, Measurements};
/// A directory of this process alone, for the store of a run without a state directory. It is
/// removed when it is dropped.
pub use tempfile::TempDir as TemporaryDirectory;

use backlog::{Batch, Essentials};
use correction::Correction;
use database::Database;
use episode::EpisodeTracker;
use lifesign_core::{
    judge::{Change, Memory, State},
    scopes::{Remarks, Roster},
    time::{Time, WallOffset},
    watch::{Snapshot, StoreView, Watch},
};
use sample::samples;
use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::IpAddr,
    path::Path,
    time::Duration,
};
use writer::StoreWriter;

/// How often samples and the judge's memory are written.
const SAMPLE_INTERVAL: Duration = Duration::from_secs(60);
/// Who has not been heard so long after a plan began is unknown from its begin: until then the
/// first answers may be under way.
const UNKNOWN_AFTER: Duration = Duration::from_secs(5);
/// The judge's memory is written with each change of verdict too. This is the least time between
/// two of them, for each thousand targets.
const MEMORY_INTERVAL: Duration = Duration::from_secs(1);
/// How many scopes of it are copied at a time, which takes a fraction of a millisecond of the
/// watch's time.
const SCOPES_TOGETHER: usize = 128;
/// When the clock is set by more than this, what this run has written is corrected; by less it is
/// only slewed.
const CLOCK_SET_MS: i64 = 2000;

/// The store of a run.
#[derive(Debug)]
pub struct Store {
    tracker: EpisodeTracker,
    writer: StoreWriter,
    /// When the next samples are taken.
    next_samples: Time,
    /// When it was noted last who is unknown.
    unknown_noted: Time,
    memory_written: Time,
    /// Something has been learned since the memory was written.
    memory_is_stale: bool,
    /// It is to be written with the next batch.
    memory_is_due: bool,
    /// It is being copied, a part at a time.
    copied: Option<Memory>,
    /// How times were written last.
    offset: WallOffset,
    /// Episodes that have changed and are not yet with the writer.
    changed: Vec<Episode>,
}

impl Store {
    /// Opens or makes the file in this directory, and reads what the previous run left. `wall` is
    /// now, by the wall clock. A file that cannot be opened is logged and tried again; it is an
    /// error only if no thread can be started.
    ///
    /// Call [`Store::resume`] before anything else.
    pub fn open(directory: &Path, vantage: &str, wall: Time) -> io::Result<(Self, PreviousRun)> {
        let path = directory.join(FILE_NAME);
        let database = Database::open_whole(&path, wall);
        let (writer, previous) = StoreWriter::start(path, database, vantage.to_owned(), wall)?;
        let store = Self {
            tracker: EpisodeTracker::default(),
            writer,
            next_samples: Time::default(),
            unknown_noted: Time::default(),
            memory_written: Time::default(),
            memory_is_stale: false,
            memory_is_due: false,
            copied: None,
            offset: WallOffset::default(),
            changed: Vec::new(),
        };
        Ok((store, previous))
    }

    /// Continues the episodes that were open if the judge could use its memory of them
    /// (`memory_restored`), and ends them otherwise. `offset` is from core time to the wall clock,
    /// in nanoseconds.
    pub fn resume(
        &mut self,
        previous: PreviousRun,
        memory_restored: bool,
        roster: &Roster,
        now: Time,
        offset: WallOffset,
    ) {
        let wall = offset.written(now);
        let last_write = previous.last_write.unwrap_or(wall).min(wall);
        let watched = countries_by_scope(roster);
        let (open, left): (Vec<Episode>, Vec<Episode>) = previous
            .open_episodes
            .into_iter()
            .partition(|episode| watched.get(&episode.scope) == Some(&episode.country));
        for mut episode in left {
            episode.leave(last_write);
            self.changed.push(episode);
        }
        self.tracker =
            EpisodeTracker::resume(open, memory_restored, last_write, wall, &mut self.changed);
        self.next_samples = now + SAMPLE_INTERVAL;
        self.offset = offset;
        self.replan(roster, wall);
    }

    /// What the previous run left, if the file could be opened only now: returned once, for
    /// [`Store::adopt`].
    pub fn take_previous_run(&self) -> Option<PreviousRun> {
        self.writer.take_previous_run()
    }

    /// Goes on with the episodes that were open when the previous run last wrote. The judge has
    /// judged without its memory of them meanwhile.
    pub fn adopt(&mut self, previous: PreviousRun, watch: &Watch, now: Time, offset: WallOffset) {
        self.correct(now, offset);
        let wall = offset.written(now);
        let last_write = previous.last_write.unwrap_or(wall).min(wall);
        let snapshot = watch.snapshot(now, offset, 0);
        let roster = watch.roster();
        let found: HashMap<(String, &str), (State, Time)> = roster
            .scopes()
            .map(|scope| {
                let verdict = &snapshot.scope(scope).verdict;
                let country = &*roster.country_of(scope).code;
                let since = offset.written(verdict.edge.latest);
                ((roster.full_name_of(scope), country), (verdict.state, since))
            })
            .collect();
        let mut superseded = Vec::new();
        for mut episode in previous.open_episodes {
            let scope = episode.scope.clone();
            let Some(&state) = found.get(&(scope.clone(), &*episode.country)) else {
                episode.leave(last_write);
                self.changed.push(episode);
                continue;
            };
            let part = self.tracker.adopt(episode, last_write, state, &mut self.changed);
            superseded.extend(part.map(|found| (scope, found)));
        }
        let essentials = Essentials { superseded, ..Essentials::default() };
        let episodes = std::mem::take(&mut self.changed);
        self.writer.write(Batch { episodes, ..essentials.at(wall) });
    }

    /// If the clock has been set, corrects what this run has written.
    fn correct(&mut self, now: Time, offset: WallOffset) {
        let millis = (offset.nanos() - self.offset.nanos()) / 1_000_000;
        if millis.abs() <= CLOCK_SET_MS {
            return;
        }
        self.copy_anew();
        let correction = Correction { since: self.offset.written(self.offset.began()), millis };
        self.offset =
            WallOffset::new(self.offset.nanos() + millis * 1_000_000, self.offset.began());
        self.tracker.correct(correction);
        for episode in &mut self.changed {
            correction.correct(episode);
        }
        let essentials = Essentials { corrections: vec![correction], ..Essentials::default() };
        self.writer.write(essentials.at(self.offset.written(now)));
    }

    /// Adds to the watch what earlier runs saw, once the thread has read it: moments after the
    /// start, seconds in a large plan.
    pub fn restore_history(&self, watch: &mut Watch) {
        let Some(mut histories) = self.writer.history() else { return };
        let roster = watch.roster().clone();
        for scope in roster.scopes() {
            if let Some((country, history)) = histories.remove(&roster.full_name_of(scope))
                && country == roster.country_of(scope).code
            {
                watch.history(scope).recall(history);
            }
        }
    }

    /// Takes the first plan or a new one. Open episodes of scopes that are not in it end.
    pub fn replan(&mut self, roster: &Roster, wall: Time) {
        self.copy_anew();
        self.tracker.retain(roster, wall, &mut self.changed);
        let (countries, scopes) = (names_by_code(roster), countries_by_scope(roster));
        let essentials = Essentials { countries, scopes, ..Essentials::default() };
        let episodes = std::mem::take(&mut self.changed);
        self.writer.write(Batch { episodes, ..essentials.at(wall) });
    }

    /// Keeps what the first plan or a new one says beyond the names of scopes, for reports.
    pub fn keep_plan(&mut self, roster: &Roster, contact: Option<&str>, wall: Time) {
        let remarks = Some(Remarks::on(roster, contact));
        let maintenance = vec![(roster.named_maintenance(), wall)];
        let essentials = Essentials { remarks, maintenance, ..Essentials::default() };
        self.writer.write(essentials.at(wall));
    }

    /// What the next calls of [`Store::handle_changes`] bring in parts.
    pub fn expect_changes(&mut self, changes: &[Change], watch: &Watch) {
        self.tracker.expect_changes(changes, watch.roster());
    }

    /// Takes changes of verdict until this snapshot, and hands them to the writer with whatever
    /// else is due.
    pub fn handle_changes(&mut self, changes: &[Change], snapshot: &Snapshot, watch: &Watch) {
        let (now, offset) = (snapshot.time, snapshot.wall_offset);
        self.correct(now, offset);
        self.tracker.handle_changes(changes, watch.roster(), offset, &mut self.changed);
        let mut batch = Batch { at: offset.written(now), ..Batch::default() };
        let samples_due = now >= self.next_samples;
        let heard_by = snapshot.plan.since + UNKNOWN_AFTER;
        if samples_due || now >= heard_by && self.unknown_noted < heard_by {
            self.tracker.note_unknown(snapshot, !samples_due, &mut self.changed);
            self.unknown_noted = now;
        }
        if samples_due {
            self.tracker.note_darknesses(snapshot, &mut self.changed);
            batch.samples = samples(snapshot);
            self.next_samples = now + SAMPLE_INTERVAL;
        }
        self.memory_is_stale |= samples_due || !changes.is_empty();
        let interval = MEMORY_INTERVAL * (1 + watch.roster().targets.len() as u32 / 1000);
        self.memory_is_due |= samples_due || now >= self.memory_written + interval;
        let memory_due = self.memory_is_due && self.copied.is_none();
        if self.memory_is_stale && memory_due && !self.writer.is_behind() {
            self.copied = Some(Memory::new(watch.roster().clone(), now, offset));
            self.memory_written = now;
            self.memory_is_stale = false;
            self.memory_is_due = false;
        }
        batch.essentials.memory = self.copy_more(watch);
        batch.episodes = std::mem::take(&mut self.changed);
        if samples_due || !batch.episodes.is_empty() || batch.essentials.memory.is_some() {
            batch.essentials.superseded = std::mem::take(&mut self.tracker.retracted);
            self.writer.write(batch);
        }
    }

    /// Copies some more of the judge's memory, if a copy has begun, and hands it to the writer when
    /// it is whole. Each scope is in it with its hosts, as they were at one moment.
    pub fn copy_memory(&mut self, watch: &Watch) {
        if let Some(memory) = self.copy_more(watch) {
            let (at, memory) = (memory.taken(), Some(memory));
            self.writer.write(Essentials { memory, ..Essentials::default() }.at(at));
        }
    }

    fn copy_more(&mut self, watch: &Watch) -> Option<Memory> {
        self.copied.take_if(|memory| watch.remember_more(memory, SCOPES_TOGETHER))
    }

    /// What is half copied speaks of another plan, or of times by another clock.
    fn copy_anew(&mut self) {
        let was_copied = self.copied.take().is_some();
        self.memory_is_stale |= was_copied;
        self.memory_is_due |= was_copied;
    }

    /// Keeps the addresses of names for the next run.
    pub fn keep_names(&mut self, names: Vec<(String, Vec<IpAddr>)>, wall: Time) {
        if !names.is_empty() {
            let names = names.into_iter().collect();
            self.writer.write(Essentials { names, ..Essentials::default() }.at(wall));
        }
    }

    /// Ends a run in order. Waits until everything is written, or has failed.
    pub fn finish(mut self, watch: &Watch, now: Time, offset: WallOffset) {
        self.correct(now, offset);
        self.tracker.note_darknesses(&watch.snapshot(now, offset, 0), &mut self.changed);
        let memory = Some(watch.remember(now, offset));
        let superseded = std::mem::take(&mut self.tracker.retracted);
        let essentials = Essentials { memory, superseded, ended: true, ..Essentials::default() };
        let episodes = std::mem::take(&mut self.changed);
        self.writer.write(Batch { episodes, ..essentials.at(offset.written(now)) });
    }

    /// Has the thread that writes ended, by a fault of ours?
    pub fn has_ended(&self) -> bool {
        self.writer.has_ended()
    }

    /// How the writing goes.
    pub fn view(&self) -> StoreView {
        self.writer.view()
    }
}

/// What the previous run left.
#[derive(Debug, Default)]
pub struct PreviousRun {
    /// What its judge had learned.
    pub memory: Option<Memory>,
    /// The last known addresses of names.
    pub names: HashMap<String, Vec<IpAddr>>,
    open_episodes: Vec<Episode>,
    /// When it last wrote.
    last_write: Option<Time>,
}

impl PreviousRun {
    /// When it last wrote, on the wall clock; None if there was none.
    pub fn last_write(&self) -> Option<Time> {
        self.last_write
    }
}

/// The names of countries, by code.
fn names_by_code(roster: &Roster) -> BTreeMap<String, String> {
    let countries = roster.countries.iter();
    countries.map(|country| (country.code.clone(), country.name.clone())).collect()
}

/// The codes of the countries that scopes are or lie in, by the full names of these.
fn countries_by_scope(roster: &Roster) -> BTreeMap<String, String> {
    let country = |scope| roster.country_of(scope).code.clone();
    roster.scopes().map(|scope| (roster.full_name_of(scope), country(scope))).collect()
}

#[cfg(test)]
mod tests;
