//! From one roster to the next: which id is whose in each.
//!
//! The same is a country of the same code; a network of the same name in the same country; a block
//! of the same prefix in the same country, whatever its network; a target of the same host and
//! probe, as the plan writes them, in the same block. How often it is probed, on which port a DNS
//! question goes, and what it expects may differ.

use super::{Level, Roster, Target};
use std::collections::HashMap;

/// Old and new ids of everything that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterMapping {
    /// Of countries.
    pub countries: IdMapping,
    /// Of networks.
    pub networks: IdMapping,
    /// Of blocks.
    pub blocks: IdMapping,
    /// Of targets.
    pub targets: IdMapping,
    /// Of scopes ([`ScopeId`](super::ScopeId)).
    pub scopes: IdMapping,
}

impl RosterMapping {
    /// The mapping when `new` replaces `old`.
    pub fn between(old: &Roster, new: &Roster) -> Self {
        let names = |roster: &Roster, level: Level| -> Vec<(String, String)> {
            let scopes = roster.scopes().filter(|scope| scope.level() == level);
            let name = |scope| (roster.country_of(scope).code.clone(), roster.name_of(scope));
            scopes.map(name).collect()
        };
        let scopes = |level: Level| IdMapping::matching(names(old, level), names(new, level));
        let countries = scopes(Level::Country);
        let networks = scopes(Level::Network);
        let blocks = scopes(Level::Block);
        let target =
            |block: u32, target: &Target| (block, target.host.clone(), target.probe.clone());
        // Blocks by their old id, or one that none of them has.
        let known = |id: u32| blocks.old_id(id).unwrap_or(u32::MAX);
        let targets = IdMapping::matching(
            old.targets.iter().map(|each| target(each.block.0, each)),
            new.targets.iter().map(|each| target(known(each.block.0), each)),
        );
        let scopes = blocks.followed_by(&networks).followed_by(&countries);
        Self { countries, networks, blocks, targets, scopes }
    }
}

/// Old and new ids of one sort of things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdMapping {
    after: Vec<Option<u32>>,
    before: Vec<Option<u32>>,
}

impl IdMapping {
    fn matching<K: std::hash::Hash + Eq>(
        old: impl IntoIterator<Item = K>,
        new: impl IntoIterator<Item = K>,
    ) -> Self {
        let mut ids = HashMap::new();
        let mut mapping = Self { after: Vec::new(), before: Vec::new() };
        for (key, id) in old.into_iter().zip(0_u32..) {
            ids.insert(key, id);
            mapping.after.push(None);
        }
        for (key, id) in new.into_iter().zip(0..) {
            let old = ids.get(&key).copied();
            if let Some(old) = old {
                mapping.after[old as usize] = Some(id);
            }
            mapping.before.push(old);
        }
        mapping
    }

    /// These, and behind them those of another sort.
    fn followed_by(&self, other: &IdMapping) -> Self {
        let joined = |these: &[Option<u32>], others: &[Option<u32>], first: usize| {
            let others = others.iter().map(|id| Some((*id)? + first as u32));
            these.iter().copied().chain(others).collect()
        };
        Self {
            after: joined(&self.after, &other.after, self.before.len()),
            before: joined(&self.before, &other.before, self.after.len()),
        }
    }

    /// The new id of what had this one; None if it is gone.
    pub fn new_id(&self, old: u32) -> Option<u32> {
        *self.after.get(old as usize)?
    }

    /// The old id of what has this one now; None if it is new.
    pub fn old_id(&self, new: u32) -> Option<u32> {
        *self.before.get(new as usize)?
    }

    /// Has nothing come, gone or moved?
    pub fn is_same(&self) -> bool {
        self.after.len() == self.before.len()
            && self.before.iter().zip(0..).all(|(old, new)| *old == Some(new))
    }

    /// Things listed by id, in their new order; `fresh` makes what is new.
    pub fn carry<T>(&self, things: Vec<T>, mut fresh: impl FnMut(u32) -> T) -> Vec<T> {
        let mut things: Vec<Option<T>> = things.into_iter().map(Some).collect();
        let mut carried = |old: u32| things.get_mut(old as usize)?.take();
        self.before
            .iter()
            .zip(0..)
            .map(|(old, new)| old.and_then(&mut carried).unwrap_or_else(|| fresh(new)))
            .collect()
    }
}
