//! A stream as lines: what gzip has made smaller is unpacked, a byte order mark and carriage
//! returns are left out, and no line takes more memory than [`MAX_LINE`].

use flate2::bufread::MultiGzDecoder;
use lifesign_document::{HEAD, Problem, Problems, foreign, mark_length, words_of};
use std::io::{self, BufRead, BufReader, Read};

/// Longer than any line that means something: one of nmap's has 65,535 ports.
pub(crate) const MAX_LINE: usize = 4 << 20;

/// So much of a stream is read at once.
const CHUNK: usize = 64 << 10;

/// Lines that said nothing that can be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many there were, but for those apart.
    pub count: usize,
    /// The first of them, and what would be right.
    pub first: Option<Problem>,
    /// What is told for itself, beside them: the first of each kind, and how many there were.
    pub apart: Vec<(Problem, usize)>,
}

impl Skipped {
    /// The first of each kind, and how many there were.
    pub fn told(&self) -> impl Iterator<Item = (&Problem, usize)> {
        let apart = self.apart.iter().map(|(first, count)| (first, *count));
        self.first.iter().map(|first| (first, self.count)).chain(apart)
    }

    pub(crate) fn add(&mut self, line: usize, col: usize, fault: &str) {
        self.count += 1;
        self.first.get_or_insert_with(|| Problem::new((line, col), fault));
    }

    /// The same of what is told for itself, whatever else is wrong: a text for each kind.
    pub(crate) fn add_apart(&mut self, line: usize, text: &'static str) {
        match self.apart.iter_mut().find(|(first, _)| first.text == text) {
            Some((_, count)) => *count += 1,
            None => self.apart.push((Problem::new((line, 1), text), 1)),
        }
    }
}

/// The bytes of a stream, unpacked where gzip has made them smaller, behind a byte order mark.
pub(crate) struct Input<R: Read> {
    name: String,
    /// What it begins with; so much of it has been given already.
    head: Vec<u8>,
    given: usize,
    rest: Bytes<R>,
}

enum Bytes<R: Read> {
    Plain(BufReader<R>),
    Packed(Box<BufReader<MultiGzDecoder<BufReader<R>>>>),
}

impl<R: Read> Input<R> {
    /// Begins to read. `name` is the file's in problems; one is what it begins with, if that is of
    /// another kind. `wanted` says what would be right.
    pub fn open(name: &str, reader: R, wanted: &str) -> Result<Self, Problems> {
        let unreadable = |error| unreadable(name, 0, &error);
        let mut reader = BufReader::with_capacity(CHUNK, reader);
        let is_packed = reader.fill_buf().map_err(unreadable)?.starts_with(b"\x1f\x8b");
        let mut rest = if is_packed {
            let decoder = MultiGzDecoder::new(reader);
            Bytes::Packed(Box::new(BufReader::with_capacity(CHUNK, decoder)))
        } else {
            Bytes::Plain(reader)
        };
        let mut head = Vec::new();
        rest.get().take(HEAD as u64).read_to_end(&mut head).map_err(unreadable)?;
        if let Some(what) = foreign(&head) {
            return Err(Problems::single(name, (1, 1), &format!("this is {what}; give {wanted}")));
        }
        let given = mark_length(&head);
        Ok(Self { name: name.to_owned(), head, given, rest })
    }

    /// What it begins with: some thousand bytes, or all.
    pub fn head(&self) -> &[u8] {
        &self.head[self.given..]
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

impl<R: Read> Bytes<R> {
    fn get(&mut self) -> &mut dyn BufRead {
        match self {
            Self::Plain(reader) => reader,
            Self::Packed(reader) => reader,
        }
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.fill_buf()?;
        let read = bytes.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Input<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.given < self.head.len() {
            return Ok(&self.head[self.given..]);
        }
        self.rest.get().fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if self.given < self.head.len() {
            self.given += amount;
        } else {
            self.rest.get().consume(amount);
        }
    }
}

/// One line, without its end.
pub(crate) struct Line<'a> {
    /// From 1.
    pub number: usize,
    pub bytes: &'a [u8],
}

impl Line<'_> {
    /// The text, or the column of the first byte that is no UTF-8, and what would be right.
    pub fn text(&self) -> Result<&str, (usize, String)> {
        str::from_utf8(self.bytes).map_err(|error| {
            let good = &self.bytes[..error.valid_up_to()];
            let col = 1 + good.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
            let byte = self.bytes[good.len()];
            (col, format!("byte 0x{byte:02x} is not UTF-8; save the file as UTF-8 text"))
        })
    }
}

/// The lines of a stream.
pub(crate) struct Lines<R: Read> {
    input: Input<R>,
    line: Vec<u8>,
    number: usize,
    unended: Option<usize>,
}

