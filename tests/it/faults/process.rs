//! What breaks in our own process: it is stopped, starved, cut short in descriptors and memory,
//! ended, killed.

use crate::support::watched_world::{EVERYTHING, WatchedWorld, fast, never};
use crate::support::{
    LAB, LIFESIGN, Program, TIMEOUT, TempDir, done, get, lifesign, quiet, signal, until, values,
};
use std::{
    fs, net::SocketAddr, os::unix::process::ExitStatusExt, process::Command, thread::sleep,
    time::Duration,
};

/// The lab, asked fast, with some words of the shell before it.
fn lab(temp_dir: &TempDir, pace: &str, before: &str) -> Program {
    let plan = fs::read_to_string(LAB).unwrap();
    let plan = plan.replace("pace = \"default\"", &format!("per_block = \"{pace}\""));
    let plan = temp_dir.put("plan.toml", plan.replace("total = \"50/s\"", ""));
    let run = format!(
        "{before} exec {LIFESIGN} --config {plan} --listen 127.0.0.1:0 --record {}",
        temp_dir.path("journal")
    );
    Program::start(quiet(Command::new("sh"), &["-c", &run]))
}

fn value(address: SocketAddr, name: &str, parts: &[&str]) -> f64 {
    let metrics = get(address, "/metrics").body;
    let found = values(&metrics, name, parts);
    assert!(!found.is_empty(), "no {name} with {parts:?} in\n{metrics}");
    found.iter().sum()
}

