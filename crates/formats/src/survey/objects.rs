//! The objects of a JSON array, or of lines, one at a time: also where the file ends within one, as
//! when a scan was stopped.

use crate::input::{Input, unreadable};
use lifesign_document::Problems;
use std::io::{BufRead, Read};

/// An object of a scan has a few hundred bytes, with all ports of a host a few mebibytes.
const MAX_OBJECT: usize = 4 << 20;

/// The objects of a stream.
pub(super) struct Objects<R: Read> {
    input: Input<R>,
    object: Vec<u8>,
    line: usize,
}

/// What stands between brackets.
pub(super) enum Object<'a> {
    /// Its text, and the line that it begins on.
    Whole(&'a [u8], usize),
    /// The file ends within one that begins on this line.
    Torn(usize),
    /// Something else stands there.
    Other(usize),
}

impl<R: Read> Objects<R> {
    pub fn new(input: Input<R>) -> Self {
        Self { input, object: Vec::new(), line: 1 }
    }

    /// The next object; None at the end. An error if one is longer than any.
    pub fn next(&mut self) -> Result<Option<Object<'_>>, Problems> {
        self.object.clear();
        let mut begin = self.line;
        let mut depth = 0_usize;
        let mut is_text = false;
        let mut is_escaped = false;
        loop {
            let name = self.input.name().to_owned();
            let chunk =
                self.input.fill_buf().map_err(|error| unreadable(&name, self.line, &error))?;
            if chunk.is_empty() {
                return Ok((depth > 0).then_some(Object::Torn(begin)));
            }
            let mut used = 0;
            let mut other = false;
            let mut is_whole = false;
            for &byte in chunk {
                used += 1;
                self.line += usize::from(byte == b'\n');
                if depth == 0 {
                    match byte {
                        b'{' => begin = self.line,
                        b'[' | b']' | b',' => continue,
                        byte if byte.is_ascii_whitespace() => continue,
                        _ => {
                            other = true;
                            break;
                        }
                    }
                }
                if self.object.len() >= MAX_OBJECT {
                    let text = "an object of more than 4 MiB begins here; was a bracket left open?";
                    return Err(Problems::single(&name, (begin, 1), text));
                }
                self.object.push(byte);
                match byte {
                    _ if is_escaped => is_escaped = false,
                    b'\\' if is_text => is_escaped = true,
                    b'"' => is_text = !is_text,
                    b'{' | b'[' if !is_text => depth += 1,
                    b'}' | b']' if !is_text => {
                        depth -= 1;
                        if depth == 0 {
                            is_whole = true;
                            break;
                        }
                    }
                    _ => {}
                }
            }
            self.input.consume(used);
            if other {
                let line = self.line;
                self.skip_line()?;
                return Ok(Some(Object::Other(line)));
            }
            if is_whole {
                return Ok(Some(Object::Whole(&self.object, begin)));
            }
        }
    }

    /// What is no JSON goes to the end of its line.
    fn skip_line(&mut self) -> Result<(), Problems> {
        loop {
            let line = self.line;
            let name = self.input.name().to_owned();
            let chunk = self.input.fill_buf().map_err(|error| unreadable(&name, line, &error))?;
            if chunk.is_empty() {
                return Ok(());
            }
            let end = memchr::memchr(b'\n', chunk);
            let used = end.map_or(chunk.len(), |end| end + 1);
            self.input.consume(used);
            if end.is_some() {
                self.line += 1;
                return Ok(());
            }
        }
    }
}
