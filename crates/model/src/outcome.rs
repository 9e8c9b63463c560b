//! What passes between the network and the core: a prober is given a [`Due`], and reports
//! [`Event`]s.

use crate::{scopes::TargetId, time::Time};
use std::{net::IpAddr, time::Duration};

/// Nothing is waited for longer than this. 99 % of pings from 99 % of addresses are answered within
/// 145 s (Padmanabhan et al., "Timeouts: Beware Surprisingly High Delay", IMC 2015, table 2).
pub const LOST_AFTER: Duration = Duration::from_secs(150);

/// Linux repeats an unanswered SYN after this time (RFC 6298 §2: the first RTO). Which of the two
/// is answered from then on, nobody can tell (§3, Karn): that is life, and no measurement.
pub const SYN_REPEATED_AFTER: Duration = Duration::from_secs(1);
/// When it repeats it for the second time, by default since Linux 6.5 (ip-sysctl.rst:
/// tcp_syn_linear_timeouts).
pub const SYN_REPEATED_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// How long before the kernel would repeat a SYN a probe is given up.
pub const SYN_MARGIN: Duration = Duration::from_millis(50);

/// One question that the schedule wants asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The target to ask, by its place in the roster.
    pub target: TargetId,
    /// Which probe of this target: counts up from 0 and wraps.
    pub seq: u32,
    /// When the schedule gave it out.
    pub sent: Time,
    /// How long an answer is in time; learned per target (RFC 6298).
    pub patience: Duration,
    /// Ask a port that nothing listens on, to find a firewall that accepts every port (TCP only).
    pub trap: bool,
    /// May the kernel repeat it? The block's budget has paid for that (TCP only).
    pub repeat: Repeat,
}

impl Due {
    /// What became of it; `sent` is when it really left, which is a little later than given out.
    pub const fn outcome(self, sent: Time, found: Found) -> Outcome {
        let Due { target, seq, trap, .. } = self;
        Outcome { target, seq, sent, trap, found, hop_limit: None }
    }
}

/// How often the kernel may repeat an unanswered SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Never: the probe is given up just before ([`SYN_REPEATED_AFTER`]).
    Never,
    /// Once: it is given up just before the second repetition.
    Once,
}

/// What reaches the core from outside it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// Something was learned of a probe.
    Outcome(Outcome),
    /// Something arrived that is no answer to a probe.
    Stray(Stray),
    /// A control was asked, and answered or did not.
    Control(ControlOutcome),
    /// Nobody watched since then: the process was stopped, starved or suspended.
    Gap(Time),
    /// From here on another plan is watched.
    Replan,
}

/// What one probe learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Whom the probe asked.
    pub target: TargetId,
    /// Which probe of the target, as in its [`Due`].
    pub seq: u32,
    /// When it was sent.
    pub sent: Time,
    /// Was it the trap question (see [`Due::trap`])?
    pub trap: bool,
    /// What became of the probe: an answer, a refusal, silence, or our own fault.
    pub found: Found,
    /// What was left of the answer's hop limit (TTL) when it arrived, if that is known.
    pub hop_limit: Option<u8>,
}

/// The outcomes of docs/verdicts.md, in its order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found {
    /// A valid answer. A prober reports every valid answer so; the core turns it into `Late` or
    /// `Duplicate`.
    Reply {
        /// From when the probe was sent to when the answer arrived.
        rtt: Duration,
        /// The DNS response code (RFC 1035 §4.1.1, RFC 6895 §2.3), if it was a DNS answer.
        rcode: Option<u16>,
        /// A valid answer to our question, but not the one that the plan expects.
        unexpected: bool,
    },
    /// The host itself refuses: a TCP RST, or any ICMP error from its own address. Alive.
    Refused {
        /// From when the probe was sent to when the refusal arrived.
        rtt: Duration,
    },
    /// A valid answer after a miss: patience had run out, or a router had said no. Alive; never
    /// counted as lost.
    Late {
        /// From when the probe was sent to when the answer arrived.
        rtt: Duration,
    },
    /// Patience ran out, the probe is still open: a provisional miss.
    Overdue,
    /// Nothing came within [`LOST_AFTER`], so the probe is closed.
    Lost,
    /// A router says no: a miss, at once.
    Unreachable {
        /// The router that says so.
        from: IpAddr,
        /// Its ICMP or ICMPv6 type and code.
        code: IcmpCode,
        /// How long after the probe was sent.
        rtt: Duration,
    },
    /// An answer with our token from another address than the asked one. The core takes it if that
    /// lies in the block: the block lives, and the probe stays open, for its host has not answered.
    Neighbour {
        /// Who answered.
        from: IpAddr,
        /// From when the probe was sent to when the answer arrived.
        rtt: Duration,
    },
    /// A second answer, of the host or of a neighbour: counted, no evidence.
    Duplicate,
    /// Something about an answer that was reported: counted, no evidence.
    Odd(Oddity),
    /// We could not send: counted, no evidence; our own fault.
    NotSent(Fault),
}

