//! Who may read the store: the group of its directory, without a right to write there, while a run
//! writes it, after the run has ended, and after it was killed. Nobody else may, and is told so.

use crate::support::{
    LAB, LIFESIGN, Program, TIMEOUT, TempDir, done, namespace::Namespace, signal, until,
};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    time::Duration,
};

const GROUP: u32 = 4242;
const RUNS: &str = "--reuid=4240 --regid=4242 --clear-groups \
    --inh-caps=+net_raw --ambient-caps=+net_raw";
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

    /// What the store has, as this user reads it.
    fn read(&self, who: &str) -> (i32, String, String) {
        done(self.command(who, "episodes --all --since 30d --csv"))
    }
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn the_group_reads_the_store_and_nobody_else_does() {
    let machine = Machine::new();
    let root = "--reuid=0 --regid=0 --clear-groups";
    // The same for both, header included.
    let same = |what: &str| {
        let (mine, member) = (machine.read(root), machine.read(MEMBER));
        assert_eq!((mine.0, mine.2.as_str()), (0, ""), "{what}: {mine:?}");
        assert_eq!(member.2, "", "{what}");
        assert!(member.1.lines().count() > 1, "{what}: {}", member.1);
        let ended = |text: &str| text.lines().filter(|line| line.contains(",false,")).count();
        assert!(ended(&mine.1) >= ended(&member.1), "{what}");
        member.1
    };
    for round in ["the first run", "a run that goes on", "a run after a kill"] {
        let mut run = machine.run();
        // At each moment: the log is new, is written, and has been written into the file.
        until(TIMEOUT, "episodes", || {
            let (code, out, err) = machine.read(MEMBER);
            assert!(code == 0, "{round}: {code} {err}");
            if out.lines().count() > 1 { Ok(()) } else { Err(out) }
        });
        for _ in 0..20 {
            same(round);
            run.listen(Duration::from_millis(100));
        }
        if round == "a run that goes on" {
            signal("KILL", run.id());
            run.end(TIMEOUT);
        } else {
            assert_eq!(run.terminate().code(), Some(0), "{}", run.said());
        }
        same(&format!("after {round}"));
        let state = machine.temp_dir.path("state");
        let refused = format!("lifesign: this user may not read the store {state}/lifesign.db");
        assert_eq!(machine.read(STRANGER), (77, String::new(), refused), "{round}");
    }
}
