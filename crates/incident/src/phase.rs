//! An incident, and what it consists of.

use crate::{Episode, Period, Span};
use lifesign_core::{
    judge::Edge,
    scopes::{FullName, Maintenance},
    time::Time,
};
use std::{cmp::Reverse, time::Duration};

/// A phase before the worst that was dark for so many times less is hardly worth a word.
const HARDLY: u32 = 10;
/// It was unstable for long.
const LONG_UNSTABLE: Duration = Duration::from_secs(3600);
/// So many phases are told each for itself.
const MOST_MAIN: usize = 4;

/// A maximal stretch of trouble of one scope. All times are on the wall clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// The prefix, the country's code, or the code, a slash and the network's name.
    pub scope: String,
    /// The code of the country that the scope is, or lies in.
    pub country: String,
    /// In the order in which they happened; never none. The first and, if it is over, the last are
    /// bad ones.
    pub phases: Vec<Phase>,
    /// It has been seen to be well for a day, or is not watched any more.
    pub is_over: bool,
    /// When it has been seen to be well for a day after its last bad phase, if nothing more
    /// happens; None while that goes on, and if nobody watched any more.
    pub well_at: Option<Time>,
}

/// A part of an incident in which one kind of thing happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// What happened.
    pub kind: PhaseKind,
    /// When it began.
    pub begin: Edge,
    /// When it ended; None while it goes on.
    pub end: Option<Edge>,
    /// How often it went dark in it.
    pub darknesses: u32,
    /// For how long it was dark in it.
    pub dark: Duration,
    /// For how long of it nobody could see.
    pub unseen: Duration,
    /// For how long of the time dark nobody could see, as far as that is known.
    pub dark_unseen: Duration,
    /// It ended because nobody watched any more.
    pub is_left: bool,
}

/// What happens in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PhaseKind {
    /// It answers, but has not been seen to be well for a day.
    Up,
    /// It was dark once, and it was not proved to be an outage.
    Down,
    /// It went dark and came back again and again.
    Unstable,
    /// It was dark.
    Outage,
}

impl PhaseKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Up, Self::Down, Self::Unstable, Self::Outage];

    /// What JSON, CSV, metrics and the page call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Unstable => "unstable",
            Self::Outage => "outage",
        }
    }
}

impl Phase {
    /// Could the scope not be reached in it, or not reliably?
    pub fn is_bad(&self) -> bool {
        self.kind != PhaseKind::Up
    }

    /// From when to when it was.
    pub const fn span(&self) -> Span {
        Span { begin: self.begin, end: self.end }
    }

    /// How long it lasted up to `now`.
    pub fn length(&self, now: Time) -> Duration {
        self.span().length(now)
    }

    /// What it means to who reads of it: above all, for how long it was seen to be dark.
    fn weight(&self, now: Time) -> (Duration, PhaseKind, Duration) {
        (self.seen_dark(), self.kind, self.length(now))
    }

    /// For how long of it it was seen to be dark.
    pub fn seen_dark(&self) -> Duration {
        self.dark.saturating_sub(self.dark_unseen)
    }

    /// Does this time lie in it?
    fn has(&self, time: Time) -> bool {
        (self.begin.latest..=self.end.map_or(Time::NEVER, |end| end.latest)).contains(&time)
    }

    /// The share of what was seen of it in which it was dark, from 0 to 1.
    pub fn dark_share(&self, now: Time) -> f64 {
        let length = self.length(now).saturating_sub(self.unseen).as_secs_f64();
        let dark = self.seen_dark().as_secs_f64();
        if length > 0.0 { (dark / length).min(1.0) } else { 0.0 }
    }
}

