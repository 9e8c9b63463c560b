//! The state directory: what an earlier run left is restored at the start, and what the next run
//! needs is written at the end. Only a directory that another run uses keeps a run from beginning.

use super::{Daemon, Failure};
use crate::store::Store;
use lifesign_core::judge::Memory;
use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// Locks this directory for one run, until the returned file is dropped. It is the system's lock on
/// the directory itself: nothing is left of it when a run ends, however it ends, and readers do not
/// need it.
pub(super) fn lock(directory: &Path) -> Result<Option<File>, Failure> {
    // Any other error also keeps the store from opening, which reports it.
    let file = fs::create_dir_all(directory).and_then(|()| File::open(directory)).ok();
    match file.as_ref().map(File::try_lock) {
        Some(Err(TryLockError::WouldBlock)) => {
            Err(Failure::StateDirectoryInUse(directory.to_owned()))
        }
        _ => Ok(file),
    }
}

impl Daemon {
    /// Restores what an earlier run left in this directory.
    pub(super) fn resume(&mut self, directory: Option<PathBuf>) -> io::Result<()> {
        let Some(directory) = directory else {
            self.stdout_writer
                .write("note: without --state-dir nothing is kept over a restart".into());
            return Ok(());
        };
        let now = self.clock.now();
        let offset = self.clock.wall_offset();
        let (mut store, mut past) =
            Store::open(&directory, &self.plan.vantage, now.shifted(offset))?;
        let memory = past.memory.take();
        let taken = memory.as_ref().map(Memory::taken);
        let recalled = memory.is_some_and(|memory| self.watch.recall(memory, now));
        if let Some(taken) = taken {
            let words = if recalled {
                "goes on from"
            } else {
                "begins anew: nothing is left to go on with of"
            };
            self.stdout_writer.write(format!("{words} what was known at {taken}"));
        }
        store.resume(past, recalled, &self.plan.roster, now, offset);
        self.store = Some(store);
        Ok(())
    }

    /// Writes what the next run needs.
    pub(super) fn finish(mut self) {
        self.systemd.stopping();
        // Whoever asks from now on must not be told that the watch goes on.
        drop(self.publishers);
        let now = self.clock.now();
        let offset = self.clock.wall_offset();
        if let Some(store) = self.store.take() {
            store.finish(&self.watch, now, offset);
        }
    }
}
