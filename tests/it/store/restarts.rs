//! Restarts within an outage, in network namespaces of the test's own.

use crate::support::episodes::{episodes, of_country};
use crate::support::{
    TIMEOUT, TempDir, Verdict, done, faketime, lifesign,
    namespace::World,
    signal, until,
    watched_world::{EVERYTHING, SCOPES, WatchedWorld, fast},
};
use lifesign_core::time::Time;
use std::time::Duration;

/// A country in outage, and the run that saw it go.
fn start(name: &str) -> (WatchedWorld, Verdict) {
    let mut watched = WatchedWorld::open(name, &fast(), &[], &[("--state-dir", "state")], |_| {});
    watched.acquaint();
    watched.world.cut(EVERYTHING, "drop");
    watched.program.verdict(TIMEOUT, "KP", "down");
    let outage = watched.program.verdict(TIMEOUT, "KP", "outage");
    (watched, outage)
}

/// Ends this run, lets the world change, and begins the next; between which two moments the end
/// was.
fn restart(watched: &mut WatchedWorld, how: &str, meanwhile: impl FnOnce(&World)) -> (Time, Time) {
    watched.program.listen(Duration::from_secs(3));
    let before = watched.program.now();
    signal(how, watched.program.id());
    watched.program.end(TIMEOUT);
    let end = (before, watched.program.now());
    meanwhile(&watched.world);
    watched.run_again();
    let goes_on = |line: &str| line.starts_with("goes on from what").then_some(());
    watched.program.line(TIMEOUT, "word on the last run", goes_on);
    end
}

fn time(text: &serde_json::Value) -> Time {
    text.as_str().unwrap().parse().unwrap()
}

