//! Which target is probed when, within the budget.
//!
//! Each country has evenly spaced slots (`pacing`), which its blocks take in turn: four blocks at
//! one probe per 4 s each are seen once a second, and so is a change that hits all of them. Within
//! a block its targets take turns (`rotation`), and in a silence those who can tell whether it
//! lives are asked first (`ask_order`). Escalations (`escalation`) add probes in between.
//! Every probe takes a token from its block (`budget`), as does what the kernel repeats of it
//! (`repeat`) and what is asked beside (`extra`); regular probes repay escalations by slowing down.
//!
//! Cost: one heap entry per country, per target with an interval of its own, and per escalation;
//! O(log n) per probe, and nothing for a target that is not probed.
//!
//! It is a crate of its own, since it must know nothing of verdicts: the judge tells it by
//! [`Directive`]s where to ask more. Its tests are with the core's, whose worlds they share.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used)]

mod ask_order;
mod budget;
mod contact;
mod directive;
mod escalation;
mod extra;
mod open;
mod own_intervals;
mod pacing;
mod repeat;
mod replan;
mod rotation;
mod syn_checks;
mod trap;

pub use ask_order::NEWEST_IN_DOUBT;
pub use budget::Budget;
pub use directive::{Directive, Doubt, Escalation, Skipped, Slot, Spacing};
pub use extra::Extra;
pub use open::{OpenProbes, Started};
pub use own_intervals::OwnIntervals;
pub use rotation::Rank;
pub use syn_checks::{Syn, SynChecks};
pub use trap::{TrapPort, Unmasked, is_silence};

use contact::{Contact, no_contacts};
use escalation::EscalationState;
use lifesign_model::{
    bucket::Bucket,
    rng::Rng,
    scopes::{BlockId, CountryId, Roster, Scope, ScopeId, TargetId},
    time::Time,
};
use pacing::Pacing;
use repeat::HeardTargets;
use rotation::Rotation;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    sync::Arc,
    time::Duration,
};

/// After a longer delay the slots that have passed are skipped and counted. Shorter ones are the
/// machine's ordinary hiccups, which are caught up with to keep the slots even.
const STALL: Duration = Duration::from_millis(250);
/// A retired target is probed hourly, or so rarely that those of a block together take one slot in
/// [`RETIRED_SHARE`] beside the regular ones: a plan made of an old list may be half dead, and must
/// not pay for that in pace.
const RETIRED_EVERY: Duration = Duration::from_secs(3600);
const RETIRED_SHARE: u32 = 512;
/// How many sibling blocks a doubt asks; and in a country with more blocks no turn is given away.
const FAN_OUT: u32 = 8;
/// A country whose regular probes are closer together than this needs no siblings asked.
const CLOSE_TOGETHER: Duration = Duration::from_millis(500);
/// A country that was asked this lately is not asked whether it fell silent with another.
const JUST_NOW: Duration = Duration::from_secs(2);
/// Tokens of a block that are left to its regular probes.
const REGULAR_RESERVE: f64 = 1.0;
/// A question to one target decides what a return was: it may delay the next regular probe.
const ASKED_RESERVE: f64 = 0.5;

/// The schedule of a whole plan.
#[derive(Debug)]
pub struct Schedule {
    roster: Arc<Roster>,
    budget: Budget,
    pacings: Vec<Pacing>,
    blocks: Vec<BlockTurns>,
    /// By [`ScopeId`].
    escalations: Vec<EscalationState>,
    /// By [`ScopeId`]: it is dark while what it lies in lives.
    excluded: Vec<bool>,
    /// By [`TargetId`].
    contacts: Vec<Contact>,
    /// The number of the newest probe of a target whose repetition is paid for, and not paid back.
    repeats_paid: BTreeMap<TargetId, u32>,
    queue: BinaryHeap<Reverse<(Time, Key)>>,
    skipped: Skipped,
    doubts: BTreeSet<BlockId>,
}

/// A block's turns and tokens.
#[derive(Debug)]
struct BlockTurns {
    rotation: Rotation,
    bucket: Bucket,
    /// How targets with an interval of their own are asked, and what they leave of the regular
    /// pace.
    own_intervals: OwnIntervals,
    /// Shares saved up since its last regular probe, which takes a whole one.
    credit: f64,
    last_probe: Time,
    /// When its newest answered probe was sent.
    answered: Time,
    /// Which silence it is asked about: the one since this answer.
    silent_since: Time,
    /// How many probes that was so far.
    doubt_probes: u32,
    /// How many probes went to those of its targets whose probes are repeated in turn.
    repeat_turn: u32,
    heard_targets: HeardTargets,
    /// A slot for its retired targets is in the queue.
    retired_queued: bool,
}

