//! Metrics. In: the newest snapshot. Out: the Prometheus text format 0.0.4, from a registry of its
//! own. It never keeps a number between two scrapes: every series is made anew from the snapshot,
//! which costs less than a map of live series with its locks.

use super::{
    ExportSettings, SnapshotReceiver,
    families::ROWS,
    series::{Of, Row, Series, pair},
};
use lifesign_core::{scopes::Kind, watch::Snapshot};
use prometheus::{
    IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
    core::{Collector, Desc},
    process_collector::ProcessCollector,
    proto::MetricFamily,
};
use std::collections::HashMap;
use tokio::sync::watch;

/// Everything that `/metrics` shows; docs/metrics.md lists it.
pub struct Metrics {
    registry: Registry,
}

impl Metrics {
    /// Ready to render whatever `source` holds. The error would be a fault in our own table of
    /// metrics.
    pub fn new(
        source: SnapshotReceiver,
        labels: watch::Receiver<ExportSettings>,
    ) -> prometheus::Result<Self> {
        let registry = Registry::new();
        registry.register(Box::new(ProcessCollector::for_self()))?;
        let build = Opts::new("lifesign_build_info", "Which lifesign; always 1.")
            .const_label("version", env!("CARGO_PKG_VERSION"));
        let build = IntGauge::with_opts(build)?;
        build.set(1);
        registry.register(Box::new(build))?;
        let vantage = Opts::new("lifesign_vantage_info", "Where it stands; always 1.");
        let simulation = "1 if a scripted world is played, and nothing of this is real.";
        registry.register(Box::new(Vantage {
            gauge: IntGaugeVec::new(vantage, &["vantage"])?,
            simulation: IntGauge::new("lifesign_simulation", simulation)?,
            labels: labels.clone(),
        }))?;
        let families = ROWS.iter().flat_map(families_of).collect::<prometheus::Result<_>>()?;
        registry.register(Box::new(View { source, labels, families }))?;
        Ok(Self { registry })
    }

    /// The text of one scrape, of content type [`prometheus::TEXT_FORMAT`]. Before the first
    /// snapshot it tells of the process alone. The error would be a fault of ours.
    pub fn render(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

/// Where we stand, which a new plan may call otherwise, and whether in the real world.
struct Vantage {
    gauge: IntGaugeVec,
    simulation: IntGauge,
    labels: watch::Receiver<ExportSettings>,
}

impl Collector for Vantage {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc().into_iter().chain(self.simulation.desc()).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.gauge.reset();
        self.gauge.with_label_values(&[&self.labels.borrow().vantage]).set(1);
        self.simulation.set(self.labels.borrow().simulation.is_some().into());
        self.gauge.collect().into_iter().chain(self.simulation.collect()).collect()
    }
}

/// The snapshot as a collector.
struct View {
    source: SnapshotReceiver,
    labels: watch::Receiver<ExportSettings>,
    families: Vec<Family>,
}

impl Collector for View {
    fn desc(&self) -> Vec<&Desc> {
        self.families.iter().map(|family| &family.desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Some(snapshot) = self.source.borrow().clone() else { return Vec::new() };
        let prefixes: Vec<_> =
            snapshot.roster.blocks.iter().map(|block| block.prefix.to_string()).collect();
        let per_host = self.labels.borrow().per_host;
        let families =
            self.families.iter().filter(|family| per_host || !matches!(family.row.of, Of::Host(_)));
        families.map(|family| family.measure(&snapshot, &prefixes)).collect()
    }
}

/// A row of the table under one name: a row for scopes makes two.
struct Family {
    row: &'static Row,
    desc: Desc,
    /// Does a row for scopes stand for blocks here, or for countries?
    blocks: bool,
}

fn families_of(row: &'static Row) -> impl Iterator<Item = prometheus::Result<Family>> {
    let names: &[&str] = if matches!(row.of, Of::Scope(_)) { &["block", "country"] } else { &[""] };
    names.iter().map(move |scope| {
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
        Ok(Family { row, desc: Desc::new(name, help, labels, HashMap::new())?, blocks })
    })
}

impl Family {
    /// Makes the series; `prefixes` are the blocks' names, by number.
    fn measure(&self, snapshot: &Snapshot, prefixes: &[String]) -> MetricFamily {
        let wall_offset = snapshot.wall_offset;
        let mut out = Series {
            row: self.row,
            partial: !self.blocks,
            wall_offset,
            fixed: vec![],
            metrics: vec![],
        };
        let roster = &snapshot.roster;
        let country =
            |block: usize| pair("country", &roster.country(roster.blocks[block].country).code);
        let place = |block: usize| vec![country(block), pair("block", &prefixes[block])];
        match self.row.of {
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
                    out.fixed.extend([
                        pair("host", &target.host.to_string()),
                        pair("probe", &target.probe),
                    ]);
                    fill(view, &mut out);
                }
            }
        }
        let mut family = MetricFamily::default();
        family.set_name(self.desc.fq_name.clone());
        family.set_help(self.desc.help.clone());
        family.set_field_type(self.row.kind);
        family.set_metric(out.metrics);
        family
    }
}