/// The country's one outage, once its end has been written; the store is read while it is written.
fn ended_outage(watched: &WatchedWorld) -> serde_json::Value {
    let mut found = until(TIMEOUT, "end of the outage in the store", || {
        let found = of_country(&watched.temp_dir.path("state"), "outage");
        let is_over = found.iter().all(|outage| !outage["end_latest"].is_null());
        if is_over { Ok(found) } else { Err(format!("{found:?}")) }
    });
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn an_outage_goes_on(how: &str) {
    let (mut watched, outage) = start(&format!("goes-on-{how}"));
    restart(&mut watched, how, |_| {});
    let again = watched.program.verdict(TIMEOUT, "KP", "outage");
    assert_eq!(again.from, "unknown");
    assert!(is_same_edge(&again, outage.earliest, outage.latest), "{again:?} {outage:?}");
    let before = watched.program.now();
    watched.world.mend();
    let up = watched.program.verdict(TIMEOUT, "KP", "up");
    assert!(up.covers(before, watched.program.now()), "{up:?}");
    for scope in &SCOPES[..4] {
        watched.program.line(TIMEOUT, "return", |line| {
            Verdict::read(line).filter(|verdict| verdict.scope == *scope && verdict.to == "up")
        });
    }
    let found = ended_outage(&watched);
    assert_eq!(Some(time(&found["begin_earliest"])), outage.earliest);
    assert_eq!(time(&found["begin_latest"]), outage.latest);
    assert_eq!(time(&found["end_latest"]), up.latest);
    // What nobody saw lies in it as far as it lies before the middle of its end, which may be wide:
    // who answers first need not have been asked in the darkness.
    let [earliest, latest] = ["end_earliest", "end_latest"].map(|key| time(&found[key]));
    let is_seen_to_end = earliest + latest.since(earliest) / 2 >= again.time;
    let unseen = found["unseen_seconds"].as_f64().unwrap();
    assert!(unseen > 0.5 || !is_seen_to_end, "{found:?} {again:?}");
    assert_eq!(watched.program.terminate().code(), Some(0));
    // Nothing is left open, and each scope has been in outage once.
    let all = episodes(&watched.temp_dir.path("state"), &[]);
    assert!(all.iter().all(|episode| !episode["end_latest"].is_null()), "{all:?}");
    for scope in SCOPES {
        let name = scope.rsplit(' ').next().unwrap();
        let outages =
            all.iter().filter(|episode| episode["name"] == name && episode["state"] == "outage");
        assert_eq!(outages.count(), 1, "{scope}: {all:?}");
    }
    report(&watched.temp_dir.path("state"));
}

/// The page says it in a sentence, and is one well-formed file.
fn report(state: &str) {
    let (code, page, err) =
        done(lifesign(&["report", "KP", "--since", "1h", "--state-dir", state]));
    assert_eq!(code, 0, "{err}");
    assert!(page.contains("Test was unreachable from ") && page.contains(", seen from test."));
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
    let (mut watched, outage) = start("came-back");
    let stopped = restart(&mut watched, "TERM", World::mend);
    let up = watched.program.verdict(TIMEOUT, "KP", "up");
    assert_eq!(up.from, "unknown");
    // The first to answer may not have been asked in the darkness, and then tells no more.
    assert!(up.earliest.unwrap() >= outage.latest, "{up:?} {outage:?}");
    assert!(up.earliest.unwrap() < stopped.1 && up.latest > stopped.0, "{up:?} {stopped:?}");
    let found = ended_outage(&watched);
    assert_eq!(time(&found["begin_latest"]), outage.latest);
    assert_eq!(time(&found["end_latest"]), up.latest);
    assert!(Some(time(&found["end_earliest"])) >= up.earliest, "{found:?} {up:?}");
}

/// Two clocks are read one after the other to know how far they differ, in each run anew: that
/// moves what is written by some microseconds, and now and then to the next millisecond.
fn is_same_edge(verdict: &Verdict, earliest: Option<Time>, latest: Time) -> bool {
    let is_same =
        |one: Time, other: Time| one.since(other).max(other.since(one)) <= Duration::from_millis(1);
    is_same(verdict.latest, latest)
        && verdict.earliest.zip(earliest).is_some_and(|(one, other)| is_same(one, other))
}

/// A machine without a clock of its own, which is set only when it has begun: what the store knows
/// stays as it is, and the end is told by the right time.
#[test]
#[ignore = "needs root and libfaketime; run by tests/run"]
fn an_outage_goes_on_with_a_clock_that_is_ten_minutes_behind() {
    let temp_dir = TempDir::new("behind-clock");
    let now = temp_dir.put("now", "+0");
    let words = faketime::environment(faketime::library(), &now);
    let words: Vec<String> = words.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let before: Vec<&str> = ["env"].into_iter().chain(words.iter().map(String::as_str)).collect();
    let options = [("--state-dir", "state")];
    let mut watched = WatchedWorld::open("behind", &fast(), &before, &options, |_| {});
    watched.acquaint();
    watched.world.cut(EVERYTHING, "drop");
    watched.program.verdict(TIMEOUT, "KP", "down");
    let outage = watched.program.verdict(TIMEOUT, "KP", "outage");
    assert_eq!(watched.program.terminate().code(), Some(0));
    temp_dir.put("now", "-600");
    watched.run_again();
    let is_behind = |line: &str| {
        line.starts_with("note: the clock is 5").then_some(()).filter(|()| line.contains("behind"))
    };
    watched.program.line(TIMEOUT, "word on the clock", is_behind);
    let again = watched.program.verdict(TIMEOUT, "KP", "outage");
    assert!(is_same_edge(&again, outage.earliest, outage.latest), "{again:?} {outage:?}");
    assert!(again.time > outage.time, "{again:?} {outage:?}");
    let before = watched.program.now();
    watched.world.mend();
    let up = watched.program.verdict(TIMEOUT, "KP", "up");
    let after = watched.program.now();
    assert!(up.earliest.unwrap() >= outage.latest && up.latest > again.time, "{up:?} {again:?}");
    temp_dir.put("now", "+0");
    let is_set = |line: &str| line.starts_with("the clock is set").then_some(());
    watched.program.line(TIMEOUT, "word on the clock", is_set);
    assert_eq!(watched.program.terminate().code(), Some(0));
    let found = ended_outage(&watched);
    assert_eq!(Some(time(&found["begin_earliest"])), outage.earliest);
    assert_eq!(time(&found["begin_latest"]), outage.latest);
    let second = Duration::from_secs(1);
    let end = time(&found["end_latest"]);
    assert!(end + second >= before && end <= after + second, "{before} {end} {after}");
}

/// A new plan is no restart: what stays is the same outage, and what is watched no more has no open
/// end.
#[test]
#[ignore = "needs root; run by tests/run"]
fn a_new_plan_ends_only_what_goes() {
    let (mut watched, outage) = start("new-plan");
    let text = std::fs::read_to_string(&watched.plan).unwrap();
    let (rest, _) = text.rsplit_once("[[country.block]]").unwrap();
    std::fs::write(&watched.plan, rest).unwrap();
    let before = watched.program.now();
    signal("HUP", watched.program.id());
    watched.program.line(TIMEOUT, "new plan", |line| {
        line.starts_with("watches by the new plan").then_some(())
    });
    assert_eq!(watched.program.terminate().code(), Some(0));
    let open = |episode: &&serde_json::Value| episode["end_latest"].is_null();
    let all = episodes(&watched.temp_dir.path("state"), &["--state", "outage"]);
    let gone: Vec<_> = all.iter().filter(|episode| episode["name"] == "10.45.179.0/24").collect();
    assert_eq!(gone.len(), 1, "{all:?}");
    assert!(time(&gone[0]["end_latest"]) + Duration::from_secs(1) > before, "{gone:?}");
    let country: Vec<_> =
        all.iter().filter(open).filter(|episode| episode["level"] == "country").collect();
    assert_eq!(country.len(), 1, "{all:?}");
    assert_eq!(time(&country[0]["begin_latest"]), outage.latest);
}