impl<R: Read> Lines<R> {
    pub fn new(input: Input<R>) -> Self {
        Self { input, line: Vec::new(), number: 0, unended: None }
    }

    /// The number of the last line, if that has no end.
    pub fn unended(&self) -> Option<usize> {
        self.unended
    }

    /// The next line; None at the end. An error if it is longer than any: it may be endless.
    pub fn next(&mut self) -> Result<Option<Line<'_>>, Problems> {
        self.line.clear();
        self.number += 1;
        let mut is_last = true;
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unreadable(self.input.name(), self.number, &error)),
            };
            if chunk.is_empty() {
                break;
            }
            let end = memchr::memchr(b'\n', chunk);
            let part = &chunk[..end.unwrap_or(chunk.len())];
            if part.len() > MAX_LINE - self.line.len() {
                let text = "a line longer than 4 MiB; give a file of shorter lines";
                return Err(Problems::single(self.input.name(), (self.number, 1), text));
            }
            self.line.extend_from_slice(part);
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                is_last = false;
                break;
            }
        }
        if is_last {
            if self.line.is_empty() {
                return Ok(None);
            }
            self.unended = Some(self.number);
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        Ok(Some(Line { number: self.number, bytes: &self.line }))
    }
}

/// The column, in characters from 1, at which a part of a line begins.
pub(crate) fn column(line: &str, part: &str) -> usize {
    let before = (part.as_ptr() as usize).checked_sub(line.as_ptr() as usize);
    let before = before.and_then(|before| line.get(..before));
    before.map_or(1, |before| before.chars().count() + 1)
}

pub(crate) fn unreadable(name: &str, line: usize, error: &io::Error) -> Problems {
    let why = match error.kind() {
        io::ErrorKind::UnexpectedEof => "it ends within what gzip packed".to_owned(),
        _ => words_of(error),
    };
    let text = format!("cannot be read on: {why}; is all of the file there?");
    Problems::single(name, (line, usize::from(line > 0)), &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    /// The number of a line, and its text or why it has none.
    type Numbered = (usize, Result<String, String>);

    fn lines(bytes: &[u8]) -> Result<Vec<Numbered>, String> {
        let wanted = "a list";
        let mut lines =
            Input::open("f", bytes, wanted).map(Lines::new).map_err(|error| error.to_string())?;
        let mut all = Vec::new();
        while let Some(line) = lines.next().map_err(|problems| problems.to_string())? {
            let text = line.text().map(str::to_owned);
            all.push((line.number, text.map_err(|(col, fault)| format!("{col}: {fault}"))));
        }
        Ok(all)
    }

    #[test]
    fn byte_order_marks_carriage_returns_and_torn_ends_are_no_part_of_a_line() {
        let wanted = [(1, Ok("a".to_owned())), (2, Ok(String::new())), (3, Ok("é".to_owned()))];
        assert_eq!(lines("\u{feff}a\r\n\né".as_bytes()), Ok(wanted.to_vec()));
        assert_eq!(lines(b""), Ok(vec![]));
        let (_, wrong) = lines(b"\xc3\xa9a\xff\n").unwrap().remove(0);
        assert!(wrong.unwrap_err().starts_with("3: byte 0xff is not UTF-8"));
    }

    #[test]
    fn what_gzip_made_smaller_is_unpacked() {
        let pack = |bytes: &[u8]| {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(bytes).unwrap();
            packer.finish().unwrap()
        };
        let two = [pack(b"a\n"), pack(b"b\n")].concat();
        assert_eq!(lines(&two), Ok(vec![(1, Ok("a".to_owned())), (2, Ok("b".to_owned()))]));
        let torn = pack(&b"192.0.2.1\n".repeat(100_000));
        let problem = lines(&torn[..torn.len() / 2]).unwrap_err();
        assert!(problem.contains("is all of the file there?"), "{problem}");
    }

    #[test]
    fn a_line_without_end_is_read_no_further_than_a_few_mebibytes() {
        let mut lines = Lines::new(Input::open("f", io::repeat(b'a'), "a list").unwrap());
        let problem = lines.next().err().unwrap().to_string();
        assert_eq!(problem, "f:1:1: a line longer than 4 MiB; give a file of shorter lines");
    }

    #[test]
    fn a_last_line_without_its_end_is_known() {
        for (text, wanted) in [("a\nb", Some(2)), ("a\nb\n", None), ("a\r", Some(1)), ("", None)] {
            let mut lines = Lines::new(Input::open("f", text.as_bytes(), "a list").unwrap());
            while lines.next().unwrap().is_some() {}
            assert_eq!(lines.unended(), wanted, "{text:?}");
        }
    }
}
