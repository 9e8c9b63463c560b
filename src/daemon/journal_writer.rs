//! Writes the journal in a thread of its own, so that a slow disk delays no probe. Lines that
//! cannot be written, or for which the disk is far too slow, are lost, which is counted, and logged
//! once.
//!
//! It is not the store's thread: a transaction of SQLite may wait seconds for a lock or for its own
//! disk, in which lines would be lost that this disk takes. And what the store's queue cannot take
//! is not lost as it is: only its rows are, and the rest goes with the next batch.

use super::{Daemon, Failure};
use lifesign_core::{
    bucket::Bucket,
    outcome::{Event, Found, Reject},
    time::Time,
    watch::EventRecord,
};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

/// How many lines may wait for a slow disk: a minute of a thousand probes a second.
const QUEUE: usize = 65_536;
/// About how many bytes are written at a time.
const WRITE_SIZE: usize = 1 << 16;

/// How many packets that answer no open question have lines at once: anybody may send us any number
/// of them. All are counted in the metrics.
const UNASKED_BURST: f64 = 100.0;
/// How many more have lines, per second.
const UNASKED_RATE: f64 = 1.0;

/// The sender of lines to the thread; dropping it waits until all are written.
pub(super) struct JournalWriter {
    lines: Option<mpsc::SyncSender<String>>,
    /// The last line was lost to a slow disk.
    behind: bool,
    /// For lines of packets that answer no open question.
    unasked: Bucket,
    shared: Arc<Shared>,
    thread: Option<thread::JoinHandle<()>>,
}

/// What the thread shares with the sender.
#[derive(Default)]
struct Shared {
    /// Lines that were lost.
    lost: AtomicU64,
    /// The file is to be opened again.
    reopen: AtomicBool,
}

impl JournalWriter {
    pub fn open(path: PathBuf) -> Result<Self, Failure> {
        let file =
            append_lines(&path).map_err(|error| Failure::Journal { path: path.clone(), error })?;
        let (lines, received) = mpsc::sync_channel(QUEUE);
        let shared = Arc::new(Shared::default());
        let threads = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("journal".into())
            .spawn(move || write_lines(&received, file, &path, &threads))?;
        let unasked = Bucket::new(UNASKED_RATE, UNASKED_BURST, UNASKED_BURST, Time::default());
        Ok(Self { lines: Some(lines), behind: false, unasked, shared, thread: Some(thread) })
    }

    /// Has this event a line? What other programs of this machine or strangers make come has not,
    /// or few.
    pub fn takes(&mut self, record: &EventRecord) -> bool {
        match record.event {
            // One for each probe of ours.
            Event::Stray(stray) if stray.reason == Reject::AcceptsAll => true,
            Event::Stray(stray) => stray.target.is_some() && self.unasked.take(0.0, record.seen),
            Event::Outcome(outcome) => {
                outcome.found != Found::Duplicate || self.unasked.take(0.0, record.seen)
            }
            Event::Control(_) | Event::Gap(_) | Event::Replan => true,
        }
    }

    pub fn write(&mut self, line: String) {
        let Some(lines) = &self.lines else { return };
        // The thread ends only with the run, so the only error is a full queue.
        let late = lines.try_send(line).is_err();
        self.shared.lost.fetch_add(late.into(), Ordering::Relaxed);
        if late && !self.behind {
            tracing::error!("the journal's disk is too slow; lines are being lost");
        }
        self.behind = late;
    }

    /// From the next line on, writes to the file that has the journal's name then: whoever rotates
    /// journals has given another name to the one before.
    pub fn reopen(&self) {
        self.shared.reopen.store(true, Ordering::Relaxed);
    }

    /// How many lines were lost so far.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Has its thread ended, by a fault of ours?
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_some_and(thread::JoinHandle::is_finished)
    }
}

