//! What the judge asks of the schedule ([`Directive`]), and what the schedule gives out ([`Slot`]).

use super::Rank;
use lifesign_model::{
    scopes::{BlockId, CountryId, Scope, TargetId},
    time::Time,
};
use std::time::Duration;

/// A wish of the judge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Directive {
    /// Probe this scope more often, until its next `Escalate` or `Relax`.
    Escalate(Scope, Escalation),
    /// End the scope's escalation.
    Relax(Scope),
    /// Probe this target once, so much later.
    Ask(TargetId, Duration),
    /// Probe the block once, now: whoever can best tell whether it lives.
    AskBlock(BlockId),
    /// Probe some of the country's other blocks once, now: are they gone too?
    AskSiblings(BlockId),
    /// Probe each other country once, unless that was done just now: are they gone too?
    AskCountries(CountryId),
    /// The scope is dark while what it lies in lives: its silence tells nothing of that.
    Exclude(Scope, bool),
    /// How much a target's turn is worth.
    Rank(TargetId, Rank),
}

/// How a scope in doubt is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// How far apart they are.
    pub spacing: Spacing,
    /// From now to the first probe, at the least.
    pub wait: Duration,
    /// How deep into the budget they may go.
    pub doubt: Doubt,
    /// One probe in so many goes again to the host heard last.
    pub newest_every: u32,
}

/// How far apart the probes of an escalation are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// One after each such time.
    Every(Duration),
    /// So many probes, evenly between these times, but no closer than `least`.
    Spread {
        /// When the first would be due.
        from: Time,
        /// By when the last is due.
        until: Time,
        /// How many there are.
        probes: u32,
        /// They are no closer together than this.
        least: Duration,
    },
}

impl Spacing {
    /// From its last probe to the next.
    pub fn after(self, last: Time) -> Duration {
        match self {
            Self::Every(interval) => interval,
            Self::Spread { from, until, probes, least } => {
                // Rounded up: the last of them must not come a hair before `until`.
                let nanos = until.since(from.max(last)).as_nanos() as u64;
                Duration::from_nanos(nanos.div_ceil(u64::from(probes.max(1)))).max(least)
            }
        }
    }
}

/// How much an escalation matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The first miss of a block: where probes are saved up for doubts, one more tells whether only
    /// its host had gone.
    First,
    /// Chance explains it easily, or it decides little.
    Vague,
    /// Chance hardly explains it.
    Strong,
}

/// A target to probe now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot {
    /// Who is probed.
    pub target: TargetId,
    /// How late that is.
    pub lag: Duration,
}

/// Slots that were given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// That passed while nobody looked.
    pub missed: u64,
    /// The block's tokens were spent.
    pub over_budget: u64,
}
