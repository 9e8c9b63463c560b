//! `episodes` and `report`: what the store knows. In: arguments. Out: text on standard output, or a
//! file. It never changes the store, which a running lifesign may be writing.

use super::exit;
use crate::{
    clock::Clock,
    store::{self, EpisodeFilter, StoreReader, list, report},
};
use clap::Args;
use lifesign_core::{judge::State, time::Time};
use std::{
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

/// Which store.
#[derive(Args, Debug)]
struct Source {
    /// The state directory of the run (default: $STATE_DIRECTORY, else /var/lib/lifesign)
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// The store itself, such as a copy from another machine
    #[arg(long, value_name = "FILE", conflicts_with = "state_dir")]
    db: Option<PathBuf>,
}

impl Source {
    fn open(self) -> Result<StoreReader, String> {
        let directory =
            || store::directory(self.state_dir).unwrap_or_else(|| "/var/lib/lifesign".into());
        let path = self.db.unwrap_or_else(|| directory().join(store::FILE_NAME));
        StoreReader::open(&path)
            .map_err(|error| format!("cannot read the store {}: {error}", path.display()))
    }
}

#[derive(Args, Debug)]
pub(super) struct Episodes {
    #[command(flatten)]
    source: Source,
    /// Those that touch the time since then: 7d, 12h, 30min, or 2014-12-22T16:15:00Z
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = When::read)]
    since: When,
    /// Those that began before then
    #[arg(long, value_name = "TIME", value_parser = When::read)]
    until: Option<When>,
    /// A country's code, for it and its blocks; or a block's prefix
    #[arg(long, value_name = "KP")]
    scope: Option<String>,
    /// Only this state: outage, flapping, down, partial, degraded or unknown
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<State>,
    /// Print JSON Lines
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV
    #[arg(long)]
    csv: bool,
}

#[derive(Args, Debug)]
pub(super) struct Report {
    /// The country's code
    country: String,
    #[command(flatten)]
    source: Source,
    /// From when: 7d, 12h, 30min, or 2014-12-22T16:15:00Z
    #[arg(long, value_name = "TIME", value_parser = When::read)]
    since: When,
    /// Until when (default: now)
    #[arg(long, value_name = "TIME", value_parser = When::read)]
    until: Option<When>,
    /// Where to write the page (default: standard output)
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A moment, or so long ago.
#[derive(Clone, Copy, Debug)]
enum When {
    At(Time),
    Ago(Duration),
}

impl When {
    fn read(text: &str) -> Result<Self, String> {
        let split = text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len());
        let unit = match &text[split..] {
            "s" => 1,
            "min" | "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => {
                return text
                    .parse()
                    .map(When::At)
                    .map_err(|error| format!("{error}, or as 7d, 12h, 30min"));
            }
        };
        let count: u64 =
            text[..split].parse().map_err(|_| format!("{text:?} is no time; write it as 7d"))?;
        Ok(When::Ago(Duration::from_secs(count.saturating_mul(unit))))
    }

    fn before(self, now: Time) -> Time {
        match self {
            When::At(time) => time,
            When::Ago(span) => now - span,
        }
    }

    /// The time from one to another, up to now without it.
    fn between(since: When, until: Option<When>, now: Time) -> Result<(Time, Time), String> {
        let (since, until) = (since.before(now), until.map_or(now, |until| until.before(now)));
        if since < until {
            Ok((since, until))
        } else {
            Err("--since must lie before --until".into())
        }
    }
}

fn state(text: &str) -> Result<State, String> {
    State::from_label(text).ok_or_else(|| {
        let known = State::ALL.map(State::label).join(", ");
        format!("there is no such state; there are {known}")
    })
}

/// Prints episodes.
pub(super) fn episodes(asked: Episodes) -> u8 {
    let now = Clock::start().now();
    let found = When::between(asked.since, asked.until, now).and_then(|(since, until)| {
        let book = asked.source.open()?;
        // Of a copy from a machine whose clock is ahead, all is listed.
        let until = asked.until.map(|_| until);
        let filter =
            EpisodeFilter { since: Some(since), until, scope: asked.scope, state: asked.state };
        let found = book.episodes(&filter).and_then(|found| Ok((found, book.seen(now)?)));
        found.map_err(|error| error.to_string())
    });
    match found {
        Ok((found, seen)) => {
            let write = match (asked.json, asked.csv) {
                (true, _) => list::json,
                (_, true) => list::csv,
                _ => list::text,
            };
            // A reader that has gone away is no error of ours.
            let _ = io::stdout().write_all(write(&found, seen).as_bytes());
            exit::OK
        }
        Err(error) => refuse(&error),
    }
}

/// Writes a report.
pub(super) fn report(asked: Report) -> u8 {
    let now = Clock::start().now();
    let page = When::between(asked.since, asked.until, now).and_then(|(since, until)| {
        let book = asked.source.open()?;
        let matter = report::Matter::read(&book, &asked.country, (since, until), now);
        matter.map_err(|error| error.to_string())?.ok_or_else(|| {
            format!("nothing is known of {} between {since} and {until}", asked.country)
        })
    });
    let page = match page {
        Ok(matter) => report::page(&matter).into_string(),
        Err(error) => return refuse(&error),
    };
    match asked.output {
        None => {
            let _ = io::stdout().write_all(page.as_bytes());
            exit::OK
        }
        Some(path) => match std::fs::write(&path, page) {
            Ok(()) => exit::OK,
            Err(error) => {
                eprintln!("lifesign: cannot write {}: {error}", path.display());
                exit::CANNOT_CREATE
            }
        },
    }
}

fn refuse(error: &str) -> u8 {
    eprintln!("lifesign: {error}");
    exit::DATA
}
