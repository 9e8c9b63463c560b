//! Restarts within an outage, in network namespaces of the test's own.

use super::{episodes, of_country};
use crate::support::{
    LIFESIGN, Program, Room, SOON, Verdict, done, lifesign,
    namespace::{World, plan},
    signal,
};
use lifesign::clock::Time;
use std::time::Duration;

const SCOPES: [&str; 5] =
    ["KP 10.45.176.0/24", "KP 10.45.177.0/24", "KP 10.45.178.0/24", "KP 10.45.179.0/24", "KP"];
const EVERYTHING: &str = "10.45.176.0/22";

/// A country in outage, and the run that saw it go.
struct Night {
    world: World,
    watch: Program,
    plan: String,
    state: String,
    _room: Room,
}

impl Night {
    fn start(name: &str) -> (Self, Verdict) {
        let (world, room) = (World::new(), Room::new(name));
        let text = plan("10s").replace("[judge]", "[budget]\nper_block = \"4/s\"\n[judge]");
        let (plan, state) = (room.put("plan.toml", text), room.path("state"));
        let watch = run(&world, &plan, &state);
        let mut night = Self { world, watch, plan, state, _room: room };
        for scope in SCOPES {
            night.watch.verdict(SOON, scope, "up");
        }
        night.watch.listen(Duration::from_secs(8));
        night.world.cut(EVERYTHING, "drop");
        night.watch.verdict(SOON, "KP", "down");
        let outage = night.watch.verdict(SOON, "KP", "outage");
        (night, outage)
    }

    /// Ends this run, lets the world change, and begins the next.
    fn restart(&mut self, how: &str, meanwhile: impl FnOnce(&World)) {
        self.watch.listen(Duration::from_secs(3));
        signal(how, self.watch.id());
        self.watch.end(SOON);
        meanwhile(&self.world);
        self.watch = run(&self.world, &self.plan, &self.state);
        self.watch
            .line(SOON, "word on the last run", |line| line.starts_with("goes on from what").then_some(()));
    }
}

fn run(world: &World, plan: &str, state: &str) -> Program {
    Program::start(world.vantage.command(&[LIFESIGN, "--config", plan, "--state-dir", state]))
}

fn time(text: &serde_json::Value) -> Time {
    text.as_str().unwrap().parse().unwrap()
}

fn an_outage_goes_on(how: &str) {
    let (mut night, outage) = Night::start(&format!("goes-on-{how}"));
    night.restart(how, |_| {});
    let again = night.watch.verdict(SOON, "KP", "outage");
    assert_eq!(again.from, "unknown");
    assert_eq!((again.earliest, again.latest), (outage.earliest, outage.latest));
    let before = night.watch.now();
    night.world.mend();
    let up = night.watch.verdict(SOON, "KP", "up");
    assert!(up.covers(before, night.watch.now()), "{up:?}");
    for scope in &SCOPES[..4] {
        night.watch.line(SOON, "return", |line| {
            Verdict::read(line).filter(|verdict| verdict.scope == *scope && verdict.to == "up")
        });
    }
    // The store is read while it is written.
    let found = of_country(&night.state, "outage");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(Some(time(&found[0]["begin_earliest"])), outage.earliest);
    assert_eq!(time(&found[0]["begin_latest"]), outage.latest);
    assert_eq!(time(&found[0]["end_latest"]), up.latest);
    assert!(found[0]["unseen_seconds"].as_f64().unwrap() > 0.5, "{found:?}");
    assert_eq!(night.watch.terminate().code(), Some(0));
    // Nothing is left open, and each scope has been in outage once.
    let all = episodes(&night.state, &[]);
    assert!(all.iter().all(|episode| !episode["end_latest"].is_null()), "{all:?}");
    for scope in SCOPES {
        let name = scope.rsplit(' ').next().unwrap();
        let outages = all.iter().filter(|episode| episode["name"] == name && episode["state"] == "outage");
        assert_eq!(outages.count(), 1, "{scope}: {all:?}");
    }
    report(&night.state);
}

/// The page says it in a sentence, and is one well-formed file.
fn report(state: &str) {
    let (code, page, err) = done(lifesign(&["report", "KP", "--since", "1h", "--state-dir", state]));
    assert_eq!(code, 0, "{err}");
    assert!(page.contains("Test was unreachable from test from 20"), "{page}");
    assert!(
        page.contains("<svg")
            && page.ends_with("</html>")
            && !page.contains("http:")
            && !page.contains("https:"),
        "{page}"
    );
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn an_outage_goes_on_over_a_kill() {
    an_outage_goes_on("KILL");
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn an_outage_goes_on_over_a_stop() {
    an_outage_goes_on("TERM");
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn a_country_that_came_back_meanwhile_did_so_in_the_gap() {
    let (mut night, outage) = Night::start("came-back");
    let stopped = night.watch.now();
    night.restart("TERM", World::mend);
    let mended = night.watch.now();
    let up = night.watch.verdict(SOON, "KP", "up");
    assert_eq!(up.from, "unknown");
    assert!(up.earliest.unwrap() > outage.latest, "{up:?} {outage:?}");
    assert!(up.earliest.unwrap() < mended && up.latest > stopped, "{up:?}");
    assert!(
        up.earliest.unwrap() + Duration::from_secs(10) > stopped
            && up.earliest.unwrap() < stopped + Duration::from_secs(4),
        "the last silence before the stop: {up:?}"
    );
    let found = of_country(&night.state, "outage");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(time(&found[0]["begin_latest"]), outage.latest);
    assert_eq!(time(&found[0]["end_latest"]), up.latest);
    assert_eq!(Some(time(&found[0]["end_earliest"])), up.earliest);
}

/// A new plan is no restart: what stays is the same outage, and what is watched no more has no open end.
#[test]
#[ignore = "needs root; run by tests/run"]
fn a_new_plan_ends_only_what_goes() {
    let (mut night, outage) = Night::start("new-plan");
    let text = std::fs::read_to_string(&night.plan).unwrap();
    let (rest, _) = text.rsplit_once("[[country.block]]").unwrap();
    std::fs::write(&night.plan, rest).unwrap();
    let before = night.watch.now();
    signal("HUP", night.watch.id());
    night.watch.line(SOON, "new plan", |line| line.starts_with("watches by the new plan").then_some(()));
    assert_eq!(night.watch.terminate().code(), Some(0));
    let open = |episode: &&serde_json::Value| episode["end_latest"].is_null();
    let all = episodes(&night.state, &["--state", "outage"]);
    let gone: Vec<_> = all.iter().filter(|episode| episode["name"] == "10.45.179.0/24").collect();
    assert_eq!(gone.len(), 1, "{all:?}");
    assert!(time(&gone[0]["end_latest"]) + Duration::from_secs(1) > before, "{gone:?}");
    let country: Vec<_> = all.iter().filter(open).filter(|episode| episode["scope"] == "country").collect();
    assert_eq!(country.len(), 1, "{all:?}");
    assert_eq!(time(&country[0]["begin_latest"]), outage.latest);
}
