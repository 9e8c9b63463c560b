//! The store of what is played: a replay, a simulation, the demo. Its times are those of what is
//! played. Who plays writes it, so nothing waits and nothing is lost; and since no run goes on from
//! it, it holds no memory of the judge.

use super::{
    SAMPLE_INTERVAL,
    backlog::{Backlog, Batch, Essentials},
    countries_by_scope,
    database::Database,
    directory::{DirectoryError, FILE_NAME, lock_to_play},
    episode::EpisodeTracker,
    names_by_code, place, samples,
};
use lifesign_core::{
    judge::Change,
    scopes::{Remarks, Roster},
    time::{Time, WallOffset},
    watch::Watch,
};
use lifesign_path::PathEvent;
use std::{
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

/// How much time is played between two writings, if no episode changes.
const WRITE_INTERVAL: Duration = Duration::from_secs(600);

/// The store of a replay or a simulation that is under way.
#[derive(Debug)]
pub struct PlayedStore {
    path: PathBuf,
    vantage: String,
    began: Time,
    tracker: EpisodeTracker,
    database: Database,
    backlog: Backlog,
    next_samples: Time,
    next_write: Time,
    _lock: Option<File>,
}

impl PlayedStore {
    /// Makes the file in this directory, which must have none and belong to no run. `began` is when
    /// what is played begins, with this plan and what it says for people.
    pub fn create(
        directory: &Path,
        vantage: &str,
        roster: &Roster,
        remarks: Remarks,
        began: Time,
    ) -> Result<Self, DirectoryError> {
        let lock = lock_to_play(directory)?;
        let path = directory.join(FILE_NAME);
        let opened = Database::open(&path).and_then(|database| {
            database.mark_played()?;
            Ok(database)
        });
        let database =
            opened.map_err(|error| DirectoryError::Store { path: path.clone(), error })?;
        let mut store = Self {
            path,
            vantage: vantage.to_owned(),
            began,
            tracker: EpisodeTracker::default(),
            database,
            backlog: Backlog::default(),
            next_samples: began + SAMPLE_INTERVAL,
            next_write: began,
            _lock: lock,
        };
        store.replan(roster, remarks, began);
        Ok(store)
    }

    /// Takes a new plan. Open episodes of scopes that are not in it end.
    pub fn replan(&mut self, roster: &Roster, remarks: Remarks, now: Time) {
        let mut batch = Batch { at: now, ..Batch::default() };
        self.tracker.retain(roster, now, &mut batch.episodes);
        batch.essentials.countries = names_by_code(roster);
        batch.essentials.scopes = countries_by_scope(roster);
        batch.essentials.remarks = Some(remarks);
        batch.essentials.maintenance = vec![(roster.named_maintenance(), now)];
        self.backlog.add(batch);
    }

    /// Takes changes of verdict, and the samples that are due.
    pub fn handle_changes(
        &mut self,
        changes: &[Change],
        watch: &Watch,
        now: Time,
    ) -> Result<(), DirectoryError> {
        let mut batch = Batch { at: now, ..Batch::default() };
        let offset = WallOffset::default();
        self.tracker.handle_changes(changes, watch.roster(), offset, &mut batch.episodes);
        batch.essentials.superseded = std::mem::take(&mut self.tracker.retracted);
        let mut counted = Vec::new();
        if now >= self.next_samples {
            let snapshot = watch.snapshot(now, offset, 0);
            self.tracker.note_unknown(&snapshot, false, &mut batch.episodes);
            self.tracker.note_darknesses(&snapshot, &mut counted);
            batch.samples = samples(&snapshot);
            self.next_samples = now + SAMPLE_INTERVAL;
        }
        let is_due = now >= self.next_write || !batch.episodes.is_empty();
        batch.episodes.append(&mut counted);
        self.backlog.add(batch);
        if is_due { self.write(now) } else { Ok(()) }
    }

    /// Keeps the places among what was found on paths, which is written with what comes next.
    pub fn keep_places(&mut self, events: &[PathEvent], roster: &Roster) {
        let places = place::path_breaks(events, roster, WallOffset::default());
        self.backlog.add(Batch { places, ..Batch::default() });
    }

    /// It is over. The darknesses so far of what flaps still are counted.
    pub fn finish(mut self, watch: &Watch, now: Time) -> Result<(), DirectoryError> {
        let mut batch = Essentials { ended: true, ..Essentials::default() }.at(now);
        let snapshot = watch.snapshot(now, WallOffset::default(), 0);
        self.tracker.note_darknesses(&snapshot, &mut batch.episodes);
        self.backlog.add(batch);
        self.write(now)
    }

    /// How to read it, for people.
    pub fn hint(&self) -> String {
        let directory = self.path.parent().unwrap_or(&self.path).display();
        let began = self.began.to_string();
        let day = began.get(..10).unwrap_or_default();
        format!("kept in {directory}: lifesign episodes --state-dir {directory} --since {day}")
    }

    fn write(&mut self, now: Time) -> Result<(), DirectoryError> {
        let written = self.database.write(&self.backlog, &self.vantage, self.began);
        written.map_err(|error| DirectoryError::Store {
            path: self.path.clone(),
            error: error.into(),
        })?;
        self.backlog = Backlog::default();
        self.next_write = now + WRITE_INTERVAL;
        Ok(())
    }
}
