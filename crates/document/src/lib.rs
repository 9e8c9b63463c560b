//! Reads a TOML file and reports all its errors at once, each on one line with its position and
//! what would be right. Both the plan and the scenario files are read with it, and their names of
//! countries and networks follow one rule, since a scenario plays what a plan would watch.
//!
//! [`read`] parses the text and passes its root [`Table`] to a function that takes values out. A
//! value that is missing or wrong is noted as a problem and comes back as `None`; the function goes
//! on with any substitute, because a file with a problem yields no result anyway.
//!
//! ```
//! let take = |root: lifesign_document::Table<'_>| {
//!     let port = root.only(&["port"]).need("port", "443");
//!     port.and_then(|value| value.integer(1..=65535)).unwrap_or_default()
//! };
//! assert_eq!(lifesign_document::read("a.toml", "port = 53", take), Ok(53));
//! let problems = lifesign_document::read("a.toml", "prot = 53", take).unwrap_err();
//! assert_eq!(
//!     problems.to_string(),
//!     "a.toml:1:1: \"port\" is missing here; write port = 443\n\
//!      a.toml:1:1: unknown key \"prot\"; write \"port\""
//! );
//! ```

#![warn(clippy::unwrap_used)]

use problem::{characters, position};
use std::{
    cell::RefCell,
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};
use toml::de::DeTable;

mod duration;
mod name;
mod problem;
mod value;
pub use duration::{format_duration, parse_duration};
pub use name::{LinesByName, country_code, label, labels, line, network_name};
pub use problem::{Problem, Problems};
pub use value::{Value, by_likeness, nearest};

/// Longer files are refused: 4 MiB hold some hundred thousand targets, more than one machine should
/// probe.
const MAX_BYTES: usize = 4 << 20;

/// The most problems that are kept: a file of junk has millions, and each takes some hundred bytes.
const MAX_PROBLEMS: usize = 10_000;

/// The characters before each multiple of so many bytes are counted once. On one line of megabytes
/// with a problem at each word, counting from its start for each of them would take hours.
const STRIDE: usize = 1024;

/// The text of a file. One problem if it cannot be opened, is no regular file, is longer than
/// 4 MiB or is not UTF-8 (with the position of the first wrong byte).
pub fn load(path: &Path) -> Result<String, Problems> {
    let name = path.display().to_string();
    let whole = |text: &str| Problems::single(&name, (0, 0), text);
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => whole("no such file; give the path of one that exists"),
        io::ErrorKind::PermissionDenied => {
            whole("permission denied; make it readable for this user")
        }
        _ => whole(&format!("cannot be read: {error}; give the path of a text file")),
    };
    // A pipe or a terminal would keep everybody waiting, even to be opened.
    let kind = fs::metadata(path).map_err(unreadable)?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        return Err(whole("no regular file; give the path of one"));
    }
    load_from(&name, File::open(path).map_err(unreadable)?)
}

