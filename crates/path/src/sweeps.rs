//! Sweeps of a path: how hops are asked, and what is learned in calm.

use super::{
    PathEvent, TraceProbe, Traced, Tracer,
    answers::shared,
    path::{Hop, UPSTREAMS, Upstream},
    routers::{Key, RouterId},
    sweep::{Ask, Found, Sweep},
    tracer::{LEARNING_SWEEPS, Open, TrunkHop},
};
use lifesign_model::{scopes::BlockId, time::Time};
use std::time::Duration;

/// A sweep is over after this time; later answers still count.
const WAIT: Duration = Duration::from_millis(900);
/// So many hops are asked at once: if the path breaks, one router may get all of these packets.
pub(crate) const BATCH: u8 = 5;
/// After so many silent hops in a row nothing more is expected.
pub(crate) const SILENT_HOPS: u8 = 12;
/// Tokens of a router that calm sweeps leave to doubts.
const CALM_RESERVE: f32 = 2.5;
/// After so many silent sweeps in a row another host is traced.
const SILENT_SWEEPS: u8 = 2;
/// When something new is looked at again.
const AGAIN: Duration = Duration::from_secs(5);

impl Tracer {
    /// Who is expected to answer at a hop.
    fn expected(&mut self, index: u32, hop_limit: u8, now: Time) -> RouterId {
        let path = &self.paths[index as usize];
        let family = path.family;
        if path.length > 0 && hop_limit >= path.length {
            let target = self.router(Key::Address(path.targets[0]), now);
            // Where there is no room for it, its block's budget is enough.
            let silent = Key::Silent(family, hop_limit);
            return if target.is_some() { target } else { self.routers.id(silent, now) };
        }
        if let Some(router) = path.hop(hop_limit).map(Hop::newest).filter(|id| id.is_some()) {
            return router;
        }
        let trunk = self.trunk[family].get(usize::from(hop_limit) - 1);
        match trunk.filter(|hop| hop.differ <= hop.agree) {
            Some(hop) if hop.router.is_some() => hop.router,
            _ => self.routers.id(Key::Silent(family, hop_limit), now),
        }
    }

    /// Asks one hop, if its router's budget allows; or takes part in what another path asks.
    pub(crate) fn ask(
        &mut self,
        index: u32,
        hop_limit: u8,
        slot: u32,
        reserve: Option<f32>,
        now: Time,
    ) -> Option<Ask> {
        let expected = self.expected(index, hop_limit, now);
        let reaches_block = self.arrives(index, hop_limit);
        let path = &self.paths[index as usize];
        let is_target = path.length > 0 && hop_limit >= path.length;
        let ask = |by, found| Some(Ask { hop_limit, expected, by, found });
        if let (None, false, Some(open)) =
            (reserve, is_target, self.open.get_mut(&self.routers.probe(expected)))
            && open.hop_limit == hop_limit
            && open.path != index
            && now.since(open.sent) < WAIT
        {
            open.sharers.push((index, slot));
            return ask(open.path, shared(path.hop(hop_limit), open.found));
        }
        let id = self.next_id;
        let reserve = reserve.filter(|_| !is_target).unwrap_or(0.0);
        // Who turns packets back gets this one too.
        let before = (1..hop_limit).filter_map(|hop| Some((hop, path.hop(hop)?)));
        let before = before.flat_map(|(hop, at)| at.known().map(move |router| (hop, router)));
        let turning =
            before.filter(|&(hop, router)| self.routers.turns_back(router, hop_limit - hop, now));
        let turning: Vec<RouterId> = turning.map(|(_, router)| router).collect();
        // Of equal routers any may get it.
        let equal = path.hop(hop_limit).into_iter().flat_map(Hop::known).filter(|_| !is_target);
        let mut all = turning.iter().copied().chain(equal).chain([expected]);
        if !all.all(|router| self.routers.allows(router, reserve, now)) {
            return None;
        }
        let payer = turning.last().copied().unwrap_or(expected);
        // In a loop it may be any of them.
        for router in &turning {
            self.routers.charge(*router, now);
        }
        if payer == expected {
            self.routers.take(expected, id, now);
        }
        self.next_id += 1;
        self.arrived += u64::from(reaches_block);
        self.due.push_back(TraceProbe {
            id,
            of: path.of,
            target: path.targets[0],
            hop_limit,
            slot,
            reaches_block,
        });
        self.open.insert(
            id,
            Open {
                path: index,
                hop_limit,
                slot,
                sent: now,
                expected: payer,
                sharers: Vec::new(),
                found: Found::Pending,
            },
        );
        ask(index, Found::Pending)
    }

    /// Is it known that the target is no farther? The newest answer may have come from nearer.
    fn arrives(&self, index: u32, hop_limit: u8) -> bool {
        let path = &self.paths[index as usize];
        let nearer = path.candidate_length.newest();
        path.length > 0 && (hop_limit >= path.length || nearer > 0 && hop_limit >= nearer)
    }

