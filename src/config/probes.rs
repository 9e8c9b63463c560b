//! The lists `probes` of the plan, its countries, networks, blocks and hosts: how to ask. The one
//! that is nearest to a host is its own.

use crate::probe::ProbeSpec;
use lifesign_core::scopes::Kind;
use lifesign_document::{Table, Value};
use std::{
    collections::{BTreeSet, HashSet},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

const PROBE: &str = r#"probes such as "icmp", "tcp/443" or { probe = "icmp", interval = "10s" }"#;

/// One way to ask a host.
#[derive(Clone)]
pub(super) struct Probe<'a> {
    pub spec: ProbeSpec,
    /// Its short form; one for all that are the same.
    pub text: Arc<str>,
    pub interval: Option<Duration>,
    /// Where the plan gives it; None in a host file.
    pub value: Option<Value<'a>>,
}

/// What is to be asked of a host, or of all hosts below.
pub(super) type Probes<'a> = Rc<[Probe<'a>]>;

/// The short form of every probe so far, once.
#[derive(Default)]
pub(super) struct ShortForms(HashSet<Arc<str>>);

impl ShortForms {
    fn of(&mut self, spec: &ProbeSpec) -> Arc<str> {
        let text = spec.to_string();
        if let Some(known) = self.0.get(text.as_str()) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.0.insert(new.clone());
        new
    }
}

/// The table's own list, if it has one: for its host, or for all below it that have none.
pub(super) fn probes<'a>(table: Table<'a>, forms: &mut ShortForms) -> Option<Probes<'a>> {
    let value = table.get("probes")?;
    let items = value.list(PROBE);
    if items.as_ref().is_some_and(Vec::is_empty) {
        value.note("a host without probes is never asked; write probes = [\"icmp\"]");
    }
    Some(items.into_iter().flatten().filter_map(|item| probe(item, forms)).collect())
}

fn probe<'a>(item: Value<'a>, forms: &mut ShortForms) -> Option<Probe<'a>> {
    let (spec, interval) = if item.is_table() {
        long_form(item)?
    } else {
        (item.parsed(PROBE, ProbeSpec::parse)?, None)
    };
    Some(Probe { text: forms.of(&spec), spec, interval, value: Some(item) })
}

fn long_form(item: Value<'_>) -> Option<(ProbeSpec, Option<Duration>)> {
    let options: BTreeSet<&str> =
        Kind::ALL.into_iter().flat_map(ProbeSpec::options).copied().collect();
    let keys: Vec<&str> =
        ["probe", "interval"].into_iter().chain(options.iter().copied()).collect();
    let table = item.table(PROBE)?.only(&keys);
    let range = Duration::from_millis(100)..=Duration::from_secs(86_400);
    let interval = table.get("interval").and_then(|value| value.duration(range));
    let spec =
        table.need("probe", "\"icmp\"").and_then(|value| value.parsed(PROBE, ProbeSpec::parse))?;
    for key in options.iter().filter(|key| !ProbeSpec::options(spec.kind()).contains(key)) {
        if let Some(value) = table.get(key) {
            value.note(&format!(
                "only a {} probe has this; drop it (a TCP port is written \"tcp/443\")",
                kinds_with(key)
            ));
        }
    }
    Some((spec.with_options(table), interval))
}

/// The kinds that have this option, for people.
fn kinds_with(option: &str) -> String {
    let has_it = |kind: &Kind| ProbeSpec::options(*kind).contains(&option);
    let names = Kind::ALL.into_iter().filter(has_it).map(|kind| kind.label().to_uppercase());
    names.collect::<Vec<_>>().join(" or ")
}

/// Short forms with blanks between, as a host file has them.
pub(super) fn of_words<'a>(words: &str, forms: &mut ShortForms) -> Result<Probes<'a>, String> {
    let probe = |word| {
        let spec = ProbeSpec::parse(word)?;
        Ok(Probe { text: forms.of(&spec), spec, interval: None, value: None })
    };
    words.split_ascii_whitespace().map(probe).collect()
}
