//! How often a target was asked, from the times between its samples, as that changes.

use lifesign_core::time::Time;
use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
    time::Duration,
};

/// Of the times between two samples, this share is no longer than the interval: the rest are
/// samples that are missing, and times in which nobody watched.
const SHARE: f64 = 0.9;
/// A plan's interval is no shorter and no longer.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// So many spans on either side say how often the target was asked between them ...
const SIDE: usize = 20;
/// ... and fewer, of which a single gap may be a tenth, say nothing.
const FEWEST: usize = 10;
/// An interval that so many spans kept to, each among its like, is one of the record.
const KEPT: u64 = 20;
/// So much longer or shorter is another interval. What lies between is jitter.
const LONGER: f64 = 1.25;
const SHORTER: f64 = 0.5;
/// A record that changes more often has its longest interval from there on.
const MOST_STRETCHES: usize = 1000;

/// So many packets are no burst: each is a sample by itself.
const MOST_OF_BURST: u32 = 256;
/// Bursts are a cadence where of the times between their begins half, those in the middle, are
/// alike; otherwise they are runs that somebody began when it pleased them.
const MIDDLE: [f64; 2] = [0.25, 0.75];

/// Times between samples, in milliseconds, by classes an eighth of an octave wide: how many, and
/// their sum.
type Spans = BTreeMap<u16, (u64, u64)>;

/// The times between the samples of one target, which come in the order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Cadence {
    newest: Option<Time>,
    samples: Spacing,
    /// Of bursts, if there are any.
    bursts: Option<Box<Spacing>>,
    /// When the present burst began, and its packets so far.
    begin: Time,
    packets: u32,
}

impl Cadence {
    /// There is a sample of this time; another of the same time says nothing. `goes_on` if it was
    /// sent in one go with the one before: of ten packets each minute, the pause behind them is as
    /// usual as the second between them.
    pub fn add(&mut self, at: Time, goes_on: bool) {
        let newest = self.newest.replace(at);
        let Some(newest) = newest.filter(|&newest| newest < at) else {
            if newest.is_none() {
                (self.begin, self.packets) = (at, 1);
            }
            return;
        };
        self.samples.add(newest, at.since(newest));
        if goes_on {
            self.packets = self.packets.saturating_add(1);
            let bursts = self.bursts.get_or_insert_default();
            bursts.is_of_bursts = true;
            if self.packets == MOST_OF_BURST {
                bursts.stop(self.begin);
            }
            return;
        }
        if let Some(bursts) = self.bursts.as_mut().filter(|_| self.packets < MOST_OF_BURST) {
            // Of those that hardly pause, the pause is what says when nobody watched.
            let (pause, whole) = (at.since(newest), at.since(self.begin));
            bursts.add(self.begin, if pause > whole / 2 { whole } else { pause });
        }
        (self.begin, self.packets) = (at, 1);
    }

    /// There is no further sample.
    pub fn end(&mut self) {
        self.samples.end();
        if let Some(bursts) = &mut self.bursts {
            bursts.end();
        }
    }

    /// How long usually passed between two samples then, or between two bursts of them; None of
    /// fewer than two.
    pub fn interval_at(&self, at: Time) -> Option<Duration> {
        self.of_both(|spacing| spacing.interval_at(at))
    }

    /// The longest that it ever was.
    pub fn longest(&self) -> Option<Duration> {
        self.of_both(Spacing::longest)
    }

    /// The interval of a plan, which has one for the whole record: that to which most samples keep,
    /// or a longer one that the record had for a while, so that a slow time is no silence. None of
    /// fewer than two samples.
    pub fn interval(&self) -> Option<Duration> {
        self.of_both(Spacing::interval)
    }

    fn of_both(&self, interval: impl Fn(&Spacing) -> Option<Duration>) -> Option<Duration> {
        interval(&self.samples).max(self.bursts.as_deref().and_then(interval))
    }
}

/// The times between moments, which come in their order.
#[derive(Clone, Debug, Default)]
struct Spacing {
    is_of_bursts: bool,
    all: Spans,
    /// Those that were as long as most around them.
    kept: Spans,
    /// The newest spans, each with its begin and in milliseconds, and which is settled next.
    around: VecDeque<(Time, u64)>,
    next: usize,
    /// From when on it was asked how often.
    stretches: Vec<(Time, Duration)>,
}

impl Spacing {
    /// So long after this time came the next.
    fn add(&mut self, from: Time, span: Duration) {
        self.around.push_back((from, span.as_millis() as u64));
        if self.around.len() - self.next > SIDE {
            self.settle();
        }
    }

    fn end(&mut self) {
        while self.next < self.around.len() {
            self.settle();
        }
    }

