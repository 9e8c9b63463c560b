//! What one run hands to the next. Counts, windows and turns begin anew.

use super::Watch;
use crate::{judge::Memory, time::Time};

impl Watch {
    /// What the next run should know. `wall_offset` is `Clock::wall_offset`.
    pub fn remember(&self, now: Time, wall_offset: i64) -> Memory {
        self.judge.remember(now, wall_offset)
    }

    /// Goes on from what an earlier run knew, before anything has happened; false if that is of no
    /// use any more.
    pub fn recall(&mut self, memory: Memory, now: Time) -> bool {
        let recalled = self.judge.recall(memory, now);
        self.apply_directives(now);
        recalled
    }
}
