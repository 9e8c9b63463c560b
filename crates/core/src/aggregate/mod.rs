//! What the outcomes add up to: exact counts and round-trip times per target and block, loss per
//! scope; and for each outcome a [`Summary`] of what it says of the host.

mod counts;
mod histogram;
mod replan;
mod rtt;
mod window;
#[cfg(test)]
mod tests;

pub use counts::Counts;
pub use histogram::{Histogram, HistogramView};
pub use window::{WINDOWS, WindowView};

use crate::{
    outcome::{Fault, Found, IcmpCode, Oddity, Outcome, Reject, Stray},
    scopes::{BlockId, Kind, PerKind, Roster, ScopeId, Target, TargetId},
    time::Time,
};
use counts::Count;
use histogram::Sketch;
use rtt::Rtt;
use std::{collections::BTreeMap, net::IpAddr, ops::Range, sync::Arc, time::Duration};
use window::Windows;

/// A host's lowest round-trip time tells what is implausible from so many answers on, and if it is
/// so long, in seconds: below that, half of it is chance.
const FLOOR_SAMPLES: u32 = 20;
const LEAST_FLOOR: f32 = 0.01;
/// A path that was shorter for so long is shorter; hardly an outage lasts as long.
const SHORTER_AFTER: Duration = Duration::from_secs(24 * 3600);

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

/// What an outcome says of the host (docs/verdicts.md, last column).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Evidence {
    /// Alive when the probe came by.
    Life {
        rtt: Duration,
        /// The answer takes back a miss.
        late: bool,
    },
    /// Silent, as far as we can tell by now.
    Miss {
        /// How long this target's answers usually take at the most.
        usual: Duration,
    },
    /// Our own fault: we could not send.
    Fault,
    /// A firewall answers for it, on every port: it never proved life, nor does its silence prove
    /// anything.
    AcceptsAll,
    Nothing,
}

/// What the trap question (`Due::trap`) has brought to light of a TCP target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trap {
    /// No answer yet, after this many times.
    Open(u8),
    /// A firewall answers on every port.
    AcceptsAll(Unmasked),
    /// It refuses, as a host does.
    Real,
}

/// What was learned since a firewall was found to answer on every port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Unmasked {
    /// When the trap question was asked last.
    asked: Time,
    /// The service answered since.
    served: bool,
    /// So many trap questions in a row found silence while the service answered.
    silent: u8,
}

impl Default for Trap {
    fn default() -> Self {
        Trap::Open(0)
    }
}

impl Trap {
    /// How often every second probe asks; then every sixteenth does, since many a host drops what
    /// it does not serve.
    const TRIES: u8 = 8;
    /// Of a host that is known to refuse, one probe in this many asks again.
    const AGAIN: u32 = 4096;
    /// While a firewall answers on every port, it is asked again so often ...
    const AGAIN_AFTER: Duration = Duration::from_secs(60);
    /// ... and after so much silence in a row it does not any more: the host drops what it does not
    /// serve.
    const SILENT: u8 = 3;

    fn asked_in_vain(self) -> Self {
        match self {
            Trap::Open(times) => Trap::Open(times.saturating_add(1)),
            known => known,
        }
    }

    fn is_due(self, seq: u32, now: Time) -> bool {
        match self {
            Trap::Open(times) if times < Self::TRIES => seq.is_multiple_of(2),
            Trap::Open(_) => seq.is_multiple_of(16),
            Trap::Real => seq.is_multiple_of(Self::AGAIN),
            Trap::AcceptsAll(unmasked) => now.since(unmasked.asked) >= Self::AGAIN_AFTER,
        }
    }

    /// A firewall that answered on every port was asked again in vain. That says nothing unless the
    /// service answers meanwhile: it may be dark as a whole.
    fn silent_again(self, unmasked: Unmasked) -> Self {
        let silent = unmasked.silent + u8::from(unmasked.served);
        if silent < Self::SILENT {
            Trap::AcceptsAll(Unmasked { served: false, silent, ..unmasked })
        } else {
            Trap::default()
        }
    }
}

