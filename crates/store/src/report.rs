//! A page on what happened in a country, to read, print or send on: HTML with its charts in it
//! (SVG), which loads nothing else.

mod method;
mod others;
mod sentence;
mod tables;
mod timeline;

pub(super) use self::sentence::sentence;
use self::{method::method, others::others, timeline::timeline};
use super::{
    EpisodeFilter, Measured, Measurements, PastRun, Places, RUN_TIMEOUT, StoreReader,
    reader::{COARSE_MS, FINE_MS},
    row::millis,
    unwatched_until, watched,
};
use lifesign_core::{
    judge::State,
    scopes::{FullName, Remarks},
    time::Time,
};
use lifesign_incident::{
    Episode, Incident, Period, PhaseKind, Statement, middle,
    story::{time_text, time_text_in},
    unwatched,
};
use lifesign_page::{Columns, PICTURE_STYLE, Point, contact, patterns, smoke};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use rusqlite::params;
use std::{collections::BTreeSet, time::Duration};

/// A sheet of paper has room for twice as many as a page.
const MOST_COLUMNS: u32 = 240;
/// Less than this is not told.
const SHORTEST: Duration = Duration::from_secs(1);

/// What a report is made of.
#[derive(Debug)]
pub struct ReportData {
    country: String,
    name: String,
    since: Time,
    until: Time,
    now: Time,
    observed_until: Time,
    episodes: Vec<Episode>,
    incidents: Vec<Incident>,
    places: Places,
    columns: Columns,
    measured: Vec<Measured>,
    runs: Vec<PastRun>,
    remarks: Remarks,
    was_played: bool,
    statements: Vec<Statement>,
    broken: usize,
}

impl ReportData {
    /// Reads what is known of a country in a period; None if that is nothing.
    pub fn read(
        reader: &StoreReader,
        country: &str,
        (since, until): (Time, Time),
        now: Time,
    ) -> rusqlite::Result<Option<Self>> {
        let filter = EpisodeFilter {
            since: Some(since),
            until: Some(until),
            scope: Some(country.into()),
            state: None,
        };
        let observed_until = reader.observed_until(now)?;
        // An incident in this period may have begun long before it.
        let all = EpisodeFilter { until: None, ..filter.clone() };
        let watched = reader.watched_until(observed_until, None)?;
        let unwatched = unwatched_until(observed_until, &watched.read);
        let (mut episodes, mut incidents) =
            reader.folded(&all, &unwatched, observed_until, |_| {})?;
        incidents.retain(|incident| filter.passes_incident(incident));
        let columns = Columns::at_most(MOST_COLUMNS, (since, until));
        let which = Measurements::AllOf(country);
        let measured = reader.measured(which, (columns.from, columns.to), columns.count)?;
        let runs = reader.runs(since, until)?;
        let (places, broken) = reader.places(&incidents, &episodes.read)?;
        episodes.read.retain(|episode| filter.passes_episode(episode));
        let broken = broken + episodes.broken + measured.broken + runs.broken;
        let is_known =
            !(episodes.read.is_empty() && measured.read.is_empty() && incidents.is_empty());
        let data = Self {
            country: country.into(),
            name: reader.country_name(country)?,
            since,
            until,
            now,
            observed_until,
            episodes: episodes.read,
            incidents,
            places,
            columns,
            measured: measured.read,
            runs: runs.read,
            remarks: reader.remarks()?,
            was_played: reader.was_played(),
            statements: Vec::new(),
            broken,
        };
        // A run in its first minutes knows its country, and has written nothing of it; and between
        // two samples nothing is written either.
        let is_new = |run: &PastRun| run.began + RUN_TIMEOUT > observed_until;
        let is_early = !data.runs.is_empty()
            && data.watched() < RUN_TIMEOUT
            && (data.runs.iter().any(is_new) || data.is_between_samples(reader)?);
        Ok((is_known || is_early).then_some(data))
    }