impl Incident {
    /// The full name of its scope.
    pub fn full_name(&self) -> FullName<'_> {
        FullName::new(&self.country, &self.scope)
    }

    /// Is it of a country, and not of a part of one?
    pub fn is_of_country(&self) -> bool {
        self.scope == self.country
    }

    /// When its first darkness began.
    pub fn begin(&self) -> Edge {
        self.phases.first().map_or_else(Edge::default, |phase| phase.begin)
    }

    /// When its last darkness ended, if it is over.
    pub fn end(&self) -> Option<Edge> {
        self.phases.last().filter(|_| self.is_over)?.end
    }

    /// From its first darkness to the end of its last.
    pub fn span(&self) -> Span {
        Span { begin: self.begin(), end: self.end() }
    }

    /// When it is over, if nothing more happens and it can be seen; None while it is dark or
    /// unstable, and once it is over.
    pub fn over_at(&self) -> Option<Time> {
        self.well_at.filter(|_| !self.is_over)
    }

    /// When it had been seen to be well for a day, or was not watched any more; None until it is
    /// over.
    pub fn was_over_at(&self) -> Option<Time> {
        let end = self.end()?.latest;
        Some(self.well_at.unwrap_or(end))
    }

    /// Is it over because nobody watched any more?
    pub fn is_left(&self) -> bool {
        self.phases.last().is_some_and(|last| last.is_left)
    }

    /// A window of maintenance that trouble in it overlapped. These are the episodes of whatever
    /// scopes.
    pub fn planned<'a>(&self, episodes: &'a [Episode]) -> Option<&'a Maintenance> {
        self.window_of(episodes, |begin| self.bad_phases().any(|phase| phase.has(begin)))
    }

    /// The same of one of its phases; None of one in which it was up.
    pub fn planned_in<'a>(
        &self,
        phase: &Phase,
        episodes: &'a [Episode],
    ) -> Option<&'a Maintenance> {
        self.window_of(episodes, |begin| phase.is_bad() && phase.has(begin))
    }

    /// Of an episode of its scope that begins at such a time.
    fn window_of<'a>(
        &self,
        episodes: &'a [Episode],
        is_meant: impl Fn(Time) -> bool,
    ) -> Option<&'a Maintenance> {
        let of_scope = episodes.iter().filter(|episode| episode.scope == self.scope);
        let mut planned =
            of_scope.filter_map(|episode| Some((episode.begin.latest, episode.planned.as_ref()?)));
        planned.find(|(begin, _)| is_meant(*begin)).map(|(_, window)| window)
    }

    /// What names it within its scope: the minute in which it began, as `2014-12-22T1614Z`.
    pub fn id(&self) -> String {
        let text = self.begin().start().to_string();
        let minute = text.get(..16).unwrap_or(&text);
        format!("{}Z", minute.replace(':', ""))
    }

    /// The same with only the phases that overlap this period; None if none of these is bad.
    pub fn within(&self, (from, to): Period) -> Option<Self> {
        let is_in = |phase: &&Phase| {
            phase.begin.latest < to && phase.end.is_none_or(|end| end.latest > from)
        };
        let phases: Vec<Phase> = self.phases.iter().filter(is_in).cloned().collect();
        let is_bad = phases.iter().any(Phase::is_bad);
        is_bad.then(|| Self { phases, ..self.clone() })
    }

    /// The phases in which it could not be reached.
    pub fn bad_phases(&self) -> impl Iterator<Item = &Phase> {
        self.phases.iter().filter(|phase| phase.is_bad())
    }

    /// For how long it was seen to be dark in all.
    pub fn seen_dark(&self) -> Duration {
        self.phases.iter().map(Phase::seen_dark).sum()
    }

    /// For how long it was dark in all, up to `now`.
    pub fn dark(&self) -> Duration {
        self.phases.iter().map(|phase| phase.dark).sum()
    }

    /// Its worst phase: the one in which it was dark for longest, of several the first.
    pub fn worst(&self, now: Time) -> Option<&Phase> {
        self.phases.iter().rev().max_by_key(|phase| phase.weight(now))
    }

    /// The phases that are told each for itself, in the order in which they happened: the worst,
    /// the darkest before it unless that is hardly worth a word beside it, and where it was
    /// unstable for long. Of many these are the worst.
    pub fn main_phases(&self, now: Time) -> Vec<&Phase> {
        let Some(worst) = self.worst(now) else { return Vec::new() };
        let before = self.bad_phases().take_while(|phase| *phase != worst);
        let before = before.max_by_key(|phase| phase.weight(now));
        let before = before.filter(|phase| phase.seen_dark() * HARDLY >= worst.seen_dark());
        let is_main = |phase: &&Phase| {
            let is_long = phase.kind == PhaseKind::Unstable && phase.length(now) >= LONG_UNSTABLE;
            is_long || *phase == worst || Some(*phase) == before
        };
        let mut main: Vec<&Phase> = self.bad_phases().filter(is_main).collect();
        main.sort_by_key(|phase| Reverse(phase.weight(now)));
        main.truncate(MOST_MAIN);
        main.sort_by_key(|phase| phase.begin.latest);
        main
    }
}
