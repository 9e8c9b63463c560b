//! What silence is worth. In: answers and misses of one scope, each with the time its probe was
//! sent. Out: the odds that the scope is down, and the interval in which that began or ended. It
//! never directives at the time.
//!
//! Only misses *sent after the newest answered probe* count: an answer proves life at the moment
//! its probe came by, whatever was missed before. Each miss multiplies the odds of "down" by 1/q,
//! where q is the chance that this host misses while its block is up (Wald's sequential test with a
//! false reply all but impossible). A late answer is an answer like any other: it takes back its
//! own miss and every older one.

use super::{
    misses::{BEARERS, Miss, Misses},
    rules::{DOWN, EDGE, PARTS_BACK},
};
use crate::{
    scopes::{Roster, RosterMapping},
    time::Time,
};
use std::time::Duration;

/// A scope's newest life and its silence since.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Belief {
    pub life: Option<Time>,
    misses: Misses,
}

/// The odds of some misses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Odds {
    /// Natural logarithm, each part's contribution capped at its share.
    pub log: f32,
    pub count: u32,
    /// Of how many parts of the scope they are.
    pub parts: usize,
    pub first: Time,
    pub last: Time,
}

impl Odds {
    pub fn span(&self) -> Duration {
        self.last.since(self.first)
    }
}

/// Adds up weights, no part of the scope beyond its share.
struct Tally {
    share: f32,
    sums: [f32; BEARERS],
    log: f32,
}

impl Tally {
    fn new(limit: f32, parts: usize) -> Self {
        // Of four parts any three can bring the whole, of two or three parts any two: one part
        // never can.
        let bearers = if parts < 2 { 1 } else { (parts - 1).max(2) };
        Self { share: limit / bearers as f32, sums: [0.0; BEARERS], log: 0.0 }
    }

    fn add(&mut self, miss: &Miss) -> f32 {
        let sum = &mut self.sums[miss.bearer()];
        // A hair above the share, so that full shares reach the limit in spite of rounding.
        let gain = miss.weight.min(self.share * 1.0001 - *sum).max(0.0);
        *sum += gain;
        self.log += gain;
        self.log
    }

    /// Of how many parts there was anything.
    fn parts(&self) -> usize {
        self.sums.iter().filter(|&&sum| sum > 0.0).count()
    }
}

impl Belief {
    /// Takes in a miss, unless life has been proved since.
    pub fn miss(&mut self, miss: Miss) -> bool {
        let counts = self.life.is_none_or(|life| miss.sent > life);
        if counts {
            self.misses.insert(miss);
        }
        counts
    }

    /// Takes in an answer to a probe sent then; gives back the misses that it explains as chance.
    pub fn life(&mut self, sent: Time) -> Vec<Miss> {
        self.life = self.life.max(Some(sent));
        self.misses.take_until(sent)
    }

    /// Forgets misses of a stretch in which we could not see.
    pub fn void(&mut self, from: Time, to: Time) {
        self.misses.retain(|sent| sent < from || sent > to);
    }

    /// Goes on with another roster: what was missed of targets that went is forgotten.
    pub fn remap(&mut self, map: &RosterMapping, roster: &Roster) {
        self.misses.remap(map, roster);
    }

    /// Are there any misses since life was last proved?
    pub fn is_quiet(&self) -> bool {
        self.misses.is_empty()
    }

    /// The same, but for misses sent before this time.
    pub fn since(&self, from: Time) -> Self {
        let mut fresh = self.clone();
        fresh.void(Time::default(), from);
        fresh
    }

    /// Every time in it, moved by so many nanoseconds.
    pub fn shift(&mut self, nanos: i64) {
        self.life = self.life.map(|life| life.shifted(nanos));
        self.misses.shift(nanos);
    }

    /// Of a darkness that is found already, forgets all but the newest few misses sent before this
    /// time: those tell when it ended.
    pub fn trim(&mut self, before: Time) {
        self.misses.trim(before);
    }

    /// The odds of the misses sent up to `until`, when none of `parts` may bring more than its
    /// share of `limit`.
    pub fn odds(&self, until: Time, limit: f32, parts: usize) -> Odds {
        let mut tally = Tally::new(limit, parts);
        let mut odds = Odds::default();
        for (miss, count) in self.misses.counted().filter(|(miss, _)| miss.sent <= until) {
            tally.add(miss);
            if odds.count == 0 {
                odds.first = miss.sent;
            }
            odds.last = miss.sent;
            odds.count += count;
        }
        odds.log = tally.log;
        odds.parts = tally.parts();
        odds
    }

    /// When the miss was sent with which the odds reached so much.
    pub fn reached(&self, needed: f32, parts: usize) -> Option<Time> {
        let mut tally = Tally::new(needed, parts);
        self.misses.all().find(|miss| tally.add(miss) >= needed).map(|miss| miss.sent)
    }

    /// By when the silence had begun, as seen now, but for this risk: the first miss from which on
    /// chance is out of the question, and as long again as its answer would have been on the way,
    /// since a cut also takes answers already under way. What was never seen alive was dark before
    /// the first miss.
    pub fn onset(&self, parts: usize, risk: f64, now: Time) -> Option<Time> {
        let first = match self.life {
            Some(life) => turn(life, self.misses.all(), now, risk, Tally::new(DOWN, parts)),
            None => self.misses.all().next(),
        };
        first.map(|miss| miss.sent + miss.usual)
    }

    /// How many targets the misses are of.
    pub fn targets(&self) -> usize {
        let mut targets: Vec<u32> = self.misses.all().map(|miss| miss.target).collect();
        targets.sort_unstable();
        targets.dedup();
        targets.len()
    }
}

