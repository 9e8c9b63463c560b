//! One sweep of a path: several hop limits, all at once, and what came of each.

use super::routers::RouterId;
use lifesign_model::{outcome::IcmpCode, time::Time};

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Pending,
    /// A router said that the packet's time was exceeded.
    Hop(RouterId),
    /// The target answered.
    Target,
    /// A router said no.
    Unreachable(RouterId, IcmpCode),
    Silent,
    /// It tells nothing: not sent, or another path's answer that does not fit.
    Void,
}

/// One hop limit that was asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    pub hop_limit: u8,
    /// Who was expected to answer.
    pub expected: RouterId,
    /// On which path the probe is: another one's answer counts for this one too, while both are
    /// down.
    pub by: u32,
    pub found: Found,
}

/// A sweep that is under way.
#[derive(Clone, Debug)]
pub(crate) struct Sweep {
    pub slot: u32,
    pub started: Time,
    pub close_at: Time,
    pub asks: Vec<Ask>,
    /// Up to this hop limit it has asked, or would have.
    pub reaches: u8,
}

impl Sweep {
    pub fn ask_mut(&mut self, hop_limit: u8) -> Option<&mut Ask> {
        self.asks.iter_mut().find(|ask| ask.hop_limit == hop_limit)
    }

    /// The farthest hop that a router answered for.
    pub fn heard(&self) -> u8 {
        let heard = self.asks.iter().filter(|ask| matches!(ask.found, Found::Hop(_)));
        heard.map(|ask| ask.hop_limit).max().unwrap_or(0)
    }

    /// The nearest hop limit at which the target answered.
    pub fn replied(&self) -> Option<u8> {
        let replies = self.asks.iter().filter(|ask| ask.found == Found::Target);
        replies.map(|ask| ask.hop_limit).min()
    }

    /// The target so many hops away was not asked after all, so that it says nothing.
    pub fn is_unasked(&self, length: u8) -> bool {
        let mut of_target = self.asks.iter().filter(|ask| ask.hop_limit >= length);
        length > 0 && of_target.all(|ask| ask.found == Found::Void)
    }

    /// A router turned a packet back: what lies behind would turn back too.
    pub fn is_turned_back(&self) -> bool {
        self.asks.iter().enumerate().any(|(at, ask)| match ask.found {
            Found::Unreachable(..) => true,
            Found::Hop(_) => self.asks[..at].iter().any(|other| other.found == ask.found),
            _ => false,
        })
    }

    pub fn is_complete(&self) -> bool {
        self.asks.iter().all(|ask| ask.found != Found::Pending)
    }
}
