//! When to ask whom. In: the roster, the budget, the time, and where the judge wants a closer look.
//! Out: the targets to ask now. It never waits, never sends, and knows nothing of answers beyond
//! which probes are open.
//!
//! Every country has an even beat: its blocks take turns, so that a country of four blocks at one
//! probe per 4 s each is seen once a second, and a change that hits all of them is seen at that
//! finer grain. Within a block its targets take turns (`rotation`). A closer look ([`Directive`])
//! adds probes between the beats. Every probe of either sort takes a token from its block
//! (`budget`); where looks are paid from savings, the beat repays them by slowing down a little,
//! and its turn goes to the block that owes least.
//!
//! Cost: one heap entry per country, per target with an interval of its own, and per closer look;
//! O(log n) per probe, and nothing for a target that is not asked.

mod beat;
mod budget;
mod directive;
mod open;
mod replan;
mod rotation;
#[cfg(test)]
mod tests;

pub use budget::Budget;
pub use directive::{Directive, Doubt, Escalation, Skipped, Slot};
pub use open::OpenProbes;
pub use rotation::Rank;

use crate::{
    rng::Rng,
    scopes::{BlockId, Roster, Scope, ScopeId, TargetId},
    time::Time,
};
use beat::Beat;
use budget::Bucket;
use rotation::Rotation;
use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

/// A slot that is later than this is not caught up with: what lies before now is skipped and
/// counted. Shorter delays are the machine's ordinary hiccups, and evenness is better kept than
/// lost.
const STALL: Duration = Duration::from_millis(250);
/// How often a retired target is asked: hourly, or so rarely that those of a block together take
/// one slot in so many beside the even pace. A plan made of an old list may be half dead, and must
/// not pay for it in pace.
const RETIRED_EVERY: Duration = Duration::from_secs(3600);
const RETIRED_SHARE: u32 = 512;
/// In a larger country than this the even beat alone sees every block soon enough.
const FAN_OUT: u32 = 8;
/// So many tokens of a block are left to the beat.
const BEATS_OWN: f64 = 1.0;
/// A vague doubt leaves this share of the bucket to those that are not. With a half, hosts that
/// miss half of all probes spend what an outage of five minutes needs (docs/laboratory.md).
const KEPT_FROM_THE_VAGUE: f64 = 0.6;

/// The schedule of a whole plan.
#[derive(Debug)]
pub struct Schedule {
    roster: Arc<Roster>,
    budget: Budget,
    beats: Vec<Beat>,
    blocks: Vec<BlockTurns>,
    looks: Vec<Closer>,
    queue: BinaryHeap<Reverse<(Time, Key)>>,
    skipped: Skipped,
}

/// A block's turns and tokens.
#[derive(Debug)]
struct BlockTurns {
    rotation: Rotation,
    bucket: Bucket,
    /// What is left of the even pace behind targets with an interval of their own, as a share.
    share: f64,
    credit: f64,
    asked: Time,
    /// A slot for its retired targets is in the queue.
    armed: bool,
}

/// A scope that is looked at more closely.
#[derive(Clone, Copy, Debug, Default)]
struct Closer {
    every: Option<Duration>,
    /// So many tokens it leaves to others.
    keep: f64,
    armed: bool,
    last: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Beat(u32),
    Closer(ScopeId),
    Once(u32),
    Interval(u32),
    Retired(u32),
}

