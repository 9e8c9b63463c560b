//! The report's first words: what happened, for people who were not there.

use super::{ReportData, SHORTEST};
use lifesign_core::{duration::duration_text, judge::State};
use lifesign_incident::{
    Episode, Incident, middle,
    story::{self, edge_text, length_text, minute_text, time_text},
};
use std::time::Duration;

/// What happened, in a sentence or two.
pub(crate) fn sentence(data: &ReportData) -> String {
    let ReportData { name, observed_until, now, .. } = data;
    let from = match data.vantages() {
        vantage if vantage.is_empty() => String::new(),
        vantage => format!(", seen from {vantage}"),
    };
    let gravest = |incident: &&Incident| (incident.seen_dark(), incident.begin().latest);
    let of_country = data.incidents.iter().filter(|incident| incident.is_of_country());
    let in_time = |incident: &Incident| incident.within((data.since, data.until));
    let incidents: Vec<Incident> = of_country.filter_map(in_time).collect();
    let Some(incident) = incidents.iter().max_by_key(gravest) else {
        return format!("{}{from}.{}", without_incident(data), not_over(data));
    };
    let told = story::sentence(name, incident, *observed_until);
    let there = data.there(incident).unwrap_or_default();
    let unseen: Duration = incident.phases.iter().map(|phase| phase.unseen).sum();
    let unseen = match unseen {
        Duration::ZERO => String::new(),
        unseen => format!(" For {} of this nobody could see.", duration_text(unseen)),
    };
    let planned = incident.planned(&data.episodes).map(|window| format!(" It was {window}."));
    let more = match incidents.len() - 1 {
        0 => String::new(),
        1 => " There was another incident in this time.".into(),
        more => format!(" There were {more} other incidents in this time."),
    };
    let is_open = incident.phases.last().is_some_and(|last| last.is_bad() && last.end.is_none());
    let ends = if is_open && observed_until < now {
        format!(" The record ends at {} UTC.", minute_text(*observed_until, None))
    } else {
        String::new()
    };
    format!("{told}{from}.{ends}{there}{}{unseen}{more}", planned.unwrap_or_default())
}

/// That an incident of the country was not over, though it was not dark in this time.
fn not_over(data: &ReportData) -> String {
    let of_country = |incident: &&Incident| incident.is_of_country();
    let Some(incident) = data.incidents.iter().rfind(of_country) else { return String::new() };
    let begin = middle(incident.begin());
    let (verb, over) = match incident.over_at() {
        Some(over) => ("is not over before", Some(over)),
        None => ("was not over before", incident.was_over_at()),
    };
    let Some(over) = over.map(|over| minute_text(over, Some(begin))) else { return String::new() };
    let begin = minute_text(begin, None);
    format!(
        " The incident that began at {begin} UTC {verb} {over} UTC: it must have been well for a \
         day."
    )
}

/// What is to be said of a country that was never dark.
fn without_incident(data: &ReportData) -> String {
    let name = &data.name;
    if data.episodes.is_empty() && data.measured.is_empty() {
        let watched = duration_text(data.watched());
        return format!(
            "Little is known of {name} in this time: it was watched for {watched}, and what was \
             measured is written each minute"
        );
    }
    let partial = |episode: &&Episode| episode.state == State::Partial;
    let of_country = data.episodes_of(&data.country).filter(partial);
    match of_country.max_by_key(|episode| data.length(episode)) {
        None => match data.unknown() {
            None => match data.unwatched() {
                unwatched if unwatched < SHORTEST => format!("{name} was reachable all this time"),
                _ => format!(
                    "{name} was reachable whenever it was watched in this time, which was for {} \
                     of {}",
                    duration_text(data.watched()),
                    duration_text(data.whole())
                ),
            },
            Some((all, why)) if all + data.unwatched() + SHORTEST >= data.whole() => {
                format!("Nothing was known of {name} in this time: {why}")
            }
            Some((all, why)) => format!(
                "{name} was reachable whenever it could be seen in this time; for {} nothing was \
                 known of it: {why}",
                duration_text(all)
            ),
        },
        Some(episode) => {
            let (from, to) = data.part(episode);
            let is_whole = to.since(from) == episode.length(data.observed_until);
            let (begin, length) = if is_whole {
                let length = length_text(episode.span(), data.observed_until);
                (edge_text(episode.begin), length)
            } else {
                (time_text(from), format!("{} of this time", duration_text(to.since(from))))
            };
            format!("{name} was reachable in part only, at the longest from {begin} for {length}")
        }
    }
}
