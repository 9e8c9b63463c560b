//! What comes back, and for which paths it counts.

use super::{
    Answer, ProbeOutcome, TraceAnswer, Traced, Tracer, path::Hop, routers::Key, sweep::Found,
};
use lifesign_model::time::Time;

impl Tracer {
    /// Something authentic came back.
    pub fn handle_answer(&mut self, answer: TraceAnswer, now: Time) {
        let TraceAnswer { id, from, answer, at } = answer;
        let Some(open) = self.open.get(&id).filter(|open| open.found == Found::Pending) else {
            return;
        };
        let path = &self.paths[open.path as usize];
        let (index, hop_limit, slot) = (open.path, open.hop_limit, open.slot);
        let (is_control, family) = (matches!(path.of, Traced::Control(_)), path.family);
        let is_target = path.targets.contains(&from);
        let router = self.router(Key::Address(from), now);
        let (outcome, found) = match answer {
            Answer::Reply => (ProbeOutcome::Reply, Found::Target),
            // By any word of its own a target shows that it lives.
            Answer::Unreachable(_) if is_target => (ProbeOutcome::Unreachable, Found::Target),
            Answer::TimeExceeded => (ProbeOutcome::TimeExceeded, Found::Hop(router)),
            Answer::Unreachable(code) => {
                (ProbeOutcome::Unreachable, Found::Unreachable(router, code))
            }
        };
        let is_known = router.is_some() || found == Found::Target;
        let found = if is_known { found } else { Found::Void };
        self.counts[outcome] += 1;
        if found == Found::Target && is_control {
            let controls = &mut self.controls_heard[family];
            controls.heard = controls.heard.max(at);
        }
        self.routers.hear(router, at);
        let sharers = {
            let Some(open) = self.open.get_mut(&id) else { return };
            open.found = found;
            if let Found::Hop(router) | Found::Unreachable(router, _) = found
                && router != open.expected
            {
                // The packet was another router's.
                self.routers.charge(router, now);
                self.routers.give_back(open.expected, now);
            }
            std::mem::take(&mut open.sharers)
        };
        self.deliver(index, hop_limit, slot, found, now);
        for (sharer, slot) in sharers {
            let found = shared(self.paths[sharer as usize].hop(hop_limit), found);
            self.deliver(sharer, hop_limit, slot, found, now);
        }
    }

    /// What was found for one hop of a path's sweep.
    fn deliver(&mut self, index: u32, hop_limit: u8, slot: u32, found: Found, now: Time) {
        let path = &mut self.paths[index as usize];
        let sweep = path.sweep.as_mut().filter(|sweep| sweep.slot == slot);
        if let Some(sweep) = sweep {
            if let Some(ask) = sweep.ask_mut(hop_limit) {
                ask.found = found;
            }
            if sweep.is_complete() {
                sweep.close_at = now;
                self.set_timer(index);
            }
        } else if let (Some(episode), Found::Hop(router)) = (path.episode.as_mut(), found)
            && path.hops.get(usize::from(hop_limit) - 1).is_some_and(|hop| hop.holds(router))
        {
            episode.correct(slot, hop_limit);
        }
    }

    /// A probe was not sent after all: it is no evidence.
    pub fn handle_not_sent(&mut self, id: u64, now: Time) {
        let Some(open) = self.open.remove(&id).filter(|open| open.found == Found::Pending) else {
            return;
        };
        self.counts[ProbeOutcome::NotSent] += 1;
        self.routers.give_back(open.expected, now);
        self.deliver(open.path, open.hop_limit, open.slot, Found::Void, now);
        for (sharer, slot) in open.sharers {
            self.deliver(sharer, open.hop_limit, slot, Found::Void, now);
        }
    }
}

/// What another path's answer at the same hop means for this one.
pub(crate) fn shared(hop: Option<&Hop>, found: Found) -> Found {
    match found {
        Found::Hop(router) if hop.is_some_and(|hop| hop.holds(router)) => found,
        Found::Pending | Found::Silent => found,
        _ => Found::Void,
    }
}
