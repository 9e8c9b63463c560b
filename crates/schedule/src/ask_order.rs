//! Whom to ask in a silence. The host that was heard last alone refutes that only the others have
//! gone: it is asked first, and again and again; between, one after the other of those not yet
//! asked since their block was heard, the newest heard first.

use super::{CLOSE_TOGETHER, FAN_OUT, JUST_NOW, Key, REGULAR_RESERVE, Schedule};
use lifesign_model::{
    scopes::{BlockId, CountryId, Scope, TargetId},
    time::Time,
};
use std::{
    cmp::{Reverse, max},
    time::Duration,
};

/// Every second probe of a doubt goes again to the host heard last, since it alone refutes that
/// only the others have gone.
pub const NEWEST_IN_DOUBT: u32 = 2;
/// Who was asked within this time is not asked again for being the newest heard.
const AGAIN_AFTER: Duration = Duration::from_millis(700);

impl Schedule {
    /// Of a block that is escalated, or lies in what is: one probe in how many goes to the newest
    /// heard.
    pub(super) fn newest_every(&self, block: BlockId) -> Option<u32> {
        let mut path = self.roster.path(block);
        path.find_map(|id| self.escalations[id.index()].wanted.map(|wanted| wanted.newest_every))
    }

    /// The target of a silent block that is asked next; every `newest_every`-th probe goes to
    /// the newest heard.
    pub(super) fn doubtful_target(
        &mut self,
        block: BlockId,
        newest_every: u32,
        now: Time,
    ) -> Option<TargetId> {
        let turns = &mut self.blocks[block.0 as usize];
        if turns.silent_since != turns.answered {
            turns.silent_since = turns.answered;
            turns.doubt_probes = 0;
        }
        let nth = turns.doubt_probes;
        turns.doubt_probes += 1;
        let answered = turns.answered;
        let contact = |target: TargetId| self.contacts[target.0 as usize];
        let host_asked = |target: TargetId| self.host_asked(target);
        let is_heard = |target: &TargetId| contact(*target).answered != Time::default();
        let rotation = &self.blocks[block.0 as usize].rotation;
        let is_new = |target: &TargetId| contact(*target).asked == Time::default();
        // In a block that nobody ever heard, all are asked alike; else each at least once.
        let any_heard = rotation.present().iter().any(is_heard);
        let counts = |target: &&TargetId| !any_heard || is_heard(target) || is_new(target);
        let good = || rotation.good().iter().filter(counts).copied();
        let present = || rotation.present().iter().filter(counts).copied();
        if nth > 0 && nth.is_multiple_of(newest_every) {
            let last = good().max_by_key(|&target| contact(target).answered);
            let is_due = |target: &TargetId| now.since(host_asked(*target)) > AGAIN_AFTER;
            if let Some(target) = last.filter(is_due) {
                return Some(target);
            }
        }
        let is_unasked =
            |target: &TargetId| host_asked(*target) <= max(answered, contact(*target).answered);
        present()
            .filter(is_unasked)
            .max_by_key(|&target| (contact(target).answered, Reverse(contact(target).asked)))
            .or_else(|| good().min_by_key(|&target| (host_asked(target), contact(target).asked)))
            .or_else(|| present().min_by_key(|&target| (host_asked(target), contact(target).asked)))
    }

    /// When the newest probe to the target's host was sent.
    fn host_asked(&self, target: TargetId) -> Time {
        let host = self.contacts[target.0 as usize].host;
        let of_host = self.contacts[host as usize..].iter().take_while(|one| one.host == host);
        of_host.map(|contact| contact.asked).max().unwrap_or_default()
    }

    /// The block of a silent scope that is asked next: of those not yet asked since it was heard,
    /// the newest heard; else the one asked longest ago.
    pub(super) fn doubtful_block(&self, scope: Scope, reserve: f64, now: Time) -> Option<BlockId> {
        let turns = |block: BlockId| &self.blocks[block.0 as usize];
        let blocks = self.roster.blocks_of(scope).map(BlockId);
        let answered = blocks.clone().map(|block| turns(block).answered).max()?;
        let able: Vec<BlockId> =
            blocks.filter(|&block| self.can_ask(block, reserve, now)).collect();
        let unasked = able.iter().copied().filter(|&block| turns(block).last_probe <= answered);
        unasked
            .max_by_key(|&block| turns(block).answered)
            .or_else(|| able.iter().copied().min_by_key(|&block| turns(block).last_probe))
    }

    /// Has the block a token beside the `reserve`, and does it tell anything of what it lies in?
    fn can_ask(&self, block: BlockId, reserve: f64, now: Time) -> bool {
        self.blocks[block.0 as usize].bucket.level(now) >= self.price(block) + reserve
            && !self.roster.path(block).any(|id| self.excluded[id.index()])
    }

    /// A probe beside the regular ones, if it leaves `reserve` tokens; an open probe to the target
    /// is no obstacle.
    pub(super) fn doubt_probe(
        &mut self,
        block: BlockId,
        newest_every: u32,
        reserve: f64,
        now: Time,
    ) -> Option<TargetId> {
        if !self.pay(block, reserve, now) {
            return None;
        }
        let target = self.doubtful_target(block, newest_every, now);
        let rotation = &mut self.blocks[block.0 as usize].rotation;
        target.or_else(|| rotation.begin_turn(|_| true))
    }

    /// Asks the other blocks of a country that were heard last, unless its regular probes alone are
    /// close enough together.
    pub(super) fn ask_siblings(&mut self, block: BlockId, now: Time) {
        let country = self.roster.block(block).country;
        if self.pacings[country.0 as usize].interval < CLOSE_TOGETHER {
            return;
        }
        let blocks = self.roster.blocks_of(Scope::Country(country)).map(BlockId);
        let is_asked =
            |other: &BlockId| *other != block && self.can_ask(*other, REGULAR_RESERVE, now);
        let mut others: Vec<BlockId> = blocks.filter(is_asked).collect();
        others.sort_by_key(|&other| Reverse(self.blocks[other.0 as usize].answered));
        for other in others.into_iter().take(FAN_OUT as usize) {
            self.queue.push(Reverse((now, Key::Once(other))));
        }
    }

    /// Asks each other country that was not asked just now.
    pub(super) fn ask_countries(&mut self, country: CountryId, now: Time) {
        let all = (0..self.roster.countries.len() as u32).map(CountryId);
        for other in all.filter(|&other| other != country) {
            let blocks = self.roster.blocks_of(Scope::Country(other)).map(BlockId);
            let probed = blocks.clone().map(|block| self.blocks[block.0 as usize].last_probe).max();
            if probed.is_some_and(|probed| probed + JUST_NOW < now)
                && let Some(block) =
                    blocks.max_by_key(|&block| self.blocks[block.0 as usize].answered)
            {
                self.queue.push(Reverse((now, Key::Once(block))));
            }
        }
    }
}
