//! Metrics. In: the newest snapshot. Out: the Prometheus text format 0.0.4, from a registry of its own. It
//! never keeps a number between two scrapes: every series is made anew from the snapshot, which costs less
//! than a map of live series with its locks.

use super::{
    Labels, Source,
    families::{Of, ROWS, Row},
};
use crate::{
    clock::Time,
    judge::State,
    target::Kind,
    watch::{HistogramView, Snapshot, WINDOWS, WindowView},
};
use prometheus::{
    IntGauge, Opts, Registry, TextEncoder,
    core::{Collector, Desc},
    process_collector::ProcessCollector,
    proto::{self, LabelPair, Metric, MetricFamily, MetricType},
};
use std::collections::HashMap;

/// Everything that `/metrics` shows; docs/metrics.md lists it.
pub struct Metrics {
    registry: Registry,
}

impl Metrics {
    /// Ready to render whatever `source` holds. The error would be a fault in our own table of metrics.
    pub fn new(source: Source, labels: &Labels) -> prometheus::Result<Self> {
        let registry = Registry::new();
        registry.register(Box::new(ProcessCollector::for_self()))?;
        for (name, help, label, value) in [
            (
                "lifesign_build_info",
                "Which lifesign this is; always 1.",
                "version",
                env!("CARGO_PKG_VERSION"),
            ),
            ("lifesign_vantage_info", "Where it stands; always 1.", "vantage", &labels.vantage),
        ] {
            let info = IntGauge::with_opts(Opts::new(name, help).const_label(label, value))?;
            info.set(1);
            registry.register(Box::new(info))?;
        }
        let families = ROWS.iter().filter(|row| labels.per_host || !matches!(row.of, Of::Host(_)));
        let families = families.flat_map(families_of).collect::<prometheus::Result<_>>()?;
        registry.register(Box::new(View { source, families }))?;
        Ok(Self { registry })
    }

    /// The text of one scrape, of content type [`prometheus::TEXT_FORMAT`]. Before the first snapshot it tells of the process alone.
    pub fn render(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

/// The snapshot as a collector.
struct View {
    source: Source,
    families: Vec<Family>,
}

impl Collector for View {
    fn desc(&self) -> Vec<&Desc> {
        self.families.iter().map(|family| &family.desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Some(snapshot) = self.source.borrow().clone() else { return Vec::new() };
        let blocks: Vec<String> =
            snapshot.roster.blocks.iter().map(|block| block.prefix.to_string()).collect();
        self.families.iter().map(|family| family.measure(&snapshot, &blocks)).collect()
    }
}

/// A row of the table under one name: a row for scopes makes two.
struct Family {
    desc: Desc,
    kind: MetricType,
    of: Of,
    /// Does a row for scopes stand for blocks here, or for countries?
    blocks: bool,
    /// The labels that the row's own function gives values for.
    extra: &'static [&'static str],
}

fn families_of(row: &'static Row) -> impl Iterator<Item = prometheus::Result<Family>> {
    let names: &[&str] = if matches!(row.of, Of::Scope(_)) { &["block", "country"] } else { &[""] };
    names.iter().map(|scope| {
        let blocks = *scope == "block";
        let fixed: &[&str] = match row.of {
            Of::Watch(_) => &[],
            Of::Scope(_) if !blocks => &["country"],
            Of::Scope(_) => &["country", "block"],
            Of::Kind(_) => &["country", "block", "probe"],
            Of::Host(_) => &["country", "block", "host", "probe"],
        };
        let labels = fixed.iter().chain(row.labels).map(ToString::to_string).collect();
        let (name, help) = (row.name.replace('*', scope), row.help.replace('*', scope));
        Ok(Family {
            desc: Desc::new(name, help, labels, HashMap::new())?,
            kind: row.kind,
            of: row.of,
            blocks,
            extra: row.labels,
        })
    })
}

impl Family {
    /// Makes the series; `prefixes` are the blocks' names, by number.
    fn measure(&self, snapshot: &Snapshot, prefixes: &[String]) -> MetricFamily {
        let mut out = Series {
            kind: self.kind,
            fixed: Vec::new(),
            extra: self.extra,
            partial: !self.blocks,
            wall_offset: snapshot.wall_offset,
            metrics: Vec::new(),
        };
        let roster = &snapshot.roster;
        let country = |block: usize| pair("country", &roster.country(roster.blocks[block].country).code);
        let place = |block: usize| vec![country(block), pair("block", &prefixes[block])];
        match self.of {
            Of::Watch(fill) => fill(snapshot, &mut out),
            Of::Scope(fill) if self.blocks => {
                for (number, block) in snapshot.blocks.iter().enumerate() {
                    out.fixed = place(number);
                    fill(&block.scope, &mut out);
                }
            }
            Of::Scope(fill) => {
                for (country, view) in roster.countries.iter().zip(&snapshot.countries) {
                    out.fixed = vec![pair("country", &country.code)];
                    fill(view, &mut out);
                }
            }
            Of::Kind(fill) => {
                for (number, block) in snapshot.blocks.iter().enumerate() {
                    for (kind, view) in Kind::ALL.iter().zip(&block.kinds) {
                        let Some(view) = view else { continue };
                        out.fixed = place(number);
                        out.fixed.push(pair("probe", kind.label()));
                        fill(view, &mut out);
                    }
                }
            }
            Of::Host(fill) => {
                for (target, view) in roster.targets.iter().zip(&snapshot.targets) {
                    out.fixed = place(target.block.0 as usize);
                    out.fixed.extend([pair("host", &target.host.to_string()), pair("probe", &target.probe)]);
                    fill(view, &mut out);
                }
            }
        }
        let mut family = MetricFamily::default();
        family.set_name(self.desc.fq_name.clone());
        family.set_help(self.desc.help.clone());
        family.set_field_type(self.kind);
        family.set_metric(out.metrics);
        family
    }
}

/// The series of one family, as a row's function adds them.
pub(super) struct Series {
    kind: MetricType,
    fixed: Vec<LabelPair>,
    extra: &'static [&'static str],
    partial: bool,
    wall_offset: i64,
    metrics: Vec<Metric>,
}

impl Series {
    /// One series, with values for the row's own labels.
    pub fn add(&mut self, labels: &[&str], value: f64) {
        let mut metric = self.labelled(labels);
        if self.kind == MetricType::COUNTER {
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
        if let Some(time) = time {
            self.add(&[], time.shifted(self.wall_offset).as_secs_f64());
        }
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
    pub fn per_window(&mut self, windows: &[WindowView; 3], value: impl Fn(&WindowView) -> Option<f64>) {
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
        debug_assert_eq!(labels.len(), self.extra.len());
        let mut pairs = Vec::with_capacity(self.fixed.len() + labels.len());
        pairs.extend_from_slice(&self.fixed);
        pairs.extend(self.extra.iter().zip(labels).map(|(name, value)| pair(name, value)));
        Metric::from_label(pairs)
    }
}

fn pair(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}
