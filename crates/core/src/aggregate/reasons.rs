//! Counts by reason: what our own vantage saw, and what of it is about a block.

use super::Aggregate;
use crate::{
    outcome::{Fault, Found, IcmpCode, Oddity, Reject},
    scopes::BlockId,
};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

/// Counts that belong to no target: what our own vantage saw.
#[derive(Clone, Debug, Default)]
pub struct VantageStats {
    /// Packets that were no answer.
    pub rejected: BTreeMap<Reject, u64>,
    /// Probes that could not be sent.
    pub not_sent: BTreeMap<Fault, u64>,
    /// ICMP errors about our probes; `true` is IPv6.
    pub unreachable: BTreeMap<(bool, IcmpCode), u64>,
    /// DNS answers by response code.
    pub rcodes: BTreeMap<u16, u64>,
    /// What was odd about answers.
    pub odd: BTreeMap<Oddity, u64>,
}

/// Why packets about a block's targets were no answer, and why probes to them could not be sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BlockReasons {
    /// Packets that were no answer.
    pub rejected: BTreeMap<Reject, u64>,
    /// Probes that could not be sent.
    pub not_sent: BTreeMap<Fault, u64>,
}

impl Aggregate {
    /// What our own vantage saw.
    pub fn vantage(&self) -> &VantageStats {
        &self.vantage
    }

    /// By [`BlockId`].
    pub fn reasons(&self) -> &[Arc<BlockReasons>] {
        &self.reasons
    }

    /// Counts the reason of an outcome of the block.
    pub(super) fn count_reason(&mut self, block: BlockId, found: &Found) {
        match *found {
            Found::Reply { rcode: Some(rcode), .. } => {
                *self.vantage.rcodes.entry(rcode).or_default() += 1;
            }
            Found::Unreachable { from, code, .. } => {
                let v6 = matches!(from, IpAddr::V6(_));
                *self.vantage.unreachable.entry((v6, code)).or_default() += 1;
            }
            Found::NotSent(fault) => {
                *self.vantage.not_sent.entry(fault).or_default() += 1;
                let reasons = Arc::make_mut(&mut self.reasons[block.0 as usize]);
                *reasons.not_sent.entry(fault).or_default() += 1;
            }
            Found::Odd(oddity) => *self.vantage.odd.entry(oddity).or_default() += 1,
            _ => {}
        }
    }
}
