//! Which probes are open. Only this table can tell that an answer is late or a second one, and that
//! a probe is overdue or lost. It belongs to the schedule, which must not ask a target twice at
//! once.
//!
//! What is remembered of a target is the state of its last 32 probes, two bits each: most targets
//! are asked twice a minute at most, and a plan may have a million. One that has probes open beyond
//! these has 256. At one probe per 0.6 s or slower that covers the 150 s for which answers are
//! waited for; a target that is probed more often has its oldest open probes called lost when their
//! slot is needed.

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

/// Of a target that is asked now and then, and of one that is asked often.
const FEW_SLOTS: u32 = u64::BITS / 2;
const MANY_SLOTS: u32 = 256;

/// Every probe that is not settled.
#[derive(Debug)]
pub struct OpenProbes {
    recent: Vec<RecentProbes>,
    /// When a waiting probe is overdue; and when an overdue one is lost, which is long after.
    patience: Timers,
    lost: Timers,
    /// By target and number.
    overdue: BTreeMap<(u32, u32), OverdueProbe>,
    /// By target: when the newest probe was sent that a neighbour answered.
    neighbours: BTreeMap<u32, Time>,
    waiting: u64,
}

/// A probe that was reported overdue: an answer may be read after that, and yet have come before.
#[derive(Clone, Copy, Debug)]
struct OverdueProbe {
    /// When it was given out: its miss is told under this time.
    given_out: Time,
    patience: Duration,
}

/// A probe that was given out.
#[derive(Clone, Copy, Debug)]
pub struct Started {
    /// What is sent.
    pub due: Due,
    /// An older probe, whose place it needs, is called lost now.
    pub displaced_lost: bool,
}

/// A target's last probes.
#[derive(Clone, Debug, Default)]
struct RecentProbes {
    /// The next probe's number.
    next: u32,
    /// Probes whose patience has not run out.
    waiting: u16,
    stages: Stages,
}

/// The [`Stage`] of each of them, in two bits.
#[derive(Clone, Debug)]
enum Stages {
    Few(u64),
    Many(Box<[u64; MANY_SLOTS as usize / 32]>),
}

impl Default for Stages {
    fn default() -> Self {
        Self::Few(0)
    }
}

/// How far a probe has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Answered, given up, or never sent: nothing more is expected.
    Settled,
    Waiting,
    Overdue,
    /// A router said no: an answer takes that back.
    Unreachable,
}

/// A probe whose patience runs out, or that is lost, at that time. Timers of one time are in this
/// order: same input, same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    target: u32,
    seq: u32,
    sent: Time,
    trap: bool,
}

type Timers = BinaryHeap<Reverse<(Time, Timer)>>;

/// When the first of them runs out.
fn first(timers: &Timers) -> Time {
    timers.peek().map_or(Time::NEVER, |timer| timer.0.0)
}

impl OpenProbes {
    /// For this many targets.
    pub fn new(targets: usize) -> Self {
        Self {
            recent: vec![RecentProbes::default(); targets],
            patience: BinaryHeap::new(),
            lost: BinaryHeap::new(),
            overdue: BTreeMap::new(),
            neighbours: BTreeMap::new(),
            waiting: 0,
        }
    }

    /// Goes on with another roster: what was asked of targets that went is open no more.
    pub fn replan(&mut self, targets: &IdMapping) {
        self.recent = targets.carry(std::mem::take(&mut self.recent), |_| RecentProbes::default());
        let remapped = |Reverse((at, timer)): Reverse<(Time, Timer)>| {
            Some(Reverse((at, Timer { target: targets.new_id(timer.target)?, ..timer })))
        };
        self.patience = self.patience.drain().filter_map(remapped).collect();
        self.lost = self.lost.drain().filter_map(remapped).collect();
        let remapped = |((target, seq), probe)| Some(((targets.new_id(target)?, seq), probe));
        self.overdue = std::mem::take(&mut self.overdue).into_iter().filter_map(remapped).collect();
        let remapped = |(target, sent)| Some((targets.new_id(target)?, sent));
        self.neighbours =
            std::mem::take(&mut self.neighbours).into_iter().filter_map(remapped).collect();
        self.waiting = self.recent.iter().map(|probes| u64::from(probes.waiting)).sum();
    }

