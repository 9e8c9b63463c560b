//! What reaches a block beside its probes. It takes a token as they do, and leaves what they need.

use super::{ASKED_RESERVE, Doubt, Schedule};
use lifesign_model::{scopes::BlockId, time::Time};

/// What is asked beside the probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// A trace probe that reaches the block.
    Trace,
    /// The question of a DNS probe once more, over TCP: that tells what was answered, not whether
    /// anybody lives.
    DnsOverTcp,
}

impl Schedule {
    /// May this be sent to a block now? If so, it is paid for.
    pub fn pay_extra(&mut self, block: BlockId, extra: Extra, now: Time) -> bool {
        match extra {
            Extra::Trace => self.pay(block, ASKED_RESERVE, now),
            Extra::DnsOverTcp => self.take_token(block, self.saved_for_doubts(), now),
        }
    }

    /// Tokens that only a doubt may spend.
    pub(super) fn saved_for_doubts(&self) -> f64 {
        self.reserve(Doubt::Vague).max(self.budget.reserve)
    }
}
