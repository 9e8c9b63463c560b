//! The file, as it is opened: what is none of ours is told from what cannot be read.

use super::reader::VERSION;
use rusqlite::{Connection, Error, OpenFlags};
use std::{fs, io, path::Path};

/// Why the store cannot be opened, read or written, in a line that does not name the file.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Reading makes none.
    #[error("there is no such file")]
    Missing,
    /// Whoever reads a pipe or a device may wait for ever.
    #[error("it is no regular file")]
    NotRegular,
    /// A database of something else.
    #[error("this is no store of lifesign")]
    Foreign,
    /// A later lifesign wrote it.
    #[error("the store has version {0}, and this lifesign reads versions 1 to {VERSION}")]
    Version(i64),
    /// What SQLite says.
    #[error("{0}")]
    Sqlite(#[from] Error),
}

impl StoreError {
    /// The error for tables of this version (`PRAGMA user_version`).
    pub(super) fn of_version(version: i64) -> Self {
        if version == 0 { Self::Foreign } else { Self::Version(version) }
    }
}

/// A connection to the file, or to `address` (a URI) of it.
pub(super) fn connect(
    path: &Path,
    address: Option<&str>,
    flags: OpenFlags,
) -> Result<Connection, StoreError> {
    match fs::metadata(path) {
        Ok(file) if !file.is_file() => return Err(StoreError::NotRegular),
        Err(error)
            if error.kind() == io::ErrorKind::NotFound
                && !flags.contains(OpenFlags::SQLITE_OPEN_CREATE) =>
        {
            return Err(StoreError::Missing);
        }
        _ => {}
    }
    let opened = match address {
        None => Connection::open_with_flags(path, flags),
        Some(address) => Connection::open_with_flags(address, flags),
    };
    Ok(opened.map_err(without_name)?)
}

/// What SQLite says of a file that cannot be opened has the name of the file behind it.
fn without_name(error: Error) -> Error {
    match error {
        Error::SqliteFailure(code, Some(text)) => {
            let said = text.split_once(": ").map_or(&*text, |(said, _)| said);
            Error::SqliteFailure(code, Some(said.to_owned()))
        }
        other => other,
    }
}
