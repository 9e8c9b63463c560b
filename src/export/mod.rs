//! Export. In: [`Snapshot`]s, one after another. Out: what other programs and people read over HTTP: metrics
//! for Prometheus, a page, JSON, and two answers for supervisors. It never reaches back: a reader, however
//! slow or greedy, costs the watch nothing but the snapshot that it holds.

use crate::watch::Snapshot;
use std::sync::Arc;
use tokio::sync::watch;

pub mod http;
pub mod metrics;
pub mod page;
pub mod serve;
pub mod state;
mod families;
mod kept;
mod series;

/// Where snapshots come from: None until the first; closed when the watch ends.
pub type Source = watch::Receiver<Option<Arc<Snapshot>>>;

/// What a reader is told that no snapshot knows.
#[derive(Clone, Debug)]
pub struct Labels {
    /// Where we stand, as the plan calls it.
    pub vantage: String,
    /// Export series per host, which large plans cannot afford.
    pub per_host: bool,
}
