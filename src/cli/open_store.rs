//! The store that a command reads, which a running lifesign may be writing, and of which time.

use super::{exit, input::file, refusal::Refusal, stderr::print_error};
use clap::Args;
use lifesign_core::time::Time;
use lifesign_incident::period::{When, past, period};
use lifesign_store::{self as store, StoreError, StoreReader};
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// Which store to read.
#[derive(Args, Debug)]
pub(super) struct StoreArgs {
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
    let hint = "; the group lifesign may: sudo usermod -aG lifesign $USER, and log in again";
    let hint = if path.starts_with(INSTALLED) { hint } else { "" };
    Refusal::of_us(
        format!("this user may not read the store {}{hint}", path.display()),
        exit::PERMISSION,
    )
}

/// Opens the store that these arguments name.
pub(super) fn open_store(
    state_dir: Option<PathBuf>,
    db: Option<PathBuf>,
) -> Result<StoreReader, Refusal> {
    let is_named = db.is_some();
    let directory = || store::directory(state_dir).unwrap_or_else(|| INSTALLED.into());
    let path = db.unwrap_or_else(|| directory().join(store::FILE_NAME));
    StoreReader::open(&path).map_err(|error| {
        if matches!(error, StoreError::Sqlite(_)) && is_denied(&path) {
            return denied(&path);
        }
        let hint = match error {
            StoreError::Missing if !is_named => {
                "; give the directory that the run keeps its state in with --state-dir"
            }
            _ if is_named && error.is_no_store() => "; give a copy of lifesign.db",
            _ => "",
        };
        Refusal::data(format!("cannot read the store {}: {error}{hint}", path.display()))
    })
}

impl StoreArgs {
    pub fn open(self) -> Result<StoreReader, Refusal> {
        open_store(self.state_dir, self.db)
    }
}

/// Of which time.
#[derive(Args, Debug)]
pub(super) struct PeriodArgs {
    /// From when on: a day as 2014-12-22, yesterday or today, a time as 2014-12-22T16:15Z, or a
    /// span back from now, such as 7d or 1h30m (in a played store: from its end); days begin at
    /// midnight UTC
    #[arg(long, value_name = "TIME", default_value = "7d")]
    since: When,
    /// Up to when, written alike; what is to come is left out (default: now)
    #[arg(long, value_name = "TIME")]
    pub until: Option<When>,
}

impl PeriodArgs {
    /// Of what was played, relative to when that ended.
    pub fn resolve(&self, reader: &StoreReader, wall: Time) -> Result<(Time, Time), Refusal> {
        let now = reader.now(wall).map_err(StoreError::from)?;
        let is_period = self.until.is_none() || period(self.since, self.until, now).is_ok();
        past(self.since, self.until, now).map_err(|error| {
            if is_period {
                let end = format!("--since is not before the end of what is known, {now}");
                return Refusal::data(end + &covered(reader));
            }
            Refusal::of_us(format!("--since must lie before --until: {error}"), exit::USAGE)
        })
    }
}

/// Of which times the store has anything, to be put behind what it has nothing of.
pub(super) fn covered(reader: &StoreReader) -> String {
    match reader.covered() {
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
