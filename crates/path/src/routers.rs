//! Everybody who was heard on any path, by address, each with what it may still be asked.
//!
//! Hops that were never heard have an entry too: somebody gets their packets all the same.

use super::Settings;
use lifesign_model::{scopes::Family, time::Time};
use std::{collections::HashMap, net::IpAddr, time::Duration};

/// Index of a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RouterId(pub u32);

impl RouterId {
    pub const NONE: Self = Self(u32::MAX);

    pub fn is_some(self) -> bool {
        self != Self::NONE
    }
}

/// By what a router is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Address(IpAddr),
    /// Whoever is at this hop of paths on which nobody was heard there.
    Silent(Family, u8),
}

#[derive(Clone, Debug)]
struct Router {
    key: Key,
    tokens: f32,
    /// How many routers were found where this silent one was thought to be.
    found: u16,
    /// It was counted as found.
    is_counted: bool,
    filled: Time,
    heard: Time,
    /// When it last turned a packet back, by a word or in a loop.
    turned_back: Time,
    is_loop: bool,
    /// The probe that asked it last.
    probe: u64,
    asked: u8,
    seen: u8,
}

#[derive(Debug)]
pub(crate) struct Routers {
    all: Vec<Router>,
    ids: HashMap<Key, RouterId>,
    /// Of those that were forgotten.
    free: Vec<RouterId>,
    rate: f32,
    burst: f32,
}

/// So many are remembered (see `forget`).
pub(crate) const MOST: usize = 65_536;

/// Of this many questions the older half is forgotten.
const MEMORY: u8 = 64;

/// Who has just turned packets back is taken to do so for this long.
const TURNED_BACK: Duration = Duration::from_secs(60);

/// Counts one question, and forgets older ones.
pub(crate) fn count(asked: &mut u8, seen: &mut u8, is_seen: bool) {
    if *asked >= MEMORY {
        *asked /= 2;
        *seen /= 2;
    }
    *asked += 1;
    *seen += u8::from(is_seen);
}

