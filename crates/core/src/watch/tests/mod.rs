//! The whole core in virtual time, in small worlds of its own.

use super::{EventRecord, Settings, TargetView, Watch};

mod counts;
mod halts;
mod neighbours;
mod one_host;
mod plausible;
mod repeats;
mod read_late;
mod replan;
mod schedule;
mod traps;
mod verdicts;

/// The own numbers of all targets.
fn target_views(watch: &Watch) -> Vec<TargetView> {
    watch.target_views(0..watch.roster().targets.len() as u32)
}
