//! The command `check`: what a plan says, or what is wrong with it.

use super::{default_plan, input::read, refusal::Refusal};
use crate::{config::Plan, line_writer::print_line};
use clap::Args;
use lifesign_clock::Clock;
use lifesign_document::MAX_MEBIBYTES;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    /// The plan; - is standard input (default: targets.toml, else /etc/lifesign/targets.toml)
    file: Option<PathBuf>,
}

/// Prints the summary of a plan, or its errors.
pub(super) fn check(args: CheckArgs) -> Result<(), Refusal> {
    let path = args.file.map_or_else(default_plan, Ok)?;
    let plan = read(&path, MAX_MEBIBYTES, Plan::load, Plan::parse);
    let plan = plan.map_err(|why| Refusal::of_plan(&why))?;
    print_line(&plan.to_string());
    print_line(&plan.metrics_in_words());
    print_line(&plan.path_in_words());
    for warning in plan.warnings(Clock::start().now()) {
        print_line(&format!("note: {warning}"));
    }
    Ok(())
}
