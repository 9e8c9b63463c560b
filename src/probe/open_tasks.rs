//! The tasks of a prober that wait for an answer, each with a socket. When there may be no more of
//! them, the oldest is closed to make room: it has been unanswered for longest, and its late answer
//! would say less than the answer to a new question. To refuse the new question instead would make
//! us blind in a large outage, just when every question stays open.

use super::socket::descriptor_limit;
use std::collections::VecDeque;
use tokio::task::{AbortHandle, JoinHandle};

/// Fewer tasks are not worth a sweep.
const MIN_SWEEP: usize = 16;

/// The open tasks of one prober.
#[derive(Debug)]
pub struct OpenTasks {
    limit: usize,
    /// Oldest first. Finished ones are removed when there are `sweep_at` of them, since each keeps
    /// the memory of its task.
    tasks: VecDeque<AbortHandle>,
    sweep_at: usize,
}

impl OpenTasks {
    /// At most a quarter of the process's file descriptors, so that two probers leave half of them
    /// to everything else, and at most 4096.
    pub fn new() -> Self {
        Self::with_limit((descriptor_limit() / 4).clamp(1, 4096))
    }

    pub(super) fn with_limit(limit: usize) -> Self {
        Self { limit, tasks: VecDeque::new(), sweep_at: MIN_SWEEP }
    }

    /// Closes the oldest if there may be no more. Call it before a socket is opened.
    pub fn make_room(&mut self) {
        if self.tasks.len() >= self.sweep_at.min(self.limit) {
            self.tasks.retain(|task| !task.is_finished());
            self.sweep_at = MIN_SWEEP.max(2 * self.tasks.len());
        }
        if self.tasks.len() >= self.limit
            && let Some(oldest) = self.tasks.pop_front()
        {
            oldest.abort();
        }
    }

    /// Adds a task. It goes on when this is dropped.
    pub fn add(&mut self, task: &JoinHandle<()>) {
        self.tasks.push_back(task.abort_handle());
    }

    /// How many are open.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.tasks.iter().filter(|task| !task.is_finished()).count()
    }
}
