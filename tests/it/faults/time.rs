//! What breaks in time: the wall clock is set or slewed under the real program, or the machine is
//! suspended.

use crate::support::faketime;
use crate::support::watched_world::never;
use crate::support::{LIFESIGN, Program, TIMEOUT, TempDir, Verdict, get, quiet, until, values};
use lifesign_clock::Clock;
use std::{fs, net::SocketAddr, process::Command, time::Duration};

/// lifesign on the loopback network with a wall clock of its own, which the file `now` sets. Its
/// monotonic clock is the machine's.
struct Faked {
    program: Program,
    address: SocketAddr,
    temp_dir: TempDir,
}

impl Faked {
    fn start(name: &str) -> Self {
        Self::start_with(faketime::library(), TempDir::new(name))
    }

    /// Its machine is suspended for as long as the file `now` says.
    fn start_on_a_laptop() -> Self {
        let temp_dir = TempDir::new("suspended");
        let library = temp_dir.path("suspended.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/suspended.c");
        let made = Command::new("cc").args(["-shared", "-fPIC", "-o", &library, source]).status();
        assert!(made.expect("a C compiler").success());
        Self::start_with(&library, temp_dir)
    }

    fn start_with(library: &str, temp_dir: TempDir) -> Self {
        let now = temp_dir.put("now", "+0");
        let plan = fs::read_to_string(crate::support::LAB).unwrap();
        let plan = plan.replace("pace = \"default\"", "per_block = \"4/s\"");
        let plan = temp_dir.put("plan.toml", plan);
        let mut command =
            quiet(Command::new(LIFESIGN), &["--config", &plan, "--listen", "127.0.0.1:0"]);
        command.args(["--record", &temp_dir.path("journal")]);
        command.envs(faketime::environment(library, &now));
        let mut program = Program::start(command);
        let address = program.address();
        let mut faked = Self { program, address, temp_dir };
        faked.up();
        faked.program.listen(Duration::from_secs(5));
        faked
    }

    fn up(&mut self) {
        let address = self.address;
        until(TIMEOUT, "four blocks that are up", || {
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

    /// For how many seconds the blocks were unknown, in all.
    fn unknown_seconds(&self) -> f64 {
        let metrics = get(self.address, "/metrics").body;
        let name = "lifesign_block_state_seconds_total";
        values(&metrics, name, &[r#"state="unknown""#]).iter().sum()
    }

    /// Sets its clock, and sees that all it tells is that the time is another.
    fn set(&mut self, to: &str, ahead: f64) {
        let before = self.one("lifesign_blind_spells_total");
        self.temp_dir.put("now", to);
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

#[test]
#[ignore = "needs a C compiler; run by tests/run"]
fn the_machine_is_suspended_for_five_minutes() {
    let mut faked = Faked::start_on_a_laptop();
    let spells = faked.one("lifesign_blind_spells_total");
    let unknown = faked.unknown_seconds();
    faked.temp_dir.put("now", "+300");
    faked.program.listen(Duration::from_secs(8));
    faked.up();
    assert_eq!(faked.one("lifesign_blind_spells_total"), spells + 1.0);
    assert!(faked.unknown_seconds() >= unknown + 4.0 * 298.0, "{unknown}");
    let machine = Clock::start().now().as_secs_f64();
    let told = faked.one("lifesign_snapshot_timestamp_seconds") - machine;
    assert!((told - 300.0).abs() < 30.0, "{told}");
    let verdicts = faked.program.verdicts();
    let is_again = |verdict: &&Verdict| verdict.to == "up" && verdict.earliest.is_some();
    let again: Vec<_> = verdicts.iter().filter(is_again).collect();
    let spans = |verdict: &&&Verdict| {
        verdict.earliest.is_some_and(|earliest| verdict.latest.since(earliest).as_secs() >= 298)
    };
    assert_eq!(again.iter().filter(spans).count(), 5, "{}", faked.program.said());
    never(&faked.program, &["down", "outage", "flapping", "partial", "degraded"]);
    assert_eq!(faked.program.terminate().code(), Some(0));
}
