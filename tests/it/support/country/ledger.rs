//! The ledger: every question that reached the country and everything that was sent about it, with
//! times; from that, what the prober's counters must say, to the last one. It knows what a prober
//! can see through the kernel: a segment with a wrong checksum, for one, never reaches any program.

use super::hosts::Given;
use lifesign_core::{
    outcome::{IcmpCode, LOST_AFTER, Reject},
    scopes::Kind,
    time::Time,
};
use std::{collections::BTreeMap, net::IpAddr, time::Duration};

/// A question, and what was sent about it, in order.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Whom it asked, by number.
    pub target: u32,
    pub kind: Kind,
    pub v6: bool,
    /// When it arrived at the country.
    pub at: Time,
    pub given: Vec<(Time, Given)>,
}

/// What the counters of one target, or of many, must say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub sent: u64,
    pub reply: u64,
    pub refused: u64,
    pub late: u64,
    /// Overdue, and after 150 s lost.
    pub silent: u64,
    pub unreachable: u64,
    pub duplicate: u64,
    pub rejected: u64,
}

/// Everything that reached the country, and what it answered.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub entries: Vec<Entry>,
    /// How many questions asked a control.
    pub controls: u64,
    /// Packets whose time to live ended at a router.
    pub expired: u64,
    /// Packets that asked no target.
    pub strangers: u64,
    /// SYNs that the kernel sent again: whom each asked, and when. Nobody answers them.
    pub repeats: Vec<(u32, Time)>,
    /// The processor time that the country has used.
    pub cost: Duration,
}

/// What the counters must say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// What each target's counters must say, by `TargetId`.
    pub targets: Vec<Tally>,
    pub rejected: BTreeMap<&'static str, u64>,
    /// By family (is it IPv6), type and code.
    pub unreachable: BTreeMap<(bool, IcmpCode), u64>,
    /// Answers of which only the prober can know whether they were in time. Round-trip times are
    /// either below the least patience or above the longest, so only a busy machine makes some.
    pub unsure: u64,
}

/// Within the least patience of 200 ms, by a margin for the way.
const IN_TIME: Duration = Duration::from_millis(190);
/// Beyond the longest patience of 3 s.
const LATE: Duration = Duration::from_millis(3050);
/// A TCP probe is given up before the kernel would repeat it, as a rule; an answer in this span may
/// be heard or not.
const TCP_GIVEN_UP: (Duration, Duration) = (Duration::from_millis(900), Duration::from_secs(1));
/// How long a DNS probe listens for a second answer.
const DNS_SECOND: Duration = Duration::from_secs(2);

impl Ledger {
    /// What counters must say that were read when everything sent had arrived.
    pub fn account(&self, targets: usize) -> Account {
        let mut account =
            Account { targets: vec![Tally::default(); targets], ..Account::default() };
        for entry in &self.entries {
            account.enter(entry);
        }
        // A prober remembers a target's last 256 probes; beyond that another rule holds than these
        // here.
        assert!(
            account.targets.iter().all(|tally| tally.sent <= 256),
            "a target was asked too often"
        );
        account
    }

    /// Round-trip times of first answers, in milliseconds, sorted.
    pub fn rtts(&self, kind: Kind) -> Vec<f64> {
        let first = |entry: &Entry| {
            let answer = entry
                .given
                .iter()
                .find(|(_, given)| matches!(given, Given::Reply | Given::Refused))?;
            Some(answer.0.since(entry.at).as_secs_f64() * 1e3)
        };
        let mut rtts: Vec<f64> =
            self.entries.iter().filter(|entry| entry.kind == kind).filter_map(first).collect();
        rtts.sort_by(f64::total_cmp);
        rtts
    }
}

impl Account {
    /// The sum over all targets.
    pub fn sum(&self) -> Tally {
        self.targets.iter().fold(Tally::default(), |sum, tally| Tally {
            sent: sum.sent + tally.sent,
            reply: sum.reply + tally.reply,
            refused: sum.refused + tally.refused,
            late: sum.late + tally.late,
            silent: sum.silent + tally.silent,
            unreachable: sum.unreachable + tally.unreachable,
            duplicate: sum.duplicate + tally.duplicate,
            rejected: sum.rejected + tally.rejected,
        })
    }

    fn enter(&mut self, entry: &Entry) {
        let tally = &mut self.targets[entry.target as usize];
        tally.sent += 1;
        // When the first valid answer came, and whether it was one.
        let mut settled: Option<(Time, bool)> = None;
        for &(at, given) in &entry.given {
            let took = at.since(entry.at);
            let listens = match (entry.kind, settled) {
                (Kind::Icmp, _) => true,
                (Kind::Tcp, settled) => settled.is_none() && took < TCP_GIVEN_UP.1,
                (Kind::Dns, Some((since, true))) => at.since(since) < DNS_SECOND,
                (Kind::Dns, _) => took < LOST_AFTER,
            };
            if !listens {
                continue;
            }
            let reject = match (given, entry.kind) {
                // The kernel sees to TCP, to UDP's checksum, and to ICMPv6's.
                (Given::Forged | Given::Corrupt | Given::Truncated, Kind::Tcp)
                | (Given::Corrupt, Kind::Dns) => {
                    continue;
                }
                (Given::Corrupt, Kind::Icmp) if entry.v6 => continue,
                (Given::Corrupt, Kind::Icmp) => Some(Reject::Corrupt),
                (Given::Truncated, Kind::Icmp) => Some(Reject::Truncated),
                (Given::Forged, Kind::Icmp) => Some(Reject::WrongToken),
                (Given::Forged, Kind::Dns) => Some(Reject::WrongId),
                _ => None,
            };
            if let Some(reason) = reject {
                // An ICMP packet without the token is about nobody in particular.
                tally.rejected += u64::from(entry.kind == Kind::Dns);
                *self.rejected.entry(reason.label()).or_default() += 1;
                continue;
            }
            if settled.is_some() {
                tally.duplicate += 1;
                continue;
            }
            let counter = match given {
                Given::Unreachable(_, code) => {
                    // "Fragmentation needed" means something else to TCP (RFC 1191 §6.4).
                    if entry.kind == Kind::Tcp && (code.kind, code.code) == (3, 4) {
                        continue;
                    }
                    *self.unreachable.entry((entry.v6, code)).or_default() += 1;
                    &mut tally.unreachable
                }
                _ if took >= LOST_AFTER => {
                    *self.rejected.entry(Reject::Stale.label()).or_default() += 1;
                    tally.rejected += 1;
                    continue;
                }
                _ if took >= LATE => &mut tally.late,
                _ => {
                    let doubt = took > IN_TIME && entry.kind != Kind::Tcp || took > TCP_GIVEN_UP.0;
                    self.unsure += u64::from(doubt);
                    if given == Given::Refused { &mut tally.refused } else { &mut tally.reply }
                }
            };
            *counter += 1;
            settled = Some((at, !matches!(given, Given::Unreachable(..))));
        }
        tally.silent += u64::from(settled.is_none());
    }
}

/// A router's "no", as the other family says it (RFC 7915 §4.2).
pub fn translated(code: IcmpCode, router: IpAddr) -> IcmpCode {
    if router.is_ipv4() {
        return code;
    }
    let (kind, code) = match (code.kind, code.code) {
        (3, 3) => (1, 4),
        (3, 9 | 10 | 13 | 15) => (1, 1),
        (11, code) => (3, code),
        _ => (1, 0),
    };
    IcmpCode { kind, code }
}