/// What a slot is for. Slots of one time come in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// The regular probes of a country.
    Regular(CountryId),
    /// The escalation of a scope.
    Escalated(ScopeId),
    /// One extra probe of a block.
    Once(BlockId),
    /// One extra probe of a target.
    Asked(TargetId),
    /// A target with an interval of its own.
    Interval(TargetId),
    /// The retired targets of a block.
    Retired(BlockId),
}

impl Schedule {
    /// A schedule that begins now. The seed mixes the targets' order and the phases of their
    /// intervals.
    pub fn new(roster: Arc<Roster>, budget: Budget, seed: u64, now: Time) -> Self {
        let mut rng = Rng::new(seed);
        let budget = budget.for_blocks(roster.blocks.len());
        let mut queue = BinaryHeap::new();
        let mut blocks = Vec::with_capacity(roster.blocks.len());
        for block in &roster.blocks {
            let mut turns = Vec::new();
            let own_intervals = OwnIntervals::of(&roster, block.targets.clone(), budget.base);
            for target in block.targets.clone() {
                let target = TargetId(target);
                match roster.target(target).interval() {
                    Some(every) => {
                        let every = every.max(own_intervals.shortest);
                        let at = now + every.mul_f64(rng.unit());
                        queue.push(Reverse((at, Key::Interval(target))));
                    }
                    None => turns.push(target),
                }
            }
            rng.shuffle(&mut turns);
            blocks.push(BlockTurns {
                rotation: Rotation::new(turns),
                bucket: budget.bucket(now),
                retired_queued: false,
                own_intervals,
                credit: rng.unit(),
                last_probe: Time::default(),
                answered: Time::default(),
                silent_since: Time::default(),
                doubt_probes: 0,
                repeat_turn: 0,
                heard_targets: HeardTargets::default(),
            });
        }
        let mut pacings = Vec::with_capacity(roster.countries.len());
        for (id, country) in roster.countries.iter().enumerate() {
            let interval =
                Duration::from_secs_f64(1.0 / (budget.base * country.blocks.len().max(1) as f64));
            if !country.blocks.is_empty() {
                let at = now + interval.mul_f64(rng.unit());
                queue.push(Reverse((at, Key::Regular(CountryId(id as u32)))));
            }
            pacings.push(Pacing::new(interval, country.blocks.len() as u32, seed ^ id as u64));
        }
        let escalations = vec![EscalationState::default(); roster.scope_count()];
        Self {
            excluded: vec![false; roster.scope_count()],
            contacts: no_contacts(&roster),
            repeats_paid: BTreeMap::new(),
            skipped: Skipped::default(),
            doubts: BTreeSet::new(),
            roster,
            budget,
            pacings,
            blocks,
            escalations,
            queue,
        }
    }

    /// Between two regular probes of a scope, those at intervals of targets' own among them: what
    /// silence has to be measured against.
    pub fn interval(&self, scope: Scope) -> Duration {
        let blocks = self.roster.blocks_of(scope).map(|block| &self.blocks[block as usize]);
        let pace: f64 = blocks.map(|block| block.own_intervals.pace).sum();
        // A country may have lost all of its blocks.
        Duration::try_from_secs_f64(1.0 / pace).unwrap_or_default()
    }

    /// When the newest answered probe to a target was sent.
    pub fn answered(&self, target: TargetId) -> Time {
        self.contacts[target.0 as usize].answered
    }

    /// When the next slot is.
    pub fn poll_timeout(&self) -> Time {
        self.queue.peek().map_or(Time::NEVER, |entry| entry.0.0)
    }

    /// Slots that were given up so far.
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// The next target to probe, if one is due by `now`.
    #[inline]
    pub fn poll_target(&mut self, now: Time, open: &OpenProbes) -> Option<Slot> {
        while let Some(&Reverse((at, key))) = self.queue.peek()
            && at <= now
        {
            if let Some(target) = self.take_slot(at, key, now, open) {
                return Some(Slot { target, lag: now.since(at) });
            }
        }
        None
    }

    /// Whom the first slot of the queue asks. It stays there until it is rescheduled or removed.
    fn take_slot(&mut self, at: Time, key: Key, now: Time, open: &OpenProbes) -> Option<TargetId> {
        let target = match key {
            Key::Regular(country) => self.regular_slot(country, at, now, open),
            Key::Escalated(scope) => self.escalation_slot(scope, at, now),
            Key::Asked(target) => {
                self.queue.pop();
                let block = self.roster.target(target).block;
                self.pay(block, ASKED_RESERVE, now).then_some(target)
            }
            Key::Once(block) => {
                self.queue.pop();
                self.doubt_probe(block, NEWEST_IN_DOUBT, REGULAR_RESERVE, now)
            }
            Key::Interval(target) => {
                let every = self.own_interval(target).unwrap_or(RETIRED_EVERY);
                self.reschedule_regular(at, every, now);
                self.own_slot(target, now, open)
            }
            Key::Retired(block) => self.retired_slot(block, at, now),
        }?;
        let contact = &mut self.contacts[target.0 as usize];
        // Of a host that was asked in vain another target may still tell.
        if !contact.absent {
            contact.asked = now;
        }
        Some(target)
    }

