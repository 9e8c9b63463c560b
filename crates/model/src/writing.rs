//! How the writing of what is kept goes.

/// Lines that were lost, because a disk or a reader did not take them in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinesLost {
    /// Of the journal; None without one.
    pub journal: Option<u64>,
    /// Of standard output.
    pub stdout: u64,
}

/// How the writing of the store goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreView {
    /// The last try failed.
    pub failing: bool,
    /// How many tries failed.
    pub failures: u64,
    /// Rows that wait to be written.
    pub waiting: u64,
    /// Rows that will never be written, since too many waited.
    pub lost: u64,
}
