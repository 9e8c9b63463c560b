//! The state directory: which it is, and who may write there. Of the runs that would, it belongs to
//! one at a time; what was played (`replay`, `simulate`, `demo`) is never mixed with what was seen.

use super::{opening::StoreError, reader::StoreReader};
use lifesign_core::time::Time;
use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

/// The name of the file in the state directory.
pub const FILE_NAME: &str = "lifesign.db";

/// Why nothing may be written in a state directory, as one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Another run uses it. It may end, so a retry makes sense.
    #[error(
        "the state directory {0} belongs to another run that is under way; end that one, \
         or give this one a directory of its own with --state-dir"
    )]
    InUse(PathBuf),
    /// What would be played has a store there already.
    #[error(
        "{0} holds what happened in another run, and what is played needs a store of its own; \
         give an empty directory with --state-dir, or delete {file} if nobody needs it",
        file = .0.join(FILE_NAME).display()
    )]
    HasStore(PathBuf),
    /// A run would go on from what was only played.
    #[error(
        "{0} holds what was played by replay, simulate or demo, and a run would go on from that; \
         give another directory with --state-dir"
    )]
    Played(PathBuf),
    /// The file cannot be made or written.
    #[error("cannot write the store {path}: {error}")]
    Store {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: StoreError,
    },
}

/// The state directory: the one given, else the first of systemd's `$STATE_DIRECTORY`.
pub fn directory(given: Option<PathBuf>) -> Option<PathBuf> {
    given.or_else(|| {
        let list = std::env::var("STATE_DIRECTORY").ok()?;
        list.split(':').next().filter(|path| !path.is_empty()).map(PathBuf::from)
    })
}

/// The last time that is written down in this state directory; None if nothing is, or it cannot be
/// read.
pub fn last_written(directory: &Path) -> Option<Time> {
    StoreReader::open(&directory.join(FILE_NAME)).ok()?.last_written().ok()?
}

/// Locks this directory for a run, until the returned file is dropped; None if it cannot be opened,
/// which also keeps the store from opening, and that reports it.
pub fn lock(directory: &Path) -> Result<Option<File>, DirectoryError> {
    let lock = lock_any(directory)?;
    let was_played = |store: StoreReader| store.was_played();
    if StoreReader::open(&directory.join(FILE_NAME)).is_ok_and(was_played) {
        return Err(DirectoryError::Played(directory.to_owned()));
    }
    Ok(lock)
}

/// The same for what is played, which needs a directory without a store.
pub(super) fn lock_to_play(directory: &Path) -> Result<Option<File>, DirectoryError> {
    let lock = lock_any(directory)?;
    let path = directory.join(FILE_NAME);
    match StoreReader::open_if_made(&path) {
        Ok(None) => Ok(lock),
        Ok(Some(_)) => Err(DirectoryError::HasStore(directory.to_owned())),
        Err(error) => Err(DirectoryError::Store { path, error }),
    }
}

/// It is the system's lock on the directory itself: nothing is left of it when a run ends, however
/// it ends, and readers do not need it.
fn lock_any(directory: &Path) -> Result<Option<File>, DirectoryError> {
    let file = fs::create_dir_all(directory).and_then(|()| File::open(directory)).ok();
    match file.as_ref().map(File::try_lock) {
        Some(Err(TryLockError::WouldBlock)) => Err(DirectoryError::InUse(directory.to_owned())),
        _ => Ok(file),
    }
}
