//! The pages for people: HTML that needs no script, loads nothing from elsewhere, fits a telephone,
//! and tells states by word, symbol and height as well as by colour. Maud escapes every text.
//!
//! It is a crate of its own, since it only draws: a snapshot, what the store remembers and an
//! address in, markup out.
//!
//! | file | what it draws |
//! |---|---|
//! | `range` | nothing: how much of the past |
//! | `query` | nothing: what stands behind the question mark |
//! | `address` | nothing: which page is asked for, and how others are linked to |
//! | `past` | nothing: what the store remembers, for the others |
//! | `text` | symbols, times and shares |
//! | `light` | nothing: the colours on a light ground |
//! | `strip` | states over time |
//! | `smoke` | round-trip times and loss over time |
//! | `sentence` | what is found, for somebody in a hurry |
//! | `hosts` | which hosts answer |
//! | `frame` | what all pages have |
//! | `way` | the way up and to the neighbours |
//! | `overview` | all countries |
//! | `tiles` | many blocks at a glance |
//! | `parts` | the networks and blocks of a country |
//! | `incidents` | incidents and their phases |
//! | `scope` | a country, a network or a block |
//! | `meaning` | what all this means |
//! | `feed`, `badge` | no pages: for feed readers, and for pages of others |

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used)]

mod range;
mod query;
mod address;
mod past;
mod text;
mod light;
mod strip;
mod smoke;
mod sentence;
mod hosts;
mod frame;
mod way;
mod overview;
mod tiles;
mod parts;
mod incidents;
mod scope;
mod meaning;
mod feed;
mod badge;

pub use address::{Address, Page};
pub use lifesign_incident::Columns;
pub use light::light;
pub use parts::MOST_BLOCKS;
pub use past::{Past, Point};
pub use query::{Query, decoded};
pub use range::Range;
pub use smoke::smoke;
pub use strip::{StripSize, patterns, strip};
pub use text::contact;

use lifesign_core::{
    time::Time,
    watch::{Snapshot, TargetViews},
};
use maud::Markup;

macro_rules! pictures {
    () => {
        concat!(include_str!("strip.css"), include_str!("smoke.css"))
    };
}

/// The style sheet of every page.
pub const STYLE: &str = concat!(include_str!("light.css"), include_str!("style.css"), pictures!());
/// As much of it as [`strip()`] and [`smoke()`] need, on a light ground.
pub const PICTURE_STYLE: &str = concat!(include_str!("light.css"), pictures!());
/// The icon in a browser's tab.
pub const ICON: &str = include_str!("icon.svg");

/// Where the pages are made.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// Where we stand, as the plan calls it.
    pub vantage: &'a str,
    /// Who runs the vantage.
    pub contact: Option<&'a str>,
    /// If nothing of it is real: what is played, in a sentence.
    pub simulation: Option<&'a str>,
}

/// What every part of a page is drawn from.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The present.
    pub snapshot: &'a Snapshot,
    /// What the snapshot leaves out.
    pub targets: &'a dyn TargetViews,
    /// The past.
    pub past: &'a Past,
    /// Where the page is made.
    pub site: Site<'a>,
    /// What was asked for.
    pub address: &'a Address,
}

impl View<'_> {
    /// Now, by the wall clock.
    pub(crate) fn now(&self) -> Time {
        self.snapshot.wall_offset.written(self.snapshot.time)
    }
}

/// After how many seconds a page reloads itself. A simulation runs faster than the world.
pub fn refresh_seconds(site: Site) -> u32 {
    if site.simulation.is_some() { 2 } else { 10 }
}

/// The page that the address names; None if there is no such incident.
pub fn render(view: &View) -> Option<Markup> {
    match &view.address.page {
        Page::Overview => Some(overview::page(view)),
        Page::Meaning => Some(meaning::page(view)),
        Page::Scope(scope) => Some(scope::page(view, *scope)),
        Page::Incident(scope, id) => incidents::page(view, *scope, id),
        Page::Feed(country) => Some(feed::render(view, *country)),
        Page::Badge(scope) => Some(badge::render(view, *scope)),
    }
}
