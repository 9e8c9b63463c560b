//! `/metrics` in the Prometheus text format 0.0.4, from a registry of its own. No number is kept
//! between two scrapes: every series is made anew from the newest snapshot, which costs less than a
//! map of live series with its locks.

use super::{
    ExportSettings, SnapshotReceiver,
    definitions::DEFINITIONS,
    series::{Collect, Definition, Series, label},
};
use crate::clock::processor_time;
use lifesign_core::{
    scopes::{BlockId, CountryId, Labels, Level, Roster, Scope},
    watch::Snapshot,
};
use lifesign_incident::{Incident, present};
use prometheus::{
    IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
    core::{Collector, Desc},
    process_collector::ProcessCollector,
    proto::{Counter, LabelPair, MetricFamily},
};
use std::collections::HashMap;
use tokio::sync::watch;

/// Everything that `/metrics` shows; docs/metrics.md lists it.
pub struct Metrics {
    registry: Registry,
}

impl Metrics {
    /// Metrics of whatever `snapshots` holds. An error would be a fault in our own table of
    /// metrics.
    pub fn new(
        snapshots: SnapshotReceiver,
        settings: watch::Receiver<ExportSettings>,
    ) -> prometheus::Result<Self> {
        let registry = Registry::new();
        registry.register(Box::new(OwnProcess(ProcessCollector::for_self())))?;
        let build = Opts::new("lifesign_build_info", "Which lifesign; always 1.")
            .const_label("version", env!("CARGO_PKG_VERSION"));
        let build = IntGauge::with_opts(build)?;
        build.set(1);
        registry.register(Box::new(build))?;
        let vantage = Opts::new("lifesign_vantage_info", "Where it stands; always 1.");
        let simulation = "1 if a scripted world is played, and nothing of this is real.";
        registry.register(Box::new(SettingsCollector {
            vantage: IntGaugeVec::new(vantage, &["vantage"])?,
            simulation: IntGauge::new("lifesign_simulation", simulation)?,
            settings: settings.clone(),
        }))?;
        let families = DEFINITIONS.iter().flat_map(families).collect::<prometheus::Result<_>>()?;
        registry.register(Box::new(SnapshotCollector { snapshots, settings, families }))?;
        Ok(Self { registry })
    }

    /// The text of one scrape, of content type [`prometheus::TEXT_FORMAT`]. Before the first
    /// snapshot it is about the process alone. An error would be a fault of ours.
    pub fn render(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

/// The process, with its processor time in fractions of a second.
struct OwnProcess(ProcessCollector);

impl Collector for OwnProcess {
    fn desc(&self) -> Vec<&Desc> {
        self.0.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut families = self.0.collect();
        let cpu = families.iter_mut().find(|family| family.name() == "process_cpu_seconds_total");
        if let Some(cpu) = cpu {
            for metric in cpu.mut_metric() {
                let mut counter = Counter::default();
                counter.set_value(processor_time().as_secs_f64());
                metric.set_counter(counter);
            }
        }
        families
    }
}

struct SettingsCollector {
    vantage: IntGaugeVec,
    simulation: IntGauge,
    settings: watch::Receiver<ExportSettings>,
}

impl Collector for SettingsCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.vantage.desc().into_iter().chain(self.simulation.desc()).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        // A new plan may call the vantage otherwise.
        self.vantage.reset();
        self.vantage.with_label_values(&[&self.settings.borrow().vantage]).set(1);
        self.simulation.set(self.settings.borrow().simulation.is_some().into());
        self.vantage.collect().into_iter().chain(self.simulation.collect()).collect()
    }
}

struct SnapshotCollector {
    snapshots: SnapshotReceiver,
    settings: watch::Receiver<ExportSettings>,
    families: Vec<Family>,
}

impl Collector for SnapshotCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.families.iter().map(|family| &family.desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Some(snapshot) = self.snapshots.borrow().clone() else { return Vec::new() };
        let scrape = Scrape::of(&snapshot);
        let settings = self.settings.borrow().clone();
        let is_shown = |family: &&Family| match family.definition.collect {
            Collect::PerHost(_) => settings.per_host,
            Collect::PerBlockReasons(_) => settings.per_block_reasons,
            _ => true,
        };
        self.families.iter().filter(is_shown).map(|family| family.collect(&scrape)).collect()
    }
}

/// What the families of one scrape share.
struct Scrape<'a> {
    snapshot: &'a Snapshot,
    /// Those of the blocks, by `BlockId`.
    prefixes: Vec<String>,
    /// The present ones of the countries, by `CountryId`.
    incidents: Vec<Option<Incident>>,
}

impl<'a> Scrape<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        let countries = (0..).map(CountryId).zip(&snapshot.roster.countries);
        Self {
            snapshot,
            prefixes: snapshot.roster.blocks.iter().map(|b| b.prefix.to_string()).collect(),
            incidents: countries.map(|(id, _)| present(snapshot, id)).collect(),
        }
    }
}

