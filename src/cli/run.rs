//! The command `run`, which watches.

use super::{default_plan, input::file, refusal::Refusal};
use crate::{config::Plan, daemon};
use clap::Args;
use lifesign_export::{listener::Listen, origin::Origin};
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(super) struct RunArgs {
    /// The plan: what to watch. SIGHUP and POST /-/reload read it again (default: targets.toml,
    /// else /etc/lifesign/targets.toml)
    #[arg(long, value_name = "FILE", value_parser = file())]
    config: Option<PathBuf>,
    /// Where to serve metrics and the page: ADDRESS:PORT, localhost:PORT, :PORT for every address,
    /// or unix:/PATH; may be given several times (default: the sockets that systemd passes, or else
    /// 127.0.0.1:17545)
    #[arg(long, value_name = "WHERE")]
    listen: Vec<Listen>,
    /// TLS and passwords for these addresses: a web configuration file as Prometheus' exporters
    /// have it. Read again when it changes
    #[arg(long = "web.config.file", value_name = "FILE", value_parser = file())]
    web: Option<PathBuf>,
    /// Pages of this origin, such as https://news.example, may show the page in a frame; may be
    /// given several times (default: nobody's)
    #[arg(long, value_name = "ORIGIN")]
    embed: Vec<Origin>,
    /// Append every outcome to this journal, as JSON Lines
    #[arg(long, value_name = "FILE", value_parser = file())]
    record: Option<PathBuf>,
    /// Keep episodes, measurements and what was learned in this directory, and continue from them
    /// after a restart (default: $STATE_DIRECTORY, as systemd sets it)
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

/// Watches until it is told to end.
pub(super) fn run(args: RunArgs) -> Result<(), Refusal> {
    let RunArgs { config, listen, embed, web, record, state_dir } = args;
    let config = config.map_or_else(default_plan, Ok)?;
    let plan = Plan::load(&config).map_err(|why| Refusal::of_plan(&why))?;
    let options = daemon::Options { plan, config, listen, embed, web, record, state_dir };
    Ok(daemon::run(options)?)
}
