//! What is known of one path: its hops, and what its sweeps are doing.

use super::{
    NetworkOf, Traced,
    episode::Episode,
    evidence::predicted,
    return_path::ReturnPath,
    routers::{RouterId, Routers, count},
    sweep::Sweep,
};
use lifesign_model::{scopes::Family, time::Time};
use std::net::IpAddr;

/// So many addresses of a hop are kept.
const ADDRESSES: usize = 4;
/// A hop that answers less often than this counts as silent.
const LEAST_SHARE: f64 = 0.15;
/// A hop that answers less often than this after so many questions of its own is not judged by
/// what its router says on other paths.
const LIKE: f64 = 0.3;
const OWN: u8 = 8;

/// One hop: who answers there, newest first, and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hop {
    pub routers: [RouterId; ADDRESSES],
    pub asked: u8,
    pub seen: u8,
}

impl Default for Hop {
    fn default() -> Self {
        Self { routers: [RouterId::NONE; ADDRESSES], asked: 0, seen: 0 }
    }
}

impl Hop {
    /// Who is expected to answer.
    pub fn newest(&self) -> RouterId {
        self.routers[0]
    }

    pub fn known(&self) -> impl Iterator<Item = RouterId> {
        self.routers.into_iter().filter(|id| id.is_some())
    }

    pub fn holds(&self, router: RouterId) -> bool {
        router.is_some() && self.routers.contains(&router)
    }

    /// This router answered here.
    pub fn push(&mut self, router: RouterId) {
        if !router.is_some() {
            return;
        }
        let at = self.routers.iter().position(|id| *id == router).unwrap_or(ADDRESSES - 1);
        self.routers[at] = router;
        self.routers[..=at].rotate_right(1);
    }

    pub fn count(&mut self, is_seen: bool) {
        count(&mut self.asked, &mut self.seen, is_seen);
    }

    /// How often it was asked in calm, and answered: as its only router was on all paths, unless it
    /// answers far less often here.
    pub fn calm(&self, routers: &Routers) -> (u8, u8) {
        let own = (self.asked, self.seen);
        let of_router = routers.counts(self.newest());
        let is_alike = self.asked < OWN || f64::from(self.seen) >= LIKE * f64::from(self.asked);
        let is_only = self.known().count() == 1;
        if is_only && is_alike && of_router.0 > own.0 { of_router } else { own }
    }

    /// The share of questions that it answers (Krichevsky & Trofimov, 1981).
    pub fn share(&self, routers: &Routers) -> f64 {
        predicted(self.calm(routers), 1, 0)
    }

    /// Its silence would tell something.
    pub fn answers(&self, routers: &Routers) -> bool {
        self.newest().is_some() && self.share(routers) >= LEAST_SHARE
    }

    pub fn heard(&self, routers: &Routers) -> Option<Time> {
        self.known().map(|id| routers.heard(id)).filter(|time| *time > Time::default()).max()
    }
}

/// Lengths that differ from the known one must be seen so often in a row.
pub(crate) const CONFIRMED: u8 = 3;

/// Something that was seen lately and is believed when it was seen often enough in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Candidate<T> {
    value: T,
    times: u8,
}

impl<T: PartialEq + Copy> Candidate<T> {
    /// What was seen last.
    pub fn newest(&self) -> T {
        self.value
    }

    /// Seen once more: is it to be believed now?
    pub fn see(&mut self, value: T) -> bool {
        self.times = if value == self.value { self.times.saturating_add(1) } else { 1 };
        self.value = value;
        self.times >= CONFIRMED
    }
}

/// So many networks before theirs are remembered.
pub(crate) const UPSTREAMS: usize = 4;

/// A network before theirs.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    /// By which it was found.
    pub address: IpAddr,
    pub network: NetworkOf,
}

