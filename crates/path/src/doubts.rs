//! Blocks in doubt, and blocks that are down: sweeps once a second, until the position of the break
//! is known.

use super::{
    Traced, Tracer,
    episode::Episode,
    sweeps::{BATCH, SILENT_HOPS},
    tracer::SOON,
};
use lifesign_model::{
    scopes::{BlockId, Family},
    time::Time,
};
use std::{ops::RangeInclusive, time::Duration};

/// So many paths are looked into at once ...
const MOST_ACTIVE: usize = 512;
/// ... each of them begun so long after another that what a router says of the first is known ...
const APART: Duration = Duration::from_millis(250);
/// ... until so many are: what they have in common was asked by then, and the more fall silent at
/// once, the sooner each must follow for a place to be known within seconds of `down`.
const BEGUN_APART: usize = 8;
/// So many hops are asked first, spread over the path: if it breaks near us, one router may get all
/// of these packets.
const FIRST: usize = 4;
/// After so many sweeps a doubt is looked into more slowly, and after so many no more.
const FAST_SWEEPS: u8 = 12;
const MOST_SWEEPS: u8 = 20;
const SLOW: u32 = 3;
/// A doubt that has come to nothing is over after this time, and a new one begins anew.
const STALE: Duration = Duration::from_secs(20);
/// So long after it began a doubt that is said again is looked at as a whole.
const SAID_AGAIN: Duration = Duration::from_secs(3);
/// So many controls are traced while we are blind.
const CONTROLS: usize = 2;
/// Of a hop limit that reaches a control whatever the path.
const FAR: u8 = 64;

impl Tracer {
    /// The judge doubts that a block lives. It may be said again and again.
    pub fn handle_doubt(&mut self, block: BlockId, now: Time) {
        let Some(index) = self.path_of(block) else { return };
        let path = &mut self.paths[index as usize];
        if path.is_down {
            return;
        }
        let age = path.episode.as_ref().map(|episode| now.since(episode.started));
        match (age, &mut path.episode) {
            (Some(age), Some(episode)) if age <= STALE => {
                if age >= SAID_AGAIN && !episode.is_queued {
                    episode.is_done = false;
                    episode.next_at = episode.next_at.min(now);
                }
            }
            _ => {
                path.since = now;
                self.begin_episode(index, now);
            }
        }
        self.set_timer(index);
    }

    /// Is a block down, as far as was said?
    pub fn is_down(&self, block: BlockId) -> bool {
        self.path_of(block).is_some_and(|index| self.paths[index as usize].is_down)
    }

    /// A block is down, said the judge.
    pub fn handle_down(&mut self, block: BlockId, now: Time) {
        let Some(index) = self.path_of(block) else { return };
        let path = &mut self.paths[index as usize];
        if path.is_down {
            return;
        }
        path.is_down = true;
        path.down_at = now;
        if path.episode.is_none() {
            path.since = now;
            self.begin_episode(index, now);
        } else if let Some(episode) = &mut path.episode {
            // One more look confirms what was found before.
            if episode.is_done {
                episode.is_done = false;
                episode.next_at = now;
            }
            self.judge(index, now);
        }
        self.set_timer(index);
    }

    /// A host answered a probe that was sent then: what was doubted before is no longer. It may be
    /// called for every answer, and costs nothing but in a doubt.
    pub fn handle_host_answer(&mut self, block: BlockId, sent: Time, now: Time) {
        let Some(index) = self.path_of(block) else { return };
        let path = &self.paths[index as usize];
        let is_doubted = |episode: &Episode| episode.started <= sent;
        if !path.is_down && path.episode.as_deref().is_some_and(is_doubted) {
            self.handle_life(block, now);
        }
    }

    /// A block lives after all, or again: its place is none.
    pub fn handle_life(&mut self, block: BlockId, now: Time) {
        let Some(index) = self.path_of(block) else { return };
        let path = &self.paths[index as usize];
        if !path.is_down && path.episode.is_none() {
            return;
        }
        let soon = SOON + self.learning_interval(self.places.len()).mul_f64(0.2 * self.rng.unit());
        self.end_episode(index, now);
        self.places.remove(&index);
        let path = &mut self.paths[index as usize];
        path.sweep = None;
        if path.is_down {
            path.calm_at = path.calm_at.min(now + soon);
        }
        path.is_down = false;
        self.set_timer(index);
    }

