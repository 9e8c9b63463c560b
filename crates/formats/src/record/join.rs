//! What several series tell of one probe, put together: outcomes in the order in which they were
//! known, and the times in which nobody watched.

use super::{
    entry::{Entry, Fact},
    targets::Target,
};
use lifesign_core::time::Time;
use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeSet, BinaryHeap, HashMap},
    time::Duration,
};

/// A miss is known so long after its probe was sent, if nothing says how long it took ...
const MISS_KNOWN_AFTER: Duration = Duration::from_secs(1);
/// ... but sooner than this part of an interval: before the host is asked again.
const MISS_KNOWN_WITHIN: u32 = 5;
/// Nobody has watched when all targets were due so many times ...
const GAP_INTERVALS: u32 = 3;
/// ... and this much longer.
const GAP_SLACK: Duration = Duration::from_secs(5);
/// The interval of a target with one sample.
const UNKNOWN_INTERVAL: Duration = Duration::from_secs(60);
/// Of a counter's probes between two of its samples, so many have an outcome each; of more, so many
/// stand for them.
const MOST_COUNTED: u64 = 1000;
/// Nobody asks one host more often: a counter that rises faster did not count its probes.
const MOST_A_SECOND: f64 = 1e6;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Event {
    /// When it was sent and by which target it was answered, if it was: the round-trip time, zero
    /// if it is not known, and the hop limit.
    Outcome { target: u32, sent: Time, answer: Option<(Duration, Option<u8>)> },
    /// Nobody watched since then.
    Gap { from: Time },
}

/// An event, when it is known, and its place among those of the same time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pending {
    seen: Time,
    number: u64,
    event: Event,
}

impl Eq for Pending {}

impl Ord for Pending {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.seen, self.number).cmp(&(other.seen, other.number))
    }
}

impl PartialOrd for Pending {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// All facts of one target at one time.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    success: Option<bool>,
    rtt: Option<Duration>,
    took: Option<Duration>,
    hop_limit: Option<u8>,
    sent_total: Option<u64>,
    answered_total: Option<u64>,
    loss_ratio: Option<f64>,
}

impl Group {
    /// Takes in a fact; true if it was told before.
    fn add(&mut self, fact: Fact) -> bool {
        let is_repeated = match fact {
            Fact::Answered | Fact::Missed => self.success.is_some(),
            Fact::SentTotal(_) => self.sent_total.is_some(),
            Fact::LossRatio(_) => self.loss_ratio.is_some(),
            // They stand beside those.
            Fact::Rtt(_) | Fact::Took(_) | Fact::HopLimit(_) | Fact::AnsweredTotal(_) => false,
        };
        match fact {
            Fact::Answered => self.success = self.success.or(Some(true)),
            Fact::Missed => self.success = Some(false),
            Fact::Rtt(rtt) => self.rtt = Some(rtt),
            Fact::Took(took) => self.took = Some(took),
            Fact::HopLimit(limit) => self.hop_limit = Some(limit),
            Fact::SentTotal(total) => self.sent_total = Some(total),
            Fact::AnsweredTotal(total) => self.answered_total = Some(total),
            Fact::LossRatio(ratio) => self.loss_ratio = Some(ratio),
        }
        is_repeated
    }
}

/// A reading of a target's counters.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Time,
    sent: u64,
    answered: u64,
}

/// A target's counters: up to when outcomes were made of them, and the reading after.
#[derive(Clone, Copy, Debug)]
struct Counters {
    first: Reading,
    told: Reading,
    lost: u64,
    next: Option<Reading>,
    /// When it is read no more, for sure.
    until: Time,
}

impl Counters {
    fn new(first: Reading) -> Self {
        Self { first, told: first, lost: 0, next: None, until: first.at }
    }

    /// Probes without an answer by then, those on their way among them.
    fn open(&self, reading: Reading) -> u64 {
        let sent = reading.sent - self.first.sent;
        sent.saturating_sub(reading.answered - self.first.answered)
    }
}

/// How long after a sample somebody watches for sure.
fn reach(interval: Duration) -> Duration {
    interval * GAP_INTERVALS + GAP_SLACK
}

