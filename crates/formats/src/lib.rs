//! Parsers of what people have: tables of networks, scans, registries and zones, and what others
//! recorded. They read streams, know a file by its content, and open no file and no socket.

#![warn(clippy::unwrap_used)]

mod input;
pub mod networks;
pub mod survey;
pub mod record;
pub mod events;
pub mod compare;

pub use input::Skipped;