    /// Our own network of this family fails, or works again. Meanwhile nothing is said of blocks,
    /// but where the paths to the controls break.
    pub fn handle_blind(&mut self, family: Family, is_blind: bool, now: Time) {
        if std::mem::replace(&mut self.blind[family], is_blind) == is_blind {
            return;
        }
        for index in 0..self.paths.len() as u32 {
            let path = &self.paths[index as usize];
            if path.family != family {
                continue;
            }
            let is_control = matches!(path.of, Traced::Control(_));
            self.end_episode(index, now);
            let path = &mut self.paths[index as usize];
            path.sweep = None;
            if is_control {
                path.is_down = false;
                self.places.remove(&index);
            }
            // What was said before we were blind is old.
            if !is_blind && path.is_down {
                path.down_at = now;
                path.since = now;
                self.begin_episode(index, now);
            }
            self.set_timer(index);
        }
        if is_blind {
            self.trace_controls(family, now);
        }
    }

    /// While we are blind: looks at the paths to the first controls.
    pub(crate) fn trace_controls(&mut self, family: Family, now: Time) {
        let controls: Vec<u32> = self.controls(family).take(CONTROLS).collect();
        for index in controls {
            let path = &mut self.paths[index as usize];
            if path.is_down {
                continue;
            }
            path.is_down = true;
            path.down_at = now;
            path.since = now;
            self.begin_episode(index, now);
            self.set_timer(index);
        }
    }

    pub(crate) fn begin_episode(&mut self, index: u32, now: Time) {
        self.end_episode(index, now);
        let path = &mut self.paths[index as usize];
        let is_control = matches!(path.of, Traced::Control(_));
        if self.blind[path.family] && !is_control || path.targets.is_empty() {
            return;
        }
        path.sweep = None;
        path.forget_lone_target();
        let mut episode = Episode::new(now);
        if self.active >= MOST_ACTIVE {
            episode.is_queued = true;
            episode.next_at = Time::NEVER;
            self.queued.push_back(index);
        } else {
            episode.next_at = self.begin_next(now);
        }
        let path = &mut self.paths[index as usize];
        path.episode = Some(Box::new(episode));
    }

    /// When one path more is looked into.
    fn begin_next(&mut self, now: Time) -> Time {
        let at = now.max(self.next_begin);
        let crowd = self.active.max(BEGUN_APART) as f64 / BEGUN_APART as f64;
        self.active += 1;
        self.next_begin = at + APART.div_f64(crowd * crowd);
        at
    }

    pub(crate) fn end_episode(&mut self, index: u32, now: Time) {
        let Some(episode) = self.paths[index as usize].episode.take() else { return };
        if episode.is_queued {
            self.queued.retain(|queued| *queued != index);
            return;
        }
        self.active -= 1;
        self.begin_queued(now);
    }

    /// Looks into those that wait, as long as there are few enough.
    pub(crate) fn begin_queued(&mut self, now: Time) {
        while self.active < MOST_ACTIVE
            && let Some(next) = self.queued.pop_front()
        {
            if self.paths[next as usize].episode.is_none() {
                continue;
            }
            let next_at = self.begin_next(now);
            if let Some(episode) = &mut self.paths[next as usize].episode {
                episode.is_queued = false;
                episode.started = now;
                episode.next_at = next_at;
                self.set_timer(next);
            }
        }
    }

