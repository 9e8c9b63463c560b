//! What outlives the run. In: what an earlier run left in the state directory. Out: a watch that
//! goes on from there, and at the end what the next run needs. It never keeps a run from beginning,
//! unless another writes there, and says what it goes on with.

use super::{Failure, Run};
use crate::store::Store;
use lifesign_core::judge::Memory;
use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// Takes this directory for one run, for as long as it holds on to what it gets. The lock is the
/// system's and lies on the directory itself: nothing is left of it when a run ends, however it
/// ends, and readers do not ask for it.
pub(super) fn claim(directory: &Path) -> Result<Option<File>, Failure> {
    // Whatever else is in the way of this is in the way of the store too, which says so.
    let place = fs::create_dir_all(directory).and_then(|()| File::open(directory)).ok();
    match place.as_ref().map(File::try_lock) {
        Some(Err(TryLockError::WouldBlock)) => Err(Failure::Taken(directory.to_owned())),
        _ => Ok(place),
    }
}

impl Run {
    /// Goes on from what an earlier run left in this directory.
    pub(super) fn resume(&mut self, directory: Option<PathBuf>) -> io::Result<()> {
        let Some(directory) = directory else {
            self.verdict_writer
                .say("note: without --state-dir nothing is kept over a restart".into());
            return Ok(());
        };
        let (now, offset) = (self.clock.now(), self.clock.wall_offset());
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
            self.verdict_writer.say(format!("{words} what was known at {taken}"));
        }
        store.resume(past, recalled, &self.plan.roster, now, offset);
        self.store = Some(store);
        Ok(())
    }

    /// What is known at the end is for the next run.
    pub(super) fn end(&mut self) {
        self.systemd.stopping();
        let (now, offset) = (self.clock.now(), self.clock.wall_offset());
        if let Some(store) = self.store.take() {
            store.finish(&self.watch, now, offset);
        }
    }
}
