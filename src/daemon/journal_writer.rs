//! Writes the journal in a thread of its own, so that a slow disk delays no probe. Lines that
//! cannot be written, or for which the disk is far too slow, are lost, which is logged once.

use super::Failure;
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
};

/// How many lines may wait for a slow disk: a minute of a thousand probes a second.
const QUEUE: usize = 65_536;
/// About how many bytes are written at a time.
const WRITE_SIZE: usize = 1 << 16;

/// The sender of lines to the thread; dropping it waits until all are written.
pub(super) struct JournalWriter {
    lines: Option<mpsc::SyncSender<String>>,
    /// The last line was lost to a slow disk.
    behind: bool,
    thread: Option<thread::JoinHandle<()>>,
}

impl JournalWriter {
    pub fn open(path: PathBuf) -> Result<Self, Failure> {
        let file =
            append_lines(&path).map_err(|error| Failure::Journal { path: path.clone(), error })?;
        let (lines, received) = mpsc::sync_channel(QUEUE);
        let thread = thread::Builder::new()
            .name("journal".into())
            .spawn(move || write_lines(&received, file, &path))?;
        Ok(Self { lines: Some(lines), behind: false, thread: Some(thread) })
    }

    pub fn write(&mut self, line: String) {
        let Some(lines) = &self.lines else { return };
        // The thread ends only with the run, so the only error is a full queue.
        let late = lines.try_send(line).is_err();
        if late && !self.behind {
            tracing::error!("the journal's disk is too slow; lines are being lost");
        }
        self.behind = late;
    }
}

impl JournalWriter {
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
fn write_lines(lines: &mpsc::Receiver<String>, mut file: File, path: &Path) {
    let mut text = String::new();
    let mut lost = 0;
    let mut cut_off = false;
    while let Ok(line) = lines.recv() {
        text.clear();
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
                lost += text[written..].matches('\n').count();
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