    /// Is a probe of this target within its patience?
    pub fn is_waiting(&self, target: TargetId) -> bool {
        self.recent[target.0 as usize].waiting > 0
    }

    /// How many probes are within their patience, over all targets.
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// The number that the target's next probe will have.
    pub fn next_seq(&self, target: TargetId) -> u32 {
        self.recent[target.0 as usize].next
    }

    /// A probe is given out. Its number is the target's next one.
    pub fn start(
        &mut self,
        target: TargetId,
        sent: Time,
        patience: Duration,
        trap: bool,
        repeat: Repeat,
    ) -> Started {
        let probes = &mut self.recent[target.0 as usize];
        let seq = probes.next;
        let mut displaced = probes.stage(seq);
        if matches!(displaced, Stage::Waiting | Stage::Overdue) {
            probes.widen();
            displaced = probes.stage(seq);
        }
        let displaced_lost = displaced == Stage::Overdue;
        if displaced_lost {
            self.overdue.remove(&(target.0, seq.wrapping_sub(MANY_SLOTS)));
        }
        probes.next = seq.wrapping_add(1);
        probes.set(seq, Stage::Waiting);
        probes.waiting += 1;
        self.waiting += 1;
        let timer = Timer { target: target.0, seq, sent, trap };
        self.patience.push(Reverse((sent + patience, timer)));
        Started { due: Due { target, seq, sent, patience, trap, repeat }, displaced_lost }
    }

    /// When a probe expires, at the earliest: the timer may be of a settled probe.
    pub fn poll_timeout(&self) -> Time {
        first(&self.patience).min(first(&self.lost))
    }

    /// The next probe whose patience (`Overdue`) or time (`Lost`) has run out by `now`.
    pub fn poll_expired(&mut self, now: Time) -> Option<Outcome> {
        while self.poll_timeout() <= now {
            // Of two at one time the overdue one comes first.
            let is_lost = first(&self.lost) < first(&self.patience);
            let timers = if is_lost { &mut self.lost } else { &mut self.patience };
            let Reverse((at, timer)) = timers.pop()?;
            let Timer { target, seq, sent, trap } = timer;
            let probes = &mut self.recent[target as usize];
            if !probes.is_open(seq) {
                continue;
            }
            let found = if is_lost {
                probes.set(seq, Stage::Settled);
                self.overdue.remove(&(target, seq));
                Found::Lost
            } else {
                probes.set(seq, Stage::Overdue);
                let probe = OverdueProbe { given_out: sent, patience: at.since(sent) };
                self.overdue.insert((target, seq), probe);
                probes.waiting -= 1;
                self.waiting -= 1;
                self.lost.push(Reverse((sent + LOST_AFTER, timer)));
                Found::Overdue
            };
            let target = TargetId(target);
            return Some(Outcome { target, seq, sent, trap, found, hop_limit: None });
        }
        None
    }