/// A definition under one name: a definition per scope makes one for each level.
struct Family {
    definition: &'static Definition,
    desc: Desc,
    /// The level of the scopes that a definition per scope is about here.
    level: Option<Level>,
}

fn families(definition: &'static Definition) -> impl Iterator<Item = prometheus::Result<Family>> {
    let levels: Vec<Option<Level>> = match definition.collect {
        Collect::PerScope(_) => Level::ALL.map(Some).to_vec(),
        Collect::PerCountry(_) | Collect::PerIncident(_) => vec![Some(Level::Country)],
        Collect::PerReturnPath(_) | Collect::PerBlockReasons(_) => vec![Some(Level::Block)],
        Collect::Once(_) | Collect::PerKind(_) | Collect::PerHost(_) => vec![None],
    };
    levels.into_iter().map(move |level| {
        let subject_labels: &[&str] = match definition.collect {
            Collect::Once(_) => &[],
            Collect::PerScope(_)
            | Collect::PerCountry(_)
            | Collect::PerIncident(_)
            | Collect::PerReturnPath(_)
            | Collect::PerBlockReasons(_) => match level {
                Some(Level::Block) => &["country", "block"],
                Some(Level::Network) => &["country", "network", "asn"],
                Some(Level::Country) | None => &["country"],
            },
            Collect::PerKind(_) => &["country", "block", "probe"],
            Collect::PerHost(_) => &["country", "block", "host", "probe"],
        };
        let level_name = level.map_or("", Level::label);
        let labels =
            subject_labels.iter().chain(definition.labels).map(ToString::to_string).collect();
        let name = definition.name.replace('*', level_name);
        let help = definition.help.replace('*', level_name);
        Ok(Family { definition, desc: Desc::new(name, help, labels, HashMap::new())?, level })
    })
}

impl Family {
    /// Makes the series.
    fn collect(&self, scrape: &Scrape) -> MetricFamily {
        let Scrape { snapshot, prefixes, incidents } = scrape;
        let mut out = Series {
            definition: self.definition,
            wall_offset: snapshot.wall_offset,
            subject_labels: vec![],
            plan_labels: Labels::default(),
            metrics: vec![],
        };
        let roster = &snapshot.roster;
        let block_labels = |id| scope_labels(roster, prefixes, Scope::Block(id));
        match self.definition.collect {
            Collect::Once(add) => add(snapshot, &mut out),
            Collect::PerScope(add) | Collect::PerCountry(add) => {
                for (scope, view) in roster.scopes().zip(&snapshot.scopes) {
                    if Some(scope.level()) == self.level {
                        out.subject_labels = scope_labels(roster, prefixes, scope);
                        out.plan_labels = roster.labels_of(scope).clone();
                        add(view, &mut out);
                    }
                }
            }
            Collect::PerIncident(add) => {
                for (id, incident) in (0..).map(CountryId).zip(incidents) {
                    let country = Scope::Country(id);
                    out.subject_labels = scope_labels(roster, prefixes, country);
                    add(incident.as_ref(), &mut out);
                }
            }
            Collect::PerReturnPath(add) => {
                for (id, view) in (0..).zip(&snapshot.return_paths) {
                    out.subject_labels = block_labels(BlockId(id));
                    add(view, &mut out);
                }
            }
            Collect::PerBlockReasons(add) => {
                for (id, view) in (0..).zip(&snapshot.reasons) {
                    out.subject_labels = block_labels(BlockId(id));
                    add(view, &mut out);
                }
            }
            Collect::PerKind(add) => {
                for (id, kinds) in (0..).zip(&snapshot.kinds) {
                    for (kind, view) in kinds.iter() {
                        let Some(view) = view else { continue };
                        out.subject_labels = block_labels(BlockId(id));
                        out.subject_labels.push(label("probe", kind.label()));
                        add(view, &mut out);
                    }
                }
            }
            Collect::PerHost(add) => {
                for (target, view) in roster.targets.iter().zip(&snapshot.targets) {
                    out.subject_labels = block_labels(target.block);
                    out.subject_labels.push(label("host", &target.host.to_string()));
                    out.subject_labels.push(label("probe", &target.probe));
                    out.plan_labels = target.labels.clone();
                    add(view, &mut out);
                }
            }
        }
        let mut family = MetricFamily::default();
        family.set_name(self.desc.fq_name.clone());
        family.set_help(self.desc.help.clone());
        family.set_field_type(self.definition.kind);
        family.set_metric(out.metrics);
        family
    }
}

/// The labels that say which scope a series is about; `prefixes` are those of the blocks.
fn scope_labels(roster: &Roster, prefixes: &[String], scope: Scope) -> Vec<LabelPair> {
    let mut labels = vec![label("country", &roster.country_of(scope).code)];
    match scope {
        Scope::Block(id) => labels.push(label("block", &prefixes[id.0 as usize])),
        Scope::Network(id) => {
            let network = roster.network(id);
            labels.push(label("network", &network.name));
            labels.push(label("asn", &network.asn.map_or_else(String::new, |asn| asn.to_string())));
        }
        Scope::Country(_) => {}
    }
    labels
}