impl Schedule {
    /// A schedule that begins now. The seed mixes the targets' order and the phases of their
    /// intervals.
    pub fn new(roster: Arc<Roster>, mut budget: Budget, seed: u64, now: Time) -> Self {
        let mut rng = Rng::new(seed);
        // The mean, not the even pace: confirmations count towards the total too.
        let wanted = budget.mean * roster.blocks.len() as f64;
        if let Some(total) = budget.total.filter(|&total| total < wanted) {
            budget.base *= total / wanted;
            budget.mean *= total / wanted;
        }
        let mut queue = BinaryHeap::new();
        let mut blocks = Vec::with_capacity(roster.blocks.len());
        for block in &roster.blocks {
            let (mut turns, mut fixed) = (Vec::new(), 0.0);
            for target in block.targets.clone() {
                match roster.targets[target as usize].interval {
                    Some(every) => {
                        fixed += 1.0 / every.as_secs_f64();
                        queue.push(Reverse((
                            now + every.mul_f64(rng.unit()),
                            Key::Interval(target),
                        )));
                    }
                    None => turns.push(target),
                }
            }
            rng.shuffle(&mut turns);
            let share = if turns.is_empty() { 0.0 } else { (1.0 - fixed / budget.base).max(0.0) };
            blocks.push(BlockTurns {
                rotation: Rotation::new(turns),
                bucket: Bucket::new(&budget, now),
                armed: false,
                share,
                credit: rng.unit(),
                asked: Time::default(),
            });
        }
        let mut beats = Vec::with_capacity(roster.countries.len());
        for (number, country) in roster.countries.iter().enumerate() {
            let gap =
                Duration::from_secs_f64(1.0 / (budget.base * country.blocks.len().max(1) as f64));
            if !country.blocks.is_empty() {
                queue.push(Reverse((now + gap.mul_f64(rng.unit()), Key::Beat(number as u32))));
            }
            beats.push(Beat { gap, at: 0 });
        }
        let looks = vec![Closer::default(); roster.scope_count()];
        Self { roster, budget, beats, blocks, looks, queue, skipped: Skipped::default() }
    }

    /// How far apart a scope's even probes are: what silence has to be measured against.
    pub fn gap(&self, scope: Scope) -> Duration {
        match scope {
            Scope::Country(id) => self.beats[id.0 as usize].gap,
            Scope::Block(id) => {
                let block = self.roster.block(id);
                self.beats[block.country.0 as usize].gap
                    * self.roster.country(block.country).blocks.len() as u32
            }
        }
    }

    /// When [`Schedule::poll_target`] next has something to say.
    pub fn poll_timeout(&self) -> Time {
        self.queue.peek().map_or(Time::NEVER, |entry| entry.0.0)
    }

    /// Slots that were given up so far.
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// The next target to ask by `now`, if any is due. The slot at hand stays in the queue until it
    /// says when it comes again, or leaves.
    pub fn poll_target(&mut self, now: Time, open: &OpenProbes) -> Option<Slot> {
        while let Some(&Reverse((at, key))) = self.queue.peek() {
            if at > now {
                return None;
            }
            let lag = now.since(at);
            let target = match key {
                Key::Beat(country) => self.beat(country, at, now, open),
                Key::Closer(scope) => self.closer(scope, now),
                Key::Once(block) => {
                    self.queue.pop();
                    self.extra(block, BEATS_OWN, now)
                }
                Key::Interval(target) => {
                    let every =
                        self.roster.targets[target as usize].interval.unwrap_or(RETIRED_EVERY);
                    self.again(at, every, now);
                    self.spend(target, now, open)
                }
                Key::Retired(block) => self.retired(block, at, now),
            };
            if let Some(target) = target {
                return Some(Slot { target: TargetId(target), lag });
            }
        }
        None
    }

    /// Does what the judge wants.
    pub fn handle_directive(&mut self, look: Directive, now: Time) {
        match look {
            Directive::Escalate(scope, Escalation { every, wait, doubt }) => {
                let id = self.roster.scope_id(scope);
                let keep = self.kept(doubt);
                let closer = &mut self.looks[id.index()];
                (closer.every, closer.keep) = (Some(every), keep);
                if !closer.armed {
                    closer.armed = true;
                    let at = (now + wait).max(closer.last + every);
                    self.queue.push(Reverse((at, Key::Closer(id))));
                }
            }
            Directive::Relax(scope) => {
                self.looks[self.roster.scope_id(scope).index()].every = None;
            }
            Directive::AskSiblings(block, doubt) => {
                let blocks = self.country_of(block.0);
                let least = 1.0 + self.kept(doubt);
                if blocks.len() as u32 <= FAN_OUT {
                    for other in blocks.filter(|&other| other != block.0) {
                        if self.blocks[other as usize].bucket.level(&self.budget, now) >= least {
                            self.queue.push(Reverse((now, Key::Once(other))));
                        }
                    }
                }
            }
            Directive::Rank(target, rank) => self.rank(target, rank, now),
        }
    }

    /// How many tokens a doubt leaves to others.
    fn kept(&self, doubt: Doubt) -> f64 {
        match doubt {
            Doubt::Vague => BEATS_OWN.max(self.budget.burst * KEPT_FROM_THE_VAGUE),
            Doubt::Strong => BEATS_OWN,
        }
    }