    pub(crate) fn begin_sweep(&mut self, index: u32, slot: u32, asks: Vec<Ask>, now: Time) {
        let reaches = asks.iter().map(|ask| ask.hop_limit).max().unwrap_or(0);
        self.paths[index as usize].sweep =
            Some(Box::new(Sweep { slot, started: now, close_at: now + WAIT, asks, reaches }));
    }

    pub(crate) fn slot(&mut self) -> u32 {
        self.next_slot = self.next_slot.wrapping_add(1);
        self.next_slot
    }

    /// A sweep of a path that nobody doubts.
    pub(crate) fn calm_sweep(&mut self, index: u32, now: Time) {
        let path = &self.paths[index as usize];
        if path.targets.is_empty() {
            self.paths[index as usize].calm_at = Time::NEVER;
            return;
        }
        let slot = self.slot();
        self.begin_sweep(index, slot, Vec::new(), now);
        self.ask_batch(index, now);
        let interval = self.calm_interval(index);
        self.paths[index as usize].calm_at = now + interval;
    }

    /// Asks the next hops of a calm sweep, if there are more.
    fn ask_batch(&mut self, index: u32, now: Time) -> bool {
        let path = &self.paths[index as usize];
        let Some(sweep) = &path.sweep else { return false };
        let next = sweep.reaches + 1;
        let slot = sweep.slot;
        let last = match path.length {
            0 => path.hops.len() as u8 + SILENT_HOPS,
            length if sweep.reaches < length => length,
            // Somebody else answers where the target was: it is farther away now.
            _ if sweep.heard() == sweep.reaches => sweep.reaches + BATCH,
            _ => return false,
        };
        let last = last.min(sweep.reaches + BATCH).min(self.settings.most_hops);
        if sweep.replied().is_some() || sweep.is_turned_back() || next > last {
            return false;
        }
        let mut asks = Vec::with_capacity(BATCH.into());
        for hop_limit in next..=last {
            match self.ask(index, hop_limit, slot, Some(CALM_RESERVE), now) {
                Some(ask) => asks.push(ask),
                None => self.assume(index, hop_limit),
            }
        }
        if let Some(sweep) = &mut self.paths[index as usize].sweep {
            sweep.asks.extend(asks);
            sweep.reaches = last;
            sweep.close_at = if sweep.is_complete() { now } else { now + WAIT };
        }
        true
    }

    /// What may not be asked is taken to be as on all other paths.
    fn assume(&mut self, index: u32, hop_limit: u8) {
        let path = &mut self.paths[index as usize];
        if path.hop(hop_limit).is_some_and(|hop| hop.newest().is_some()) {
            return;
        }
        let trunk = self.trunk[path.family].get(usize::from(hop_limit) - 1);
        if let Some(hop) = trunk.filter(|hop| hop.is_sure()) {
            path.hop_mut(hop_limit).push(hop.router);
        }
    }

    /// A sweep is over.
    pub(crate) fn close_sweep(&mut self, index: u32, now: Time) {
        let Some(mut sweep) = self.paths[index as usize].sweep.take() else { return };
        for ask in &mut sweep.asks {
            if ask.found == Found::Pending {
                ask.found = Found::Silent;
            }
        }
        if self.paths[index as usize].episode.is_some() {
            return self.close_doubt_sweep(index, &sweep, now);
        }
        self.paths[index as usize].sweep = Some(sweep);
        if self.ask_batch(index, now) {
            return;
        }
        if let Some(sweep) = self.paths[index as usize].sweep.take() {
            self.close_calm_sweep(index, &sweep, now);
        }
    }

    fn close_calm_sweep(&mut self, index: u32, sweep: &Sweep, now: Time) {
        let replied = sweep.replied();
        let path = &self.paths[index as usize];
        let is_unasked = sweep.is_unasked(path.length);
        let is_usual = |ask: &&Ask| match ask.found {
            Found::Hop(router) => path.hop(ask.hop_limit).is_some_and(|hop| hop.holds(router)),
            _ => false,
        };
        let usual = sweep.asks.iter().filter(is_usual).map(|ask| ask.hop_limit).max();
        // Where nothing answers any more, silence may be a break, and tells nothing of a hop.
        let below = match replied {
            Some(length) => length,
            None if sweep.is_turned_back() => 0,
            None if path.length > 0 && !is_unasked => usual.unwrap_or(0),
            None => sweep.heard(),
        };
        self.learn(index, sweep, below, now);
        let path = &mut self.paths[index as usize];
        path.sweeps += u32::from(replied.is_some() || path.length == 0);
        if let Some(length) = replied {
            path.silent = 0;
            self.learn_length(index, length, now);
            self.learn_upstream(index, now);
        } else if is_unasked {
            self.look_again(index, now);
        } else {
            self.miss_target(index, now);
        }
    }

    /// Makes a sweep that told little again before its time.
    fn look_again(&mut self, index: u32, now: Time) {
        let again = now + AGAIN.max(self.settings.calm_interval / 20);
        let path = &mut self.paths[index as usize];
        path.calm_at = path.calm_at.min(again);
    }

