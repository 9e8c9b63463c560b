//! Real outages: the real program in network namespaces of the test's own, where a router drops, refuses and
//! forgets. Each change must be told in time, with an edge that covers the moment at which it was made.

use crate::support::{
    self, Program, Room, SOON, Verdict,
    namespace::{ROUTER, World, plan},
    values,
};
use lifesign::clock::Time;
use std::time::Duration;

const BLOCKS: [&str; 4] =
    ["KP 10.45.176.0/24", "KP 10.45.177.0/24", "KP 10.45.178.0/24", "KP 10.45.179.0/24"];
const EVERYTHING: &str = "10.45.176.0/22";

/// Long enough that each host has answered a few times, so that its silence means something: each block is asked
/// every 4 s, in turns of 3 targets.
const ACQUAINTANCE: Duration = Duration::from_secs(40);
/// So soon a cut is told of ...
const DOWN: Duration = Duration::from_secs(12);
/// ... and its end.
const UP: Duration = Duration::from_secs(6);

/// lifesign at the vantage of a world, with every block up.
struct Night {
    world: World,
    watch: Program,
    journal: String,
    _room: Room,
}

impl Night {
    fn start(name: &str, outage_after: &str) -> Self {
        let world = World::new();
        let room = Room::new(name);
        let (plan, journal) = (room.put("plan.toml", plan(outage_after)), room.path("journal"));
        let mut watch = Program::start(world.vantage.command(&[
            support::LIFESIGN,
            "--config",
            &plan,
            "--record",
            &journal,
        ]));
        for scope in BLOCKS.iter().chain(&["KP"]) {
            watch.verdict(SOON, scope, "up");
        }
        let mut night = Self { world, watch, journal, _room: room };
        night.calm(ACQUAINTANCE);
        night
    }

    /// Lets this time pass, in which no verdict may change.
    fn calm(&mut self, long: Duration) {
        let before = self.watch.verdicts().len();
        self.watch.listen(long);
        assert_eq!(
            self.watch.verdicts().len(),
            before,
            "a verdict changed in a calm:\n{}",
            self.watch.said()
        );
    }

    /// Does this to the world; between which two moments it happened.
    fn at(&self, event: impl FnOnce(&World)) -> (Time, Time) {
        let before = self.watch.now();
        event(&self.world);
        (before, self.watch.now())
    }

    /// The next verdict on each scope is `to`, in time and with an edge that covers the moment.
    fn all(&mut self, scopes: &[&str], to: &str, moment: (Time, Time), within: Duration) -> Vec<Verdict> {
        let mut found = Vec::new();
        for scope in scopes {
            let left = (moment.1 + within + SOON).since(self.watch.now());
            let verdict = self.watch.verdict(left, scope, to);
            let took = verdict.time.since(moment.0);
            assert!(took <= within, "{scope} {to} took {took:?}:\n{}", self.watch.said());
            assert!(verdict.covers(moment.0, moment.1), "{moment:?} {verdict:?}:\n{}", self.watch.said());
            found.push(verdict);
        }
        found
    }

    /// What it wrote down so far.
    fn journal(&self) -> String {
        std::fs::read_to_string(&self.journal).unwrap()
    }
}

fn everyone() -> Vec<&'static str> {
    BLOCKS.iter().chain(&["KP"]).copied().collect()
}

