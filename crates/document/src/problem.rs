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
        const TAIL: usize = 220;
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

/// The errors of one file, in file order, and of the files that it names. Displays as one line
/// each, `file:line:col: text`, at most 20 and then, for each file that has others, `and N more`,
/// without a newline at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// The file's name as it was given.
    pub file: String,
    /// The errors in file order; at least one, unless there are some of files that it names.
    pub list: Vec<Problem>,
    /// It may have others: no more than so many are kept.
    pub is_cut: bool,
    /// The errors of files that it names.
    pub included: Vec<Problems>,
}

impl Problems {
    /// A single problem of the file as a whole (`position` is (0, 0)) or at one position.
    pub fn single(file: &str, position: (usize, usize), text: &str) -> Self {
        Self {
            file: file.to_owned(),
            list: vec![Problem::new(position, text)],
            is_cut: false,
            included: Vec::new(),
        }
    }

    /// Those of a file that `file` names there.
    pub fn of_named(file: &str, position: (usize, usize), problems: Self) -> Self {
        if problems.are_of_whole() {
            return Self::single(file, position, &problems.to_string());
        }
        let included = vec![problems];
        Self { file: file.to_owned(), list: Vec::new(), is_cut: false, included }
    }

    /// Is there no text of the file at all?
    pub(crate) fn are_of_whole(&self) -> bool {
        self.list.iter().any(|problem| problem.line == 0)
    }

    /// Those of each file.
    fn by_file(&self) -> impl Iterator<Item = &Problems> {
        // Files that are named name no others.
        iter::once(self).chain(&self.included)
    }
}

impl Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut newline = "";
        let mut room = MAX_SHOWN;
        for Problems { file, list, .. } in self.by_file() {
            for Problem { line, col, text } in list.iter().take(room) {
                match line {
                    0 => write!(f, "{newline}{file}: {text}")?,
                    _ => write!(f, "{newline}{file}:{line}:{col}: {text}")?,
                }
                newline = "\n";
            }
            room = room.saturating_sub(list.len());
        }
        let mut room = MAX_SHOWN;
        for Problems { file, list, is_cut, .. } in self.by_file() {
            let more = list.len().saturating_sub(room);
            match (more, is_cut) {
                (0, _) => {}
                (more, false) => write!(f, "\n{file}: and {more} more")?,
                (more, true) => write!(f, "\n{file}: and more than {more} more")?,
            }
            room = room.saturating_sub(list.len());
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_are_counted_for_each_file_and_what_was_not_kept_is_said() {
        let of = |file: &str, count: usize, is_cut: bool| Problems {
            file: file.into(),
            list: (1..=count).map(|line| Problem::new((line, 1), "wrong")).collect(),
            is_cut,
            included: Vec::new(),
        };
        let last = |problems: &Problems, lines: usize| {
            let text = problems.to_string();
            let all: Vec<&str> = text.lines().collect();
            assert_eq!(all.len(), MAX_SHOWN.min(all.len()) + lines, "{text}");
            all[all.len() - lines..].join(", ")
        };
        assert_eq!(last(&of("plan", 20, false), 0), "");
        assert_eq!(last(&of("plan", 21, false), 1), "plan: and 1 more");
        assert_eq!(last(&of("plan", 10_000, true), 1), "plan: and more than 9980 more");
        let both = |plan, hosts, is_cut| Problems {
            included: vec![of("kp.csv", hosts, is_cut)],
            ..of("plan", plan, false)
        };
        assert_eq!(last(&both(0, 30, false), 1), "kp.csv: and 10 more");
        assert_eq!(last(&both(15, 30, true), 1), "kp.csv: and more than 25 more");
        let told = last(&both(25, 3, false), 2);
        assert_eq!(told, "plan: and 5 more, kp.csv: and 3 more");
    }
}
