//! A directory for the store of a run that has no state directory.

use std::{
    collections::hash_map::RandomState,
    fs::{self, DirBuilder, File},
    hash::BuildHasher,
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// What names of temporary directories begin with.
const PREFIX: &str = "lifesign-store-";

/// A directory of this process alone, which is removed when this is dropped.
#[derive(Debug)]
pub struct TemporaryDirectory {
    path: PathBuf,
    /// As long as it is locked, somebody uses it.
    _lock: File,
}

impl TemporaryDirectory {
    /// Makes it where the system keeps temporary files (`$TMPDIR`), and removes those that processes
    /// left there that were killed.
    pub fn new() -> io::Result<Self> {
        let place = std::env::temp_dir();
        remove_left(&place);
        loop {
            let number = RandomState::new().hash_one(std::process::id());
            let path = place.join(format!("{PREFIX}{number:016x}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made?,
            }
            let lock = File::open(&path)?;
            // Whoever cleans up just now may have been faster.
            if lock.try_lock().is_ok() && path.exists() {
                return Ok(Self { path, _lock: lock });
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

/// Removes what nobody uses any more. What cannot be removed is not ours.
fn remove_left(place: &Path) {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        if let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_directory_goes_with_its_run_or_with_the_next_if_that_was_killed() {
        let first = TemporaryDirectory::new().unwrap();
        fs::write(first.path().join("file"), "").unwrap();
        let second = TemporaryDirectory::new().unwrap();
        assert!(first.path().exists(), "it is in use");
        let left = second.path().with_file_name(format!("{PREFIX}left-{}", std::process::id()));
        fs::create_dir(&left).unwrap();
        let path = first.path().to_owned();
        drop(first);
        drop(TemporaryDirectory::new().unwrap());
        assert!(!path.exists() && !left.exists() && second.path().exists());
    }
}
