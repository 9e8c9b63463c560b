//! What is measured of each scope in a minute, as it is kept.

use lifesign_core::{
    judge::State,
    scopes::Level,
    time::Time,
    watch::{RoundTrips, Snapshot, Window},
};

/// In plans of more scopes than this only countries have samples: a block's take 20 MB in a year.
const MAX_SAMPLED_SCOPES: usize = 1000;

/// What was measured of a scope in one minute, or in ten.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The prefix, the country's code, or the code, a slash and the network's name.
    pub scope: String,
    /// The code of the country that the scope is, or lies in.
    pub country: String,
    /// The end of the minute or the ten, on the wall clock.
    pub time: Time,
    /// The verdict at the end of the minute; of ten minutes, the gravest.
    pub state: State,
    /// How many probes were answered or missed.
    pub probes: u64,
    /// Share of these that were missed, 0 to 1.
    pub loss: Option<f64>,
    /// None without an answer. Of ten minutes, the shortest and the longest of theirs, and the
    /// means of their quantiles.
    pub round_trips: Option<RoundTrips>,
}

/// What was measured in the minute before this snapshot, countries first.
pub(super) fn samples(snapshot: &Snapshot) -> Vec<Sample> {
    let roster = &snapshot.roster;
    let time = snapshot.wall_offset.written(snapshot.time);
    let is_small = roster.scope_count() <= MAX_SAMPLED_SCOPES;
    Level::ALL
        .into_iter()
        .rev()
        .filter(|&level| is_small || level == Level::Country)
        .flat_map(|level| roster.scopes().filter(move |scope| scope.level() == level))
        .map(|scope| {
            let view = snapshot.scope(scope);
            Sample {
                scope: roster.full_name_of(scope),
                country: roster.country_of(scope).code.clone(),
                time,
                state: view.verdict.state,
                probes: view.windows[Window::Minute].resolved,
                loss: view.windows[Window::Minute].loss,
                round_trips: view.windows[Window::Minute].round_trips,
            }
        })
        .collect()
}