/// Until when the silence lasted at least, by the misses before the first answer, which answered a
/// probe sent then: the last miss before which chance is out of the question.
pub(super) fn lasted_until(
    misses: &[Miss],
    since: Time,
    answered: Time,
    parts: usize,
) -> Option<Time> {
    let tally = Tally::new(DOWN, parts.min(PARTS_BACK));
    turn(answered, misses.iter().rev(), since, EDGE, tally).map(|miss| miss.sent)
}

/// The change of fate between `from` and `until`, of which the misses tell, in the order that leads
/// away from `from`: the first miss beyond which it lies with no more than this risk.
///
/// The change-point posterior with an even prior (A. N. Shiryaev, "On optimum methods in quickest
/// detection problems", 1963): that it lies between two misses is as likely as the time between
/// them is long, times the chance that every miss before it was missed by chance. So one miss is
/// enough after a long pause, and it takes two where they follow each other closely.
fn turn<'a>(
    from: Time,
    misses: impl Iterator<Item = &'a Miss>,
    until: Time,
    risk: f64,
    mut tally: Tally,
) -> Option<&'a Miss> {
    let (mut last, mut sum, mut steps) = (from, 0.0, Vec::new());
    let apart = |one: Time, other: Time| one.since(other).max(other.since(one)).as_secs_f64();
    let chance = |tally: &Tally| f64::from(-tally.log).exp();
    for miss in misses {
        sum += apart(miss.sent, last) * chance(&tally);
        tally.add(miss);
        last = miss.sent;
        steps.push((sum, miss));
    }
    sum += apart(until, last) * chance(&tally);
    let place = steps.partition_point(|&(before, _)| before < sum * (1.0 - risk));
    steps.get(place).map(|&(_, miss)| miss)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn miss(sent: u64, part: u32) -> Miss {
        let usual = Duration::from_millis(300);
        Miss {
            sent: Time::from_nanos(sent * 1_000_000_000),
            weight: 4.0,
            target: part,
            part,
            usual,
        }
    }

    fn at(seconds: u64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn an_answer_explains_every_miss_sent_before_it_and_none_after() {
        let mut belief = Belief::default();
        for second in [3, 1, 2, 4] {
            assert!(belief.miss(miss(second, 0)));
        }
        assert_eq!(
            belief.odds(at(3), 13.8, 1),
            Odds { log: 12.0, count: 3, parts: 1, first: at(1), last: at(3) }
        );
        assert_eq!(belief.life(at(2)).len(), 2);
        assert_eq!(belief.odds(at(9), 13.8, 1).count, 2);
        assert!(
            !belief.miss(miss(2, 0)),
            "a miss that was sent before the newest life says nothing"
        );
        assert_eq!(belief.life(at(1)).len(), 0, "an older answer says nothing new");
        assert_eq!(belief.life, Some(at(2)));
    }

    #[test]
    fn a_silence_asked_about_many_times_a_second_has_its_true_length_and_begin() {
        let mut belief = Belief::default();
        for hundredth in 0..1000 {
            let sent = Time::from_nanos(hundredth * 10_000_000);
            belief.miss(Miss { sent, weight: 0.5, part: hundredth as u32 % 4, ..miss(0, 0) });
        }
        let odds = belief.odds(Time::NEVER, f32::MAX, 4);
        assert_eq!((odds.first, odds.span()), (at(0), Duration::from_millis(9990)));
        assert!((odds.log - 500.0).abs() < 0.01, "{odds:?}");
        assert_eq!(odds.count, 1000);
        let onset = belief.onset(4, EDGE, at(10));
        assert!(onset.is_some_and(|onset| onset < at(1)), "{onset:?}");
        // Life in the middle leaves what was missed after it.
        belief.life(at(6));
        assert!(belief.odds(Time::NEVER, f32::MAX, 4).first > at(6));
        belief.life(at(10));
        assert!(belief.is_quiet());
    }

    #[test]
    fn one_block_cannot_darken_a_country() {
        let mut belief = Belief::default();
        belief.life(at(9));
        for second in 10..30 {
            belief.miss(miss(second, 7));
        }
        assert!(belief.odds(at(99), 12.0, 4).log < 4.01);
        for part in 0..3 {
            belief.miss(miss(30 + u64::from(part), part));
        }
        assert!(belief.odds(at(99), 12.0, 4).log >= 12.0);
        let usual = Duration::from_millis(300);
        assert_eq!(
            belief.onset(1, EDGE, at(33)),
            Some(at(11) + usual),
            "one second's gap takes two misses"
        );
        assert_eq!(
            belief.onset(4, EDGE, at(33)),
            Some(at(30) + usual),
            "the second block tells of the country"
        );
    }

    #[test]
    fn the_silence_of_thousands_of_blocks_is_that_of_all_of_them() {
        let mut belief = Belief::default();
        for part in 0..5_030 {
            belief.miss(miss(u64::from(part), part));
        }
        let odds = belief.odds(Time::NEVER, DOWN, 4);
        assert_eq!(
            (odds.count, odds.parts, odds.span()),
            (5_030, BEARERS, Duration::from_secs(5_029))
        );
        assert!(odds.log >= DOWN);
    }

    #[test]
    fn after_a_long_pause_one_miss_is_enough_for_an_edge() {
        let mut belief = Belief::default();
        belief.life(at(55));
        for second in [100, 101, 102] {
            belief.miss(miss(second, second as u32));
        }
        let usual = Duration::from_millis(300);
        assert_eq!(belief.onset(4, EDGE, at(103)), Some(at(100) + usual));
        assert_eq!(lasted_until(&[miss(0, 0), miss(45, 1)], at(0), at(90), 4), Some(at(0)));
        assert_eq!(Belief::default().onset(1, EDGE, at(9)), None);
    }
}
