//! The state directory: what an earlier run left is restored at the start, and what the next run
//! needs is written at the end.

use super::Daemon;
use lifesign_core::{judge::Memory, time::Time};
use lifesign_store::Store;
use std::{io, path::PathBuf, time::Duration};

/// A clock that is behind by less than this is none that has to be set.
const MIN_BEHIND: Duration = Duration::from_secs(1);

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
            Store::open(&directory, &self.plan.vantage, offset.written(now))?;
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
        let Some(mut past) = store.found() else { return };
        self.network.names.recall(std::mem::take(&mut past.names));
        if let Some(lasted) = past.lasted() {
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
