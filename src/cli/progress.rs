//! How far what takes long is.

use super::input::Stream;
use lifesign_clock::Clock;
use lifesign_core::time::Time;
use std::{
    io::{self, IsTerminal, Read, Write},
    time::Duration,
};

/// How often it is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(200);

/// How far it is, on standard error if somebody sees it.
pub(super) struct Progress {
    what: String,
    all: Option<u64>,
    clock: Clock,
    drawn: Option<Time>,
    is_seen: bool,
}

impl Progress {
    pub fn new(what: String, all: Option<u64>) -> Self {
        let is_seen = io::stderr().is_terminal();
        Self { what, all, clock: Clock::start(), drawn: None, is_seen }
    }

    pub fn show(&mut self, done: u64) {
        let now = self.clock.now();
        let is_due = self.drawn.is_none_or(|drawn| now.since(drawn) >= DRAWN_EVERY);
        if !self.is_seen || !is_due {
            return;
        }
        self.drawn = Some(now);
        let state = match self.all.filter(|&all| all > 0) {
            Some(all) => {
                let share = (done as f64 / all as f64).min(1.0);
                let full = (share * 30.0) as usize;
                format!("[{:<30}] {:3.0} %", "#".repeat(full), share * 100.0)
            }
            None => format!("{} MiB", done >> 20),
        };
        // To the begin of the line, and clear it (ECMA-48 §8.3.41).
        let _ = write!(io::stderr(), "\r\x1b[K{state} {}", self.what);
    }

    pub fn end(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

/// Shows how much of a stream is read.
pub(super) struct Counted {
    inner: Box<dyn Read>,
    progress: Progress,
    read: u64,
}

impl Counted {
    pub fn new(Stream { name, inner, length, .. }: Stream) -> Self {
        let progress = Progress::new(format!("reading {name}"), length);
        Self { inner, progress, read: 0 }
    }
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.read += read as u64;
        self.progress.show(self.read);
        Ok(read)
    }
}
