//! Real outages: the real program in network namespaces of the test's own, where a router drops,
//! refuses and forgets. Each change must be told in time, with an edge that covers the moment at
//! which it was made.

use crate::support::{
    TIMEOUT,
    namespace::{ROUTER, World, plan},
    values,
    watched_world::{EVERYTHING, SCOPES, WatchedWorld},
};
use std::time::Duration;

/// Long enough that each host has answered a few times, so that its silence means something: each
/// block is asked every 4 s, in turns of 3 targets.
const ACQUAINTANCE: Duration = Duration::from_secs(40);
/// So soon a cut is told of ...
const DOWN: Duration = Duration::from_secs(12);
/// ... or one of a block alone, of which only its own hosts tell: 99 of 100 within 12.5 s.
const DOWN_ALONE: Duration = Duration::from_secs(15);
/// ... and its end ...
const UP: Duration = Duration::from_secs(6);
/// ... and the end of our own blindness, after which nobody is asked more often.
const SIGHT: Duration = Duration::from_secs(20);

/// lifesign with a journal, at the vantage of a world in which all is well.
fn start(name: &str, outage_after: &str) -> WatchedWorld {
    let mut watched =
        WatchedWorld::open(name, &plan(outage_after), &[], &[("--record", "journal")], |_| {});
    watched.all("up");
    watched.calm(ACQUAINTANCE);
    watched
}

fn journal(watched: &WatchedWorld) -> String {
    std::fs::read_to_string(watched.temp_dir.join("journal")).unwrap()
}

/// With the default of 60 s before an outage is called one.
#[test]
#[ignore = "needs root; run by tests/run"]
fn a_country_cut_off_is_down_then_in_outage_then_up() {
    let mut watched = start("outage", "60s");
    let cut = watched.at(|world| world.cut(EVERYTHING, "drop"));
    watched.in_time(&SCOPES, "down", cut, DOWN);
    let outages = watched.in_time(&SCOPES, "outage", cut, Duration::from_secs(75));
    for outage in &outages {
        // Counted from the last proof of life, written to the millisecond.
        let silent = outage.time.since(outage.earliest.unwrap());
        assert!(silent >= Duration::from_millis(59_999), "an outage too early: {outage:?}");
    }
    let mended = watched.at(World::mend);
    watched.in_time(&SCOPES, "up", mended, UP);
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn three_quick_cuts_are_flapping() {
    let mut watched = start("flapping", "60s");
    let mut cuts = Vec::new();
    for _ in 0..2 {
        let cut = watched.at(|world| world.cut(EVERYTHING, "drop"));
        cuts.push(cut);
        watched.in_time(&SCOPES, "down", cut, DOWN);
        let mended = watched.at(World::mend);
        watched.in_time(&SCOPES, "up", mended, UP);
    }
    // It is dated from its first darkness.
    let third = watched.at(|world| world.cut(EVERYTHING, "drop"));
    let passed = third.1.since(cuts[0].1);
    watched.in_time(&SCOPES, "flapping", cuts[0], passed + DOWN);
    watched.at(World::mend);
    // A long darkness is an outage all the same: flapping never hides it.
    watched.calm(UP);
    let cut = watched.at(|world| world.cut(EVERYTHING, "drop"));
    watched.in_time(&SCOPES, "outage", cut, Duration::from_secs(75));
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn one_block_of_four_in_outage_makes_its_country_partial() {
    let mut watched = start("partial", "20s");
    let cut = watched.at(|world| world.cut("10.45.177.0/24", "drop"));
    watched.in_time(&[SCOPES[1]], "down", cut, DOWN_ALONE);
    watched.in_time(&[SCOPES[1]], "outage", cut, Duration::from_secs(35));
    watched.in_time(&["KP"], "partial", cut, Duration::from_secs(35));
    let mended = watched.at(World::mend);
    watched.in_time(&[SCOPES[1]], "up", mended, UP);
    watched.in_time(&["KP"], "up", mended, UP);
    for other in [SCOPES[0], SCOPES[2], SCOPES[3]] {
        let verdicts = watched.program.verdicts();
        assert_eq!(
            verdicts.iter().filter(|verdict| verdict.scope == other).count(),
            1,
            "{verdicts:#?}"
        );
    }
}

/// Both ways in which our own side breaks: the cable (silence, or an error for each packet) and the
/// route.
#[test]
#[ignore = "needs root; run by tests/run"]
fn our_own_cable_and_route_make_us_blind_and_nobody_else_dark() {
    let mut watched = start("blind", "10s");
    for (breaks, mends) in [
        ("ip link set uplink down", "ip link set uplink up; ip route add default via 10.45.0.1"),
        ("ip route del default", "ip route add default via 10.45.0.1"),
    ] {
        let broken = watched.at(|world| drop(world.vantage.sh(breaks)));
        for scope in SCOPES {
            let left = (broken.1 + DOWN + TIMEOUT).since(watched.program.now());
            let verdict = watched.program.verdict(left, scope, "unknown");
            assert!(verdict.time.since(broken.1) <= DOWN, "{verdict:?}");
            assert!(verdict.evidence.contains("blind"), "{verdict:?}");
        }
        watched.calm(Duration::from_secs(25));
        let metrics = watched.world.vantage.get("/metrics").body;
        assert_eq!(values(&metrics, "lifesign_blind", &[]), [1.0]);
        assert!(values(&metrics, "lifesign_not_sent_total", &["no_route"])[0] > 0.0, "{metrics}");
        let mended = watched.at(|world| drop(world.vantage.sh(mends)));
        for scope in SCOPES {
            let verdict = watched.program.verdict(TIMEOUT, scope, "up");
            assert!(verdict.time.since(mended.1) <= SIGHT, "{verdict:?}");
        }
        assert_eq!(
            values(&watched.world.vantage.get("/metrics").body, "lifesign_blind", &[]),
            [0.0]
        );
        watched.calm(Duration::from_secs(10));
    }
    let dark = ["down", "flapping", "outage"];
    assert!(
        !watched.program.verdicts().iter().any(|verdict| dark.contains(&&*verdict.to)),
        "{}",
        watched.program.said()
    );
    assert!(journal(&watched).contains(r#""why":"no_route""#));
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn a_router_that_says_no_is_named_and_its_country_is_down() {
    let mut watched = start("unreachable", "20s");
    let cut = watched.at(|world| world.cut(EVERYTHING, "reject with icmp type host-prohibited"));
    watched.in_time(&SCOPES, "down", cut, DOWN);
    watched.in_time(&SCOPES, "outage", cut, Duration::from_secs(35));
    let journal = journal(&watched);
    let told: Vec<&str> =
        journal.lines().filter(|line| line.contains(r#""result":"unreachable""#)).collect();
    for probe in [r#""probe":"icmp""#, r#""probe":"tcp/80""#, r#""probe":"dns/kptc.kp/SOA""#] {
        let mine: Vec<_> = told.iter().filter(|line| line.contains(probe)).collect();
        assert!(!mine.is_empty(), "no {probe} of {} is unreachable", told.len());
        for line in mine {
            assert!(
                line.contains(&format!(r#""from":"{ROUTER}""#))
                    && line.contains(r#""code":[3,10]"#),
                "{line}"
            );
        }
    }
    let metrics = watched.world.vantage.get("/metrics").body;
    let counted =
        values(&metrics, "lifesign_unreachable_total", &[r#"icmp_code="10""#, r#"icmp_type="3""#]);
    assert!(counted.len() == 1 && counted[0] > 0.0, "{metrics}");
    let mended = watched.at(World::mend);
    watched.in_time(&SCOPES, "up", mended, UP);
}
