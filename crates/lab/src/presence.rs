//! How many hosts of a scope are there, and how many usually are: what is true, host by host.

use super::{
    event::Effect,
    event_scope::EventScope,
    host::WorldHost,
    impairment::{ByScope, Impairment, Span, intersection, union},
    sample::hosts_of,
};
use lifesign_core::{
    scopes::{Roster, TargetId},
    time::Time,
};

/// Hosts of a scope from a time on, until the next entry begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Presence {
    /// When it begins.
    pub from: Time,
    /// Hosts that answer, dark scopes left out.
    pub now: u32,
    /// Hosts that ever answered so far.
    pub usual: u32,
}

impl Presence {
    /// How many of the usual hosts are there; 1 if none ever was.
    pub fn share(&self) -> f64 {
        if self.usual == 0 { 1.0 } else { f64::from(self.now) / f64::from(self.usual) }
    }
}

/// What is true of the hosts of one block.
pub(super) struct BlockPresence {
    /// When the block is dark: it, its country or every host of it is gone.
    pub dark: Vec<Span>,
    pub steps: Vec<Presence>,
}

impl BlockPresence {
    /// `whole` are the spans in which the block is dark whoever is there.
    pub fn new(
        roster: &Roster,
        hosts: &[WorldHost],
        impairments: &ByScope<'_>,
        block: u32,
        whole: Vec<Span>,
        (start, end): Span,
    ) -> Self {
        let whole = union(whole);
        let mut nobody = vec![(Time::default(), Time::NEVER)];
        let mut changes = Vec::new();
        for host in hosts_of(roster, block as usize) {
            let alone = gone_alone(roster, hosts, impairments, block, host);
            nobody = intersection(&nobody, &alone);
            let gone = union(alone.into_iter().chain(whole.iter().copied()).collect());
            let mut there = complement(&gone, (start, end)).into_iter().peekable();
            if let Some(first) = there.peek() {
                changes.push((first.0, 0, 1));
            }
            for (from, to) in there {
                changes.push((from, 1, 0));
                if to < end {
                    changes.push((to, -1, 0));
                }
            }
        }
        let dark = union(whole.into_iter().chain(nobody).collect());
        Self { dark, steps: steps(start, changes) }
    }
}

/// The hosts of several scopes together.
pub(super) fn sum<'a>(start: Time, parts: impl Iterator<Item = &'a [Presence]>) -> Vec<Presence> {
    let mut changes = Vec::new();
    for part in parts {
        let mut last = Presence { from: start, now: 0, usual: 0 };
        for step in part {
            let now = i64::from(step.now) - i64::from(last.now);
            let usual = i64::from(step.usual) - i64::from(last.usual);
            changes.push((step.from, now, usual));
            last = *step;
        }
    }
    steps(start, changes)
}

/// Less than half of the usual hosts are there, of three or more.
pub(super) fn less_than_half(steps: &[Presence]) -> Vec<Span> {
    let mut spans = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let to = steps.get(index + 1).map_or(Time::NEVER, |next| next.from);
        if step.usual >= 3 && 2 * step.now < step.usual {
            spans.push((step.from, to));
        }
    }
    union(spans)
}

/// When none of the ways in which a host is asked has an answer, though its block is not dark.
fn gone_alone(
    roster: &Roster,
    hosts: &[WorldHost],
    impairments: &ByScope<'_>,
    block: u32,
    host: u32,
) -> Vec<Span> {
    let country = EventScope::Country(roster.blocks[block as usize].country.0);
    let mut gone = vec![(Time::default(), Time::NEVER)];
    for target in roster.targets_of_host(TargetId(host)) {
        let WorldHost { kind, answers, .. } = hosts[target as usize];
        if !answers {
            continue;
        }
        let here = [EventScope::Host(host), EventScope::Block(block), country];
        let spans = here.into_iter().flat_map(|scope| impairments.of(scope)).filter(|impairment| {
            impairment.is_darkness()
                && match impairment.scope {
                    EventScope::Host(_) => impairment.only.is_none_or(|only| only == kind),
                    _ => impairment.only == Some(kind),
                }
        });
        gone = intersection(&gone, &union(spans.flat_map(|one| one.spans.clone()).collect()));
    }
    gone
}

fn complement(gone: &[Span], (start, end): Span) -> Vec<Span> {
    let mut there = Vec::new();
    let mut at = start;
    for span in gone {
        if at < span.0.min(end) {
            there.push((at, span.0.min(end)));
        }
        at = at.max(span.1);
    }
    if at < end {
        there.push((at, end));
    }
    there
}

fn steps(start: Time, mut changes: Vec<(Time, i64, i64)>) -> Vec<Presence> {
    changes.sort_unstable();
    let mut now = 0;
    let mut usual = 0;
    let mut steps = vec![Presence { from: start, now: 0, usual: 0 }];
    for (from, now_more, usual_more) in changes {
        now += now_more;
        usual += usual_more;
        let step = Presence { from, now: now as u32, usual: usual as u32 };
        match steps.last_mut() {
            Some(last) if last.from == from => *last = step,
            _ => steps.push(step),
        }
    }
    steps
}

/// Whatever makes a host lose answers rather than life.
pub(super) fn added_loss(impairment: &Impairment, roster: &Roster, block: u32) -> f64 {
    let Effect::Lossy(loss) = impairment.effect else { return 0.0 };
    let Some(only) = impairment.only else { return loss };
    let targets = roster.blocks[block as usize].targets.clone();
    let all = targets.len() as f64;
    let hit = targets.filter(|&index| roster.targets[index as usize].kind == only).count();
    loss * hit as f64 / all
}
