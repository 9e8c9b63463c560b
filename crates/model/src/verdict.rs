//! What a verdict says: the state, the interval in which it really began, and of a flapping its
//! darknesses.

use crate::{
    per_label::PerLabel,
    time::{Time, WallOffset},
};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

labelled! {
    /// What a scope is found to be (docs/verdicts.md), mildest first: the last that applies is the
    /// verdict.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    State {
        /// Alive, and as good as it usually is.
        Up => "up",
        /// Alive, but loss or round-trip time is clearly above its own baseline.
        Degraded => "degraded",
        /// A part of it lives, and a part that usually does is silent.
        Partial => "partial",
        /// Not reachable just now.
        Down => "down",
        /// Going down and coming up again and again.
        Flapping => "flapping",
        /// Down without one proof of life for `outage_after`.
        Outage => "outage",
        /// We cannot say: just started, or blind ourselves.
        #[default]
        Unknown => "unknown",
    }
}

impl State {
    /// Is it that of one darkness, for however long?
    pub const fn is_dark(self) -> bool {
        match self {
            Self::Down | Self::Outage => true,
            Self::Up | Self::Degraded | Self::Partial | Self::Flapping | Self::Unknown => false,
        }
    }

    /// Is it that of one darkness, or of several?
    pub const fn is_dark_or_flapping(self) -> bool {
        self.is_dark() || matches!(self, Self::Flapping)
    }

    /// Does the scope live, and not only between two darknesses?
    pub const fn is_alive(self) -> bool {
        match self {
            Self::Up | Self::Degraded | Self::Partial => true,
            Self::Down | Self::Flapping | Self::Outage | Self::Unknown => false,
        }
    }
}

/// One of something for each state.
pub type PerState<T> = PerLabel<State, T, { State::ALL.len() }>;

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// The interval in which a change really happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// Not before this: the last proof of the old state. None where we were not watching yet.
    pub earliest: Option<Time>,
    /// Not after this: the first sufficient proof of the new state.
    pub latest: Time,
}

impl Edge {
    /// Of what is known to have happened at this time.
    pub const fn at(time: Time) -> Self {
        Self { earliest: Some(time), latest: time }
    }

    /// Its earliest time; the latest, if it has none.
    pub fn start(self) -> Time {
        self.earliest.unwrap_or(self.latest)
    }

    /// The same, by the wall clock.
    pub fn written(self, offset: WallOffset) -> Self {
        Self {
            earliest: self.earliest.map(|earliest| offset.written(earliest)),
            latest: offset.written(self.latest),
        }
    }

    /// Every time in it.
    pub fn times(&mut self) -> impl Iterator<Item = &mut Time> {
        self.earliest.iter_mut().chain([&mut self.latest])
    }
}

/// The darknesses of one stay in `flapping` that have ended and became no outage. Those before it,
/// from which it is dated, are not among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Darknesses {
    /// How many.
    pub count: u32,
    /// How long they were in all.
    pub length: Duration,
    /// When the first of them began.
    pub first_begin: Option<Edge>,
    /// When the last of them ended.
    pub last_end: Option<Edge>,
}

impl Darknesses {
    /// One of this length, with these edges.
    pub fn one(length: Duration, begin: Edge, end: Option<Edge>) -> Self {
        Self { count: 1, length, first_begin: Some(begin), last_end: end }
    }

    /// The same, by the wall clock.
    pub fn written(self, offset: WallOffset) -> Self {
        let written = |edge: Edge| edge.written(offset);
        Self {
            first_begin: self.first_begin.map(written),
            last_end: self.last_end.map(written),
            ..self
        }
    }

    /// These, and then those.
    pub fn then(self, next: Self) -> Self {
        Self {
            count: self.count + next.count,
            length: self.length + next.length,
            first_begin: self.first_begin.or(next.first_begin),
            last_end: next.last_end.or(self.last_end),
        }
    }
}
