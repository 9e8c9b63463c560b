//! What flaps, what may be our own fault, and loss that lasts.

use super::{
    COUNTRY, DEAD, Degraded, Down, Duration, Flapping, Outage, PACES, Partial, Scope, State, Time,
    Unknown, World, blocks, lead, world,
};
use std::{collections::BTreeSet, fmt::Write as _};

#[test]
fn flapping_is_called_so_for_as_long_as_it_lasts() {
    for (pace, half, least) in [
        ("default", 10.0, 0.97),
        ("default", 60.0, 0.97),
        ("default", 600.0, 0.97),
        ("frugal", 300.0, 0.8),
    ] {
        let at = lead(pace);
        let length = f64::max(4.0, 24.0 * half / 3600.0);
        let keys = format!("for = \"{}s\"; down = \"{half}s\"; up = \"{half}s\"", length * 3600.0);
        let run = world(pace, vec![6; 4], at + length + 3.0).event("flap", "KP", at, &keys).run(1);
        let end = at + length - half / 3600.0;
        let share = run.time_in(at + 5.0 * half / 3600.0, end, &[Flapping, Outage]);
        assert!(share >= least, "{pace}, {half} s: {share}");
        let after = run.time_in(end + 61.0 / 60.0, at + length + 3.0, &[Flapping]);
        assert!(pace == "frugal" || after == 0.0, "{half} s: {after}");
    }
}

#[test]
fn short_darknesses_that_come_often_are_a_flapping() {
    for (down, up) in [(20, 580), (45, 1155)] {
        let keys = format!("for = \"24h\"; down = \"{down}s\"; up = \"{up}s\"");
        let run = world("default", vec![6; 4], 28.0).event("flap", "KP", 2.0, &keys).run(1);
        let share = run.time_in(2.0, 26.0, &[Flapping]);
        assert!(share >= 0.9, "{down} s: {share}");
        assert!(run.time_in(27.1, 28.0, &[Flapping]) == 0.0, "{down} s");
    }
}

#[test]
fn of_a_flapping_the_share_that_was_dark_is_told_rightly() {
    for loss in ["loss = 0.0", "loss = 0.02"] {
        let keys = "for = \"3h\"; down = \"20s\"; up = \"40s\"";
        let calm = World { weather: loss.into(), ..world("default", vec![6; 4], 7.0) };
        let run = calm.event("flap", "KP", 2.0, keys).run(1);
        let mut of_country = run.changes.iter().filter(|change| change.scope == COUNTRY);
        let last = of_country.rfind(|change| change.from == Flapping).unwrap().darknesses;
        let mean = last.length.as_secs_f64() / f64::from(last.count);
        assert!(last.count > 150 && (mean - 20.0).abs() < 1.0, "{loss}: {last:?}");
    }
}

#[test]
fn four_short_darknesses_a_day_are_no_flapping() {
    let mut world = world("default", vec![6; 4], 98.0);
    for number in 0..16 {
        let at = 2.0 + 6.0 * f64::from(number) + 0.3 * f64::from(number % 7);
        world = world.event("dark", "KP", at, "for = \"20s\"");
    }
    assert_eq!(world.run(1).entries(|_| true, 0.0, &[Flapping]), 0);
}

#[test]
fn an_outage_after_growing_flapping_is_called_so() {
    for (pace, most) in [("default", 60.5), ("frugal", 900.0)] {
        let at = lead(pace);
        let mut world = world(pace, vec![6; 4], at + 19.0);
        for cycle in 0..144 {
            let part = f64::from(cycle) / 144.0;
            let dark = format!("for = \"{}ms\"", (300_000.0 * (0.03 + 0.77 * part)) as u64);
            world = world.event("dark", "KP", at + f64::from(cycle) / 12.0, &dark);
        }
        let begin = at + 12.0 + 1.0 / 30.0;
        for seed in 1..=3 {
            let run = world.event_again("dark", begin, "for = \"6h\"").run(seed);
            let begin = run.at(begin);
            let named = run.changes.iter().find(|change| {
                change.scope == COUNTRY && change.to == Outage && change.time > begin
            });
            let delay = named.map(|change| change.time.since(begin));
            assert!(delay.is_some_and(|delay| delay.as_secs_f64() <= most), "{pace}: {delay:?}");
        }
    }
}

#[test]
fn a_country_of_which_most_blocks_flap_is_partial() {
    let keys = "for = \"6h\"; down = \"50s\"; up = \"2m\"";
    let run = world("default", vec![6; 4], 8.0).event("flap", &blocks(0..3), 2.0, keys).run(1);
    let share = run.time_in(2.0, 8.0, &[Partial]);
    assert!(share >= 0.95, "{share}");
    assert_eq!(run.score.countries.false_downs, 0);
    let fourth = |scope| matches!(scope, Scope::Block(id) if id.0 == 3);
    assert_eq!(run.entries(fourth, 0.0, &DEAD), 0);
}

#[test]
fn a_country_of_which_most_blocks_flap_is_partial_though_they_are_all_of_one_network() {
    let of_network: Vec<String> = (2..8).map(|n| blocks(n..n + 1)).collect();
    let more = format!(
        "[[country.network]]\nname = \"Big\"\nasn = 64500\nblocks = {of_network:?}\nhosts = 4\n"
    );
    let keys = "for = \"2h\"; down = \"50s\"; up = \"4m\"";
    let world = World { more, ..world("default", vec![4; 2], 6.0) };
    let run = world.event("flap", &blocks(2..8), 2.0, keys).run(1);
    let share = run.time_in(2.1, 4.0, &[Partial]);
    assert!(share >= 0.95, "{share}");
}

