//! What silence is worth: the odds that a scope is down, and the interval in which a darkness began
//! or ended, from its answers and misses, each with the time its probe was sent.
//!
//! Only misses *sent after the newest answered probe* count: an answer proves life at the moment
//! its probe came by, whatever was missed before. Each miss multiplies the odds of "down" by 1/q,
//! where q is the chance that this host misses while its block is up (Wald's sequential test with a
//! false reply all but impossible). A late answer is an answer like any other: it takes back its
//! own miss and every older one.

use super::{
    misses::{GROUPS, Miss, Misses},
    rules::{DOWN_ODDS, EDGE_RISK, RECOVERY_GROUPS},
};
use crate::{
    scopes::{Roster, RosterMapping, TargetId},
    time::Time,
};
use std::time::Duration;

/// A scope's newest life and its silence since.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Belief {
    /// When the newest answered probe was sent.
    #[serde(rename = "life")]
    pub last_life: Option<Time>,
    misses: Misses,
}

/// The odds of some misses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Odds {
    /// Natural logarithm, each group's contribution capped at its share.
    pub log: f32,
    /// How many misses they are.
    pub count: u32,
    /// Of how many groups of blocks they are.
    pub groups: usize,
    pub first: Time,
    pub last: Time,
}

impl Odds {
    pub fn span(&self) -> Duration {
        self.last.since(self.first)
    }
}

/// Adds up weights, no group beyond its share of the limit.
struct GroupSums {
    share: f32,
    by_group: [f32; GROUPS],
    log: f32,
}

impl GroupSums {
    fn new(limit: f32, groups: usize) -> Self {
        // Three of four groups can bring the whole limit, two of two or three; one never can.
        let needed = if groups < 2 { 1 } else { (groups - 1).max(2) };
        Self { share: limit / needed as f32, by_group: [0.0; GROUPS], log: 0.0 }
    }

    /// Returns the sum so far.
    fn add(&mut self, miss: &Miss) -> f32 {
        let sum = &mut self.by_group[miss.group()];
        // A hair above the share, so that full shares reach the limit in spite of rounding.
        let gain = miss.weight.min(self.share * 1.0001 - *sum).max(0.0);
        *sum += gain;
        self.log += gain;
        self.log
    }

    /// Of how many groups there was anything.
    fn groups(&self) -> usize {
        self.by_group.iter().filter(|&&sum| sum > 0.0).count()
    }
}

impl Belief {
    /// Records a miss, unless life has been proved since; says whether it did.
    pub fn record_miss(&mut self, miss: Miss) -> bool {
        let counts = self.last_life.is_none_or(|life| miss.sent > life);
        if counts {
            self.misses.insert(miss);
        }
        counts
    }

    /// Records an answer to a probe sent then; returns the misses that it refutes as chance.
    pub fn record_answer(&mut self, sent: Time) -> Vec<Miss> {
        self.last_life = self.last_life.max(Some(sent));
        self.misses.take_until(sent)
    }

    /// Forgets misses of a period in which we could not see.
    pub fn forget_between(&mut self, from: Time, to: Time) {
        self.misses.retain(|sent| sent < from || sent > to);
    }

    /// Goes on with another roster: what was missed of targets that went is forgotten.
    pub fn remap(&mut self, map: &RosterMapping, roster: &Roster) {
        self.misses.remap(map, roster);
    }

    /// Has anything been missed since life was last proved?
    pub fn has_misses(&self) -> bool {
        !self.misses.is_empty()
    }

    /// The same without the misses sent up to this time.
    pub fn after(&self, from: Time) -> Self {
        let mut rest = self.clone();
        rest.forget_between(Time::default(), from);
        rest
    }

    /// Moves every time by so many nanoseconds.
    pub fn shift_times(&mut self, nanos: i64) {
        self.last_life = self.last_life.map(|life| life.shifted(nanos));
        self.misses.shift_times(nanos);
    }

    /// Of a darkness that is proved already, forgets all but the newest few misses sent before this
    /// time: those tell when it ended.
    pub fn keep_last_before(&mut self, before: Time) {
        self.misses.keep_last_before(before);
    }

