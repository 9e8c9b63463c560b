//! Names of hosts, and whom they serve: what zones and lookups tell, joined at the end, as a server
//! may be named before its address is known.

use lifesign_formats::survey::Role;
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

/// So many servers are known by name; a zone of a large country has as many.
const MAX_SERVERS: usize = 1_000_000;
/// So many names of hosts in the country; one host may have a million.
const MAX_NAMES: usize = 2_000_000;

/// Whom a name serves.
#[derive(Clone, Debug, Default)]
pub(super) struct Served {
    pub is_mail: bool,
    /// The first of the domains that it is a name server of.
    pub zone: Option<Box<str>>,
}

/// Every name that was told.
#[derive(Debug, Default)]
pub(super) struct Names {
    all: Vec<Box<str>>,
    ids: HashMap<Box<str>, u32>,
    /// By the hash of their names: most have no address here.
    served: HashMap<u64, Served>,
}

impl Names {
    /// None if there is no room for one more.
    pub fn id(&mut self, name: &str) -> Option<u32> {
        if let Some(&id) = self.ids.get(name) {
            return Some(id);
        }
        let id = self.all.len() as u32;
        (self.all.len() < MAX_NAMES).then(|| {
            self.all.push(name.into());
            self.ids.insert(name.into(), id);
            id
        })
    }

    pub fn name(&self, id: u32) -> &str {
        &self.all[id as usize]
    }

    pub fn serves(&mut self, name: &str, role: Role, zone: &str) {
        let hash = hash(name);
        if self.served.len() >= MAX_SERVERS && !self.served.contains_key(&hash) {
            return;
        }
        let served = self.served.entry(hash).or_default();
        match role {
            Role::Mail => served.is_mail = true,
            // The shortest is that of the most.
            _ if served.zone.as_ref().is_none_or(|known| zone.len() < known.len()) => {
                served.zone = Some(zone.into());
            }
            _ => {}
        }
    }

    pub fn served(&self, name: &str) -> Option<&Served> {
        self.served.get(&hash(name))
    }
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
