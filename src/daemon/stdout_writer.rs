//! Writes standard output in a thread of its own: a reader that stops reading delays no probe, and
//! one that goes away does not end the run, since pages and metrics have other readers.

use std::{
    io::{self, Write},
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
    time::Duration,
};

/// How many lines may wait for a slow reader; more are lost.
const QUEUE: usize = 1024;
/// How long the end of a run waits for a reader to take the last lines.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// The sender of lines to the thread.
#[derive(Debug)]
pub(super) struct StdoutWriter {
    lines: Option<SyncSender<String>>,
    ended: Receiver<()>,
}

impl StdoutWriter {
    pub fn open() -> io::Result<Self> {
        let (lines, received) = mpsc::sync_channel::<String>(QUEUE);
        let (end, ended) = mpsc::channel();
        thread::Builder::new().name("stdout".into()).spawn(move || {
            for line in received {
                let _ = writeln!(io::stdout(), "{line}");
            }
            let _ = end.send(());
        })?;
        Ok(Self { lines: Some(lines), ended })
    }

    /// Writes a line, or drops it if the reader is too far behind.
    pub fn write(&self, line: String) {
        if let Some(lines) = &self.lines {
            let _ = lines.try_send(line);
        }
    }
}

impl Drop for StdoutWriter {
    fn drop(&mut self) {
        self.lines = None;
        let _ = self.ended.recv_timeout(END_TIMEOUT);
    }
}
