//! What is asked on a path, and what comes back.

use lifesign_model::{
    outcome::IcmpCode,
    per_label::PerLabel,
    scopes::{BlockId, CountryId, Prefix},
    time::Time,
};
use std::net::IpAddr;

/// A block whose path is traced; its place in the list is its [`BlockId`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedBlock {
    /// Its addresses.
    pub prefix: Prefix,
    /// Its country: all prefixes of one are "theirs".
    pub country: CountryId,
    /// The number of its network, if the plan says it.
    pub asn: Option<u32>,
    /// Whom to trace, the steadiest first: one is used, and one is kept in reserve. Nothing is
    /// traced without any.
    pub targets: Vec<IpAddr>,
}

/// Whose path it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Traced {
    /// A block's.
    Block(BlockId),
    /// A control's, by its place in the list.
    Control(u16),
}

/// An echo request to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceProbe {
    /// By this an answer is known; never used twice.
    pub id: u64,
    /// Whose path it is on: the flow, which load balancers look at, must be constant for each.
    pub of: Traced,
    /// Whom it is addressed to.
    pub target: IpAddr,
    /// Its TTL or hop limit.
    pub hop_limit: u8,
    /// The number of its sweep, for the keyed hash.
    pub slot: u32,
    /// It is known to arrive in the block, so that its token is the block's.
    pub reaches_block: bool,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// ICMP time exceeded, from a router.
    TimeExceeded,
    /// An echo reply, from the target.
    Reply,
    /// ICMP destination unreachable (RFC 792; RFC 4443).
    Unreachable(IcmpCode),
}

/// An authentic answer to a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceAnswer {
    /// The probe's.
    pub id: u64,
    /// Who answered.
    pub from: IpAddr,
    /// What it said.
    pub answer: Answer,
    /// When it arrived.
    pub at: Time,
}

lifesign_model::labelled! {
    /// What became of a probe.
    ProbeOutcome {
        /// A router said that its time was exceeded.
        TimeExceeded => "time_exceeded",
        /// It reached its target, which answered.
        Reply => "reply",
        /// A router said that it could not go on.
        Unreachable => "unreachable",
        /// Nothing came back in time.
        Silent => "silent",
        /// It could not be sent.
        NotSent => "not_sent",
    }
}

/// One of something for each outcome.
pub type ProbeOutcomes<T> = PerLabel<ProbeOutcome, T, { ProbeOutcome::ALL.len() }>;
