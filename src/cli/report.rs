//! The command `report`: a country's past as a page, from the store.

use super::{
    complete,
    events::{leave_out_others, read_events},
    input::standard_input,
    open_store::{PeriodArgs, StoreArgs, covered, tell_broken},
    output::Output,
    refusal::Refusal,
};
use crate::line_writer::print;
use clap::Args;
use lifesign_clock::Clock;
use lifesign_store::{StoreError, report as pages};
use std::{io::Write, path::PathBuf};

#[derive(Args, Debug)]
pub(super) struct ReportArgs {
    /// The country's code
    #[arg(add = complete::countries())]
    country: String,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    period: PeriodArgs,
    /// Draw below ours what others said, as for compare; may be given several times
    #[arg(long, value_name = "FILE")]
    events: Vec<PathBuf>,
    /// Where to write the page, where nothing is or an older report (default: standard output, as
    /// -); ./- is a file of this name
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes the report of a country as an HTML page.
pub(super) fn report(args: ReportArgs) -> Result<(), Refusal> {
    let now = Clock::start().now();
    let reader = args.store.open()?;
    let (since, until) = args.period.resolve(&reader, now)?;
    let country = reader.country(&args.country).map_err(Refusal::data)?;
    let data = pages::ReportData::read(&reader, &country, (since, until), now);
    let mut data = data.map_err(StoreError::from)?.ok_or_else(|| {
        let covered = covered(&reader);
        Refusal::data(format!("nothing is known of {country} between {since} and {until}{covered}"))
    })?;
    let mut statements = read_events(&args.events)?;
    leave_out_others(&mut statements, data.country());
    data.add_statements(statements);
    tell_broken(data.broken());
    let page = pages::page(&data).into_string();
    let Some(path) = args.output.filter(|path| !standard_input(path)) else {
        print(&page);
        return Ok(());
    };
    let output = Output::replace(&path, is_report)?;
    (&output).write_all(page.as_bytes()).map_err(|error| output.failed(&error))?;
    output.finish()
}

/// Does a file that begins so hold a report of ours? A report is written anew, and nothing else is.
fn is_report(head: &str) -> bool {
    let policy = "content=\"default-src 'none'; style-src 'unsafe-inline'\"";
    head.starts_with("<!DOCTYPE html>")
        && [policy, "<title>Reachability of "].iter().all(|mark| head.contains(mark))
}
