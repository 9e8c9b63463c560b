//! The judge (placeholder page, replaced with the first commit of the judge itself).
mod state;
pub use state::{Change, Edge, State};
