//! When it is checked whether our SYNs leave this machine, and of whom else a check speaks: a
//! firewall of our own that keeps a SYN looks like a silence, or a refusal, of the host.

use lifesign_model::{
    outcome::Fault,
    scopes::{Family, PerFamily},
    time::Time,
};
use std::{collections::HashMap, net::SocketAddr, time::Duration};

/// One check a second at most, of all peers.
const PAUSE: Duration = Duration::from_secs(1);
/// Of those that are silent for good, or always forbidden, one is checked again so often, besides.
const PAUSE_AGAIN: Duration = Duration::from_secs(10);
/// So many silent probes in a row are no chance, even at a loss of half.
const FOR_GOOD: u32 = 8;
/// How long the newest check of any other peer speaks for those that are not checked.
const SPEAKS_FOR: Duration = Duration::from_secs(10);
/// More silent peers than a plan has.
const MOST: usize = 1 << 16;

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syn {
    /// It leaves.
    Leaves,
    /// Something of our own keeps it.
    HeldBack(Fault),
}

impl Syn {
    const fn fault(self) -> Option<Fault> {
        match self {
            Syn::Leaves => None,
            Syn::HeldBack(fault) => Some(fault),
        }
    }
}

/// A peer that was checked, and has not answered since.
#[derive(Clone, Copy, Debug)]
struct Silent {
    syn: Syn,
    /// How many of its probes have been silent since.
    probes: u32,
}

impl Silent {
    fn is_for_good(self) -> bool {
        self.syn != Syn::Leaves || self.probes >= FOR_GOOD
    }
}

/// What was found of the peers of TCP probes.
#[derive(Debug, Default)]
pub struct SynChecks {
    /// When one was checked last of which nothing was known ...
    last: Option<Time>,
    /// ... and one of which it was.
    last_again: Option<Time>,
    silent: HashMap<SocketAddr, Silent>,
    /// The newest check of a peer that was not silent for good. Only such a one is news: what is
    /// always forbidden to one peer says nothing of the others.
    news: PerFamily<Option<(Time, Syn)>>,
}

impl SynChecks {
    /// A SYN to this peer left: somebody has answered it.
    pub fn left(&mut self, peer: SocketAddr) {
        if !self.silent.is_empty() {
            self.silent.remove(&peer);
        }
    }

