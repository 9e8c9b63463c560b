//! The thread that writes the store. Nobody who hands it work waits for the disk. What the disk
//! refuses stays in a bounded backlog and is tried again.

use super::{
    PreviousRun, StoreError,
    backlog::{Backlog, Batch, Essentials},
    database::{Database, is_damage, move_aside},
    history::Histories,
};
use lifesign_core::{time::Time, watch::StoreView};
use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// How many batches wait for a disk that hangs.
const QUEUE_CAPACITY: usize = 256;
/// With more batches than this in the queue, the judge's memory is not added: it is large, and only
/// the newest is of use.
const MAX_QUEUED: usize = 4;
/// How long after a failure it is tried again.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// The thread, as seen from outside.
#[derive(Debug)]
pub(super) struct StoreWriter {
    queue: Option<SyncSender<Batch>>,
    /// How many batches the thread has not taken yet.
    queued: Arc<AtomicUsize>,
    /// What goes with the next batch, since the queue was full.
    kept: Batch,
    thread: Option<JoinHandle<()>>,
    history: Receiver<Histories>,
    previous_run: Receiver<PreviousRun>,
    view: Arc<Mutex<StoreView>>,
}

impl StoreWriter {
    /// Starts the thread, with the database if it could be opened.
    pub fn start(
        path: PathBuf,
        database: Result<(Database, PreviousRun), StoreError>,
        vantage: String,
        began: Time,
    ) -> io::Result<(Self, PreviousRun)> {
        let (queue, batches) = mpsc::sync_channel(QUEUE_CAPACITY);
        let view = Arc::new(Mutex::new(StoreView::default()));
        let queued = Arc::new(AtomicUsize::new(0));
        let mut writer = WriterThread {
            path,
            database: None,
            present: Backlog::default(),
            earlier: None,
            vantage,
            began,
            view: view.clone(),
            queued: queued.clone(),
        };
        let (history_sender, history) = mpsc::channel();
        let (previous_run_sender, previous_run) = mpsc::channel();
        let mut previous = PreviousRun::default();
        match database {
            Ok((database, left)) => {
                writer.database = Some(database);
                writer.present.add(still_so(&left));
                previous = left;
            }
            Err(error) => {
                writer.count_failure(&error);
                writer.earlier = Some((previous_run_sender, history_sender.clone()));
            }
        }
        let thread = thread::Builder::new().name("store".into()).spawn(move || {
            // Before this run has written anything.
            if let Some(database) = &writer.database {
                let _ = history_sender.send(database.history(began));
            }
            // Closing the last connection, at its end, moves the write-ahead log into the file.
            writer.run(&batches);
        })?;
        let kept = Batch::default();
        let thread = Some(thread);
        let queue = Some(queue);
        Ok((Self { queue, queued, kept, thread, history, previous_run, view }, previous))
    }

    /// What the previous run left, if the file could not be opened at the start: returned once,
    /// when it could.
    pub fn take_previous_run(&self) -> Option<PreviousRun> {
        self.previous_run.try_recv().ok()
    }

    /// What earlier runs saw: returned once, after the thread has read it.
    pub fn history(&self) -> Option<Histories> {
        self.history.try_recv().ok()
    }

    /// Queues a batch. If the queue is full, its episodes, places and samples are lost, which is
    /// counted; the rest goes with the next one.
    pub fn write(&mut self, batch: Batch) {
        let Some(queue) = &self.queue else { return };
        let mut kept = std::mem::take(&mut self.kept.essentials);
        kept.add(batch.essentials);
        let batch = Batch { essentials: kept, ..batch };
        self.queued.fetch_add(1, Ordering::Relaxed);
        if let Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch)) =
            queue.try_send(batch)
        {
            self.queued.fetch_sub(1, Ordering::Relaxed);
            let rows = batch.episodes.len() + batch.places.len() + batch.samples.len();
            update(&self.view, |view| view.lost += rows as u64);
            self.kept = batch.essentials.at(batch.at);
        }
    }

    /// Do batches come faster than the disk takes them?
    pub fn is_behind(&self) -> bool {
        self.queued.load(Ordering::Relaxed) > MAX_QUEUED
    }

    /// Has the thread ended, by a fault of ours?
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_some_and(JoinHandle::is_finished)
    }

    /// How the writing goes.
    pub fn view(&self) -> StoreView {
        self.view.lock().map(|view| *view).unwrap_or_default()
    }
}

