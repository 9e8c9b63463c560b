//! A child process, such as lifesign: its lines as it says them, its verdicts with their times, its
//! end. It never waits without a deadline: what does not come in time fails the test, with
//! everything that was said so far.

use super::{TIMEOUT, get, until, verdict::Verdict};
use lifesign_clock::Clock;
use lifesign_core::time::Time;
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

/// The program under test.
pub const LIFESIGN: &str = env!("CARGO_BIN_EXE_lifesign");

/// lifesign with its own environment: no log filter and no terminal of whoever runs the tests.
pub fn lifesign(arguments: &[&str]) -> Command {
    quiet(Command::new(LIFESIGN), arguments)
}

/// This command with these arguments, cut off from our own terminal and settings.
pub fn quiet(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments).stdin(Stdio::null());
    for name in ["LIFESIGN_LOG", "RUST_LOG", "COLUMNS", "LINES", "NO_COLOR", "STATE_DIRECTORY"] {
        command.env_remove(name);
    }
    command
}

/// A child, and what it has said so far.
pub struct Program {
    child: Child,
    lines: Receiver<(bool, String)>,
    clock: Clock,
    /// Every line of standard output.
    pub out: Vec<String>,
    /// Every line of standard error.
    pub err: Vec<String>,
    /// Which of those a wait has already given.
    passed: Vec<bool>,
}

impl Program {
    /// Starts it. It is killed when the test is over.
    pub fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (sender, lines) = channel();
        read(child.stdout.take().unwrap(), false, sender.clone());
        read(child.stderr.take().unwrap(), true, sender);
        Self {
            child,
            lines,
            clock: Clock::start(),
            out: Vec::new(),
            err: Vec::new(),
            passed: Vec::new(),
        }
    }

    /// The process number that the system gave it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How many files and sockets it has open.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.id())).unwrap().count()
    }

    /// Resident memory, in KiB.
    pub fn memory(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Now, by the clock that also stamps its verdicts.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Takes in one line; the error says that the deadline has come, or that all has been said.
    fn hear(&mut self, until: Time) -> Result<(), RecvTimeoutError> {
        let (is_error, line) = self.lines.recv_timeout(until.since(self.clock.now()))?;
        if is_error {
            self.err.push(line);
        } else {
            self.out.push(line);
            self.passed.push(false);
        }
        Ok(())
    }

    /// The first line of standard output that is `wanted` and that no earlier call gave.
    pub fn line<T>(
        &mut self,
        within: Duration,
        what: &str,
        wanted: impl Fn(&str) -> Option<T>,
    ) -> T {
        let mut next = 0;
        self.wait(within, what, |program| {
            let from = std::mem::replace(&mut next, program.out.len());
            let mut fresh = (from..program.out.len()).filter(|&index| !program.passed[index]);
            let (index, found) =
                fresh.find_map(|index| Some((index, wanted(&program.out[index])?)))?;
            program.passed[index] = true;
            Some(found)
        })
    }

    /// The first line of standard error that is `wanted`.
    pub fn error_line<T>(
        &mut self,
        within: Duration,
        what: &str,
        wanted: impl Fn(&str) -> Option<T>,
    ) -> T {
        self.wait(within, what, |program| program.err.iter().find_map(|line| wanted(line)))
    }

    /// Looks again after each line, until there is what is looked for.
    fn wait<T>(
        &mut self,
        within: Duration,
        what: &str,
        mut look: impl FnMut(&mut Self) -> Option<T>,
    ) -> T {
        let until = self.clock.now() + within;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            if let Err(end) = self.hear(until) {
                panic!("no {what} within {within:?} ({end}):\n{}", self.said());
            }
        }
    }

    /// The next verdict on this scope (`KP`, `KP 127.45.176.0/24`), which must be `to`.
    pub fn verdict(&mut self, within: Duration, scope: &str, to: &str) -> Verdict {
        let verdict = self.line(within, &format!("verdict {scope} {to}"), |line| {
            Verdict::read(line).filter(|verdict| verdict.scope == scope)
        });
        assert_eq!(verdict.to, to, "{scope}: {verdict:?}\n{}", self.said());
        verdict
    }

    /// Takes in what it says for this long, or until its end.
    pub fn listen(&mut self, long: Duration) {
        let until = self.clock.now() + long;
        while self.hear(until).is_ok() {}
    }

    /// All verdicts so far, in order.
    pub fn verdicts(&self) -> Vec<Verdict> {
        self.out.iter().filter_map(|line| Verdict::read(line)).collect()
    }

    /// Where it serves its pages.
    pub fn address(&mut self) -> SocketAddr {
        self.line(TIMEOUT, "address", address)
    }

    /// The same, once the watch has begun.
    pub fn watching(&mut self) -> SocketAddr {
        let address = self.address();
        until(TIMEOUT, "first page", || match get(address, "/api/v1/state") {
            answer if answer.code == 200 => Ok(()),
            answer => Err(answer.body),
        });
        address
    }

    /// Where it serves its pages; None if it ends before it says so.
    pub fn address_or_end(&mut self) -> Option<SocketAddr> {
        let until = self.clock.now() + TIMEOUT;
        loop {
            let found = self.out.iter().find_map(|line| address(line));
            if found.is_some() {
                return found;
            }
            match self.hear(until) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("no address and no end within {TIMEOUT:?}:\n{}", self.said())
                }
            }
        }
    }

    /// Waits for its end.
    pub fn end(&mut self, within: Duration) -> ExitStatus {
        let until = self.clock.now() + within;
        loop {
            match self.hear(until) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => return self.child.wait().unwrap(),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("no end within {within:?}:\n{}", self.said())
                }
            }
        }
    }

    /// Asks it to end, as systemd does, and waits.
    pub fn terminate(&mut self) -> ExitStatus {
        signal("TERM", self.id());
        self.end(TIMEOUT)
    }

    /// Everything that was said, for the message of a failure.
    pub fn said(&self) -> String {
        format!("{}\n-- standard error:\n{}", self.out.join("\n"), self.err.join("\n"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in the line that says it.
fn address(line: &str) -> Option<SocketAddr> {
    line.strip_prefix("look at http://")?.split_once('/')?.0.parse().ok()
}

fn read(from: impl Read + Send + 'static, is_error: bool, to: Sender<(bool, String)>) {
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if to.send((is_error, line)).is_err() {
                return;
            }
        }
    });
}

/// Sends a signal; the shell has `kill` built in, so no further program is needed.
pub fn signal(name: &str, process: u32) {
    let status =
        Command::new("sh").args(["-c", &format!("kill -{name} {process}")]).status().unwrap();
    assert!(status.success(), "kill -{name} {process}: {status}");
}

/// Exit code, standard output and standard error of a short run.
pub fn done(command: Command) -> (i32, String, String) {
    let mut program = Program::start(command);
    let status = program.end(TIMEOUT);
    let code = status.code().unwrap_or_else(|| panic!("{status}:\n{}", program.said()));
    (code, program.out.join("\n"), program.err.join("\n"))
}