impl Found {
    /// The round-trip time, if this proves that the host is alive.
    pub const fn rtt_if_alive(&self) -> Option<Duration> {
        match *self {
            Found::Reply { rtt, .. } | Found::Refused { rtt } | Found::Late { rtt } => Some(rtt),
            _ => None,
        }
    }

    /// How long after it was sent the probe was over, as far as a prober says that.
    pub const fn ended_after(&self) -> Option<Duration> {
        match *self {
            Found::Reply { rtt, .. }
            | Found::Refused { rtt }
            | Found::Late { rtt }
            | Found::Unreachable { rtt, .. } => Some(rtt),
            Found::NotSent(_) => Some(Duration::ZERO),
            Found::Overdue
            | Found::Lost
            | Found::Neighbour { .. }
            | Found::Duplicate
            | Found::Odd(_) => None,
        }
    }

    /// Its name in metrics and journal.
    pub const fn label(&self) -> &'static str {
        let label = match self {
            Found::Reply { .. } => FoundLabel::Reply,
            Found::Refused { .. } => FoundLabel::Refused,
            Found::Late { .. } => FoundLabel::Late,
            Found::Overdue => FoundLabel::Overdue,
            Found::Lost => FoundLabel::Lost,
            Found::Unreachable { .. } => FoundLabel::Unreachable,
            Found::Neighbour { .. } => FoundLabel::Neighbour,
            Found::Duplicate => FoundLabel::Duplicate,
            Found::Odd(_) => FoundLabel::Odd,
            Found::NotSent(_) => FoundLabel::NotSent,
        };
        label.label()
    }
}

labelled! {
    /// The names of what was found, without what each carries.
    FoundLabel {
        /// [`Found::Reply`].
        Reply => "reply",
        /// [`Found::Refused`].
        Refused => "refused",
        /// [`Found::Late`].
        Late => "late",
        /// [`Found::Overdue`].
        Overdue => "overdue",
        /// [`Found::Lost`].
        Lost => "lost",
        /// [`Found::Unreachable`].
        Unreachable => "unreachable",
        /// [`Found::Neighbour`].
        Neighbour => "neighbour",
        /// [`Found::Duplicate`].
        Duplicate => "duplicate",
        /// [`Found::Odd`].
        Odd => "odd",
        /// [`Found::NotSent`].
        NotSent => "not_sent",
    }
}

/// Type and code of an ICMP (RFC 792) or ICMPv6 (RFC 4443) error; the router's address tells which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IcmpCode {
    /// ICMP type: 3 or 11 for IPv4; 1, 2, 3 or 4 for IPv6.
    pub kind: u8,
    /// ICMP code: what it means depends on the type.
    pub code: u8,
}

/// Something arrived that is no valid answer to an open question: counted as `rejected`, never
/// evidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stray {
    /// When the packet arrived.
    pub seen: Time,
    /// The sender it claims.
    pub from: Option<IpAddr>,
    /// The target it seems to be about, if that can be told.
    pub target: Option<TargetId>,
    /// Why it is no answer.
    pub reason: Reject,
}

labelled! {
    /// Why a packet is no answer.
    Reject {
        /// Shorter than its own headers say, or than ours ever are.
        Truncated => "truncated",
        /// Its checksum does not match.
        Corrupt => "corrupt",
        /// From another address or port than the one that was asked; an echo reply with our token,
        /// only if the address lies outside the block.
        WrongSource => "wrong_source",
        /// The identifier is not ours (ICMP id, DNS id).
        WrongId => "wrong_id",
        /// The keyed token does not match (ICMP), so it is not the answer to a question of ours.
        WrongToken => "wrong_token",
        /// It answers another question than the one that was asked. In old journals alone: now it
        /// is an [`Oddity`].
        WrongQuestion => "wrong_question",
        /// Not a reply at all, or not one that can be parsed.
        Malformed => "malformed",
        /// An answer to a question so old that it cannot be told from a second one.
        Stale => "stale",
        /// It came much sooner than the host ever answered, or is the first plausible one after.
        Implausible => "implausible",
        /// A port that accepts everything: a firewall answers for the host.
        AcceptsAll => "accepts_all",
    }
}

labelled! {
    /// What is odd about an answer that only somebody who saw our question can have made.
    Oddity {
        /// The letters of its question are in another case than those that were asked.
        WrongCase => "wrong_case",
        /// It answers another question than the one that was asked, or repeats none.
        WrongQuestion => "wrong_question",
        /// Not a response to a query, or broken behind its header (ICMP: cut, or wiped).
        Malformed => "malformed",
        /// It was cut, and its repetition over TCP brought other data than the plan expects.
        OtherData => "other_data",
    }
}