    /// The odds of the misses sent up to `until`, when none of `groups` may bring more than its
    /// share of `limit`.
    pub fn odds(&self, until: Time, limit: f32, groups: usize) -> Odds {
        let mut sums = GroupSums::new(limit, groups);
        let mut odds = Odds::default();
        for (miss, count) in self.misses.counted().filter(|(miss, _)| miss.sent <= until) {
            sums.add(miss);
            if odds.count == 0 {
                odds.first = miss.sent;
            }
            odds.last = miss.sent;
            odds.count += count;
        }
        odds.log = sums.log;
        odds.groups = sums.groups();
        odds
    }

    /// When the miss was sent with which the odds reached so much.
    pub fn reached_at(&self, needed: f32, groups: usize) -> Option<Time> {
        let mut sums = GroupSums::new(needed, groups);
        self.misses.all().find(|miss| sums.add(miss) >= needed).map(|miss| miss.sent)
    }

    /// By when the silence had begun, as seen now and but for this risk: when the first miss was
    /// sent that chance does not explain, and its usual round-trip time later, since a cut also
    /// takes answers already under way. What was never seen alive was dark before the first miss.
    pub fn onset(&self, groups: usize, risk: f64, now: Time) -> Option<Time> {
        let first = match self.last_life {
            Some(life) => {
                let sums = GroupSums::new(DOWN_ODDS, groups);
                change_point(life, self.misses.all(), now, risk, sums)
            }
            None => self.misses.all().next(),
        };
        first.map(|miss| miss.sent + miss.usual_rtt)
    }

    /// How many targets the misses are of.
    pub fn target_count(&self) -> usize {
        let mut targets: Vec<TargetId> = self.misses.all().map(|miss| miss.target).collect();
        targets.sort_unstable();
        targets.dedup();
        targets.len()
    }
}

/// Until when the silence lasted at least: when the last miss was sent that chance does not
/// explain. `answered` is when the first answered probe was sent, `misses` are those before it.
pub(super) fn lasted_until(
    misses: &[Miss],
    since: Time,
    answered: Time,
    groups: usize,
) -> Option<Time> {
    let sums = GroupSums::new(DOWN_ODDS, groups.min(RECOVERY_GROUPS));
    change_point(answered, misses.iter().rev(), since, EDGE_RISK, sums).map(|miss| miss.sent)
}

