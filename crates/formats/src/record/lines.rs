//! Lines of a file, none of which is longer than a bound.

use super::Fault;
use lifesign_document::mark_length;
use std::io::{self, BufRead, Read};

/// Lines, counted from 1.
pub(super) struct Lines<R> {
    inner: R,
    longest: usize,
    pub number: usize,
    /// The last line has no end.
    pub is_unended: bool,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub fn new(inner: R, longest: usize) -> Self {
        Self { inner, longest, number: 0, is_unended: false, line: Vec::new() }
    }

    /// The next line without its end; None after the last. A line that is too long is skipped, and
    /// told as a fault.
    pub fn next(&mut self) -> io::Result<Option<Result<&[u8], Fault>>> {
        self.line.clear();
        self.number += 1;
        let longest = self.longest as u64;
        let read = (&mut self.inner).take(longest + 1).read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        self.is_unended = self.line.last() != Some(&b'\n');
        if self.line.len() > self.longest && self.line.last() != Some(&b'\n') {
            self.inner.skip_until(b'\n')?;
            let text = format!("longer than {} MiB; write one result a line", self.longest >> 20);
            return Ok(Some(Err(Fault { line: self.number, col: 0, text })));
        }
        let mut line = &*self.line;
        if self.number == 1 {
            line = &line[mark_length(line)..];
        }
        Ok(Some(Ok(line.trim_ascii())))
    }
}
