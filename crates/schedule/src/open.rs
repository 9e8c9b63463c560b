//! Which probes are open. Only this table can tell that an answer is late or a second one, and that
//! a probe is overdue or lost. It belongs to the schedule, which must not ask a target twice at
//! once.
//!
//! What is remembered of a target is fixed in size: the state of its last 256 probes, two bits
//! each. At one probe per 0.6 s or slower that covers the 150 s for which answers are waited for; a
//! target that is probed more often has its oldest open probes called lost when their slot is
//! needed.

use lifesign_model::{
    outcome::{Due, Found, LOST_AFTER, Outcome, Repeat},
    scopes::{IdMapping, TargetId},
    time::Time,
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::Duration,
};

const SLOTS: u32 = 256;

/// Every probe that is not settled.
#[derive(Debug)]
pub struct OpenProbes {
    recent: Vec<RecentProbes>,
    /// When a waiting probe is overdue, or an overdue one lost.
    timers: BinaryHeap<Reverse<(Time, Timer)>>,
    /// By target and number.
    overdue: BTreeMap<(u32, u32), OverdueProbe>,
    waiting: u64,
}

/// A probe that was reported overdue: an answer may be read after that, and yet have come before.
#[derive(Clone, Copy, Debug)]
struct OverdueProbe {
    /// When it was given out: its miss is told under this time.
    given_out: Time,
    patience: Duration,
}

/// A target's last 256 probes.
#[derive(Clone, Debug, Default)]
struct RecentProbes {
    /// The next probe's number.
    next: u32,
    /// Probes whose patience has not run out.
    waiting: u16,
    /// Two bits for each: its [`Stage`].
    stages: [u64; SLOTS as usize / 32],
    /// When the newest probe was sent that a neighbour answered.
    neighbour: Time,
}

/// How far a probe has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    Overdue,
    /// Answered, given up, or never sent: nothing more is expected.
    Settled,
    /// A router said no: an answer takes that back.
    Unreachable,
}

/// When patience runs out, or a probe is lost. Timers of one time are in this order: same input,
/// same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    is_overdue: bool,
    target: u32,
    seq: u32,
    sent: Time,
    trap: bool,
}

impl OpenProbes {
    /// For this many targets.
    pub fn new(targets: usize) -> Self {
        Self {
            recent: vec![RecentProbes::default(); targets],
            timers: BinaryHeap::new(),
            overdue: BTreeMap::new(),
            waiting: 0,
        }
    }

    /// Goes on with another roster: what was asked of targets that went is open no more.
    pub fn replan(&mut self, targets: &IdMapping) {
        self.recent = targets.carry(std::mem::take(&mut self.recent), |_| RecentProbes::default());
        let remapped = |Reverse((at, timer)): Reverse<(Time, Timer)>| {
            Some(Reverse((at, Timer { target: targets.new_id(timer.target)?, ..timer })))
        };
        self.timers = self.timers.drain().filter_map(remapped).collect();
        let remapped = |((target, seq), probe)| Some(((targets.new_id(target)?, seq), probe));
        self.overdue = std::mem::take(&mut self.overdue).into_iter().filter_map(remapped).collect();
        self.waiting = self.recent.iter().map(|probes| u64::from(probes.waiting)).sum();
    }

    /// Is a probe of this target within its patience?
    pub fn is_waiting(&self, target: u32) -> bool {
        self.recent[target as usize].waiting > 0
    }

    /// How many probes are within their patience, over all targets.
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// The number that the target's next probe will have.
    pub fn next_seq(&self, target: TargetId) -> u32 {
        self.recent[target.0 as usize].next
    }

    /// A probe is given out. Its number is the target's next one. True: an older probe, whose place
    /// this one needs, is called lost now.
    pub fn start(
        &mut self,
        target: TargetId,
        sent: Time,
        patience: Duration,
        trap: bool,
        repeat: Repeat,
    ) -> (Due, bool) {
        let probes = &mut self.recent[target.0 as usize];
        let seq = probes.next;
        let displaced = probes.stage(seq) == Stage::Overdue;
        if displaced {
            self.overdue.remove(&(target.0, seq.wrapping_sub(SLOTS)));
        }
        probes.next = seq.wrapping_add(1);
        probes.set(seq, Stage::Waiting);
        probes.waiting += 1;
        self.waiting += 1;
        let at = sent + patience;
        let timer = Timer { is_overdue: false, target: target.0, seq, sent, trap };
        self.timers.push(Reverse((at, timer)));
        (Due { target, seq, sent, patience, trap, repeat }, displaced)
    }

    /// When a probe expires, at the earliest: the timer may be of a settled probe.
    pub fn poll_timeout(&self) -> Time {
        self.timers.peek().map_or(Time::NEVER, |timer| timer.0.0)
    }

