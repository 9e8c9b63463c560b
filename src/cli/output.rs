//! Files that a command writes: whole under their names, or not at all. Until it is whole a file
//! lies beside its place as `.NAME.lifesign-part`, which the next try replaces.

use super::{exit, refusal::Refusal};
use lifesign_document::words_of;
use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions, TryLockError},
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, ErrorKind, Read, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, fchown},
    },
    path::{Path, PathBuf},
    process,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
};
use tokio::signal::unix::{SignalKind, signal};

/// A file under way. One that is not finished is removed.
pub(super) struct Output {
    /// As the user calls it.
    name: PathBuf,
    /// Where it will be; no link.
    path: PathBuf,
    part: PathBuf,
    file: File,
    /// Nothing may be there by then.
    is_new: bool,
}

impl Output {
    /// Begins a file that must not be there yet; `what` is what to name another file for.
    pub fn create_new(name: &Path, what: &str) -> Result<Self, Refusal> {
        if name.symlink_metadata().is_ok() {
            let text = format!("{} is there already; name another file{what}", name.display());
            return Err(Refusal::cannot_create(text));
        }
        Self::begin(name, place(name)?, true)
    }

    /// Begins a file that takes the place of nothing, of an empty file, or of one whose first
    /// kibibyte `is_ours`.
    pub fn replace(name: &Path, is_ours: fn(&str) -> bool) -> Result<Self, Refusal> {
        let Ok(metadata) = name.metadata() else { return Self::create_new(name, "") };
        if !metadata.is_file() {
            let text = format!(
                "{} is no regular file; name one, or - for standard output",
                name.display()
            );
            return Err(Refusal::cannot_create(text));
        }
        let mut head = Vec::new();
        let read = File::open(name).and_then(|file| file.take(1024).read_to_end(&mut head));
        if read.is_err() || !(head.is_empty() || is_ours(&String::from_utf8_lossy(&head))) {
            let text = format!("{} is there already, and no report; name another", name.display());
            return Err(Refusal::cannot_create(text));
        }
        let path = fs::canonicalize(name).map_err(|error| cannot_write(name, &error))?;
        let output = Self::begin(name, path, false)?;
        // Who could read and write the old one can read and write the new one. Only root gives
        // files away, and only to a group of one's own may others.
        let _ = fchown(&output.file, None, Some(metadata.gid()));
        let _ = fchown(&output.file, Some(metadata.uid()), None);
        let kept = output.file.set_permissions(metadata.permissions());
        kept.map_err(|error| cannot_write(name, &error)).map(|()| output)
    }

    fn begin(name: &Path, path: PathBuf, is_new: bool) -> Result<Self, Refusal> {
        let failed = |error| cannot_write(name, &error);
        let part = path.with_file_name(part_name(path.file_name().unwrap_or_default()));
        let mut create = OpenOptions::new();
        create.write(true).create_new(true);
        let file = match create.open(&part) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if !part.symlink_metadata().map_err(failed)?.is_file() {
                    let (part, name) = (part.display(), name.display());
                    let text = format!("{part} is in the way of {name}, and no file; move it away");
                    return Err(Refusal::cannot_create(text));
                }
                // Of a command that was killed, unless one holds it.
                let old = OpenOptions::new().read(true).write(true).open(&part).map_err(failed)?;
                if matches!(old.try_lock(), Err(TryLockError::WouldBlock)) {
                    let text = format!("another command is writing {}", name.display());
                    return Err(Refusal::cannot_create(text));
                }
                fs::remove_file(&part).and_then(|()| create.open(&part))
            }
            opened => opened,
        };
        let file = file.map_err(failed)?;
        // A file system without locks has none to respect.
        let _ = file.try_lock();
        // Not before it is known whose it is.
        remove_when_ended(Leftover::File(part.clone())).map_err(failed)?;
        Ok(Self { name: name.to_owned(), path, part, file, is_new })
    }

    /// Gives the file its name.
    pub fn finish(self) -> Result<(), Refusal> {
        self.named().map_err(|error| cannot_write(&self.name, &error))
    }

    fn named(&self) -> io::Result<()> {
        self.file.sync_all()?;
        if self.file.metadata()?.ino() != self.part.symlink_metadata()?.ino() {
            return Err(io::Error::other("another command has begun to write it"));
        }
        if self.is_new {
            match fs::hard_link(&self.part, &self.path) {
                Ok(()) => return fs::remove_file(&self.part),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
                // Not every file system has links.
                Err(_) => {}
            }
        }
        fs::rename(&self.part, &self.path)
    }

    /// That it could not be written.
    pub fn failed(&self, error: &io::Error) -> Refusal {
        cannot_write(&self.name, error)
    }
}