    /// Why a probe to `peer` did not leave, which has been silent for most of its patience or was
    /// refused at once; None if it did, for all that is known. `check` says what becomes of another
    /// SYN to it, None if that cannot be known; it is called no more often than this module says.
    pub fn fault(
        &mut self,
        peer: SocketAddr,
        now: Time,
        check: impl FnOnce() -> Option<Syn>,
    ) -> Option<Fault> {
        let silent = self.silent.get_mut(&peer);
        let probes = silent.map_or(0, |silent| {
            silent.probes = silent.probes.saturating_add(1);
            silent.probes
        });
        let known = self.silent.get(&peer).filter(|silent| silent.is_for_good());
        let known = known.map(|silent| silent.syn);
        let news = &mut self.news[Family::of(peer.ip())];
        let is_too_early = |last: Option<Time>, pause| last.is_some_and(|at| now.since(at) < pause);
        let is_early = match known {
            Some(_) => is_too_early(self.last_again, PAUSE_AGAIN),
            None => is_too_early(self.last, PAUSE),
        };
        if is_early {
            let speaks = news.filter(|(at, _)| now.since(*at) < SPEAKS_FOR).map(|(_, syn)| syn);
            return known.or(speaks)?.fault();
        }
        if known.is_some() {
            self.last_again = Some(now);
        } else {
            self.last = Some(now);
            self.last_again.get_or_insert(now);
        }
        let found = check()?;
        if known != Some(found) {
            *news = Some((now, found));
            // The firewall has changed, so it may have for the others.
            if known.is_some() || self.silent.len() >= MOST {
                self.silent.clear();
            }
        }
        self.silent.insert(peer, Silent { syn: found, probes });
        found.fault()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORBIDDEN: Syn = Syn::HeldBack(Fault::Permission);
    const PERMISSION: Option<Fault> = Some(Fault::Permission);

    struct Checks {
        checks: SynChecks,
        count: usize,
    }

    impl Checks {
        fn new() -> Self {
            Self { checks: SynChecks::default(), count: 0 }
        }

        /// What is told of a silent peer after so many milliseconds, where a check finds this.
        fn tell(&mut self, host: u8, millis: u64, syn: Syn) -> Option<Fault> {
            let now = Time::default() + Duration::from_millis(millis);
            self.checks.fault(peer(host), now, || {
                self.count += 1;
                Some(syn)
            })
        }
    }

    fn peer(host: u8) -> SocketAddr {
        SocketAddr::from(([127, 45, 176, host], 80))
    }

    #[test]
    fn one_check_a_second_speaks_for_all_that_fall_silent() {
        let mut checks = Checks::new();
        for tenth in 0..100 {
            let host = tenth as u8;
            assert_eq!(checks.tell(host, 100 * tenth, FORBIDDEN), PERMISSION);
        }
        assert_eq!(checks.count, 10);
    }

    #[test]
    fn a_peer_that_is_always_forbidden_says_nothing_of_the_others() {
        let mut checks = Checks::new();
        assert_eq!(checks.tell(1, 0, FORBIDDEN), PERMISSION);
        for second in 11..20 {
            assert_eq!(checks.tell(1, 1000 * second, FORBIDDEN), PERMISSION);
        }
        assert_eq!(checks.count, 2);
        // These go dark, and some of them just after a check of the other.
        assert_eq!(checks.tell(2, 30_900, Syn::Leaves), None);
        assert_eq!(checks.tell(1, 31_000, FORBIDDEN), PERMISSION);
        assert_eq!(checks.count, 4);
        for (host, millis) in [(3, 31_100), (3, 31_800), (4, 31_850)] {
            assert_eq!(checks.tell(host, millis, FORBIDDEN), None);
        }
        assert_eq!(checks.count, 4);
    }

    #[test]
    fn a_host_that_is_always_silent_does_not_hide_the_firewall() {
        let mut checks = Checks::new();
        for millis in [0, 10, 20, 30, 40, 50, 60, 70, 80] {
            assert_eq!(checks.tell(1, millis, Syn::Leaves), None);
        }
        assert_eq!(checks.tell(2, 19_000, Syn::Leaves), None, "by chance, just before");
        assert_eq!(checks.tell(3, 20_000, FORBIDDEN), PERMISSION);
        assert_eq!(checks.tell(1, 20_100, FORBIDDEN), PERMISSION, "it is checked again");
        assert_eq!(checks.tell(2, 20_200, FORBIDDEN), PERMISSION);
        assert_eq!(checks.tell(1, 30_000, FORBIDDEN), PERMISSION);
    }

    #[test]
    fn an_outage_behind_a_firewall_that_is_taken_down_is_seen() {
        let mut checks = Checks::new();
        for host in 0..3 {
            assert_eq!(checks.tell(host, 1000 * u64::from(host), FORBIDDEN), PERMISSION);
        }
        assert_eq!(checks.tell(0, 9900, Syn::Leaves), PERMISSION);
        assert_eq!(checks.tell(0, 12_000, Syn::Leaves), None);
        assert_eq!(checks.tell(1, 12_100, Syn::Leaves), None);
        assert_eq!(checks.tell(2, 13_000, Syn::Leaves), None);
    }

    #[test]
    fn others_that_fall_silent_all_the_time_do_not_keep_a_firewall_up() {
        let mut checks = Checks::new();
        assert_eq!(checks.tell(1, 0, FORBIDDEN), PERMISSION);
        let told = (2..30).map(|second: u64| {
            assert_eq!(checks.tell(second as u8, 1000 * second, Syn::Leaves), None);
            checks.tell(1, 1000 * second + 999, Syn::Leaves)
        });
        let told: Vec<_> = told.collect();
        assert_eq!((told[0], told[7], told[8], told[27]), (PERMISSION, PERMISSION, None, None));
    }

    #[test]
    fn what_answers_is_checked_anew_and_each_family_by_itself() {
        let mut checks = Checks::new();
        assert_eq!(checks.tell(1, 0, FORBIDDEN), PERMISSION);
        checks.checks.left(peer(1));
        assert_eq!(checks.tell(1, 1000, Syn::Leaves), None);
        assert_eq!(checks.tell(2, 2000, FORBIDDEN), PERMISSION);
        let v6 = "[fd45::1]:80".parse().unwrap();
        let now = Time::default() + Duration::from_millis(2100);
        assert_eq!(checks.checks.fault(v6, now, || unreachable!()), None);
    }

    #[test]
    fn where_nothing_can_be_checked_silence_is_silence() {
        let mut checks = SynChecks::default();
        assert_eq!(checks.fault(peer(1), Time::default(), || None), None);
        assert!(checks.silent.is_empty());
    }
}
