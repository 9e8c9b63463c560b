//! `plan --review`: what the run has learned, read from its store.

use super::{Plan, Refusal, load, print_line};
use crate::cli::open_store::open_store;
use lifesign_clock::Clock;
use lifesign_core::{
    scopes::{BlockId, Host},
    time::Time,
};
use lifesign_document::MAX_MEBIBYTES;
use lifesign_store::{Learned, LearnedTarget, PastRun, RUN_TIMEOUT, StoreReader};
use lifesign_survey::review::{Finding, Review, review as compare};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// Who was silent for less may be back tomorrow.
const LONG: Duration = Duration::from_secs(86_400);

pub(super) fn review(path: &Path, state_dir: Option<PathBuf>) -> Result<(), Refusal> {
    let name = path.display().to_string();
    let text = load(path, MAX_MEBIBYTES).map_err(|why| Refusal::of_plan(&why))?;
    let plan = Plan::load(path).map_err(|why| Refusal::of_plan(&why))?;
    let reader = open_store(state_dir, None)?;
    if reader.was_played() {
        let text = "the store is of what replay, simulate or demo played, which learns nothing for \
                    a plan; give the state directory of a run";
        return Err(Refusal::data(text));
    }
    let learned = reader
        .learned()
        .map_err(Refusal::data)?
        .ok_or_else(|| Refusal::data(unlearned(&reader)))?;
    let is_known = |host: &Host| learned.targets.iter().any(|target| target.target.host == *host);
    if !plan.roster.targets.iter().any(|target| is_known(&target.host)) {
        let text = format!("the store is of another plan: it knows no host of {name}");
        return Err(Refusal::data(text));
    }
    let (findings, parts) = findings(&plan, &learned);
    let mut reserve: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (BlockId(block), host) in &plan.reserve {
        let block = plan.roster.blocks[*block as usize].prefix.to_string();
        reserve.entry(block).or_default().push(host.to_string());
    }
    let Review { diff, notes } = compare(&name, &text, &findings, &reserve);
    for note in &notes {
        print_line(&format!("# {note}"));
    }
    for part in parts {
        print_line(&format!("# {part}"));
    }
    if notes.is_empty() {
        print_line(&format!("# nobody is to be dropped, by what was known at {}", learned.taken));
    }
    if !diff.is_empty() {
        print_line(diff.trim_end());
    }
    Ok(())
}

/// Why a store holds nothing that a run learned.
fn unlearned(reader: &StoreReader) -> String {
    let now = Clock::start().now();
    let runs = reader.runs(Time::default(), Time::NEVER).unwrap_or_default().read;
    let is_running = |run: &PastRun| !run.ended && now.since(run.last_write) < RUN_TIMEOUT;
    if runs.iter().any(is_running) {
        "the run has not written yet what it learned; wait a minute".to_owned()
    } else {
        "no run has written what it learned into this store, and none is writing; let one run for a \
         day, with this directory as its --state-dir"
            .to_owned()
    }
}

/// Hosts of the plan that should go, and a line for each way to ask that should.
fn findings(plan: &Plan, learned: &Learned) -> (Vec<Finding>, Vec<String>) {
    let mut by_host: BTreeMap<(String, String), Vec<&LearnedTarget>> = BTreeMap::new();
    let mut living: BTreeMap<&str, bool> = BTreeMap::new();
    for target in &learned.targets {
        let key = (target.block.clone(), target.target.host.to_string());
        by_host.entry(key).or_default().push(target);
        let is_alive = target.is_heard && !target.is_retired && target.silence < LONG;
        *living.entry(&target.block).or_default() |= is_alive;
    }
    let mut findings = Vec::new();
    let mut parts = Vec::new();
    for target in &plan.roster.targets {
        let block = plan.roster.block(target.block).prefix.to_string();
        let host = target.host.to_string();
        // Each host once; one that is new to the plan has taught nothing yet.
        let Some(targets) = by_host.remove(&(block.clone(), host.clone())) else { continue };
        if !living.get(block.as_str()).copied().unwrap_or_default() {
            continue;
        }
        let (gone, rest): (Vec<_>, Vec<_>) =
            targets.into_iter().partition(|target| is_gone(target));
        if rest.is_empty() {
            let is_heard = gone.iter().any(|target| target.is_heard);
            let silence = gone.iter().map(|target| target.silence).min().unwrap_or_default();
            let days = silence.as_secs() / 86_400;
            let why = if is_heard {
                format!("silent for {days} days while its block lives")
            } else {
                format!("no answer of its own in {days} days")
            };
            findings.push(Finding { block, host, why });
        } else {
            let words = gone.iter().map(|target| {
                let probe = &target.target.probe;
                format!("{block}: {host} answers, but not to {probe}; leave that probe out")
            });
            parts.extend(words);
        }
    }
    (findings, parts)
}

/// Silent for a day or more while its block lives, or never heard in as long.
fn is_gone(target: &LearnedTarget) -> bool {
    target.is_retired || (!target.is_heard && target.silence >= LONG)
}
