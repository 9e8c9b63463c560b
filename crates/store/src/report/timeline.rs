//! The report's timeline: a strip for each scope, as on a page.

use super::{ReportData, tables::MOST_PARTS};
use crate::watched;
use lifesign_incident::{Period, Timeline};
use lifesign_page::{StripSize, strip};
use maud::{Markup, html};

/// The country's strip with the axis of time, and those of its parts below it.
pub(super) fn timeline(data: &ReportData, scopes: &[&str]) -> Markup {
    let watched = watched(&data.runs, data.until);
    html! {
        div.lanes {
            @for &scope in scopes.iter().take(MOST_PARTS + 1) {
                @let is_whole = scope == data.country;
                @let size = if is_whole { StripSize::Large } else { StripSize::Titled };
                span { (data.network_name(scope).unwrap_or(scope)) }
                (strip(&data.columns, &states(data, &watched, scope), size))
            }
        }
        @if let Some(more) = scopes.len().checked_sub(MOST_PARTS + 1).filter(|&more| more > 0) {
            p { "And " (more) " more." }
        }
    }
}

fn states(data: &ReportData, watched: &[Period], scope: &str) -> Timeline {
    let episodes = data.episodes.iter().filter(|episode| episode.tells_of(scope, &data.country));
    Timeline::seen(watched, episodes, data.observed_until)
}
