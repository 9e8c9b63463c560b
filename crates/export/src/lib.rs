//! What other programs and people read over HTTP: metrics for Prometheus, pages, JSON, CSV, feeds
//! and badges, and two answers for supervisors. The present is made from snapshots, and the past
//! read from the store's file, so a slow or greedy reader costs the watch nothing but the snapshot
//! that it holds, and a word on the targets that it looks at.

#![warn(clippy::unwrap_used)]

use tokio::sync::{mpsc, oneshot};

mod error_response;
pub mod metric_sets;
pub mod origin;
pub mod target_queries;
mod sources;
pub mod listener;
pub mod connections;
mod negotiation;
mod render_cache;
mod series;
mod definitions;
pub mod metrics;
mod api;
mod past;
mod path_json;
mod state_json;
pub mod pages;
pub mod http;

pub use sources::{ExportSettings, SnapshotReceiver, Sources};

/// A request to reload the plan. It is answered with what is watched from then on, or with what is
/// wrong with the plan; both may have several lines.
pub type ReloadRequest = oneshot::Sender<Result<String, String>>;

/// Where such requests arrive.
pub type ReloadRequests = mpsc::Receiver<ReloadRequest>;
