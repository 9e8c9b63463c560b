//! What systemd hears of a run (sd_notify(3)): a socket of the test's own takes its place.

use crate::support::{LAB, Program, TIMEOUT, TempDir, lifesign, signal, until};
use lifesign_clock::Clock;
use std::{fs, io::ErrorKind, os::unix::net::UnixDatagram, time::Duration};

/// systemd's end of the wire.
struct NotifySocket {
    socket: UnixDatagram,
    clock: Clock,
}

impl NotifySocket {
    /// The next message, as its lines; None if nothing comes for so long.
    fn hear(&self, within: Duration) -> Option<Vec<String>> {
        self.socket.set_read_timeout(Some(within)).unwrap();
        let mut message = [0; 4096];
        match self.socket.recv(&mut message) {
            Ok(length) => Some(
                std::str::from_utf8(&message[..length])
                    .unwrap()
                    .lines()
                    .map(str::to_owned)
                    .collect(),
            ),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// The next message that has a line which begins so; and all before it.
    fn wait(&self, start: &str) -> (Vec<String>, Vec<Vec<String>>) {
        let end = self.clock.now() + TIMEOUT;
        let mut before = Vec::new();
        while self.clock.now() < end {
            let Some(message) = self.hear(TIMEOUT) else { break };
            if message.iter().any(|line| line.starts_with(start)) {
                return (message, before);
            }
            before.push(message);
        }
        panic!("no {start}: {before:?}");
    }
}

fn has(message: &[String], line: &str) -> bool {
    message.iter().any(|other| other == line)
}

#[test]
fn systemd_hears_that_we_are_ready_alive_reloading_and_at_an_end() {
    let temp_dir = TempDir::new("systemd");
    let path = temp_dir.join("notify");
    let notify = NotifySocket { socket: UnixDatagram::bind(&path).unwrap(), clock: Clock::start() };
    let plan = temp_dir.put("plan.toml", fs::read_to_string(LAB).unwrap());
    let mut command = lifesign(&["--config", &plan, "--listen", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", &path);
    let mut watch = Program::start(command);

    let (first, before) = notify.wait("READY=1");
    assert_eq!(before, [[""; 0]; 0], "something was said before READY=1");
    assert!(has(&first, "STATUS=KP unknown (4 unknown)"), "{first:?}");
    notify.wait("STATUS=KP up (4 up)");
    // Far more often than WatchdogSec=15s in deploy/systemd/lifesign.service.
    for _ in 0..3 {
        let message = notify
            .hear(Duration::from_secs(5))
            .expect("a word within a third of the watchdog's patience");
        assert!(has(&message, "WATCHDOG=1") && !has(&message, "READY=1"), "{message:?}");
    }
    for (plan_is, told) in
        [("right", "watches by the new plan"), ("wrong", "the new plan is wrong")]
    {
        if plan_is == "wrong" {
            temp_dir.put("plan.toml", "nonsense");
        }
        signal("HUP", watch.id());
        let (reloading, _) = notify.wait("RELOADING=1");
        assert!(reloading.iter().any(|line| line.starts_with("MONOTONIC_USEC=")), "{reloading:?}");
        let (_, between) = notify.wait("READY=1");
        assert_eq!(between, [[""; 0]; 0], "{plan_is}");
        let wanted = |line: &str| line.contains(told).then_some(());
        if plan_is == "right" {
            watch.line(TIMEOUT, told, wanted);
        } else {
            watch.error_line(TIMEOUT, told, wanted);
        }
    }
    // A process that stands still says nothing.
    signal("STOP", watch.id());
    let stat = format!("/proc/{}/stat", watch.id());
    until(TIMEOUT, "standstill", || {
        let stat = fs::read_to_string(&stat).map_err(|error| error.to_string())?;
        if stat.contains(") T ") { Ok(()) } else { Err(stat) }
    });
    while notify.hear(Duration::from_millis(10)).is_some() {}
    assert_eq!(notify.hear(Duration::from_secs(3)), None);
    signal("CONT", watch.id());
    notify.wait("WATCHDOG=1");
    signal("TERM", watch.id());
    notify.wait("STOPPING=1");
    assert!(watch.end(TIMEOUT).success());
}
