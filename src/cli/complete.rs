//! What can follow on a command line that is being typed. The scripts in deploy/completions have a
//! shell ask the program itself, by an environment variable: countries and blocks are those of the
//! plan that a run would take here.

use super::{command, default_plan_path, episodes::listed};
use clap_complete::{
    CompleteEnv, CompletionCandidate,
    engine::ArgValueCompleter,
    env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Shells, Zsh},
};
use lifesign_core::scopes::Prefix;
use lifesign_document::{MAX_MEBIBYTES, Table, load, read};
use std::{
    ffi::{OsStr, OsString},
    io,
    path::Path,
};

/// Names the shell that asks.
const VARIABLE: &str = "LIFESIGN_COMPLETE";

const SHELLS: Shells<'static> =
    Shells(&[&Mended(&Bash, bash), &Elvish, &Fish, &Powershell, &Mended(&Zsh, zsh)]);

/// Answers a shell, if one asks, and ends.
pub(super) fn answer_a_shell() {
    CompleteEnv::with_factory(command).var(VARIABLE).shells(SHELLS).complete();
}

/// The script by which this shell (`bash`, `zsh`, `fish`) asks; None of one that is not known.
pub fn script(shell: &str) -> Option<String> {
    let mut script = Vec::new();
    let completer = SHELLS.completer(shell)?;
    completer.write_registration(VARIABLE, "lifesign", "lifesign", "lifesign", &mut script).ok()?;
    String::from_utf8(script).ok()
}

/// A shell as `clap_complete` has it, with its script mended.
struct Mended(&'static dyn EnvCompleter, fn(&str) -> String);

/// Blocks of IPv6, too, are completed: complete.bash says how.
fn bash(script: &str) -> String {
    let script = script.replace("-F _clap_complete_lifesign", "-F _lifesign");
    script.trim_start().to_owned() + include_str!("complete.bash")
}

/// `kp` is taken for the begin of `KP`, too, and the script may lie in a folder of `fpath`: there
/// zsh takes it for the function itself, and calls it for the first completion.
fn zsh(script: &str) -> String {
    script.replace("'values' other", "'values' other -M 'm:{a-zA-Z}={A-Za-z}'")
        + "[[ $funcstack[1] == _lifesign ]] && _clap_dynamic_completer_lifesign\n"
}

impl EnvCompleter for Mended {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn is(&self, name: &str) -> bool {
        self.0.is(name)
    }

    fn write_registration(
        &self,
        variable: &str,
        name: &str,
        program: &str,
        completer: &str,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        let mut script = Vec::new();
        self.0.write_registration(variable, name, program, completer, &mut script)?;
        out.write_all((self.1)(&String::from_utf8_lossy(&script)).as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        words: Vec<OsString>,
        here: Option<&Path>,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        self.0.write_complete(command, words, here, out)
    }
}

pub(super) fn states() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        begin_with(typed, listed().map(|state| state.label().to_owned()).collect())
    })
}

pub(super) fn countries() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| begin_with(typed, of_plan(codes)))
}

/// Countries and blocks.
pub(super) fn scopes() -> ArgValueCompleter {
    let scopes = |root: Table<'_>| [codes(root), prefixes(root)].concat();
    ArgValueCompleter::new(move |typed: &OsStr| begin_with(typed, of_plan(scopes)))
}

/// What the text of the plan says; no host is looked at, and no file that it names is read.
/// Nothing where it cannot be read: a shell has no place for an error.
fn of_plan(names: impl Fn(Table<'_>) -> Vec<String>) -> Vec<String> {
    let text = default_plan_path().and_then(|path| load(&path, MAX_MEBIBYTES).ok());
    text.and_then(|text| read("", &text, names).ok()).unwrap_or_default()
}

fn codes(root: Table<'_>) -> Vec<String> {
    let countries = root.tables("country", "country").into_iter();
    countries.filter_map(|country| Some(country.get("code")?.text("")?.to_owned())).collect()
}

fn prefixes(root: Table<'_>) -> Vec<String> {
    let mut prefixes = Vec::new();
    for country in root.tables("country", "country") {
        let networks = country.tables("network", "country.network");
        for owner in [country].into_iter().chain(networks) {
            let blocks = owner.tables("block", "block").into_iter();
            let texts = blocks.filter_map(|block| block.get("prefix")?.text(""));
            let parsed = texts.filter_map(|text| text.parse::<Prefix>().ok());
            prefixes.extend(parsed.map(|prefix| prefix.to_string()));
        }
    }
    prefixes
}

/// Those that begin with what has been typed, in letters of any case.
fn begin_with(typed: &OsStr, names: Vec<String>) -> Vec<CompletionCandidate> {
    let typed = typed.as_encoded_bytes();
    let begins = |name: &String| {
        let begin = name.as_bytes().get(..typed.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(typed))
    };
    names.into_iter().filter(begins).map(CompletionCandidate::new).collect()
}