/// A target's own numbers.
#[derive(Clone, Debug)]
pub struct TargetStats {
    block: BlockId,
    kind: Kind,
    /// Its kind in its block: an index into `Aggregate::kinds`.
    kind_id: u32,
    pub counts: Counts<u32>,
    /// Round-trip time and patience.
    pub rtt: Rtt,
    /// When the newest answered probe was sent.
    pub last_life: Option<Time>,
    /// The last 64 resolved probes, the newest in bit 0: 1 is a miss. A late answer sets the miss
    /// that it takes back to 0: the newest, since which one it was is not worth remembering for a
    /// ratio.
    recent: u64,
    resolved: u8,
    trap: Trap,
    /// Since when all its answers have come implausibly soon; the epoch if they have not.
    implausible_since: Time,
}

impl TargetStats {
    fn new(target: &Target, kind_id: u32) -> Self {
        Self {
            block: target.block,
            kind: target.kind,
            kind_id,
            counts: Counts::default(),
            rtt: Rtt::default(),
            last_life: None,
            recent: 0,
            resolved: 0,
            trap: Trap::default(),
            implausible_since: Time::default(),
        }
    }

    fn resolve(&mut self, missed: bool) {
        self.recent = self.recent << 1 | u64::from(missed);
        self.resolved = (self.resolved + 1).min(64);
    }

    /// Does a firewall answer for it on every port?
    pub fn accepts_all(&self) -> bool {
        matches!(self.trap, Trap::AcceptsAll(_))
    }

    /// Share of the last (at most 64) resolved probes that were missed; None if there were none.
    pub fn recent_loss(&self) -> Option<f32> {
        (self.resolved > 0).then(|| self.recent.count_ones() as f32 / f32::from(self.resolved))
    }
}

/// Exact counts and times of one probe kind in one block.
#[derive(Clone, Debug, Default)]
pub struct KindStats {
    pub counts: Counts,
    /// Round-trip times of every answer.
    pub rtt: Histogram,
}

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

/// All the sums of a watch.
#[derive(Debug)]
pub struct Aggregate {
    roster: Arc<Roster>,
    targets: Vec<TargetStats>,
    /// Of every block, one for each kind that it uses.
    kinds: Vec<KindStats>,
    /// By block, indices into `kinds`.
    kind_ids: Vec<PerKind<Option<u32>>>,
    /// By [`ScopeId`].
    windows: Vec<Windows>,
    vantage: VantageStats,
}

impl Aggregate {
    pub fn new(roster: Arc<Roster>) -> Self {
        let mut kind_ids = vec![PerKind::<Option<u32>>::default(); roster.blocks.len()];
        let mut kinds = Vec::new();
        let mut of_target = |target: &Target| {
            let kind_id = &mut kind_ids[target.block.0 as usize][target.kind];
            let kind_id = *kind_id.get_or_insert_with(|| {
                kinds.push(KindStats::default());
                kinds.len() as u32 - 1
            });
            TargetStats::new(target, kind_id)
        };
        Self {
            targets: roster.targets.iter().map(&mut of_target).collect(),
            kinds,
            kind_ids,
            windows: vec![Windows::default(); roster.scope_count()],
            vantage: VantageStats::default(),
            roster,
        }
    }

    /// How long an answer of this target is in time.
    pub fn patience(&self, target: TargetId) -> Duration {
        self.targets[target.0 as usize].rtt.patience()
    }

    /// Should the target's next probe, with this number, be the trap question?
    pub fn wants_trap(&mut self, target: TargetId, seq: u32, now: Time) -> bool {
        let stats = &mut self.targets[target.0 as usize];
        let is_due = stats.kind.has_trap() && stats.trap.is_due(seq, now);
        if let Trap::AcceptsAll(unmasked) = &mut stats.trap
            && is_due
        {
            unmasked.asked = now;
        }
        is_due
    }

    /// A probe was given out.
    pub fn handle_sent(&mut self, target: TargetId) {
        let (own, kind) = self.counts(target);
        own.sent.up();
        kind.sent.up();
    }

