//! The journal's own thread, so that a slow disk delays no probe. In: lines. Out: a file of them.
//! It never stops the watch: lines that cannot be written, or for which the disk is far too slow,
//! are lost, and that is told once.

use super::Failure;
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
};

/// So many lines wait for a slow disk: a minute of a thousand probes a second.
const WAITING: usize = 65_536;
/// About so many bytes are written at a time.
const TOGETHER: usize = 1 << 16;

/// A journal that is written.
pub(super) struct JournalWriter {
    lines: Option<mpsc::SyncSender<String>>,
    /// The disk is too slow just now.
    behind: bool,
    writer: Option<thread::JoinHandle<()>>,
}

impl JournalWriter {
    pub fn open(path: PathBuf) -> Result<Self, Failure> {
        let file =
            append_lines(&path).map_err(|error| Failure::Journal { path: path.clone(), error })?;
        let (lines, received) = mpsc::sync_channel(WAITING);
        let writer = thread::Builder::new()
            .name("journal".into())
            .spawn(move || keep(&received, file, &path))?;
        Ok(Self { lines: Some(lines), behind: false, writer: Some(writer) })
    }

    pub fn write(&mut self, line: String) {
        let Some(lines) = &self.lines else { return };
        // The thread ends only with the run, so the one error is that too many lines wait already.
        let late = lines.try_send(line).is_err();
        if late && !self.behind {
            tracing::error!("the journal's disk is too slow; lines are being lost");
        }
        self.behind = late;
    }
}

impl Drop for JournalWriter {
    /// Waits until all is written.
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// Opens a file of lines to add more. A last line that a crash has torn off is ended first, so that
/// it spoils no other.
fn append_lines(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let mut last = [b'\n'];
    // What cannot be sought in, such as a pipe, has no last line.
    if file.seek(SeekFrom::End(-1)).is_ok() {
        file.read_exact(&mut last)?;
    }
    if last != [b'\n'] {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

/// Writes whole lines, many at a time. What a full disk does not take is lost; a line that it tore
/// off is ended before the next one.
fn keep(lines: &mpsc::Receiver<String>, mut file: File, path: &Path) {
    let (mut text, mut lost, mut torn) = (String::new(), 0, false);
    while let Ok(line) = lines.recv() {
        text.clear();
        if torn {
            text.push('\n');
        }
        text.push_str(&line);
        text.push('\n');
        while text.len() < TOGETHER
            && let Ok(line) = lines.try_recv()
        {
            text.push_str(&line);
            text.push('\n');
        }
        let (written, result) = write(&mut file, text.as_bytes());
        torn = text.as_bytes()[..written].last().map_or(torn, |&last| last != b'\n');
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

/// Writes as much as can be written; how many bytes that were.
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
