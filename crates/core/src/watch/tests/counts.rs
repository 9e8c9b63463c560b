//! The counters under any stream of outcomes, against a model that remembers every probe, and
//! against a replay.

use super::{Settings, Watch, first_probe, target_views};
use crate::fixtures::{SENT_AFTER, of_sizes, start};
use crate::{
    aggregate::Counts,
    outcome::{Due, Event, Fault, Found, IcmpCode, LOST_AFTER, Outcome, Reject, Stray},
    rng::Rng,
    scopes::{BlockId, TargetId},
    time::Time,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, iter::from_fn, net::IpAddr, sync::Arc, time::Duration};

const ROUTER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2));

fn reply(rtt: Duration) -> Found {
    Found::Reply { rtt, rcode: None, unexpected: false }
}

/// What becomes of a probe: what arrives, and how long after it was sent. Often more than one
/// thing, and sometimes nonsense.
fn fates(rng: &mut Rng) -> Vec<(Duration, Found)> {
    let mut fates = Vec::new();
    for _ in 0..[0, 1, 1, 1, 2, 3][rng.below(6)] {
        let longest = [0.3, 4.0, 200.0][rng.below(3)];
        let rtt = Duration::from_secs_f64(longest * rng.unit());
        fates.push(match rng.below(9) {
            0..=4 => (rtt, reply(rtt)),
            5 => {
                // So late that it is plausible.
                let rtt = rtt.max(Duration::from_secs(1));
                (rtt, Found::Refused { rtt })
            }
            6 => {
                (rtt, Found::Unreachable { from: ROUTER, code: IcmpCode { kind: 3, code: 1 }, rtt })
            }
            7 => {
                let block = rng.below(2) as u8;
                (rtt, Found::Neighbour { from: IpAddr::from([127, 0, block, 200]), rtt })
            }
            _ => (Duration::ZERO, Found::NotSent(Fault::ALL[rng.below(Fault::ALL.len())])),
        });
    }
    fates
}

/// Every count of one kind, the open ones aside.
fn settled(counts: &Counts) -> u64 {
    let Counts { reply, refused, late, lost, unreachable, overdue, taken_back, .. } = *counts;
    reply + refused + late + lost + unreachable + overdue - taken_back
}

fn added<N: Into<u64>>(all: impl IntoIterator<Item = Counts<N>>) -> Counts {
    all.into_iter().fold(Counts::default(), |sum, counts| Counts {
        sent: sum.sent + counts.sent.into(),
        reply: sum.reply + counts.reply.into(),
        unexpected: sum.unexpected + counts.unexpected.into(),
        refused: sum.refused + counts.refused.into(),
        late: sum.late + counts.late.into(),
        lost: sum.lost + counts.lost.into(),
        unreachable: sum.unreachable + counts.unreachable.into(),
        taken_back: sum.taken_back + counts.taken_back.into(),
        neighbour: sum.neighbour + counts.neighbour.into(),
        duplicate: sum.duplicate + counts.duplicate.into(),
        rejected: sum.rejected + counts.rejected.into(),
        not_sent: sum.not_sent + counts.not_sent.into(),
        overdue: sum.overdue + counts.overdue.into(),
    })
}

/// A watch in a world whose answers come as the rng say.
struct World {
    watch: Watch,
    rng: Rng,
    now: Time,
    /// What will arrive, by time; the number keeps equal times apart.
    coming: BTreeMap<(Time, usize), Event>,
    /// When each probe that is not settled was sent: what the counters are compared with.
    unsettled: BTreeMap<(TargetId, u32), Time>,
    given: u64,
    not_sent: u64,
}

impl World {
    fn new(plan: &[Vec<u32>], seed: u64) -> Self {
        let roster = Arc::new(of_sizes(plan));
        let mut watch = Watch::new(
            roster,
            &Settings { seed, histograms: true, ..Settings::default() },
            start(),
        );
        watch.keep_records();
        Self {
            watch,
            rng: Rng::new(seed),
            now: start(),
            coming: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            given: 0,
            not_sent: 0,
        }
    }

    fn give(&mut self, due: Due) {
        let Due { target, seq, sent, .. } = due;
        self.given += 1;
        self.unsettled.insert((target, seq), sent);
        for (after, found) in fates(&mut self.rng) {
            let outcome = due.outcome(sent + SENT_AFTER, found);
            self.coming.insert((outcome.sent + after, self.coming.len()), Event::Outcome(outcome));
        }
        if self.rng.chance(0.05) {
            let stray =
                Stray { seen: sent, from: None, target: Some(target), reason: Reject::WrongToken };
            self.coming.insert((sent, usize::MAX), Event::Stray(stray));
        }
        if self.rng.chance(0.05) {
            // An answer to a question that was never asked.
            let found = reply(Duration::ZERO);
            let outcome = Due { seq: seq.wrapping_add(7), ..due }.outcome(sent, found);
            self.coming.insert((sent, usize::MAX - 1), Event::Outcome(outcome));
        }
    }

    /// Goes on to the next thing that happens, with answers in `answering` only.
    fn step(&mut self, answering: bool) {
        let arrival = self.coming.keys().next().map_or(Time::NEVER, |key| key.0);
        self.now = self.now.max(self.watch.poll_timeout().min(arrival));
        while let Some(entry) = self.coming.first_entry().filter(|entry| entry.key().0 <= self.now)
        {
            let event = entry.remove();
            if answering {
                self.watch.handle_event(self.now, &event);
                if let Event::Outcome(outcome) = event {
                    self.settle(&outcome);
                }
            }
        }
        self.watch.handle_timeout(self.now, self.now);
        let due: Vec<Due> = from_fn(|| self.watch.poll_probe(self.now)).collect();
        let now = self.now;
        self.unsettled.retain(|_, sent| now < *sent + LOST_AFTER);
        for due in due {
            self.give(due);
        }
    }

