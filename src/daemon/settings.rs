//! What a plan means for the core, and for those who read over HTTP.

use super::random_bits;
use crate::{config::Plan, export::ExportSettings};
use lifesign_core::watch::Settings;

/// In plans up to this many targets every host has series of its own, unless the plan says
/// otherwise.
const MAX_TARGETS_PER_HOST_METRICS: usize = 500;

/// The same of blocks and the reasons of what was rejected or not sent.
const MAX_BLOCKS_PER_BLOCK_REASONS: usize = 500;

pub(super) fn export_settings(plan: &Plan) -> ExportSettings {
    let per_host =
        plan.per_host_metrics.unwrap_or(plan.roster.targets.len() <= MAX_TARGETS_PER_HOST_METRICS);
    let per_block_reasons =
        plan.per_block_reasons.unwrap_or(plan.roster.blocks.len() <= MAX_BLOCKS_PER_BLOCK_REASONS);
    ExportSettings {
        vantage: plan.vantage.clone(),
        contact: plan.contact.clone(),
        per_host,
        per_block_reasons,
        simulation: None,
    }
}

/// The core's settings. Without a socket to ping the controls, they do not count.
pub(super) fn core_settings(plan: &Plan, controls: bool) -> Settings {
    Settings {
        budget: Some(plan.budget),
        rules: plan.rules,
        controls: if controls { plan.controls.clone() } else { Vec::new() },
        seed: random_bits(1),
    }
}
