//! What all that is exported is made from.

use crate::{
    error_response::ErrorResponse, metric_sets::MetricSets, origin::Origin,
    target_queries::TargetAsker,
};
use axum::http::StatusCode;
use lifesign_core::watch::Snapshot;
use std::{path::PathBuf, sync::Arc};
use tokio::sync::watch;

/// Where snapshots come from: None until the first; closed when the watch ends.
pub type SnapshotReceiver = watch::Receiver<Option<Arc<Snapshot>>>;

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

/// The newest snapshot. Its lock is held for one reference count.
pub fn newest(snapshots: &SnapshotReceiver) -> Result<Arc<Snapshot>, ErrorResponse> {
    let missing = || (StatusCode::SERVICE_UNAVAILABLE, "the watch has not begun\n".into());
    snapshots.borrow().clone().ok_or_else(missing)
}
