//! The command `compare`: what others said, beside what we say (docs/import.md).

use super::{
    complete, exit,
    replay::into_store,
    standard_input,
    stderr::print_error,
    store::{open_store, read_events, tell_broken},
};
use clap::Args;
use lifesign_clock::Clock;
use lifesign_core::judge::State;
use lifesign_formats::{
    compare::{Ours, json_lines, rows, text},
    events::Statement,
};
use lifesign_store::{EpisodeFilter, FILE_NAME, Rows, StoreError};
use std::{
    env,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

#[derive(Args, Debug)]
pub(super) struct CompareArgs {
    /// The state directory of a run, a copy of its store's file, or a journal
    #[arg(value_name = "OURS")]
    ours: PathBuf,
    /// What others said: events of IODA or annotations of Cloudflare Radar as JSON, or
    /// comma-separated values with a first line such as begin,end,who,country,what; may be given
    /// several times
    #[arg(long, value_name = "FILE", required = true)]
    events: Vec<PathBuf>,
    /// The plan that the journal was recorded with (default: as for run); if that changed
    /// meanwhile, give each plan, in order
    #[arg(long, value_name = "FILE")]
    config: Vec<PathBuf>,
    /// Only this country
    #[arg(long, value_name = "KP", add = complete::countries())]
    country: Option<String>,
    /// Print JSON Lines
    #[arg(long)]
    json: bool,
}

/// Prints the comparison; returns the exit code.
pub(super) fn compare(args: CompareArgs) -> u8 {
    let mut theirs = match read_events(&args.events) {
        Ok(theirs) => theirs,
        Err(why) => {
            print_error(why);
            return exit::DATA;
        }
    };
    let country = args.country.as_deref();
    theirs.retain(|one| {
        country.is_none_or(|code| one.country.as_deref().is_none_or(|its| its == code))
    });
    if args.ours.is_dir() {
        return compared(&args.ours.join(FILE_NAME), &theirs, country, args.json);
    }
    if is_store(&args.ours) {
        return compared(&args.ours, &theirs, country, args.json);
    }
    // A store of its own, for as long as it takes.
    let directory = env::temp_dir().join(format!("lifesign-compare-{}", std::process::id()));
    let code = match into_store(args.ours.clone(), args.config, directory.clone()) {
        exit::OK => compared(&directory.join(FILE_NAME), &theirs, country, args.json),
        code => code,
    };
    let _ = fs::remove_dir_all(directory);
    code
}

fn is_store(path: &Path) -> bool {
    let mut begin = [0; 15];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut begin));
    !standard_input(path) && read.is_ok() && begin == *b"SQLite format 3"
}

fn compared(store: &Path, theirs: &[Statement], country: Option<&str>, json: bool) -> u8 {
    let read = open_store(None, Some(store.to_owned())).and_then(|reader| {
        let until = reader.observed_until(Clock::start().now()).map_err(StoreError::from)?;
        let all = EpisodeFilter::default();
        Ok((reader.episodes(&all).map_err(StoreError::from)?, until))
    });
    let (Rows { read: episodes, broken }, until) = match read {
        Ok(read) => read,
        Err(refusal) => return refusal.tell(),
    };
    tell_broken(broken);
    let is_told = |state| matches!(state, State::Down | State::Outage | State::Flapping);
    let ours: Vec<_> = episodes
        .into_iter()
        .filter(|episode| episode.scope == episode.country && is_told(episode.state))
        .filter(|episode| country.is_none_or(|code| episode.country == code))
        .map(|episode| {
            let (state, begin, end) = (episode.state, episode.begin, episode.end);
            Ours { country: episode.country, state, begin, end }
        })
        .collect();
    let rows = rows(&ours, theirs, until);
    let text = if json { json_lines(&rows) } else { text(&rows) };
    // A reader that has gone away is no error of ours.
    let _ = io::stdout().write_all(text.as_bytes());
    exit::OK
}