#[test]
fn many_countries_at_once_may_be_us() {
    for dark in [2, 5, 6] {
        let codes = ["KP", "XA", "XB", "XC", "XD", "XE"];
        let mut world = world("default", vec![6; 2], 3.5);
        for (number, code) in codes.iter().enumerate().skip(1) {
            let _ = write!(
                world.more,
                "[[country]]\ncode = {code:?}\nblocks = [\"127.46.{number}.0/24\"]\nhosts = 6\n\
                 probes = [\"icmp\"]\n"
            );
        }
        for (number, code) in codes[..dark].iter().enumerate() {
            // All within a second.
            let at = 2.0 + 0.16 * number as f64 / 3600.0;
            world = world.event("dark", code, at, "for = \"1h\"");
        }
        let run = world.run(1);
        let of_event = run.changes.iter().filter(|change| {
            matches!(change.scope, Scope::Country(_))
                && change.time > run.at(2.0)
                && [Down, Outage].contains(&change.to)
        });
        let said: Vec<bool> =
            of_event.map(|change| change.evidence.text(0).contains("may be us")).collect();
        assert!(said.len() >= 2 * dark, "{said:?}");
        assert!(said.iter().all(|&said| said == (dark >= 5)), "{dark} of 6: {said:?}");
    }
}

#[test]
fn what_is_dark_from_the_start_stays_in_outage() {
    for pace in PACES {
        let mut world = world(pace, vec![6; 4], 24.0).event("dark", "KP", 0.0, "for = \"20h\"");
        world.country = "probes = [\"icmp\", \"tcp/80\"]";
        let run = world.run(1);
        let lost = run.changes.iter().filter(|one| one.from == Outage && one.to == Unknown);
        assert_eq!(lost.count(), 0, "{pace}");
        let share = run.time_in(0.5, 20.0, &[Outage]);
        assert!(share > 0.95, "{pace}: {share}");
    }
}

#[test]
fn loss_on_our_side_neither_blinds_often_nor_is_an_outage() {
    for pace in PACES {
        for (on, loss) in [("us", 0.3), ("us", 0.5), ("us", 0.7), ("controls", 0.5)] {
            let at = lead(pace);
            let keys = format!("for = \"24h\"; loss = {loss}");
            let run = world(pace, vec![6; 4], at + 24.0)
                .event("lossy", on, at, &keys)
                .event("dark", "KP", at + 12.0, "for = \"1h\"")
                .run(1);
            let country = |scope| scope == COUNTRY;
            let unknown = run.entries(country, at, &[Unknown]);
            assert!(unknown <= 12, "{pace}, {on} {loss}: {unknown}");
            assert_eq!(run.wrong(), [0, 0], "{pace}, {on} {loss}");
            // After a blindness in it the same outage goes on.
            let outages = run.changes.iter().filter(|change| {
                change.scope == COUNTRY && change.to == Outage && change.time > run.at(at)
            });
            let begins: BTreeSet<Time> = outages.map(|change| change.edge.latest).collect();
            assert_eq!(begins.len(), 1, "{pace}, {on} {loss}");
        }
    }
}

#[test]
fn loss_of_days_is_degraded_at_both_paces() {
    for pace in PACES {
        let run = world(pace, vec![6], 60.0 + 120.0)
            .event("lossy", "KP", 60.0, "for = \"120h\"; loss = 0.4")
            .run(1);
        let share = run.time_in(60.0, 180.0, &[Degraded]);
        assert!(share >= 0.95, "{pace}: {share}");
    }
}

#[test]
fn steady_loss_is_no_outage() {
    for (pace, loss, downs) in [("default", 0.5, 1), ("default", 0.8, 3), ("frugal", 0.2, 1)] {
        let mut world = world(pace, vec![6; 4], 120.0);
        world.weather = format!("loss = {loss}");
        let score = world.run(1).score;
        assert_eq!(score.countries.false_outages, 0, "{pace}, {loss}");
        let of_country = score.countries.false_downs;
        assert!(of_country <= downs, "{pace}, {loss}: {of_country}");
        let of_blocks = score.blocks.false_outages + score.blocks.false_downs;
        assert!(of_blocks <= 4 * downs, "{pace}, {loss}: {of_blocks}");
    }
}

#[test]
fn odd_worlds_are_played_to_their_end() {
    let one = || world("default", vec![1], 0.01);
    let all_gone = world("frugal", vec![3, 1], 1.0).event("vanish", "KP", 0.0, "hosts = 200");
    let worlds = [
        one(),
        one().event("dark", "KP", 0.0, "for = \"1000h\""),
        one().event("churn", "KP", 0.0, "for = \"1ms\"; down = \"1s\"; up = \"1s\""),
        one().event("appear", "KP", 0.005, "share = 1.0; over = \"1000h\""),
        one().event("renumber", "KP", 0.0, "hosts = 5; over = \"10s\""),
        one().event("flap", "controls", 0.0, "for = \"10s\"; down = \"1s\"; up = \"1s\""),
        all_gone,
    ];
    for mut world in worlds {
        for country in ["probes = [\"icmp\"]", "probes = [\"tcp/80\"]\nalive = 0"] {
            world.country = country;
            for seed in 0..3 {
                let run = world.run(seed);
                let time: f64 =
                    State::ALL.map(|state| run.score.countries.time[state]).iter().sum();
                assert!((time - 1.0).abs() < 1e-9);
                assert!(run.truth.hosts(COUNTRY, run.start + Duration::from_secs(1)).now < 5);
            }
        }
    }
}
