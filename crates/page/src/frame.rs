//! What all pages have: head, whence it is seen, foot; and links to other ranges of the past.

use crate::{Page, Past, Query, Range, STYLE, View, refresh_seconds, strip, text};
use lifesign_core::{
    duration::duration_text,
    judge::{State, blind_in_words},
};
use lifesign_incident::story::period_text;
use maud::{DOCTYPE, Markup, html};
use std::time::Duration;

/// A whole page.
pub(crate) fn page(view: &View, title: &str, body: &Markup) -> Markup {
    let View { snapshot, past, site, address, .. } = view;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · lifesign" }
                link rel="stylesheet" href=(address.to(&style_path()));
                link rel="icon" href=(address.to("icon.svg")) type="image/svg+xml";
                @if let Some(path) = feed(view) {
                    link rel="alternate" type="application/atom+xml" href=(path);
                }
            }
            body {
                (strip::patterns(&past.columns))
                @if let Some(story) = site.simulation {
                    aside.simulation aria-label="Simulation" { b { "Simulation" } " " (story) }
                }
                header {
                    p.home { a href=(address.to("")) { "lifesign" } }
                    p {
                        "seen from " b { (site.vantage) } " at " (view.time(snapshot.time)) " UTC"
                        span.quiet { " · watching since " (view.time(snapshot.started)) }
                    }
                    p.quiet {
                        @let other = Query { hold: !address.query.hold, ..address.query.clone() };
                        @let link = address.with(&snapshot.roster, &other);
                        @if address.query.hold { "held still · " a href=(link) { "follow again" } }
                        @else {
                            "new every " (refresh_seconds(*site)) " s · " a href=(link) { "hold still" }
                        }
                    }
                }
                main {
                    @if snapshot.is_blind() {
                        p.blind role="alert" {
                            b { "? We are " (blind_in_words(&snapshot.blindness)) "." }
                            " Our own network fails, so nothing is called down."
                            @for (family, place) in snapshot.paths.own.iter() {
                                @if let Some(place) = place {
                                    @let wall = |time| snapshot.wall_offset.written(time);
                                    " Our own " (family.name()) ": " (place.sentence(wall, Some(view.now()))) "."
                                }
                            }
                        }
                    }
                    @if let Some(problem) = &past.problem {
                        p.blind role="alert" { "What was before cannot be read: " (problem) }
                    }
                    @if past.unreadable_rows > 0 {
                        p.blind role="alert" {
                            "Rows of the store that cannot be read and are left out: "
                            (past.unreadable_rows)
                        }
                    }
                    (body)
                }
                footer {
                    (ourselves(view))
                    @if let Some(contact) = site.contact { p { "Run by " (text::contact(contact)) "." } }
                    (legend())
                    p {
                        @let meaning = address.to_page(&snapshot.roster, &Page::Meaning);
                        a href=(meaning) { "what does this mean?" }
                        " · " a href=(address.to("metrics")) { "metrics" }
                        " · " a href=(address.to("api/v1/state")) { "JSON" }
                    }
                }
            }
        }
    }
}

/// Names the style sheet by its content, so that browsers may store it for ever.
fn style_path() -> String {
    let hash = siphasher::sip::SipHasher13::new().hash(STYLE.as_bytes());
    format!("style.css?{hash:016x}")
}

/// The feed of the country that the page is about.
fn feed(view: &View) -> Option<String> {
    let roster = &view.snapshot.roster;
    let country = roster.country_id_of(view.address.page.scope()?);
    Some(view.address.to_page(roster, &Page::Feed(country)))
}

/// How much of the past is shown, as links, and from when to when that is.
pub(crate) fn ranges(view: &View) -> Markup {
    let address = view.address;
    let Past { range: shown, columns, watched, .. } = view.past;
    let now = view.now();
    let asked = shown.period(now).0;
    let began = watched.first().map_or(now, |first| first.0);
    // The longer ones show the same.
    let shorter = Range::LAST.into_iter().find(|range| range.length() >= now.since(began));
    html! {
        nav.ranges aria-label="How much of the past" {
            @for range in Range::LAST {
                @let query = Query { range: Some(range), ..address.query.clone() };
                @let current = (range == *shown).then_some("true");
                @let is_longer = shorter.is_some_and(|shorter| shorter.length() < range.length());
                @let title = is_longer.then_some("nobody watched for so long");
                a.beyond[is_longer] href=(address.with(&view.snapshot.roster, &query))
                    aria-current=[current] title=[title] {
                    (range.label())
                }
            }
            span.quiet {
                (period_text((columns.from, columns.to)))
                @if columns.to <= began { "; nobody watched yet" }
                @else if columns.from > asked + Duration::from_secs(1) { "; nobody watched before" }
            }
        }
    }
}

/// The sign and state of scopes, for a tab that is one of many.
pub(crate) fn title(names: impl Iterator<Item = (String, State)>) -> String {
    let titles = names.map(|(name, state)| format!("{} {name} {state}", text::symbol(state)));
    titles.collect::<Vec<_>>().join(", ")
}

/// What may be wrong with us rather than with them.
fn ourselves(view: &View) -> Markup {
    let snapshot = view.snapshot;
    html! {
        p {
            @for (family, sight) in snapshot.blindness.iter() {
                @if let Some(sight) = sight {
                    (family.name()) ": blind " (sight.spells) " times so far, "
                    (duration_text(Duration::from_secs_f64(sight.seconds.max(0.0)))) " in all. "
                }
            }
            "Controls: "
            @if snapshot.controls.is_empty() { "none" }
            @for (i, control) in snapshot.controls.iter().enumerate() {
                @if i > 0 { ", " }
                (control.address) " " @if control.up { "answers" } @else { b { "is silent" } }
                " (" (control.silent) " of " (control.asked) " unanswered)"
            }
            "."
            @if snapshot.plan.refused { " " b { "A newer plan was wrong and is not in force." } }
        }
    }
}

fn legend() -> Markup {
    html! {
        ul.legend aria-label="What the signs mean" {
            @for state in State::ALL {
                li { (text::badge(state)) " " (text::meaning(state)) }
            }
            li { b { "unstable" } " " (text::UNSTABLE) }
        }
    }
}