/// What is known of a ratio of losses, which is of the last few probes.
#[derive(Default)]
struct Loss {
    ratio: Option<f64>,
    /// What of a ratio that stays is not told yet, in probes.
    untold: f64,
}

impl Loss {
    /// Was the newest probe lost? Where the ratio rises it was, where it falls it was not, and
    /// where it stays, that share of the probes was.
    fn is_newest_lost(&mut self, ratio: f64) -> bool {
        match self.ratio.replace(ratio) {
            Some(before) if before != ratio => {
                self.untold = 0.0;
                ratio > before
            }
            _ => {
                self.untold += ratio;
                let is_lost = self.untold >= 1.0;
                self.untold -= f64::from(u8::from(is_lost));
                is_lost
            }
        }
    }
}

pub(super) struct Join<'a> {
    targets: &'a [Target],
    pending: BinaryHeap<Reverse<Pending>>,
    number: u64,
    at: Option<(Time, u32)>,
    group: Group,
    counters: HashMap<u32, Counters>,
    /// The same by when they were told: outcomes from then on may still come.
    by_told: BTreeSet<(Time, u32)>,
    loss: HashMap<u32, Loss>,
    watched_until: Option<Time>,
    last_seen: Time,
    /// Samples of a time of which there was one already.
    pub repeated: u64,
}

impl<'a> Join<'a> {
    pub fn new(targets: &'a [Target]) -> Self {
        Self {
            targets,
            pending: BinaryHeap::new(),
            number: 0,
            at: None,
            group: Group::default(),
            counters: HashMap::new(),
            by_told: BTreeSet::new(),
            loss: HashMap::new(),
            watched_until: None,
            last_seen: Time::default(),
            repeated: 0,
        }
    }

    /// Takes in the next entry.
    pub fn add(&mut self, entry: Entry) {
        let key = (entry.at, entry.target);
        if self.at != Some(key) {
            self.end_group();
            self.at = Some(key);
        }
        self.repeated += u64::from(self.group.add(entry.fact));
    }

    /// The next event that is known, with when that was: once all that came before it is.
    pub fn next(&mut self) -> Option<(Time, Event)> {
        let mut until = self.at.map_or(Time::default(), |(at, _)| at);
        while let Some(&(told, target)) = self.by_told.first() {
            if self.counters.get(&target).is_some_and(|counters| counters.until >= until) {
                until = until.min(told);
                break;
            }
            self.end_counters(target);
        }
        self.pending.peek().filter(|first| first.0.seen <= until)?;
        let Reverse(first) = self.pending.pop()?;
        Some((first.seen, first.event))
    }

    /// No entry comes any more: every event is known.
    pub fn end(&mut self) {
        self.end_group();
        self.at = Some((Time::NEVER, 0));
    }

    fn end_group(&mut self) {
        let Some((at, target)) = self.at else { return };
        let group = std::mem::take(&mut self.group);
        let interval = self.targets.get(target as usize);
        let interval = interval.and_then(|target| target.cadence.interval_at(at));
        let interval = interval.unwrap_or(UNKNOWN_INTERVAL);
        let reach = reach(interval);
        if self.watched_until.is_some_and(|until| at > until) {
            let from = self.last_seen.min(at);
            self.push(at, Event::Gap { from });
        }
        self.watched_until = self.watched_until.max(Some(at + reach));
        self.last_seen = self.last_seen.max(at);
        let answered = group.rtt.map(|rtt| rtt > Duration::ZERO);
        if let Some(success) = group.success.or(answered) {
            let rtt = group.rtt.filter(|&rtt| rtt > Duration::ZERO).or(group.took);
            let answer = success.then(|| (rtt.unwrap_or_default(), group.hop_limit));
            let usual = MISS_KNOWN_AFTER.min(interval / MISS_KNOWN_WITHIN);
            let known_after = group.took.unwrap_or(usual);
            self.push_outcome(target, at, answer, known_after);
        }
        if let (Some(sent), Some(answered)) = (group.sent_total, group.answered_total) {
            self.count(target, Reading { at, sent, answered }, reach);
        }
        if let Some(ratio) = group.loss_ratio {
            let is_lost = self.loss.entry(target).or_default().is_newest_lost(ratio);
            let answer = (!is_lost).then_some((Duration::ZERO, None));
            self.push_outcome(target, at, answer, Duration::ZERO);
        }
    }

