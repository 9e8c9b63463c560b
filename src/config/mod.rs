//! The plan file: reads it as a [`Plan`], or reports all errors of the file at once. How a probe
//! is written belongs to `probe::ProbeSpec`; this module refuses what cannot work together: a host
//! outside its block, blocks that overlap, a control inside a watched block.

use crate::probe::send_options::{SendOptions, SocketOptions};
use lifesign_core::{
    judge::Rules,
    schedule::Budget,
    scopes::{BlockId, Host, Prefix, Remarks, Roster},
};
use lifesign_document::{MAX_MEBIBYTES, Problems, Table, Value, label, line};
use lifesign_export::metric_sets::MetricSets;
use lifesign_formats::survey::AddressSet;
use std::{
    cell::RefCell,
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Duration,
};

mod block;
mod clash;
mod country;
mod deny;
mod host_file;
mod hosts;
mod maintenance;
mod metric_sets;
mod probe_specs;
mod network;
mod path;
mod probes;
mod reserve;
mod send_options;
mod summary;
mod targets;
mod warnings;

pub use path::PathPlan;
pub use probe_specs::ProbeSpecs;

use probes::ShortForms;
use send_options::BlockOptions;

/// The keys of a plan.
const KEYS: [&str; 18] = [
    "vantage",
    "contact",
    "recorded",
    "controls",
    "deny",
    "resolver",
    "metrics",
    "path",
    "networks",
    "source",
    "dscp",
    "size",
    "df",
    "budget",
    "judge",
    "probes",
    "country",
    "maintenance",
];

/// In probes per second. More for one block would be a flood: a /24 has 256 addresses.
const MAX_PER_BLOCK: f64 = 1000.0;

/// In probes per second. One machine should not send more.
const MAX_TOTAL: f64 = 100_000.0;

/// A few independent controls are enough, and each is pinged all the time.
const MAX_CONTROLS: usize = 64;

const CONTACT: &str = "a line that says who runs this vantage, such as \"noc@example.net\"";
const RECORDED: &str =
    "a line that says what was recorded, such as \"samples of Prometheus, every 15 s\"";
/// In characters: a URL may be long.
const MAX_TEXT: usize = 200;

/// What to watch, from where and how fast.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Where we stand; a label, not empty.
    pub vantage: String,
    /// Who runs this vantage, for people: text, an address for mail or a URL.
    pub contact: Option<String>,
    /// What another prober recorded, of which the journal of this plan was made by an import.
    pub recorded: Option<String>,
    /// Addresses that answer whenever our own network works; none lies in a watched block.
    pub controls: Vec<IpAddr>,
    /// Addresses that nobody may ask.
    pub deny: Arc<AddressSet>,
    /// Hosts of the plan that are left out for it.
    pub denied: Vec<IpAddr>,
    /// The name servers that resolve the names of hosts; empty for the system's own resolver.
    pub resolver: Vec<SocketAddr>,
    /// The probes per second that are allowed.
    pub budget: Budget,
    /// How to judge; `outage_after` from 10 s to 1 h.
    pub rules: Rules,
    /// The metrics that are shown beside those of every plan.
    pub metrics: MetricSets,
    /// Countries, networks, blocks and targets; each country and each network has a block, and each
    /// block a target.
    pub roster: Arc<Roster>,
    /// How each target is probed, by `TargetId`.
    pub specs: ProbeSpecs,
    /// Each host file, and how many hosts it has.
    pub host_files: Vec<(String, usize)>,
    /// Hosts that are not asked, but may take the place of one that goes.
    pub reserve: Vec<(BlockId, Host)>,
    /// How the probes of each block leave, by `BlockId`; those that are alike are one.
    pub send_options: Vec<Arc<SendOptions>>,
    /// How the questions to the controls leave: as the plan says for all.
    pub control_options: SocketOptions,
    /// Whether the paths to blocks are traced, and what names the networks on them.
    pub path: PathPlan,
    /// Of the files that it names, a note on each whose last line has no end.
    unended: Vec<String>,
}

/// Reads the host file with this path, as the plan has it: its name in problems, and its text.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<(String, String), Problems>;

/// What has been read of the countries so far.
struct Countries<'a> {
    roster: Roster,
    specs: ProbeSpecs,
    /// Every prefix, with its value in the file.
    prefixes: Vec<(Prefix, Value<'a>)>,
    short_forms: ShortForms,
    send_options: BlockOptions,
    read_file: ReadFile<'a>,
    /// Each host file, and how many hosts it has.
    host_files: Vec<(String, usize)>,
    deny: AddressSet,
    denied: Vec<IpAddr>,
    reserve: Vec<(BlockId, Host)>,
    /// The line of the plan that names each.
    named_files: HashMap<PathBuf, usize>,
    /// Are there as many targets as there may be?
    is_full: bool,
}

