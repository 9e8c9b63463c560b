//! From episodes to incidents.
//!
//! 1. Darknesses belong together that are less than an hour apart, not counting what nobody saw,
//!    and less than two hours by the clock.
//! 2. Among these a long one is a phase of its own: one of an hour, or of ten minutes if that is
//!    four times as long as those next to it.
//! 3. What is left between them is one unstable phase where there are three darknesses or more, or
//!    it was found to be flapping and went dark more than once; from the begin of the first to the
//!    end of the last: the calm after which a verdict is no longer flapping belongs to no trouble.
//!    One or two stand each for itself.
//! 4. Phases less than a day apart are one incident; between them the scope was up. Of that day,
//!    what nobody saw does not count. One that ended because nobody watched any more is the last.
//! 5. What a block or network shared with its country is told with the country alone: what lies in
//!    a phase in which the country was dark too. It is told again only between what the block had
//!    of its own: in between it was not up.

use crate::{
    Episode, Incident, Period, Phase, PhaseKind, Span, Unseen, UnseenByScope, middle,
    trouble::{Trouble, troubles},
};
use lifesign_core::{
    judge::{Edge, State},
    time::Time,
};
use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

/// A scope that has been seen to be well for so long is in no incident any more.
pub const WELL_AFTER: Duration = Duration::from_secs(86_400);
/// Darknesses that are further apart do not belong together: so long a flapping's calm lasts at
/// most (docs/verdicts.md).
const SAME_TROUBLE_WITHIN: Duration = Duration::from_secs(3600);
/// The same by the clock: the judge takes what is further apart for no series.
const SAME_SERIES_WITHIN: Duration = Duration::from_secs(2 * 3600);
/// So many darknesses that belong together are an instability.
const SERIES: u32 = 3;
/// A block's edges lie this close to those of its country, if it only shared its fate: within the
/// time in which a return is narrowed down.
const SHARED: Duration = Duration::from_secs(120);

/// The incidents in these episodes of any scopes, by when they began, where nobody watched in these
/// periods. What is open has been observed up to `now`.
pub fn fold(episodes: &[Episode], unwatched: &[Period], now: Time) -> Vec<Incident> {
    let unseen = UnseenByScope::new(episodes, unwatched, now);
    let mut scopes: BTreeMap<(&str, &str), Vec<&Episode>> = BTreeMap::new();
    for episode in episodes {
        scopes.entry((&episode.country, &episode.scope)).or_default().push(episode);
    }
    let phases_of = |episodes: &[&Episode], of_country: &[Phase], unseen: &Unseen| {
        let mut all = troubles(episodes, unseen, now);
        for trouble in &mut all {
            trouble.is_shared = is_shared(trouble, of_country);
        }
        own_phases(&bad_phases(&all, unseen, now), unseen)
    };
    let mut of_country: BTreeMap<&str, Vec<Phase>> = BTreeMap::new();
    for ((country, _), episodes) in &scopes {
        if episodes.first().is_some_and(|first| first.is_of_country()) {
            of_country.insert(country, phases_of(episodes, &[], unseen.of_country(country)));
        }
    }
    let mut incidents = Vec::new();
    for ((country, scope), episodes) in &scopes {
        let above = of_country.get(country).map_or(&[][..], Vec::as_slice);
        let unseen = &*unseen.of(country, scope);
        let is_country = country == scope;
        let phases = if is_country { above.to_vec() } else { phases_of(episodes, above, unseen) };
        let incident = |phases: Vec<Phase>| {
            let seen_end = phases.iter().rfind(|phase| phase.is_bad()).and_then(seen_end);
            Incident {
                scope: (*scope).to_owned(),
                country: (*country).to_owned(),
                is_over: phases.last().is_some_and(|last| last.is_bad() && last.end.is_some()),
                well_at: seen_end.map(|end| unseen.seen_for(WELL_AFTER, end.latest)),
                phases,
            }
        };
        incidents.extend(by_incident(phases, unseen, now).into_iter().map(incident));
    }
    incidents.sort_by_key(|incident| incident.begin().latest);
    incidents
}

/// Did the scope only share this with its country, of which these are the bad phases?
fn is_shared(trouble: &Trouble, of_country: &[Phase]) -> bool {
    let begin = trouble.begin.latest + SHARED;
    let until = of_country.partition_point(|phase| phase.begin.latest <= begin);
    let ends_late =
        |phase: &Phase| phase.end.is_none_or(|end| trouble.ends() <= end.latest + SHARED);
    of_country[..until].last().is_some_and(ends_late)
}

/// Of the phases of a scope, each with whether it only shared it with its country, those that are
/// told with it: of an incident all from the first to the last that it had of its own.
fn own_phases(phases: &[(Phase, bool)], unseen: &Unseen) -> Vec<Phase> {
    let mut own = Vec::new();
    for incident in phases.chunk_by(|(before, _), (after, _)| {
        seen_end(before).is_some_and(|end| is_soon(after, end, unseen))
    }) {
        let is_own = |(_, is_shared): &(Phase, bool)| !is_shared;
        let first = incident.iter().position(is_own).unwrap_or(incident.len());
        let after = incident.iter().rposition(is_own).map_or(first, |last| last + 1);
        own.extend(incident[first..after].iter().map(|(phase, _)| phase.clone()));
    }
    own
}

