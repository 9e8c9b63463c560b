//! What went wrong in a scope: each darkness that is an episode, and the darknesses of a flapping.

use crate::{Episode, Phase, PhaseKind, Span, Unseen};
use lifesign_core::{
    judge::{Darknesses, Edge, State},
    time::Time,
};
use std::{num::NonZeroU32, time::Duration};

/// A darkness of this length stands for itself.
const LONG_ALONE: Duration = Duration::from_secs(3600);
/// So does one of this length that is so many times as long as those next to it: the three before
/// it and the three after it.
const LONG_BESIDE: Duration = Duration::from_secs(600);
const TIMES_AS_LONG: u32 = 4;
const BESIDE: usize = 3;
/// Longer than a flapping is told after its last darkness (docs/verdicts.md).
const LIGHT_FOR: Duration = Duration::from_secs(2 * 3600);

/// A darkness that is an episode, or those of a flapping.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    pub state: State,
    pub begin: Edge,
    pub end: Option<Edge>,
    /// None where nobody counted them.
    pub darknesses: Option<NonZeroU32>,
    pub dark: Duration,
    /// How long it was dark without doubt: without what nobody saw, and what is but between the
    /// sides of an edge.
    pub surely_dark: Duration,
    pub unseen: Duration,
    /// For how long of the time dark nobody could see, as far as that is known.
    pub dark_unseen: Duration,
    /// It came back, and is only counted as flapping.
    pub is_light: bool,
    /// It ended because nobody watched any more.
    pub is_left: bool,
    /// It is told with the country.
    pub is_shared: bool,
}

/// The darknesses and flappings, by when they began.
pub fn troubles(episodes: &[&Episode], unseen: &Unseen, now: Time) -> Vec<Trouble> {
    let dark = episodes.iter().filter(|episode| episode.state.is_dark()).map(|episode| {
        let unseen_of_it = unseen_of(episode, unseen, now);
        Trouble {
            state: episode.state,
            begin: episode.begin,
            end: episode.end,
            darknesses: Some(NonZeroU32::MIN),
            dark: episode.length(now),
            surely_dark: surely_dark(episode, unseen, now),
            unseen: unseen_of_it,
            dark_unseen: unseen_of_it,
            is_light: false,
            is_left: episode.is_left(),
            is_shared: false,
        }
    });
    let mut pieces: Vec<Trouble> = dark.collect();
    pieces.sort_by_key(|trouble| trouble.begin.latest);
    let mut all: Vec<Trouble> = Vec::new();
    for piece in pieces {
        match all.last_mut() {
            Some(last) if last.goes_on_with(&piece) => *last = last.with(&piece, now),
            _ => all.push(piece),
        }
    }
    let flapping = episodes.iter().filter(|episode| episode.state == State::Flapping);
    let flapping: Vec<Trouble> =
        flapping.filter_map(|one| flapping_trouble(one, &all, unseen, now)).collect();
    all.extend(flapping);
    all.sort_by_key(|trouble| (trouble.begin.latest, trouble.ends()));
    all
}

/// For how long of an episode nobody could see: as it says itself, or as is known of all that time.
fn unseen_of(episode: &Episode, unseen: &Unseen, now: Time) -> Duration {
    unseen.in_span(episode.span(), now).max(episode.unseen_by(now))
}

fn surely_dark(episode: &Episode, unseen: &Unseen, now: Time) -> Duration {
    let from = episode.begin.latest;
    let to = episode.end.map_or(now, Edge::start).max(from);
    let uncertain = episode.span().uncertainty();
    // What it says of itself may lie between the sides of an edge too.
    let surely_unseen = episode.unseen_by(now).saturating_sub(uncertain);
    to.since(from).saturating_sub(unseen.within((from, to)).max(surely_unseen))
}

/// The darknesses of a flapping, beside these that are episodes, in the
/// order in which they began. None if it had none of its own.
fn flapping_trouble(
    episode: &Episode,
    dark: &[Trouble],
    unseen: &Unseen,
    now: Time,
) -> Option<Trouble> {
    let Darknesses { count, length, first_begin, last_end } = episode.darknesses;
    let begin = episode.begin.latest;
    let end = episode.end.map_or(Time::NEVER, |end| end.latest);
    let first = dark.partition_point(|trouble| trouble.ends() < begin);
    let after = dark.partition_point(|trouble| trouble.begin.latest <= end);
    let others = dark.get(first..after).unwrap_or_default();
    if first_begin.is_none() && episode.end.is_some() && explains(others, begin, end) {
        return None;
    }
    let ended_with_it = |other: &Trouble| other.end.is_some_and(|end| end.latest == begin);
    let is_light = count == 0 && others.iter().any(ended_with_it);
    // What it is dated from are episodes of their own.
    let dated_from = others.iter().filter_map(|other| other.end).filter(|edge| edge.latest < end);
    let after = dated_from.max_by_key(|edge| edge.latest).unwrap_or(episode.begin);
    let begin = first_begin.unwrap_or(after);
    let ended = episode.end.map(|end| last_end.unwrap_or(end));
    Some(Trouble {
        state: State::Flapping,
        begin,
        end: ended,
        darknesses: NonZeroU32::new(count),
        dark: length,
        surely_dark: Duration::ZERO,
        // What it says itself may lie in the episodes that it is dated from, or after its last
        // darkness.
        unseen: unseen.in_span(Span { begin, end: ended }, now),
        dark_unseen: Duration::ZERO,
        is_light,
        is_left: episode.is_left(),
        is_shared: false,
    })
}

