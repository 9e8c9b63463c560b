//! What breaks in time: the wall clock is set or slewed under the real program, and in virtual time
//! the watch is away for minutes, or has a country too large for its memory of single misses.

use crate::support::watched_world::never;
use crate::support::{LIFESIGN, Program, Room, SOON, get, quiet, until, values};
use lifesign::clock::Clock;
use lifesign_core::{
    judge::State,
    outcome::{Control, Due, Event, Found, Outcome},
    scopes::Roster,
    time::Time,
    watch::{Settings, Snapshot, Watch},
};
use std::{
    fs, iter::from_fn, net::SocketAddr, path::Path, process::Command, sync::Arc, time::Duration,
};

/// Where the system keeps the library that tells a program another time.
const FAKETIME: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
];

/// lifesign on the loopback network with a wall clock of its own, which the file `now` sets. Its
/// monotonic clock is the machine's.
struct Faked {
    program: Program,
    address: SocketAddr,
    room: Room,
}

impl Faked {
    fn start(name: &str) -> Self {
        let library =
            FAKETIME.into_iter().find(|library| Path::new(library).exists()).expect("libfaketime");
        let room = Room::new(name);
        let now = room.put("now", "+0");
        let plan = fs::read_to_string(crate::support::LAB).unwrap();
        let plan = plan.replace("pace = \"default\"", "per_block = \"4/s\"");
        let plan = room.put("plan.toml", plan);
        let mut command =
            quiet(Command::new(LIFESIGN), &["--config", &plan, "--listen", "127.0.0.1:0"]);
        command.args(["--record", &room.path("journal")]);
        command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", now);
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        let mut program = Program::start(command);
        let address = program.address();
        let mut faked = Self { program, address, room };
        faked.up();
        faked.program.listen(Duration::from_secs(5));
        faked
    }

