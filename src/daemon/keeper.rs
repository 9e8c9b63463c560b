//! The journal's own thread, so that a slow disk delays no probe. In: lines. Out: a file of them. It never stops
//! the watch: lines that cannot be written are lost, and that is told once.

use super::Failure;
use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
};

/// A journal that is written.
pub(super) struct Journal {
    lines: Option<mpsc::Sender<String>>,
    writer: Option<thread::JoinHandle<()>>,
}

impl Journal {
    pub fn open(path: PathBuf) -> Result<Self, Failure> {
        let file = append_lines(&path).map_err(|error| Failure::Journal { path: path.clone(), error })?;
        let (lines, received) = mpsc::channel();
        let writer = thread::Builder::new()
            .name("journal".into())
            .spawn(move || keep(&received, BufWriter::new(file), &path))?;
        Ok(Self { lines: Some(lines), writer: Some(writer) })
    }

    pub fn write(&self, line: String) {
        if let Some(lines) = &self.lines {
            // The thread ends only with the run.
            let _ = lines.send(line);
        }
    }
}

impl Drop for Journal {
    /// Waits until all is written.
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// Opens a file of lines to add more. A last line that a crash has torn off is ended first, so that it spoils
/// no other.
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

fn keep(lines: &mpsc::Receiver<String>, mut file: BufWriter<File>, path: &Path) {
    let mut failed = false;
    let mut note = |result: io::Result<()>| match result {
        Ok(()) => failed = false,
        Err(error) if !failed => {
            failed = true;
            tracing::error!("cannot write the journal {}: {error}; lines are being lost", path.display());
        }
        Err(_) => {}
    };
    while let Ok(line) = lines.recv() {
        note(writeln!(file, "{line}"));
        for line in lines.try_iter() {
            note(writeln!(file, "{line}"));
        }
        note(file.flush());
    }
}