    /// The hops to ask next: all that answer, or those around where the path is thought to break.
    fn hops_in_doubt(&self, index: u32, now: Time) -> Vec<u8> {
        let path = &self.paths[index as usize];
        let Some(episode) = &path.episode else { return Vec::new() };
        let mut hops = Vec::new();
        let mut hop = 0;
        while let Some(next) = path.next_answering(hop, &self.routers) {
            // That the target is silent is the judge's to say, and costs the block no token.
            if next > path.router_hops() {
                break;
            }
            hops.push(next);
            hop = next;
        }
        let interval = episode.interval.filter(|_| !episode.is_whole);
        if let Some(interval) = interval {
            let end = interval.first_silent.unwrap_or(u8::MAX);
            let candidates = |hop: &u8| (interval.last..=end).contains(hop);
            hops.retain(candidates);
        }
        // Who turns packets back is heard by that, and needs its tokens for it.
        let turns = |hop: &u8| {
            path.hop(*hop).is_some_and(|hop| {
                hop.known().any(|router| self.routers.turns_back(router, 2, now))
            })
        };
        let last = interval.map(|interval| interval.last);
        hops.retain(|hop| Some(*hop) != last || !turns(hop));
        let rest = hops.iter().copied().filter(|hop| Some(*hop) != last);
        let rest: Vec<u8> = rest.collect();
        let count = rest.len();
        if count > FIRST {
            // In a loop of two, every other packet ends at the same router.
            let odd = |part: usize| part * count / FIRST - usize::from(part == FIRST - 1);
            let spread = (1..=FIRST).map(|part| rest[odd(part).max(1) - 1]);
            hops = last.filter(|last| hops.contains(last)).into_iter().chain(spread).collect();
            hops.dedup();
        }
        hops
    }

    /// The hops to look at of a path that nobody knows the length of, as after a start in the dark.
    pub(crate) fn unexplored(&self, index: u32) -> RangeInclusive<u8> {
        let path = &self.paths[index as usize];
        let known = path.router_hops();
        let explored = path.episode.as_ref().map_or(0, |episode| episode.explored).max(known);
        let end = match path.length {
            0 => (known + SILENT_HOPS).min(self.settings.most_hops),
            _ => known,
        };
        explored.saturating_add(1)..=end
    }

    /// The next sweep of a path in doubt.
    pub(crate) fn doubt_sweep(&mut self, index: u32, now: Time) {
        let most = self.settings.most_probes;
        let mut hops = self.hops_in_doubt(index, now);
        hops.extend(self.unexplored(index).take(BATCH.into()));
        let path = &self.paths[index as usize];
        let Some(episode) = &path.episode else { return };
        if !path.is_down && now.since(episode.started) > STALE {
            return self.end_episode(index, now);
        }
        let left = most.saturating_sub(episode.probes) as usize;
        if left == 0 || episode.sweeps >= MOST_SWEEPS {
            return self.finish(index, now);
        }
        if episode.is_whole {
            // Of a router that limits its words, the first must be about what it turns back.
            hops.reverse();
        }
        let slot = self.slot();
        let mut sent = 0;
        let mut asks = Vec::with_capacity(hops.len());
        for hop_limit in hops {
            if sent == left {
                break;
            }
            if let Some(ask) = self.ask(index, hop_limit, slot, None, now) {
                sent += usize::from(ask.by == index);
                asks.push(ask);
            }
        }
        self.ask_control(index, now);
        let interval = self.settings.doubt_interval;
        if let Some(episode) = &mut self.paths[index as usize].episode {
            episode.is_whole = false;
            episode.explored = asks.iter().map(|ask| ask.hop_limit).fold(episode.explored, u8::max);
            episode.sweeps = episode.sweeps.saturating_add(1);
            episode.probes += sent as u32;
            let slow = if episode.sweeps > FAST_SWEEPS { SLOW } else { 1 };
            episode.next_at = now + interval * slow;
        }
        self.begin_sweep(index, slot, asks, now);
    }

    /// If the break may lie within what the controls share, asks one of them whether it is silent
    /// too.
    fn ask_control(&mut self, index: u32, now: Time) {
        let path = &self.paths[index as usize];
        let family = path.family;
        let is_control = matches!(path.of, Traced::Control(_));
        let shared = self.shared_hops(index);
        let interval = path.episode.as_ref().and_then(|episode| episode.interval);
        let may_be_near = interval.is_none_or(|interval| interval.last < shared);
        if is_control || shared == 0 || !may_be_near {
            return;
        }
        if now.since(self.controls_heard[family].asked) < self.settings.doubt_interval {
            return;
        }
        let controls: Vec<u32> = self.controls(family).collect();
        let control = controls[self.rng.below(controls.len())];
        let slot = self.slot();
        if self.ask(control, FAR, slot, None, now).is_some() {
            self.controls_heard[family].asked = now;
        }
    }
}