    fn up(&mut self) {
        let address = self.address;
        until(SOON, "four blocks that are up", || {
            let up: f64 =
                values(&get(address, "/metrics").body, "lifesign_block_state", &[r#"state="up""#])
                    .iter()
                    .sum();
            if up == 4.0 { Ok(()) } else { Err(up.to_string()) }
        });
    }

    fn one(&self, name: &str) -> f64 {
        values(&get(self.address, "/metrics").body, name, &[])[0]
    }

    /// Sets its clock, and sees that all it tells is that the time is another.
    fn set(&mut self, to: &str, ahead: f64) {
        let before = self.one("lifesign_blind_spells_total");
        self.room.put("now", to);
        self.program.listen(Duration::from_secs(8));
        self.up();
        assert_eq!(
            self.one("lifesign_blind_spells_total"),
            before,
            "a step of the clock is no blindness"
        );
        let machine = Clock::start().now().as_secs_f64();
        let told = self.one("lifesign_snapshot_timestamp_seconds") - machine;
        assert!((told - ahead).abs() < 30.0, "{told} instead of {ahead}");
        let metrics = get(self.address, "/metrics").body;
        for median in values(&metrics, "lifesign_block_rtt_median_seconds", &[r#"window="1m""#]) {
            assert!((0.0..0.5).contains(&median), "a round-trip time of {median} s");
        }
        let lag: f64 = values(&metrics, "lifesign_schedule_lag_seconds_sum", &[]).iter().sum();
        let probes: f64 = values(&metrics, "lifesign_probes_total", &[]).iter().sum();
        assert!(lag / probes < 0.2, "{lag} s in {probes} probes");
        assert_eq!(self.program.verdicts().len(), 5, "{}", self.program.said());
        never(&self.program, &["down", "outage", "flapping", "partial", "degraded"]);
    }
}

#[test]
#[ignore = "needs libfaketime; run by tests/run"]
fn the_clock_is_set_by_an_hour_in_either_direction() {
    let mut faked = Faked::start("stepped");
    faked.set("+3600", 3600.0);
    faked.set("-3600", -3600.0);
    faked.set("+0", 0.0);
    assert_eq!(faked.program.terminate().code(), Some(0));
}

#[test]
#[ignore = "needs libfaketime; run by tests/run"]
fn the_clock_is_slewed() {
    let mut faked = Faked::start("slewed");
    // Ten times as fast and as slow as any daemon slews: 0.5 %.
    faked.set("+0 x1.005", 0.0);
    faked.set("+0 x0.995", 0.0);
    assert_eq!(faked.program.terminate().code(), Some(0));
}

const RTT: Duration = Duration::from_millis(50);

/// A watch in virtual time whose hosts all answer, but where `dark` says otherwise.
struct World {
    watch: Watch,
    now: Time,
    asked: Vec<Due>,
    control: bool,
}

impl World {
    fn new(roster: Roster, control: bool) -> Self {
        let now = "2014-12-22T16:15:00Z".parse().unwrap();
        let controls = if control { vec!["127.0.0.1".parse().unwrap()] } else { vec![] };
        let watch =
            Watch::new(Arc::new(roster), &Settings { controls, ..Settings::default() }, now);
        Self { watch, now, asked: Vec::new(), control }
    }

    fn play(&mut self, long: Duration, dark: bool) {
        let end = self.now + long;
        let mut tick = self.now;
        while self.now < end {
            for Due { target, seq, sent, trap, .. } in std::mem::take(&mut self.asked) {
                let found = Found::Reply { rtt: RTT, rcode: None, unexpected: false };
                if !dark {
                    self.watch.handle_event(
                        self.now,
                        &Event::Outcome(Outcome { target, seq, sent, trap, found }),
                    );
                }
            }
            if self.control && tick <= self.now {
                let control = Control { control: 0, sent: self.now, answered: true };
                self.watch.handle_event(self.now, &Event::Control(control));
                tick = self.now + Duration::from_secs(1);
            }
            self.watch.handle_timeout(self.now, self.now);
            self.asked.extend(from_fn(|| self.watch.poll_probe(self.now)));
            self.now = (self.now + RTT).min(end);
        }
    }

    fn state(&self) -> State {
        self.watch.snapshot(self.now, 0, 0).countries[0].verdict.state
    }
}

/// A laptop's lid, a virtual machine's pause: five minutes in which nobody watched prove nothing.
#[test]
fn nobody_watches_for_five_minutes() {
    for control in [true, false] {
        let mut world = World::new(crate::support::roster::of_sizes(&[vec![4; 4]]), control);
        world.play(Duration::from_secs(120), false);
        assert_eq!(world.state(), State::Up);
        while world.watch.poll_change().is_some() {}
        world.now = world.now + Duration::from_secs(300);
        world.play(Duration::from_secs(30), false);
        let changes: Vec<_> = from_fn(|| world.watch.poll_change()).collect();
        let states: Vec<State> = changes.iter().map(|change| change.to).collect();
        assert_eq!(states.iter().filter(|&&state| state == State::Up).count(), 5, "{changes:#?}");
        assert!(
            states.iter().all(|state| matches!(state, State::Up | State::Unknown)),
            "{changes:#?}"
        );
        let Snapshot { blind, blind_seconds: seconds, blind_spells: spells, .. } =
            world.watch.snapshot(world.now, 0, 0);
        assert_eq!((blind, spells), (false, 1));
        assert!((300.0..302.0).contains(&seconds), "{seconds}");
        assert!(world.watch.snapshot(world.now, 0, 0).slots_missed > 200);
    }
}

/// Five minutes away in the middle of a darkness: it is not called long for time in which nobody
/// asked.
#[test]
fn nobody_watches_while_a_country_is_dark() {
    let mut world = World::new(crate::support::roster::of_sizes(&[vec![4; 4]]), true);
    world.play(Duration::from_secs(120), false);
    world.play(Duration::from_secs(15), true);
    assert_eq!(world.state(), State::Down);
    world.now = world.now + Duration::from_secs(300);
    while world.watch.poll_change().is_some() {}
    world.play(Duration::from_secs(5), false);
    let changes: Vec<_> = from_fn(|| world.watch.poll_change()).collect();
    assert!(changes.iter().all(|change| change.to != State::Outage), "{changes:#?}");
    assert_eq!(world.state(), State::Up);
}

/// Of a hundred blocks more is missed in 5 s than is remembered one by one.
#[test]
fn a_country_of_a_hundred_blocks_is_gone() {
    let mut world = World::new(crate::support::roster::of_sizes(&[vec![4; 100]]), true);
    world.play(Duration::from_secs(300), false);
    assert_eq!(world.state(), State::Up);
    while world.watch.poll_change().is_some() {}
    world.play(Duration::from_secs(12), true);
    assert_eq!(world.state(), State::Down);
    world.play(Duration::from_secs(60), true);
    assert_eq!(world.state(), State::Outage);
    assert!(from_fn(|| world.watch.poll_change()).all(|change| change.to != State::Partial));
    world.play(Duration::from_secs(30), false);
    assert_eq!(world.state(), State::Up);
}
