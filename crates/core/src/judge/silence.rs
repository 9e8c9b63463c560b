//! A scope's silence: what it has missed since life was last proved, and what that is worth.
//!
//! Only misses *sent after the newest answered probe* count: an answer proves life at the moment
//! its probe came by, whatever was missed before. Each miss multiplies the odds of "down" by 1/q,
//! where q is the chance that its host misses while its block is alive (Wald's sequential test with
//! a false reply all but impossible). Its oldest misses say when the silence began; of the others
//! only sums are kept, so that a silence of days costs no more than one of seconds.

use super::{
    change_point::change_point,
    rules::{DOWN_CHILDREN, EDGE_MISSES},
};
use crate::time::Time;
use std::{collections::BTreeSet, time::Duration};

#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Miss {
    pub sent: Time,
    /// ln(1/q), where q is the chance that this target misses while its block is alive.
    pub weight: f32,
    /// The target that missed; in a scope of scopes, the child that it lies in.
    pub part: u32,
    /// How long an answer usually takes at the most.
    pub usual_rtt: Duration,
}

/// What has been missed since the newest life.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Silence {
    pub count: u32,
    pub first: Time,
    pub last: Time,
    /// Natural logarithm of the odds, no child contributing more than its share.
    pub odds: f32,
    /// The same without shares.
    pub full_odds: f32,
    /// In how many children something was missed.
    pub children: u32,
    /// In the order in which they were sent, at most [`EDGE_MISSES`].
    oldest: Vec<Miss>,
}

impl Silence {
    /// Adds a miss that contributes so much.
    pub fn add(&mut self, miss: Miss, gain: f32) {
        self.first = if self.count == 0 { miss.sent } else { self.first.min(miss.sent) };
        self.last = if self.count == 0 { miss.sent } else { self.last.max(miss.sent) };
        self.count += 1;
        self.odds += gain;
        self.full_odds += miss.weight;
        let index = self.oldest.partition_point(|old| old.sent <= miss.sent);
        if index < EDGE_MISSES {
            self.oldest.insert(index, miss);
            self.oldest.truncate(EDGE_MISSES);
        }
    }

    /// Somebody answered.
    pub fn clear(&mut self) {
        let mut oldest = std::mem::take(&mut self.oldest);
        oldest.clear();
        *self = Self { oldest, ..Self::default() };
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn span(&self) -> Duration {
        self.last.since(self.first)
    }

    /// By when it had begun, as seen now and but for this risk: when the first miss was sent that
    /// chance does not explain, and its usual round-trip time later, since a cut also takes answers
    /// already under way. What was never heard was silent before the first miss.
    pub fn onset(&self, life: Option<Time>, risk: f64, now: Time) -> Option<Time> {
        let first = match life {
            Some(life) => change_point(life, self.oldest.iter(), now, risk),
            None => self.oldest.first(),
        };
        first.map(|miss| miss.sent + miss.usual_rtt)
    }

    /// When each of the children that a verdict needs had missed something.
    pub fn children_missed(&self) -> Option<Time> {
        let mut seen = BTreeSet::new();
        let firsts = self.oldest.iter().filter(|miss| seen.insert(miss.part));
        firsts.take(DOWN_CHILDREN as usize).map(|miss| miss.sent + miss.usual_rtt).max()
    }

    /// Goes on with other ids; a part without one is forgotten.
    pub fn remap(&mut self, new_id: impl Fn(u32) -> Option<u32>) {
        self.oldest.retain_mut(|miss| match new_id(miss.part) {
            Some(part) => {
                miss.part = part;
                true
            }
            None => false,
        });
    }

    /// Every time in it.
    pub fn times(&mut self) -> impl Iterator<Item = &mut Time> {
        let oldest = self.oldest.iter_mut().map(|miss| &mut miss.sent);
        oldest.chain([&mut self.first, &mut self.last])
    }
}