impl<'a> Countries<'a> {
    fn of(root: Table<'a>, read_file: ReadFile<'a>) -> Self {
        let mut all = Self {
            roster: Roster::default(),
            specs: ProbeSpecs::default(),
            prefixes: Vec::new(),
            short_forms: ShortForms::default(),
            send_options: BlockOptions::new(root),
            read_file,
            host_files: Vec::new(),
            deny: deny::deny(root, read_file),
            denied: Vec::new(),
            reserve: Vec::new(),
            named_files: HashMap::new(),
            is_full: false,
        };
        country::countries(root, &mut all);
        // They do not grow any more.
        all.roster.targets.shrink_to_fit();
        all.specs.shrink_to_fit();
        all
    }
}

impl Plan {
    /// What it says for people.
    pub fn remarks(&self) -> Remarks {
        let recorded = self.recorded.clone();
        Remarks { recorded, ..Remarks::on(&self.roster, self.contact.as_deref()) }
    }

    /// Reads a plan file, and the host files and the table of networks that it names.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let name = path.display().to_string();
        Self::parse_at(&name, &lifesign_document::load(path, MAX_MEBIBYTES)?, path)
    }

    /// Reads the text of a plan; `name` is the file's name in problems. The paths of host files
    /// start from the current directory.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        Self::parse_at(name, text, Path::new(""))
    }

    /// Reads the text of a plan that is, or will be, in this file.
    pub fn parse_at(name: &str, text: &str, path: &Path) -> Result<Self, Problems> {
        let unended: RefCell<Vec<String>> = RefCell::default();
        let mut plan = Self::parse_with(name, text, &|file| {
            let (name, text) = load_beside(path, file)?;
            unended.borrow_mut().extend(lifesign_document::unended(&name, &text));
            Ok((name, text))
        })?;
        plan.unended = unended.into_inner();
        plan.unended.extend(plan.path.load(path)?);
        Ok(plan)
    }

    /// Reads the text of a plan, and its host files by `read_file`.
    pub fn parse_with(name: &str, text: &str, read_file: ReadFile<'_>) -> Result<Self, Problems> {
        let scenario = "this is a scenario, which lifesign simulate plays; give a plan";
        lifesign_document::read(name, text, |root| {
            plan(root.unless(&["story", "event"], scenario).only(&KEYS), read_file)
        })
    }
}

/// Reads a file whose path starts from the directory of another.
fn load_beside(other: &Path, path: &str) -> Result<(String, String), Problems> {
    let path = other.parent().unwrap_or(Path::new("")).join(path);
    Ok((path.display().to_string(), lifesign_document::load(&path, MAX_MEBIBYTES)?))
}

fn plan<'a>(root: Table<'a>, read_file: ReadFile<'a>) -> Plan {
    let mut countries = Countries::of(root, read_file);
    countries.roster.maintenance = maintenance::maintenance(root, &countries.roster);
    let controls = controls(root);
    clash::overlaps(&countries.prefixes);
    clash::watched_controls(&controls, &countries.prefixes);
    deny::denied_controls(&controls, &countries.deny);
    let judge = root.section("judge", &["outage_after"]);
    let range = Duration::from_secs(10)..=Duration::from_secs(3600);
    let text = |key, wanted| Some(line(root.get(key)?, MAX_TEXT, wanted)?.to_owned());
    Plan {
        vantage: root.need("vantage", "\"lab-1\"").and_then(vantage).unwrap_or_default(),
        contact: text("contact", CONTACT),
        recorded: text("recorded", RECORDED),
        controls: controls.into_iter().map(|(_, address)| address).collect(),
        deny: Arc::new(countries.deny),
        unended: Vec::new(),
        denied: countries.denied,
        reserve: countries.reserve,
        resolver: root.get("resolver").map(resolver).unwrap_or_default(),
        budget: budget(root),
        rules: judge
            .and_then(|judge| judge.get("outage_after")?.duration(range))
            .map_or_else(Rules::default, |outage_after| Rules { outage_after, ..Rules::default() }),
        metrics: metric_sets::metric_sets(root, &countries.roster),
        roster: Arc::new(countries.roster),
        specs: countries.specs,
        host_files: countries.host_files,
        control_options: countries.send_options.of_plan().socket.clone(),
        path: path::path_plan(root),
        send_options: countries.send_options.of_blocks,
    }
}

