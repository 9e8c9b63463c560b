//! What others said of countries, from files.

use super::{exit, input::Stream, refusal::Refusal, stderr::print_error};
use lifesign_document::{MAX_MEBIBYTES, unended};
use lifesign_formats::events;
use lifesign_incident::Statement;
use std::path::PathBuf;

/// What others said in these files.
pub(super) fn read_events(files: &[PathBuf]) -> Result<Vec<Statement>, Refusal> {
    let mut statements = Vec::new();
    for path in files {
        let stream = Stream::open(path)?;
        let name = stream.name.clone();
        let text = stream.text(MAX_MEBIBYTES).map_err(|problems| Refusal::of_data(&problems))?;
        let read = events::read(&name, &text).map_err(|why| Refusal::new(why, exit::DATA))?;
        if read.is_table
            && let Some(why) = unended(&name, &text)
        {
            print_error(&why);
        }
        statements.extend(read.list);
    }
    // The same question may have been asked for times that overlap.
    events::once(&mut statements);
    Ok(statements)
}

/// Leaves out what was said of other countries, and says how much that is.
pub(super) fn leave_out_others(statements: &mut Vec<Statement>, country: &str) {
    let all = statements.len();
    statements.retain(|one| one.is_of(country));
    let others = all - statements.len();
    if others > 0 {
        print_error(&format!("events of other countries than {country}, left out: {others}"));
    }
}
