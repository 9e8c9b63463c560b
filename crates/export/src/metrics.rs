//! `/metrics`. No number is kept between two scrapes: every series is written anew from the newest
//! snapshot, which costs less than a map of live series with its locks.

use crate::{
    definitions::DEFINITIONS,
    metric_sets::{MetricSet, MetricSets},
    series::{Collect, Definition, Series},
    sources::ExportSettings,
};
use lifesign_clock::processor_time;
use lifesign_core::{
    scopes::{BlockId, CountryId, Kind, Level, Roster, Scope, Target},
    watch::{Counts, KindView, Snapshot, TargetView, TargetViews},
};
use lifesign_exposition::{Exposition, Format, WrittenLabels};
use lifesign_incident::{Incident, present};
use prometheus::{
    core::Collector,
    process_collector::ProcessCollector,
    proto::{Counter, MetricFamily, MetricType},
};

/// Everything that `/metrics` shows; docs/metrics.md lists it.
pub struct Metrics {
    process: ProcessCollector,
    /// By name.
    families: Vec<Family>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut families: Vec<Family> = DEFINITIONS.iter().flat_map(families).collect();
        families.sort_by(|a, b| a.name.cmp(&b.name));
        Self { process: ProcessCollector::for_self(), families }
    }
}

impl Metrics {
    /// What one scrape answers. Before the first snapshot it is about the process alone.
    pub fn render(
        &self,
        format: Format,
        settings: &ExportSettings,
        present: Option<Present>,
    ) -> Vec<u8> {
        let mut out = Exposition::new(format);
        add_settings(settings, &mut out);
        if let Some(present) = present {
            let scrape = Scrape::of(present, &settings.metrics, format);
            let all = MetricSet::ALL.into();
            for family in &self.families {
                let Family { name, help, definition, level } = family;
                // Countries are few.
                let sets = if *level == Some(Level::Country) { &all } else { &settings.metrics };
                if definition.set.is_none_or(|set| sets.contains(&set)) {
                    out.family(name, definition.kind, help, |out| {
                        family.write(&scrape, sets, out);
                    });
                }
            }
        }
        for family in self.process_families() {
            out.collected(&family);
        }
        out.finish()
    }

    /// Those of the process, with its processor time in fractions of a second.
    fn process_families(&self) -> Vec<MetricFamily> {
        let mut families = self.process.collect();
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

fn add_settings(settings: &ExportSettings, out: &mut Exposition) {
    let no_labels = out.labels();
    let labelled = |name, value| {
        let mut labels = no_labels.clone();
        labels.push(name, value);
        labels
    };
    let version = labelled("version", env!("CARGO_PKG_VERSION"));
    let help = "Which lifesign; always 1.";
    out.family("lifesign_build_info", MetricType::GAUGE, help, |out| {
        out.sample(&[], version.as_ref(), 1.0);
    });
    let is_simulation = f64::from(u8::from(settings.simulation.is_some()));
    let help = "1 if a scripted world is played, and nothing of this is real.";
    out.family("lifesign_simulation", MetricType::GAUGE, help, |out| {
        out.sample(&[], &[], is_simulation);
    });
    let vantage = labelled("vantage", &settings.vantage);
    let help = "Where it stands; always 1.";
    out.family("lifesign_vantage_info", MetricType::GAUGE, help, |out| {
        out.sample(&[], vantage.as_ref(), 1.0);
    });
}

/// What is so now.
#[derive(Clone, Copy)]
pub struct Present<'a> {
    /// What is known.
    pub snapshot: &'a Snapshot,
    /// What it leaves out.
    pub targets: &'a dyn TargetViews,
}

/// What the families of one scrape share.
struct Scrape<'a> {
    snapshot: &'a Snapshot,
    /// The labels that say which scope a series is about, in the order of the roster's scopes.
    labels: Vec<WrittenLabels>,
    /// The same of each kind that is used in a block, in the order of `Snapshot::kinds`.
    kind_labels: Vec<WrittenLabels>,
    /// The same of each target, and its own numbers, by `TargetId`; none if no host is shown.
    targets: Vec<(WrittenLabels, TargetView)>,
    /// The present ones of the countries, by `CountryId`.
    incidents: Vec<Option<Incident>>,
}

impl<'a> Scrape<'a> {
    fn of(Present { snapshot, targets }: Present<'a>, sets: &MetricSets, format: Format) -> Self {
        let roster = &snapshot.roster;
        let countries = (0..).map(CountryId).zip(&roster.countries);
        let labels: Vec<WrittenLabels> =
            roster.scopes().map(|scope| scope_labels(roster, scope, format)).collect();
        let target_labels = |target: &Target| {
            let block = roster.scope_id(Scope::Block(target.block)).index();
            let mut labels = labels[block].clone();
            labels.push("host", &target.host.to_string());
            labels.push("probe", &target.probe);
            labels
        };
        let shown = if sets.contains(&MetricSet::Hosts) { roster.targets.len() as u32 } else { 0 };
        let views = targets.of(0..shown).unwrap_or_else(|| {
            // What is known of scopes is worth more than a scrape that is whole or nothing.
            tracing::warn!("a scrape has no hosts: their numbers were not at hand");
            Vec::new()
        });
        let targets = roster.targets.iter().map(target_labels).zip(views).collect();
        let kind_labels = snapshot.kinds.iter().map(|kind| {
            let mut labels = labels[roster.scope_id(Scope::Block(kind.block)).index()].clone();
            labels.push("probe", kind.kind.label());
            labels
        });
        let kind_labels = kind_labels.collect();
        Self {
            snapshot,
            labels,
            kind_labels,
            targets,
            incidents: countries.map(|(id, _)| present(snapshot, id)).collect(),
        }
    }

