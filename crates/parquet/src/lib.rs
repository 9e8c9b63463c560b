//! What was probed and what was found, as Parquet files with zstd, an hour each (docs/export.md).
//! Rows are streamed: of a file no more than one group of rows is in memory.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used)]

mod column;
mod hourly;
pub mod episodes;
pub mod outcomes;

pub use hourly::{ExportError, HourlyFiles, Written, part_of};
