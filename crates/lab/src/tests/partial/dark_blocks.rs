//! Blocks that are dark while others of their country live.

use super::{PACES, Partial, blocks, lead, world};

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