fn four_up(address: SocketAddr) {
    until(TIMEOUT, "four blocks that are up", || {
        // Before the first snapshot there is none.
        let up = values(&get(address, "/metrics").body, "lifesign_block_state", &[r#"state="up""#]);
        if up == [1.0; 4] { Ok(()) } else { Err(format!("{up:?}")) }
    });
}

const DARK: [&str; 4] = ["down", "flapping", "outage", "partial"];

#[test]
fn it_is_stopped_for_eight_seconds() {
    let temp_dir = TempDir::new("stopped");
    let mut watch = lab(&temp_dir, "4/s", "");
    let address = watch.address();
    four_up(address);
    watch.listen(Duration::from_secs(2));
    let before = value(address, "lifesign_blind_spells_total", &[]);
    let seconds = |state| {
        value(address, "lifesign_block_state_seconds_total", &[&format!("state=\"{state}\"")])
    };
    let unknown = seconds("unknown");
    signal("STOP", watch.id());
    sleep(Duration::from_secs(8));
    signal("CONT", watch.id());
    until(TIMEOUT, "a blind spell", || {
        let count = value(address, "lifesign_blind_spells_total", &[]);
        if count > before { Ok(()) } else { Err(count.to_string()) }
    });
    four_up(address);
    watch.listen(Duration::from_secs(2));
    assert!(seconds("unknown") >= unknown + 4.0 * 7.0, "{unknown}");
    assert!(value(address, "lifesign_blind_seconds_total", &[]) >= 7.0);
    assert_eq!(value(address, "lifesign_blind_spells_total", &[]), before + 1.0);
    assert!(
        value(address, "lifesign_slots_skipped_total", &["stall"]) >= 4.0 * 7.0,
        "nothing is made up for"
    );
    never(&watch, &DARK);
    assert!(fs::read_to_string(temp_dir.join("journal")).unwrap().contains(r#""result":"gap""#));
}

/// Stopped again and again for less than what counts as a gap: 19 parts of 20 of its time are
/// taken.
#[test]
fn it_is_starved() {
    let temp_dir = TempDir::new("starved");
    let mut watch = lab(&temp_dir, "4/s", "");
    let address = watch.address();
    four_up(address);
    watch.listen(Duration::from_secs(3));
    for _ in 0..8 {
        signal("STOP", watch.id());
        sleep(Duration::from_millis(1900));
        signal("CONT", watch.id());
        sleep(Duration::from_millis(100));
    }
    four_up(address);
    never(&watch, &DARK);
    assert!(value(address, "lifesign_slots_skipped_total", &["stall"]) > 10.0);
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn it_runs_out_of_descriptors() {
    // Silence keeps each connection's socket open, and a quarter of 64 is for them.
    let text = fast().replace("4/s", "40/s").replace("\"10s\"", "\"1h\"");
    let text = text.replace("icmp", "tcp/81").replace("dns/kptc.kp/SOA", "tcp/82");
    let mut watched =
        WatchedWorld::open("descriptors", &text, &["prlimit", "--nofile=64"], &[], |_| {});
    watched.acquaint();
    watched.world.cut("10.45.176.0/23", "drop");
    for block in ["KP 10.45.176.0/24", "KP 10.45.177.0/24"] {
        watched.program.verdict(TIMEOUT, block, "down");
    }
    watched.program.listen(Duration::from_secs(8));
    assert_eq!(watched.metric("lifesign_not_sent_total", &["no_descriptors"]), 0.0);
    assert_eq!(watched.metric("lifesign_blind_spells_total", &[]), 0.0);
    let others = ["10.45.178", "10.45.179"];
    let dark: Vec<_> =
        watched.program.verdicts().into_iter().filter(|verdict| verdict.to == "down").collect();
    assert!(
        !dark.iter().any(|verdict| others.iter().any(|other| verdict.scope.contains(other))),
        "{dark:#?}"
    );
    watched.world.mend();
    until(TIMEOUT, "four blocks that are up", || {
        let up = watched.metric("lifesign_block_state", &[r#"state="up""#]);
        if up == 4.0 { Ok(()) } else { Err(up.to_string()) }
    });
}

#[test]
fn the_soft_limit_of_descriptors_is_raised_to_the_hard_one() {
    let temp_dir = TempDir::new("limit");
    let mut watch = lab(&temp_dir, "4/s", "ulimit -S -n 64; ulimit -H -n 700;");
    watch.address();
    let limits = fs::read_to_string(format!("/proc/{}/limits", watch.id())).unwrap();
    let files: Vec<&str> = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap()
        .split_whitespace()
        .skip(3)
        .take(2)
        .collect();
    assert_eq!(files, ["700", "700"]);
    assert_eq!(watch.terminate().code(), Some(0));
}

#[test]
fn there_are_too_few_descriptors_to_begin() {
    let temp_dir = TempDir::new("few");
    for few in 8..32 {
        let mut watch = lab(&temp_dir, "4/s", &format!("ulimit -n {few};"));
        let code = watch.end(TIMEOUT).code();
        let said = watch.said();
        assert_eq!(code, Some(70), "{few}: {said}");
        let wanted = format!(
            "lifesign: cannot start: {few} open files are allowed, and 32 are needed at least"
        );
        assert!(watch.err.len() == 1 && watch.err[0].starts_with(&wanted), "{few}: {said}");
    }
    let mut watch = lab(&temp_dir, "4/s", "ulimit -n 32;");
    let address = watch.address();
    four_up(address);
    assert_eq!(watch.terminate().code(), Some(0), "{}", watch.said());
}

/// Address space in kB: with enough for the lab it runs, with less it ends at once and says why.
#[test]
fn memory_is_short() {
    let temp_dir = TempDir::new("memory");
    let mut watch = lab(&temp_dir, "40/s", "ulimit -v 96000;");
    let address = watch.address();
    four_up(address);
    watch.listen(Duration::from_secs(5));
    never(&watch, &DARK);
    assert_eq!(watch.terminate().code(), Some(0), "{}", watch.said());
    let mut ended = 0;
    for kilobytes in (22_000..60_000).step_by(2000) {
        let mut watch = lab(&temp_dir, "4/s", &format!("ulimit -v {kilobytes};"));
        if watch.address_or_end().is_some() {
            continue;
        }
        // 127 is the loader's own word for "too little"; no code is an abort, when an allocation
        // fails.
        let end = watch.end(TIMEOUT);
        let code = end.code();
        if matches!(end.signal(), Some(9 | 11)) && watch.out.is_empty() && watch.err.is_empty() {
            continue; // The system itself could not load it: nobody is there who could say so.
        }
        assert!(matches!(code, Some(70 | 127) | None), "{kilobytes}: {code:?} {}", watch.said());
        assert!(!watch.err.is_empty(), "{kilobytes}: it ended in silence");
        ended += 1;
    }
    assert!(ended > 0, "whatever can be loaded can run");
}

#[test]
fn it_is_asked_to_end_at_any_moment() {
    let temp_dir = TempDir::new("ended");
    for moment in 0..8 {
        let mut watch = lab(&temp_dir, "20/s", "");
        watch.watching();
        watch.listen(Duration::from_millis(moment * 150));
        assert_eq!(watch.terminate().code(), Some(0), "{}", watch.said());
    }
    let journal = fs::read_to_string(temp_dir.join("journal")).unwrap();
    assert!(journal.lines().count() > 50 && journal.ends_with("}\n"));
    let run =
        lifesign(&["replay", &temp_dir.path("journal"), "--config", &temp_dir.path("plan.toml")]);
    let (code, _, err) = done(run);
    assert_eq!((code, err.as_str()), (0, ""), "every line can be read");
}

#[test]
fn it_is_asked_to_end_with_its_first_line() {
    let temp_dir = TempDir::new("first");
    for _ in 0..20 {
        let mut watch = lab(&temp_dir, "4/s", "");
        watch.line(TIMEOUT, "first line", |line| line.starts_with("lifesign ").then_some(()));
        assert_eq!(watch.terminate().code(), Some(0), "{}", watch.said());
    }
}

/// Nobody takes its journal, its lines, its complaints: it watches on, and ends when it is asked.
#[test]
fn nobody_takes_what_it_writes() {
    for (name, output) in [("journal", "--record PIPE"), ("out", ">PIPE"), ("err", "2>PIPE")] {
        let temp_dir = TempDir::new(&format!("untaken-{name}"));
        let plan = temp_dir.put("plan.toml", fs::read(LAB).unwrap());
        let address: SocketAddr = "127.45.190.98:17545".parse().unwrap();
        // A pipe that is full, and that somebody holds open, or writing would fail at once.
        let pipe = temp_dir.path("pipe");
        let run = format!(
            "mkfifo {pipe}; exec 3<>{pipe}; dd if=/dev/zero bs=4096 count=16 status=none >&3; \
             exec {LIFESIGN} --config {plan} --listen {address} {}",
            output.replace("PIPE", &pipe)
        );
        let mut watch = Program::start(quiet(Command::new("sh"), &["-c", &run]));
        until(TIMEOUT, "pages", || {
            std::net::TcpStream::connect(address).map(drop).map_err(|error| error.to_string())
        });
        four_up(address);
        temp_dir.put("plan.toml", "what is this");
        let rejected = "lifesign_config_last_reload_successful";
        signal("HUP", watch.id());
        until(TIMEOUT, "a rejected plan", || match value(address, rejected, &[]) {
            0.0 => Ok(()),
            _ => Err("not yet".into()),
        });
        let asked = watch.now();
        signal("TERM", watch.id());
        until(Duration::from_secs(1), "no word of health", || {
            match std::net::TcpStream::connect(address) {
                Err(_) => Ok(()),
                Ok(_) => Err("it answers".into()),
            }
        });
        assert_eq!(watch.end(TIMEOUT).code(), Some(0), "{name}: {}", watch.said());
        let took = watch.now().since(asked);
        assert!(took < Duration::from_secs(5), "{name}: {took:?}");
    }
}

/// How often it is killed, each time at another moment.
const KILLS: u64 = 8;

#[test]
fn it_is_killed_at_any_moment() {
    let temp_dir = TempDir::new("killed");
    for moment in 0..KILLS {
        let mut watch = lab(&temp_dir, "100/s", "");
        watch.address();
        watch.listen(Duration::from_millis(100 + moment * 137));
        signal("KILL", watch.id());
        watch.end(TIMEOUT);
    }
    let run =
        lifesign(&["replay", &temp_dir.path("journal"), "--config", &temp_dir.path("plan.toml")]);
    let (code, out, err) = done(run);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains(" unknown → up"), "{out}");
    assert!(
        err.lines().count() <= KILLS as usize + 1,
        "at most the last line of each run is torn: {err}"
    );
    let journal = fs::read_to_string(temp_dir.join("journal")).unwrap();
    assert!(journal.lines().count() > 200, "{}", journal.lines().count());
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn nothing_piles_up_while_a_country_is_silent() {
    let text = fast().replace("4/s", "50/s");
    let mut watched = WatchedWorld::open("silence", &text, &[], &[], |_| {});
    watched.acquaint();
    watched.world.cut(EVERYTHING, "drop");
    watched.program.listen(Duration::from_secs(12));
    let begin = watched.program.now();
    let before = watched.program.descriptors();
    watched.program.listen(Duration::from_secs(10));
    let after = watched.program.descriptors();
    let seconds = watched.program.now().since(begin).as_secs_f64();
    // A DNS question listens for 150 s, up to a bound; all else is over after a second.
    let most = before + (seconds * 70.0) as usize;
    assert!(after <= most && after < 4300, "{before}, and {seconds} s later {after}");
    assert_eq!(watched.metric("lifesign_country_state", &[r#"state="outage""#]), 1.0);
}

/// A day's probes in 40 s, or so, and a new plan every second, with another control: what it holds
/// after a quarter is what it holds at the end.
#[test]
#[ignore = "takes 70 s; run by tests/run"]
fn a_day_in_forty_seconds_leaves_nothing_behind() {
    let temp_dir = TempDir::new("soak");
    let mut watch = lab(&temp_dir, "540/s", "");
    let address = watch.address();
    four_up(address);
    let full = fs::read_to_string(temp_dir.join("plan.toml")).unwrap();
    let less = full[..full.rfind("[[country.block]]").unwrap()]
        .replace("[\"127.0.0.1\"]", "[\"127.0.0.2\"]");
    let calm = full.replace("540/s", "1/m");
    let read = |watch: &mut Program, plan: &str| {
        temp_dir.put("plan.toml", plan);
        signal("HUP", watch.id());
        watch.listen(Duration::from_secs(1));
    };
    // Probes under way have hundreds: one by TCP for a second, one by DNS for two.
    let descriptors_in_calm = |watch: &mut Program| {
        read(watch, &calm);
        let seen = (0..8).map(|_| {
            watch.listen(Duration::from_secs(1));
            watch.descriptors()
        });
        seen.min().unwrap()
    };
    let mut held = Vec::new();
    let mut before = None;
    while held.len() < 40 || value(address, "lifesign_probes_total", &[]) < 40_000.0 {
        assert!(held.len() < 400, "a day's probes take too long");
        // The first quarter is for warming up.
        if held.len() == 10 {
            before = Some(descriptors_in_calm(&mut watch));
        }
        read(&mut watch, if held.len() % 2 == 0 { &less } else { &full });
        held.push(watch.memory());
    }
    let (before, after) = (before.unwrap(), descriptors_in_calm(&mut watch));
    // Thirty new plans at least, each of which might have left one.
    assert!(after < before + 10, "descriptors: {before}, and {after} in the end");
    let (first, end) = held.split_at(held.len() * 5 / 8);
    let [before, after] = [&first[10..], end].map(|held| *held.iter().max().unwrap());
    assert!(after <= before + 1024, "resident kB: {held:?}");
    never(&watch, &DARK);
    assert_eq!(watch.terminate().code(), Some(0));
}
