//! Child processes, and the processor time that a process has used.

use std::{
    fs,
    io::{self, Error},
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Linux counts processor time for user space in ticks of 10 ms on all but two machines that nobody
/// has (USER_HZ).
const TICK: f64 = 0.01;

/// Processor time of a process: its own, and that of its children that have ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu {
    /// User and system time of all its threads, in seconds.
    pub own: f64,
    /// The same of its children that have been waited for.
    pub children: f64,
}

/// Reads /proc/PID/stat (proc_pid_stat(5)); `process` is a number or `self`.
pub fn cpu(process: &str) -> io::Result<Cpu> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field is the program's name and may hold anything; fields are counted behind it,
    // from the third.
    let fields: Vec<&str> =
        text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| {
        let value = fields.get(field - 3).and_then(|value| value.parse::<f64>().ok());
        value.ok_or_else(|| Error::other(format!("/proc/{process}/stat has no field {field}")))
    };
    Ok(Cpu { own: (ticks(14)? + ticks(15)?) * TICK, children: (ticks(16)? + ticks(17)?) * TICK })
}

/// A child that ends with this value.
pub struct Running(Child);

impl Running {
    /// Starts the command; what it reads is empty, and what it says of errors is dropped.
    pub fn start(command: &mut Command, output: Stdio) -> io::Result<Self> {
        command.stdin(Stdio::null()).stdout(output).stderr(Stdio::null()).spawn().map(Self)
    }

    /// Processor time of it so far, in seconds. An error if it has ended.
    pub fn cpu(&mut self) -> io::Result<f64> {
        match self.0.try_wait()? {
            Some(status) => Err(Error::other(format!("ended early: {status}"))),
            None => Ok(cpu(&self.0.id().to_string())?.own),
        }
    }

    /// What it holds of memory now, in bytes (proc_pid_status(5)).
    pub fn resident(&self) -> io::Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        Ok(kilobytes.ok_or_else(|| Error::other("no VmRSS"))? * 1024.0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which is no fault here.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port on 127.0.0.1 that was free a moment ago.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Calls until it succeeds, for at most ten seconds.
pub fn in_time<T>(what: &str, mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut last = attempt();
    for _ in 0..100 {
        match last {
            Ok(value) => return Ok(value),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
        last = attempt();
    }
    last.map_err(|error| Error::other(format!("{what} does not answer: {error}")))
}
