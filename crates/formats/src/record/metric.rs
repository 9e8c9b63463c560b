//! Which metrics of Prometheus' exporters say whether a host answered: those of blackbox_exporter,
//! smokeping_prober and ping_exporter.

use super::{
    entry::Fact,
    sink::{Sink, span},
    targets::BETWEEN_LABELS,
};
use std::{collections::BTreeMap, time::Duration};

pub(super) type Labels = BTreeMap<String, String>;

/// What the samples of a series say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metric {
    Success,
    Rtt,
    Took,
    HopLimit,
    SentTotal,
    AnsweredTotal,
    LossRatio,
    LossPercent,
}

const METRICS: [(&str, Metric); 8] = [
    ("probe_success", Metric::Success),
    ("probe_icmp_duration_seconds", Metric::Rtt),
    ("probe_duration_seconds", Metric::Took),
    ("probe_icmp_reply_hop_limit", Metric::HopLimit),
    ("smokeping_requests_total", Metric::SentTotal),
    ("smokeping_response_duration_seconds_count", Metric::AnsweredTotal),
    ("ping_loss_ratio", Metric::LossRatio),
    ("ping_loss_percent", Metric::LossPercent),
];

impl Metric {
    /// What a value says.
    pub fn fact(self, value: f64) -> Option<Fact> {
        let total = (value >= 0.0 && value < 2f64.powi(53)).then_some(value as u64);
        match self {
            Metric::Success if value == 0.0 => Some(Fact::Missed),
            Metric::Success if value == 1.0 => Some(Fact::Answered),
            Metric::Success => None,
            Metric::Rtt => span(value).map(Fact::Rtt),
            Metric::Took => span(value).filter(|&took| took > Duration::ZERO).map(Fact::Took),
            Metric::HopLimit => {
                (1.0..=255.0).contains(&value).then_some(Fact::HopLimit(value as u8))
            }
            Metric::SentTotal => total.map(Fact::SentTotal),
            Metric::AnsweredTotal => total.map(Fact::AnsweredTotal),
            Metric::LossRatio => (0.0..=1.0).contains(&value).then_some(Fact::LossRatio(value)),
            Metric::LossPercent => {
                (0.0..=100.0).contains(&value).then_some(Fact::LossRatio(value / 100.0))
            }
        }
    }

    /// What is told of a value that says nothing; None where the exporter itself has it so.
    pub fn fault(self, value: f64) -> Option<String> {
        let (name, _) = METRICS.iter().find(|(_, metric)| *metric == self)?;
        match self {
            _ if value.is_nan() => Some(format!("{name} that is not a number (NaN) is left out")),
            _ if value < 0.0 => Some(format!("{name} below 0 is left out")),
            // No scrape took any time, or nobody answered.
            Metric::Took | Metric::HopLimit if value == 0.0 => None,
            Metric::Success => Some(format!("{name} is 0 or 1, and not {value}; left out")),
            _ => Some(format!("{name} that is more than can be is left out")),
        }
    }
}

/// The target and the meaning of a series; None if it says nothing of outcomes, or is not wanted.
/// The error says what is wrong.
pub(super) fn series(labels: &Labels, sink: &mut Sink) -> Result<Option<(u32, Metric)>, String> {
    let label = |name: &str| labels.get(name).map(String::as_str);
    if !sink.targets.is_wanted(label) {
        return Ok(None);
    }
    let Some(name) = label("__name__") else {
        return Err(
            "a series without a name, as expressions make them; ask for the metric itself, \
                    such as probe_success[24h]"
                .into(),
        );
    };
    let Some((_, metric)) = METRICS.iter().find(|(each, _)| *each == name) else {
        let known: Vec<_> = METRICS.iter().map(|(name, _)| *name).collect();
        return Err(format!("a series of another metric than {} is left out", known.join(", ")));
    };
    let is_other_phase = *metric == Metric::Rtt && label("phase").is_some_and(|name| name != "rtt");
    if is_other_phase {
        return Ok(None);
    }
    let is_blackbox =
        matches!(metric, Metric::Success | Metric::Rtt | Metric::Took | Metric::HopLimit);
    let names: &[&str] =
        if is_blackbox { &["instance", "target", "host"] } else { &["ip", "target", "host"] };
    let about = names.iter().find_map(|name| label(name).filter(|text| !text.is_empty()));
    let about = about.ok_or_else(|| format!("{name} has no label {:?}", names[0]))?;
    let probe = (!is_blackbox).then_some("icmp");
    // For blackbox_exporter `instance` is the host that was asked, for the others it is who asked,
    // and `host` or `target` is one of the names of the host, with counters of its own.
    let no_origin: &[&str] = if is_blackbox {
        &["__name__", "phase", "instance"]
    } else {
        &["__name__", "ip", "ip_version"]
    };
    let origin = labels.iter().filter(|(name, _)| !no_origin.contains(&&***name));
    let origin: Vec<_> = origin.map(|(name, value)| format!("{name}={value}")).collect();
    let origin = if origin.is_empty() {
        "one without labels".into()
    } else {
        origin.join(&BETWEEN_LABELS.to_string())
    };
    Ok(Some((sink.targets.id(about, probe, &origin)?, *metric)))
}