    /// Counts what the hops below this limit said.
    fn learn(&mut self, index: u32, sweep: &Sweep, below: u8, now: Time) {
        for ask in sweep.asks.iter().filter(|ask| ask.by == index) {
            let path = &mut self.paths[index as usize];
            match ask.found {
                Found::Hop(router) if ask.hop_limit <= below => {
                    let family = path.family;
                    let hop = path.hop_mut(ask.hop_limit);
                    let is_first = hop.newest() != router;
                    hop.push(router);
                    hop.count(true);
                    self.routers.record(router, true, now);
                    if is_first && self.routers.address(ask.expected).is_none() {
                        self.routers.find(router, ask.expected);
                    }
                    self.learn_trunk(family, ask.hop_limit, router);
                }
                Found::Silent if ask.hop_limit < below => {
                    path.hop_mut(ask.hop_limit).count(false);
                    self.routers.record(ask.expected, false, now);
                }
                Found::Target if self.routers.address(ask.expected).is_none() => {
                    let target = Key::Address(path.targets[0]);
                    let target = self.router(target, now);
                    self.routers.find(target, ask.expected);
                }
                Found::Target if path.length == ask.hop_limit => {
                    // Another host may be traced by now.
                    path.hop_mut(ask.hop_limit).push(ask.expected);
                    path.hop_mut(ask.hop_limit).count(true);
                    self.routers.record(ask.expected, true, now);
                }
                _ => {}
            }
        }
    }

    fn learn_trunk(
        &mut self,
        family: lifesign_model::scopes::Family,
        hop_limit: u8,
        router: RouterId,
    ) {
        let trunk = &mut self.trunk[family];
        let index = usize::from(hop_limit) - 1;
        if trunk.len() <= index {
            let none = TrunkHop { router: RouterId::NONE, agree: 0, differ: 0 };
            trunk.resize(index + 1, none);
        }
        let hop = &mut trunk[index];
        if hop.router == router {
            hop.agree = hop.agree.saturating_add(1);
        } else if hop.agree == 0 || hop.differ > hop.agree {
            *hop = TrunkHop { router, agree: 1, differ: 0 };
        } else {
            hop.differ = hop.differ.saturating_add(1);
        }
    }

    /// The target did not answer: it may have gone.
    fn miss_target(&mut self, index: u32, now: Time) {
        let path = &mut self.paths[index as usize];
        if path.length == 0 {
            let far = path.hops.iter().rposition(|hop| hop.newest().is_some());
            path.hops.truncate(far.map_or(0, |index| index + 1));
        }
        path.silent = path.silent.saturating_add(1);
        if path.silent >= SILENT_SWEEPS && path.targets.len() > 1 {
            path.silent = 0;
            path.targets.rotate_left(1);
        }
        self.look_again(index, now);
    }

    fn learn_length(&mut self, index: u32, length: u8, now: Time) {
        let address = self.paths[index as usize].targets[0];
        let target = self.router(Key::Address(address), now);
        let path = &mut self.paths[index as usize];
        let before = path.length;
        let is_other = path.length_to.replace(address) != Some(address);
        if before == length {
            path.candidate_length.see(length);
            return;
        }
        // What could not be asked yet made it seem longer.
        let is_longer = || length < before && path.sweeps <= LEARNING_SWEEPS;
        let is_new = before == 0 || is_other || is_longer();
        if !is_new && !path.candidate_length.see(length) {
            path.calm_at = path.calm_at.min(now + AGAIN);
            return;
        }
        path.length = length;
        path.hops.truncate(length.into());
        let hop = path.hop_mut(length);
        *hop = Hop::default();
        hop.push(target);
        hop.count(true);
        if let (Traced::Block(block), false) = (path.of, is_new) {
            self.tell_move(index, PathEvent::Hops { at: now, block, before, after: length });
        }
    }

    /// The network before theirs.
    fn learn_upstream(&mut self, index: u32, now: Time) {
        let path = &self.paths[index as usize];
        let Traced::Block(block) = path.of else { return };
        let Some(upstream) = self.upstream_of(index, block) else { return };
        let path = &mut self.paths[index as usize];
        let asn = upstream.network.asn;
        let is_believed = path.candidate_upstream.see(asn);
        let Some(before) = path.upstreams.first().map(|known| known.network.clone()) else {
            path.upstreams.push(upstream);
            return;
        };
        if before.asn == asn {
            path.upstreams[0] = upstream;
            return;
        }
        if !is_believed {
            path.calm_at = path.calm_at.min(now + AGAIN);
            return;
        }
        let after = upstream.network.clone();
        path.upstreams.retain(|known| known.network.asn != asn);
        path.upstreams.insert(0, upstream);
        path.upstreams.truncate(UPSTREAMS);
        self.tell_move(index, PathEvent::Upstream { at: now, block, before, after });
    }

    pub(crate) fn upstream_of(&self, index: u32, block: BlockId) -> Option<Upstream> {
        let path = &self.paths[index as usize];
        let addresses = (1..path.length).rev().filter_map(|hop| path.hop(hop));
        let addresses = addresses.filter_map(|hop| self.routers.address(hop.newest()));
        let mut outside = addresses.filter(|&address| !self.is_theirs(block, address));
        outside.find_map(|address| self.upstream(address))
    }
}
