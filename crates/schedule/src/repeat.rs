//! Which probes the kernel may repeat. It repeats an unanswered SYN after a second, and only who
//! lets it can hear an answer that takes longer. A repetition is a packet of the block's budget: it
//! is paid for together with its probe, goes only to whom nothing else can hear, and is paid back
//! if the probe is over before.

use super::Schedule;
use lifesign_model::{
    outcome::Repeat,
    scopes::{BlockId, TargetId},
    time::Time,
};

/// Of a block's probes to silent targets that used to answer at once, one in this many: its path
/// may have become long, but as a rule it is dark.
const REPEATED_SHARE: u32 = 4;
/// After so many probes in a doubt, those to targets that have not missed any yet are among them.
const LONG_DOUBT: u32 = 12;

/// How a target was heard last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Heard {
    /// Never yet.
    #[default]
    Never,
    /// Before the kernel would have repeated the probe; or of a kind that it does not repeat.
    Quickly,
    /// Quickly, but it was missed since.
    SilentSince,
    /// After the kernel had repeated the probe.
    Slowly,
}

/// How many of a block's targets were heard last in either way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HeardTargets {
    quickly: u32,
    slowly: u32,
}

impl HeardTargets {
    pub fn of(all: impl Iterator<Item = Heard>) -> Self {
        let mut targets = Self::default();
        for heard in all {
            if let Some(count) = targets.count(heard) {
                *count += 1;
            }
        }
        targets
    }

    /// One of them is heard otherwise by now.
    fn change(&mut self, heard: &mut Heard, to: Heard) {
        if let Some(count) = self.count(std::mem::replace(heard, to)) {
            *count -= 1;
        }
        if let Some(count) = self.count(to) {
            *count += 1;
        }
    }

    fn count(&mut self, heard: Heard) -> Option<&mut u32> {
        match heard {
            Heard::Quickly => Some(&mut self.quickly),
            Heard::Slowly => Some(&mut self.slowly),
            Heard::Never | Heard::SilentSince => None,
        }
    }

    /// Was one heard only after the kernel had repeated the probe?
    fn is_any_slow(self) -> bool {
        self.slowly > 0
    }

    /// Has nobody answered the last that was asked of it?
    fn is_silent(self) -> bool {
        self.quickly == 0 && self.slowly == 0
    }
}

impl Schedule {
    /// A target answered a probe sent then; `slowly`: only after the kernel had repeated it.
    pub fn record_answer(&mut self, target: TargetId, sent: Time, slowly: bool) {
        let contact = &mut self.contacts[target.0 as usize];
        let block = self.roster.target(target).block;
        let turns = &mut self.blocks[block.0 as usize];
        turns.answered = turns.answered.max(sent);
        if sent >= contact.answered {
            contact.answered = sent;
            let heard = if slowly { Heard::Slowly } else { Heard::Quickly };
            turns.heard_targets.change(&mut contact.heard, heard);
        }
    }

    /// A target did not answer a probe sent then, as far as is known by now.
    pub fn record_miss(&mut self, target: TargetId, sent: Time) {
        let contact = &mut self.contacts[target.0 as usize];
        if contact.heard == Heard::Quickly && sent > contact.answered {
            let block = self.roster.target(target).block.0 as usize;
            self.blocks[block].heard_targets.change(&mut contact.heard, Heard::SilentSince);
        }
    }

    /// May the kernel repeat this probe, which is sent now? If so, that is paid for.
    pub fn pay_repeat(&mut self, target: TargetId, seq: u32, trap: bool, now: Time) -> Repeat {
        let block = self.roster.target(target).block;
        let heard = self.contacts[target.0 as usize].heard;
        if !self.roster.target(target).kind.traits().is_repeated {
            return Repeat::Never;
        }
        let in_doubt = self.newest_every(block).is_some();
        let is_long_doubt = in_doubt && self.blocks[block.0 as usize].doubt_probes >= LONG_DOUBT;
        let may_be_wanted = match heard {
            Heard::Slowly => true,
            Heard::Never => !trap,
            Heard::Quickly if !is_long_doubt => false,
            // An odd one is a trap question only where that port alone tells of life.
            Heard::SilentSince | Heard::Quickly => !trap || !seq.is_multiple_of(2),
        };
        if !may_be_wanted || self.is_heard_otherwise(target) {
            return Repeat::Never;
        }
        let takes_turns = matches!(heard, Heard::SilentSince | Heard::Quickly);
        if takes_turns && !self.is_repeats_turn(block) {
            return Repeat::Never;
        }
        // What is saved up for doubts is spent only where the block can be heard by nothing else.
        let heard_targets = self.blocks[block.0 as usize].heard_targets;
        let may_spend = heard_targets.is_any_slow() || in_doubt || heard_targets.is_silent();
        let reserve = if may_spend { 0.0 } else { self.saved_for_doubts() };
        if !self.blocks[block.0 as usize].bucket.take(reserve, now) {
            return Repeat::Never;
        }
        self.repeats_paid.insert(target, seq);
        Repeat::Once
    }

    /// Is this the one of [`REPEATED_SHARE`] of such probes of a block that is repeated?
    fn is_repeats_turn(&mut self, block: BlockId) -> bool {
        let turns = &mut self.blocks[block.0 as usize];
        turns.repeat_turn = turns.repeat_turn.wrapping_add(1);
        turns.repeat_turn.is_multiple_of(REPEATED_SHARE)
    }

    /// The probe with this number was over before the kernel would have repeated it.
    pub fn pay_back_repeat(&mut self, target: TargetId, seq: u32, now: Time) {
        if self.repeats_paid.get(&target) == Some(&seq) {
            self.repeats_paid.remove(&target);
            let block = self.roster.target(target).block.0 as usize;
            self.blocks[block].bucket.give_back(now);
        }
    }

    /// Tokens that a probe of the block needs: where answers take longer than a second, one without
    /// its repetition would be in vain.
    pub(super) fn price(&self, block: BlockId) -> f64 {
        if self.blocks[block.0 as usize].heard_targets.is_any_slow() { 2.0 } else { 1.0 }
    }

    /// Does another kind of probe hear the target's host? Such probes wait long without repeating.
    /// While both are silent the other one will hear it first; but not if it has gone, nor may it
    /// be alone in being dropped where this one was never heard, or slowly.
    fn is_heard_otherwise(&self, target: TargetId) -> bool {
        let own = self.contacts[target.0 as usize].heard;
        self.roster.targets_of_host(target).any(|id| {
            let other = &self.contacts[id as usize];
            let hears = match other.heard {
                Heard::Quickly | Heard::Slowly => true,
                Heard::SilentSince => own == Heard::SilentSince && !other.absent,
                Heard::Never => false,
            };
            hears && !self.roster.target(TargetId(id)).kind.traits().is_repeated
        })
    }
}
