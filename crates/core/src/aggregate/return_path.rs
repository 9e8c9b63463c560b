//! The hop limits (TTL) that echo replies arrive with, and when the path back from a block has
//! moved.
//!
//! Systems begin at 64, 128 or 255, and from what is left follows how many hops a reply has passed
//! (Jin, Wang, Shin: "Hop-Count Filtering", CCS 2003, §3.1). Each host is compared with itself
//! alone. A block's return path has moved when its replies agree: so many in a row, over so long,
//! from whichever of its hosts, have passed the same number of hops more or fewer than before. A
//! row that ends by itself was no move, and the next must be twice as long: where routers share the
//! load among several paths (ECMP, RFC 2991), replies alternate for ever.

use super::Aggregate;
use crate::{
    scopes::{BlockId, TargetId},
    time::Time,
};
use std::time::Duration;

/// The hop limits of a target's replies.
#[derive(Clone, Copy, Debug)]
pub(super) struct HopLimits {
    /// On the path that it is known to take.
    pub known: u8,
    pub newest: u8,
    /// So many of the newest were alike.
    pub in_a_row: u8,
}

/// So many replies in a row are no odd packets ...
const REPLIES: u8 = 5;
/// ... and over so long they are no moment of a path that still converges.
const LASTING: Duration = Duration::from_secs(30);

/// A path back from a block that has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReturnPathChange {
    /// When it was found.
    pub time: Time,
    /// Whose.
    pub block: BlockId,
    /// The hop limit that most of its hosts' replies came with before ...
    pub before: u8,
    /// ... and the one that they come with now.
    pub after: u8,
}

/// The path back from a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReturnPathView {
    /// The hop limit that the newest replies of most hosts came with: of several, the greatest.
    /// None before the first reply.
    pub hop_limit: Option<u8>,
    /// How often the path has moved.
    pub changes: u64,
}

/// The path back from a block, and what speaks against it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReturnPath {
    pub view: ReturnPathView,
    /// So many hops more the newest replies have passed than is known of their hosts ...
    more: i16,
    /// ... so many of them in a row ...
    replies: u8,
    /// ... since then.
    since: Time,
    /// So many in a row before them came by the known path, which took the place of one with so
    /// many hops fewer.
    known_replies: u8,
    known_more: i16,
    /// The longest stay on another path from which the replies came back.
    longest_excursion: u8,
}

impl ReturnPath {
    /// The newest reply has passed so many hops more than is known of its host.
    fn record_reply(&mut self, more: i16, now: Time) {
        if more == self.more {
            self.replies = self.replies.saturating_add(1);
        } else {
            self.end_row();
            self.more = more;
            self.replies = 1;
            self.since = now;
        }
        // Again there is but one path.
        if more == 0 && self.replies == u8::MAX {
            self.longest_excursion = 0;
        }
    }

    fn end_row(&mut self) {
        if self.more == 0 {
            self.known_replies = self.replies;
        } else {
            self.longest_excursion = self.longest_excursion.max(self.replies);
        }
    }

    fn has_moved(&self, now: Time) -> bool {
        let enough = self.longest_excursion.saturating_mul(2).max(REPLIES);
        self.more != 0 && self.replies >= enough && now.since(self.since) >= LASTING
    }

    /// The path of the newest replies is the known one from now on; returns how many hops more it
    /// has.
    fn record_move(&mut self) -> i16 {
        let more = std::mem::take(&mut self.more);
        if more == -self.known_more {
            self.longest_excursion = self.longest_excursion.max(self.known_replies);
        }
        self.known_more = more;
        self.view.changes += 1;
        more
    }
}

/// How many hops a reply with this hop limit has passed.
fn hops(hop_limit: u8) -> i16 {
    let begun = match hop_limit {
        0..=64 => 64,
        65..=128 => 128,
        129.. => 255,
    };
    begun - i16::from(hop_limit)
}

/// The one that there are most of: of several, the greatest.
fn most(hop_limits: impl Iterator<Item = u8>) -> Option<u8> {
    let mut counts = [0_u32; 256];
    hop_limits.for_each(|limit| counts[usize::from(limit)] += 1);
    (0..=u8::MAX)
        .filter(|&each| counts[usize::from(each)] > 0)
        .max_by_key(|&each| counts[usize::from(each)])
}

impl Aggregate {
    /// A reply of the target came with this hop limit.
    pub(super) fn record_hop_limit(&mut self, target: TargetId, hop_limit: u8, now: Time) {
        let stats = &mut self.targets[target.0 as usize];
        let block = self.kinds[stats.kind_id as usize].block;
        let path = &mut self.return_paths[block.0 as usize];
        let fresh = HopLimits { known: hop_limit, newest: hop_limit, in_a_row: 0 };
        let is_new = stats.hop_limits.is_none_or(|limits| limits.newest != hop_limit);
        let limits = stats.hop_limits.get_or_insert(fresh);
        let before = if is_new { 0 } else { limits.in_a_row };
        *limits = HopLimits { newest: hop_limit, in_a_row: before.saturating_add(1), ..*limits };
        let more = hops(hop_limit) - hops(limits.known);
        path.record_reply(more, now);
        if more == 0 {
            limits.known = hop_limit;
        } else if path.has_moved(now) {
            self.move_return_path(block, now);
        } else if limits.in_a_row >= REPLIES && path.replies < limits.in_a_row {
            // Others of the block have not moved so: it is the host's own path, or its system.
            limits.known = hop_limit;
        }
        if is_new {
            self.sum_up_hop_limits(block);
        }
    }

    /// What most replies of the block come with by now.
    pub(super) fn sum_up_hop_limits(&mut self, block: BlockId) {
        self.return_paths[block.0 as usize].view.hop_limit =
            most(self.hop_limits(block).map(|limits| limits.newest));
    }

    /// Those that have not answered since are taken to have moved too.
    fn move_return_path(&mut self, block: BlockId, now: Time) {
        let known = most(self.hop_limits(block).map(|limits| limits.known));
        let more = self.return_paths[block.0 as usize].record_move();
        for target in self.roster.block(block).targets.clone() {
            if let Some(limits) = &mut self.targets[target as usize].hop_limits {
                let moved = (i16::from(limits.known) - more).clamp(1, u8::MAX.into()) as u8;
                let has_moved = hops(limits.newest) - hops(limits.known) == more;
                limits.known = if has_moved { limits.newest } else { moved };
            }
        }
        let after = most(self.hop_limits(block).map(|limits| limits.known));
        if let (Some(before), Some(after)) = (known, after) {
            let change = ReturnPathChange { time: now, block, before, after };
            self.return_path_changes.push_back(change);
        }
    }

    fn hop_limits(&self, block: BlockId) -> impl Iterator<Item = HopLimits> {
        let ids = self.roster.block(block).targets.clone();
        ids.filter_map(|id| self.targets[id as usize].hop_limits)
    }

    /// The path back from a block.
    pub fn return_path(&self, block: BlockId) -> ReturnPathView {
        self.return_paths[block.0 as usize].view
    }

    /// The next change that nobody has taken yet.
    pub fn poll_return_path_change(&mut self) -> Option<ReturnPathChange> {
        self.return_path_changes.pop_front()
    }
}

#[cfg(test)]
mod tests;