    fn settle(&mut self, outcome: &Outcome) {
        let is_stale = outcome.found.rtt_if_alive().is_some_and(|rtt| rtt >= LOST_AFTER);
        let is_of_host = !matches!(outcome.found, Found::Neighbour { .. });
        if is_of_host
            && !is_stale
            && self.unsettled.remove(&(outcome.target, outcome.seq)).is_some()
        {
            self.not_sent += u64::from(matches!(outcome.found, Found::NotSent(_)));
        }
    }

    fn sums(&self) -> Counts {
        added(target_views(&self.watch).iter().map(|target| target.counts))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// All along, and by target as by kind: sent = what became of it + what is still open.
    #[test]
    fn counters_add_up(
        plan in prop::collection::vec(prop::collection::vec(1u32..6, 1..4), 1..3), seed: u64,
    ) {
        let mut world = World::new(&plan, seed);
        while world.now < start() + Duration::from_secs(900) {
            (0..4).for_each(|_| world.step(true));
            let sums = world.sums();
            let open = world.watch.snapshot(world.now, 0, 0).open;
            prop_assert_eq!(sums.sent, world.given - world.not_sent);
            prop_assert_eq!(sums.not_sent, world.not_sent);
            prop_assert_eq!(sums.sent, settled(&sums) + open);
            prop_assert_eq!(sums.overdue + open, world.unsettled.len() as u64);
        }
        let snapshot = world.watch.snapshot(world.now, 0, 0);
        prop_assert_eq!(added(snapshot.kinds.iter().map(|kind| kind.counts)), world.sums());
        for (block, reasons) in (0..).map(BlockId).zip(&snapshot.reasons) {
            let counts = added(snapshot.kinds_of(block).iter().map(|kind| kind.counts));
            prop_assert_eq!(reasons.rejected.values().sum::<u64>(), counts.rejected);
            prop_assert_eq!(reasons.not_sent.values().sum::<u64>(), counts.not_sent);
        }
        for kind in &snapshot.kinds {
            let counts = kind.counts;
            prop_assert_eq!(kind.rtt.as_ref().unwrap().view().count, counts.reply + counts.refused + counts.late);
        }
        prop_assert!(
            world.sums().late > 0 && world.sums().duplicate > 0 && world.sums().rejected > 0
                && world.sums().neighbour > 0
        );
        // When nothing answers any more, everything that was open ends as lost.
        while world.now < start() + Duration::from_secs(1200) {
            world.step(false);
        }
        prop_assert!(world.unsettled.values().all(|sent| world.now < *sent + LOST_AFTER));
        prop_assert_eq!(
            settled(&world.sums()) + world.watch.snapshot(world.now, 0, 0).open,
            world.sums().sent
        );
    }

    /// A journal of it, replayed, gives the same counts and verdicts.
    #[test]
    fn a_replay_counts_and_judges_the_same(seed: u64) {
        let mut world = World::new(&[vec![3, 2], vec![4]], seed);
        let mut again = Watch::new(world.watch.roster().clone(), &Settings::default(), start());
        while world.now < start() + Duration::from_secs(1500) {
            let answering = world.now < start() + Duration::from_secs(600);
            world.step(answering);
        }
        let mut live = Vec::new();
        let mut replayed = Vec::new();
        live.extend(from_fn(|| world.watch.poll_change()));
        while let Some(record) = world.watch.poll_record() {
            again.replay(&record);
        }
        again.replay_until(world.now);
        replayed.extend(from_fn(|| again.poll_change()));
        prop_assert!(!live.is_empty());
        prop_assert_eq!(live, replayed);
        for (ours, theirs) in target_views(&world.watch).iter().zip(target_views(&again)) {
            // What was sent is not recorded, only what became of it.
            let counts = Counts { sent: theirs.counts.sent, ..ours.counts };
            prop_assert_eq!(counts, theirs.counts);
            prop_assert_eq!(ours.recent_loss, theirs.recent_loss);
            prop_assert_eq!(ours.last_life, theirs.last_life);
        }
    }
}

/// Whatever a router said, an answer that follows is life: it takes the miss back, as a late one
/// does, though it comes within patience. What the router says after it is a duplicate.
#[test]
fn an_answer_takes_back_the_no_of_a_router() {
    let mut watch = Watch::new(Arc::new(of_sizes(&[vec![1]])), &Settings::default(), start());
    let no = Found::Unreachable {
        from: ROUTER,
        code: IcmpCode { kind: 3, code: 1 },
        rtt: Duration::from_millis(10),
    };
    let (now, due) = first_probe(&mut watch);
    let mut hear = |millis, found| {
        let outcome = due.outcome(due.sent, found);
        watch.handle_event(now + Duration::from_millis(millis), &Event::Outcome(outcome));
        let view = target_views(&watch)[0];
        (view.counts, view.recent_loss)
    };
    let (counts, loss) = hear(10, no);
    assert_eq!((counts.unreachable, loss), (1, Some(1.0)));
    let (counts, loss) = hear(20, no);
    assert_eq!((counts.unreachable, counts.duplicate, loss), (1, 1, Some(1.0)));
    let (counts, loss) = hear(40, reply(Duration::from_millis(40)));
    assert_eq!((counts.late, counts.taken_back, counts.duplicate, loss), (1, 1, 1, Some(0.0)));
    for (found, duplicates) in [(reply(Duration::from_millis(50)), 2), (no, 3)] {
        let (counts, loss) = hear(50, found);
        assert_eq!((counts.late, counts.duplicate, loss), (1, duplicates, Some(0.0)));
    }
}
