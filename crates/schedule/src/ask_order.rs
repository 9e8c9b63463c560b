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
    pub(super) fn newest_share(&self, block: u32) -> Option<u32> {
        let mut path = self.roster.path(BlockId(block));
        path.find_map(|id| self.escalations[id.index()].wanted.map(|wanted| wanted.newest))
    }

    /// The target of a silent block that is asked next; every `newest`-th probe goes to the newest
    /// heard.
    pub(super) fn doubtful_target(&mut self, block: u32, newest: u32, now: Time) -> Option<u32> {
        let turns = &mut self.blocks[block as usize];
        if turns.silent_since != turns.answered {
            turns.silent_since = turns.answered;
            turns.doubt_probes = 0;
        }
        let nth = turns.doubt_probes;
        turns.doubt_probes += 1;
        let answered = turns.answered;
        let contact = |target: u32| self.contacts[target as usize];
        let host_asked = |target: u32| self.host_asked(TargetId(target));
        let is_heard = |target: &u32| contact(*target).answered != Time::default();
        let rotation = &self.blocks[block as usize].rotation;
        let is_new = |target: &u32| contact(*target).asked == Time::default();
        // In a block that nobody ever heard, all are asked alike; else each at least once.
        let any_heard = rotation.present().iter().any(is_heard);
        let counts = |target: &&u32| !any_heard || is_heard(target) || is_new(target);
        let good = || rotation.good().iter().filter(counts).copied();
        let present = || rotation.present().iter().filter(counts).copied();
        if nth > 0 && nth.is_multiple_of(newest) {
            let last = good().max_by_key(|&target| contact(target).answered);
            let is_due = |target: &u32| now.since(host_asked(*target)) > AGAIN_AFTER;
            if let Some(target) = last.filter(is_due) {
                return Some(target);
            }
        }
        let is_unasked =
            |target: &u32| host_asked(*target) <= max(answered, contact(*target).answered);
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
    pub(super) fn doubtful_block(&self, scope: Scope, reserve: f64, now: Time) -> Option<u32> {
        let turns = |block: u32| &self.blocks[block as usize];
        let blocks = self.roster.blocks_of(scope);
        let answered = blocks.clone().map(|block| turns(block).answered).max()?;
        let able: Vec<u32> = blocks.filter(|&block| self.can_ask(block, reserve, now)).collect();
        let unasked = able.iter().copied().filter(|&block| turns(block).last_probe <= answered);
        unasked
            .max_by_key(|&block| turns(block).answered)
            .or_else(|| able.iter().copied().min_by_key(|&block| turns(block).last_probe))
    }

    /// Has the block a token beside the `reserve`, and does it tell anything of what it lies in?
    fn can_ask(&self, block: u32, reserve: f64, now: Time) -> bool {
        self.blocks[block as usize].bucket.level(now) >= self.price(block) + reserve
            && !self.roster.path(BlockId(block)).any(|id| self.excluded[id.index()])
    }

    /// A probe beside the regular ones, if it leaves `reserve` tokens; an open probe to the target
    /// is no obstacle.
    pub(super) fn doubt_probe(
        &mut self,
        block: u32,
        newest: u32,
        reserve: f64,
        now: Time,
    ) -> Option<u32> {
        if !self.pay(block, reserve, now) {
            return None;
        }
        let target = self.doubtful_target(block, newest, now);
        let rotation = &mut self.blocks[block as usize].rotation;
        target.or_else(|| rotation.begin_turn(|_| true))
    }

    /// Asks the other blocks of a country that were heard last, unless its regular probes alone are
    /// close enough together.
    pub(super) fn ask_siblings(&mut self, block: BlockId, now: Time) {
        let country = self.roster.block(block).country;
        if self.pacings[country.0 as usize].interval < CLOSE_TOGETHER {
            return;
        }
        let blocks =
            self.roster.blocks_of(Scope::Country(country)).filter(|&other| other != block.0);
        let mut others: Vec<u32> =
            blocks.filter(|&other| self.can_ask(other, REGULAR_RESERVE, now)).collect();
        others.sort_by_key(|&other| Reverse(self.blocks[other as usize].answered));
        for other in others.into_iter().take(FAN_OUT as usize) {
            self.queue.push(Reverse((now, Key::Once(other))));
        }
    }

    /// Asks each other country that was not asked just now.
    pub(super) fn ask_countries(&mut self, country: CountryId, now: Time) {
        let others = (0..self.roster.countries.len() as u32).filter(|&other| other != country.0);
        for other in others {
            let blocks = self.roster.blocks_of(Scope::Country(CountryId(other)));
            let probed = blocks.clone().map(|block| self.blocks[block as usize].last_probe).max();
            if probed.is_some_and(|probed| probed + JUST_NOW < now)
                && let Some(block) =
                    blocks.max_by_key(|&block| self.blocks[block as usize].answered)
            {
                self.queue.push(Reverse((now, Key::Once(block))));
            }
        }
    }
}
