//! What a plan means for the core, and for those who read over HTTP.

use super::random_bits;
use crate::config::Plan;
use lifesign_core::watch::Settings;
use lifesign_export::{ExportSettings, metric_sets::MetricSet};

pub(super) fn export_settings(plan: &Plan) -> ExportSettings {
    ExportSettings {
        vantage: plan.vantage.clone(),
        contact: plan.contact.clone(),
        metrics: plan.metrics.clone(),
        simulation: None,
    }
}

/// The core's settings. Without a socket to ping the controls, they do not count.
pub(super) fn core_settings(plan: &Plan, controls: bool) -> Settings {
    Settings {
        budget: Some(plan.budget),
        rules: plan.rules,
        controls: if controls { plan.controls.clone() } else { Vec::new() },
        seed: random_bits(),
        histograms: plan.metrics.contains(&MetricSet::Buckets),
    }
}
