//! A target's own numbers. They are kept small, since a plan may have a million of them: what one
//! that is asked by ICMP hardly ever has lies apart.

use super::{Counts, Evidence, Timing, return_path::HopLimits, rtt::Rtt};
use crate::{
    outcome::{Found, Outcome, SYN_REPEATED_AFTER},
    schedule::{TrapPort, Unmasked, is_silence},
    scopes::Kind,
    time::Time,
};

/// A target's own numbers.
#[derive(Clone, Debug, Default)]
pub struct TargetStats {
    /// Its kind in its block: an index into `Aggregate::kinds`.
    pub(super) kind_id: u32,
    pub(super) sent: u32,
    reply: u32,
    late: u32,
    lost: u32,
    overdue: u16,
    resolved: u8,
    /// None before the first echo reply.
    pub(super) hop_limits: Option<HopLimits>,
    /// The last 64 resolved probes, the newest in bit 0: 1 is a miss. A late answer sets the miss
    /// that it takes back to 0: the newest, since which one it was is not worth remembering for a
    /// ratio.
    recent: u64,
    /// Round-trip time and patience.
    pub rtt: Rtt,
    /// When the newest answered probe was sent; at first, long ago.
    last_life: Time,
    rare: Option<Box<RareStats>>,
}

/// What hardly any target has that is asked by ICMP.
#[derive(Clone, Debug, Default)]
pub(super) struct RareStats {
    /// Those that have no place beside it.
    counts: Counts<u32>,
    pub trap_port: TrapPort,
    /// Since when all its answers have come implausibly soon; None if they have not.
    pub implausible_since: Option<Time>,
    /// The lowest round-trip time that an earlier run learned for its host, in seconds.
    pub lowest_before: Option<f32>,
    /// So many answers came from another address than its name has now.
    pub answers_before: u32,
}

impl TargetStats {
    pub(super) fn new(kind_id: u32) -> Self {
        Self { kind_id, ..Self::default() }
    }

    /// How many outcomes of each kind it had.
    pub fn counts(&self) -> Counts<u32> {
        let &Self { sent, reply, late, lost, .. } = self;
        let rare = self.rare.as_ref().map(|rare| rare.counts).unwrap_or_default();
        Counts { sent, reply, late, lost, overdue: self.overdue.into(), ..rare }
    }

    pub(super) fn change_counts(&mut self, change: impl FnOnce(&mut Counts<u32>)) {
        let mut counts = self.counts();
        change(&mut counts);
        let Counts { sent, reply, late, lost, overdue, .. } = counts;
        self.sent = sent;
        self.reply = reply;
        self.late = late;
        self.lost = lost;
        self.overdue = overdue.try_into().unwrap_or(u16::MAX);
        let rare = Counts { sent: 0, reply: 0, late: 0, lost: 0, overdue: 0, ..counts };
        if self.rare.is_some() || rare != Counts::default() {
            self.rare_mut().counts = rare;
        }
    }

    /// How many probes were answered.
    pub(super) fn answers(&self) -> u32 {
        let counts = self.counts();
        counts.reply + counts.refused + counts.late
    }

    pub(super) fn rare(&self) -> Option<&RareStats> {
        self.rare.as_deref()
    }

    pub(super) fn rare_mut(&mut self) -> &mut RareStats {
        self.rare.get_or_insert_default()
    }

    pub(super) fn trap_port(&self) -> TrapPort {
        self.rare().map(|rare| rare.trap_port).unwrap_or_default()
    }

    pub(super) fn unmasked_mut(&mut self) -> Option<&mut Unmasked> {
        match &mut self.rare.as_deref_mut()?.trap_port {
            TrapPort::AcceptsAll(unmasked) => Some(unmasked),
            TrapPort::Undecided(_) | TrapPort::Refuses | TrapPort::RefusesUnheard(_) => None,
        }
    }

    /// When the newest answered probe was sent; None before the first.
    pub fn last_life(&self) -> Option<Time> {
        (self.last_life > Time::default()).then_some(self.last_life)
    }

    pub(super) fn record_life(&mut self, sent: Time) {
        self.last_life = self.last_life.max(sent);
    }

    pub(super) fn resolve(&mut self, missed: bool) {
        self.recent = self.recent << 1 | u64::from(missed);
        self.resolved = (self.resolved + 1).min(64);
    }

    /// The newest miss was an answer.
    pub(super) fn answer_newest_miss(&mut self) {
        self.recent &= self.recent.wrapping_sub(1);
    }

    /// The newest miss was none, nor was it an answer.
    pub(super) fn take_back_miss(&mut self) {
        if self.recent > 0 {
            self.recent = (self.recent & (self.recent - 1)) >> 1;
            self.resolved -= 1;
        }
    }

