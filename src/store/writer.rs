//! The one thread that writes. In: [`Work`], by a bounded channel. Out: transactions. It never
//! makes the sender wait, and never gives up: what the disk refuses stays in a bounded backlog and
//! is tried again.

use super::{
    backlog::{Backlog, Work},
    file::File,
    history::Histories,
};
use lifesign_core::{time::Time, watch::StoreView};
use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::Duration,
};

/// So much work waits for a disk that stands still.
const WAITING: usize = 256;
/// When so much waits, what was learned is not added: it is large, and only the newest is of use.
const BEHIND: usize = 4;
/// So long the end of a run waits for the disk.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// How often it is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// The writer, as the fold sees it.
#[derive(Debug)]
pub(super) struct Writer {
    work: Option<SyncSender<Work>>,
    /// How much work the thread has not taken yet.
    queued: Arc<AtomicUsize>,
    ended: Receiver<()>,
    history: Receiver<Histories>,
    view: Arc<Mutex<StoreView>>,
}

impl Writer {
    /// Begins to write, with the file if it could be opened.
    pub fn start(
        path: PathBuf,
        file: rusqlite::Result<File>,
        vantage: String,
        began: Time,
    ) -> io::Result<Self> {
        let (work, received) = mpsc::sync_channel(WAITING);
        let view = Arc::new(Mutex::new(StoreView::default()));
        let queued = Arc::new(AtomicUsize::new(0));
        let mut thread_state = WriterThread {
            path,
            file: None,
            vantage,
            began,
            view: view.clone(),
            queued: queued.clone(),
        };
        match file {
            Ok(file) => thread_state.file = Some(file),
            Err(error) => thread_state.failed(&error),
        }
        let (end, ended) = mpsc::channel();
        let (read, history) = mpsc::channel();
        thread::Builder::new().name("store".into()).spawn(move || {
            // First of all, as long as there is nothing of this run. The run does not wait for it.
            if let Some(file) = &thread_state.file {
                let _ = read.send(file.history(began));
            }
            thread_state.run(&received);
            // The last one to close the file puts all of it into one.
            drop(thread_state);
            let _ = end.send(());
        })?;
        Ok(Self { work: Some(work), queued, ended, history, view })
    }

    /// What earlier runs saw, once, when it has been read.
    pub fn history(&self) -> Option<Histories> {
        self.history.try_recv().ok()
    }

    /// Gives work to the thread; if too much waits already, it is lost and counted.
    pub fn write(&self, work: Work) {
        let rows = (work.episodes.len() + work.samples.len()) as u64;
        self.queued.fetch_add(1, Ordering::Relaxed);
        if self.work.as_ref().is_some_and(|queue| queue.try_send(work).is_err()) {
            self.queued.fetch_sub(1, Ordering::Relaxed);
            tell(&self.view, |view| view.lost += rows);
        }
    }

    /// Does the disk take work more slowly than it comes?
    pub fn is_behind(&self) -> bool {
        self.queued.load(Ordering::Relaxed) > BEHIND
    }

    /// How it goes.
    pub fn view(&self) -> StoreView {
        self.view.lock().map(|view| *view).unwrap_or_default()
    }
}

impl Drop for Writer {
    /// Waits until all is written, or has been tried; but not for ever for a disk that stands
    /// still.
    fn drop(&mut self) {
        self.work = None;
        let _ = self.ended.recv_timeout(LAST_WORDS);
    }
}

fn tell(view: &Mutex<StoreView>, what: impl FnOnce(&mut StoreView)) {
    // Nobody panics while holding it.
    if let Ok(mut view) = view.lock() {
        what(&mut view);
    }
}

/// What the thread has.
struct WriterThread {
    path: PathBuf,
    file: Option<File>,
    vantage: String,
    began: Time,
    view: Arc<Mutex<StoreView>>,
    queued: Arc<AtomicUsize>,
}

impl WriterThread {
    fn run(&mut self, work: &Receiver<Work>) {
        let mut backlog = Backlog::default();
        loop {
            let failing = self.view.lock().is_ok_and(|view| view.failing);
            let next = if failing {
                work.recv_timeout(RETRY)
            } else {
                work.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            let over = next.as_ref().is_err_and(|&error| error == RecvTimeoutError::Disconnected);
            let tried = failing && next.is_ok();
            let mut lost = 0;
            for work in next.into_iter().chain(work.try_iter()) {
                self.queued.fetch_sub(1, Ordering::Relaxed);
                lost += backlog.add(work);
            }
            tell(&self.view, |view| view.lost += lost);
            // While it fails, new work alone is no reason to try.
            if (over || !tried) && backlog.at > Time::default() {
                self.write(&mut backlog);
            }
            tell(&self.view, |view| view.waiting = backlog.rows());
            if over {
                return;
            }
        }
    }

    fn write(&mut self, backlog: &mut Backlog) {
        let written = self.open().and_then(|mut file| {
            file.write(backlog, &self.vantage, self.began)?;
            Ok(file)
        });
        match written {
            Ok(file) => {
                self.file = Some(file);
                *backlog = Backlog::default();
                let (mut was_failing, mut lost) = (false, 0);
                tell(&self.view, |view| {
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
            Err(error) => self.failed(&error),
        }
    }

    /// The file as it is, or opened again after a failure.
    fn open(&mut self) -> rusqlite::Result<File> {
        self.file.take().map_or_else(|| File::open(&self.path), Ok)
    }

    /// Counts a failure, and tells of the first in a row.
    fn failed(&mut self, error: &rusqlite::Error) {
        let mut was_failing = false;
        tell(&self.view, |view| {
            view.failures += 1;
            was_failing = std::mem::replace(&mut view.failing, true);
        });
        if !was_failing {
            tracing::error!(
                "cannot write the store {}: {error}; it waits in memory and is tried again",
                self.path.display()
            );
        }
    }
}
