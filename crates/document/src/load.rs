//! The text of a file, or one problem that says why there is none.

use crate::{
    foreign::{HEAD, foreign},
    problem::{Problems, position},
};
use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Read as _},
    path::Path,
};

/// Longer texts are read by nobody: a million hosts, a line each, are half of it. In mebibytes.
pub const MAX_MEBIBYTES: usize = 128;

/// What has no ends of lines is not read to its end, if it has one. Events of years, as JSON in a
/// line, are a mebibyte.
const MAX_LINE: u64 = 8 << 20;

/// The text of a file. One problem if it cannot be opened, is no regular file, is of another kind,
/// is longer than so many mebibytes or is not UTF-8 (with the position of the first wrong byte).
pub fn load(path: &Path, most: usize) -> Result<String, Problems> {
    load_from(&path.display().to_string(), open(path)?, most)
}

/// A regular file, open for reading, or one problem. A pipe or a terminal would keep everybody
/// waiting, even to be opened.
pub fn open(path: &Path) -> Result<File, Problems> {
    let whole = |text: &str| Problems::single(&path.display().to_string(), (0, 0), text);
    let unreadable = |error| whole(&fault_of_reading(&error));
    let kind = fs::metadata(path).map_err(unreadable)?.file_type();
    if kind.is_dir() {
        return Err(unreadable(io::ErrorKind::IsADirectory.into()));
    }
    if !kind.is_file() {
        return Err(whole("no regular file; give the path of one"));
    }
    File::open(path).map_err(unreadable)
}

/// Why a file cannot be read, and what would be right.
pub fn fault_of_reading(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file; give the path of one that exists".into(),
        io::ErrorKind::PermissionDenied => {
            "permission denied; make it readable for this user".into()
        }
        io::ErrorKind::IsADirectory => "this is a directory; give the path of a file in it".into(),
        _ => format!("cannot be read: {}; give the path of a text file", words_of(error)),
    }
}

/// What an error of the system says, without its number.
pub fn words_of(error: &io::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" (os error ").map_or(&*text, |(words, _)| words).to_owned()
}

/// The text that comes from a reader, such as standard input; `name` is what problems call it.
pub fn load_from(name: &str, mut reader: impl io::Read, most: usize) -> Result<String, Problems> {
    let unreadable = |error| Problems::single(name, (0, 0), &fault_of_reading(&error));
    let mut bytes = Vec::new();
    // What is of another kind may be endless.
    reader.by_ref().take(HEAD as u64).read_to_end(&mut bytes).map_err(unreadable)?;
    if let Some(what) = foreign(&bytes) {
        let text = format!("this is {what}; give a text file");
        return Err(Problems::single(name, (1, 1), &text));
    }
    let mut reader = BufReader::with_capacity(HEAD, io::Cursor::new(bytes).chain(reader));
    let mut bytes = Vec::new();
    for line in 1.. {
        let read = reader.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut bytes);
        let read = read.map_err(unreadable)?;
        if read as u64 > MAX_LINE {
            let text = "a line longer than 8 MiB, which is never right here; give a text file";
            return Err(Problems::single(name, (line, 1), text));
        }
        if bytes.len() > most << 20 {
            return Err(too_long(name, most));
        }
        if read == 0 {
            break;
        }
    }
    decode(name, bytes)
}

/// A note on the last line of a text, if that has no end: whether a file of rows was cut off there,
/// nothing else says.
pub fn unended(name: &str, text: &str) -> Option<String> {
    let last = text.lines().count();
    (!text.is_empty() && !text.ends_with('\n')).then(|| fault_of_unended(name, last))
}

/// That this line, the last of a file, has no end.
pub fn fault_of_unended(name: &str, line: usize) -> String {
    format!("{name}:{line}: the last line has no end; see that it is whole, as nothing was cut off")
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
