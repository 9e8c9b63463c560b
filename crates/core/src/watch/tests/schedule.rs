//! The schedule under any plan, budget and escalation, against what it promises: never too much,
//! evenly, one open probe a target, and nothing burst out after a stall.

use crate::fixtures::{of_sizes, start};
use crate::schedule::{
    Budget, Directive, Doubt, Escalation, OpenProbes, Rank, Schedule, Skipped, Spacing,
};
use crate::{
    outcome::{Due, Found, Repeat},
    rng::Rng,
    scopes::{BlockId, CountryId, Roster, Scope, TargetId},
    time::Time,
};
use proptest::prelude::*;
use std::{collections::HashMap, sync::Arc, time::Duration};

const MINUTE: Duration = Duration::from_secs(60);
/// A delay up to this is caught up with (`STALL` in the schedule).
const HICCUP: Duration = Duration::from_millis(250);

/// One probe that was given out.
#[derive(Clone, Copy, Debug)]
struct Given {
    due: Due,
    lag: Duration,
    /// The target had a probe within its patience already.
    crowding: bool,
}

/// A schedule with the table of its open probes, in a world that answers as its generator says.
struct Run {
    roster: Arc<Roster>,
    schedule: Schedule,
    open: OpenProbes,
    rng: Rng,
    /// Share of probes that are answered; each at once.
    answers: f64,
    given: Vec<Given>,
}

impl Run {
    fn new(roster: Roster, budget: Budget, answers: f64, seed: u64) -> Self {
        let roster = Arc::new(roster);
        Self {
            schedule: Schedule::new(roster.clone(), budget, seed, start()),
            open: OpenProbes::new(roster.targets.len()),
            rng: Rng::new(seed ^ 0x70_79),
            given: Vec::new(),
            answers,
            roster,
        }
    }

    /// Everything that is due by `now`; how many probes that was.
    fn poll(&mut self, now: Time) -> usize {
        while self.open.poll_expired(now).is_some() {}
        let before = self.given.len();
        while let Some(slot) = self.schedule.poll_target(now, &self.open) {
            let crowding = self.open.is_waiting(slot.target);
            let patience = Duration::from_millis(200 + self.rng.below(2800) as u64);
            let started = self.open.start(slot.target, now, patience, false, Repeat::Never);
            let due = started.due;
            self.given.push(Given { due, lag: slot.lag, crowding });
            if self.rng.chance(self.answers) {
                let found = Found::Reply { rtt: Duration::ZERO, rcode: None, unexpected: false };
                self.open.settle(due.outcome(due.sent, found));
            }
        }
        self.given.len() - before
    }

    /// Polls whenever there is something to do, up to `late` later than asked for.
    fn until(&mut self, end: Time, late: Duration) {
        loop {
            let wake = self.schedule.poll_timeout().min(self.open.poll_timeout());
            if wake > end {
                return;
            }
            let late = late.mul_f64(self.rng.unit());
            self.poll((wake + late).min(end));
        }
    }

    fn block(&self, given: &Given) -> BlockId {
        self.roster.target(given.due.target).block
    }

    /// The most probes that any window of this length saw, counted separately by `key`.
    fn most(&self, window: Duration, key: impl Fn(&Given) -> u32) -> usize {
        let mut times: HashMap<u32, Vec<Time>> = HashMap::new();
        for given in &self.given {
            times.entry(key(given)).or_default().push(given.due.sent);
        }
        let in_window = |times: &Vec<Time>| {
            let count = |i: usize| times.partition_point(|&at| at < times[i] + window) - i;
            (0..times.len()).map(count).max().unwrap_or(0)
        };
        times.values().map(in_window).max().unwrap_or(0)
    }
}

/// What the judge might want, at any moment.
fn some_directive(rng: &mut Rng, roster: &Roster) -> Directive {
    let block = BlockId(rng.below(roster.blocks.len()) as u32);
    let target = TargetId(rng.below(roster.targets.len()) as u32);
    let scope = if rng.chance(0.3) {
        Scope::Country(roster.block(block).country)
    } else {
        Scope::Block(block)
    };
    match rng.below(8) {
        0..=3 => {
            let every = Duration::from_secs(if rng.chance(0.7) { 1 } else { 10 });
            let wait = if rng.chance(0.7) { Duration::ZERO } else { every };
            let doubt = if rng.chance(0.7) { Doubt::Strong } else { Doubt::Vague };
            let spacing = Spacing::Every(every);
            let newest_every = 1 + rng.below(4) as u32;
            Directive::Escalate(scope, Escalation { spacing, wait, doubt, newest_every })
        }
        4 => Directive::Relax(scope),
        5 => Directive::AskSiblings(block),
        6 => Directive::Rank(target, Rank::Good),
        _ => Directive::Rank(target, if rng.chance(0.5) { Rank::Poor } else { Rank::Retired }),
    }
}

