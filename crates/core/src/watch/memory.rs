//! From one run to the next. In: a watch, or what an earlier one knew. Out: the same, the other way
//! round. Counts, windows and turns begin anew; it never reads a file.

use super::Watch;
use crate::{judge::Memory, time::Time};

impl Watch {
    /// What is worth knowing to the next run. `wall_offset` is `Clock::wall_offset`.
    pub fn remember(&self, now: Time, wall_offset: i64) -> Memory {
        self.judge.remember(now, wall_offset)
    }

    /// Goes on from what an earlier run knew, before anything has happened; false if that is of no
    /// use any more.
    pub fn recall(&mut self, memory: Memory, now: Time) -> bool {
        let recalled = self.judge.recall(memory, now);
        self.obey(now);
        recalled
    }
}
