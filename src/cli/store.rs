//! The commands `episodes` and `report`. They read the store, which a running lifesign may be
//! writing.

use super::{
    complete, exit, file, input::Stream, output::Output, refusal::Refusal, standard_input,
    stderr::print_error,
};
use crate::line_writer::print;
use clap::Args;
use lifesign_clock::Clock;
use lifesign_core::{judge::State, time::Time};
use lifesign_document::{MAX_MEBIBYTES, unended};
use lifesign_formats::events;
use lifesign_incident::{
    Statement,
    period::{When, past},
};
use lifesign_store::{
    self as store, EpisodeFilter, Rows, StoreError, StoreReader, ToldIncidents, incidents, list,
    report,
    rows::{self, EpisodeRow, IncidentRow},
};
use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Which store to read.
#[derive(Args, Debug)]
struct StoreArgs {
    /// The state directory of the run (default: $STATE_DIRECTORY, else /var/lib/lifesign)
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// The store's file, such as a copy from another machine
    #[arg(long, value_name = "FILE", conflicts_with = "state_dir", value_parser = file())]
    db: Option<PathBuf>,
}

/// Where the installed service has its state, which its group may read.
const INSTALLED: &str = "/var/lib/lifesign";

/// Is it for lack of a permission that SQLite cannot open it? It does not say so itself.
fn is_denied(path: &Path) -> bool {
    File::open(path).is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

fn denied(path: &Path) -> Refusal {
    let hint = if path.starts_with(INSTALLED) {
        "; the group lifesign may: sudo usermod -aG lifesign $USER, and log in again"
    } else {
        ""
    };
    Refusal::permission(format!("this user may not read the store {}{hint}", path.display()))
}

/// Opens the store that these arguments name.
pub(super) fn open_store(
    state_dir: Option<PathBuf>,
    db: Option<PathBuf>,
) -> Result<StoreReader, Refusal> {
    let hint = match db {
        Some(_) => "",
        None => "; give the directory that the run keeps its state in with --state-dir",
    };
    let directory = || store::directory(state_dir).unwrap_or_else(|| INSTALLED.into());
    let path = db.unwrap_or_else(|| directory().join(store::FILE_NAME));
    StoreReader::open(&path).map_err(|error| {
        if matches!(error, StoreError::Sqlite(_)) && is_denied(&path) {
            return denied(&path);
        }
        let hint = if matches!(error, StoreError::Missing) { hint } else { "" };
        Refusal::data(format!("cannot read the store {}: {error}{hint}", path.display()))
    })
}

impl StoreArgs {
    fn open(self) -> Result<StoreReader, Refusal> {
        open_store(self.state_dir, self.db)
    }
}

/// Of which time.
#[derive(Args, Debug)]
struct PeriodArgs {
    /// From when on: a day as 2014-12-22, yesterday or today, a time as 2014-12-22T16:15Z, or how
    /// long ago as 7d or 1h30m, of what was played before its end; days begin at midnight UTC
    #[arg(long, value_name = "TIME", default_value = "7d")]
    since: When,
    /// Up to when, written alike; what is to come is left out (default: now)
    #[arg(long, value_name = "TIME")]
    until: Option<When>,
}

impl PeriodArgs {
    /// Of what was played, relative to when that ended.
    fn resolve(&self, reader: &StoreReader, wall: Time) -> Result<(Time, Time), Refusal> {
        let now = reader.now(wall).map_err(StoreError::from)?;
        past(self.since, self.until, now)
            .map_err(|error| Refusal::usage(format!("--since must lie before --until: {error}")))
    }
}

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

#[derive(Args, Debug)]
pub(super) struct ReportArgs {
    /// The country's code
    #[arg(add = complete::countries())]
    country: String,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    period: PeriodArgs,
    /// Draw below ours what others said, as for compare; may be given several times
    #[arg(long, value_name = "FILE")]
    events: Vec<PathBuf>,
    /// Where to write the page, where nothing is or an older report (default: standard output, as
    /// -); ./- is a file of this name
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn state(text: &str) -> Result<State, String> {
    State::from_label(&text.to_ascii_lowercase()).ok_or_else(|| {
        let known = State::ALL.map(State::label).join(", ");
        format!("there is no such state; there are {known}")
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
            Some(format!("no {what} between {since} and {until}{}{hint}", held(&reader)))
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

/// Writes the report of a country as an HTML page.
pub(super) fn report(args: ReportArgs) -> Result<(), Refusal> {
    let now = Clock::start().now();
    let reader = args.store.open()?;
    let (since, until) = args.period.resolve(&reader, now)?;
    let country = reader.country(&args.country).map_err(Refusal::data)?;
    let data = report::ReportData::read(&reader, &country, (since, until), now);
    let mut data = data.map_err(StoreError::from)?.ok_or_else(|| {
        let held = held(&reader);
        Refusal::data(format!("nothing is known of {country} between {since} and {until}{held}"))
    })?;
    let mut statements = read_events(&args.events)?;
    leave_out_others(&mut statements, data.country());
    data.add_statements(statements);
    tell_broken(data.broken());
    let page = report::page(&data).into_string();
    let Some(path) = args.output.filter(|path| !standard_input(path)) else {
        print(&page);
        return Ok(());
    };
    let output = Output::replace(&path, is_report)?;
    (&output).write_all(page.as_bytes()).map_err(|error| output.failed(&error))?;
    output.finish()
}

/// Does a file that begins so hold a report of ours? A report is written anew, and nothing else is.
fn is_report(head: &str) -> bool {
    let policy = "content=\"default-src 'none'; style-src 'unsafe-inline'\"";
    head.starts_with("<!DOCTYPE html>")
        && [policy, "<title>Reachability of "].iter().all(|mark| head.contains(mark))
}

/// What others said in these files.
pub(super) fn read_events(files: &[PathBuf]) -> Result<Vec<Statement>, Refusal> {
    let mut statements = Vec::new();
    for path in files {
        let stream = Stream::open(path)?;
        let name = stream.name.clone();
        let text = stream.text(MAX_MEBIBYTES).map_err(|problems| Refusal::of_data(&problems))?;
        let read = events::read(&name, &text).map_err(|why| Refusal::new(why, exit::DATA))?;
        if read.is_table
            && let Some(why) = unended(&name, &text)
        {
            print_error(&why);
        }
        statements.extend(read.list);
    }
    // The same question may have been asked for times that overlap.
    events::once(&mut statements);
    Ok(statements)
}

/// Leaves out what was said of other countries, and says how much that is.
pub(super) fn leave_out_others(statements: &mut Vec<Statement>, country: &str) {
    let all = statements.len();
    statements.retain(|one| one.is_of(country));
    let others = all - statements.len();
    if others > 0 {
        print_error(&format!("events of other countries than {country}, left out: {others}"));
    }
}

/// Of which times the store has anything, to be put behind what it has nothing of.
fn held(reader: &StoreReader) -> String {
    match reader.held() {
        Ok(Some((from, to))) => format!("; the store holds {from} to {to}"),
        Ok(None) => "; the store holds nothing yet".into(),
        Err(error) => format!("; {}", StoreError::from(error)),
    }
}

/// Says that rows were left out, if any were.
pub(super) fn tell_broken(rows: usize) {
    if rows > 0 {
        print_error(&format!(
            "lifesign: rows of the store that cannot be read and are left out: {rows}"
        ));
    }
}
