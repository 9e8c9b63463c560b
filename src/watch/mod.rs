//! The pure core, joined.
mod snapshot;
pub use snapshot::*;