    fn push_outcome(
        &mut self,
        target: u32,
        sent: Time,
        answer: Option<(Duration, Option<u8>)>,
        miss_known_after: Duration,
    ) {
        let seen = sent + answer.map_or(miss_known_after, |(rtt, _)| rtt);
        self.last_seen = self.last_seen.max(seen);
        self.push(seen, Event::Outcome { target, sent, answer });
    }

    fn push(&mut self, seen: Time, event: Event) {
        self.number += 1;
        self.pending.push(Reverse(Pending { seen, number: self.number, event }));
    }

    /// Takes in a reading of counters. What was lost is known with the reading after it: until then
    /// the probe that was sent last may be on its way.
    fn count(&mut self, target: u32, reading: Reading, reach: Duration) {
        let Some(&counters) = self.counters.get(&target) else {
            self.keep(target, Counters::new(reading), reading.at);
            return;
        };
        let newest = counters.next.unwrap_or(counters.told);
        let told_by = self.targets.get(target as usize);
        let most = MOST_A_SECOND * reading.at.since(newest.at).as_secs_f64();
        let is_possible = |before: u64, now: u64| now >= before && (now - before) as f64 <= most;
        let is_reset = !is_possible(newest.sent, reading.sent)
            || !is_possible(newest.answered, reading.answered)
            || told_by.is_some_and(|target| !target.is_of_one(newest.at, reading.at));
        if is_reset || reading.at.since(newest.at) > reach {
            self.end_counters(target);
            self.keep(target, Counters::new(reading), reading.at);
            return;
        }
        let told = self.tell(target, counters, Some(reading));
        self.keep(target, Counters { next: Some(reading), ..told }, reading.at);
    }

    /// Keeps counters that were read now.
    fn keep(&mut self, target: u32, counters: Counters, now: Time) {
        let longest = self.targets.get(target as usize).and_then(|target| target.cadence.longest());
        let until = now + reach(longest.unwrap_or(UNKNOWN_INTERVAL));
        self.forget(target);
        self.by_told.insert((counters.told.at, target));
        self.counters.insert(target, Counters { until, ..counters });
    }

    fn forget(&mut self, target: u32) -> Option<Counters> {
        let counters = self.counters.remove(&target)?;
        self.by_told.remove(&(counters.told.at, target));
        Some(counters)
    }

    fn end_counters(&mut self, target: u32) {
        if let Some(counters) = self.forget(target) {
            self.tell(target, counters, None);
        }
    }

    /// Makes outcomes of what was counted up to the reading that was the newest; `after` is the one
    /// behind it. In which order some were lost, nobody knows: they are spread evenly.
    fn tell(&mut self, target: u32, counters: Counters, after: Option<Reading>) -> Counters {
        let Some(next) = counters.next else { return counters };
        let open = counters.open(next);
        let open = after.map_or(open, |after| open.min(counters.open(after)));
        let sent = next.sent - counters.told.sent;
        let lost = open.saturating_sub(counters.lost).min(sent);
        let all = sent.min(MOST_COUNTED);
        let share = lost as f64 / sent.max(1) as f64;
        let missed = if all == sent { lost } else { (share * all as f64).round() as u64 };
        let span = next.at.since(counters.told.at);
        for probe in 0..all {
            let place = (probe as f64 + 0.5) / all as f64;
            let is_missed = (probe + 1) * missed / all > probe * missed / all;
            let answer = (!is_missed).then_some((Duration::ZERO, None));
            let at = counters.told.at + span.mul_f64(place);
            self.push_outcome(target, at, answer, Duration::ZERO);
        }
        Counters { told: next, lost: counters.lost + lost, ..counters }
    }
}