/// The change between life and silence that happened between `from` (life) and `until` (silence):
/// the first miss beyond which it lies with no more than this risk. `misses` are ordered away from
/// `from`.
///
/// The change-point posterior with an even prior (A. N. Shiryaev, "On optimum methods in quickest
/// detection problems", 1963): the probability that the change lies between two misses is
/// proportional to the time between them, times the chance that every miss before it was chance. So
/// one miss is enough after a long pause, and it takes two where they follow each other closely.
fn change_point<'a>(
    from: Time,
    misses: impl Iterator<Item = &'a Miss>,
    until: Time,
    risk: f64,
    mut sums: GroupSums,
) -> Option<&'a Miss> {
    let distance = |one: Time, other: Time| one.since(other).max(other.since(one)).as_secs_f64();
    let chance = |sums: &GroupSums| f64::from(-sums.log).exp();
    let mut last = from;
    let mut mass = 0.0;
    let mut cumulated = Vec::new();
    for miss in misses {
        mass += distance(miss.sent, last) * chance(&sums);
        sums.add(miss);
        last = miss.sent;
        cumulated.push((mass, miss));
    }
    mass += distance(until, last) * chance(&sums);
    let index = cumulated.partition_point(|&(before, _)| before < mass * (1.0 - risk));
    cumulated.get(index).map(|&(_, miss)| miss)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scopes::BlockId;

    const USUAL_RTT: Duration = Duration::from_millis(300);

    fn miss(sent: u64, block: u32) -> Miss {
        Miss {
            sent: at(sent),
            weight: 4.0,
            target: TargetId(block),
            block: BlockId(block),
            usual_rtt: USUAL_RTT,
        }
    }

    fn at(seconds: u64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn an_answer_explains_every_miss_sent_before_it_and_none_after() {
        let mut belief = Belief::default();
        for second in [3, 1, 2, 4] {
            assert!(belief.record_miss(miss(second, 0)));
        }
        assert_eq!(
            belief.odds(at(3), 13.8, 1),
            Odds { log: 12.0, count: 3, groups: 1, first: at(1), last: at(3) }
        );
        assert_eq!(belief.record_answer(at(2)).len(), 2);
        assert_eq!(belief.odds(at(9), 13.8, 1).count, 2);
        assert!(
            !belief.record_miss(miss(2, 0)),
            "a miss that was sent before the newest life says nothing"
        );
        assert_eq!(belief.record_answer(at(1)).len(), 0, "an older answer says nothing new");
        assert_eq!(belief.last_life, Some(at(2)));
    }

    #[test]
    fn a_silence_asked_about_many_times_a_second_has_its_true_length_and_begin() {
        let mut belief = Belief::default();
        for hundredth in 0..1000 {
            let sent = Time::from_nanos(hundredth * 10_000_000);
            let block = BlockId(hundredth as u32 % 4);
            belief.record_miss(Miss { sent, weight: 0.5, block, ..miss(0, 0) });
        }
        let odds = belief.odds(Time::NEVER, f32::MAX, 4);
        assert_eq!((odds.first, odds.span()), (at(0), Duration::from_millis(9990)));
        assert!((odds.log - 500.0).abs() < 0.01, "{odds:?}");
        assert_eq!(odds.count, 1000);
        let onset = belief.onset(4, EDGE_RISK, at(10));
        assert!(onset.is_some_and(|onset| onset < at(1)), "{onset:?}");
        // Life in the middle leaves what was missed after it.
        belief.record_answer(at(6));
        assert!(belief.odds(Time::NEVER, f32::MAX, 4).first > at(6));
        belief.record_answer(at(10));
        assert!(!belief.has_misses());
    }

    #[test]
    fn one_block_cannot_darken_a_country() {
        let mut belief = Belief::default();
        belief.record_answer(at(9));
        for second in 10..30 {
            belief.record_miss(miss(second, 7));
        }
        assert!(belief.odds(at(99), 12.0, 4).log < 4.01);
        for block in 0..3 {
            belief.record_miss(miss(30 + u64::from(block), block));
        }
        assert!(belief.odds(at(99), 12.0, 4).log >= 12.0);
        assert_eq!(
            belief.onset(1, EDGE_RISK, at(33)),
            Some(at(11) + USUAL_RTT),
            "one second apart, it takes two misses"
        );
        assert_eq!(
            belief.onset(4, EDGE_RISK, at(33)),
            Some(at(30) + USUAL_RTT),
            "the second block tells of the country"
        );
    }

    #[test]
    fn the_silence_of_thousands_of_blocks_is_that_of_all_of_them() {
        let mut belief = Belief::default();
        for block in 0..5_030 {
            belief.record_miss(miss(u64::from(block), block));
        }
        let odds = belief.odds(Time::NEVER, DOWN_ODDS, 4);
        assert_eq!(
            (odds.count, odds.groups, odds.span()),
            (5_030, GROUPS, Duration::from_secs(5_029))
        );
        assert!(odds.log >= DOWN_ODDS);
    }

    #[test]
    fn after_a_long_pause_one_miss_is_enough_for_an_edge() {
        let mut belief = Belief::default();
        belief.record_answer(at(55));
        for second in [100, 101, 102] {
            belief.record_miss(miss(second, second as u32));
        }
        assert_eq!(belief.onset(4, EDGE_RISK, at(103)), Some(at(100) + USUAL_RTT));
        assert_eq!(lasted_until(&[miss(0, 0), miss(45, 1)], at(0), at(90), 4), Some(at(0)));
        assert_eq!(Belief::default().onset(1, EDGE_RISK, at(9)), None);
    }
}
