//! From episodes to incidents.
//!
//! 1. Darknesses less than an hour apart belong together. Where there are three of them, or the
//!    scope was found to be flapping, they are one unstable phase, from the begin of the first to
//!    the end of the last: the calm after which a verdict is no longer flapping belongs to no
//!    trouble. One or two stand each for itself.
//! 2. A long darkness is a phase of its own, whatever was before it: one of an hour, or of ten
//!    minutes if that is four times as long as those before it.
//! 3. Phases less than a day apart are one incident; between them the scope was up.
//! 4. What a block or network shared with its country is told with the country alone.

use crate::{Episode, Incident, Phase, PhaseKind, middle};
use lifesign_core::{
    judge::{Edge, State},
    scopes::Level,
    time::Time,
};
use std::{collections::BTreeMap, time::Duration};

/// A scope that has been well for so long is in no incident any more.
pub const WELL_AFTER: Duration = Duration::from_secs(86_400);
/// Darknesses that are further apart do not belong together: so long a flapping's calm lasts at
/// most (docs/verdicts.md).
const TOGETHER: Duration = Duration::from_secs(3600);
/// So many darknesses that belong together are an instability.
const SERIES: u32 = 3;
/// A darkness of this length stands for itself.
const LONG: Duration = Duration::from_secs(3600);
/// So does one of this length that is so many times as long as those before it.
const LONG_BESIDE: Duration = Duration::from_secs(600);
const TIMES_AS_LONG: u32 = 4;
/// A block's edges lie this close to those of its country, if it only shared its fate: within the
/// time in which a return is told more closely.
const SHARED: Duration = Duration::from_secs(120);

/// A darkness that is an episode, or several in a flapping.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    state: State,
    begin: Edge,
    end: Option<Edge>,
    darknesses: u32,
    dark: Duration,
    unseen: Duration,
    /// It came back, and is only counted as flapping.
    is_light: bool,
}

/// The incidents in these episodes of any scopes, by when they began. What is open has been observed
/// up to `now`.
pub fn fold(episodes: &[Episode], now: Time) -> Vec<Incident> {
    let mut scopes: BTreeMap<(&str, &str), Vec<&Episode>> = BTreeMap::new();
    for episode in episodes {
        scopes.entry((&episode.country, &episode.scope)).or_default().push(episode);
    }
    let phases_of = |episodes: &[&Episode], of_country: &[Phase]| {
        let mut all = troubles(episodes, now);
        all.retain(|trouble| !beside(trouble, of_country).any(|phase| is_shared(trouble, phase)));
        bad_phases(&all, now)
    };
    let mut of_country: BTreeMap<&str, Vec<Phase>> = BTreeMap::new();
    for ((country, _), episodes) in &scopes {
        if episodes.first().is_some_and(|first| first.full_name().level() == Level::Country) {
            of_country.insert(country, phases_of(episodes, &[]));
        }
    }
    let mut incidents = Vec::new();
    for ((country, scope), episodes) in &scopes {
        let above = of_country.get(country).map_or(&[][..], Vec::as_slice);
        let phases = if country == scope { above.to_vec() } else { phases_of(episodes, above) };
        let phases = by_incident(phases, now);
        incidents.extend(phases.into_iter().map(|(phases, is_over)| Incident {
            scope: (*scope).to_owned(),
            country: (*country).to_owned(),
            phases,
            is_over,
        }));
    }
    incidents.sort_by_key(|incident| incident.begin().latest);
    incidents
}

/// The darknesses and flappings, by when they began.
fn troubles(episodes: &[&Episode], now: Time) -> Vec<Trouble> {
    let dark = |episode: &&&Episode| matches!(episode.state, State::Down | State::Outage);
    let mut all: Vec<Trouble> = episodes
        .iter()
        .filter(dark)
        .map(|episode| Trouble {
            state: episode.state,
            begin: episode.begin,
            end: episode.end,
            darknesses: 1,
            dark: episode.length(now).0,
            unseen: episode.unseen,
            is_light: false,
        })
        .collect();
    // After a darkness that is an episode it was only counted as flapping.
    let is_light = |episode: &Episode| {
        let begin = episode.begin.latest;
        let follows = |trouble: &Trouble| trouble.end.is_some_and(|end| end.latest == begin);
        episode.darknesses.count == 0 && all.iter().any(follows)
    };
    let flapping: Vec<Trouble> = episodes
        .iter()
        .filter(|episode| episode.state == State::Flapping)
        .map(|episode| Trouble {
            state: State::Flapping,
            begin: episode.begin,
            end: episode.end.map(|end| episode.darknesses.last_end.unwrap_or(end)),
            darknesses: episode.darknesses.count,
            dark: episode.darknesses.length,
            unseen: episode.unseen,
            is_light: is_light(episode),
        })
        // Between two darknesses it was one only by name.
        .filter(|trouble| !trouble.is_light || trouble.end.is_none())
        .collect();
    all.extend(flapping);
    all.sort_by_key(|trouble| (trouble.begin.latest, trouble.end.map_or(Time::NEVER, latest)));
    all
}

fn latest(edge: Edge) -> Time {
    edge.latest
}