    /// Says what an answer really is. It is in time if its round-trip time is below the patience of
    /// its probe, also if that has been reported overdue since. With it comes under which time its
    /// miss was told, if this settles it. None: it answers nothing that we can still tell apart.
    pub fn settle(&mut self, mut outcome: Outcome) -> Option<(Outcome, Option<Time>)> {
        let probes = self.recent.get_mut(outcome.target.0 as usize)?;
        let age = probes.age(outcome.seq);
        if age == 0
            || age > MANY_SLOTS
            || outcome.found.rtt_if_alive().is_some_and(|rtt| rtt >= LOST_AFTER)
        {
            return None;
        }
        match outcome.found {
            Found::Odd(_) => return Some((outcome, None)),
            Found::Neighbour { rtt, .. } if rtt >= LOST_AFTER => return None,
            Found::Neighbour { .. } => {
                let newest = self.neighbours.get(&outcome.target.0);
                // Unless what it proves was known: then it is a second answer.
                if probes.stage(outcome.seq) == Stage::Settled
                    || newest.is_some_and(|&newest| outcome.sent <= newest)
                {
                    outcome.found = Found::Duplicate;
                } else {
                    self.neighbours.insert(outcome.target.0, outcome.sent);
                }
                return Some((outcome, None));
            }
            _ => {}
        }
        let stage = probes.stage(outcome.seq);
        let overdue = match stage {
            Stage::Overdue => self.overdue.remove(&(outcome.target.0, outcome.seq)),
            Stage::Settled | Stage::Waiting | Stage::Unreachable => None,
        };
        match (stage, outcome.found.rtt_if_alive()) {
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

    /// Is there still something to be said of this probe?
    fn is_open(&self, seq: u32) -> bool {
        self.age(seq) <= self.slots() && matches!(self.stage(seq), Stage::Waiting | Stage::Overdue)
    }

    fn slots(&self) -> u32 {
        match self.stages {
            Stages::Few(_) => FEW_SLOTS,
            Stages::Many(_) => MANY_SLOTS,
        }
    }

    /// Makes room for as many probes as there may be.
    fn widen(&mut self) {
        if let Stages::Few(_) = self.stages {
            let newest = (1..=FEW_SLOTS).map(|age| self.next.wrapping_sub(age));
            let known: Vec<_> = newest.map(|seq| (seq, self.stage(seq))).collect();
            self.stages = Stages::Many(Box::default());
            for (seq, stage) in known {
                self.set(seq, stage);
            }
        }
    }

    /// Of probes beyond the slots nothing is open.
    fn stage(&self, seq: u32) -> Stage {
        if self.age(seq) > self.slots() {
            return Stage::Settled;
        }
        let slot = seq % self.slots();
        let word = match &self.stages {
            Stages::Few(word) => word,
            Stages::Many(words) => &words[slot as usize / 32],
        };
        match word >> (slot % 32 * 2) & 3 {
            0 => Stage::Settled,
            1 => Stage::Waiting,
            2 => Stage::Overdue,
            _ => Stage::Unreachable,
        }
    }

    fn set(&mut self, seq: u32, stage: Stage) {
        let slot = seq % self.slots();
        let word = match &mut self.stages {
            Stages::Few(word) => word,
            Stages::Many(words) => &mut words[slot as usize / 32],
        };
        let shift = slot % 32 * 2;
        *word = *word & !(3 << shift) | (stage as u64) << shift;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_is_asked_now_and_then_takes_24_bytes() {
        assert_eq!(size_of::<RecentProbes>(), 24);
        let mut probes = OpenProbes::new(1);
        let mut now = Time::from_nanos(1_000_000_000);
        let mut ask = |every: Duration, times: u32| {
            for _ in 0..times {
                now = now + every;
                while probes.poll_expired(now).is_some() {}
                probes.start(TargetId(0), now, Duration::from_secs(1), false, Repeat::Never);
            }
            probes.recent[0].slots()
        };
        assert_eq!(ask(Duration::from_secs(5), 100), FEW_SLOTS, "silent for long");
        assert_eq!(ask(Duration::from_secs(4), 100), MANY_SLOTS, "38 of them are open");
    }

    /// The same probes and answers, whether there was room for few or for many from the first.
    #[test]
    fn what_was_known_of_few_is_known_of_many() {
        let second = Duration::from_secs(1);
        let start = Time::from_nanos(1_000_000_000);
        let run = |is_wide: bool, answered: fn(u32) -> bool| {
            let mut probes = OpenProbes::new(1);
            if is_wide {
                probes.recent[0].widen();
            }
            let mut told = Vec::new();
            for number in 0..200 {
                let now = start + second * number;
                while let Some(outcome) = probes.poll_expired(now) {
                    told.push((number, outcome));
                }
                let Started { due, displaced_lost } =
                    probes.start(TargetId(0), now, second / 2, false, Repeat::Never);
                assert!(!displaced_lost);
                if answered(number) {
                    let found = Found::Refused { rtt: second / 4 };
                    told.extend(
                        probes.settle(due.outcome(now, found)).map(|(one, _)| (number, one)),
                    );
                }
                // Late, and once more.
                let late = |age: u32| Outcome {
                    seq: due.seq.wrapping_sub(age),
                    ..due.outcome(now - second * age, Found::Refused { rtt: second * age })
                };
                for age in [31, 100].into_iter().filter(|age| number % 3 == 0 && *age <= number) {
                    told.extend(probes.settle(late(age)).map(|(one, _)| (number, one)));
                }
            }
            told
        };
        let answered: [fn(u32) -> bool; 4] =
            [|_| false, |number| number % 2 == 0, |number| number % 40 > 35, |_| true];
        for answered in answered {
            let few = run(false, answered);
            assert!(few.len() > 200);
            assert_eq!(few, run(true, answered));
        }
    }
}
