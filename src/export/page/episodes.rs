//! Bad times, as a table. In: spells of a country and its blocks. Out: the newest first, each with
//! its edge and its length. It never lists what was merely up, and a block's spell not where its
//! country had the same.

use super::{View, strip, words};
use lifesign_core::{
    judge::State,
    scopes::Country,
    time::Time,
    watch::{History, KEPT, StateSpan},
};
use maud::{Markup, html};
use std::time::Duration;

/// More rows than this help nobody.
const MOST: usize = 40;
/// A spell of a block that begins so near to one of its country is the same event.
const SAME: Duration = Duration::from_secs(60);

/// Between two spells of flapping, what lasts no longer than this is part of the flapping.
const PART: Duration = Duration::from_secs(1800);

/// A bad time.
struct Episode<'a> {
    spell: &'a StateSpan,
    end: Time,
    /// The outages within flapping: how many, and the longest.
    outages: (u32, Duration),
}

/// The table of a country; a sentence if there is nothing in it.
pub(super) fn of(view: &View, country: &Country, past: &History) -> Markup {
    let snapshot = view.snapshot;
    let own = bad(past, snapshot.time);
    let near = |one: Time, other: Time| one.since(other).max(other.since(one)) <= SAME;
    let known = |episode: &Episode| {
        let same = |known: &Episode| {
            known.spell.state == episode.spell.state && near(known.spell.from, episode.spell.from)
        };
        own.iter().any(same)
    };
    let mut rows = Vec::new();
    for number in country.blocks.clone() {
        let name = snapshot.roster.blocks[number as usize].prefix.to_string();
        let past = &snapshot.blocks[number as usize].scope.past;
        let alone = bad(past, snapshot.time).into_iter().filter(|episode| !known(episode));
        rows.extend(alone.map(|episode| (name.clone(), episode)));
    }
    rows.extend(own.into_iter().map(|episode| (country.code.clone(), episode)));
    rows.sort_by_key(|(_, episode)| std::cmp::Reverse(episode.spell.from));
    let surplus = rows.len().saturating_sub(MOST);
    html! {
        h3 { "Episodes of the last 7 days" }
        @if rows.is_empty() { p.quiet { "None." } } @else {
            table.episodes {
                thead { tr { @for title in COLUMNS { th scope="col" { (title) } } } }
                tbody { @for (name, episode) in rows.iter().take(MOST) { (written(view, name, episode)) } }
            }
            @if surplus > 0 { p.quiet { "And " (surplus) " before." } }
        }
    }
}

const COLUMNS: [&str; 5] = ["scope", "state", "began (UTC)", "lasted", "ended (UTC)"];

/// All of the week but what was up, and the first moments of a watch. What interrupts flapping
/// shortly is part of it.
fn bad(past: &History, now: Time) -> Vec<Episode<'_>> {
    let mut found: Vec<Episode> = Vec::new();
    for (number, (spell, _, end)) in strip::spells(past, now, KEPT).enumerate() {
        if spell.state == State::Up || (number == 0 && spell.state == State::Unknown) {
            continue;
        }
        found.push(Episode { spell, end, outages: (0, Duration::ZERO) });
        if let [.., first, part, last] = found.as_mut_slice()
            && (first.spell.state, last.spell.state) == (State::Flapping, State::Flapping)
            && (first.end, part.end) == (part.spell.from, last.spell.from)
            && part.end.since(part.spell.from) <= PART
        {
            if part.spell.state == State::Outage {
                let longest = first.outages.1.max(part.end.since(part.spell.from));
                first.outages = (first.outages.0 + 1, longest);
            }
            first.end = last.end;
            found.truncate(found.len() - 2);
        }
    }
    found
}

fn written(view: &View, name: &str, episode: &Episode) -> Markup {
    let Episode { spell, end, outages: (outages, longest) } = episode;
    html! {
        tr {
            th scope="row" { (name) }
            td {
                (words::badge(spell.state))
                @if *outages > 0 {
                    span.quiet { " with " (outages) " short outage" @if *outages > 1 { "s" } ", up to " (words::span(*longest)) }
                }
            }
            td { (view.edge(spell.edge)) }
            td { (words::span(end.since(spell.from))) }
            td { @if *end < view.snapshot.time { (view.time(*end)) } @else { "goes on" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::judge::Edge;

    #[test]
    fn flapping_is_one_episode_and_a_long_outage_after_it_another() {
        use State::{Flapping, Outage, Unknown, Up};
        let now = Time::from_nanos(1_419_379_200_000_000_000);
        let mut past = History::blank();
        let minutes = |minutes: u32| Duration::from_secs(60) * minutes;
        let spells = [
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
        for (state, before) in spells {
            let from = now - minutes(before);
            past.tell(StateSpan { state, from, edge: Edge { earliest: None, latest: from } });
        }
        let found = bad(&past, now);
        let found: Vec<_> = (found.iter())
            .map(|episode| {
                (episode.spell.state, episode.end.since(episode.spell.from), episode.outages)
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
