//! What sweeps in doubt have found, and what is told of it.

use super::{
    HopSeen, PathEvent, Place, PlaceView, Traced, Tracer, Word,
    episode::{Episode, Interval, Observation},
    evidence::positions,
    path::Path,
    routers::RouterId,
    sweep::{Ask, Found, Sweep},
    tracer::Told,
};
use lifesign_model::time::Time;
use std::time::Duration;

/// A place that is still wide so long after `down`, and after so many sweeps, is told as it is.
const TELL_AFTER: Duration = Duration::from_secs(4);
const TELL_SWEEPS: u8 = 4;
/// What was told is changed after so many sweeps: when a path is whole again, the judge needs a
/// moment to see it.
const CHANGED_SWEEPS: u8 = 8;
/// When the judge says `down` the path has been broken for so long at least; the silence may have
/// begun before, by chance.
const SILENCE: Duration = Duration::from_secs(1);

impl Tracer {
    /// Takes in what a sweep in doubt has found.
    pub(crate) fn close_doubt_sweep(&mut self, index: u32, sweep: &Sweep, now: Time) {
        let path = &mut self.paths[index as usize];
        let is_learning = path.length == 0;
        if is_learning && learn_order(path, sweep) {
            // Nothing lies behind that could be found.
            if let Some(episode) = &mut path.episode {
                episode.explored = u8::MAX;
            }
        }
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
            let by = ask.by;
            let observation = Observation { hop_limit, slot, by, at, is_seen, is_word: false };
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
            for _ in silent.filter(|ask| ask.by == index) {
                self.routers.charge(router, now);
            }
        }
        if !is_learning {
            for (hop_limit, router) in seen {
                path.hop_mut(hop_limit).push(router);
            }
        }
        if is_whole && let Some(episode) = &mut path.episode {
            episode.forget();
        }
        self.judge(index, now);
    }

    /// What follows from what was heard so far.
    pub(crate) fn judge(&mut self, index: u32, now: Time) {
        let is_explored = self.unexplored(index).is_empty();
        let path = &mut self.paths[index as usize];
        let Some(mut episode) = path.episode.take() else { return };
        episode.forget_old(now);
        let latest = if path.is_down { path.down_at - SILENCE } else { Time::NEVER };
        // What another path's probes say of this one, they say if both are down.
        let path = &self.paths[index as usize];
        let counts = |one: &&Observation| {
            let other = self.paths.get(one.by as usize);
            one.by == index || !path.is_down || other.is_some_and(|other| other.is_down)
        };
        let observations: Vec<Observation> =
            episode.observations.iter().filter(counts).copied().collect();
        let hops = (1..=path.router_hops()).filter_map(|hop| path.hop(hop));
        let calm: Vec<(u8, u8)> = hops.map(|hop| hop.calm(&self.routers)).collect();
        let (least, greatest) = positions(&calm, &observations, latest, self.settings.odds);
        let heard = (1..=least)
            .rev()
            .find(|hop| observations.iter().any(|one| one.hop_limit == *hop && one.is_seen));
        let first_silent = path.next_answering(greatest, &self.routers);
        let last = heard.unwrap_or(0);
        let is_narrow = path.next_answering(last, &self.routers) == first_silent
            && (!observations.is_empty() || path.length == 1)
            && (first_silent.is_some() || is_explored);
        let interval = Interval { last, first_silent, is_narrow };
        episode.interval = Some(interval);
        let told = self.places.get(&index).map(|told| told.interval);
        let is_change = told.is_some_and(|told| !interval.lies_in(told));
        let sweeps = if is_change { CHANGED_SWEEPS } else { 2 };
        let is_done = path.is_down && is_narrow && episode.sweeps >= sweeps;
        self.paths[index as usize].episode = Some(episode);
        self.tell(index, now);
        if is_done {
            self.finish(index, now);
        }
    }

    /// No more is asked; what was found is told, however wide it is.
    pub(crate) fn finish(&mut self, index: u32, now: Time) {
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
        if !is_told {
            return;
        }
        let view = self.view(index, interval, now);
        // Of a path that is not known there is nothing to say.
        if view.place != Place::Unknown || view.last.is_some() || view.said.is_some() {
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
        let hop =
            |hop: &HopSeen| self.routers.known(hop.address).map(|router| (hop.hop_limit, router));
        let (Some(last), Some(silent)) = (hop(last), hop(silent)) else { return };
        let is_narrow = true;
        let holds = |path: &Path, (hop_limit, router): (u8, RouterId)| {
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

/// Of a path that nobody knows yet, a router is where it is heard first, up to where packets turn
/// back to one that was heard before. True if they do.
fn learn_order(path: &mut Path, sweep: &Sweep) -> bool {
    let mut asks: Vec<&Ask> = sweep.asks.iter().collect();
    asks.sort_by_key(|ask| ask.hop_limit);
    for ask in asks {
        let Found::Hop(router) = ask.found else { continue };
        match path.position(router) {
            None => path.hop_mut(ask.hop_limit).push(router),
            Some(at) if at < ask.hop_limit => return true,
            Some(_) => {}
        }
    }
    false
}
