//! The words of the table of metrics. In: values. Out: [`Row`], what a metric is, and [`Series`],
//! its series in the shape of the prometheus crate. It never knows which metrics there are.

use lifesign_core::{
    judge::State,
    time::Time,
    watch::{HistogramView, KindView, ScopeView, Snapshot, TargetView, WINDOWS, WindowView},
};
use prometheus::proto::{self, LabelPair, Metric, MetricType};

/// One metric.
pub(super) struct Row {
    /// `*` stands for `block` and for `country`, here and in the help: such a row makes two
    /// metrics.
    pub name: &'static str,
    pub kind: MetricType,
    /// Its labels besides those that say whom it is about.
    pub labels: &'static [&'static str],
    pub help: &'static str,
    pub of: Of,
}

/// Whom a metric is about; this gives its first labels.
#[derive(Clone, Copy)]
pub(super) enum Of {
    /// The whole watch: none.
    Watch(fn(&Snapshot, &mut Series)),
    /// Each block (`country`, `block`), and each country (`country`).
    Scope(fn(&ScopeView, &mut Series)),
    /// Each probe kind of each block: `country`, `block`, `probe`.
    Kind(fn(&KindView, &mut Series)),
    /// Each target: `country`, `block`, `host`, `probe`.
    Host(fn(&TargetView, &mut Series)),
}

/// The series of one family, as a row's function adds them.
pub(super) struct Series {
    pub row: &'static Row,
    /// Can whom it is about be partial?
    pub partial: bool,
    /// Moves every time stamp to the wall clock.
    pub wall_offset: i64,
    /// The labels that say whom the next series are about.
    pub fixed: Vec<LabelPair>,
    pub metrics: Vec<Metric>,
}

impl Series {
    /// One series, with values for the row's own labels.
    pub fn add(&mut self, labels: &[&str], value: f64) {
        let mut metric = self.labelled(labels);
        if self.row.kind == MetricType::COUNTER {
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

    /// A time stamp; no series where there is none, since 0 would be read as 1970.
    pub fn time(&mut self, time: Option<Time>) {
        self.measured(&[], time.map(|time| time.shifted(self.wall_offset).as_secs_f64()));
    }

    /// A measurement; no series where there is none, since NaN would spoil every sum.
    pub fn measured(&mut self, labels: &[&str], value: Option<f64>) {
        if let Some(value) = value {
            self.add(labels, value);
        }
    }

    /// One series for each state that the scope can be in: only a country can be partial.
    pub fn per_state(&mut self, value: impl Fn(usize, State) -> f64) {
        for (i, state) in State::ALL.into_iter().enumerate() {
            if self.partial || state != State::Partial {
                self.add(&[state.label()], value(i, state));
            }
        }
    }

    /// One series for each window in which something was measured.
    pub fn per_window(
        &mut self,
        windows: &[WindowView; 3],
        value: impl Fn(&WindowView) -> Option<f64>,
    ) {
        for (name, window) in WINDOWS.iter().zip(windows) {
            self.measured(&[name], value(window));
        }
    }

    /// A histogram.
    pub fn histogram(&mut self, view: &HistogramView) {
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
        let names = self.row.labels;
        debug_assert_eq!(labels.len(), names.len());
        let mut pairs = Vec::with_capacity(self.fixed.len() + labels.len());
        pairs.extend_from_slice(&self.fixed);
        pairs.extend(names.iter().zip(labels).map(|(name, value)| pair(name, value)));
        Metric::from_label(pairs)
    }
}

/// A label.
pub(super) fn pair(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}