    /// Is this an answer that something nearer than the host must have made? It has no token of ours,
    /// and came in less than half of the lowest round-trip time ever learned for its host. That
    /// lasts until an answer with a token lowers that time, or until nothing else has answered for a
    /// day: then the path has become shorter.
    pub fn is_implausible(&mut self, outcome: &Outcome) -> bool {
        let id = outcome.target.0 as usize;
        let Some(rtt) = outcome.found.rtt_if_alive() else { return false };
        let Some(&TargetStats { kind: Kind::Tcp, trap, implausible_since, .. }) =
            self.targets.get(id)
        else {
            return false;
        };
        // These unmask a firewall, or are no evidence anyway.
        let unmasks = outcome.trap && matches!(outcome.found, Found::Reply { .. });
        if unmasks || matches!(trap, Trap::AcceptsAll(_)) {
            return false;
        }
        let mut samples = 0;
        let mut lowest = f32::INFINITY;
        let mut token_life = None;
        for target in self.of_same_host(id) {
            let stats = &self.targets[target];
            samples += stats.counts.reply + stats.counts.refused + stats.counts.late;
            lowest = lowest.min(stats.rtt.lowest().unwrap_or(f32::INFINITY));
            if stats.kind != Kind::Tcp {
                token_life = token_life.max(stats.last_life);
            }
        }
        let is_known = samples >= FLOOR_SAMPLES && (LEAST_FLOOR..f32::INFINITY).contains(&lowest);
        let is_soon = is_known && rtt.as_secs_f32() < lowest / 2.0;
        let begun = implausible_since == Time::default()
            || token_life.is_some_and(|life| life > implausible_since);
        let since = if begun { outcome.sent } else { implausible_since };
        let lasts = outcome.sent.since(since) >= SHORTER_AFTER;
        let is_implausible = is_soon && !lasts;
        self.targets[id].implausible_since = if is_implausible { since } else { Time::default() };
        is_implausible
    }

    /// The targets of a target's host, which stand together.
    fn of_same_host(&self, id: usize) -> Range<usize> {
        let targets = &self.roster.targets;
        let is_same =
            |other: &Target| other.host == targets[id].host && other.block == targets[id].block;
        let before = targets[..id].iter().rev().take_while(|other| is_same(other)).count();
        let after = targets[id..].iter().take_while(|other| is_same(other)).count();
        id - before..id + after
    }

    /// Counts an outcome. `was_overdue`: the probe had been reported [`Found::Overdue`] before.
    pub fn handle_outcome(&mut self, outcome: &Outcome, was_overdue: bool) -> Summary {
        let Outcome { target, sent, found, .. } = *outcome;
        let (own, kind) = self.counts(target);
        own.count(&found, was_overdue);
        kind.count(&found, was_overdue);
        let evidence = self.evidence(outcome, was_overdue);
        let stats = &mut self.targets[target.0 as usize];
        let TargetStats { block, kind, .. } = *stats;
        match evidence {
            Evidence::Life { rtt, late } => {
                stats.rtt.add(rtt);
                if late {
                    stats.recent &= stats.recent.wrapping_sub(1);
                } else {
                    stats.resolve(false);
                }
                stats.last_life = stats.last_life.max(Some(sent));
                let step = Sketch::step(rtt);
                for id in self.roster.path(block) {
                    self.windows[id.index()].answer(sent, step, late);
                }
                self.kinds[stats.kind_id as usize].rtt.add(rtt);
            }
            Evidence::Miss { .. } => {
                stats.resolve(true);
                for id in self.roster.path(block) {
                    self.windows[id.index()].miss(sent);
                }
            }
            Evidence::Fault | Evidence::AcceptsAll | Evidence::Nothing => {}
        }
        self.vantage_counts(&found);
        Summary { target, block, kind, sent, evidence }
    }

    /// Counts a packet that is no answer.
    pub fn handle_stray(&mut self, stray: &Stray) {
        *self.vantage.rejected.entry(stray.reason).or_default() += 1;
        if let Some(target) = stray.target.filter(|target| (target.0 as usize) < self.targets.len())
        {
            let (own, kind) = self.counts(target);
            own.rejected.up();
            kind.rejected.up();
        }
    }

