//! The state directory: what an earlier run left is restored at the start, and what the next run
//! needs is written at the end.

use super::{Daemon, Failure};
use lifesign_core::{judge::Memory, time::Time};
use lifesign_store::{self as store, Store, TemporaryDirectory};
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Where the store of a run is.
pub(super) enum StateDirectory {
    /// Where the next run finds it; it is locked for this one.
    Kept { path: PathBuf, _lock: Option<File> },
    /// Gone with this run. None if there is no room for one.
    Temporary(Option<TemporaryDirectory>),
}

impl StateDirectory {
    /// The one that was given, else a temporary one.
    pub fn of(given: Option<PathBuf>) -> Result<Self, Failure> {
        if let Some(path) = store::directory(given) {
            return Ok(Self::Kept { _lock: store::lock(&path)?, path });
        }
        let made = TemporaryDirectory::with_prefix("lifesign-").inspect_err(|error| {
            tracing::warn!("no temporary directory, so the pages know no past: {error}");
        });
        Ok(Self::Temporary(made.ok()))
    }

    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Temporary(_))
    }

    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Kept { path, .. } => Some(path),
            Self::Temporary(directory) => directory.as_ref().map(TemporaryDirectory::path),
        }
    }
}

/// A clock that is behind by less than this is none that has to be set.
const MIN_BEHIND: Duration = Duration::from_secs(1);

impl Daemon {
    /// Restores what an earlier run left in this directory. A temporary one is empty.
    pub(super) fn resume(&mut self, state: &StateDirectory) -> io::Result<()> {
        if state.is_temporary() {
            self.stdout_writer
                .write("note: without --state-dir nothing is kept over a restart".into());
        }
        let Some(directory) = state.path() else { return Ok(()) };
        self.store_is_kept = !state.is_temporary();
        let now = self.clock.now();
        let offset = self.clock.wall_offset();
        let (mut store, mut past) =
            Store::open(directory, &self.plan.vantage, offset.written(now))?;
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
        self.network.names.recall(std::mem::take(&mut past.names));
        store.resume(past, recalled, &self.plan.roster, now, offset);
        let contact = self.plan.contact.as_deref();
        store.keep_plan(&self.plan.roster, contact, offset.written(now));
        self.store = Some(store);
        self.say_whether_the_clock_is_behind();
        Ok(())
    }

    /// Goes on with what the previous run left, if it could not be read before.
    pub(super) fn adopt(&mut self, now: Time) {
        let Some(store) = &mut self.store else { return };
        let Some(mut past) = store.take_previous_run() else { return };
        self.network.names.recall(std::mem::take(&mut past.names));
        if let Some(lasted) = past.last_write() {
            self.clock = self.clock.going_on_after(lasted);
            self.stdout_writer.write(format!("goes on with what was open at {lasted}"));
        }
        store.adopt(past, &self.watch, now, self.clock.wall_offset());
        self.say_whether_the_clock_is_behind();
    }

    /// Says once when the clock is behind what the store knows, and once when it is so no more.
    pub(super) fn say_whether_the_clock_is_behind(&mut self) {
        let behind = self.clock.behind();
        let is_behind = behind >= MIN_BEHIND;
        if std::mem::replace(&mut self.clock_is_behind, is_behind) == is_behind {
            return;
        }
        self.stdout_writer.write(if is_behind {
            format!(
                "note: the clock is {} s behind what the store knows: times go on from there, and \
                 are corrected once it is set",
                behind.as_secs()
            )
        } else {
            "the clock is set: what was written since the start is corrected".into()
        });
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
