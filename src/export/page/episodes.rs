//! The episodes of a country, its networks and its blocks in the last week, as a table, the newest
//! first. An episode is left out where what the scope lies in had the same.

use super::{PageContext, text, timeline};
use lifesign_core::{
    judge::State,
    scopes::{CountryId, NetworkId, Scope, ScopeId},
    time::Time,
    watch::{HISTORY_LENGTH, History, Snapshot, StateSpan},
};
use maud::{Markup, html};
use std::{collections::BTreeMap, time::Duration};

const MAX_ROWS: usize = 40;

/// An episode that begins so near to one of what the scope lies in, in the same state, is the same.
const SAME_BEGIN: Duration = Duration::from_secs(60);

/// What interrupts flapping for no longer than this is part of the flapping.
const MAX_INTERRUPTION: Duration = Duration::from_secs(1800);

struct Episode<'a> {
    span: &'a StateSpan,
    end: Time,
    /// The outages within flapping: how many, and the longest.
    outages: (u32, Duration),
}

/// The table of a country; a word if there is nothing in it.
pub(super) fn render(context: &PageContext, country: CountryId) -> Markup {
    let snapshot = context.snapshot;
    let roster = &snapshot.roster;
    let of = |id: ScopeId| episodes(&snapshot.scopes[id.index()].history, snapshot.time);
    let networks = roster.country(country).networks.clone().map(|id| Scope::Network(NetworkId(id)));
    let larger: Vec<ScopeId> =
        networks.chain([Scope::Country(country)]).map(|scope| roster.scope_id(scope)).collect();
    let of_larger: BTreeMap<ScopeId, Vec<Episode>> =
        larger.iter().map(|&id| (id, of(id))).collect();
    let is_of_larger = |id: ScopeId, episode: &Episode| {
        std::iter::successors(roster.parent(id), |&id| roster.parent(id))
            .filter_map(|id| of_larger.get(&id))
            .flatten()
            .any(|other| is_same(other.span, episode.span))
    };
    let blocks = roster.country(country).blocks.clone().map(ScopeId);
    let mut rows: Vec<(Scope, Episode)> = Vec::new();
    let mut left_out = 0;
    for id in blocks.chain(larger.iter().copied()) {
        for episode in of(id) {
            if is_of_larger(id, &episode) {
                left_out += 1;
            } else {
                rows.push((roster.scope(id), episode));
            }
        }
    }
    rows.sort_by_key(|(_, episode)| std::cmp::Reverse(episode.span.from));
    let surplus = rows.len().saturating_sub(MAX_ROWS);
    html! {
        h3 { "Episodes of the last 7 days" }
        @if rows.is_empty() { p.quiet { "None." } } @else {
            table.episodes {
                thead { tr { @for title in COLUMNS { th scope="col" { (title) } } } }
                tbody {
                    @for (scope, episode) in rows.iter().take(MAX_ROWS) {
                        (row(context, *scope, episode))
                    }
                }
            }
            @if surplus > 0 { p.quiet { "And " (surplus) " before." } }
            @if left_out > 0 {
                p.quiet {
                    (left_out) " of parts not listed: the whole had the same at the same time."
                }
            }
        }
    }
}

fn is_same(one: &StateSpan, other: &StateSpan) -> bool {
    let distance = one.from.since(other.from).max(other.from.since(one.from));
    one.state == other.state && distance <= SAME_BEGIN
}

const COLUMNS: [&str; 5] = ["scope", "state", "began (UTC)", "lasted", "ended (UTC)"];

/// The states of the week but up, and but the unknown with which a history begins. What shortly
/// interrupts flapping is part of it.
fn episodes(history: &History, now: Time) -> Vec<Episode<'_>> {
    let mut found: Vec<Episode> = Vec::new();
    for (index, (span, _, end)) in timeline::state_spans(history, now, HISTORY_LENGTH).enumerate() {
        if span.state == State::Up || (index == 0 && span.state == State::Unknown) {
            continue;
        }
        found.push(Episode { span, end, outages: (0, Duration::ZERO) });
        if let [.., first, interruption, last] = found.as_mut_slice()
            && (first.span.state, last.span.state) == (State::Flapping, State::Flapping)
            && (first.end, interruption.end) == (interruption.span.from, last.span.from)
            && interruption.end.since(interruption.span.from) <= MAX_INTERRUPTION
        {
            if interruption.span.state == State::Outage {
                let (count, longest) = first.outages;
                let length = interruption.end.since(interruption.span.from);
                first.outages = (count + 1, longest.max(length));
            }
            first.end = last.end;
            found.truncate(found.len() - 2);
        }
    }
    found
}

fn row(context: &PageContext, scope: Scope, episode: &Episode) -> Markup {
    let Episode { span, end, outages: (outages, longest) } = episode;
    let Snapshot { roster, wall_offset, .. } = context.snapshot;
    let begin = wall_offset.written(span.edge.earliest.unwrap_or(span.from));
    let end_written = wall_offset.written(*end);
    let planned = roster.maintenance_of(scope).find(|window| window.overlaps(begin, end_written));
    html! {
        tr {
            th scope="row" { (roster.name_of(scope)) }
            td {
                (text::badge(span.state))
                @if *outages > 0 {
                    span.quiet {
                        " with " (outages) " short outage" @if *outages > 1 { "s" }
                        ", up to " (text::duration(*longest))
                    }
                }
                @if let Some(window) = planned { span.quiet { " " (window.to_string()) } }
            }
            td { (context.edge(span.edge)) }
            td { (text::duration(end.since(span.from))) }
            td { @if *end < context.snapshot.time { (context.time(*end)) } @else { "goes on" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::judge::{Darknesses, Edge};

    #[test]
    fn flapping_is_one_episode_and_a_long_outage_after_it_another() {
        use State::{Flapping, Outage, Unknown, Up};
        let now = Time::from_nanos(1_419_379_200_000_000_000);
        let mut history = History::empty();
        let minutes = |minutes: u32| Duration::from_secs(60) * minutes;
        let states = [
            (Unknown, 1000),
            (Up, 999),
            (Flapping, 600),
            (Outage, 500),
            (Flapping, 490),
            (Outage, 480),
            (Flapping, 465),
            (Outage, 400),
            (Flapping, 340),
            (Up, 100),
            (Outage, 50),
        ];
        for (state, before) in states {
            let from = now - minutes(before);
            history.push_span(StateSpan {
                state,
                from,
                edge: Edge { earliest: None, latest: from },
                darknesses: Darknesses::default(),
            });
        }
        let found = episodes(&history, now);
        let found: Vec<_> = (found.iter())
            .map(|episode| {
                (episode.span.state, episode.end.since(episode.span.from), episode.outages)
            })
            .collect();
        let none = (0, Duration::ZERO);
        let expected = [
            (Flapping, minutes(200), (2, minutes(15))),
            (Outage, minutes(60), none),
            (Flapping, minutes(240), none),
            (Outage, minutes(50), none),
        ];
        assert_eq!(found, expected);
    }
}