fn vantage(value: Value<'_>) -> Option<String> {
    let name = label(value, "the name of the place we look from, such as \"lab-1\"")?;
    Some(name.to_owned())
}

fn budget(root: Table<'_>) -> Budget {
    let mut budget = Budget::DEFAULT;
    let Some(table) = root.section("budget", &["pace", "per_block", "total"]) else {
        return budget;
    };
    let pace = table.get("pace");
    if pace.and_then(|pace| pace.one_of(&["default", "frugal"])) == Some("frugal") {
        budget = Budget::FRUGAL;
    }
    if let Some(value) = table.get("per_block") {
        if pace.is_some() {
            value.note("\"pace\" already says how fast; keep \"pace\" or \"per_block\", not both");
        }
        budget = value.rate(MAX_PER_BLOCK).map_or(budget, Budget::of);
    }
    budget.total = table.get("total").and_then(|value| value.rate(MAX_TOTAL));
    budget
}

fn controls(root: Table<'_>) -> Vec<(Value<'_>, IpAddr)> {
    let want = "addresses, such as [\"192.0.2.1\"]";
    let Some(value) = root.get("controls") else { return Vec::new() };
    let items = value.list(want).unwrap_or_default();
    if items.len() > MAX_CONTROLS {
        value.note(&format!("{} controls are too many; {MAX_CONTROLS} at most", items.len()));
    }
    let mut controls: Vec<(Value<'_>, IpAddr)> = Vec::new();
    for item in items.into_iter().take(MAX_CONTROLS) {
        match item.parsed(want, control) {
            Some(address) if controls.iter().any(|&(_, other)| other == address) => {
                item.note(&format!("{address} is already a control; keep one"));
            }
            Some(address) => controls.push((item, address)),
            None => {}
        }
    }
    controls
}

fn control(text: &str) -> Result<IpAddr, String> {
    let address: IpAddr = text.parse().map_err(|_| {
        format!(
            "{text:?} is no address; write one such as \"192.0.2.1\" \
             (a name would need the network to resolve)"
        )
    })?;
    unicast(address)
}

/// The address, if it can be that of one host.
fn unicast(address: IpAddr) -> Result<IpAddr, String> {
    if address.is_multicast() || EMPTY.iter().any(|(_, empty)| empty.contains(address)) {
        return Err(format!(
            "{address} is not the address of one host; write one such as \"192.0.2.1\""
        ));
    }
    Ok(address)
}

/// Prefixes in which no host can be asked: "this network" and what is reserved (RFC 1122 §3.2.1.3,
/// RFC 1112 §4), the unspecified address and IPv4 within IPv6 (RFC 4291 §2.5), and addresses that
/// mean nothing without a link (RFC 4007 §6). Each with its text: `Prefix` writes IPv4 within IPv6
/// in dots.
static EMPTY: LazyLock<[(&str, Prefix); 5]> = LazyLock::new(|| {
    ["0.0.0.0/8", "240.0.0.0/4", "::/128", "::ffff:0:0/96", "fe80::/10"]
        .map(|text| (text, text.parse().expect("a prefix")))
});

fn resolver(value: Value<'_>) -> Vec<SocketAddr> {
    let want = "addresses, such as [\"192.0.2.53\", \"127.0.0.1:5353\"]";
    let servers = value.list(want).unwrap_or_default();
    if servers.is_empty() {
        value.note(
            "no resolver here; name one, such as [\"192.0.2.53\"], \
             or leave the key out for the system's",
        );
    }
    servers.into_iter().filter_map(|server| server.parsed(want, name_server)).collect()
}

fn name_server(text: &str) -> Result<SocketAddr, String> {
    let bare = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
    let server = bare.or_else(|_| text.parse()).map_err(|_| {
        format!(
            "{text:?} is no address; \
             write \"192.0.2.53\", \"192.0.2.53:5353\" or \"[2001:db8::53]:5353\""
        )
    })?;
    unicast(server.ip())?;
    if server.port() == 0 {
        return Err(format!("{text:?} has port 0; write a port from 1 to 65535, or none for 53"));
    }
    Ok(server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_host_can_be_in_any_empty_prefix_and_beside_them_one_can() {
        for (text, prefix) in EMPTY.iter() {
            assert_eq!(text.parse(), Ok(*prefix));
            assert!(unicast(prefix.address()).is_err(), "{text}");
        }
        for beside in ["1.0.0.0", "223.255.255.255", "::1", "::1:0:0:0", "fec0::"] {
            assert!(unicast(beside.parse().unwrap()).is_ok(), "{beside}");
        }
    }
}