    /// Says of the next span how often the target was asked around it: the longer of what was usual
    /// before it and after it, so that neither side of a change makes a gap of the other.
    fn settle(&mut self) {
        let at = self.next;
        let (from, millis) = self.around[at];
        let all = self.around.len();
        let before = at.saturating_sub(SIDE)..at;
        let after = at + 1..(at + 1 + SIDE).min(all);
        let sides = |share| {
            let before = usual(&self.around, before.clone(), share);
            before.max(usual(&self.around, after.clone(), share))
        };
        let is_cadence = !self.is_of_bursts || is_even(&self.around);
        let mut interval = Duration::ZERO;
        if is_cadence {
            count(&mut self.all, millis);
            if sides(0.5).is_some_and(|median| millis as f64 <= median as f64 * LONGER) {
                count(&mut self.kept, millis);
            }
            let whole =
                || usual(&self.around, 0..all, SHARE).unwrap_or_else(|| longest(&self.around));
            interval = Duration::from_millis(sides(SHARE).unwrap_or_else(whole));
            interval = interval.clamp(SHORTEST, LONGEST);
        }
        self.go_on(from, interval);
        self.next += 1;
        if self.next > SIDE {
            self.around.pop_front();
            self.next -= 1;
        }
    }

    /// From this time on there is none for a while.
    fn stop(&mut self, at: Time) {
        self.end();
        self.go_on(at, Duration::ZERO);
        self.around.clear();
        self.next = 0;
    }

    fn go_on(&mut self, from: Time, interval: Duration) {
        let is_full = self.stretches.len() == MOST_STRETCHES;
        match self.stretches.last_mut() {
            Some((_, last)) if is_full => *last = interval.max(*last),
            Some((_, last))
                if interval <= last.mul_f64(LONGER) && interval >= last.mul_f64(SHORTER) => {}
            _ => self.stretches.push((from, interval)),
        }
    }

    fn interval_at(&self, at: Time) -> Option<Duration> {
        let behind = self.stretches.partition_point(|&(from, _)| from <= at);
        self.stretches.get(behind.checked_sub(1)?).map(|&(_, interval)| interval)
    }

    fn longest(&self) -> Option<Duration> {
        self.stretches.iter().map(|&(_, interval)| interval).max()
    }

    fn interval(&self) -> Option<Duration> {
        let all: u64 = self.all.values().map(|(count, _)| count).sum();
        let mut passed = 0;
        let usual = self.all.values().find(|(count, _)| {
            passed += count;
            passed as f64 >= all as f64 * SHARE
        });
        let mut left = 0;
        let kept = self.kept.values().rev().find(|(count, _)| {
            left += count;
            left >= KEPT
        });
        let mean = |&(count, sum): &(u64, u64)| Duration::from_millis(sum / count);
        let mean = usual.map(mean).max(kept.map(mean))?;
        let step = Duration::from_millis(if mean < Duration::from_secs(5) { 10 } else { 1000 });
        let steps = (mean.as_secs_f64() / step.as_secs_f64()).round() as u32;
        Some((step * steps).clamp(SHORTEST, LONGEST))
    }
}

fn count(spans: &mut Spans, millis: u64) {
    let (count, sum) = spans.entry(class(millis)).or_default();
    *count += 1;
    *sum += millis;
}

/// What this share of the spans is no longer than; None of too few.
fn usual(spans: &VecDeque<(Time, u64)>, range: Range<usize>, share: f64) -> Option<u64> {
    let mut sorted = [0; 2 * SIDE + 1];
    let sorted = sorted.get_mut(..range.len()).filter(|all| all.len() >= FEWEST)?;
    for (place, (_, millis)) in sorted.iter_mut().zip(spans.range(range)) {
        *place = *millis;
    }
    let place = (sorted.len() as f64 * share).ceil() as usize;
    Some(*sorted.select_nth_unstable(place.saturating_sub(1)).1)
}

/// Are those in the middle alike, of all spans around a moment?
fn is_even(spans: &VecDeque<(Time, u64)>) -> bool {
    let mut sorted: Vec<u64> = spans.iter().map(|&(_, millis)| millis).collect();
    sorted.sort_unstable();
    let [low, high] = MIDDLE.map(|share| {
        let place = (sorted.len() as f64 * share).ceil() as usize;
        sorted.get(place.saturating_sub(1)).copied().unwrap_or_default()
    });
    sorted.len() >= 2 && high as f64 <= low as f64 * LONGER
}

fn longest(spans: &VecDeque<(Time, u64)>) -> u64 {
    spans.iter().map(|&(_, millis)| millis).max().unwrap_or_default()
}