    /// Was the country watched by then, as its samples say? Each is of the time up to it.
    fn is_between_samples(&self, reader: &StoreReader) -> rusqlite::Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM sample WHERE span IN (?1, ?2) AND scope = ?3
                   AND time > ?4 AND time < ?5 + span)";
        let from = millis(self.since - RUN_TIMEOUT);
        let country = &self.country;
        let parameters = params![FINE_MS, COARSE_MS, country, from, millis(self.until)];
        reader.0.query_row(sql, parameters, |row| row.get(0))
    }

    /// What was measured of the country, a point in each column.
    fn points(&self) -> Vec<Point> {
        let mut points = vec![Point::default(); self.columns.count];
        for measured in self.measured.iter().filter(|measured| measured.scope == self.country) {
            measured.draw(&mut points);
        }
        points
    }

    /// The code of the country that it is on.
    pub fn country(&self) -> &str {
        &self.country
    }

    /// How many rows of the store could not be read.
    pub fn broken(&self) -> usize {
        self.broken
    }

    /// The country first, then its networks, then its blocks.
    fn scopes(&self) -> Vec<&str> {
        let of_episodes = self.episodes.iter().map(|episode| &*episode.scope);
        let of_samples = self.measured.iter().map(|measured| &*measured.scope);
        let names: BTreeSet<&str> = of_episodes.chain(of_samples).collect();
        let mut scopes: Vec<&str> = names.into_iter().collect();
        scopes.sort_by_key(|scope| (*scope != self.country, self.network_name(scope).is_none()));
        scopes
    }

    fn network_name<'a>(&'a self, scope: &'a str) -> Option<&'a str> {
        FullName::new(&self.country, scope).network()
    }

    fn episodes_of<'a>(&'a self, scope: &'a str) -> impl Iterator<Item = &'a Episode> {
        self.episodes.iter().filter(move |episode| episode.scope == scope)
    }

    /// The labels of a scope, behind its name.
    fn labels(&self, scope: &str) -> Markup {
        let labels = self.remarks.labels.get(scope);
        html! { @if let Some(labels) = labels { " " small { (labels.to_string()) } } }
    }

    /// From when to when its worst phase lasted by the clocks of the country; None if the plan did
    /// not know them.
    fn there(&self, incident: &Incident) -> Option<String> {
        let zone = self.remarks.timezone(&self.country)?;
        let worst = incident.worst(self.observed_until)?;
        let local = |time| time_text_in(time, Some(&zone));
        let begin = local(middle(worst.begin));
        let end = local(worst.end.map_or(self.observed_until, middle));
        let what = match worst.kind {
            PhaseKind::Unstable => "unstable phase",
            PhaseKind::Down => "darkness",
            PhaseKind::Outage | PhaseKind::Up => worst.kind.label(),
        };
        Some(format!(" The {what} was from {begin} to {end} in {}.", zone.name()))
    }

    /// The part of an episode that lies in this time, between the middles of its edges.
    fn part(&self, episode: &Episode) -> Period {
        let end = episode.end.map_or(self.observed_until, middle);
        (middle(episode.begin).max(self.since), end.min(self.until))
    }

    /// How long that part is.
    fn length(&self, episode: &Episode) -> Duration {
        let (from, to) = self.part(episode);
        to.since(from)
    }

    /// For how long nothing was known of the country in this time, and why at last; None if it was
    /// always.
    fn unknown(&self) -> Option<(Duration, &str)> {
        let unknown = |episode: &&Episode| episode.state == State::Unknown;
        let all = || self.episodes_of(&self.country).filter(unknown);
        Some((all().map(|episode| self.length(episode)).sum(), &*all().last()?.evidence))
    }

    /// For how long nobody watched in this time.
    fn unwatched(&self) -> Duration {
        let gaps = unwatched((self.since, self.until), watched(&self.runs, self.until));
        gaps.iter().map(|gap| gap.1.since(gap.0)).sum()
    }

    /// For how long somebody watched in this time.
    fn watched(&self) -> Duration {
        self.whole().saturating_sub(self.unwatched())
    }

    /// How long this time is.
    fn whole(&self) -> Duration {
        self.until.since(self.since)
    }

    fn vantages(&self) -> String {
        let names: BTreeSet<&str> = self.runs.iter().map(|run| &*run.vantage).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    }
}

/// The report as an HTML page that needs no other file.
pub fn page(data: &ReportData) -> Markup {
    let ReportData { country, name, since, until, now, .. } = data;
    let title = format!("{name} ({country}), {} to {} UTC", time_text(*since), time_text(*until));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'";
                title { "Reachability of " (title) }
                style { (PreEscaped(PICTURE_STYLE)) (PreEscaped(STYLE)) (colours()) }
            }
            body {
                (patterns(&data.columns))
                @if let Some(recorded) = &data.remarks.recorded {
                    aside.played aria-label="Imported" {
                        b { "Not asked by lifesign, but imported" }
                        ": what another prober recorded (" (recorded) "), judged by lifesign."
                    }
                } @else if data.was_played {
                    aside.played aria-label="Played" {
                        b { "Not seen, but played" }
                        ": by a simulation, by the demo, or from a recorded journal."
                    }
                }
                h1 { "Reachability of " (title) (data.labels(country)) }
                p.sentence { (sentence(data)) }
                h2 { "Timeline" }
                (timeline(data, &data.scopes()))
                (others(data))
                h2 { "Round trips and loss" }
                div.lanes { span {} div { (smoke(&data.columns, &data.points())) } }
                h2 { "Incidents" }
                (tables::incidents(data))
                (method(data))
                footer {
                    "Written by lifesign " (env!("CARGO_PKG_VERSION")) " at " (time_text(*now))
                    " UTC."
                    @if let Some(text) = &data.remarks.contact {
                        " The vantage is run by " (contact(text)) "."
                    }
                }
            }
        }
    }
}

/// The words of states have the colours of the pages.
fn colours() -> String {
    let rule = |state: State| format!("td.{state} {{ color: var(--{state}) }}\n");
    State::ALL.map(rule).concat()
}

const STYLE: &str = "
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; \
padding: 0 1rem; color: var(--ink) }
h1 { font-size: 1.4rem } h3 { font-size: 1rem } h2 { font-size: 1.1rem; margin-top: 2rem; break-after: avoid }
.played { padding: .4rem 1rem; border: 2px dashed var(--ink) }
.sentence { font-size: 1.15rem; border-left: .3rem solid var(--line); padding-left: 1rem }
table { border-collapse: collapse; width: 100%; font-size: .85rem }
th, td { text-align: left; padding: .2rem .5rem; border-bottom: 1px solid var(--line); \
vertical-align: top }
tr, svg { break-inside: avoid }
footer { margin-top: 2rem; color: var(--quiet) }
small { font-weight: 400; color: var(--quiet) }
.others { width: 100%; height: .9rem; background: var(--line) }
.others rect { fill: var(--quiet) }
.lanes { display: grid; grid-template-columns: 8.5rem minmax(0, 1fr); gap: .2rem .6rem; font-size: .8rem; \
overflow-wrap: anywhere }
@media print { body { margin: 0; max-width: none; font-size: 11px } }
";
