//! A directory for a test's files.

use std::{
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

/// An empty directory of the test's own, which every user may enter. It stays when the test fails.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let own = format!("lifesign-{}-{number}-{name}", std::process::id());
        let path = std::env::temp_dir().join(own);
        // A process of the same number may have failed here long ago.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// Writes a file; its path as an argument.
    pub fn put(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        fs::write(self.join(name), text).unwrap();
        self.path(name)
    }

    /// The path of a file in it, as an argument.
    pub fn path(&self, name: &str) -> String {
        self.join(name).to_str().unwrap().into()
    }
}

impl Deref for TempDir {
    type Target = Path;
    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