/// The bad phases that these troubles make, which are in the order in which they began, each with
/// whether the scope only shared it with its country.
fn bad_phases(troubles: &[Trouble], unseen: &Unseen, now: Time) -> Vec<(Phase, bool)> {
    let mut phases = Vec::new();
    for group in together(troubles, unseen) {
        let mut run: Vec<Trouble> = Vec::new();
        for (at, trouble) in group.iter().enumerate() {
            if trouble.is_long(&group[..at], &group[at + 1..]) {
                phases.extend(phases_of_run(&std::mem::take(&mut run), unseen, now));
                phases.push((trouble.phase(now), trouble.is_shared));
            } else if !trouble.is_light || !run.is_empty() {
                // After a long darkness it is up, unless it goes dark again.
                run.push(*trouble);
            }
        }
        phases.extend(phases_of_run(&run, unseen, now));
    }
    phases
}

/// Those that belong together.
fn together<'a>(troubles: &'a [Trouble], unseen: &Unseen) -> Vec<&'a [Trouble]> {
    let mut groups = Vec::new();
    let mut first = 0;
    let mut last_end = Time::NEVER;
    for (at, trouble) in troubles.iter().enumerate() {
        let until =
            unseen.seen_for(SAME_TROUBLE_WITHIN, last_end).min(last_end + SAME_SERIES_WITHIN);
        if at > first && trouble.begin.latest >= until {
            groups.push(&troubles[first..at]);
            first = at;
        }
        last_end = if at == first { trouble.ends() } else { last_end.max(trouble.ends()) };
    }
    groups.push(&troubles[first..]);
    groups
}

/// What lies between long darknesses: one unstable phase, or a phase for each darkness.
fn phases_of_run(run: &[Trouble], unseen: &Unseen, now: Time) -> Vec<(Phase, bool)> {
    let counted: u32 = run.iter().map(Trouble::count).fold(0, u32::saturating_add);
    let without_return = run.windows(2).filter(|pair| pair[1].follows_at_once(&pair[0])).count();
    let darknesses = counted.saturating_sub(without_return as u32);
    // After one darkness it is up, as after a long one.
    let told = run.iter().filter(|trouble| darknesses != 1 || !trouble.is_light);
    let each = || told.clone().map(|trouble| (trouble.phase(now), trouble.is_shared));
    if darknesses < SERIES && each().all(|(phase, _)| phase.kind != PhaseKind::Unstable) {
        return each().collect();
    }
    let Some(begin) = run.iter().map(|trouble| trouble.begin).min_by_key(|&edge| middle(edge))
    else {
        return Vec::new();
    };
    let last = run.iter().max_by_key(|trouble| trouble.ends());
    let end = last.and_then(|last| last.end);
    let sum = |length: fn(&Trouble) -> Duration| {
        run.iter().map(length).fold(Duration::ZERO, Duration::saturating_add)
    };
    let dark_unseen = sum(|trouble| trouble.dark_unseen);
    let whole = Trouble {
        state: State::Flapping,
        begin,
        end,
        is_left: last.is_some_and(|last| last.is_left),
        darknesses: NonZeroU32::new(darknesses),
        dark: sum(|trouble| trouble.dark),
        surely_dark: Duration::ZERO,
        unseen: unseen.in_span(Span { begin, end }, now).max(dark_unseen),
        dark_unseen,
        is_light: false,
        is_shared: run.iter().all(|trouble| trouble.is_shared),
    };
    vec![(whole.phase(now), whole.is_shared)]
}

/// Groups bad phases to incidents, with what lies between them, and after them as long as it has
/// not been seen to be well for a day.
fn by_incident(bad: Vec<Phase>, unseen: &Unseen, now: Time) -> Vec<Vec<Phase>> {
    let up = |begin, end| up(Span { begin, end }, unseen, now);
    let mut incidents: Vec<Vec<Phase>> = Vec::new();
    for phase in bad {
        let last = incidents.last_mut();
        match last.and_then(|phases| Some((seen_end(phases.last()?)?, phases))) {
            Some((end, phases)) if is_soon(&phase, end, unseen) => {
                if phase.begin.latest > end.latest {
                    phases.push(up(end, Some(phase.begin)));
                }
                phases.push(phase);
            }
            _ => incidents.push(vec![phase]),
        }
    }
    if let Some(phases) = incidents.last_mut()
        && let Some(end) = phases.last().and_then(seen_end)
        && unseen.seen_for(WELL_AFTER, end.latest) > now
    {
        phases.push(up(end, None));
    }
    incidents
}

/// When it ended; None if it goes on, or nobody saw what came after it.
fn seen_end(phase: &Phase) -> Option<Edge> {
    phase.end.filter(|_| !phase.is_left)
}

/// Does it belong to the incident whose last phase ended then?
fn is_soon(phase: &Phase, end: Edge, unseen: &Unseen) -> bool {
    phase.begin.latest < unseen.seen_for(WELL_AFTER, end.latest)
}

fn up(span: Span, unseen: &Unseen, now: Time) -> Phase {
    Phase {
        kind: PhaseKind::Up,
        begin: span.begin,
        end: span.end,
        darknesses: 0,
        dark: Duration::ZERO,
        unseen: unseen.in_span(span, now),
        dark_unseen: Duration::ZERO,
        is_left: false,
    }
}