    fn rank(&mut self, target: TargetId, rank: Rank, now: Time) {
        let noun = self.roster.target(target);
        if noun.interval.is_none() {
            self.blocks[noun.block.0 as usize].rotation.rank(target.0, rank);
            if rank == Rank::Retired && !self.blocks[noun.block.0 as usize].armed {
                self.blocks[noun.block.0 as usize].armed = true;
                let at = now + self.retired_every(noun.block);
                self.queue.push(Reverse((at, Key::Retired(noun.block.0))));
            }
        }
    }

    /// How far apart a block's slots for retired targets are.
    fn retired_every(&self, block: BlockId) -> Duration {
        let count = self.blocks[block.0 as usize].rotation.retired() as u32;
        (RETIRED_EVERY / count.max(1)).max(self.gap(Scope::Block(block)) * RETIRED_SHARE)
    }

    /// A block's slot for its retired targets.
    fn retired(&mut self, block: u32, at: Time, now: Time) -> Option<u32> {
        let turns = &mut self.blocks[block as usize];
        turns.armed = turns.rotation.retired() > 0;
        if !turns.armed {
            self.queue.pop();
            return None;
        }
        self.again(at, self.retired_every(BlockId(block)), now);
        let turns = &mut self.blocks[block as usize];
        if !turns.bucket.take(&self.budget, now, BEATS_OWN) {
            self.skipped.over_budget += 1;
            return None;
        }
        turns.rotation.next_retired()
    }

    /// A closer look's slot: at a block, its next target; at a country, the block not asked for
    /// longest.
    fn closer(&mut self, scope: ScopeId, now: Time) -> Option<u32> {
        let closer = &mut self.looks[scope.index()];
        let Some(every) = closer.every else {
            closer.armed = false;
            self.queue.pop();
            return None;
        };
        let keep = closer.keep;
        closer.last = now;
        self.comes_again(now + every);
        let block = match self.roster.scope(scope) {
            Scope::Block(block) => {
                // A country that is looked at as a whole asks for its blocks too: not twice.
                let country = self.roster.parent(scope)?;
                if self.looks[country.index()].every.is_some() {
                    return None;
                }
                block.0
            }
            Scope::Country(country) => {
                let blocks = self.roster.country(country).blocks.clone();
                if blocks.len() as u32 > FAN_OUT {
                    return None;
                }
                let able = blocks.filter(|&block| {
                    self.blocks[block as usize].bucket.level(&self.budget, now) >= 1.0 + keep
                });
                able.min_by_key(|&block| self.blocks[block as usize].asked)?
            }
        };
        self.extra(block, keep, now)
    }

    /// A probe beside the beat, if so many tokens are left after it; an open probe to the target is
    /// no obstacle.
    fn extra(&mut self, block: u32, keep: f64, now: Time) -> Option<u32> {
        let turns = &mut self.blocks[block as usize];
        if !turns.bucket.take(&self.budget, now, keep) {
            self.skipped.over_budget += 1;
            return None;
        }
        turns.asked = now;
        turns.rotation.next(|_| true)
    }

    /// A slot of one target's own.
    fn spend(&mut self, target: u32, now: Time, open: &OpenProbes) -> Option<u32> {
        let block = self.roster.targets[target as usize].block;
        let turns = &mut self.blocks[block.0 as usize];
        if open.is_waiting(target) || !turns.bucket.take(&self.budget, now, 0.0) {
            self.skipped.over_budget += 1;
            return None;
        }
        turns.asked = now;
        Some(target)
    }

    /// When the slot at hand comes again: on the beat, unless the beat has been lost.
    fn again(&mut self, at: Time, gap: Duration, now: Time) {
        let mut next = at + gap;
        if now.since(at) > STALL && next <= now {
            let missed = now.since(at).as_nanos() / gap.as_nanos().max(1);
            self.skipped.missed += missed as u64;
            next = at + Duration::from_nanos((gap.as_nanos() * (missed + 1)) as u64);
        }
        self.comes_again(next);
    }

    /// The slot at hand is still the first in the queue, whence it mostly has not far to go.
    fn comes_again(&mut self, next: Time) {
        if let Some(mut first) = self.queue.peek_mut() {
            first.0.0 = next;
        }
    }

    fn country_of(&self, block: u32) -> std::ops::Range<u32> {
        self.roster.country(self.roster.blocks[block as usize].country).blocks.clone()
    }
}
