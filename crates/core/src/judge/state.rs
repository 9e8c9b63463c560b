//! What a verdict is made of: [`State`], [`Edge`] and [`Change`].

use crate::{scopes::Scope, time::Time};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a scope is found to be (docs/verdicts.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Alive, and as good as it usually is.
    Up,
    /// Alive, but loss or round-trip time is clearly above its own baseline.
    Degraded,
    /// A country of which some blocks are in outage and others alive.
    Partial,
    /// Not reachable just now.
    Down,
    /// Going down and coming up again and again.
    Flapping,
    /// Down without one proof of life for `outage_after`.
    Outage,
    /// We cannot say: just started, or blind ourselves.
    Unknown,
}

impl State {
    /// Every state, mildest first: the last that applies is the verdict (docs/verdicts.md).
    pub const ALL: [State; 7] = [
        State::Up,
        State::Degraded,
        State::Partial,
        State::Down,
        State::Flapping,
        State::Outage,
        State::Unknown,
    ];

    /// Its name in metrics, journal and JSON.
    pub const fn label(self) -> &'static str {
        match self {
            State::Up => "up",
            State::Degraded => "degraded",
            State::Partial => "partial",
            State::Down => "down",
            State::Flapping => "flapping",
            State::Outage => "outage",
            State::Unknown => "unknown",
        }
    }

    /// The state of this name.
    pub fn from_label(label: &str) -> Option<Self> {
        State::ALL.into_iter().find(|state| state.label() == label)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// The interval in which a change really happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// Not before this: the last proof of the old state. None where we were not watching yet.
    pub earliest: Option<Time>,
    /// Not after this: the first sufficient proof of the new state.
    pub latest: Time,
}

/// One change of a verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// When the judge decided.
    pub time: Time,
    /// About what.
    pub scope: Scope,
    /// The old state.
    pub from: State,
    /// The new state.
    pub to: State,
    /// When it really happened.
    pub edge: Edge,
    /// On what evidence, for people.
    pub evidence: String,
}