impl Drop for StoreWriter {
    /// Waits until everything is written or has failed. For a disk that hangs this is forever: how
    /// long the end of a run may take is the daemon's to say.
    fn drop(&mut self) {
        if let Some(queue) = self.queue.take() {
            self.queued.fetch_add(1, Ordering::Relaxed);
            let _ = queue.send(std::mem::take(&mut self.kept));
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What a previous run left that this one may not write again.
fn still_so(previous: &PreviousRun) -> Batch {
    let episodes = previous.open_episodes.clone();
    let essentials = Essentials { names: previous.names.clone(), ..Essentials::default() };
    Batch { essentials, episodes, ..Batch::default() }
}

fn update(view: &Mutex<StoreView>, change: impl FnOnce(&mut StoreView)) {
    // Nobody panics while holding it.
    if let Ok(mut view) = view.lock() {
        change(&mut view);
    }
}

/// What the thread owns.
struct WriterThread {
    path: PathBuf,
    database: Option<Database>,
    /// What the file says that is so still, for one that takes its place if it is damaged.
    present: Backlog,
    /// For what earlier runs left, until the file can be opened for the first time.
    earlier: Option<(Sender<PreviousRun>, Sender<Histories>)>,
    vantage: String,
    began: Time,
    view: Arc<Mutex<StoreView>>,
    queued: Arc<AtomicUsize>,
}

impl WriterThread {
    fn run(&mut self, batches: &Receiver<Batch>) {
        let mut backlog = Backlog::default();
        loop {
            let failing = self.view.lock().is_ok_and(|view| view.failing);
            let next = if failing {
                batches.recv_timeout(RETRY_INTERVAL)
            } else {
                batches.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            let last = next.as_ref().is_err_and(|&error| error == RecvTimeoutError::Disconnected);
            // After a failure, a new batch does not bring the retry forward.
            let postponed = failing && next.is_ok();
            let mut lost = 0;
            for batch in next.into_iter().chain(batches.try_iter()) {
                self.queued.fetch_sub(1, Ordering::Relaxed);
                for correction in &batch.essentials.corrections {
                    self.began = correction.of(self.began);
                }
                lost += backlog.add(batch);
            }
            update(&self.view, |view| view.lost += lost);
            if (last || !postponed) && backlog.at > Time::default() {
                self.write(&mut backlog);
            }
            update(&self.view, |view| view.waiting = backlog.rows());
            if last {
                return;
            }
        }
    }

    fn write(&mut self, backlog: &mut Backlog) {
        let written = self.open(backlog).and_then(|mut database| {
            database.write(backlog, &self.vantage, self.began)?;
            Ok(database)
        });
        match written {
            Ok(database) => {
                self.database = Some(database);
                self.present.add(std::mem::take(backlog).into());
                self.present.keep_present();
                let mut was_failing = false;
                let mut lost = 0;
                update(&self.view, |view| {
                    was_failing = std::mem::take(&mut view.failing);
                    lost = view.lost;
                });
                if was_failing {
                    tracing::info!(
                        "the store {} is written again; {lost} rows were lost",
                        self.path.display()
                    );
                }
            }
            Err(error) => {
                if is_damage(&error) {
                    move_aside(&self.path, backlog.at, &error);
                }
                self.count_failure(&error);
            }
        }
    }

    /// The open database; after a failure it is opened again. If nobody has written in the file, it
    /// begins with what the one before it said.
    fn open(&mut self, backlog: &mut Backlog) -> Result<Database, StoreError> {
        if let Some(database) = self.database.take() {
            return Ok(database);
        }
        let (database, previous) = Database::open_whole(&self.path, backlog.at)?;
        if previous.last_write.is_none() {
            let waiting = std::mem::replace(backlog, std::mem::take(&mut self.present));
            let lost = backlog.add(waiting.into());
            update(&self.view, |view| view.lost += lost);
        }
        // Nobody reads it when the run ends meanwhile.
        if let Some((previous_run, history)) = self.earlier.take() {
            self.present.add(still_so(&previous));
            let _ = history.send(database.history(self.began));
            let _ = previous_run.send(previous);
        }
        Ok(database)
    }

    /// Counts a failure, and logs the first in a row.
    fn count_failure(&mut self, error: &StoreError) {
        let mut was_failing = false;
        update(&self.view, |view| {
            view.failures += 1;
            was_failing = std::mem::replace(&mut view.failing, true);
        });
        if !was_failing {
            tracing::error!(
                "cannot write the store {}: {error}; kept in memory, and tried again",
                self.path.display()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::correction::Correction;
    use super::*;
    use crate::TemporaryDirectory;
    use lifesign_core::scopes::{Maintenance, Remarks};
    use lifesign_incident::fixtures::{at, outage};
    use std::{
        collections::{BTreeMap, HashMap},
        fs,
    };

    fn window(from: u64, to: u64) -> Maintenance {
        Maintenance { from: at(from), to: at(to), reason: None }
    }

    /// It has been so since before the file was damaged, and nothing of it changes.
    #[test]
    fn a_file_in_the_place_of_a_damaged_one_begins_with_what_is_so() {
        let directory = TemporaryDirectory::with_prefix("lifesign-store-anew-").unwrap();
        let path = directory.path().join("lifesign.db");
        let mut thread = WriterThread {
            path: path.clone(),
            database: None,
            present: Backlog::default(),
            earlier: None,
            vantage: "lab".into(),
            began: at(0),
            view: Arc::default(),
            queued: Arc::default(),
        };
        let names: HashMap<_, _> = [("a.example".into(), vec![[192, 0, 2, 1].into()])].into();
        let recalled = PreviousRun {
            open_episodes: vec![outage("JP", None), outage("LA", None)],
            names: names.clone(),
            ..PreviousRun::default()
        };
        thread.present.add(still_so(&recalled));
        let episodes = vec![outage("KP", None), outage("JP", Some(500)), outage("CN", Some(500))];
        let mut backlog = Backlog::default();
        let essentials = Essentials {
            countries: [("KP".into(), "North Korea".into())].into(),
            scopes: [("KP".into(), "KP".into())].into(),
            remarks: Some(Remarks { contact: Some("us".into()), ..Remarks::default() }),
            maintenance: vec![(vec![("KP".into(), window(900, 990))], at(5))],
            ..Essentials::default()
        };
        backlog.add(Batch { episodes, ..essentials.at(at(600)) });
        thread.write(&mut backlog);
        for second in [660, 720] {
            assert!(!thread.view.lock().unwrap().failing);
            thread.database = None;
            fs::write(&path, "no database, but a text that is longer than a header of one")
                .unwrap();
            backlog.at = at(second);
            thread.write(&mut backlog);
            let mut previous = Database::open(&path).unwrap().previous_run().unwrap();
            previous.open_episodes.sort_by(|one, other| one.scope.cmp(&other.scope));
            assert_eq!(previous.open_episodes, [outage("KP", None), outage("LA", None)]);
            assert_eq!((previous.names, previous.last_write), (names.clone(), Some(at(second))));
            let connection = rusqlite::Connection::open(&path).unwrap();
            for (table, rows) in
                [("episode", 2), ("country", 1), ("scope", 1), ("plan", 1), ("maintenance", 1)]
            {
                let sql = format!("SELECT count(*) FROM {table}");
                let found: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
                assert_eq!(found, rows, "{table}");
            }
        }
    }

    #[test]
    fn a_full_queue_loses_rows_which_are_counted_and_nothing_else() {
        let (queue, batches) = mpsc::sync_channel(1);
        let mut writer = StoreWriter {
            queue: Some(queue),
            queued: Arc::default(),
            kept: Batch::default(),
            thread: None,
            history: mpsc::channel().1,
            previous_run: mpsc::channel().1,
            view: Arc::default(),
        };
        let names: HashMap<_, _> = [("a.example".into(), vec![[192, 0, 2, 1].into()])].into();
        let countries: BTreeMap<_, _> = [("KP".into(), "North Korea".into())].into();
        let corrections = vec![Correction { since: at(0), millis: 600_000 }];
        let superseded = |seconds| vec![("KP".to_owned(), at(seconds))];
        let essentials = Essentials::default;
        writer.write(Batch::default());
        for lost in [
            Essentials { superseded: superseded(5), ..essentials() },
            Essentials { names: names.clone(), countries: countries.clone(), ..essentials() },
            Essentials { corrections: corrections.clone(), ..essentials() },
        ] {
            let is_first = !lost.superseded.is_empty();
            let episodes = if is_first { vec![outage("KP", None)] } else { Vec::new() };
            writer.write(Batch { episodes, ..lost.at(Time::default()) });
        }
        assert_eq!(writer.view().lost, 1);
        batches.recv().unwrap();
        writer.write(Essentials { superseded: superseded(606), ..essentials() }.at(at(606)));
        let next = batches.recv().unwrap();
        assert_eq!((next.at, next.episodes.len()), (at(606), 0));
        let next = next.essentials;
        assert_eq!((next.names, next.countries), (names, countries));
        assert_eq!(next.corrections, corrections);
        assert_eq!(next.superseded, [superseded(605), superseded(606)].concat());
        writer.write(Batch::default());
        assert!(batches.recv().unwrap().essentials.corrections.is_empty());
    }
}
