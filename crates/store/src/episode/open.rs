//! The episodes of one scope that are open, and those that a narrower edge may still change.

use lifesign_core::{
    judge::{Darknesses, Edge, State},
    time::Time,
};
use lifesign_incident::Episode;

/// The open episodes of one scope: of a known state, and of unknown, alone or within the other.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenEpisodes {
    pub known: Option<Episode>,
    pub unknown: Option<Episode>,
    /// It became unknown with its country, whose episode that is.
    pub unknown_with_country: bool,
    /// The last return from the dark: a narrower edge of it may still be told.
    recovery: Option<Recovery>,
}

/// A return from the dark, and the episodes that have its edge.
#[derive(Clone, Debug)]
struct Recovery {
    /// The edge's latest time, by the core's clock: the wall clock may be set meanwhile.
    latest: Time,
    /// The one that ended with it, as it was before.
    open: Episode,
    ended: Episode,
    /// The one that began with it, as it was when it began, or once it has ended.
    began: Option<Episode>,
}

impl OpenEpisodes {
    /// Each, and each that may still change.
    pub fn all(&mut self) -> impl Iterator<Item = &mut Episode> {
        let recovery = self.recovery.iter_mut();
        let recovered = recovery
            .flat_map(|each| each.began.iter_mut().chain([&mut each.ended, &mut each.open]));
        recovered.chain(&mut self.known).chain(&mut self.unknown)
    }

    /// Notes that an episode that was open has ended, with an edge of this latest time.
    pub fn note_end(&mut self, open: Episode, episode: Episode, latest: Time) {
        if episode.state.is_dark_or_flapping() {
            self.recovery = Some(Recovery { latest, open, ended: episode, began: None });
        } else if let Some(began) = self.recovery.as_mut().and_then(|each| each.began.as_mut())
            && began.found == episode.found
        {
            *began = episode;
        }
    }

    /// Notes that an episode has begun, with an edge of this latest time.
    pub fn note_begin(&mut self, episode: &Episode, latest: Time) {
        if let Some(recovery) = &mut self.recovery
            && recovery.latest == latest
        {
            recovery.began = Some(episode.clone());
        }
    }

    /// The verdict is unknown from now on. If it was flapping, these darknesses ended in that.
    pub fn pause(&mut self, time: Time, darknesses: Darknesses, changed: &mut Vec<Episode>) {
        if let Some(known) = &mut self.known
            && known.paused.is_none()
        {
            known.pause(time);
            known.darknesses = known.darknesses.then(darknesses);
            changed.push(known.clone());
        }
    }

    /// The darkness that ended with this edge was none: returns when the episode was found that it
    /// was, or the flapping that was found by it.
    pub fn retract(&mut self, edge: Edge, was_none: Darknesses) -> Option<Time> {
        let begin = was_none.first_begin?.latest;
        let is_of_it = |episode: &Episode| {
            matches!(episode.state, State::Down | State::Flapping) && episode.found >= begin
        };
        // Late answers may have moved the begin of a time down beyond when it was found.
        let ended = self.recovery.take_if(|each| {
            each.latest == edge.latest && (each.ended.state == State::Down || is_of_it(&each.ended))
        });
        let none = ended.map(|recovery| recovery.ended);
        let none = none.or_else(|| self.known.take_if(|known| is_of_it(known)));
        none.map(|episode| episode.found)
    }

    /// Narrows the edge in the episodes that have it.
    pub fn narrow(&mut self, edge: Edge, changed: &mut Vec<Episode>) {
        let Some(recovery) = self.recovery.as_mut().filter(|each| each.latest == edge.latest)
        else {
            return;
        };
        let Some(earliest) = edge.earliest else { return };
        let width = edge.latest.since(earliest);
        let narrower = |known: Edge| Edge {
            earliest: known.earliest.max(Some(known.latest - width)),
            latest: known.latest,
        };
        if let Some(end) = recovery.ended.end.map(narrower) {
            recovery.ended = close(recovery.open.clone(), end, changed);
        }
        if let Some(began) = &mut recovery.began {
            let open = self.known.as_mut().filter(|known| known.found == began.found);
            let began = open.unwrap_or(began);
            began.begin = narrower(began.begin);
            changed.push(began.clone());
        }
    }
}

/// Ends an episode with this edge.
pub(super) fn close(mut episode: Episode, edge: Edge, changed: &mut Vec<Episode>) -> Episode {
    episode.close(edge);
    episode.end_stay();
    changed.push(episode.clone());
    episode
}