/// The text that comes from a reader, such as standard input; `name` is what problems call it.
pub fn load_from(name: &str, reader: impl io::Read) -> Result<String, Problems> {
    let mut bytes = Vec::new();
    reader.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|error| {
        match error.kind() {
            io::ErrorKind::IsADirectory => {
                Problems::single(name, (0, 0), "this is a directory; give the path of a file in it")
            }
            _ => Problems::single(
                name,
                (0, 0),
                &format!("cannot be read: {error}; give the path of a text file"),
            ),
        }
    })?;
    if bytes.len() > MAX_BYTES {
        return Err(too_long(name));
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

/// Parses a text and passes its root table to `take`. Returns what `take` returns if no problem was
/// noted, neither by the parser nor by `take`. `name` is the file's name in problems.
pub fn read<T>(name: &str, text: &str, take: impl FnOnce(Table<'_>) -> T) -> Result<T, Problems> {
    if text.len() > MAX_BYTES {
        return Err(too_long(name));
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut document = Document::new(text);
    for error in errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        let (line, _) = document.position(span.start);
        document.note(span.start, &syntax(error.message(), text.get(span).unwrap_or_default()));
        document.broken_lines.insert(line);
    }
    let taken = take(Table { document: &document, entries: root.get_ref(), start: 0 });
    let mut list = document.noted.into_inner();
    list.sort();
    list.dedup();
    if list.is_empty() { Ok(taken) } else { Err(Problems { file: name.to_owned(), list }) }
}

fn too_long(name: &str) -> Problems {
    Problems::single(
        name,
        (0, 0),
        "longer than 4 MiB; such a file is never right here: split it, or give another path",
    )
}

/// The parser's message for an error at `found`, or a clearer one that says what would be right.
fn syntax(message: &str, found: &str) -> String {
    let message = match message {
        _ if message.contains("recurs") => "nested too deeply; write fewer brackets and dots",
        _ if message.starts_with("string values must be quoted") && found.is_empty() => {
            "no value here; write key = \"value\""
        }
        _ if message.starts_with("string values must be quoted") => {
            return format!("this value needs quotes; write {found:?}");
        }
        "duplicate key" => return format!("{found:?} is given twice; keep one of them"),
        "key with no value, expected `=`" => "a key without a value; write key = \"value\"",
        "missing comma between array elements, expected `,`" => {
            "a comma is missing before this; or, if the list above ends there, its \"]\""
        }
        "unclosed array, expected `]`" => "a list is still open here; close it with \"]\"",
        "invalid basic string, expected `\"`" => {
            "a string is still open here; close it with one more quote"
        }
        _ => {
            return format!(
                "not TOML: {message}; a line reads key = \"value\", [table] or [[table]]"
            );
        }
    };
    message.to_owned()
}

/// The text, its lines, and the problems noted so far.
struct Document<'a> {
    text: &'a str,
    /// The byte at which each line starts.
    lines: Vec<usize>,
    /// How many characters stand before each [`STRIDE`]th byte.
    counted: Vec<usize>,
    /// Lines with a syntax error, where no other problem is noted.
    broken_lines: BTreeSet<usize>,
    noted: RefCell<Vec<Problem>>,
}

impl<'a> Document<'a> {
    fn new(text: &'a str) -> Self {
        let newlines = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let lines = std::iter::once(0).chain(newlines.map(|(index, _)| index + 1)).collect();
        let mut counted = vec![0];
        for (index, stride) in text.as_bytes().chunks(STRIDE).enumerate() {
            counted.push(counted[index] + characters(stride));
        }
        Self { text, lines, counted, broken_lines: BTreeSet::new(), noted: RefCell::default() }
    }

    fn characters_before(&self, offset: usize) -> usize {
        let stride = offset / STRIDE;
        self.counted[stride] + characters(&self.text.as_bytes()[stride * STRIDE..offset])
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|&start| start <= offset);
        let start = self.characters_before(self.lines[line - 1]);
        (line, self.characters_before(offset.min(self.text.len())) - start + 1)
    }

    fn note(&self, offset: usize, text: &str) {
        let position = self.position(offset);
        let mut noted = self.noted.borrow_mut();
        if !self.broken_lines.contains(&position.0) && noted.len() < MAX_PROBLEMS {
            noted.push(Problem::new(position, text));
        }
    }
}

/// A table of the file.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    document: &'a Document<'a>,
    entries: &'a DeTable<'a>,
    start: usize,
}

impl<'a> Table<'a> {
    /// Notes every key that is not one of `keys`, and suggests the nearest of them, or all.
    pub fn only(self, keys: &[&str]) -> Self {
        for key in self.entries.keys().filter(|key| !keys.contains(&key.get_ref().as_ref())) {
            let name = key.get_ref();
            self.document.note(
                key.span().start,
                &format!("unknown key {name:?}; {}", value::suggestion(name, keys)),
            );
        }
        self
    }