    pub fn target(&self, target: TargetId) -> &TargetStats {
        &self.targets[target.0 as usize]
    }

    /// A block's numbers by kind.
    pub fn kinds(&self, block: BlockId) -> PerKind<Option<&KindStats>> {
        self.kind_ids[block.0 as usize].map(|id| Some(&self.kinds[id? as usize]))
    }

    pub fn windows(&self, scope: ScopeId, now: Time) -> [WindowView; 3] {
        self.windows[scope.index()].views(now)
    }

    /// A scope's last minute.
    pub fn minute(&self, scope: ScopeId, now: Time) -> WindowView {
        self.windows[scope.index()].view(0, now)
    }

    /// What our own vantage saw.
    pub fn vantage(&self) -> &VantageStats {
        &self.vantage
    }

    /// The counts of a target, and of its kind in its block.
    fn counts(&mut self, target: TargetId) -> (&mut Counts<u32>, &mut Counts) {
        let stats = &mut self.targets[target.0 as usize];
        (&mut stats.counts, &mut self.kinds[stats.kind_id as usize].counts)
    }

    /// What the outcome says of the host.
    fn evidence(&mut self, outcome: &Outcome, was_overdue: bool) -> Evidence {
        let stats = &mut self.targets[outcome.target.0 as usize];
        if outcome.trap {
            // An unlikely port that answers belongs to a firewall, one that refuses to a real host;
            // silence says nothing, and of a late answer it is not known which of the two it was.
            match outcome.found {
                Found::Reply { .. } => {
                    let asked = outcome.sent;
                    stats.trap = Trap::AcceptsAll(Unmasked { asked, ..Unmasked::default() });
                }
                Found::Refused { .. } => stats.trap = Trap::Real,
                Found::NotSent(_) => return Evidence::Fault,
                // A host that is known to refuse is silent for another reason.
                _ if stats.trap == Trap::Real => {}
                found => {
                    stats.trap = match stats.trap {
                        Trap::AcceptsAll(unmasked) if found == Found::Overdue => {
                            stats.trap.silent_again(unmasked)
                        }
                        Trap::AcceptsAll(unmasked) if found.rtt_if_alive().is_some() => {
                            Trap::AcceptsAll(Unmasked { silent: 0, ..unmasked })
                        }
                        known @ Trap::AcceptsAll(_) => known,
                        trap => trap.asked_in_vain(),
                    };
                    return Evidence::Nothing;
                }
            }
        }
        if let Trap::AcceptsAll(unmasked) = &mut stats.trap {
            unmasked.served |= !outcome.trap && outcome.found.rtt_if_alive().is_some();
            return Evidence::AcceptsAll;
        }
        match outcome.found {
            Found::Reply { rtt, .. } | Found::Refused { rtt } => {
                Evidence::Life { rtt, late: false }
            }
            Found::Late { rtt } => Evidence::Life { rtt, late: true },
            Found::Overdue => Evidence::Miss { usual: stats.rtt.usual() },
            Found::Unreachable { .. } if !was_overdue => {
                Evidence::Miss { usual: stats.rtt.usual() }
            }
            // An unresolved name is no evidence, but it is not a fault of our network either.
            Found::NotSent(fault) if !matches!(fault, Fault::Unresolved | Fault::OutsideBlock) => {
                Evidence::Fault
            }
            _ => Evidence::Nothing,
        }
    }

    fn vantage_counts(&mut self, found: &Found) {
        match *found {
            Found::Reply { rcode: Some(rcode), .. } => {
                *self.vantage.rcodes.entry(rcode).or_default() += 1;
            }
            Found::Unreachable { from, code, .. } => {
                let v6 = matches!(from, IpAddr::V6(_));
                *self.vantage.unreachable.entry((v6, code)).or_default() += 1;
            }
            Found::NotSent(fault) => *self.vantage.not_sent.entry(fault).or_default() += 1,
            Found::Odd(oddity) => *self.vantage.odd.entry(oddity).or_default() += 1,
            _ => {}
        }
    }
}
