//! The targets of one block: each host of it, asked in each of its ways, once.

use super::{
    Countries,
    hosts::Hosts,
    probes::{Probe, Probes},
};
use lifesign_core::scopes::{BlockId, Host, Labels, Prefix, Target};
use lifesign_document::{Position, Sheet, Value};
use std::{collections::HashMap, fmt, sync::Arc};

/// One machine should not probe more.
pub(super) const MAX_TARGETS: usize = 4_000_000;

/// Where hosts are named.
#[derive(Clone, Copy)]
pub(super) enum Origin<'f, 'a> {
    /// In the plan, with probes of their own.
    Own(Value<'a>),
    /// In the plan, with the probes of all.
    Plan(Value<'a>),
    /// In a host file.
    File(&'f Sheet, Position),
}

impl<'f> Origin<'f, '_> {
    pub fn note(self, text: &str) {
        match self {
            Origin::Own(value) | Origin::Plan(value) => value.note(text),
            Origin::File(sheet, position) => sheet.note(position, text),
        }
    }

    fn line(self) -> Line<'f> {
        match self {
            Origin::Own(value) | Origin::Plan(value) => Line { file: None, line: value.line() },
            Origin::File(sheet, position) => {
                Line { file: Some(sheet.name()), line: position.line as usize }
            }
        }
    }
}

/// A line of the plan, or of a host file.
#[derive(Clone, Copy)]
struct Line<'f> {
    file: Option<&'f str>,
    line: usize,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        self.file.map_or(Ok(()), |file| write!(f, " of {file}"))
    }
}

/// A way to ask that is there already, for one host and so many more of the same range.
struct Twice<'f> {
    probe: usize,
    host: Host,
    before: Line<'f>,
    more: usize,
}

/// The targets of a block that have been added so far.
pub(super) struct BlockTargets<'f> {
    block: BlockId,
    /// None if the plan's is wrong.
    prefix: Option<Prefix>,
    /// Has the deny list some?
    some_denied: bool,
    /// The line of each, by host and probe.
    lines: HashMap<(Host, Arc<str>), Line<'f>>,
}

impl<'f> BlockTargets<'f> {
    pub fn new(block: BlockId, prefix: Option<Prefix>) -> Self {
        Self { block, prefix, some_denied: false, lines: HashMap::new() }
    }

    /// Adds each of the hosts, asked in each of these ways.
    pub fn add<'a>(
        &mut self,
        hosts: &Hosts,
        probes: &Probes<'a>,
        labels: &Labels,
        origin: Origin<'f, 'a>,
        all: &mut Countries<'a>,
    ) {
        self.note_outside(hosts, origin);
        if all.roster.targets.len() + hosts.count() * probes.len() > MAX_TARGETS {
            if !all.is_full {
                origin.note(&format!(
                    "more than {MAX_TARGETS} targets up to here; drop some, or share them out \
                     among several machines"
                ));
            }
            all.is_full = true;
            return;
        }
        let line = origin.line();
        let own = |probe: &Probe<'a>| match origin {
            Origin::Own(_) => probe.value,
            Origin::Plan(_) | Origin::File(..) => None,
        };
        let mut twice: Vec<Twice<'f>> = Vec::new();
        for host in hosts.iter() {
            if let Host::Address(address) = host
                && all.deny.contains(address)
            {
                self.some_denied = true;
                all.denied.push(address);
                continue;
            }
            for (number, probe) in probes.iter().enumerate() {
                let line = own(probe).map_or(line, |value| Origin::Own(value).line());
                let before = self.lines.insert((host.clone(), probe.text.clone()), line);
                if let Some(before) = before {
                    match twice.iter_mut().find(|twice| twice.probe == number) {
                        Some(twice) => twice.more += 1,
                        None => {
                            twice.push(Twice {
                                probe: number,
                                host: host.clone(),
                                before,
                                more: 0,
                            });
                        }
                    }
                }
                let kind = probe.spec.kind();
                let target = Target::new(host.clone(), probe.text.clone(), kind, self.block);
                all.roster.targets.push(target.with(probe.interval, labels.clone()));
                all.specs.push(&probe.spec);
            }
        }
        for Twice { probe, host, before, more } in twice {
            let probe = &probes[probe];
            let who = match more {
                0 => format!("{host} is"),
                more => format!("{host} and {more} more of these are"),
            };
            let of_plan = match (origin, before.file) {
                (Origin::File(..), None) => " of the plan",
                _ => "",
            };
            let text = format!(
                "{who} already asked {:?} in this block, on {before}{of_plan}; keep one",
                probe.text
            );
            match own(probe) {
                Some(value) => value.note(&text),
                None => origin.note(&text),
            }
        }
    }

    /// Is none left of them? The targets of the block begin at `first`.
    pub fn are_all_denied(&self, first: usize, all: &Countries<'_>) -> bool {
        self.some_denied && all.roster.targets.len() == first
    }

    pub(super) fn note_outside(&self, hosts: &Hosts, origin: Origin<'_, '_>) {
        let (Some((first, last)), Some(prefix)) = (hosts.ends(), self.prefix) else { return };
        if prefix.contains(first) && prefix.contains(last) {
            return;
        }
        origin.note(&if first == last {
            format!("{first} lies outside its block {prefix}; move it to the block that holds it")
        } else {
            format!("{hosts} reaches outside its block {prefix}; leave out what is not in it")
        });
    }
}