labelled! {
    /// Why a probe could not be sent.
    Fault {
        /// No route to the host.
        NoRoute => "no_route",
        /// A local firewall or routing rule forbids it.
        Permission => "permission",
        /// No socket of its kind could be opened: no privilege.
        NoPrivilege => "no_privilege",
        /// No address or interface of this machine is the one that the plan sends from.
        NoSource => "no_source",
        /// Larger than what fits, and not to be fragmented.
        TooLarge => "too_large",
        /// The kernel had no buffer or queue left.
        NoBuffers => "no_buffers",
        /// No file descriptor left.
        NoDescriptors => "no_descriptors",
        /// The name has no address yet.
        Unresolved => "unresolved",
        /// The name's addresses all lie outside the block that they would speak for.
        OutsideBlock => "outside_block",
        /// Any other error of the socket.
        Socket => "socket",
    }
}

impl Fault {
    /// Did this machine hold the packet back on its way out? Then it may hold back those of other
    /// kinds too, also where the kernel does not say so: a SYN that a firewall drops is sent again
    /// and again.
    pub const fn is_on_the_way_out(self) -> bool {
        match self {
            Fault::NoRoute | Fault::Permission | Fault::NoSource | Fault::NoBuffers => true,
            Fault::NoPrivilege
            | Fault::TooLarge
            | Fault::NoDescriptors
            | Fault::Unresolved
            | Fault::OutsideBlock
            | Fault::Socket => false,
        }
    }
}

/// Why nothing is known of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Probes to it could not be sent.
    NotSent(Fault),
    /// We were stopped, starved or suspended.
    Unwatched,
    /// We are blind, and send: nobody answers, neither controls nor hosts.
    ControlsSilent,
    /// A firewall answers for its hosts on every port.
    AcceptsAll,
    /// Nobody was asked for too long.
    NothingAsked,
    /// Nobody has answered yet, and nothing proves that it is dark.
    NoAnswer,
}

impl Cause {
    /// Its name in metrics and JSON.
    pub const fn label(self) -> &'static str {
        match self {
            Cause::NotSent(fault) => fault.label(),
            Cause::Unwatched => "unwatched",
            Cause::ControlsSilent => "controls_silent",
            Cause::AcceptsAll => "accepts_all",
            Cause::NothingAsked => "nothing_asked",
            Cause::NoAnswer => "no_answer",
        }
    }

    /// The cause of this name.
    pub fn from_label(label: &str) -> Option<Self> {
        let others = [
            Cause::Unwatched,
            Cause::ControlsSilent,
            Cause::AcceptsAll,
            Cause::NothingAsked,
            Cause::NoAnswer,
        ];
        let other = others.into_iter().find(|cause| cause.label() == label);
        other.or_else(|| Fault::from_label(label).map(Cause::NotSent))
    }

    /// In one clause, for people.
    pub const fn in_words(self) -> &'static str {
        match self {
            Cause::NotSent(Fault::NoRoute) => "we have no route to it (no_route)",
            Cause::NotSent(Fault::Permission) => {
                "we may not send to it: a firewall of our own (permission)"
            }
            Cause::NotSent(Fault::NoPrivilege) => "we may open no socket to ask it (no_privilege)",
            Cause::NotSent(Fault::NoSource) => {
                "we have no such address or interface to ask it from (no_source)"
            }
            Cause::NotSent(Fault::TooLarge) => "our own probes are too large for it (too_large)",
            Cause::NotSent(Fault::NoBuffers) => "our own send queue is full (no_buffers)",
            Cause::NotSent(Fault::NoDescriptors) => {
                "we have no file descriptor left to ask it (no_descriptors)"
            }
            Cause::NotSent(Fault::Unresolved) => {
                "the names of its hosts have no address (unresolved)"
            }
            Cause::NotSent(Fault::OutsideBlock) => {
                "the names of its hosts lead elsewhere (outside_block)"
            }
            Cause::NotSent(Fault::Socket) => "our own socket fails (socket)",
            Cause::Unwatched => "nobody watched: we were stopped, starved or suspended",
            Cause::ControlsSilent => "nobody answers, controls included",
            Cause::AcceptsAll => "a firewall answers for its hosts (accepts_all)",
            Cause::NothingAsked => "nobody in it has been asked for too long (nothing_asked)",
            Cause::NoAnswer => "nobody in it has answered yet (no_answer)",
        }
    }
}

/// What one question to a control learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlOutcome {
    /// Index of the control in the plan.
    pub control: u16,
    /// When it was asked.
    pub sent: Time,
    /// Whether it answered in time.
    pub answered: bool,
}