/// One path.
#[derive(Debug)]
pub(crate) struct Path {
    pub of: Traced,
    pub family: Family,
    pub targets: Vec<IpAddr>,
    /// By hop limit, from 1 on; the last is the target, once that is known.
    pub hops: Vec<Hop>,
    /// How many hops away the target is; 0 if that is not known.
    pub length: u8,
    /// To which target it is that far.
    pub length_to: Option<IpAddr>,
    pub candidate_length: Candidate<u8>,
    pub sweeps: u32,
    /// So many sweeps in a row the target was silent.
    pub silent: u8,
    pub calm_at: Time,
    pub sweep: Option<Box<Sweep>>,
    pub episode: Option<Box<Episode>>,
    pub is_down: bool,
    pub down_at: Time,
    /// It is in doubt or down since then.
    pub since: Time,
    /// Networks before theirs, the present one first.
    pub upstreams: Vec<Upstream>,
    pub candidate_upstream: Candidate<u32>,
    pub way_back: ReturnPath,
    /// How often it was found to have moved.
    pub changes: u64,
}

impl Path {
    pub fn new(of: Traced, family: Family, targets: Vec<IpAddr>, calm_at: Time) -> Self {
        Self {
            of,
            family,
            targets,
            hops: Vec::new(),
            length: 0,
            length_to: None,
            candidate_length: Candidate::default(),
            sweeps: 0,
            silent: 0,
            calm_at,
            sweep: None,
            episode: None,
            is_down: false,
            down_at: Time::default(),
            since: Time::default(),
            upstreams: Vec::new(),
            candidate_upstream: Candidate::default(),
            way_back: ReturnPath::default(),
            changes: 0,
        }
    }

    /// Who may be traced from now on. Another one than until now is looked at by `calm_at`.
    pub fn set_targets(&mut self, targets: Vec<IpAddr>, calm_at: Time) {
        let until_now = self.targets.first().copied();
        self.targets = targets;
        if let Some(at) = self.targets.iter().position(|&target| Some(target) == until_now) {
            self.targets.rotate_left(at);
        } else {
            self.sweep = None;
            self.silent = 0;
            self.calm_at = calm_at;
        }
    }

    /// When something is due next.
    pub fn next_timeout(&self) -> Time {
        let sweep = self.sweep.as_ref().map(|sweep| sweep.close_at);
        let next = match &self.episode {
            Some(episode) => episode.next_at.min(self.calm_at),
            None => self.calm_at,
        };
        // One sweep at a time.
        sweep.unwrap_or(next)
    }

    /// Of its routers, the target not counted.
    pub fn router_hops(&self) -> u8 {
        if self.length > 0 { self.length - 1 } else { self.hops.len() as u8 }
    }

    /// Of a path on which nobody was heard but the target, in one sweep perhaps, nothing is known
    /// that could tell where it breaks: its hops are looked for as if it were new.
    pub fn forget_lone_target(&mut self) {
        let mut routers = self.hops.iter().take(self.router_hops().into());
        if self.length > 1 && routers.all(|hop| !hop.newest().is_some()) {
            self.length = 0;
            self.hops.clear();
        }
    }

    pub fn hop(&self, hop_limit: u8) -> Option<&Hop> {
        self.hops.get(usize::from(hop_limit).checked_sub(1)?)
    }

    /// The hop, which is made if it is not there yet.
    pub fn hop_mut(&mut self, hop_limit: u8) -> &mut Hop {
        let index = usize::from(hop_limit.max(1)) - 1;
        if self.hops.len() <= index {
            self.hops.resize(index + 1, Hop::default());
        }
        &mut self.hops[index]
    }

    /// Where on the path a router is known to be: the farthest place, if there are several.
    pub fn position(&self, router: RouterId) -> Option<u8> {
        let index = self.hops.iter().rposition(|hop| hop.holds(router))?;
        Some(index as u8 + 1)
    }

    /// The next hop behind this one whose silence tells something; the target always does.
    pub fn next_answering(&self, hop_limit: u8, routers: &Routers) -> Option<u8> {
        let mut behind = hop_limit + 1..=self.router_hops();
        behind
            .find(|&hop| self.hop(hop).is_some_and(|hop| hop.answers(routers)))
            .or((self.length > hop_limit).then_some(self.length))
    }
}
