//! One page to send on. In: what the store knows of a country. Out: HTML that needs nothing else,
//! with its pictures in it (SVG), fit to be printed: what happened in a sentence, when and how
//! surely, how it was measured, and what one vantage cannot know. It never shows a text from
//! outside unescaped (maud escapes them all).

mod picture;

use super::{
    Episode, EpisodeFilter, RecordedRun, Sample, StoreReader,
    list::{length, moment, second, span},
    reader::QUIET,
};
use lifesign_core::{judge::State, time::Time};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::{collections::BTreeSet, time::Duration};

/// A flapping that ends so shortly before an outage belongs to the same story.
const SOON: Duration = Duration::from_secs(3600);

/// What a report is made of.
#[derive(Debug)]
pub struct Matter {
    country: String,
    name: String,
    since: Time,
    until: Time,
    /// When it is read, and up to when anything was seen.
    now: Time,
    seen: Time,
    episodes: Vec<Episode>,
    samples: Vec<Sample>,
    runs: Vec<RecordedRun>,
}

impl Matter {
    /// Reads what is known of a country in between; None if that is nothing.
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
        let episodes = reader.episodes(&filter)?;
        let samples = reader.samples(country, since, until)?;
        let runs = reader.runs(since, until)?;
        let (name, seen) = (reader.name(country)?, reader.seen(now)?);
        let some = !(episodes.is_empty() && samples.is_empty());
        Ok(some.then(|| Self {
            country: country.into(),
            name,
            since,
            until,
            now,
            seen,
            episodes,
            samples,
            runs,
        }))
    }

    /// The country first, then its blocks.
    fn scopes(&self) -> Vec<&str> {
        let named = self.episodes.iter().map(|episode| &*episode.scope);
        let named: BTreeSet<&str> =
            named.chain(self.samples.iter().map(|sample| &*sample.scope)).collect();
        let mut scopes: Vec<&str> = named.into_iter().collect();
        scopes.sort_by_key(|scope| *scope != self.country);
        scopes
    }

    fn of<'a>(&'a self, scope: &'a str) -> impl Iterator<Item = &'a Episode> {
        self.episodes.iter().filter(move |episode| episode.scope == scope)
    }

    fn vantages(&self) -> String {
        let named: BTreeSet<&str> = self.runs.iter().map(|run| &*run.vantage).collect();
        named.into_iter().collect::<Vec<_>>().join(", ")
    }

    /// When nobody watched: between runs, and before the first and after the last of them.
    fn unwatched(&self) -> Vec<(Time, Time)> {
        let mut gaps = Vec::new();
        let mut seen = self.since;
        for run in &self.runs {
            if run.began > seen {
                gaps.push((seen, run.began.min(self.until)));
            }
            seen = seen.max(run.lasted);
        }
        // A run under way was last heard of up to a minute ago.
        if seen + QUIET < self.until {
            gaps.push((seen, self.until));
        }
        gaps
    }
}

/// What happened, in a sentence or two.
pub fn sentence(matter: &Matter) -> String {
    let Matter { country, name, .. } = matter;
    let from = match matter.vantages() {
        vantage if vantage.is_empty() => String::new(),
        vantage => format!(" from {vantage}"),
    };
    let known = |state: State| matter.of(country).filter(move |episode| episode.state == state);
    let longest = |state: State| known(state).max_by_key(|episode| episode.length(matter.seen).0);
    let (state, was) =
        match (longest(State::Outage), longest(State::Flapping), longest(State::Down)) {
            (Some(outage), ..) => (outage, "was unreachable"),
            (_, Some(flapping), _) => {
                (flapping, "was unstable, going down and coming up again and again,")
            }
            (_, _, Some(down)) => (down, "was briefly unreachable"),
            _ => match longest(State::Partial) {
                Some(partial) => (partial, "was unreachable in part"),
                None => {
                    return format!(
                        "{name} was reachable{from} whenever it was watched in this time."
                    );
                }
            },
        };
    let until = match state.end {
        Some(end) => format!("to {}", moment(end)),
        None => format!("on, and still at {}", second(matter.seen)),
    };
    let leads_to = |flapping: &&Episode| {
        let end = flapping.end.map_or(matter.seen, |end| end.latest);
        let apart = end.since(state.begin.latest).max(state.begin.latest.since(end));
        flapping.begin.latest < state.begin.latest && apart < SOON
    };
    let before = known(State::Flapping)
        .find(|flapping| state.state == State::Outage && leads_to(flapping))
        .map(|flapping| format!(", after {} of flapping", span(flapping.length(matter.seen).0)));
    let unseen = match state.unseen {
        Duration::ZERO => String::new(),
        unseen => format!(" For {} of this nobody could see.", span(unseen)),
    };
    let more = match known(state.state).count() - 1 {
        0 => String::new(),
        1 => " It happened once more in this time.".into(),
        more => format!(" It happened {more} more times in this time."),
    };
    let begin = match state.begin.earliest {
        Some(_) => format!("from {}", moment(state.begin)),
        None => format!("since {} or earlier", second(state.begin.latest)),
    };
    format!(
        "{name} {was}{from} {begin} {until} UTC, {}{}.{unseen}{more}",
        length(state, matter.seen),
        before.unwrap_or_default()
    )
}

