//! What one outcome says of its host, for the judge.

use crate::{
    outcome::{Fault, SYN_REPEATED_AFTER},
    scopes::{BlockId, Kind, TargetId},
    time::Time,
};
use std::time::Duration;

/// What one outcome says, for the judge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    pub target: TargetId,
    pub block: BlockId,
    /// What kind of probe it was.
    pub kind: Kind,
    /// When the probe was sent.
    pub sent: Time,
    pub evidence: Evidence,
}

impl Summary {
    /// Where the first SYN was missed and its repeat was not, it is the repeat that proves life:
    /// the host may have been dark at the first.
    pub(super) fn dated_by_repeat(mut self) -> Self {
        if let Evidence::Life { rtt, timing: Timing::Late, is_measured: false } = &mut self.evidence
        {
            *rtt = rtt.saturating_sub(SYN_REPEATED_AFTER);
            self.sent = self.sent + SYN_REPEATED_AFTER;
        }
        self
    }
}

/// What an outcome says of the host (docs/verdicts.md, last column).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Evidence {
    /// Alive when the probe came by.
    Life {
        rtt: Duration,
        timing: Timing,
        /// `rtt` measures the path. Else it only bounds it: the kernel had repeated the probe, and
        /// nobody knows which of the two was answered (RFC 6298 §3).
        is_measured: bool,
    },
    /// Silent, as far as we can tell by now.
    Miss {
        /// How long this target's answers usually take at the most.
        usual: Duration,
    },
    /// A neighbour answered: the block is alive, and nothing is said of the host.
    Neighbour {
        rtt: Duration,
    },
    /// We could not send, and why.
    Fault(Fault),
    /// A firewall answers for it, on every port: it never proved life, nor does its silence prove
    /// anything.
    AcceptsAll,
    Nothing,
}

/// Whether an answer takes back a miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// There was none.
    InTime,
    /// It came in time and was read after its probe had been called overdue: as if there had been
    /// none. This is the [`Summary::sent`] of the miss.
    ReadLate(Time),
    /// It came after a miss.
    Late,
}
