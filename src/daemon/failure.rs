//! What keeps a run from beginning. In: errors of the system. Out: one clear line for each. It
//! never decides what is done about it.

use lifesign_document::Problems;
use std::{io, net::SocketAddr, path::PathBuf};

/// Why a run cannot begin, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No listener.
    #[error("cannot listen on {address}: {error}; choose another address with --listen")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// What is said about TLS and passwords is wrong.
    #[error("{0}")]
    Web(#[from] Problems),
    /// Another run keeps its state here. It may end, so this is worth another try.
    #[error(
        "the state directory {0} belongs to another run that is under way; end that one, or give this one a \
         directory of its own with --state-dir"
    )]
    Taken(PathBuf),
    /// No journal.
    #[error("cannot write the journal {path}: {error}")]
    Journal {
        /// Where.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The system refuses something that every run needs.
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
}
