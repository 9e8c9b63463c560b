//! Files that are read as streams, where the user may as well give standard input (`-`), or a pipe
//! such as a shell makes of `<(zcat x)`. All others are files alone, since they are read again.

use super::{exit, refusal::Refusal, stderr::print_error};
use clap::builder::{PathBufValueParser, TypedValueParser};
use lifesign_document::{Problems, fault_of_reading, load_from};
use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// A path of what is not read or written as a stream.
pub(super) fn file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        let is_stream = path == Path::new("-");
        (!is_stream).then_some(path).ok_or("no stream will do here; ./- is a file of this name")
    })
}

/// Is it `-`, which stands for standard input, and for standard output with -o?
pub(super) fn standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// Reads a file, or standard input up to so many mebibytes.
pub(super) fn read<T>(
    path: &Path,
    most: usize,
    load: impl FnOnce(&Path) -> Result<T, Problems>,
    parse: impl FnOnce(&str, &str) -> Result<T, Problems>,
) -> Result<T, Problems> {
    match Stream::standard(path) {
        None => load(path),
        Some(stream) => parse(&stream.name.clone(), &stream.text(most)?),
    }
}

/// What is read, from its begin.
pub(super) struct Stream {
    /// What it is called in problems.
    pub name: String,
    pub inner: Box<dyn Read>,
    /// In bytes, of a regular file, which alone can be opened again.
    pub length: Option<u64>,
    /// When it was changed, if it is a regular file.
    pub changed: Option<SystemTime>,
}

/// What a stream is called in problems.
pub(super) fn name_of(path: &Path) -> String {
    if standard_input(path) { "<stdin>".into() } else { path.display().to_string() }
}

/// What several are called.
pub(super) fn names_of(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| name_of(path)).collect::<Vec<_>>().join(", ")
}

impl Stream {
    /// Standard input, where the path stands for that.
    fn standard(path: &Path) -> Option<Self> {
        let inner = Box::new(io::stdin());
        let name = name_of(path);
        standard_input(path).then_some(Self { name, inner, length: None, changed: None })
    }

    /// Opens it. That of a named pipe waits for who writes into it, and says so.
    pub fn open(path: &Path) -> Result<Self, Refusal> {
        if let Some(stream) = Self::standard(path) {
            return Ok(stream);
        }
        let name = name_of(path);
        let unreadable = |error| unreadable(&name, &error);
        let kind = fs::metadata(path).map_err(unreadable)?.file_type();
        if kind.is_dir() {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        if kind.is_block_device() || kind.is_socket() {
            let text = format!("{name}: neither a file nor a pipe; give the path of one");
            return Err(Refusal::new(text, exit::DATA));
        }
        // Who writes into a pipe of a shell's has it open already.
        let is_of_shell = path.starts_with("/dev/fd") || path.starts_with("/proc");
        if kind.is_fifo() && !is_of_shell && !path.starts_with("/dev/stdin") {
            print_error(&format!("{name}: a named pipe; waiting for who writes into it"));
        }
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        let is_file = metadata.is_file();
        Ok(Self {
            name,
            inner: Box::new(file),
            length: is_file.then_some(metadata.len()),
            changed: metadata.modified().ok().filter(|_| is_file),
        })
    }

    /// All of it as text, up to so many mebibytes.
    pub fn text(self, most: usize) -> Result<String, Problems> {
        load_from(&self.name, self.inner, most)
    }
}

pub(super) fn unreadable(place: &str, error: &io::Error) -> Refusal {
    Refusal::new(format!("{place}: {}", fault_of_reading(error)), exit::DATA)
}