/// Of phases, which follow each other, those that are not too early or too late for it.
fn beside<'a>(trouble: &Trouble, of_country: &'a [Phase]) -> impl Iterator<Item = &'a Phase> {
    let begin = trouble.begin.latest + TOGETHER;
    let end = trouble.ends();
    let until = of_country.partition_point(|phase| phase.begin.latest <= begin);
    let ends_late = move |phase: &&Phase| phase.end.is_none_or(|it| end <= it.latest + TOGETHER);
    of_country[..until].iter().rev().take_while(ends_late)
}

/// Did the scope only share this with its country? What it had of its own within an hour of its
/// country's instability belongs to that.
fn is_shared(trouble: &Trouble, of_country: &Phase) -> bool {
    let beside = if of_country.kind == PhaseKind::Unstable { TOGETHER } else { SHARED };
    of_country.begin.latest <= trouble.begin.latest + beside
        && of_country.end.is_none_or(|end| trouble.ends() <= end.latest + beside)
}

impl Trouble {
    fn ends(&self) -> Time {
        self.end.map_or(Time::NEVER, latest)
    }

    /// How long one darkness of it was.
    fn typical(&self) -> Duration {
        self.dark / self.darknesses.max(1)
    }

    /// Does it stand for itself after these?
    fn is_long(&self, before: &[Trouble]) -> bool {
        let typical = before.iter().map(Trouble::typical).max().unwrap_or_default();
        self.state != State::Flapping
            && (self.dark >= LONG
                || self.dark >= LONG_BESIDE && self.dark >= typical * TIMES_AS_LONG)
    }

    fn phase(&self) -> Phase {
        Phase {
            kind: match self.state {
                State::Down => PhaseKind::Down,
                State::Flapping => PhaseKind::Unstable,
                _ => PhaseKind::Outage,
            },
            begin: self.begin,
            end: self.end,
            darknesses: self.darknesses,
            dark: self.dark,
            unseen: self.unseen,
        }
    }
}

/// The bad phases that these troubles make.
fn bad_phases(troubles: &[Trouble], now: Time) -> Vec<Phase> {
    let mut phases = Vec::new();
    let mut series: Vec<Trouble> = Vec::new();
    for trouble in troubles {
        // After a long darkness it is up, unless it goes dark again.
        if trouble.is_light && series.is_empty() {
            continue;
        }
        let last_end = series.iter().map(Trouble::ends).max();
        let is_apart = last_end.is_some_and(|end| trouble.begin.latest.since(end) >= TOGETHER);
        let is_long = trouble.is_long(&series);
        if is_apart || is_long {
            phases.extend(phases_of_series(&std::mem::take(&mut series), now));
        }
        if is_long {
            phases.push(trouble.phase());
        } else {
            series.push(*trouble);
        }
    }
    phases.extend(phases_of_series(&series, now));
    phases
}

/// What belongs together: one unstable phase, or a phase for each darkness.
fn phases_of_series(series: &[Trouble], now: Time) -> Vec<Phase> {
    let darknesses: u32 = series.iter().map(|trouble| trouble.darknesses).sum();
    let flaps = series.iter().any(|trouble| trouble.state == State::Flapping);
    let Some(first) = series.iter().min_by_key(|trouble| middle(trouble.begin).0) else {
        return Vec::new();
    };
    if darknesses < SERIES && !flaps {
        return series.iter().map(Trouble::phase).collect();
    }
    let last = series.iter().max_by_key(|trouble| trouble.ends());
    let end = last.and_then(|last| last.end);
    let begin = first.begin;
    // Of an episode that was found later, the darknesses before it may be told twice.
    let longest = end.map_or(now, latest).since(begin.latest);
    vec![Phase {
        kind: PhaseKind::Unstable,
        begin,
        end,
        darknesses,
        dark: series.iter().map(|trouble| trouble.dark).sum::<Duration>().min(longest),
        unseen: series.iter().map(|trouble| trouble.unseen).sum(),
    }]
}

/// Groups bad phases to incidents, with what lies between them; and says of each whether it is over.
fn by_incident(bad: Vec<Phase>, now: Time) -> Vec<(Vec<Phase>, bool)> {
    let mut incidents: Vec<(Vec<Phase>, bool)> = Vec::new();
    for phase in bad {
        let last_end = incidents.last().and_then(|(phases, _)| phases.last()?.end);
        match (incidents.last_mut(), last_end) {
            (Some((phases, _)), Some(end)) if phase.begin.latest.since(end.latest) < WELL_AFTER => {
                if phase.begin.latest > end.latest {
                    phases.push(up(end, Some(phase.begin)));
                }
                phases.push(phase);
            }
            _ => incidents.push((vec![phase], true)),
        }
    }
    if let Some((phases, is_over)) = incidents.last_mut() {
        match phases.last().and_then(|last| last.end) {
            None => *is_over = false,
            Some(end) if now.since(end.latest) < WELL_AFTER => {
                phases.push(up(end, None));
                *is_over = false;
            }
            Some(_) => {}
        }
    }
    incidents
}

fn up(begin: Edge, end: Option<Edge>) -> Phase {
    Phase {
        kind: PhaseKind::Up,
        begin,
        end,
        darknesses: 0,
        dark: Duration::ZERO,
        unseen: Duration::ZERO,
    }
}