impl Routers {
    pub fn new(settings: &Settings) -> Self {
        Self {
            all: Vec::new(),
            ids: HashMap::new(),
            free: Vec::new(),
            rate: settings.router_rate as f32,
            // One is left for what a router gets by surprise, of packets that were to go on.
            burst: (settings.router_burst - 1.0).max(1.0) as f32,
        }
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// The router of this key; [`RouterId::NONE`] if there is no room for a new one. Of silent ones
    /// there are no more than hops.
    pub fn id(&mut self, key: Key, now: Time) -> RouterId {
        if let Some(id) = self.ids.get(&key) {
            return *id;
        }
        if self.len() >= MOST && matches!(key, Key::Address(_)) {
            return RouterId::NONE;
        }
        let router = Router {
            key,
            tokens: self.burst,
            found: 0,
            is_counted: false,
            filled: now,
            heard: Time::default(),
            turned_back: Time::default(),
            is_loop: false,
            probe: 0,
            asked: 0,
            seen: 0,
        };
        let id = if let Some(id) = self.free.pop() {
            self.all[id.0 as usize] = router;
            id
        } else {
            self.all.push(router);
            RouterId(self.all.len() as u32 - 1)
        };
        self.ids.insert(key, id);
        id
    }

    /// Forgets those with an address that are not in use, and of whom nothing has to be known: each
    /// has all its tokens, and has turned nothing back lately.
    pub fn forget(&mut self, in_use: &[bool], now: Time) {
        let mut ids = std::mem::take(&mut self.ids);
        ids.retain(|key, &mut id| {
            let is_kept = matches!(key, Key::Silent(..))
                || in_use.get(id.0 as usize) != Some(&false)
                || self.level(id, now) < self.burst
                || self.turns_back(id, u8::MAX, now);
            if !is_kept {
                self.free.push(id);
            }
            is_kept
        });
        self.ids = ids;
        // In the order of the ids, not of the table, so that a run can be repeated.
        self.free.sort_unstable();
    }

    pub fn known(&self, address: IpAddr) -> Option<RouterId> {
        self.ids.get(&Key::Address(address)).copied()
    }

    pub fn address(&self, id: RouterId) -> Option<IpAddr> {
        match self.all.get(id.0 as usize)?.key {
            Key::Address(address) => Some(address),
            Key::Silent(..) => None,
        }
    }

    pub fn heard(&self, id: RouterId) -> Time {
        self.all.get(id.0 as usize).map_or(Time::default(), |router| router.heard)
    }

    pub fn counts(&self, id: RouterId) -> (u8, u8) {
        self.all.get(id.0 as usize).map_or((0, 0), |router| (router.asked, router.seen))
    }

    /// The probe that asked it last.
    pub fn probe(&self, id: RouterId) -> u64 {
        self.all.get(id.0 as usize).map_or(0, |router| router.probe)
    }

    /// Would one token more leave `reserve`?
    pub fn allows(&self, id: RouterId, reserve: f32, now: Time) -> bool {
        self.level(id, now) >= 1.0 + reserve
    }

    /// Takes a token for this probe.
    pub fn take(&mut self, id: RouterId, probe: u64, now: Time) {
        self.charge(id, now);
        self.all[id.0 as usize].probe = probe;
    }

    /// It got a packet that nobody meant for it.
    pub fn charge(&mut self, id: RouterId, now: Time) {
        let level = self.level(id, now);
        let router = &mut self.all[id.0 as usize];
        router.tokens = level - 1.0;
        router.filled = router.filled.max(now);
    }

    /// A packet that was meant for it went elsewhere.
    pub fn give_back(&mut self, id: RouterId, now: Time) {
        let level = self.level(id, now);
        let router = &mut self.all[id.0 as usize];
        router.tokens = (level + 1.0).min(self.burst);
        router.filled = router.filled.max(now);
    }

    fn level(&self, id: RouterId, now: Time) -> f32 {
        let router = &self.all[id.0 as usize];
        // Where many routers hide behind one entry, each gets its share of the packets.
        let rate = self.rate * f32::from(router.found / 2).max(1.0);
        let gained = now.since(router.filled).as_secs_f32() * rate;
        (router.tokens + gained).min(self.burst)
    }

    /// What one question to it came to.
    pub fn record(&mut self, id: RouterId, is_seen: bool, at: Time) {
        let Some(router) = self.all.get_mut(id.0 as usize) else { return };
        count(&mut router.asked, &mut router.seen, is_seen);
        if is_seen {
            router.heard = router.heard.max(at);
        }
    }

    /// It turned a packet back that was to go on.
    pub fn turn_back(&mut self, id: RouterId, is_loop: bool, now: Time) {
        self.all[id.0 as usize].turned_back = now;
        self.all[id.0 as usize].is_loop = is_loop;
    }

    /// It gets all packets that were to go on by so many hops; in a loop all but those to the next.
    pub fn turns_back(&self, id: RouterId, by: u8, now: Time) -> bool {
        let router = self.all.get(id.0 as usize);
        router.is_some_and(|router| {
            now.since(router.turned_back) < TURNED_BACK && by > u8::from(router.is_loop)
        })
    }

    /// It was heard, whoever had been asked.
    pub fn hear(&mut self, id: RouterId, at: Time) {
        if let Some(router) = self.all.get_mut(id.0 as usize) {
            router.heard = router.heard.max(at);
        }
    }

    /// This router was found where only `silent` was known.
    pub fn find(&mut self, router: RouterId, silent: RouterId) {
        let Some(found) = self.all.get_mut(router.0 as usize) else { return };
        let is_new = !std::mem::replace(&mut found.is_counted, true);
        let silent = &mut self.all[silent.0 as usize];
        silent.found = silent.found.saturating_add(u16::from(is_new));
    }
}
