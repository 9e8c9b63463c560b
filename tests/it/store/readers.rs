//! Who may read the store: the group of its directory, without a right to write there, while a run
//! writes it, after the run has ended, and after it was killed. Nobody else may, and is told so.

use crate::support::{
    LAB, LIFESIGN, Program, TIMEOUT, TempDir, done, namespace::Namespace, signal,
};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    time::Duration,
};

const GROUP: u32 = 4242;
const RUNS: &str = "--reuid=4240 --regid=4242 --clear-groups \
    --inh-caps=+net_raw --ambient-caps=+net_raw";
const OWNER: &str = "--reuid=4240 --regid=4242 --clear-groups";
const MEMBER: &str = "--reuid=4241 --regid=65534 --groups=4242";
const STRANGER: &str = "--reuid=4243 --regid=65534 --clear-groups";

/// A state directory as the unit of the package makes it, in a network of its own.
struct Machine {
    temp_dir: TempDir,
    network: Namespace,
}

impl Machine {
    fn new() -> Self {
        let temp_dir = TempDir::new("readers");
        fs::copy(LIFESIGN, temp_dir.join("lifesign")).unwrap();
        temp_dir.put("plan.toml", fs::read(LAB).unwrap());
        let state = temp_dir.join("state");
        fs::create_dir(&state).unwrap();
        fs::set_permissions(&state, fs::Permissions::from_mode(0o750)).unwrap();
        chown(&state, Some(4240), Some(GROUP)).unwrap();
        Self { temp_dir, network: Namespace::new() }
    }

    fn command(&self, who: &str, arguments: &str) -> std::process::Command {
        let here = self.temp_dir.display();
        let line = format!(
            "umask 0027; exec setpriv {who} {here}/lifesign {arguments} --state-dir {here}/state"
        );
        self.network.command(&["sh", "-ec", &line])
    }

    fn run(&self) -> Program {
        let here = self.temp_dir.display();
        let arguments = format!("run --config {here}/plan.toml --listen 127.0.0.1:17545");
        let mut program = Program::start(self.command(RUNS, &arguments));
        program.line(TIMEOUT, "verdict", |line| line.contains(" KP unknown → up").then_some(()));
        program
    }

    /// Of which times the store has anything, as this user reads it; or why it may not.
    fn read(&self, who: &str) -> (i32, String) {
        let (code, out, err) = done(self.command(who, "episodes --all"));
        assert!(out.lines().count() <= 1, "nothing has happened: {out}");
        let held = err.split_once("the store holds ").map_or(&*err, |(_, times)| times);
        (code, held.to_owned())
    }
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn the_group_reads_the_store_and_nobody_else_does() {
    let machine = Machine::new();
    for round in ["the first run", "a run that goes on", "a run after a kill"] {
        let mut run = machine.run();
        let begin = machine.read(MEMBER);
        // All the while: its log is new, is written, and has been written into the file.
        for _ in 0..20 {
            let (code, held) = machine.read(MEMBER);
            assert_eq!(code, 0, "{round}: {held}");
            run.listen(Duration::from_millis(100));
        }
        if round == "a run that goes on" {
            signal("KILL", run.id());
            run.end(TIMEOUT);
            assert!(machine.temp_dir.join("state/lifesign.db-wal").exists(), "it has left no log");
        } else {
            assert_eq!(run.terminate().code(), Some(0), "{}", run.said());
            let end = machine.read(MEMBER);
            assert!(end.0 == 0 && end != begin, "{round}: {begin:?}, and later {end:?}");
        }
        assert_eq!(machine.read(MEMBER), machine.read(OWNER), "after {round}");
        let state = machine.temp_dir.path("state");
        let refused = format!("lifesign: this user may not read the store {state}/lifesign.db");
        assert_eq!(machine.read(STRANGER), (77, refused), "{round}");
    }
}
