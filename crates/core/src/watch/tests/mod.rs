//! The whole core in virtual time, in small worlds of its own.

use super::{EventRecord, Settings, TargetView, Watch};
use crate::{fixtures::start, outcome::Due, time::Time};

mod counts;
mod halts;
mod neighbours;
mod one_host;
mod plausible;
mod repeats;
mod read_late;
mod recorded;
mod replan;
mod schedule;
mod snapshots;
mod traps;
mod verdicts;

/// The own numbers of all targets.
fn target_views(watch: &Watch) -> Vec<TargetView> {
    watch.target_views(0..watch.roster().targets.len() as u32)
}

/// The first probe, and when it is sent.
fn first_probe(watch: &mut Watch) -> (Time, Due) {
    let mut now = start();
    loop {
        now = watch.poll_timeout().max(now);
        watch.handle_timeout(now, now);
        if let Some(due) = watch.poll_probe(now) {
            return (now, due);
        }
    }
}
