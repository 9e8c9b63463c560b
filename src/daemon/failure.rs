//! Why a run cannot begin, or had to end, as one line for the user.

use lifesign_document::Problems;
use lifesign_export::listener::ListenError;
use lifesign_store::DirectoryError;
use std::{io, path::PathBuf};

/// Why a run cannot begin, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A place to serve HTTP at cannot be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The web configuration is wrong.
    #[error("{0}")]
    Web(#[from] Problems),
    /// The state directory is not this run's to write.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The journal cannot be opened.
    #[error("cannot write the journal {path}: {error}")]
    Journal {
        /// The file that was to be written.
        path: PathBuf,
        /// What the system said when it was opened.
        error: io::Error,
    },
    /// A part of the run has ended by a fault of ours.
    #[error("{0}: the thread for this has ended, and so the run ends; a new start may help")]
    Ended(&'static str),
    /// The system refuses something else that every run needs.
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
}

impl Failure {
    /// Has the system refused it for lack of a permission?
    pub fn is_denied(&self) -> bool {
        match self {
            Self::Listen(ListenError { error, .. })
            | Self::Journal { error, .. }
            | Self::System(error) => error.kind() == io::ErrorKind::PermissionDenied,
            Self::Web(_) | Self::Directory(_) | Self::Ended(_) => false,
        }
    }
}
