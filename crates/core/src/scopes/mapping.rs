//! From one roster to the next. In: the roster of the plan so far, and that of a new plan. Out:
//! which number is whose in each. It never says what is carried over; that is for whoever keeps
//! something by number.
//!
//! Who is the same: a country of the same code; a block of the same prefix in the same country; a
//! target of the same host and probe, as the plan writes them, in the same block. How often it is
//! asked, on which port a DNS question goes, and what it expects may differ.

use super::{Block, Roster, Target};
use std::collections::HashMap;

/// Old and new numbers of everything that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterMapping {
    /// Of countries.
    pub countries: IdMapping,
    /// Of blocks.
    pub blocks: IdMapping,
    /// Of targets.
    pub targets: IdMapping,
    /// Of scopes ([`ScopeId`](super::ScopeId)).
    pub scopes: IdMapping,
}

impl RosterMapping {
    /// What is where, when `new` takes the place of `old`.
    pub fn between(old: &Roster, new: &Roster) -> Self {
        let block = |roster: &Roster, block: &Block| {
            (roster.country(block.country).code.clone(), block.prefix)
        };
        let countries = IdMapping::matching(
            old.countries.iter().map(|country| &country.code),
            new.countries.iter().map(|country| &country.code),
        );
        let blocks = IdMapping::matching(
            old.blocks.iter().map(|each| block(old, each)),
            new.blocks.iter().map(|each| block(new, each)),
        );
        let target =
            |block: u32, target: &Target| (block, target.host.clone(), target.probe.clone());
        // Blocks by their old number, or one that none of them has.
        let known = |number: u32| blocks.old_id(number).unwrap_or(u32::MAX);
        let targets = IdMapping::matching(
            old.targets.iter().map(|each| target(each.block.0, each)),
            new.targets.iter().map(|each| target(known(each.block.0), each)),
        );
        let scopes = blocks.followed_by(&countries);
        Self { countries, blocks, targets, scopes }
    }
}

/// Old and new numbers of one sort of things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdMapping {
    after: Vec<Option<u32>>,
    before: Vec<Option<u32>>,
}

impl IdMapping {
    fn matching<K: std::hash::Hash + Eq>(
        old: impl Iterator<Item = K>,
        new: impl Iterator<Item = K>,
    ) -> Self {
        let (mut places, mut numbers) =
            (HashMap::new(), Self { after: Vec::new(), before: Vec::new() });
        for (key, number) in old.zip(0_u32..) {
            places.insert(key, number);
            numbers.after.push(None);
        }
        for (key, number) in new.zip(0..) {
            let old = places.get(&key).copied();
            if let Some(old) = old {
                numbers.after[old as usize] = Some(number);
            }
            numbers.before.push(old);
        }
        numbers
    }

    /// These, and behind them those of another sort.
    fn followed_by(&self, other: &IdMapping) -> Self {
        let joined = |these: &[Option<u32>], others: &[Option<u32>], first: usize| {
            let others = others.iter().map(|number| Some((*number)? + first as u32));
            these.iter().copied().chain(others).collect()
        };
        Self {
            after: joined(&self.after, &other.after, self.before.len()),
            before: joined(&self.before, &other.before, self.after.len()),
        }
    }

    /// The new number of what had this one; None if it is gone.
    pub fn new_id(&self, old: u32) -> Option<u32> {
        *self.after.get(old as usize)?
    }

    /// The old number of what has this one now; None if it is new.
    pub fn old_id(&self, new: u32) -> Option<u32> {
        *self.before.get(new as usize)?
    }

    /// Has nothing come, gone or moved?
    pub fn is_same(&self) -> bool {
        self.after.len() == self.before.len()
            && self.before.iter().zip(0..).all(|(old, new)| *old == Some(new))
    }

    /// Things kept by number, in their new order; for what is new, as `fresh` makes it.
    pub fn carry<T>(&self, things: Vec<T>, mut fresh: impl FnMut(u32) -> T) -> Vec<T> {
        let mut things: Vec<Option<T>> = things.into_iter().map(Some).collect();
        let mut kept = |old: u32| things.get_mut(old as usize)?.take();
        self.before
            .iter()
            .zip(0..)
            .map(|(old, new)| old.and_then(&mut kept).unwrap_or_else(|| fresh(new)))
            .collect()
    }
}
