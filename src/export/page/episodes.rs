//! Bad times, as a table. In: spells of a country and its blocks. Out: the newest first, each with its edge and its
//! length. It never lists what was merely up, and a block's spell not where its country had the same.

use super::{View, strip, words};
use crate::{
    clock::Time,
    judge::State,
    target::Country,
    watch::{KEPT, Past, Spell},
};
use maud::{Markup, html};
use std::time::Duration;

/// More rows than this help nobody.
const MOST: usize = 40;
/// A spell of a block that begins so near to one of its country is the same event.
const SAME: Duration = Duration::from_secs(60);

/// A spell, and whose.
struct Row<'a> {
    name: String,
    spell: &'a Spell,
    end: Time,
}

/// The table of a country; a sentence if there is nothing in it.
pub(super) fn of(view: &View, country: &Country, past: &Past) -> Markup {
    let snapshot = view.snapshot;
    let own = bad(past, snapshot.time);
    let mut rows: Vec<Row> = own.iter().map(|&(spell, end)| row(country.code.clone(), spell, end)).collect();
    for number in country.blocks.clone() {
        let block = &snapshot.roster.blocks[number as usize];
        let past = &snapshot.blocks[number as usize].scope.past;
        let alone = |spell: &Spell| {
            let near = |one: Time, other: Time| one.since(other).max(other.since(one)) <= SAME;
            !own.iter().any(|(known, _)| known.state == spell.state && near(known.from, spell.from))
        };
        let alone = bad(past, snapshot.time).into_iter().filter(|(spell, _)| alone(spell));
        rows.extend(alone.map(|(spell, end)| row(block.prefix.to_string(), spell, end)));
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.spell.from));
    let surplus = rows.len().saturating_sub(MOST);
    html! {
        h3 { "Episodes of the last 7 days" }
        @if rows.is_empty() { p.quiet { "None." } }
        @else {
            table.episodes {
                thead { tr { @for title in ["scope", "state", "began (UTC)", "lasted", "ended (UTC)"] { th scope="col" { (title) } } } }
                tbody { @for row in rows.iter().take(MOST) { (written(view, row)) } }
            }
            @if surplus > 0 { p.quiet { "And " (surplus) " before." } }
        }
    }
}

fn row(name: String, spell: &Spell, end: Time) -> Row<'_> {
    Row { name, spell, end }
}

/// The spells that were neither up nor the first moments of a watch, and when each ended.
fn bad(past: &Past, now: Time) -> Vec<(&Spell, Time)> {
    let first = past.spells().next().filter(|first| first.state == State::Unknown).map(|first| first.from);
    strip::spells(past, now, KEPT)
        .filter(|(spell, ..)| spell.state != State::Up && Some(spell.from) != first)
        .map(|(spell, _, end)| (spell, end))
        .collect()
}

fn written(view: &View, row: &Row) -> Markup {
    let Row { name, spell, end } = row;
    let over = *end < view.snapshot.time;
    html! {
        tr {
            th scope="row" { (name) }
            td { (words::badge(spell.state)) }
            td { (view.edge(spell.edge)) }
            td { (words::span(end.since(spell.from))) }
            td { @if over { (view.time(*end)) } @else { "goes on" } }
        }
    }
}
