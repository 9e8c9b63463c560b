//! What a metric is, and how its series become the types of the prometheus crate.

use lifesign_core::{
    judge::State,
    scopes::Labels,
    time::{Time, WallOffset},
    watch::{
        BlockReasons, HistogramView, KindView, ReturnPathView, ScopeView, Snapshot, TargetView,
        WINDOWS, WindowView,
    },
};
use lifesign_incident::Incident;
use prometheus::proto::{self, LabelPair, Metric, MetricType};

/// What a metric is, and how its series are made.
pub(super) struct Definition {
    /// `*` stands for each level of scopes, here and in the help: such a definition makes a metric
    /// for each.
    pub name: &'static str,
    pub kind: MetricType,
    /// Its labels besides those that say what it is about.
    pub labels: &'static [&'static str],
    pub help: &'static str,
    pub collect: Collect,
}

/// What a metric is about, which gives its first labels; and what adds its series.
#[derive(Clone, Copy)]
pub(super) enum Collect {
    /// The watch as a whole: no labels.
    Once(fn(&Snapshot, &mut Series)),
    /// Each block (`country`, `block`), each network (`country`, `network`, `asn`) and each country
    /// (`country`).
    PerScope(fn(&ScopeView, &mut Series)),
    /// Each country: `country`.
    PerCountry(fn(&ScopeView, &mut Series)),
    /// The present incident of each country, if it is in one: `country`.
    PerIncident(fn(Option<&Incident>, &mut Series)),
    /// The path back from each block: `country`, `block`.
    PerReturnPath(fn(&ReturnPathView, &mut Series)),
    /// The reasons counted of each block: `country`, `block`.
    PerBlockReasons(fn(&BlockReasons, &mut Series)),
    /// Each probe kind of each block: `country`, `block`, `probe`.
    PerKind(fn(&KindView, &mut Series)),
    /// Each target: `country`, `block`, `host`, `probe`.
    PerHost(fn(&TargetView, &mut Series)),
}

/// The series of one metric, as its [`Collect`] adds them.
pub(super) struct Series {
    pub definition: &'static Definition,
    /// Added to every time, in nanoseconds, it gives the time of the wall clock.
    pub wall_offset: WallOffset,
    /// The labels that say what the next series are about.
    pub subject_labels: Vec<LabelPair>,
    /// Those that the plan gives it of its own.
    pub plan_labels: Labels,
    pub metrics: Vec<Metric>,
}

impl Series {
    /// One series, with values for the definition's own labels.
    pub fn add(&mut self, labels: &[&str], value: f64) {
        self.push(self.labelled(labels), value);
    }

    fn push(&mut self, mut metric: Metric, value: f64) {
        if self.definition.kind == MetricType::COUNTER {
            let mut counter = proto::Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = proto::Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        self.metrics.push(metric);
    }

    /// A timestamp; no series where there is none, since 0 would be read as 1970.
    pub fn add_time(&mut self, time: Option<Time>) {
        self.add_known(&[], time.map(|time| self.wall_offset.written(time).as_secs_f64()));
    }

    /// A value; no series where there is none, since NaN would spoil every sum.
    pub fn add_known(&mut self, labels: &[&str], value: Option<f64>) {
        if let Some(value) = value {
            self.add(labels, value);
        }
    }

    /// One series with the labels that the plan gives the subject; none if it gives none.
    pub fn add_info(&mut self) {
        if self.plan_labels.is_empty() {
            return;
        }
        let mut all = self.subject_labels.clone();
        all.extend(self.plan_labels.iter().map(|(name, value)| label(name, value)));
        self.push(Metric::from_label(all), 1.0);
    }

    /// One series for each state.
    pub fn add_per_state(&mut self, value: impl Fn(State) -> f64) {
        for state in State::ALL {
            self.add(&[state.label()], value(state));
        }
    }

    /// One series for each window in which something was measured.
    pub fn add_per_window(
        &mut self,
        windows: &[WindowView; 3],
        value: impl Fn(&WindowView) -> Option<f64>,
    ) {
        for (name, window) in WINDOWS.iter().zip(windows) {
            self.add_known(&[name], value(window));
        }
    }

    pub fn add_histogram(&mut self, view: &HistogramView) {
        let bucket = |&(bound, count): &(f64, u64)| {
            let mut bucket = proto::Bucket::default();
            bucket.set_upper_bound(bound);
            bucket.set_cumulative_count(count);
            bucket
        };
        let mut histogram = proto::Histogram::default();
        histogram.set_bucket(view.buckets.iter().map(bucket).collect());
        histogram.set_sample_sum(view.sum);
        histogram.set_sample_count(view.count);
        let mut metric = self.labelled(&[]);
        metric.set_histogram(histogram);
        self.metrics.push(metric);
    }

    fn labelled(&self, labels: &[&str]) -> Metric {
        let names = self.definition.labels;
        debug_assert_eq!(labels.len(), names.len());
        let mut all = Vec::with_capacity(self.subject_labels.len() + labels.len());
        all.extend_from_slice(&self.subject_labels);
        all.extend(names.iter().zip(labels).map(|(name, value)| label(name, value)));
        Metric::from_label(all)
    }
}

pub(super) fn label(name: &str, value: &str) -> LabelPair {
    let mut label = LabelPair::default();
    label.set_name(name.to_owned());
    label.set_value(value.to_owned());
    label
}