/// With the default of 60 s before an outage is called one.
#[test]
#[ignore = "needs root; run by tests/run"]
fn a_country_cut_off_is_down_then_in_outage_then_up() {
    let mut night = Night::start("outage", "60s");
    let cut = night.at(|world| world.cut(EVERYTHING, "drop"));
    night.all(&everyone(), "down", cut, DOWN);
    let outages = night.all(&everyone(), "outage", cut, Duration::from_secs(75));
    for outage in &outages {
        // Counted from the last proof of life, written to the millisecond.
        let silent = outage.time.since(outage.earliest.unwrap());
        assert!(silent >= Duration::from_millis(59_999), "an outage too early: {outage:?}");
    }
    let mended = night.at(World::mend);
    night.all(&everyone(), "up", mended, UP);
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn three_quick_cuts_are_flapping() {
    let mut night = Night::start("flapping", "60s");
    for worse in ["down", "down", "flapping"] {
        let cut = night.at(|world| world.cut(EVERYTHING, "drop"));
        night.all(&everyone(), worse, cut, DOWN);
        let mended = night.at(World::mend);
        if worse == "down" {
            night.all(&everyone(), "up", mended, UP);
        }
    }
    // A long darkness is an outage all the same: flapping never hides it.
    night.calm(UP);
    let cut = night.at(|world| world.cut(EVERYTHING, "drop"));
    night.all(&everyone(), "outage", cut, Duration::from_secs(75));
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn one_block_of_four_in_outage_makes_its_country_partial() {
    let mut night = Night::start("partial", "20s");
    let cut = night.at(|world| world.cut("10.45.177.0/24", "drop"));
    night.all(&[BLOCKS[1]], "down", cut, DOWN);
    night.all(&[BLOCKS[1]], "outage", cut, Duration::from_secs(35));
    night.all(&["KP"], "partial", cut, Duration::from_secs(35));
    let mended = night.at(World::mend);
    night.all(&[BLOCKS[1]], "up", mended, UP);
    night.all(&["KP"], "up", mended, UP);
    for other in [BLOCKS[0], BLOCKS[2], BLOCKS[3]] {
        let verdicts = night.watch.verdicts();
        assert_eq!(verdicts.iter().filter(|verdict| verdict.scope == other).count(), 1, "{verdicts:#?}");
    }
}

/// Both ways in which our own side breaks: the cable (silence, or an error for each packet) and the route.
#[test]
#[ignore = "needs root; run by tests/run"]
fn our_own_cable_and_route_make_us_blind_and_nobody_else_dark() {
    let mut night = Night::start("blind", "10s");
    for (breaks, mends) in [
        ("ip link set uplink down", "ip link set uplink up; ip route add default via 10.45.0.1"),
        ("ip route del default", "ip route add default via 10.45.0.1"),
    ] {
        let broken = night.at(|world| drop(world.vantage.sh(breaks)));
        for scope in everyone() {
            let left = (broken.1 + DOWN + SOON).since(night.watch.now());
            let verdict = night.watch.verdict(left, scope, "unknown");
            assert!(verdict.time.since(broken.0) <= DOWN, "{verdict:?}");
            assert!(verdict.evidence.contains("blind"), "{verdict:?}");
        }
        night.calm(Duration::from_secs(25));
        let metrics = night.world.vantage.get("/metrics").body;
        assert_eq!(values(&metrics, "lifesign_blind", &[]), [1.0]);
        assert!(values(&metrics, "lifesign_not_sent_total", &["no_route"])[0] > 0.0, "{metrics}");
        let mended = night.at(|world| drop(world.vantage.sh(mends)));
        for scope in everyone() {
            let verdict = night.watch.verdict(SOON, scope, "up");
            assert!(verdict.time.since(mended.0) <= SOON, "{verdict:?}");
        }
        assert_eq!(values(&night.world.vantage.get("/metrics").body, "lifesign_blind", &[]), [0.0]);
        night.calm(Duration::from_secs(10));
    }
    let dark = ["down", "flapping", "outage"];
    assert!(
        !night.watch.verdicts().iter().any(|verdict| dark.contains(&&*verdict.to)),
        "{}",
        night.watch.said()
    );
    assert!(night.journal().contains(r#""why":"no_route""#));
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn a_router_that_says_no_is_named_and_its_country_is_down() {
    let mut night = Night::start("unreachable", "20s");
    let cut = night.at(|world| world.cut(EVERYTHING, "reject with icmp type host-prohibited"));
    night.all(&everyone(), "down", cut, DOWN);
    night.all(&everyone(), "outage", cut, Duration::from_secs(35));
    let journal = night.journal();
    let told: Vec<&str> = journal.lines().filter(|line| line.contains(r#""result":"unreachable""#)).collect();
    for probe in [r#""probe":"icmp""#, r#""probe":"tcp/80""#, r#""probe":"dns/kptc.kp/SOA""#] {
        let mine: Vec<_> = told.iter().filter(|line| line.contains(probe)).collect();
        assert!(!mine.is_empty(), "no {probe} of {} is unreachable", told.len());
        for line in mine {
            assert!(
                line.contains(&format!(r#""from":"{ROUTER}""#)) && line.contains(r#""code":[3,10]"#),
                "{line}"
            );
        }
    }
    let metrics = night.world.vantage.get("/metrics").body;
    let counted = values(&metrics, "lifesign_unreachable_total", &[r#"icmp_code="10""#, r#"icmp_type="3""#]);
    assert!(counted.len() == 1 && counted[0] > 0.0, "{metrics}");
    let mended = night.at(World::mend);
    night.all(&everyone(), "up", mended, UP);
}
