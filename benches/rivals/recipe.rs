//! The usual Prometheus rules on a blackbox probe: which alert fires, from `probe_success`.
//!
//! `avg_over_time(probe_success[5m]) < 0.5` for 1 m is the outage; `changes(probe_success[15m]) >
//! 4` is the flapping. The first is in every collection of rules; for the second there is no
//! custom, so this is the mildest that three cycles reach.

use std::collections::VecDeque;

/// How long from one scrape to the next, in seconds.
pub const SCRAPE: f64 = 15.0;
const AVERAGE: usize = (300.0 / SCRAPE) as usize;
const CHANGES: usize = (900.0 / SCRAPE) as usize;
const FOR: usize = (60.0 / SCRAPE) as usize;
const MOST_CHANGES: usize = 4;

/// The alert that fires after a scrape; an outage goes before flapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alert {
    None,
    Flapping,
    Outage,
}

/// The rules on one series.
#[derive(Clone, Debug, Default)]
pub struct Recipe {
    samples: VecDeque<bool>,
    /// Evaluations in a row that found the average too low.
    pending: usize,
}

impl Recipe {
    /// A scrape, and the evaluation after it.
    pub fn scrape(&mut self, success: bool) -> Alert {
        self.samples.push_front(success);
        self.samples.truncate(CHANGES);
        let seen = self.samples.len().min(AVERAGE);
        let good = self.samples.iter().take(seen).filter(|&&good| good).count();
        self.pending = if 2 * good < seen { self.pending + 1 } else { 0 };
        let pairs = self.samples.iter().zip(self.samples.iter().skip(1));
        let changes = pairs.filter(|(new, old)| new != old).count();
        if self.pending > FOR {
            Alert::Outage
        } else if changes > MOST_CHANGES {
            Alert::Flapping
        } else {
            Alert::None
        }
    }
}
