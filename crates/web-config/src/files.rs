//! The configuration file and the files that it names, and how to see that one of them has changed.

use crate::yaml::{Node, Notes};
use lifesign_document::{Problem, Problems};
use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Of a longer file it is refused to make anything.
const MAX_MEBIBYTES: usize = 4;

/// Whatever changes when a file is replaced or written. None: it is not there.
#[derive(Debug, PartialEq)]
pub(crate) struct Stamp(Option<[u64; 7]>);

impl Stamp {
    pub fn of(path: &Path) -> Self {
        let numbers = |of: Metadata| {
            let times =
                [of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec()].map(i64::cast_unsigned);
            [of.dev(), of.ino(), of.size(), times[0], times[1], times[2], times[3]]
        };
        Self(fs::metadata(path).ok().map(numbers))
    }
}

/// One reading of a configuration file and of those that it names.
pub(crate) struct Files<'a> {
    path: &'a Path,
    /// Each file that was read, as it was before.
    pub stamps: Vec<(PathBuf, Stamp)>,
}

impl<'a> Files<'a> {
    /// `path` is that of the configuration file.
    pub fn new(path: &'a Path) -> Self {
        Self { path, stamps: Vec::new() }
    }

    /// The text of the configuration file.
    pub fn configuration(&mut self) -> Result<String, Problems> {
        self.read(self.path)
    }

    /// The text of the file whose name this value is. A relative name starts from the directory of
    /// the configuration file.
    pub fn named(&mut self, name: &Node<'_>, notes: &mut Notes) -> Option<String> {
        let path = self.path.parent().unwrap_or(Path::new("")).join(name.text(notes)?);
        self.read(&path).map_err(|problems| notes.add(name.position, problems.to_string())).ok()
    }

    fn read(&mut self, path: &Path) -> Result<String, Problems> {
        self.stamps.push((path.to_owned(), Stamp::of(path)));
        lifesign_document::load(path, MAX_MEBIBYTES)
    }

    /// These problems of the configuration file, in its order.
    pub fn problems(&self, mut list: Vec<Problem>) -> Problems {
        list.sort();
        Problems {
            file: self.path.display().to_string(),
            list,
            is_cut: false,
            included: Vec::new(),
        }
    }

    /// A problem of the configuration file as a whole.
    pub fn problem(&self, text: &str) -> Problems {
        whole(self.path, text)
    }
}

fn whole(path: &Path, text: &str) -> Problems {
    let problem = Problem { line: 0, col: 0, text: text.to_owned() };
    Problems {
        file: path.display().to_string(),
        list: vec![problem],
        is_cut: false,
        included: Vec::new(),
    }
}
