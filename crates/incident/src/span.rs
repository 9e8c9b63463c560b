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
    /// How long it lasted, between the middles of its edges, and by how much that may be wrong to
    /// either side. An open one lasts up to `now`.
    pub fn length(self, now: Time) -> (Duration, Duration) {
        let (begin, begin_half) = middle(self.begin);
        let (end, end_half) = self.end.map_or((now, Duration::ZERO), middle);
        (end.since(begin), begin_half + end_half)
    }
}

/// The middle of an edge, and half its width. An edge without an earliest time has no width.
pub fn middle(edge: Edge) -> (Time, Duration) {
    let half = edge.latest.since(edge.earliest.unwrap_or(edge.latest)) / 2;
    (edge.latest - half, half)
}
