//! The command `episodes`: what happened, as the store has it.

use super::{
    complete,
    open_store::{PeriodArgs, StoreArgs, covered, tell_broken},
    refusal::Refusal,
    stderr::print_error,
};
use crate::line_writer::print;
use clap::Args;
use lifesign_clock::Clock;
use lifesign_core::judge::State;
use lifesign_store::{
    EpisodeFilter, Rows, StoreError, ToldIncidents, incidents, list,
    rows::{self, EpisodeRow, IncidentRow},
};

#[derive(Args, Debug)]
pub(super) struct EpisodesArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    period: PeriodArgs,
    /// Only this scope: a country's code, for the country and all in it, a block's prefix, or a
    /// network as CODE/NAME or by its number, such as as64500
    #[arg(long, value_name = "KP", add = complete::scopes())]
    scope: Option<String>,
    /// List every stay in another state than up, and not incidents
    #[arg(long)]
    all: bool,
    /// With --all: only this state: outage, flapping, down, partial, degraded or unknown
    #[arg(long, value_name = "STATE", value_parser = state, requires = "all", add = complete::states())]
    state: Option<State>,
    /// Print JSON Lines
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV
    #[arg(long)]
    csv: bool,
}

/// The states that episodes are of: a stay up is none.
pub(super) fn listed() -> impl Iterator<Item = State> {
    State::ALL.into_iter().filter(|state| *state != State::Up)
}

fn state(text: &str) -> Result<State, String> {
    listed().find(|state| state.label().eq_ignore_ascii_case(text)).ok_or_else(|| {
        let known: Vec<_> = listed().map(State::label).collect();
        format!("no episode is of such a state; there are {}", known.join(", "))
    })
}

/// How a list is written.
enum ListFormat {
    Table,
    JsonLines,
    Csv,
}

/// Prints incidents, or episodes.
pub(super) fn episodes(args: EpisodesArgs) -> Result<(), Refusal> {
    let now = Clock::start().now();
    let reader = args.store.open()?;
    let (since, until) = args.period.resolve(&reader, now)?;
    let scope = args.scope.map(|name| reader.scope(&name)).transpose();
    let filter = EpisodeFilter {
        since: Some(since),
        // Without --until nothing is left out of a copy from a machine whose clock is ahead.
        until: args.period.until.map(|_| until),
        scope: scope.map_err(Refusal::data)?,
        state: args.state,
    };
    let observed_until = reader.observed_until(now).map_err(StoreError::from)?;
    let format = match (args.json, args.csv) {
        (true, _) => ListFormat::JsonLines,
        (_, true) => ListFormat::Csv,
        _ => ListFormat::Table,
    };
    let mut told_with = None;
    let listed = if args.all {
        let Rows { read, broken } = reader.episodes(&filter).map_err(StoreError::from)?;
        let rows = read.iter().map(|episode| EpisodeRow::new(episode, observed_until));
        let text = match format {
            ListFormat::Table => Ok(list::text(&read, observed_until)),
            ListFormat::JsonLines => rows::json_lines(rows),
            ListFormat::Csv => rows::csv(rows),
        };
        text.map(|text| (text, read.is_empty(), broken))
    } else {
        let told = reader.incidents(&filter, observed_until, None);
        let ToldIncidents { rows: Rows { read, broken }, told_with: country, places } =
            told.map_err(StoreError::from)?;
        told_with = country;
        let rows = read.iter().map(|incident| IncidentRow::new(incident, &places, observed_until));
        let text = match format {
            ListFormat::Table => Ok(incidents::text(&read, observed_until)),
            ListFormat::JsonLines => rows::json_lines(rows),
            ListFormat::Csv => rows::csv(rows.flat_map(IncidentRow::phases)),
        };
        text.map(|text| (text, read.is_empty(), broken))
    };
    let (text, is_empty, broken) = listed.map_err(Refusal::data)?;
    let whose = filter.scope.as_deref().unwrap_or_default();
    let note = match (told_with, is_empty) {
        (Some(country), _) => Some(format!(
            "{}what {whose} shared with {country} is told with that: --scope {country}; --all \
                 lists every stay of {whose} in another state than up",
            if is_empty { "no incidents of its own; " } else { "" }
        )),
        (None, true) => {
            let what = if args.all { "episodes" } else { "incidents" };
            let hint =
                if args.all { "" } else { "; --all lists every stay in another state than up" };
            Some(format!("no {what} between {since} and {until}{}{hint}", covered(&reader)))
        }
        (None, false) => None,
    };
    print(&text);
    if let Some(note) = note {
        print_error(&format!("lifesign: {note}"));
    }
    tell_broken(broken);
    Ok(())
}
