//! What several series tell of one probe, put together: outcomes in the order in which they were
//! known, and the times in which nobody watched.

use super::{
    entry::{Entry, Fact},
    loss::Loss,
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
/// What was counted last waits for so many times the longest pause between two readings, since what
/// is counted next says in which order it was.
const MOST_IDLE: u32 = 10;
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
    /// Of what was told last, nothing was answered; None if nothing was told.
    was_dark: Option<bool>,
    /// When its newest probe is said to have been sent.
    newest: Time,
    next: Option<Reading>,
    /// When it was read last: perhaps later, with no further probe.
    read: Time,
    /// When it is read no more, for sure.
    until: Time,
}

impl Counters {
    fn new(first: Reading) -> Self {
        let at = first.at;
        let (told, was_dark, next) = (first, None, None);
        Self { first, told, lost: 0, was_dark, newest: at, next, read: at, until: at }
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
        } else if let Some(ratio) = group.loss_ratio {
            let samples_of_one = self.samples_of_one(target);
            let loss = self.loss.entry(target).or_default();
            if loss.add(ratio, samples_of_one) {
                let reading = Reading { at, sent: loss.sent, answered: loss.answered };
                self.count(target, reading, reach * samples_of_one);
            }
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

    fn samples_of_one(&self, target: u32) -> u32 {
        self.targets.get(target as usize).map_or(1, |target| target.rises.samples_of_one())
    }

    /// Takes in a reading of counters. What was lost is known with the reading after it: until then
    /// the probe that was sent last may be on its way.
    fn count(&mut self, target: u32, reading: Reading, reach: Duration) {
        let Some(&(mut counters)) = self.counters.get(&target) else {
            self.keep(target, Counters::new(reading), reading.at);
            return;
        };
        let newest = counters.next.unwrap_or(counters.told);
        let told_by = self.targets.get(target as usize);
        let since = reading.at.since(counters.read);
        let most = MOST_A_SECOND * since.as_secs_f64();
        let is_possible = |before: u64, now: u64| now >= before && (now - before) as f64 <= most;
        let is_reset = !is_possible(newest.sent, reading.sent)
            || !is_possible(newest.answered, reading.answered)
            || told_by.is_some_and(|target| !target.is_of_one(counters.read, reading.at));
        if is_reset || since > reach {
            self.end_counters(target);
            self.keep(target, Counters::new(reading), reading.at);
            return;
        }
        if reading.sent > newest.sent {
            counters = self.tell(target, counters, Some(reading));
            counters.next = Some(reading);
        } else if counters.next.is_some() && reading.at.since(newest.at) <= reach * MOST_IDLE {
            counters.next = Some(Reading { answered: reading.answered, ..newest });
        } else {
            // It may never rise again, while others go on.
            counters = self.tell(target, counters, None);
            counters.told = reading;
        }
        counters.read = reading.at;
        self.keep(target, counters, reading.at);
    }

    /// Keeps counters that were read now.
    fn keep(&mut self, target: u32, counters: Counters, now: Time) {
        let longest = self.targets.get(target as usize).and_then(|target| target.cadence.longest());
        let reach = reach(longest.unwrap_or(UNKNOWN_INTERVAL)) * self.samples_of_one(target);
        let until = now + reach;
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
    /// behind it. In which order some were lost, nobody knows.
    fn tell(&mut self, target: u32, counters: Counters, after: Option<Reading>) -> Counters {
        let Some(next) = counters.next else { return counters };
        let open = counters.open(next);
        let open = after.map_or(open, |after| open.min(counters.open(after)));
        let sent = next.sent - counters.told.sent;
        let lost = open.saturating_sub(counters.lost).min(sent);
        let all = sent.min(MOST_COUNTED);
        let share = lost as f64 / sent.max(1) as f64;
        let missed = if all == sent { lost } else { (share * all as f64).round() as u64 };
        let is_dark_after = after.map(|after| after.answered == next.answered);
        let order = Order { all, missed, was_dark: counters.was_dark, is_dark_after };
        let span = next.at.since(counters.told.at);
        let mut newest = counters.newest;
        for probe in 0..all {
            let (place, is_missed) = order.place(probe);
            let answer = (!is_missed).then_some((Duration::ZERO, None));
            newest = (newest + APART).max(counters.told.at + span.mul_f64(place));
            self.push_outcome(target, newest, answer, Duration::ZERO);
        }
        let told = Reading { at: counters.read, ..next };
        let lost = counters.lost + lost;
        Counters { told, lost, was_dark: Some(missed == all), newest, next: None, ..counters }
    }
}

/// Two probes of one target are not sent at the same time.
const APART: Duration = Duration::from_micros(1);

/// Probes that were counted between two readings.
struct Order {
    all: u64,
    missed: u64,
    /// Was nothing answered before, and is nothing behind? None if it is not known.
    was_dark: Option<bool>,
    is_dark_after: Option<bool>,
}

impl Order {
    /// Where in its time a probe is said to have been sent, from 0 to 1, and whether it was lost.
    /// Where darkness begins, answers are dated as early as they can have been sent, and misses as
    /// late; where it ends, misses early and answers late. So the edge holds the truth. Elsewhere,
    /// losses are spread evenly.
    fn place(&self, probe: u64) -> (f64, bool) {
        let &Order { all, missed, was_dark, is_dark_after } = self;
        let part = |number: u64, of: u64| number as f64 / of as f64;
        let is_whole = missed == 0 || missed == all;
        if is_whole {
            let is_dark = missed > 0;
            let is_change = |other: Option<bool>| other.is_some_and(|other| other != is_dark);
            let late = f64::from(u8::from(probe == 0 && is_change(was_dark)));
            let early = f64::from(u8::from(probe + 1 == all && is_change(is_dark_after)));
            return ((probe as f64 + 0.5 + (late - early) / 2.0) / all as f64, is_dark);
        }
        let answered = all - missed;
        match (was_dark == Some(true), is_dark_after == Some(true)) {
            (false, true) if probe < answered => (part(probe, all), false),
            (false, true) => (1.0 - part(all - 1 - probe, missed) / all as f64, true),
            (true, false) if probe < missed => (part(probe, missed) / all as f64, true),
            (true, false) => (part(probe + 1, all), false),
            _ => {
                let is_missed = (probe + 1) * missed / all > probe * missed / all;
                ((probe as f64 + 0.5) / all as f64, is_missed)
            }
        }
    }
}
