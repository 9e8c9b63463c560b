//! Standard output, by a thread of its own. In: lines. Out: the same, in order. It never makes the
//! watch wait for a reader that has stopped reading, and never ends it because one went away: pages
//! and metrics have others.

use std::{
    io::{self, Write},
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
    time::Duration,
};

/// So many lines wait for a slow reader; more are lost.
const LINES: usize = 1024;
/// So long the end of a run waits for a reader.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Says lines.
#[derive(Debug)]
pub(super) struct VerdictWriter {
    lines: Option<SyncSender<String>>,
    ended: Receiver<()>,
}

impl VerdictWriter {
    /// Ready to speak.
    pub fn open() -> io::Result<Self> {
        let (lines, received) = mpsc::sync_channel::<String>(LINES);
        let (end, ended) = mpsc::channel();
        thread::Builder::new().name("verdict_writer".into()).spawn(move || {
            for line in received {
                let _ = writeln!(io::stdout(), "{line}");
            }
            let _ = end.send(());
        })?;
        Ok(Self { lines: Some(lines), ended })
    }

    /// Says a line, if its reader is not too far behind.
    pub fn say(&self, line: String) {
        if let Some(lines) = &self.lines {
            let _ = lines.try_send(line);
        }
    }
}

impl Drop for VerdictWriter {
    fn drop(&mut self) {
        self.lines = None;
        let _ = self.ended.recv_timeout(LAST_WORDS);
    }
}