/// Are these all that made it flapping from then to then? Without a darkness it is so for an hour
/// at most; what was longer nobody counted, as when a run was killed.
fn explains(dark: &[Trouble], begin: Time, end: Time) -> bool {
    let ends = [begin].into_iter().chain(dark.iter().map(Trouble::ends));
    let begins = dark.iter().map(|trouble| trouble.begin.latest).chain([end]);
    !dark.is_empty() && ends.zip(begins).all(|(end, begin)| begin.since(end) < LIGHT_FOR)
}

/// Longer than this between two darknesses, nobody knows that they are one.
const LEFT_FOR: Duration = Duration::from_secs(3600);

impl Trouble {
    /// Is this the same darkness? Nobody watched in between, and nobody saw that it had ended.
    fn goes_on_with(&self, next: &Self) -> bool {
        let is_soon = next.begin.latest.since(self.ends()) < LEFT_FOR;
        self.is_left && next.begin.earliest.is_none() && is_soon
    }

    fn with(&self, next: &Self, now: Time) -> Self {
        let gap = next.begin.latest.since(self.ends());
        Self {
            state: if self.state == State::Outage { self.state } else { next.state },
            end: next.end,
            dark: Span { begin: self.begin, end: next.end }.length(now),
            surely_dark: self.surely_dark + next.surely_dark,
            unseen: self.unseen + gap + next.unseen,
            dark_unseen: self.dark_unseen + gap + next.dark_unseen,
            is_left: next.is_left,
            ..*self
        }
    }

    /// Its latest end.
    pub fn ends(&self) -> Time {
        self.end.map_or(Time::NEVER, |end| end.latest)
    }

    /// Did it begin where this darkness ended? It did not come back in between.
    pub fn follows_at_once(&self, before: &Self) -> bool {
        before.state.is_dark() && self.state.is_dark() && before.end == Some(self.begin)
    }

    /// How many darknesses it is, as far as these were counted.
    pub fn count(&self) -> u32 {
        self.darknesses.map_or(0, NonZeroU32::get)
    }

    /// How long each of its darknesses was, as far as they were counted.
    fn lengths(&self) -> impl Iterator<Item = Duration> {
        let count = self.count();
        (0..count).map(move |_| self.dark / count)
    }

    /// Does it stand for itself, between these before it and those after it?
    pub fn is_long(&self, before: &[Self], after: &[Self]) -> bool {
        let surely_dark = self.surely_dark;
        if self.state == State::Flapping || surely_dark < LONG_BESIDE {
            return false;
        }
        let before = before.iter().rev().flat_map(Self::lengths).take(BESIDE);
        let after = after.iter().flat_map(Self::lengths).take(BESIDE);
        let mut beside: Vec<Duration> = before.chain(after).collect();
        beside.sort_unstable();
        let typical = beside.get(beside.len() / 2).copied().unwrap_or_default();
        surely_dark >= LONG_ALONE || surely_dark >= typical * TIMES_AS_LONG
    }

    /// The phase that it is.
    pub fn phase(&self, now: Time) -> Phase {
        let is_one = self.count() == 1 && self.end.is_some();
        let begin = self.begin;
        let end = self.end;
        let length = Span { begin, end }.length(now);
        // One darkness is as long as it is told, between the middles of its edges.
        let (dark, dark_unseen) =
            if is_one { (length, self.unseen) } else { (self.dark, self.dark_unseen) };
        Phase {
            kind: match self.state {
                State::Flapping if !is_one => PhaseKind::Unstable,
                State::Flapping | State::Down => PhaseKind::Down,
                _ => PhaseKind::Outage,
            },
            begin,
            end,
            darknesses: self.count(),
            dark: dark.min(length),
            unseen: self.unseen.min(length),
            dark_unseen: dark_unseen.min(self.unseen).min(dark).min(length),
            is_left: self.is_left,
        }
    }
}
