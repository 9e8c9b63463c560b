//! Which metrics `/metrics` shows. A few say what is so in each block; the others help to see why,
//! and are many: a plan of thousands of blocks has them only if it says so.

use std::collections::BTreeSet;

/// Metrics that are shown beside those of every plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetricSet {
    /// Round-trip times in buckets.
    Buckets,
    /// Of each host.
    Hosts,
    /// Outcomes that are rare or no evidence.
    Outcomes,
    /// Hop limits of replies, and return paths that moved.
    Paths,
    /// Why packets about a block were rejected, or not sent.
    Reasons,
    /// How often and for how long a scope was in each state.
    States,
    /// Loss and round-trip times of the last minute and the last hour, beside those of five
    /// minutes.
    Windows,
}

/// Those that are shown.
pub type MetricSets = BTreeSet<MetricSet>;

impl MetricSet {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Buckets,
        Self::Hosts,
        Self::Outcomes,
        Self::Paths,
        Self::Reasons,
        Self::States,
        Self::Windows,
    ];

    /// Its key in the plan.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Buckets => "buckets",
            Self::Hosts => "hosts",
            Self::Outcomes => "outcomes",
            Self::Paths => "paths",
            Self::Reasons => "reasons",
            Self::States => "states",
            Self::Windows => "windows",
        }
    }
}
