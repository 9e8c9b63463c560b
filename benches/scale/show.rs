//! How the benches of large plans end.

use super::table::Table;
use std::{io, process::ExitCode};

/// Prints what was measured, or why nothing was.
pub fn show(measured: io::Result<Table>) -> ExitCode {
    match measured {
        Ok(table) => {
            table.print();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("cannot measure: {error}");
            ExitCode::FAILURE
        }
    }
}