    fn labels_of(&self, scope: Scope) -> &[u8] {
        self.labels[self.snapshot.roster.scope_id(scope).index()].as_ref()
    }
}

/// A definition under one name: a definition per scope makes one for each level.
struct Family {
    definition: &'static Definition,
    name: String,
    help: String,
    /// The level of the scopes that a definition per scope is about here.
    level: Option<Level>,
}

fn families(definition: &'static Definition) -> impl Iterator<Item = Family> {
    let levels: Vec<Option<Level>> = match definition.collect {
        Collect::PerScope(_) => Level::ALL.map(Some).to_vec(),
        Collect::PerCountry(_) | Collect::PerIncident(_) => vec![Some(Level::Country)],
        Collect::PerReturnPath(_) | Collect::PerPath(_) | Collect::PerBlockReasons(_) => {
            vec![Some(Level::Block)]
        }
        Collect::Once(_) | Collect::PerKind(_) | Collect::PerHost(_) => vec![None],
    };
    levels.into_iter().map(move |level| {
        let level_name = level.map_or("", Level::label);
        let name = definition.name.replace('*', level_name);
        let help = definition.help.replace('*', level_name);
        Family { definition, name, help, level }
    })
}

impl Family {
    /// Does it tell of all kinds of probes to a block together, as in a plan of many blocks?
    fn is_summed(&self, sets: &MetricSets) -> bool {
        self.definition.set.is_none() && !sets.contains(&MetricSet::Outcomes)
    }

    /// Writes the series.
    fn write(&self, scrape: &Scrape, sets: &MetricSets, exposition: &mut Exposition) {
        let snapshot = scrape.snapshot;
        let roster = &snapshot.roster;
        let mut out = Series {
            definition: self.definition,
            sets,
            wall_offset: snapshot.wall_offset,
            subject_labels: &[],
            plan_labels: None,
            own_labels: exposition.labels(),
            exposition,
        };
        let block_labels = |id| scrape.labels_of(Scope::Block(BlockId(id)));
        match self.definition.collect {
            Collect::Once(add) => add(snapshot, &mut out),
            Collect::PerScope(add) | Collect::PerCountry(add) => {
                let labelled = roster.scopes().zip(&scrape.labels);
                for ((scope, labels), view) in labelled.zip(&snapshot.scopes) {
                    if Some(scope.level()) == self.level {
                        out.subject_labels = labels.as_ref();
                        out.plan_labels = Some(roster.labels_of(scope));
                        add(view, &mut out);
                    }
                }
            }
            Collect::PerIncident(add) => {
                for (id, incident) in (0..).map(CountryId).zip(&scrape.incidents) {
                    out.subject_labels = scrape.labels_of(Scope::Country(id));
                    add(incident.as_ref(), &mut out);
                }
            }
            Collect::PerReturnPath(add) => {
                for (id, view) in (0..).zip(&snapshot.return_paths) {
                    out.subject_labels = block_labels(id);
                    add(view, &mut out);
                }
            }
            Collect::PerPath(add) => {
                for (id, view) in (0..).zip(&snapshot.paths.blocks) {
                    out.subject_labels = block_labels(id);
                    add(view, &mut out);
                }
            }
            Collect::PerBlockReasons(add) => {
                for (id, view) in (0..).zip(&snapshot.reasons) {
                    out.subject_labels = block_labels(id);
                    add(view, &mut out);
                }
            }
            Collect::PerKind(add) if self.is_summed(sets) => {
                for of_block in snapshot.kinds.chunk_by(|one, next| one.block == next.block) {
                    out.subject_labels = scrape.labels_of(Scope::Block(of_block[0].block));
                    add(&sum(of_block), &mut out);
                }
            }
            Collect::PerKind(add) => {
                for (view, labels) in snapshot.kinds.iter().zip(&scrape.kind_labels) {
                    out.subject_labels = labels.as_ref();
                    add(view, &mut out);
                }
            }
            Collect::PerHost(add) => {
                for (target, (labels, view)) in roster.targets.iter().zip(&scrape.targets) {
                    out.subject_labels = labels.as_ref();
                    out.plan_labels = Some(target.labels());
                    add(view, &mut out);
                }
            }
        }
    }
}

/// All kinds of a block in one: as TCP, if that is among them, so that refusals are told.
fn sum(of_block: &[KindView]) -> KindView {
    let refuses = |kind: &&KindView| kind.kind == Kind::Tcp;
    let first = of_block.iter().find(refuses).unwrap_or(&of_block[0]);
    let counts = of_block.iter().fold(Counts::default(), |sum, kind| sum.plus(&kind.counts));
    KindView { counts, ..first.clone() }
}

/// The labels that say which scope a series is about.
fn scope_labels(roster: &Roster, scope: Scope, format: Format) -> WrittenLabels {
    let mut labels = WrittenLabels::new(format);
    labels.push("country", &roster.country_of(scope).code);
    match scope {
        Scope::Block(id) => {
            labels.push("block", &roster.block(id).prefix.to_string());
        }
        Scope::Network(id) => {
            let network = roster.network(id);
            let asn = network.asn.map_or_else(String::new, |asn| asn.to_string());
            labels.push("network", &network.name);
            labels.push("asn", &asn);
        }
        Scope::Country(_) => {}
    }
    labels
}