impl Drop for JournalWriter {
    fn drop(&mut self) {
        self.lines = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Opens a file of lines to append to. A last line that a crash has cut off is ended first, so that
/// it does not spoil the next.
fn append_lines(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let mut last = [b'\n'];
    // What cannot be seeked, such as a pipe, has no last line.
    if file.seek(SeekFrom::End(-1)).is_ok() {
        file.read_exact(&mut last)?;
    }
    if last != [b'\n'] {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

/// Writes whole lines, many at a time. What a full disk does not take is lost; a line that was cut
/// off by it is ended before the next one.
fn write_lines(lines: &mpsc::Receiver<String>, mut file: File, path: &Path, shared: &Shared) {
    let mut text = String::new();
    let mut lost = 0;
    let mut cut_off = false;
    while let Ok(line) = lines.recv() {
        text.clear();
        if shared.reopen.swap(false, Ordering::Relaxed) {
            match append_lines(path) {
                Ok(opened) => {
                    file = opened;
                    cut_off = false;
                }
                Err(error) => tracing::error!(
                    "cannot open the journal {} again: {error}; the file before is written on",
                    path.display()
                ),
            }
        }
        if cut_off {
            text.push('\n');
        }
        text.push_str(&line);
        text.push('\n');
        while text.len() < WRITE_SIZE
            && let Ok(line) = lines.try_recv()
        {
            text.push_str(&line);
            text.push('\n');
        }
        let (written, result) = write(&mut file, text.as_bytes());
        cut_off = text.as_bytes()[..written].last().map_or(cut_off, |&last| last != b'\n');
        match result {
            Ok(()) if lost > 0 => {
                tracing::warn!("the journal {} goes on; {lost} lines were lost", path.display());
                lost = 0;
            }
            Ok(()) => {}
            Err(error) => {
                if lost == 0 {
                    tracing::error!(
                        "cannot write the journal {}: {error}; lines are being lost",
                        path.display()
                    );
                }
                let now = text[written..].matches('\n').count();
                shared.lost.fetch_add(now as u64, Ordering::Relaxed);
                lost += now;
            }
        }
    }
}

/// Writes as much as can be written, and returns how many bytes that were.
fn write(file: &mut File, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}

impl Daemon {
    /// Writes what was seen to the journal.
    pub(super) fn record(&mut self) {
        let Some(journal) = &mut self.journal else { return };
        let offset = self.clock.wall_offset();
        while let Some(record) = self.watch.poll_record() {
            if !journal.takes(&record) {
                continue;
            }
            journal.write(lifesign_journal::write(
                &record,
                &self.plan.roster,
                &self.plan.controls,
                self.network.asked(&record.event),
                offset,
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::{
        outcome::{Outcome, Stray},
        scopes::TargetId,
    };
    use lifesign_store::TemporaryDirectory;
    use std::time::Duration;

    #[test]
    fn packets_of_others_have_no_lines_and_those_that_nobody_asked_for_few() {
        let directory = TemporaryDirectory::with_prefix("lifesign-unasked-").unwrap();
        let mut journal = JournalWriter::open(directory.path().join("journal")).unwrap();
        let seen = |n: u64| Time::default() + Duration::from_millis(n);
        let mut taken = |event: &dyn Fn(u64) -> Event| {
            let record = |n| EventRecord { seen: seen(n), event: event(n), was_overdue: false };
            (0..10_000).filter(|&n| journal.takes(&record(n))).count()
        };
        let stray = |target, reason| {
            move |n| Event::Stray(Stray { seen: seen(n), from: None, target, reason })
        };
        let ours = Some(TargetId(0));
        assert_eq!(taken(&stray(None, Reject::WrongId)), 0);
        assert_eq!(taken(&stray(ours, Reject::AcceptsAll)), 10_000);
        assert_eq!(taken(&stray(ours, Reject::WrongToken)), 109);
        let outcome = |found| {
            move |n| {
                let sent = seen(n);
                Event::Outcome(Outcome {
                    target: TargetId(0),
                    seq: 0,
                    sent,
                    trap: false,
                    found,
                    hop_limit: None,
                })
            }
        };
        assert!(taken(&outcome(Found::Duplicate)) <= 10);
        assert_eq!(taken(&outcome(Found::Lost)), 10_000);
    }
}
