//! A text with the places of its lines, and the problems noted so far.

use crate::problem::{Problem, Problems, characters};
use std::{cell::RefCell, collections::BTreeSet};

/// The most problems that are kept: a file of junk has millions, and each takes some hundred bytes.
/// One more is noted, so that it is known whether there are more.
pub(crate) const MAX_PROBLEMS: usize = 10_000;

/// The characters before each multiple of so many bytes are counted once. On one line of megabytes
/// with a problem at each word, counting from its start for each of them would take hours.
pub(crate) const STRIDE: usize = 1024;

/// The text, its lines, and the problems noted so far.
pub(crate) struct Document<'a> {
    pub(crate) text: &'a str,
    /// The byte at which each line starts.
    lines: Vec<usize>,
    /// How many characters stand before each [`STRIDE`]th byte.
    counted: Vec<usize>,
    /// Lines with a syntax error, where no other problem is noted.
    pub(crate) broken_lines: BTreeSet<usize>,
    pub(crate) noted: RefCell<Vec<Problem>>,
    /// Problems of files that this one names.
    pub(crate) included: RefCell<Vec<Problems>>,
    /// It is of another kind: nothing else is told of it.
    pub(crate) other_kind: RefCell<Option<Problem>>,
}

impl<'a> Document<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let newlines = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let lines = std::iter::once(0).chain(newlines.map(|(index, _)| index + 1)).collect();
        let mut counted = vec![0];
        for (index, stride) in text.as_bytes().chunks(STRIDE).enumerate() {
            counted.push(counted[index] + characters(stride));
        }
        Self {
            text,
            lines,
            counted,
            broken_lines: BTreeSet::new(),
            noted: RefCell::default(),
            included: RefCell::default(),
            other_kind: RefCell::default(),
        }
    }

    pub(crate) fn characters_before(&self, offset: usize) -> usize {
        let stride = offset / STRIDE;
        self.counted[stride] + characters(&self.text.as_bytes()[stride * STRIDE..offset])
    }

    /// The line of a byte, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|&start| start <= offset)
    }

    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line(offset);
        let start = self.characters_before(self.lines[line - 1]);
        (line, self.characters_before(offset.min(self.text.len())) - start + 1)
    }

    pub(crate) fn note(&self, offset: usize, text: &str) {
        let position = self.position(offset);
        let mut noted = self.noted.borrow_mut();
        if !self.broken_lines.contains(&position.0) && noted.len() <= MAX_PROBLEMS {
            noted.push(Problem::new(position, text));
        }
    }

    /// Notes what is wrong with the form of the text. Of a line whose form is wrong, nothing else
    /// is noted.
    pub(crate) fn note_syntax(&mut self, offset: usize, text: &str) {
        self.note(offset, text);
        self.broken_lines.insert(self.position(offset).0);
    }

    /// Are there more problems than are kept?
    pub(crate) fn is_full(&self) -> bool {
        self.noted.borrow().len() > MAX_PROBLEMS
    }

    /// Does the line of this byte begin with a bracket, as that of a header does?
    pub(crate) fn is_header_line(&self, offset: usize) -> bool {
        let line = self.text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
        self.text[line..].trim_start_matches([' ', '\t']).starts_with('[')
    }

    /// Is what starts at this byte the table of a header?
    pub(crate) fn is_header(&self, offset: usize) -> bool {
        self.text[offset..].starts_with('[') && self.is_header_line(offset)
    }
}
