//! Whom the data is about: each host and probe, how often it was asked, and by whom.

use super::{cadence::Cadence, host::host_and_probe, map::Map};
use lifesign_core::scopes::Host;
use std::{
    collections::{BTreeSet, HashMap},
    str::FromStr,
};

/// So many a plan of one record has at most.
const MOST: usize = 1_000_000;

/// So many vantages are told of at most.
const MOST_VANTAGES: usize = 20;

/// Only what has this label is taken: `job=ping`, `prb_id=1000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Only {
    label: String,
    value: String,
}

impl FromStr for Only {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (label, value) =
            text.split_once('=').ok_or("a label and its value, such as job=ping or prb_id=1000")?;
        Ok(Self { label: label.to_owned(), value: value.to_owned() })
    }
}

/// One host, asked in one way.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub host: Host,
    pub probe: String,
    /// Who recorded it, in words of the data.
    origin: String,
    pub cadence: Cadence,
}

pub(super) struct Targets {
    pub map: Map,
    only: Vec<Only>,
    pub list: Vec<Target>,
    ids: HashMap<(Host, String), u32>,
    /// Who recorded what can be of one vantage alone.
    vantages: BTreeSet<String>,
    /// Of a target that several have recorded: who they are.
    clash: Option<String>,
}

impl Targets {
    pub fn new(map: Map, only: Vec<Only>) -> Self {
        Self {
            map,
            only,
            list: Vec::new(),
            ids: HashMap::new(),
            vantages: BTreeSet::new(),
            clash: None,
        }
    }

    /// Is what has these labels asked for?
    pub fn is_wanted<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.only.iter().all(|only| label(&only.label) == Some(&only.value))
    }

    /// The target that a name in the data stands for, asked by this probe, or else as the name
    /// says. `origin` says who recorded it. The error says what is wrong, and what would be right.
    pub fn id(&mut self, name: &str, probe: Option<&str>, origin: &str) -> Result<u32, String> {
        let (host, named) = match self.map.host(name) {
            Some(host) => {
                let named = host_and_probe(name).map(|(_, probe)| probe);
                let (host, usual) = host_and_probe(host)?;
                (host, named.unwrap_or(usual))
            }
            None => host_and_probe(name)?,
        };
        let key = (host, probe.map_or(named, str::to_owned));
        if let Some(&id) = self.ids.get(&key) {
            let other = &self.list[id as usize].origin;
            if other != origin && self.clash.is_none() {
                let (host, probe) = key;
                let differing =
                    other.split(' ').find(|label| origin.split(' ').all(|each| each != *label));
                self.clash = Some(format!(
                    "{host} {probe} was asked by {other} and by {origin}; take one of them, such \
                     as --only {}",
                    differing.unwrap_or("job=ping")
                ));
            }
            return Ok(id);
        }
        if self.list.len() == MOST {
            return Err(format!("more than {MOST} targets; take some of them with --only"));
        }
        let id = self.list.len() as u32;
        let (host, probe) = key.clone();
        let origin = origin.to_owned();
        self.list.push(Target { host, probe, origin, cadence: Cadence::default() });
        self.ids.insert(key, id);
        Ok(id)
    }

    /// What follows is seen from this vantage, and there can be one alone.
    pub fn vantage(&mut self, origin: &str) {
        if self.vantages.len() < MOST_VANTAGES && !self.vantages.contains(origin) {
            self.vantages.insert(origin.to_owned());
        }
    }

    /// Why this cannot be one journal: several have recorded it, and see different things.
    pub fn clash(&self) -> Option<String> {
        let several = || {
            let all: Vec<_> = self.vantages.iter().map(String::as_str).collect();
            let first = all.first().filter(|_| all.len() > 1)?;
            Some(format!(
                "seen from several vantages: {}; take one for each journal, such as --only {first}",
                all.join(", ")
            ))
        };
        several().or_else(|| self.clash.clone())
    }
}