fn class(millis: u64) -> u16 {
    let octave = 64 - millis.leading_zeros();
    let eighth = if octave > 4 { millis >> (octave - 4) & 7 } else { millis & 7 };
    (octave * 8) as u16 + eighth as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cadence(spans: &[(u64, usize)]) -> Cadence {
        let mut at = Time::from_nanos(1_795_633_778_369_000_000);
        let mut cadence = Cadence::default();
        cadence.add(at, false);
        for &(millis, count) in spans {
            for _ in 0..count {
                at = at + Duration::from_millis(millis);
                cadence.add(at, false);
            }
        }
        cadence.end();
        cadence
    }

    fn interval(spans: &[(u64, usize)]) -> Option<Duration> {
        cadence(spans).interval()
    }

    #[test]
    fn an_interval_is_what_most_samples_keep_to() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(interval(&[]), None);
        assert_eq!(interval(&[(15_000, 40), (30_000, 2), (900_000, 1)]), seconds(15));
        assert_eq!(interval(&[(14_998, 40), (15_003, 40)]), seconds(15));
        assert_eq!(interval(&[(15_000, 400), (60_000, 100)]), seconds(60), "the longer of two");
        assert_eq!(interval(&[(240_000, 50)]), seconds(240));
        assert_eq!(interval(&[(500, 50)]), Some(Duration::from_millis(500)));
        assert_eq!(interval(&[(1, 50)]), Some(SHORTEST));
        assert_eq!(interval(&[(1_000, 2), (238_000, 1), (1_000, 2), (238_000, 1)]), seconds(238));
    }

    #[test]
    fn an_interval_that_a_record_had_for_a_while_is_one_of_its_plan() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(interval(&[(15_000, 2000), (300_000, 60)]), seconds(300));
        assert_eq!(interval(&[(15_000, 2000), (300_000, 60), (60_000, 3000)]), seconds(300));
        // Samples that are missing here and there are no cadence, however many they are in all.
        let missing = [(15_000, 13), (30_000, 1)].repeat(100);
        assert_eq!(interval(&missing), seconds(15));
        let gaps = [(15_000, 50), (3_600_000, 1), (15_000, 4), (900_000, 1)].repeat(50);
        assert_eq!(interval(&gaps), seconds(15));
    }

    #[test]
    fn the_cadence_changes_where_the_record_does() {
        let begin = Time::from_nanos(1_795_633_778_369_000_000);
        let at = |seconds| begin + Duration::from_secs(seconds);
        let changed = cadence(&[(15_000, 100), (300_000, 60), (60_000, 100)]);
        for (second, wanted) in [(0, 15), (900, 15), (1500, 300), (10_000, 300), (24_000, 60)] {
            let found = changed.interval_at(at(second));
            assert_eq!(found, Some(Duration::from_secs(wanted)), "at {second} s");
        }
        assert_eq!(changed.longest(), Some(Duration::from_secs(300)));
        let wild = cadence(&[(1_000, 30), (300_000, 30)].repeat(2000));
        assert!(
            wild.samples.stretches.len() <= MOST_STRETCHES
                && wild.samples.around.len() <= 2 * SIDE + 1
        );
    }

    /// Bursts of so many packets, one a second, each so many seconds.
    fn bursts(packets: u32, seconds: &[u64]) -> Option<Duration> {
        let mut cadence = Cadence::default();
        let mut at = Time::from_nanos(1_795_633_778_369_000_000);
        for seconds in seconds {
            for packet in 0..packets {
                cadence.add(at + Duration::from_secs(packet.into()), packet > 0);
            }
            at = at + Duration::from_secs(*seconds);
        }
        cadence.end();
        assert_eq!(cadence.longest(), cadence.interval_at(at));
        cadence.interval()
    }

    #[test]
    fn bursts_of_any_length_have_the_interval_of_their_begins() {
        for packets in [1, 2, 3, 5, 6, 10, 16, 30] {
            for (interval, count) in [(60, 240), (240, 60), (240, 3)] {
                let wanted = Some(Duration::from_secs(interval));
                assert_eq!(bursts(packets, &vec![interval; count]), wanted, "{packets} packets");
            }
            let one_is_missing = [[240; 9].as_slice(), &[480]].concat().repeat(6);
            let interval = bursts(packets, &one_is_missing);
            assert!(interval >= Some(Duration::from_secs(240)), "{packets} packets: {interval:?}");
        }
    }

    #[test]
    fn runs_that_somebody_began_when_it_pleased_them_are_no_bursts() {
        let second = Some(Duration::from_secs(1));
        assert_eq!(bursts(180, &[3600, 1000]), second);
        assert_eq!(bursts(100, &[3600, 300, 700, 300, 5000, 120, 900]), second);
        assert_eq!(bursts(3600, &[86_400; 30]), second, "an hour each day");
        assert_eq!(bursts(60, &[61; 30]), Some(Duration::from_secs(2)), "one after the other");
    }
}