    /// What the outcome says of the host; `missed_at`: the [`Summary::sent`](super::Summary::sent)
    /// of the probe's miss, if there was one.
    pub(super) fn evidence(
        &mut self,
        kind: Kind,
        outcome: &Outcome,
        missed_at: Option<Time>,
    ) -> Evidence {
        if outcome.trap {
            // An unlikely port that answers belongs to a firewall, one that refuses to a real host;
            // silence says nothing, and of a late answer it is not known which of the two it was.
            match outcome.found {
                Found::Reply { .. } => {
                    self.rare_mut().trap_port = TrapPort::AcceptsAll(Unmasked::since(outcome.sent));
                }
                Found::Refused { .. } if self.trap_port().refuses() => {}
                Found::Refused { .. } => {
                    let is_served = self.last_life().is_some();
                    self.rare_mut().trap_port =
                        if is_served { TrapPort::Refuses } else { TrapPort::RefusesUnheard(0) };
                }
                Found::NotSent(fault) => return Evidence::Fault(fault),
                // A host that is known to refuse is silent for another reason.
                _ if self.trap_port().refuses() => {}
                found => {
                    self.rare_mut().trap_port = match self.trap_port() {
                        TrapPort::AcceptsAll(unmasked) if found == Found::Overdue => {
                            unmasked.silent_again()
                        }
                        TrapPort::AcceptsAll(unmasked) if found.rtt_if_alive().is_some() => {
                            unmasked.answered_late()
                        }
                        known @ TrapPort::AcceptsAll(_) => known,
                        trap => trap.asked_in_vain(),
                    };
                    return Evidence::Nothing;
                }
            }
        }
        if let Some(unmasked) = self.unmasked_mut() {
            if !outcome.trap {
                unmasked.record_service(&outcome.found);
            }
            return Evidence::AcceptsAll;
        }
        if let (trap @ TrapPort::RefusesUnheard(_), false) = (self.trap_port(), outcome.trap) {
            self.rare_mut().trap_port = trap.record_service(&outcome.found);
            if trap.is_service_dropped() && is_silence(&outcome.found) {
                return Evidence::Nothing;
            }
        }
        match outcome.found {
            Found::Reply { rtt, .. } | Found::Refused { rtt } | Found::Late { rtt } => {
                let timing = match (outcome.found, missed_at) {
                    (Found::Late { .. }, _) => Timing::Late,
                    (_, Some(missed_at)) => Timing::ReadLate(missed_at),
                    (_, None) => Timing::InTime,
                };
                let is_measured = !kind.traits().is_repeated || rtt < SYN_REPEATED_AFTER;
                Evidence::Life { rtt, timing, is_measured }
            }
            Found::Overdue => Evidence::Miss { usual: self.rtt.usual() },
            Found::Unreachable { .. } if missed_at.is_none() => {
                Evidence::Miss { usual: self.rtt.usual() }
            }
            Found::Neighbour { rtt, .. } => Evidence::Neighbour { rtt },
            Found::NotSent(fault) => Evidence::Fault(fault),
            _ => Evidence::Nothing,
        }
    }

    /// Does a firewall answer for it on every port?
    pub fn accepts_all(&self) -> bool {
        matches!(self.trap_port(), TrapPort::AcceptsAll(_))
    }

    /// Share of the last (at most 64) resolved probes that were missed; None if there were none.
    pub fn recent_loss(&self) -> Option<f32> {
        (self.resolved > 0).then(|| self.recent.count_ones() as f32 / f32::from(self.resolved))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What lies on the heap is of a fixed size too, so what a target takes does not grow.
    #[test]
    fn a_target_takes_no_more_than_64_bytes_and_those_of_what_is_rare() {
        assert!(size_of::<TargetStats>() <= 64, "{}", size_of::<TargetStats>());
        assert!(!std::mem::needs_drop::<RareStats>());
        assert!(size_of::<RareStats>() <= 112, "{}", size_of::<RareStats>());
        let mut stats = TargetStats::new(0);
        for found in [Found::Overdue, Found::Lost, Found::Overdue] {
            stats.change_counts(|counts| counts.count(&found, found == Found::Lost));
        }
        assert_eq!(
            (stats.counts().lost, stats.counts().overdue, stats.rare.is_none()),
            (1, 1, true)
        );
        stats.change_counts(|counts| counts.count(&Found::Duplicate, false));
        assert_eq!((stats.counts().lost, stats.counts().duplicate), (1, 1));
        assert!(stats.rare.is_some());
    }
}
