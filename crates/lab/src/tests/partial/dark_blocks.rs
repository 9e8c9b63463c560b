//! Blocks that are dark while others of their country live, and the edges of what was dark.

use super::{COUNTRY, Outage, PACES, Partial, Run, Unknown, blocks, lead, world};
use lifesign_core::judge::Change;

#[test]
fn dark_blocks_say_nothing_of_their_country_nor_of_those_that_live() {
    for (pace, loss) in [("default", 0.0), ("default", 0.05), ("frugal", 0.02)] {
        for (dark, all) in [(2, 3), (3, 4), (7, 8)] {
            let at = lead(pace);
            let mut world = world(pace, vec![6; all], at + 24.0).event(
                "dark",
                &blocks(0..dark),
                at,
                "for = \"24h\"",
            );
            world.weather = format!("loss = {loss}");
            let run = world.run(1);
            assert_eq!(run.wrong(), [0, 0], "{pace}, {dark} of {all}, loss {loss}");
            assert!(run.time_in(at + 0.1, at + 24.0, &[Partial]) > 0.98, "{pace} {dark} of {all}");
        }
    }
}

#[test]
fn when_all_blocks_but_one_go_dark_a_lost_packet_of_that_one_is_no_national_down() {
    for all in [4, 8] {
        for seed in 1..=60 {
            let mut world = world("default", vec![6; all], 2.2).event(
                "dark",
                &blocks(0..all - 1),
                2.0,
                "for = \"1h\"",
            );
            world.weather = "loss = 0.05".into();
            assert_eq!(world.run(seed).score.countries.false_downs, 0, "{all}, seed {seed}");
        }
    }
}

#[test]
fn neighbours_that_are_dark_are_not_the_country() {
    for pace in PACES {
        for dark in [6, 20] {
            let at = lead(pace);
            let run = world(pace, vec![4; 60], at + 2.0)
                .event("dark", &blocks(0..dark), at, "for = \"2h\"")
                .run(1);
            assert_eq!(run.wrong(), [0, 0], "{pace}, {dark} of 60");
        }
    }
}

/// What was told of the country after so many hours.
fn told_after(run: &Run, hours: f64) -> impl Iterator<Item = &Change> {
    let of_country = run.changes.iter().filter(|change| change.scope == COUNTRY);
    of_country.filter(move |change| change.time > run.at(hours))
}

#[test]
fn an_outage_that_ends_while_we_are_blind_has_an_end_that_may_be_right() {
    for seed in 1..=12 {
        let run = world("default", vec![6; 3], 4.0)
            .event("dark", "KP", 2.0, "for = \"1h\"")
            .event("blind", "us", 2.0 + 2.0 / 3.0, "for = \"1h\"; what = \"uplink\"")
            .run(seed);
        let end = told_after(&run, 3.5).find(|change| change.from == Outage).unwrap();
        assert_ne!(end.to, Unknown, "seed {seed}");
        let edge = end.edge;
        assert!(edge.start() <= run.at(3.0) && run.at(3.0) <= edge.latest, "{seed}: {edge:?}");
    }
}

#[test]
fn a_block_that_was_never_heard_before_an_outage_ends_it_when_that_was() {
    for seed in 1..=6 {
        let end = 2.0 + 1.0 / 3600.0;
        let run = world("default", vec![6; 4], 3.0)
            .event("dark", "KP", 1.0 / 3600.0, "for = \"2h\"")
            .run(seed);
        let ends = run.changes.iter().filter(|change| change.from == Outage);
        let wrong: Vec<_> = ends
            .filter(|one| run.at(end) < one.edge.start() || one.edge.latest < run.at(end))
            .collect();
        assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
    }
}

#[test]
fn what_is_partial_after_a_darkness_is_not_dated_back_before_it() {
    for seed in 1..=3 {
        let run = world("default", vec![6; 3], 7.0)
            .event("dark", "KP", 2.0, "for = \"3h\"; hosts = 5")
            .event("dark", "KP", 3.0, "for = \"10m\"")
            .run(seed);
        let partial = told_after(&run, 3.1).find(|change| change.to == Partial).unwrap();
        assert!(partial.edge.start() > run.at(3.16), "seed {seed}: {partial:?}");
    }
}