fn plans() -> impl Strategy<Value = Vec<Vec<u32>>> {
    prop::collection::vec(prop::collection::vec(1u32..20, 1..7), 1..4)
}

/// The plan with so many intervals, of up to `longest` seconds and a tenth.
fn with_intervals(plan: &[Vec<u32>], intervals: usize, longest: f64, rng: &mut Rng) -> Roster {
    let mut roster = of_sizes(plan);
    for _ in 0..intervals {
        let target = rng.below(roster.targets.len());
        roster.targets[target].set_interval(Duration::from_secs_f64(0.1 + longest * rng.unit()));
    }
    roster
}

fn budgets() -> impl Strategy<Value = Budget> {
    let paces = prop_oneof![
        3 => Just(Budget::DEFAULT),
        1 => Just(Budget::FRUGAL),
        2 => (0.01f64..20.0).prop_map(Budget::of),
    ];
    (paces, prop::option::of(0.05f64..2.0)).prop_map(|(pace, total)| Budget { total, ..pace })
}

/// Whatever the intervals, those without one keep a quarter, and who asks for little gets it.
#[test]
fn a_short_interval_starves_nobody() {
    let seconds = Duration::from_secs;
    for (intervals, share) in [
        (vec![Duration::from_millis(100)], 0.25),
        (vec![seconds(1), seconds(40)], 0.25),
        (vec![seconds(1), seconds(1), seconds(1)], 0.25),
        (vec![seconds(8)], 0.5),
        (vec![], 1.0),
    ] {
        let mut roster = of_sizes(&[vec![6]]);
        for (target, &interval) in roster.targets.iter_mut().zip(&intervals) {
            target.set_interval(interval);
        }
        let mut run = Run::new(roster, Budget::DEFAULT, 1.0, 7);
        let hours = 4;
        run.until(start() + seconds(3600 * hours), Duration::ZERO);
        let all = (3600 * hours) as f64 * Budget::DEFAULT.base;
        let asked = |target: usize| {
            let target = target as u32;
            run.given.iter().filter(|given| given.due.target.0 == target).count() as f64
        };
        let others = 6 - intervals.len();
        for target in intervals.len()..6 {
            let fair = all * share / others as f64;
            let asked = asked(target);
            assert!((asked / fair - 1.0).abs() < 0.1, "{intervals:?}: {asked} of {fair}");
        }
        for (target, interval) in intervals.iter().enumerate() {
            let wanted = (3600 * hours) as f64 / interval.as_secs_f64();
            let fair = wanted.min(all * 0.75 / intervals.len() as f64);
            assert!(asked(target) >= 0.95 * fair, "{intervals:?}: {} of {fair}", asked(target));
        }
    }
    // Where all have intervals, the rare one is asked as often as it wants.
    let mut roster = of_sizes(&[vec![2]]);
    roster.targets[0].set_interval(Duration::from_millis(100));
    roster.targets[1].set_interval(seconds(60));
    let mut run = Run::new(roster, Budget::DEFAULT, 1.0, 7);
    run.until(start() + seconds(3600), Duration::ZERO);
    let rare = run.given.iter().filter(|given| given.due.target.0 == 1).count();
    assert!(rare >= 59, "{rare}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// The cap holds whatever is asked for: regular probes, intervals, escalations and stalls
    /// together.
    #[test]
    fn no_minute_sees_more_than_the_budget(
        plan in plans(),
        budget in budgets(),
        seed: u64,
        answers in 0.0f64..1.0,
        intervals in 0usize..4,
    ) {
        let mut rng = Rng::new(seed);
        let roster = with_intervals(&plan, intervals, 10.0, &mut rng);
        let blocks = roster.blocks.len();
        let mut run = Run::new(roster, budget, answers, seed);
        let mut now = start();
        for _ in 0..60 {
            let directive = some_directive(&mut rng, &run.roster);
            run.schedule.handle_directive(directive, now);
            // A step of more than a quarter of a second is a stall of its own.
            now = now + Duration::from_secs_f64(10.0 * rng.unit());
            run.until(now, Duration::from_millis(if rng.chance(0.2) { 5_000 } else { 20 }));
        }
        let fair = budget.burst + MINUTE.as_secs_f64() * budget.mean;
        let worst = run.most(MINUTE, |given| run.block(given).0);
        prop_assert!(
            worst as f64 <= fair + 1e-6,
            "{worst} probes to a block in a minute, {fair} allowed"
        );
        if budget == Budget::DEFAULT {
            prop_assert!(worst as f64 <= 0.39 * 60.0, "{worst} in a minute");
        }
        if let Some(total) = budget.total {
            let fair = budget.burst * blocks as f64 + MINUTE.as_secs_f64() * total;
            let worst = run.most(MINUTE, |_| 0);
            prop_assert!(
                worst as f64 <= fair + 1e-6,
                "{worst} probes in a minute, {fair} allowed in total"
            );
        }
    }

    /// A country's even slots lie on one grid, however raggedly the schedule is polled, and a
    /// block's targets all get their turn. The frugal pace begins with its savings to be made, so
    /// it is up to three quarters slower.
    #[test]
    fn even_slots_are_even(
        plan in plans(), seed: u64, answers in 0.0f64..1.0, frugal: bool,
    ) {
        let budget = if frugal { Budget::FRUGAL } else { Budget::DEFAULT };
        let mut run = Run::new(of_sizes(&plan), budget, answers, seed);
        let hours = if frugal { 4 } else { 1 };
        run.until(start() + Duration::from_secs(3600 * hours), HICCUP);
        for (number, country) in run.roster.countries.iter().enumerate() {
            let of = |given: &&Given| country.blocks.contains(&run.block(given).0);
            let slots: Vec<Time> =
                run.given.iter().filter(of).map(|given| given.due.sent - given.lag).collect();
            let interval = run.schedule.interval(Scope::Country(CountryId(number as u32)));
            prop_assert!(slots.len() > 10);
            let slowest = if frugal { interval * 7 / 4 } else { interval };
            let even = |pair: &[Time]| (interval..=slowest).contains(&pair[1].since(pair[0]));
            prop_assert!(slots.windows(2).all(even), "interval {interval:?}");
        }
        prop_assert!(run.given.iter().all(|given| !given.crowding));
        for (number, block) in run.roster.blocks.iter().enumerate() {
            let slots =
                run.given.iter().filter(|given| run.block(given).0 == number as u32).count();
            for target in block.targets.clone() {
                let turns = run.given.iter().filter(|given| given.due.target.0 == target).count();
                let fair = slots / block.targets.len();
                prop_assert!(turns.abs_diff(fair) <= 2, "{turns} turns where {fair} are fair");
            }
        }
        prop_assert_eq!(run.schedule.skipped(), Skipped::default());
    }

    /// At any pace, and with intervals, a target with a probe open is passed over.
    #[test]
    fn without_a_doubt_no_target_has_two_probes_open(
        plan in plans(),
        pace in 0.1f64..50.0,
        seed: u64,
        answers in 0.0f64..1.0,
        intervals in 0usize..4,
    ) {
        let roster = with_intervals(&plan, intervals, 3.0, &mut Rng::new(seed));
        let mut run = Run::new(roster, Budget::of(pace), answers, seed);
        run.until(start() + MINUTE, HICCUP);
        prop_assert!(!run.given.is_empty());
        prop_assert!(run.given.iter().all(|given| !given.crowding));
    }

    /// Whatever its rank was before, a good target gets turns, and the retired of a block take
    /// turns at a slot about once an hour, or once in 512 even slots.
    #[test]
    fn ranks_come_and_go(plan in plans(), seed: u64, answers in 0.0f64..1.0) {
        let mut run = Run::new(of_sizes(&plan), Budget::DEFAULT, answers, seed);
        let mut rng = Rng::new(seed);
        let mut ranks = HashMap::new();
        let mut now = start();
        for _ in 0..40 {
            let target = TargetId(rng.below(run.roster.targets.len()) as u32);
            let rank = [Rank::Good, Rank::Poor, Rank::Retired][rng.below(3)];
            ranks.insert(target, rank);
            run.schedule.handle_directive(Directive::Rank(target, rank), now);
            now = now + Duration::from_secs_f64(600.0 * rng.unit());
            run.until(now, HICCUP);
        }
        run.given.clear();
        run.until(now + Duration::from_secs(5 * 3600), HICCUP);
        let retired = |target: u32| ranks.get(&TargetId(target)) == Some(&Rank::Retired);
        for (number, block) in run.roster.blocks.iter().enumerate() {
            // Who is retired no longer must not keep a turn of that sort as well.
            let slots =
                run.given.iter().filter(|given| run.block(given).0 == number as u32).count();
            prop_assert!(
                block.targets.clone().any(retired) || slots <= 5 * 3600 / 4 + 1,
                "{} slots",
                slots
            );
        }
        for number in 0..run.roster.targets.len() as u32 {
            let turns = run.given.iter().filter(|given| given.due.target.0 == number).count();
            match ranks.get(&TargetId(number)) {
                Some(Rank::Retired) => {
                    let block = run.roster.targets[number as usize].block;
                    let others = run
                        .roster
                        .block(block)
                        .targets
                        .clone()
                        .filter(|&other| retired(other))
                        .count();
                    let every = (3600.0 / others as f64).max(512.0 * 4.0) * others as f64;
                    let fair = 5.0 * 3600.0 / every;
                    // The first and the last turn may fall out of the five hours.
                    prop_assert!((turns as f64 - fair).abs() <= 2.0, "{} turns of {}", turns, fair);
                }
                // 20 good hosts share 15 of 16 turns, one every 4 s; 20 poor ones the sixteenth.
                Some(Rank::Poor) => {
                    prop_assert!(turns >= 5 * 3600 / 4 / 16 / 20 - 1, "{} turns", turns);
                }
                _ => prop_assert!(turns >= 5 * 3600 / 4 * 15 / 16 / 20 - 2, "{} turns", turns),
            }
        }
    }

    /// After a stall the slots that passed are counted, not made up for, and the slots stay on
    /// their grid.
    #[test]
    fn a_stall_is_skipped_and_counted(
        blocks in 1u32..6,
        pace in 0.1f64..10.0,
        seed: u64,
        calm in 0.0f64..100.0,
        stall in 0.0f64..5000.0,
    ) {
        let budget = Budget::of(pace);
        let mut run = Run::new(of_sizes(&[vec![8; blocks as usize]]), budget, 1.0, seed);
        run.until(start() + Duration::from_secs_f64(calm), Duration::ZERO);
        let interval = run.schedule.interval(Scope::Country(CountryId(0)));
        let resumed = start()
            + Duration::from_secs_f64(calm)
            + interval
            + HICCUP
            + Duration::from_secs_f64(stall);
        prop_assert!(run.poll(resumed) <= 1, "burst out");
        run.until(resumed + interval * 20, Duration::ZERO);
        let slots: Vec<Time> = run.given.iter().map(|given| given.due.sent - given.lag).collect();
        let first = slots[0];
        prop_assert!(
            slots.iter().all(|at| at.since(first).as_nanos().is_multiple_of(interval.as_nanos()))
        );
        let passed = slots[slots.len() - 1].since(first).as_nanos() / interval.as_nanos() + 1;
        prop_assert_eq!(slots.len() as u128 + u128::from(run.schedule.skipped().missed), passed);
        prop_assert_eq!(run.schedule.skipped().over_budget, 0);
    }
}

/// Of a block of which one host has answered once and nobody since, the others are asked too: they
/// may be there.
#[test]
fn in_a_silence_those_who_were_never_asked_are_asked_once() {
    let mut run = Run::new(of_sizes(&[vec![9]]), Budget::DEFAULT, 0.0, 1);
    let first = loop {
        let wake = run.schedule.poll_timeout();
        if run.poll(wake) > 0 {
            break run.given[0].due;
        }
    };
    run.schedule.record_answer(first.target, first.sent, false);
    let doubt = Escalation {
        spacing: Spacing::Every(Duration::from_secs(1)),
        wait: Duration::ZERO,
        doubt: Doubt::Strong,
        newest_every: 2,
    };
    let block = Scope::Block(BlockId(0));
    run.schedule.handle_directive(Directive::Escalate(block, doubt), first.sent);
    run.until(first.sent + MINUTE * 3, Duration::ZERO);
    let asked = |target: u32| run.given.iter().filter(|given| given.due.target.0 == target).count();
    assert!((0..9).all(|target| asked(target) >= 1), "{:?}", (0..9).map(asked).collect::<Vec<_>>());
}