    /// The next block that is asked more, in doubt, and that nobody has taken yet.
    pub fn poll_doubt(&mut self) -> Option<BlockId> {
        self.doubts.pop_first()
    }

    /// Does what the judge wants.
    pub fn handle_directive(&mut self, directive: Directive, now: Time) {
        match directive {
            Directive::Escalate(scope, escalation) => {
                if let Scope::Block(block) = scope {
                    self.doubts.insert(block);
                }
                self.escalate(scope, escalation, now);
            }
            Directive::Relax(scope) => {
                self.escalations[self.roster.scope_id(scope).index()].wanted = None;
            }
            Directive::Ask(target, wait) => {
                self.queue.push(Reverse((now + wait, Key::Asked(target))));
            }
            Directive::AskBlock(block) => self.queue.push(Reverse((now, Key::Once(block)))),
            Directive::AskSiblings(block) => self.ask_siblings(block, now),
            Directive::AskCountries(country) => self.ask_countries(country, now),
            Directive::Exclude(scope, excluded) => {
                self.excluded[self.roster.scope_id(scope).index()] = excluded;
            }
            Directive::Rank(target, rank) => self.rank(target, rank, now),
        }
    }

    fn rank(&mut self, target: TargetId, rank: Rank, now: Time) {
        let block = self.roster.target(target).block;
        if self.roster.target(target).interval().is_some() {
            return;
        }
        let turns = &mut self.blocks[block.0 as usize];
        turns.rotation.rank(target, rank);
        self.contacts[target.0 as usize].absent = rank.is_gone();
        if rank == Rank::Retired && !turns.retired_queued {
            turns.retired_queued = true;
            let at = now + self.retired_every(block);
            self.queue.push(Reverse((at, Key::Retired(block))));
        }
    }

    /// Between two slots for a block's retired targets.
    fn retired_every(&self, block: BlockId) -> Duration {
        let count = self.blocks[block.0 as usize].rotation.retired_count() as u32;
        (RETIRED_EVERY / count.max(1)).max(self.interval(Scope::Block(block)) * RETIRED_SHARE)
    }

    /// A block's slot for its retired targets.
    fn retired_slot(&mut self, block: BlockId, at: Time, now: Time) -> Option<TargetId> {
        let turns = &mut self.blocks[block.0 as usize];
        turns.retired_queued = turns.rotation.retired_count() > 0;
        if !turns.retired_queued {
            self.queue.pop();
            return None;
        }
        self.reschedule_regular(at, self.retired_every(block), now);
        let paid = self.take_token(block, REGULAR_RESERVE, now);
        if paid { self.blocks[block.0 as usize].rotation.next_retired() } else { None }
    }

    /// The interval of a target that has one of its own, as far as its block's pace allows.
    fn own_interval(&self, target: TargetId) -> Option<Duration> {
        let target = self.roster.target(target);
        let shortest = self.blocks[target.block.0 as usize].own_intervals.shortest;
        target.interval().map(|every| every.max(shortest))
    }

    /// A slot of a target with an interval of its own.
    fn own_slot(&mut self, target: TargetId, now: Time, open: &OpenProbes) -> Option<TargetId> {
        if open.is_waiting(target) {
            self.skipped.over_budget += 1;
            return None;
        }
        self.pay(self.roster.target(target).block, 0.0, now).then_some(target)
    }

    /// Pays for a probe of a block, if that leaves `reserve` tokens.
    fn take_token(&mut self, block: BlockId, reserve: f64, now: Time) -> bool {
        let reserve = reserve + self.price(block) - 1.0;
        let paid = self.blocks[block.0 as usize].bucket.take(reserve, now);
        self.skipped.over_budget += u64::from(!paid);
        paid
    }

    /// The same for one that tells whether the block lives.
    fn pay(&mut self, block: BlockId, reserve: f64, now: Time) -> bool {
        let paid = self.take_token(block, reserve, now);
        if paid {
            self.blocks[block.0 as usize].last_probe = now;
        }
        paid
    }

    /// Moves the slot at hand on by its interval; after a stall, by as many as have passed.
    fn reschedule_regular(&mut self, at: Time, interval: Duration, now: Time) {
        let mut next = at + interval;
        if now.since(at) > STALL && next <= now {
            let missed = now.since(at).as_nanos() / interval.as_nanos().max(1);
            self.skipped.missed += missed as u64;
            next = at + Duration::from_nanos((interval.as_nanos() * (missed + 1)) as u64);
        }
        self.reschedule(next);
    }

    /// Moves the slot at hand, which is still first in the queue and mostly has not far to go.
    fn reschedule(&mut self, next: Time) {
        if let Some(mut first) = self.queue.peek_mut() {
            first.0.0 = next;
        }
    }
}
