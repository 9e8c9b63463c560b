//! Lines for a reader who may be slow, stuck or gone, such as that of standard output: a thread
//! writes them, and whoever has something to say never waits.

use lifesign_document::plain_lines;
use std::{
    io::{self, ErrorKind, Write},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
    time::Duration,
};

/// How long the end waits for a reader to take the last lines.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// The sender of lines to the thread.
#[derive(Debug)]
pub struct LineWriter {
    /// None after the end.
    lines: Mutex<Option<SyncSender<String>>>,
    ended: Mutex<Receiver<()>>,
    lost: Arc<AtomicU64>,
}

impl LineWriter {
    /// Starts the thread, under this name. Of a slow reader's lines, `capacity` wait; more are
    /// lost, which is counted, and said in a line of its own. The error is that there is no thread.
    pub fn open(name: &str, capacity: usize, out: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, received) = mpsc::sync_channel(capacity);
        let (end, ended) = mpsc::sync_channel(1);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        thread::Builder::new().name(name.into()).spawn(move || {
            write_lines(&received, &counted, out);
            let _ = end.send(());
        })?;
        Ok(Self { lines: Mutex::new(Some(lines)), ended: Mutex::new(ended), lost })
    }

    /// Writes a line, or drops it if the reader is too far behind.
    pub fn write(&self, line: String) {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.as_ref().is_none_or(|lines| lines.try_send(line).is_err()) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many lines were lost so far.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Takes no more lines, and waits until all are written, a second at most.
    pub fn end(&self) {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner).take();
        if lines.is_some() {
            drop(lines);
            let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = ended.recv_timeout(END_TIMEOUT);
        }
    }
}

impl Drop for LineWriter {
    fn drop(&mut self) {
        self.end();
    }
}

/// Standard output, for whose reader one waits. One who has gone away is no error of ours. Any
/// other failure is kept for [`end_stdout`], too.
#[derive(Debug)]
pub struct Stdout;

/// The first failure.
static FAILED: OnceLock<io::Error> = OnceLock::new();

fn noted<T>(result: io::Result<T>, gone: T) -> io::Result<T> {
    result.or_else(|error| match error.kind() {
        ErrorKind::BrokenPipe => Ok(gone),
        kind => {
            let system = error.raw_os_error().map(io::Error::from_raw_os_error);
            FAILED.get_or_init(|| system.unwrap_or_else(|| kind.into()));
            Err(error)
        }
    })
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        noted(io::stdout().write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        noted(io::stdout().flush(), ())
    }
}

/// Writes a text to standard output; false if nobody reads it. Whether that failed is said at the
/// end.
pub fn print(text: &str) -> bool {
    let mut stdout = io::stdout();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    let is_read = written.is_ok();
    let _ = noted(written, ());
    is_read
}

/// A line on standard output.
pub fn print_line(line: &str) {
    print(&format!("{}\n", plain_lines(line)));
}

/// Writes what waits; the error is the first failure of all that was written.
pub fn end_stdout() -> Result<(), &'static io::Error> {
    let _ = Stdout.flush();
    FAILED.get().map_or(Ok(()), Err)
}

/// A reader who has gone away is no error of ours.
fn write_lines(lines: &Receiver<String>, lost: &AtomicU64, mut out: impl Write) {
    let mut said = 0;
    // Lines are lost only while others wait, so the loss is seen when the next of those is written.
    for line in lines {
        let count = lost.load(Ordering::Relaxed);
        if count > said {
            let _ = writeln!(out, "note: {} lines lost: they were not read in time", count - said);
            said = count;
        }
        let _ = writeln!(out, "{}", plain_lines(&line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Writes into the text, once the reader reads.
    struct Slow {
        reads: Receiver<()>,
        is_read: bool,
        text: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if !self.is_read {
                self.is_read = true;
                let _ = self.reads.recv();
            }
            self.text.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn all_lines_arrive_or_their_loss_is_said_and_counted() {
        for (lines, lost) in [(5_030, 0), (20_000, 14_000)] {
            let (read, reads) = mpsc::channel();
            let text = Arc::default();
            let slow = Slow { reads, is_read: false, text: Arc::clone(&text) };
            let writer = LineWriter::open("lines", 6_000, slow).unwrap();
            for line in 0..lines {
                writer.write(line.to_string());
            }
            read.send(()).unwrap();
            let counted = writer.lost();
            drop(writer);
            let text = String::from_utf8(text.lock().unwrap().clone()).unwrap();
            // The thread may have taken one before the queue was full.
            assert!(counted.abs_diff(lost) <= 1, "{counted} of {lines}");
            let said = |line: &str| {
                line.strip_prefix("note: ")?.split_once(" lines lost: ")?.0.parse::<u64>().ok()
            };
            assert_eq!(text.lines().filter_map(said).sum::<u64>(), counted);
            let arrived = text.lines().filter(|line| line.parse::<u64>().is_ok()).count() as u64;
            assert_eq!(arrived, lines - counted);
        }
    }
}
