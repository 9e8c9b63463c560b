//! Blocks in doubt, and blocks that are down: sweeps once a second, until the position of the break
//! is known.

use super::{
    PathEvent, PlaceView, Traced, Tracer, Word,
    episode::{Episode, Interval, Observation},
    evidence::positions,
    routers::RouterId,
    sweep::{Found, Sweep},
    tracer::{SOON, Told},
};
use lifesign_model::{
    scopes::{BlockId, Family},
    time::Time,
};
use std::time::Duration;

/// So many paths are looked into at once, each of them begun so long after another that what a
/// router says of the first is known.
const MOST_ACTIVE: usize = 64;
const APART: Duration = Duration::from_millis(250);
/// So many hops are asked first, spread over the path: if it breaks near us, one router may get all
/// of these packets.
const FIRST: usize = 4;
/// A place that is still wide so long after `down`, and after so many sweeps, is told as it is.
const TELL_AFTER: Duration = Duration::from_secs(4);
const TELL_SWEEPS: u8 = 4;
/// What was told is changed after so many sweeps: when a path is whole again, the judge needs a
/// moment to see it.
const CHANGED_SWEEPS: u8 = 8;
/// After so many sweeps a doubt is looked into more slowly, and after so many no more.
const FAST_SWEEPS: u8 = 12;
const MOST_SWEEPS: u8 = 20;
const SLOW: u32 = 3;
/// A doubt that has come to nothing is over after this time, and a new one begins anew.
const STALE: Duration = Duration::from_secs(20);
/// So long after it began a doubt that is said again is looked at as a whole.
const SAID_AGAIN: Duration = Duration::from_secs(3);
/// Before it says `down` the judge has heard nothing for so long (`Rules::span`).
const SILENCE: Duration = Duration::from_secs(4);
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
            self.tell(index, now);
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
            let controls: Vec<u32> = self.controls(family).take(CONTROLS).collect();
            for index in controls {
                let path = &mut self.paths[index as usize];
                path.is_down = true;
                path.down_at = now;
                path.since = now;
                self.begin_episode(index, now);
                self.set_timer(index);
            }
        }
    }

    pub(crate) fn begin_episode(&mut self, index: u32, now: Time) {
        self.end_episode(index, now);
        let path = &mut self.paths[index as usize];
        let is_control = matches!(path.of, Traced::Control(_));
        if self.blind[path.family] && !is_control {
            return;
        }
        path.sweep = None;
        let mut episode = Episode::new(now);
        if self.active >= MOST_ACTIVE {
            episode.is_queued = true;
            episode.next_at = Time::NEVER;
            self.queued.push_back(index);
        } else {
            self.active += 1;
            episode.next_at = now.max(self.next_begin);
            self.next_begin = episode.next_at + APART;
        }
        path.episode = Some(Box::new(episode));
    }

    pub(crate) fn end_episode(&mut self, index: u32, now: Time) {
        let Some(episode) = self.paths[index as usize].episode.take() else { return };
        if episode.is_queued {
            self.queued.retain(|queued| *queued != index);
            return;
        }
        self.active -= 1;
        while let Some(next) = self.queued.pop_front() {
            if let Some(episode) = &mut self.paths[next as usize].episode {
                episode.is_queued = false;
                episode.started = now;
                episode.next_at = now.max(self.next_begin);
                self.next_begin = episode.next_at + APART;
                self.active += 1;
                self.set_timer(next);
                break;
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

    /// The next sweep of a path in doubt.
    pub(crate) fn doubt_sweep(&mut self, index: u32, now: Time) {
        let most = self.settings.most_probes;
        let mut hops = self.hops_in_doubt(index, now);
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
                sent += usize::from(!ask.is_shared);
                asks.push(ask);
            }
        }
        self.ask_control(index, now);
        let interval = self.settings.doubt_interval;
        if let Some(episode) = &mut self.paths[index as usize].episode {
            episode.is_whole = false;
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

    /// Takes in what a sweep in doubt has found.
    pub(crate) fn close_doubt_sweep(&mut self, index: u32, sweep: &Sweep, now: Time) {
        let path = &mut self.paths[index as usize];
        let at = sweep.started;
        let slot = sweep.slot;
        let repeats = |router: RouterId, hop_limit: u8| {
            sweep
                .asks
                .iter()
                .any(|ask| ask.hop_limit != hop_limit && ask.found == Found::Hop(router))
        };
        // A loop lies behind the farthest of its routers.
        let is_loop = sweep.asks.iter().any(|ask| match ask.found {
            Found::Hop(router) => {
                repeats(router, ask.hop_limit)
                    && !path.hop(ask.hop_limit).is_some_and(|hop| hop.holds(router))
            }
            _ => false,
        });
        let looped = sweep.asks.iter().filter_map(|ask| match ask.found {
            Found::Hop(router) => path.position(router).filter(|hop| *hop < ask.hop_limit),
            _ => None,
        });
        let looped = looped.max().filter(|_| is_loop);
        let mut seen = Vec::new();
        let mut is_whole = false;
        for ask in &sweep.asks {
            let hop_limit = ask.hop_limit;
            let mut is_seen = false;
            let mut word = None;
            let mut stranger = None;
            match ask.found {
                Found::Pending | Found::Void => continue,
                Found::Silent => {}
                Found::Target => is_whole = true,
                Found::Hop(router) => {
                    let is_here = path.hop(hop_limit).is_some_and(|hop| hop.holds(router));
                    let elsewhere = path.position(router);
                    let loops = is_loop && !is_here;
                    is_seen = is_here || elsewhere.is_none() && !loops;
                    if loops {
                        word = Some((router, Word::Loop));
                    }
                    stranger = elsewhere.filter(|_| !is_seen);
                    if loops && stranger.is_some() {
                        stranger = looped;
                    }
                    if is_seen {
                        seen.push((hop_limit, router));
                    }
                }
                Found::Unreachable(router, code) => {
                    word = Some((router, Word::Unreachable(code)));
                    stranger = path.position(router);
                    is_seen = stranger == Some(hop_limit);
                }
            }
            let Some(episode) = &mut path.episode else { return };
            if let (Found::Hop(router), Some(_)) = (ask.found, stranger) {
                self.routers.turn_back(router, true, now);
            }
            if let Some((router, word)) = word {
                self.routers.turn_back(router, word == Word::Loop, now);
                episode.said = self.routers.address(router).map(|address| (address, word));
            }
            let is_word = word.is_some();
            let observation = Observation { hop_limit, slot, at, is_seen, is_word: false };
            if let Some(hop_limit) = stranger.filter(|hop| *hop != observation.hop_limit) {
                let heard = Observation { hop_limit, is_seen: true, is_word, ..observation };
                episode.observe(heard);
                episode.observe(observation);
            } else {
                episode.observe(Observation { is_word: is_word && is_seen, ..observation });
            }
        }
        // What was turned back without a word got as far as the rest.
        let turned = path.episode.as_ref().and_then(|episode| episode.said);
        let turned = turned.and_then(|(address, _)| self.routers.known(address));
        if let Some(router) = turned.filter(|&router| self.routers.turns_back(router, 2, now)) {
            let position = path.position(router).unwrap_or(0);
            let silent = sweep.asks.iter().filter(|ask| ask.found == Found::Silent);
            let silent = silent.filter(|ask| ask.hop_limit > position && ask.expected != router);
            for _ in silent.filter(|ask| !ask.is_shared) {
                self.routers.charge(router, now);
            }
        }
        for (hop_limit, router) in seen {
            path.hop_mut(hop_limit).push(router);
        }
        if is_whole && let Some(episode) = &mut path.episode {
            episode.forget();
        }
        self.judge(index, now);
    }

    /// What follows from what was heard so far.
    fn judge(&mut self, index: u32, now: Time) {
        let path = &mut self.paths[index as usize];
        let Some(mut episode) = path.episode.take() else { return };
        episode.forget_old(now);
        let latest = if path.is_down { path.down_at - SILENCE } else { Time::NEVER };
        let hops = (1..=path.router_hops()).filter_map(|hop| path.hop(hop));
        let calm: Vec<(u8, u8)> = hops.map(|hop| hop.calm(&self.routers)).collect();
        let (least, greatest) = positions(&calm, &episode.observations, latest, self.settings.odds);
        let heard = (1..=least).rev().find(|hop| episode.has_heard(*hop));
        let first_silent = path.next_answering(greatest, &self.routers);
        let last = heard.unwrap_or(0);
        let is_narrow = path.next_answering(last, &self.routers) == first_silent
            && (!episode.observations.is_empty() || path.router_hops() == 0);
        let interval = Interval { last, first_silent, is_narrow };
        episode.interval = Some(interval);
        let told = self.places.get(&index).map(|told| told.interval);
        let is_change = told.is_some_and(|told| !interval.lies_in(told));
        let sweeps = if is_change { CHANGED_SWEEPS } else { 2 };
        let is_done = path.is_down && is_narrow && episode.sweeps >= sweeps;
        path.episode = Some(episode);
        self.tell(index, now);
        if is_done {
            self.finish(index, now);
        }
    }

    /// No more is asked; what was found is told, however wide it is.
    fn finish(&mut self, index: u32, now: Time) {
        if let Some(episode) = &mut self.paths[index as usize].episode {
            episode.is_done = true;
        }
        self.tell(index, now);
        let is_narrow = |episode: &Episode| episode.interval.is_some_and(|one| one.is_narrow);
        let path = &self.paths[index as usize];
        if path.is_down && path.episode.as_deref().is_some_and(is_narrow) {
            self.adopt(index, now);
        }
        self.end_episode(index, now);
    }

    /// Says where the path breaks, if it is down and that is known, or wide but late.
    fn tell(&mut self, index: u32, now: Time) {
        let path = &self.paths[index as usize];
        let Some(episode) = path.episode.as_ref().filter(|_| path.is_down) else { return };
        let Some(interval) = episode.interval else { return };
        let is_late = now.since(path.down_at) >= TELL_AFTER && episode.sweeps >= TELL_SWEEPS;
        let is_told = match self.places.get(&index) {
            None => interval.is_narrow && episode.sweeps >= 2 || is_late || episode.is_done,
            Some(told) if interval.lies_in(told.interval) => interval.is_narrow,
            Some(_) => interval.is_narrow && episode.sweeps >= CHANGED_SWEEPS,
        };
        if is_told {
            let view = self.view(index, interval, now);
            self.publish(index, view, interval);
        }
    }

    fn publish(&mut self, index: u32, place: PlaceView, interval: Interval) {
        if let Some(told) = self.places.get_mut(&index)
            && told.view.place == place.place
            && told.interval == interval
        {
            // It is dated anew, and told already.
            let found = told.view.found;
            told.view = PlaceView { found, ..place };
            return;
        }
        let path = &self.paths[index as usize];
        self.events.push_back(match path.of {
            Traced::Block(block) => PathEvent::Place { block, place: place.clone() },
            Traced::Control(_) => PathEvent::OwnPlace { family: path.family, place: place.clone() },
        });
        self.places.insert(index, Told { view: place, interval });
    }

    /// Others that are down, and whose paths have the same two hops, break there too.
    fn adopt(&mut self, index: u32, now: Time) {
        let Some(Told { view, .. }) = self.places.get(&index) else { return };
        let (Some(last), Some(silent)) = (&view.last, &view.first_silent) else { return };
        let hop = |hop: &super::HopSeen| {
            self.routers.known(hop.address).map(|router| (hop.hop_limit, router))
        };
        let (Some(last), Some(silent)) = (hop(last), hop(silent)) else { return };
        let is_narrow = true;
        let holds = |path: &super::path::Path, (hop_limit, router): (u8, RouterId)| {
            path.hop(hop_limit).is_some_and(|hop| hop.holds(router))
        };
        let alike = self.paths.iter().enumerate().filter(|(index, path)| {
            path.is_down
                && matches!(path.of, Traced::Block(_))
                && !self.blind[path.family]
                && !self.places.contains_key(&(*index as u32))
                && holds(path, last)
                && path.next_answering(last.0, &self.routers) == Some(silent.0)
                && holds(path, silent)
        });
        let alike: Vec<u32> = alike.map(|(index, _)| index as u32).collect();
        for other in alike {
            let interval = Interval { last: last.0, first_silent: Some(silent.0), is_narrow };
            let view = self.view(other, interval, now);
            self.publish(other, view, interval);
            self.end_episode(other, now);
            self.set_timer(other);
        }
    }
}
