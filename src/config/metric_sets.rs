//! `[metrics]`: which metrics there are beside the few of every plan.

use super::Plan;
use lifesign_core::scopes::Roster;
use lifesign_document::{Table, Value};
use lifesign_export::metric_sets::{MetricSet, MetricSets};

/// In plans of up to this many blocks all are shown, unless the plan says otherwise.
const SMALL: usize = 50;
/// But those of hosts in plans of up to this many targets.
const FEW_TARGETS: usize = 500;

/// Reads `[metrics]`.
pub(super) fn metric_sets(root: Table<'_>, roster: &Roster) -> MetricSets {
    let keys = MetricSet::ALL.map(MetricSet::label);
    let table = root.section("metrics", &keys);
    let is_small = roster.blocks.len() <= SMALL;
    let is_shown = |set: &MetricSet| {
        let said = table.and_then(|table| table.get(set.label()).and_then(Value::flag));
        let few = *set != MetricSet::Hosts || roster.targets.len() <= FEW_TARGETS;
        said.unwrap_or(is_small && few)
    };
    MetricSet::ALL.into_iter().filter(is_shown).collect()
}

impl Plan {
    /// Which metrics there are, for people.
    pub fn metrics_in_words(&self) -> String {
        let missing = MetricSet::ALL.into_iter().filter(|set| !self.metrics.contains(set));
        let missing: Vec<&str> = missing.map(MetricSet::label).collect();
        if missing.is_empty() {
            return "metrics: all".into();
        }
        format!("metrics: without {}; [metrics] in the plan can add them", missing.join(", "))
    }
}
