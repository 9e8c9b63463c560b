//! The file, as it is opened: what is none of ours is told from what cannot be read.

use rusqlite::{Connection, Error, ErrorCode, OpenFlags};
use std::{fs, io, path::Path};

/// The version of the tables (`PRAGMA user_version`).
pub(super) const VERSION: i64 = 3;

/// `PRAGMA application_id` of a store of what was played: "play" in ASCII. Of a run it is 0.
pub(super) const PLAYED: i32 = 0x706c_6179;

/// Why the store cannot be opened, read or written, in a line that does not name the file.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Reading makes none.
    #[error("there is no such file")]
    Missing,
    /// There is a directory in its place.
    #[error("it is a directory, and no file")]
    Directory,
    /// Whoever reads a pipe or a device may wait for ever.
    #[error("it is no regular file")]
    NotRegular,
    /// A database of something else.
    #[error("this is another program's file, and no store of lifesign")]
    Foreign,
    /// A file that nothing was written to yet.
    #[error("nothing is in it yet")]
    Empty,
    /// A later lifesign wrote it.
    #[error("the store has version {0}, and this lifesign reads versions 1 to {VERSION}")]
    Version(i64),
    /// SQLite reads the log only where it may write.
    #[error(
        "the log beside it (-wal) is not empty, and is read only where this user may write; \
         copy both files to such a directory"
    )]
    Log,
    /// What SQLite says, in our words.
    #[error("{}", words(.0))]
    Sqlite(#[from] Error),
}

impl StoreError {
    /// Is the file no store, as far as can be told?
    pub fn is_no_store(&self) -> bool {
        let code = if let Self::Sqlite(error) = self { error.sqlite_error_code() } else { None };
        matches!(self, Self::Foreign) || code == Some(ErrorCode::NotADatabase)
    }
}

/// What an error of SQLite means to whoever has the file (<https://sqlite.org/rescode.html>). Of
/// one that is none of the file's or the disk's, its code: that is a fault of ours.
pub(super) fn words(error: &Error) -> String {
    let known = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "it is no store, or damaged",
        Some(ErrorCode::DatabaseCorrupt) => "it is damaged",
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed,
        ) => "another program keeps it locked; try again, or read a copy",
        Some(ErrorCode::CannotOpen) => {
            "its directory is missing or read-only, or this user may not open it or what lies \
             beside it (-wal, -shm)"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => "this user may not write it",
        Some(ErrorCode::DiskFull) => "the disk is full",
        Some(ErrorCode::SystemIoFailure) => "the disk cannot read or write it",
        Some(ErrorCode::OutOfMemory) => "there is not enough memory",
        Some(code) => return format!("SQLite refuses it ({code:?})"),
        None => "a row of it makes no sense",
    };
    known.to_owned()
}

/// The tables that every version has.
const COUNT_OF_OURS: &str = "SELECT count(*) FROM sqlite_master WHERE type = 'table' \
    AND name IN ('run', 'country', 'episode', 'sample', 'memory')";

/// Which version our tables in the file have (`PRAGMA user_version`); 0 where nothing is in it yet.
/// Whoever writes asks this first, since other programs number their tables too.
pub(super) fn version(connection: &Connection) -> Result<i64, StoreError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let count = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let version = pragma("user_version")?;
    let is_marked_as_ours = [0, PLAYED.into()].contains(&pragma("application_id")?);
    match (version, count(COUNT_OF_OURS)?) {
        (0, 0) if is_marked_as_ours && count("SELECT count(*) FROM sqlite_master")? == 0 => Ok(0),
        (1..=VERSION, 5) if is_marked_as_ours => Ok(version),
        (later, 1..) if later > VERSION => Err(StoreError::Version(later)),
        _ => Err(StoreError::Foreign),
    }
}

/// A connection to the file, or to `address` (a URI) of it.
pub(super) fn connect(
    path: &Path,
    address: Option<&str>,
    flags: OpenFlags,
) -> Result<Connection, StoreError> {
    match fs::metadata(path) {
        Ok(file) if file.is_dir() => return Err(StoreError::Directory),
        Ok(file) if !file.is_file() => return Err(StoreError::NotRegular),
        Err(error)
            if error.kind() == io::ErrorKind::NotFound
                && !flags.contains(OpenFlags::SQLITE_OPEN_CREATE) =>
        {
            return Err(StoreError::Missing);
        }
        _ => {}
    }
    Ok(match address {
        None => Connection::open_with_flags(path, flags)?,
        Some(address) => Connection::open_with_flags(address, flags)?,
    })
}