    /// The next probe whose patience (`Overdue`) or time (`Lost`) has run out by `now`.
    pub fn poll_expired(&mut self, now: Time) -> Option<Outcome> {
        while let Some(&Reverse((at, timer))) = self.timers.peek()
            && at <= now
        {
            self.timers.pop();
            let Timer { is_overdue, target, seq, sent, trap } = timer;
            let probes = &mut self.recent[target as usize];
            if !probes.is_open(seq) {
                continue;
            }
            let found = if is_overdue {
                probes.set(seq, Stage::Settled);
                self.overdue.remove(&(target, seq));
                Found::Lost
            } else {
                probes.set(seq, Stage::Overdue);
                let probe = OverdueProbe { given_out: sent, patience: at.since(sent) };
                self.overdue.insert((target, seq), probe);
                probes.waiting -= 1;
                self.waiting -= 1;
                let timer = Timer { is_overdue: true, ..timer };
                self.timers.push(Reverse((sent + LOST_AFTER, timer)));
                Found::Overdue
            };
            return Some(Outcome {
                target: TargetId(target),
                seq,
                sent,
                trap,
                found,
                hop_limit: None,
            });
        }
        None
    }

    /// Says what an answer really is. It is in time if its round-trip time is below the patience of
    /// its probe, also if that has been reported overdue since. With it comes under which time that
    /// was reported, if this settles it. None: it answers nothing that we can still tell apart.
    pub fn settle(&mut self, mut outcome: Outcome) -> Option<(Outcome, Option<Time>)> {
        let probes = self.recent.get_mut(outcome.target.0 as usize)?;
        let age = probes.age(outcome.seq);
        if age == 0
            || age > SLOTS
            || outcome.found.rtt_if_alive().is_some_and(|rtt| rtt >= LOST_AFTER)
        {
            return None;
        }
        match outcome.found {
            Found::Odd(_) => return Some((outcome, None)),
            Found::Neighbour { rtt, .. } if rtt >= LOST_AFTER => return None,
            Found::Neighbour { .. } => return Some((probes.settle_neighbour(outcome), None)),
            _ => {}
        }
        let overdue = self.overdue.remove(&(outcome.target.0, outcome.seq));
        match (probes.stage(outcome.seq), outcome.found.rtt_if_alive()) {
            (Stage::Overdue, Some(rtt)) if overdue.is_some_and(|probe| rtt < probe.patience) => {}
            (Stage::Overdue | Stage::Unreachable, Some(rtt)) => outcome.found = Found::Late { rtt },
            (Stage::Settled | Stage::Unreachable, _) => {
                outcome.found = Found::Duplicate;
                return Some((outcome, None));
            }
            (Stage::Overdue, None) => {}
            (Stage::Waiting, _) => {
                probes.waiting -= 1;
                self.waiting -= 1;
            }
        }
        let stage = match outcome.found {
            Found::Unreachable { .. } => Stage::Unreachable,
            _ => Stage::Settled,
        };
        probes.set(outcome.seq, stage);
        Some((outcome, overdue.map(|probe| probe.given_out)))
    }
}

impl RecentProbes {
    /// How many probes ago: 1 for the newest, 0 for one that was never given out.
    fn age(&self, seq: u32) -> u32 {
        let age = self.next.wrapping_sub(seq);
        if age > u32::MAX / 2 { 0 } else { age }
    }

    /// A neighbour's answer, unless what it proves was known: then it is a second one.
    fn settle_neighbour(&mut self, mut outcome: Outcome) -> Outcome {
        if self.stage(outcome.seq) == Stage::Settled || outcome.sent <= self.neighbour {
            outcome.found = Found::Duplicate;
        } else {
            self.neighbour = outcome.sent;
        }
        outcome
    }

    /// Is there still something to be said of this probe?
    fn is_open(&self, seq: u32) -> bool {
        self.age(seq) <= SLOTS && matches!(self.stage(seq), Stage::Waiting | Stage::Overdue)
    }

    fn stage(&self, seq: u32) -> Stage {
        let (word, shift) = position(seq);
        match self.stages[word] >> shift & 3 {
            0 => Stage::Waiting,
            1 => Stage::Overdue,
            2 => Stage::Settled,
            _ => Stage::Unreachable,
        }
    }

    fn set(&mut self, seq: u32, stage: Stage) {
        let (word, shift) = position(seq);
        self.stages[word] = self.stages[word] & !(3 << shift) | (stage as u64) << shift;
    }
}

/// The word that holds a probe's stage, and the bit at which it begins.
fn position(seq: u32) -> (usize, u32) {
    let slot = seq % SLOTS;
    (slot as usize / 32, slot % 32 * 2)
}