impl Write for &Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&self.file).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Output {
    /// What cannot be removed stays: it is called what it is.
    fn drop(&mut self) {
        let is_own = |part: fs::Metadata| {
            self.file.metadata().is_ok_and(|metadata| metadata.ino() == part.ino())
        };
        if self.part.symlink_metadata().is_ok_and(is_own) {
            let _ = fs::remove_file(&self.part);
        }
    }
}

/// How long a name may be, in bytes (NAME_MAX of nearly every file system).
const LONGEST_NAME: usize = 255;

/// What a file is called until it is whole. No other program calls a file so.
fn part_name(name: &OsStr) -> String {
    let whole = format!(".{}.lifesign-part", name.to_string_lossy());
    if whole.len() <= LONGEST_NAME {
        return whole;
    }
    let mut hasher = DefaultHasher::new();
    name.as_bytes().hash(&mut hasher);
    format!(".{:016x}.lifesign-part", hasher.finish())
}

/// Where a file of this name will be, whatever its path; the error is that its directory is not
/// there.
pub(super) fn place(name: &Path) -> Result<PathBuf, Refusal> {
    let failed = |error| cannot_write(name, &error);
    let Some(file_name) = name.file_name() else { return Err(failed(ErrorKind::NotFound.into())) };
    let directory = match name.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    Ok(fs::canonicalize(directory).map_err(failed)?.join(file_name))
}

pub(super) fn cannot_write(path: &Path, error: &io::Error) -> Refusal {
    Refusal::cannot_create(format!("cannot write {}: {}", path.display(), words_of(error)))
}

/// What is not to stay of a command that SIGINT or SIGTERM ends.
pub(super) enum Leftover {
    File(PathBuf),
    /// A directory with all that is in it.
    Tree(PathBuf),
    /// A directory, if it is empty by then.
    #[cfg(feature = "parquet")]
    Directory(PathBuf),
}

/// The directories of a file come before it.
static LEFTOVERS: Mutex<Vec<Leftover>> = Mutex::new(Vec::new());
/// How often it is tried to remove a tree, into which the command may be writing.
const TRIES: usize = 100;

fn leftovers() -> MutexGuard<'static, Vec<Leftover>> {
    LEFTOVERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From here on SIGINT or SIGTERM removes this, and ends the command. What is whole has another
/// name by then.
pub(super) fn remove_when_ended(leftover: Leftover) -> io::Result<()> {
    static IS_WATCHED: OnceLock<()> = OnceLock::new();
    leftovers().push(leftover);
    if IS_WATCHED.set(()).is_err() {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let context = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    drop(context);
    let watch = move || {
        let code = runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => exit::INTERRUPTED,
                _ = terminate.recv() => exit::TERMINATED,
            }
        });
        let leftovers = leftovers();
        leftovers.iter().rev().for_each(remove);
        process::exit(code.into());
    };
    thread::Builder::new().name("signals".into()).spawn(watch).map(drop)
}

fn remove(leftover: &Leftover) {
    let _ = match leftover {
        Leftover::File(path) => fs::remove_file(path),
        Leftover::Tree(path) => {
            (0..TRIES).find_map(|_| fs::remove_dir_all(path).ok()).ok_or(ErrorKind::Other.into())
        }
        #[cfg(feature = "parquet")]
        Leftover::Directory(path) => fs::remove_dir(path),
    };
}

/// Waits for the end, if a signal has come: what failed since then failed by it.
pub(super) fn wait_if_ended() {
    drop(leftovers());
}
