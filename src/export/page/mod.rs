//! The page for people. In: a snapshot. Out: HTML that needs no script, fits a telephone, and tells
//! states by word, sign and height as well as by colour. It never shows a text from outside
//! unescaped (maud escapes them all), and never loads anything from elsewhere.
//!
//! | file | its part |
//! |---|---|
//! | `scope` | a country and its blocks |
//! | `strip` | states over time, as a picture |
//! | `spark` | loss and round-trip time over time |
//! | `hosts` | who answers |
//! | `episodes` | bad times, as a table |
//! | `words` | signs, times and spans |

mod episodes;
mod hosts;
mod scope;
mod spark;
mod strip;
mod words;

use super::ExportSettings;
use lifesign_core::watch::Snapshot;
use maud::{DOCTYPE, Markup, html};
use std::time::Duration;

/// The style sheet, on which the page depends for its looks alone.
pub const STYLE: &str = include_str!("style.css");
/// The sign in a browser's tab.
pub const ICON: &str = include_str!("icon.svg");

/// A plan of more blocks shows them closed.
const FEW_BLOCKS: usize = 8;

/// How a reader wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// It is asked for again by itself.
    Auto,
    /// It stands still, so that it can be read in peace (WCAG 2.2, success criterion 2.2.2).
    Paused,
}

/// After how many seconds a page that follows is asked for again. A simulation runs faster than the
/// world.
pub fn refresh_seconds(labels: &ExportSettings) -> u32 {
    if labels.simulation.is_some() { 2 } else { 10 }
}

/// The address of the style sheet: another one for another sheet, so that it may be kept.
pub fn style_address() -> String {
    let mark = siphasher::sip::SipHasher13::new().hash(STYLE.as_bytes());
    format!("/style.css?{mark:016x}")
}

/// The whole page.
pub fn render(snapshot: &Snapshot, labels: &ExportSettings, pace: Refresh) -> Markup {
    let roster = &snapshot.roster;
    let view = View { snapshot, few: roster.blocks.len() <= FEW_BLOCKS };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title(snapshot)) " · lifesign" }
                link rel="stylesheet" href=(style_address());
                link rel="icon" href="/icon.svg" type="image/svg+xml";
            }
            body {
                (strip::patterns())
                @if let Some(story) = &labels.simulation {
                    aside.simulation aria-label="Simulation" { b { "Simulation" } " " (story) }
                }
                header {
                    h1 { "lifesign" }
                    p {
                        "seen from " b { (labels.vantage) } " at " (view.time(snapshot.time)) " UTC"
                        span.quiet { " · watching since " (view.time(snapshot.started)) }
                    }
                    p.quiet {
                        @match pace {
                            Refresh::Auto => {
                                "new every " (refresh_seconds(labels)) " s · " a href="/?hold" { "hold still" }
                            }
                            Refresh::Paused => { "held still · " a href="/" { "follow again" } }
                        }
                    }
                }
                main {
                    @if snapshot.blind {
                        p.blind role="alert" {
                            b { "? We are blind." } " Our own network fails, so nothing is called down."
                        }
                    }
                    @for number in 0..roster.countries.len() { (scope::country(&view, number)) }
                }
                footer {
                    (ourselves(snapshot))
                    (legend())
                    p { a href="/metrics" { "metrics" } " · " a href="/api/v1/state" { "JSON" } }
                }
            }
        }
    }
}

/// What every part of the page is drawn from.
struct View<'a> {
    snapshot: &'a Snapshot,
    /// So few blocks that each is shown in full.
    few: bool,
}

/// The worst first, for a tab that is one of many.
fn title(snapshot: &Snapshot) -> String {
    let states = snapshot.roster.countries.iter().zip(&snapshot.countries);
    let state =
        |(country, view): (&lifesign_core::scopes::Country, &lifesign_core::watch::ScopeView)| {
            format!("{} {} {}", words::shape(view.verdict.state), country.code, view.verdict.state)
        };
    states.map(state).collect::<Vec<_>>().join(", ")
}

/// What may be wrong with us rather than with them.
fn ourselves(snapshot: &Snapshot) -> Markup {
    html! {
        p {
            "Blind " (snapshot.blind_spells) " times so far, "
            (words::span(Duration::from_secs_f64(snapshot.blind_seconds.max(0.0)))) " in all. Controls: "
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
            @for (state, meaning) in words::MEANINGS {
                li { (words::badge(state)) " " (meaning) }
            }
        }
    }
}
