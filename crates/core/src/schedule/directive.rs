//! What the judge asks of the schedule ([`Directive`]), and what the schedule gives out ([`Slot`]).

use super::Rank;
use crate::scopes::{BlockId, Scope, TargetId};
use std::time::Duration;

/// A wish of the judge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Directive {
    /// Probe this scope more often, until its next `Escalate` or `Relax`.
    Escalate(Scope, Escalation),
    /// End the scope's escalation.
    Relax(Scope),
    /// Probe each of the country's other blocks once, now: are they gone too, or back too?
    AskSiblings(BlockId, Doubt),
    /// How much a target's turn is worth.
    Rank(TargetId, Rank),
}

/// How a scope in doubt is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escalation {
    pub every: Duration,
    /// From now to the first probe, at the least.
    pub wait: Duration,
    /// How deep into the budget they may go.
    pub doubt: Doubt,
}

/// How much an escalation matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Chance explains it easily, or it decides little.
    Vague,
    /// Chance hardly explains it.
    Strong,
}

/// A target to probe now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot {
    pub target: TargetId,
    /// How late that is.
    pub lag: Duration,
}

/// Slots that were given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    pub missed: u64,
    /// The block's tokens were spent.
    pub over_budget: u64,
}
