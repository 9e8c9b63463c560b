//! The page for people: HTML that needs no script, loads nothing from elsewhere, fits a telephone,
//! and tells states by word, symbol and height as well as by colour. Maud escapes every text. Links
//! are relative, so that the page works below a path of a reverse proxy.
//!
//! | file | what it draws |
//! |---|---|
//! | `scope` | a country |
//! | `row` | its networks and blocks |
//! | `timeline` | states over time, as a strip |
//! | `sparkline` | loss and round-trip time over time |
//! | `hosts` | which hosts answer |
//! | `episodes` | times in a state other than up, as a table |
//! | `text` | symbols, times and shares |

mod episodes;
mod hosts;
mod row;
mod scope;
mod sparkline;
mod text;
mod timeline;

use super::ExportSettings;
use lifesign_core::{
    duration::duration_text,
    judge::{State, blind_in_words},
    watch::Snapshot,
};
use maud::{DOCTYPE, Markup, html};
use std::time::Duration;

pub(super) const STYLE: &str = include_str!("style.css");
/// The icon in a browser's tab.
pub(super) const ICON: &str = include_str!("icon.svg");

/// With more blocks in the plan, each is shown closed.
const MAX_OPEN_BLOCKS: usize = 8;

/// Whether the page reloads itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// It does, every few seconds.
    Auto,
    /// It does not, so that it can be read in peace (WCAG 2.2, success criterion 2.2.2).
    Paused,
}

/// After how many seconds the page reloads itself. A simulation runs faster than the world.
pub(super) fn refresh_seconds(settings: &ExportSettings) -> u32 {
    if settings.simulation.is_some() { 2 } else { 10 }
}

/// Names the style sheet by its content, so that browsers may store it for ever.
fn style_url() -> String {
    let hash = siphasher::sip::SipHasher13::new().hash(STYLE.as_bytes());
    format!("style.css?{hash:016x}")
}

/// The whole page.
pub fn render(snapshot: &Snapshot, settings: &ExportSettings, refresh: Refresh) -> Markup {
    let roster = &snapshot.roster;
    let context = PageContext { snapshot, blocks_open: roster.blocks.len() <= MAX_OPEN_BLOCKS };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title(snapshot)) " · lifesign" }
                link rel="stylesheet" href=(style_url());
                link rel="icon" href="icon.svg" type="image/svg+xml";
            }
            body {
                (timeline::patterns())
                @if let Some(story) = &settings.simulation {
                    aside.simulation aria-label="Simulation" { b { "Simulation" } " " (story) }
                }
                header {
                    h1 { "lifesign" }
                    p {
                        "seen from " b { (settings.vantage) }
                        " at " (context.time(snapshot.time)) " UTC"
                        span.quiet { " · watching since " (context.time(snapshot.started)) }
                    }
                    p.quiet {
                        @match refresh {
                            Refresh::Auto => {
                                "new every " (refresh_seconds(settings)) " s · "
                                a href="?hold" { "hold still" }
                            }
                            Refresh::Paused => { "held still · " a href="./" { "follow again" } }
                        }
                    }
                }
                main {
                    @if snapshot.is_blind() {
                        p.blind role="alert" {
                            b { "? We are " (blind_in_words(&snapshot.blindness)) "." }
                            " Our own network fails, so nothing is called down."
                        }
                    }
                    @for index in 0..roster.countries.len() as u32 {
                        (scope::country(&context, index))
                    }
                }
                footer {
                    (ourselves(snapshot))
                    @if let Some(text) = &settings.contact { p { "Run by " (lifesign_store::report::contact(text)) "." } }
                    (legend())
                    p { a href="metrics" { "metrics" } " · " a href="api/v1/state" { "JSON" } }
                }
            }
        }
    }
}

/// What every part of the page is drawn from.
struct PageContext<'a> {
    snapshot: &'a Snapshot,
    /// There are so few blocks that each is shown in full.
    blocks_open: bool,
}

/// The state of each country, for a tab that is one of many.
fn title(snapshot: &Snapshot) -> String {
    let titles = snapshot.countries().map(|(country, view)| {
        let state = view.verdict.state;
        format!("{} {} {state}", text::symbol(state), country.code)
    });
    titles.collect::<Vec<_>>().join(", ")
}

/// What may be wrong with us rather than with them.
fn ourselves(snapshot: &Snapshot) -> Markup {
    html! {
        p {
            @for (family, sight) in snapshot.blindness.iter() {
                @if let Some(sight) = sight {
                    (family.name()) ": blind " (sight.periods) " times so far, "
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
        }
    }
}
