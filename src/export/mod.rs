//! What other programs and people read over HTTP: metrics for Prometheus, pages, JSON, CSV, feeds
//! and badges, and two answers for supervisors. The present is made from snapshots, and the past
//! read from the store's file, so a slow or greedy reader costs the watch nothing but the snapshot
//! that it holds, and a word on the targets that it looks at.

use lifesign_core::watch::Snapshot;
use metric_sets::MetricSets;
use origin::Origin;
use std::{path::PathBuf, sync::Arc};
use target_queries::TargetAsker;
use tokio::sync::{mpsc, oneshot, watch};

pub mod listener;
pub mod connections;
pub mod http;
pub mod metrics;
mod api;
mod definitions;
pub mod metric_sets;
mod negotiation;
pub mod origin;
pub mod pages;
mod past;
mod render_cache;
mod series;
mod state_json;
pub mod target_queries;

/// Where snapshots come from: None until the first; closed when the watch ends.
pub type SnapshotReceiver = watch::Receiver<Option<Arc<Snapshot>>>;

/// A request to reload the plan. It is answered with what is watched from then on, or with what is
/// wrong with the plan; both may have several lines.
pub type ReloadRequest = oneshot::Sender<Result<String, String>>;

/// Where such requests arrive.
pub type ReloadRequests = mpsc::Receiver<ReloadRequest>;

/// What all that is exported is made from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The present.
    pub snapshots: SnapshotReceiver,
    /// What snapshots leave out.
    pub targets: TargetAsker,
    /// What the plan says.
    pub settings: watch::Receiver<ExportSettings>,
    /// The file with the past; None if there is none.
    pub store: Option<PathBuf>,
    /// Whose pages may show ours in frames.
    pub embed: Vec<Origin>,
}

/// What the plan, and not a snapshot, says of what is exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportSettings {
    /// Where we stand, as the plan calls it.
    pub vantage: String,
    /// Who runs the vantage.
    pub contact: Option<String>,
    /// The metrics that are shown beside those of every plan.
    pub metrics: MetricSets,
    /// If nothing of it is real: what is played, in a sentence.
    pub simulation: Option<String>,
}
