//! The text of a file, or one problem that says why there is none.

use crate::problem::{Problems, position};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

/// Longer texts are read by nobody: a million hosts, a line each, are half of it. In mebibytes.
pub const MAX_MEBIBYTES: usize = 128;

/// The text of a file. One problem if it cannot be opened, is no regular file, is longer than so
/// many mebibytes or is not UTF-8 (with the position of the first wrong byte).
pub fn load(path: &Path, most: usize) -> Result<String, Problems> {
    let name = path.display().to_string();
    let whole = |text: &str| Problems::single(&name, (0, 0), text);
    let unreadable = |error| whole(&fault_of_reading(&error));
    // A pipe or a terminal would keep everybody waiting, even to be opened.
    let kind = fs::metadata(path).map_err(unreadable)?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        return Err(whole("no regular file; give the path of one"));
    }
    load_from(&name, File::open(path).map_err(unreadable)?, most)
}

/// Why a file cannot be read, and what would be right.
pub fn fault_of_reading(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file; give the path of one that exists".into(),
        io::ErrorKind::PermissionDenied => {
            "permission denied; make it readable for this user".into()
        }
        io::ErrorKind::IsADirectory => "this is a directory; give the path of a file in it".into(),
        _ => format!("cannot be read: {error}; give the path of a text file"),
    }
}

/// The text that comes from a reader, such as standard input; `name` is what problems call it.
pub fn load_from(name: &str, reader: impl io::Read, most: usize) -> Result<String, Problems> {
    let mut bytes = Vec::new();
    reader
        .take((most << 20) as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Problems::single(name, (0, 0), &fault_of_reading(&error)))?;
    if bytes.len() > most << 20 {
        return Err(too_long(name, most));
    }
    decode(name, bytes)
}

/// The bytes of a file as text. One problem if they are not UTF-8, at the first wrong byte.
pub fn decode(name: &str, bytes: Vec<u8>) -> Result<String, Problems> {
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let text = format!("byte 0x{:02x} is not UTF-8; save the file as UTF-8 text", bytes[good]);
        Problems::single(name, position(&bytes[..good]), &text)
    })
}

pub(crate) fn too_long(name: &str, most: usize) -> Problems {
    Problems::single(
        name,
        (0, 0),
        &format!(
            "longer than {most} MiB; such a file is never right here: split it, or give another \
             path"
        ),
    )
}