/// The whole page.
pub fn page(matter: &Matter) -> Markup {
    let Matter { country, name, since, until, now, .. } = matter;
    let title = format!("{name} ({country}), {} to {} UTC", second(*since), second(*until));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { "Reachability of " (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Reachability of " (title) }
                p.sentence { (sentence(matter)) }
                h2 { "Timeline" }
                (picture::timeline(matter, &matter.scopes()))
                h2 { "Loss" }
                (picture::loss(matter))
                h2 { "Round-trip time" }
                (picture::times(matter))
                h2 { "Episodes" }
                (table(matter))
                (method(matter))
                footer { "Written by lifesign " (env!("CARGO_PKG_VERSION")) " at " (second(*now)) " UTC." }
            }
        }
    }
}

fn table(matter: &Matter) -> Markup {
    html! {
        @if matter.episodes.is_empty() { p { "None: everything was up whenever it was watched." } }
        @else {
            table {
                thead { tr {
                    th { "Scope" } th { "State" } th { "Began (UTC)" } th { "Ended (UTC)" } th { "Lasted" }
                    th { "Not seen" } th { "Evidence" }
                } }
                tbody {
                    @for episode in &matter.episodes {
                        tr {
                            td { (episode.scope) } td.(episode.state.label()) { (episode.state) }
                            td { (moment(episode.begin)) }
                            td { @match episode.end { Some(end) => (moment(end)), None => { "still so at " (second(matter.seen)) } } }
                            td { (length(episode, matter.seen)) }
                            td { @if !episode.unseen.is_zero() { (span(episode.unseen)) } }
                            td { (episode.evidence) }
                        }
                    }
                }
            }
        }
    }
}

/// How it was measured, and what one vantage cannot know.
fn method(matter: &Matter) -> Markup {
    let unwatched: Duration = matter.unwatched().iter().map(|gap| gap.1.since(gap.0)).sum();
    html! {
        h2 { "How it was measured" }
        p { "lifesign asks known hosts in each of the country's address blocks, every few seconds, by ICMP echo, TCP "
            "or DNS. An answer proves that the host's block could be reached when it was asked. A verdict of "
            b { "down" } " needs so many misses that chance is out of the question, given how often the same hosts "
            "miss otherwise: odds of a million to one. " b { "Outage" } " is a longer darkness without one answer; "
            b { "flapping" } " is at least three darknesses in quick succession. A begin or an end is "
            "an interval: from the last proof of the one state to the first sufficient proof of the other. Its "
            "middle is given, and how far either side lies from it." }
        p { "Seen from: " (matter.vantages()) ". Runs in this time: " (matter.runs.len()) ". "
            @if unwatched.is_zero() { "It was watched without a break." }
            @else { "For " (span(unwatched)) " of it nobody watched; the timeline is hatched there." } }
        h2 { "What one vantage cannot know" }
        ul {
            li { "That the hosts did not answer, not why: a power cut, a cut cable, a filter and a decision look alike." }
            li { "Where the path broke. From other places in the world the country may have been reachable. Only a "
                "failure of our own connection is told apart, by controls that answer whenever it works." }
            li { "What people inside could do: a network that is cut off from the world may go on within." }
            li { "Anything of addresses that were not asked." }
        }
    }
}

const STYLE: &str = "
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem; break-after: avoid }
.sentence { font-size: 1.15rem; border-left: .3rem solid #444; padding-left: 1rem }
table { border-collapse: collapse; width: 100%; font-size: .85rem }
th, td { text-align: left; padding: .2rem .5rem; border-bottom: 1px solid #ccc; vertical-align: top }
tr { break-inside: avoid } svg { width: 100%; height: auto; break-inside: avoid } footer { margin-top: 2rem; color: #555 }
svg text { font: 11px system-ui, sans-serif; fill: #333 }
.outage { fill: #a50026; color: #a50026 } .down { fill: #e34a33; color: #c0392b } .flapping { fill: #8856a7; color: #6a3d9a }
.partial { fill: #fdae61; color: #a65e00 } .degraded { fill: #e6c229; color: #7a6400 } .unknown { fill: #999; color: #555 }
.up { fill: #b7dfc0 } .gap { fill: #ccc } .line { fill: none; stroke: #2166ac; stroke-width: 1.2 } .line.far { stroke: #92c5de }
.axis { stroke: #888; stroke-width: .6 }
@media print { body { margin: 0; max-width: none; font-size: 11px } }
";
