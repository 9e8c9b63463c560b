//! The laboratory's rivals, held against what their papers, documents and formulas say of them.

#[path = "../../../benches/rivals/mod.rs"]
mod algorithms;

use algorithms::{
    damping::Penalty,
    recipe::{Alert, Recipe, SCRAPE},
    ring::Ring,
    trinocular::{Belief, PROBES, ROUND},
};

#[test]
fn trinocular_needs_so_many_misses_for_down() {
    for (availability, needed) in [
        (0.98, 2),
        (0.9, 3),
        (0.8, 5),
        (0.7, 6),
        (0.6, 8),
        (0.5, 10),
        (0.4, 14),
        (0.37, 15),
        (0.36, 16),
        (0.3, 20),
        (0.2, 31),
        (0.1, 67),
    ] {
        let mut belief = Belief::new(availability);
        let misses = (1..1000).find(|_| {
            belief.learn(false);
            belief.verdict() == Some(false)
        });
        assert_eq!(misses, Some(needed), "A = {availability}");
    }
    assert_eq!(PROBES, 15);
    assert!((ROUND - 660.0).abs() < f64::EPSILON);
}

#[test]
fn trinocular_needs_two_hits_for_up_and_three_of_a_sparse_block() {
    for (availability, needed) in [(0.98, 2), (0.5, 2), (0.15, 2), (0.1, 3)] {
        let mut belief = Belief::new(availability);
        while belief.verdict() != Some(false) {
            belief.learn(false);
        }
        // The belief has a floor, and a block long in the dark rests on it.
        for _ in 0..100 {
            belief.learn(false);
        }
        let hits = (1..1000).find(|_| {
            belief.learn(true);
            belief.verdict() == Some(true)
        });
        assert_eq!(hits, Some(needed), "A = {availability}");
    }
}

#[test]
fn trinocular_looks_for_a_return_with_few_probes_and_backs_off() {
    assert_eq!(Belief::new(0.98).recovery_probes(1), 1);
    assert_eq!(Belief::new(0.5).recovery_probes(1), 3);
    assert_eq!(Belief::new(0.3).recovery_probes(4), 5);
    assert_eq!(
        [5, 8, 9, 16, 17, 32].map(|rounds| Belief::new(0.3).recovery_probes(rounds)),
        [1, 5, 1, 5, 1, 5]
    );
    let mut belief = Belief::new(0.3);
    belief.exhaust();
    assert_eq!(belief.verdict(), None);
}

/// Checks until a ring calls this flapping, which begins up, or None within 1000.
fn checks_to_flag(mut ring: Ring, down: usize, up: usize) -> Option<usize> {
    (0..1000).position(|check| ring.check(check % (down + up) < up))
}

/// Checks of a darkness after long flapping (which ends down) that are still called flapping.
fn still_called(mut ring: Ring, length: usize) -> usize {
    for check in 0..1000 * length {
        ring.check((check / length).is_multiple_of(2));
    }
    (0..1000).take_while(|_| ring.check(false)).count()
}

#[test]
fn rings_flag_fast_flapping_late_and_slow_flapping_never() {
    let rings = [Ring::nagios(5.0, 20.0), Ring::nagios(20.0, 30.0), Ring::icinga()];
    for (length, needed) in [
        (1, [Some(5), Some(7), Some(7)]),
        (2, [Some(9), Some(13), Some(13)]),
        (3, [Some(13), Some(19), Some(19)]),
        (5, [Some(21), None, None]),
        (7, [None; 3]),
    ] {
        let found =
            rings.clone().map(|ring| checks_to_flag(ring, length, length).map(|index| index + 1));
        assert_eq!(found, needed, "{length} checks down, {length} up");
    }
}

#[test]
fn rings_call_a_total_outage_flapping_for_many_checks() {
    assert_eq!(still_called(Ring::nagios(5.0, 20.0), 1), 18);
    assert_eq!(still_called(Ring::nagios(20.0, 30.0), 1), 15);
    assert_eq!(still_called(Ring::icinga(), 1), 14);
}

#[test]
fn damping_has_a_steady_penalty() {
    for (minutes, steady) in
        [(1.0, 12_000.0), (2.0, 11_328.0), (5.0, 4847.0), (10.0, 2702.0), (15.0, 2000.0)]
    {
        let mut penalty = Penalty::cisco();
        for flap in 0..1000 {
            penalty.withdraw(f64::from(flap) * minutes * 60.0);
        }
        // 750 is reached after so many half-lives of a quarter of an hour.
        let left = penalty.reusable_at().map(|at| at - 999.0 * minutes * 60.0);
        let expected = (minutes < 15.0).then(|| 900.0 * f64::log2(steady / 750.0));
        assert_eq!(left.map(f64::round), expected.map(f64::round), "{minutes}");
    }
}

#[test]
fn damping_outlasts_what_it_damps() {
    for (every, minutes) in [(60.0, 60.0), (300.0, 40.4)] {
        let mut penalty = Penalty::cisco();
        for flap in 0..1000 {
            penalty.withdraw(f64::from(flap) * every);
        }
        let left = penalty.reusable_at().map(|at| (at - 999.0 * every) / 60.0).unwrap();
        assert!((left - minutes).abs() < 0.1, "{left}");
    }
    let mut lenient = Penalty::rfc7196();
    for flap in 0..1000 {
        lenient.withdraw(f64::from(flap) * 300.0);
    }
    assert_eq!(lenient.reusable_at(), None);
}

#[test]
fn the_recipe_waits_for_half_of_its_window_and_a_minute() {
    let mut recipe = Recipe::default();
    for _ in 0..100 {
        assert_eq!(recipe.scrape(true), Alert::None);
    }
    let scrapes = (1..1000).find(|_| recipe.scrape(false) == Alert::Outage).unwrap();
    // 11 of 20 samples are bad, and have been at four more evaluations.
    assert_eq!((f64::from(scrapes) * SCRAPE) as u32, 225);
}

#[test]
fn the_recipe_calls_five_changes_flapping() {
    let mut recipe = Recipe::default();
    for _ in 0..100 {
        recipe.scrape(true);
    }
    let alerts: Vec<Alert> = (0..6).map(|scrape| recipe.scrape(scrape % 2 == 1)).collect();
    assert_eq!(alerts.iter().position(|&alert| alert == Alert::Flapping), Some(4));
}
