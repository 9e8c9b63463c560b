//! The words between the schedule and its callers. In: nothing. Out: [`Directive`]s, which the
//! judge asks for, and [`Slot`]s, which the schedule gives out. It never decides anything.

use super::Rank;
use crate::scopes::{BlockId, Scope, TargetId};
use std::time::Duration;

/// Where the judge wants to look closer, or no longer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Directive {
    /// Ask within this scope so, until told otherwise.
    Escalate(Scope, Escalation),
    /// The scope is in no doubt any more.
    Relax(Scope),
    /// Ask each of the country's other blocks once, now: are they gone too, or back too?
    AskSiblings(BlockId, Doubt),
    /// How much a target's turn is worth.
    Rank(TargetId, Rank),
}

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// How far apart the probes are.
    pub every: Duration,
    /// How long from now the first is, at the least.
    pub wait: Duration,
    /// How deep into the budget they may go.
    pub doubt: Doubt,
}

/// How much a closer look matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Chance explains it easily, or it decides little.
    Vague,
    /// Chance hardly explains it.
    Strong,
}

/// A target to ask now, and how late its slot is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot {
    /// Whom.
    pub target: TargetId,
    /// How long after its slot it is given out.
    pub lag: Duration,
}

/// Slots that were given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// After a stall.
    pub missed: u64,
    /// The block's tokens were spent.
    pub over_budget: u64,
}
