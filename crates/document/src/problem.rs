//! What is wrong with a file: [`Problems`], printed with one line for each [`Problem`].

use std::{
    fmt::{self, Display},
    iter,
};

/// The most problems that are printed; the rest are counted, since a file of junk has thousands.
const MAX_SHOWN: usize = 20;

/// One error of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Line, from 1; 0 if it is about the file as a whole.
    pub line: usize,
    /// Column in characters, from 1; 0 if it is about the file as a whole.
    pub col: usize,
    /// What is wrong, and what would be right; one line without control characters.
    pub text: String,
}

impl Problem {
    /// At a line and a column, or at (0, 0). The middle of a long text is left out, so that a
    /// megabyte in quotes still gives one line. Its end is kept: it says what would be right.
    pub fn new((line, col): (usize, usize), text: &str) -> Self {
        const HEAD: usize = 160;
        const TAIL: usize = 160;
        let length = text.chars().count();
        let mut line_of_text = String::with_capacity(text.len().min(4 * (HEAD + TAIL)));
        for (index, letter) in text.chars().enumerate() {
            match letter {
                _ if length > HEAD + TAIL && index == HEAD => line_of_text.push('…'),
                _ if length > HEAD + TAIL && (HEAD..length - TAIL).contains(&index) => {}
                letter if letter.is_control() => line_of_text.extend(letter.escape_default()),
                letter => line_of_text.push(letter),
            }
        }
        Self { line, col, text: line_of_text }
    }
}

/// Every error of one file, in file order, and of the files that it names. Displays as one line
/// each, `file:line:col: text`, at most 20 and then `and N more`, without a newline at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// The file's name as it was given.
    pub file: String,
    /// The errors in file order; at least one, unless there are some of files that it names.
    pub list: Vec<Problem>,
    /// The errors of files that it names.
    pub included: Vec<Problems>,
}

impl Problems {
    /// A single problem of the file as a whole (`position` is (0, 0)) or at one position.
    pub fn single(file: &str, position: (usize, usize), text: &str) -> Self {
        Self {
            file: file.to_owned(),
            list: vec![Problem::new(position, text)],
            included: Vec::new(),
        }
    }
}

impl Problems {
    /// Each error with the name of its file.
    fn all(&self) -> impl Iterator<Item = (&str, &Problem)> {
        // Files that are named name no others.
        iter::once(self)
            .chain(&self.included)
            .flat_map(|problems| problems.list.iter().map(|problem| (&*problems.file, problem)))
    }
}

impl Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (file, problem)) in self.all().take(MAX_SHOWN).enumerate() {
            let Problem { line, col, text } = problem;
            let newline = if index > 0 { "\n" } else { "" };
            match line {
                0 => write!(f, "{newline}{file}: {text}")?,
                _ => write!(f, "{newline}{file}:{line}:{col}: {text}")?,
            }
        }
        match self.all().count().saturating_sub(MAX_SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n{}: and {more} more", self.file),
        }
    }
}

impl std::error::Error for Problems {}

/// Line and column, from 1, of what follows `before`. Counts bytes that begin a character: it needs
/// no valid UTF-8 and cannot fail.
pub(crate) fn position(before: &[u8]) -> (usize, usize) {
    let lines = before.split(|&byte| byte == b'\n');
    let (line, last) = lines.enumerate().last().unwrap_or_default();
    (line + 1, characters(last) + 1)
}

pub(crate) fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}
