//! From when to when something was, to within what is known.

use lifesign_core::{judge::Edge, time::Time};
use std::time::Duration;

/// What began at one edge and ended at another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// When it began.
    pub begin: Edge,
    /// When it ended; None while it goes on.
    pub end: Option<Edge>,
}

impl Span {
    /// How long it lasted, between the middles of its edges. An open one lasts up to `now`.
    pub fn length(self, now: Time) -> Duration {
        self.end.map_or(now, middle).since(middle(self.begin))
    }

    /// By how much its length may be wrong to either side.
    pub fn uncertainty(self) -> Duration {
        half_width(self.begin) + self.end.map_or(Duration::ZERO, half_width)
    }
}

/// The middle of an edge.
pub fn middle(edge: Edge) -> Time {
    edge.latest - half_width(edge)
}

/// Half the width of an edge. One without an earliest time has no width.
pub fn half_width(edge: Edge) -> Duration {
    edge.latest.since(edge.start()) / 2
}
