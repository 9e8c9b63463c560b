//! What a metric is, and how its series are written.

use crate::metric_sets::{MetricSet, MetricSets};
use lifesign_core::{
    judge::State,
    scopes::Labels,
    time::{Time, WallOffset},
    watch::{
        BlockReasons, HistogramView, KindView, ReturnPathView, ScopeView, Snapshot, TargetView,
        Window, WindowView, WindowViews,
    },
};
use lifesign_exposition::{Exposition, WrittenLabels};
use lifesign_incident::Incident;
use lifesign_path::PathView;
use prometheus::proto::MetricType;

/// The window that every plan shows: that of five minutes.
const LEAN_WINDOW: Window = Window::FiveMinutes;

/// What a metric is, and how its series are made.
pub(crate) struct Definition {
    /// `*` stands for each level of scopes, here and in the help: such a definition makes a metric
    /// for each.
    pub name: &'static str,
    pub kind: MetricType,
    /// Its labels besides those that say what it is about.
    pub labels: &'static [&'static str],
    /// The set that it belongs to; None if every plan has it.
    pub set: Option<MetricSet>,
    pub help: &'static str,
    pub collect: Collect,
}

/// What a metric is about, which gives its first labels; and what adds its series.
#[derive(Clone, Copy)]
pub(crate) enum Collect {
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
    /// The path to each block that is traced: `country`, `block`.
    PerPath(fn(&PathView, &mut Series)),
    /// The reasons counted of each block: `country`, `block`.
    PerBlockReasons(fn(&BlockReasons, &mut Series)),
    /// Each probe kind of each block: `country`, `block`, `probe`. What every plan has is of all
    /// kinds together, without `probe`, where outcomes are not shown.
    PerKind(fn(&KindView, &mut Series)),
    /// Each target: `country`, `block`, `host`, `probe`.
    PerHost(fn(&TargetView, &mut Series)),
}

/// The series of one metric, as its [`Collect`] adds them.
pub(crate) struct Series<'a> {
    pub definition: &'static Definition,
    /// The sets that are shown.
    pub sets: &'a MetricSets,
    /// Added to every time, in nanoseconds, it gives the time of the wall clock.
    pub wall_offset: WallOffset,
    /// The labels that say what the next series are about, as they are written.
    pub subject_labels: &'a [u8],
    /// Those that the plan gives it of its own.
    pub plan_labels: Option<&'a Labels>,
    pub exposition: &'a mut Exposition,
    /// The definition's own labels, as they are written.
    pub own_labels: WrittenLabels,
}

impl Series<'_> {
    /// One series, with values for the definition's own labels.
    pub fn add(&mut self, labels: &[&str], value: f64) {
        let names = self.definition.labels;
        debug_assert_eq!(labels.len(), names.len());
        self.own_labels.clear();
        for (name, label) in names.iter().zip(labels) {
            self.own_labels.push(name, label);
        }
        self.exposition.sample(self.subject_labels, self.own_labels.as_ref(), value);
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
        let Some(labels) = self.plan_labels.filter(|labels| !labels.is_empty()) else { return };
        self.own_labels.clear();
        for (name, value) in labels.iter() {
            self.own_labels.push(name, value);
        }
        self.exposition.sample(self.subject_labels, self.own_labels.as_ref(), 1.0);
    }

    /// One series for each state.
    pub fn add_per_state(&mut self, value: impl Fn(State) -> f64) {
        for state in State::ALL {
            self.add(&[state.label()], value(state));
        }
    }

    /// Is this set shown?
    pub fn has(&self, set: MetricSet) -> bool {
        self.sets.contains(&set)
    }

    /// One series for each window in which something was measured.
    pub fn add_per_window(
        &mut self,
        windows: &WindowViews,
        value: impl Fn(&WindowView) -> Option<f64>,
    ) {
        for window in Window::ALL {
            if window == LEAN_WINDOW || self.has(MetricSet::Windows) {
                self.add_known(&[window.label()], value(&windows[window]));
            }
        }
    }

    pub fn add_histogram(&mut self, view: &HistogramView) {
        self.exposition.histogram(self.subject_labels, view);
    }
}
