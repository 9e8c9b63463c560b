//! What the tests of the real program share. In: the command of a lifesign child. Out: its lines as it says
//! them, its verdicts with their times, its end, and one HTTP answer. It never waits without a deadline: what
//! does not come in time fails the test, with everything that was said so far.
pub mod browser;
pub mod country;
pub mod dns_server;
pub mod faults;
pub mod machine;
pub mod manual;
pub mod namespace;
pub mod own_process;
pub mod prometheus;
pub mod roster;
pub mod scraped;
pub mod snapshot;

use lifesign::clock::{Clock, Time};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    ops::Deref,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

/// The program under test.
pub const LIFESIGN: &str = env!("CARGO_BIN_EXE_lifesign");

/// The lab's plan, as everybody gets it.
pub const LAB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/targets.toml");

/// Longer than any step on a machine that is busy with other things.
pub const SOON: Duration = Duration::from_secs(20);

/// lifesign with its own environment: no log filter and no terminal of whoever runs the tests.
pub fn lifesign(arguments: &[&str]) -> Command {
    quiet(Command::new(LIFESIGN), arguments)
}

/// This command with these arguments, cut off from our own terminal and settings.
pub fn quiet(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments).stdin(Stdio::null());
    for name in ["LIFESIGN_LOG", "RUST_LOG", "COLUMNS", "LINES", "STATE_DIRECTORY"] {
        command.env_remove(name);
    }
    command
}

/// An empty directory of the test's own, which every user may enter. It stays when the test fails.
pub struct Room(PathBuf);

impl Room {
    pub fn new(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let own = format!("lifesign-{}-{number}-{name}", std::process::id());
        let place = std::env::temp_dir().join(own);
        // A process of the same number may have failed here long ago.
        let _ = fs::remove_dir_all(&place);
        fs::create_dir(&place).unwrap();
        Self(place)
    }

    /// Writes a file; its path as an argument.
    pub fn put(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        fs::write(self.join(name), text).unwrap();
        self.path(name)
    }

    /// The path of a file in it, as an argument.
    pub fn path(&self, name: &str) -> String {
        self.join(name).to_str().unwrap().into()
    }
}

impl Deref for Room {
    type Target = Path;
    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
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
        Self { child, lines, clock: Clock::start(), out: Vec::new(), err: Vec::new(), passed: Vec::new() }
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.child.id()
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
    pub fn line<T>(&mut self, within: Duration, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        let mut next = 0;
        self.wait(within, what, |program| {
            let from = std::mem::replace(&mut next, program.out.len());
            let mut fresh = (from..program.out.len()).filter(|&place| !program.passed[place]);
            let (place, found) = fresh.find_map(|place| Some((place, wanted(&program.out[place])?)))?;
            program.passed[place] = true;
            Some(found)
        })
    }

    /// The first line of standard error that is `wanted`.
    pub fn error_line<T>(&mut self, within: Duration, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        self.wait(within, what, |program| program.err.iter().find_map(|line| wanted(line)))
    }

    /// Looks again after each line, until there is what is looked for.
    fn wait<T>(&mut self, within: Duration, what: &str, mut look: impl FnMut(&mut Self) -> Option<T>) -> T {
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
        self.line(SOON, "address", |line| {
            line.strip_prefix("look at http://")?.split_once('/')?.0.parse().ok()
        })
    }

    /// Waits for its end.
    pub fn end(&mut self, within: Duration) -> ExitStatus {
        let until = self.clock.now() + within;
        loop {
            match self.hear(until) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => return self.child.wait().unwrap(),
                Err(RecvTimeoutError::Timeout) => panic!("no end within {within:?}:\n{}", self.said()),
            }
        }
    }

    /// Asks it to end, as systemd does, and waits.
    pub fn terminate(&mut self) -> ExitStatus {
        signal("TERM", self.id());
        self.end(SOON)
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
    let status = Command::new("sh").args(["-c", &format!("kill -{name} {process}")]).status().unwrap();
    assert!(status.success(), "kill -{name} {process}: {status}");
}

/// Exit code, standard output and standard error of a short run.
pub fn done(command: Command) -> (i32, String, String) {
    let mut program = Program::start(command);
    let status = program.end(SOON);
    let code = status.code().unwrap_or_else(|| panic!("{status}:\n{}", program.said()));
    (code, program.out.join("\n"), program.err.join("\n"))
}

/// A verdict line as people read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub time: Time,
    /// `KP`, or `KP 127.45.176.0/24`.
    pub scope: String,
    pub from: String,
    pub to: String,
    pub earliest: Option<Time>,
    pub latest: Time,
    pub evidence: String,
}

impl Verdict {
    /// The verdict in this line, if it is one.
    pub fn read(line: &str) -> Option<Self> {
        let (left, right) = line.split_once(" → ")?;
        let (time, left) = left.split_once(' ')?;
        let (scope, from) = left.rsplit_once(' ')?;
        let (to, right) = right.split_once(", since ")?;
        let (since, evidence) = right.split_once(": ")?;
        let (earliest, latest) = match since.strip_prefix("between ") {
            Some(since) => {
                let (earliest, latest) = since.split_once(" and ")?;
                (Some(earliest.parse().ok()?), latest)
            }
            None => (None, since.strip_prefix("before ")?),
        };
        Some(Self {
            time: time.parse().ok()?,
            scope: scope.into(),
            from: from.into(),
            to: to.into(),
            earliest,
            latest: latest.parse().ok()?,
            evidence: evidence.into(),
        })
    }

    /// Did the change lie in its edge, if it happened between these two moments? Times are written to the
    /// millisecond.
    pub fn covers(&self, before: Time, after: Time) -> bool {
        let rounding = Duration::from_millis(1);
        self.earliest.is_none_or(|earliest| earliest <= after + rounding) && self.latest + rounding >= before
    }
}

/// An HTTP answer.
pub struct Answer {
    pub code: u16,
    pub body: String,
}

/// Asks a server on the loopback device.
pub fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, "GET", path)
}

/// The same by another method.
pub fn ask(address: SocketAddr, method: &str, path: &str) -> Answer {
    assert!(address.ip().is_loopback());
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    answer(&text)
}

fn answer(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    let is_chunked = head.to_lowercase().contains("transfer-encoding: chunked");
    Answer { code, body: if is_chunked { unchunked(body) } else { body.into() } }
}

/// RFC 9112 §7.1, as Prometheus sends long answers.
fn unchunked(mut text: &str) -> String {
    let mut body = String::new();
    loop {
        let (length, rest) = text.split_once("\r\n").unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            return body;
        }
        body.push_str(&rest[..length]);
        text = &rest[length + 2..];
    }
}

/// Waits until an answer is good, looking ten times a second.
pub fn until<T>(within: Duration, what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let clock = Clock::start();
    let end = clock.now() + within;
    loop {
        match look() {
            Ok(found) => return found,
            Err(last) if clock.now() > end => panic!("no {what} within {within:?}: {last}"),
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// The values of a metric whose line holds all of `parts`.
pub fn values(metrics: &str, name: &str, parts: &[&str]) -> Vec<f64> {
    metrics
        .lines()
        .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])))
        .filter(|line| parts.iter().all(|part| line.contains(part)))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
        .collect()
}
