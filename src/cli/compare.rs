//! The command `compare`: what others said, beside what we say (docs/import.md).

use super::{
    complete,
    events::{leave_out_others, read_events},
    exit,
    input::{file, name_of, standard_input, unreadable},
    open_store::{open_store, tell_broken},
    output::{Leftover, cannot_write, remove_when_ended},
    refusal::Refusal,
    replay::into_store,
    stderr::print_error,
};
use crate::line_writer::print;
use clap::Args;
use lifesign_clock::Clock;
use lifesign_core::time::Time;
use lifesign_formats::compare::{Ours, json_lines, rows, text};
use lifesign_incident::{Period, Statement, UnseenByScope, fold};
use lifesign_store::{FILE_NAME, Rows, StoreError, TemporaryDirectory, unwatched_until};
use std::{
    env,
    fs::{self, File},
    io::Read,
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
    #[arg(long, value_name = "FILE", value_parser = file())]
    config: Vec<PathBuf>,
    /// Only this country
    #[arg(long, value_name = "KP", add = complete::countries())]
    country: Option<String>,
    /// Print JSON Lines
    #[arg(long)]
    json: bool,
}

/// Prints the comparison.
pub(super) fn compare(args: CompareArgs) -> Result<(), Refusal> {
    let theirs = read_events(&args.events)?;
    // Before a plan is looked for, without which a journal says nothing.
    if let Err(error) = fs::metadata(&args.ours)
        && !standard_input(&args.ours)
    {
        return Err(unreadable(&name_of(&args.ours), &error));
    }
    let country = args.country.as_deref();
    if args.ours.is_dir() {
        return tell(&args.ours.join(FILE_NAME), theirs, country, args.json);
    }
    if is_store(&args.ours) {
        return tell(&args.ours, theirs, country, args.json);
    }
    // A store of its own, for as long as it takes.
    let temporary = TemporaryDirectory::with_prefix("lifesign-").and_then(|temporary| {
        remove_when_ended(Leftover::Tree(temporary.path().to_owned()))?;
        Ok(temporary)
    });
    let temporary = temporary.map_err(|error| cannot_write(&env::temp_dir(), &error))?;
    let directory = temporary.path().join("played");
    let store = directory.join(FILE_NAME);
    into_store(args.ours.clone(), args.config, directory)?;
    if !store.exists() {
        let text = format!("{}: no outcome of a target in it", name_of(&args.ours));
        return Err(Refusal::new(text, exit::DATA));
    }
    tell(&store, theirs, country, args.json)
}

fn is_store(path: &Path) -> bool {
    let mut begin = [0; 15];
    // To open a pipe may wait, and takes what is read of it.
    let is_file = !standard_input(path) && path.is_file();
    let mut read = || File::open(path)?.read_exact(&mut begin);
    is_file && read().is_ok() && begin == *b"SQLite format 3"
}

fn tell(
    store: &Path,
    mut theirs: Vec<Statement>,
    country: Option<&str>,
    json: bool,
) -> Result<(), Refusal> {
    let reader = open_store(None, Some(store.to_owned()))?;
    let known = reader.known_scopes().map_err(StoreError::from)?;
    // The error says which countries there are.
    let country = country.map(|code| known.country(code)).transpose();
    let country = country.map_err(Refusal::data)?;
    if let Some(country) = &country {
        leave_out_others(&mut theirs, country);
    }
    let codes = theirs.iter_mut().filter_map(|one| one.country.as_mut());
    if let Some(unknown) = known.spell(codes) {
        print_error(&unknown);
    }
    let is_of_it = |code: &String| country.as_ref().is_none_or(|country| country == code);
    let now = Clock::start().now();
    let until = reader.observed_until(now).map_err(StoreError::from)?;
    let Rows { read: episodes, broken } = reader.episodes_alone(None).map_err(StoreError::from)?;
    let watched = reader.watched_until(until, None).map_err(StoreError::from)?;
    tell_broken(broken + watched.broken);
    let mut unwatched = unwatched_until(until, &watched.read);
    let incidents = fold(&episodes, &unwatched, until).into_iter();
    let ours: Vec<Ours> =
        incidents.filter(|one| is_of_it(&one.country)).flat_map(Ours::of_incident).collect();
    unwatched.push((until, Time::NEVER));
    let all_unseen = UnseenByScope::new(&episodes, &unwatched, until);
    // Where no country is named, as much as of that of which nobody saw most.
    let unseen = |country: Option<&str>, period: Period| {
        let asked = known.countries().filter(|code| is_of_it(code));
        let named = asked.filter(|code| country.is_none_or(|country| country == *code));
        named.map(|code| all_unseen.of_country(code).within(period)).max()
    };
    let rows = rows(&ours, &theirs, until, unseen);
    let end = (until < now).then_some(until);
    print(&if json { json_lines(&rows) } else { text(&rows, end) });
    Ok(())
}