    /// The value of a key that may be left out.
    pub fn get(self, key: &'a str) -> Option<Value<'a>> {
        self.entries.get(key).map(|found| Value { document: self.document, key, found })
    }

    /// The value of a key that must be there. `example` completes the message: `write KEY =
    /// EXAMPLE`.
    pub fn need(self, key: &'a str, example: &str) -> Option<Value<'a>> {
        let value = self.get(key);
        if value.is_none() {
            self.missing(&format!("{key:?} is missing here; write {key} = {example}"));
        }
        value
    }

    /// The table of a key that may be left out, written `[key]`, with no other keys than `keys`.
    pub fn section(self, key: &'a str, keys: &[&str]) -> Option<Table<'a>> {
        Some(self.get(key)?.table(&format!("a table, under [{key}]"))?.only(keys))
    }

    /// The tables of a key that the file writes as `[[header]]`; none if the key is not there.
    pub fn tables(self, key: &'a str, header: &str) -> Vec<Table<'a>> {
        let want = format!("tables, each under [[{header}]]");
        let Some(value) = self.get(key) else { return Vec::new() };
        // The parser also makes a table of a header whose brackets it has reported already.
        if value.is_table() && !self.document.broken_lines.is_empty() {
            return value.table(&want).into_iter().collect();
        }
        value.list(&want).into_iter().flatten().filter_map(|item| item.table(&want)).collect()
    }

    /// Notes that something is missing; but not after a syntax error, which may hide it.
    pub fn missing(self, text: &str) {
        if self.document.broken_lines.is_empty() {
            self.note(text);
        }
    }

    /// Notes a problem of the table as a whole, at its start.
    pub fn note(self, text: &str) {
        self.document.note(self.start, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn positions_count_characters_and_lines() {
        assert_eq!(position(b""), (1, 1));
        assert_eq!(position("é\tx".as_bytes()), (1, 4));
        assert_eq!(position(b"a\r\nb\n"), (3, 1));
        let text = "# é\n\"é\" = [1, 'é', 2]\n";
        let document = Document::new(text);
        for (offset, _) in text.char_indices() {
            assert_eq!(document.position(offset), position(&text.as_bytes()[..offset]), "{offset}");
        }
        assert_eq!(document.position(text.len() + 9), (3, 1));
        let long = format!("\n{}", "é".repeat(2 * STRIDE));
        for offset in [0, 1, STRIDE - 1, STRIDE + 1, 2 * STRIDE + 1, long.len()] {
            assert_eq!(
                Document::new(&long).position(offset),
                position(&long.as_bytes()[..offset]),
                "{offset}"
            );
        }
    }

    #[test]
    fn a_megabyte_of_problems_on_one_line_is_refused_soon() {
        let text = format!("\"é\" = [{}]", "1,".repeat(1 << 19));
        let problems = read("t", &text, |root| {
            root.get("é").and_then(|value| value.list("words")).into_iter().flatten().for_each(
                |item| {
                    item.text("a word");
                },
            );
        });
        let list = problems.unwrap_err().list;
        assert_eq!((list[0].col, list[1].col, list.len()), (8, 10, MAX_PROBLEMS));
        assert_eq!(list.last().map(|last| (last.line, last.col)), Some((1, 6 + 2 * MAX_PROBLEMS)));
    }

    #[test]
    fn a_megabyte_in_quotes_makes_one_line() {
        let text = format!("key = \"{}\\n\"", "é".repeat(1 << 20));
        let problems = read("t", &text, |root| root.get("key").and_then(Value::flag)).unwrap_err();
        let text = &problems.list[0].text;
        assert!(text.chars().count() < 330 && !text.contains('\n'), "{text}");
        assert!(text.ends_with("wants true or false"), "{text}");
    }

    #[test]
    fn after_a_syntax_error_nothing_is_called_missing() {
        let list = |text| {
            read("t", text, |root| root.need("key", "1").is_some())
                .map_err(|found| found.list.len())
        };
        assert_eq!(list("other = 1"), Err(1));
        assert_eq!(list("other = \"1"), Err(1));
        assert_eq!(list("key = 1"), Ok(true));
    }

    proptest! {
        #[test]
        fn any_text_yields_problems_inside_it(text in "(?s).{0,200}") {
            if let Err(Problems { list, .. }) = read("t", &text, |root| {
                root.only(&["key"]);
            }) {
                prop_assert!(!list.is_empty());
                for Problem { line, col, text: problem } in list {
                    let length = text.split('\n').nth(line - 1).unwrap().chars().count();
                    prop_assert!((1..=length + 1).contains(&col), "{}:{}: {}", line, col, problem);
                }
            }
        }
    }
}
