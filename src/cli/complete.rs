//! What can follow on a command line that is being typed. The scripts in deploy/completions have a
//! shell ask the program itself, by an environment variable: countries and blocks are those of the
//! plan that a run would take here.

use super::{command, default_plan_path};
use crate::config::Plan;
use clap_complete::{
    CompleteEnv, CompletionCandidate,
    engine::{ArgValueCandidates, ArgValueCompleter},
    env::Shells,
};
use lifesign_core::judge::State;
use std::ffi::OsStr;

/// Names the shell that asks.
const VARIABLE: &str = "LIFESIGN_COMPLETE";

/// In a folder of `fpath`, zsh takes the script for the function itself, and calls it for the first
/// completion.
const WHEN_AUTOLOADED: &[u8] =
    b"[[ $funcstack[1] == _lifesign ]] && _clap_dynamic_completer_lifesign\n";

/// Answers a shell, if one asks, and ends.
pub(super) fn answer_a_shell() {
    CompleteEnv::with_factory(command).var(VARIABLE).complete();
}

/// The script by which this shell (`bash`, `zsh`, `fish`) asks; None of one that is not known.
pub fn script(shell: &str) -> Option<String> {
    let mut script = Vec::new();
    let completer = Shells::builtins();
    let completer = completer.completer(shell)?;
    completer.write_registration(VARIABLE, "lifesign", "lifesign", "lifesign", &mut script).ok()?;
    if shell == "zsh" {
        script.extend_from_slice(WHEN_AUTOLOADED);
    }
    String::from_utf8(script).ok()
}

pub(super) fn states() -> ArgValueCandidates {
    ArgValueCandidates::new(|| State::ALL.map(State::label).map(CompletionCandidate::new).into())
}

pub(super) fn countries() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| begin_with(typed, &of_plan(|_| Vec::new())))
}

/// Countries and blocks.
pub(super) fn scopes() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let blocks =
            |plan: &Plan| plan.roster.blocks.iter().map(|block| block.prefix.to_string()).collect();
        begin_with(typed, &of_plan(blocks))
    })
}

/// The countries of the plan, and these others of it. Nothing where no plan can be read: a shell
/// has no place for an error.
fn of_plan(others: impl Fn(&Plan) -> Vec<String>) -> Vec<String> {
    let plan = default_plan_path().and_then(|path| Plan::load(&path).ok());
    plan.map_or_else(Vec::new, |plan| {
        let countries = plan.roster.countries.iter().map(|country| country.code.clone());
        countries.chain(others(&plan)).collect()
    })
}

fn begin_with(typed: &OsStr, names: &[String]) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let found = names.iter().filter(|name| name.starts_with(&*typed));
    found.map(CompletionCandidate::new).collect()
}
