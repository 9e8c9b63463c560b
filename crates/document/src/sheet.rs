//! A file of rows, as spreadsheets and scanners write it: comma-separated values (RFC 4180), a row
//! a line, with comments behind `#` and blank lines between.

use crate::{
    document::MAX_PROBLEMS,
    foreign::behind_mark,
    problem::{self, Problem, Problems, characters},
    value::suggestion,
};
use csv_core::{ReadFieldResult, Reader};
use std::cell::RefCell;

/// A longer line is no row: a host and its labels are some thousand bytes at most. Places in a line
/// are counted from its start.
const MAX_LINE: usize = 16 << 10;

/// A file of rows, and the problems noted in it so far.
pub struct Sheet {
    name: String,
    noted: RefCell<Vec<Problem>>,
}

/// Where something in a sheet begins: line and column in characters, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub col: u32,
}

impl Position {
    /// Of what follows `before` in a text.
    pub fn behind(before: &[u8]) -> Self {
        let (line, col) = problem::position(before);
        Self { line: line as u32, col: col as u32 }
    }
}

/// One value of a row, without the blanks around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell<'a> {
    /// What it says.
    pub text: &'a str,
    /// Where it begins.
    pub position: Position,
}

impl Sheet {
    /// `name` is the file's name in problems.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), noted: RefCell::default() }
    }

    /// The file's name in problems.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Notes a problem.
    pub fn note(&self, Position { line, col }: Position, text: &str) {
        let mut noted = self.noted.borrow_mut();
        if noted.len() <= MAX_PROBLEMS {
            noted.push(Problem::new((line as usize, col as usize), text));
        }
    }

    /// Are there more problems than are told?
    pub fn is_full(&self) -> bool {
        self.noted.borrow().len() > MAX_PROBLEMS
    }

    /// Has it a problem?
    pub fn is_faulty(&self) -> bool {
        !self.noted.borrow().is_empty()
    }

    /// All problems, if there are any.
    pub fn into_problems(self) -> Option<Problems> {
        let mut list = self.noted.into_inner();
        let is_cut = list.len() > MAX_PROBLEMS;
        list.truncate(MAX_PROBLEMS);
        list.sort();
        list.dedup();
        let included = Vec::new();
        (!list.is_empty()).then_some(Problems { file: self.name, list, is_cut, included })
    }

    /// Which of these names each cell of a header is, by its place among them; how many there are,
    /// where it is none. What is none, and what was there before, is noted.
    pub fn columns(&self, cells: &[Cell<'_>], names: &[&str]) -> Vec<usize> {
        let mut columns = Vec::new();
        for cell in cells {
            let column = names.iter().position(|name| *name == cell.text);
            match column {
                None => {
                    let meant = suggestion(cell.text, names);
                    self.note(cell.position, &format!("{:?} is no column; {meant}", cell.text));
                }
                Some(column) if columns.contains(&column) => {
                    let text = format!("a second column {:?}; leave one of them out", cell.text);
                    self.note(cell.position, &text);
                }
                Some(_) => {}
            }
            columns.push(column.unwrap_or(names.len()));
        }
        columns
    }

    /// Passes each row of the text to `take`; each has a cell at least. Blank lines and those that
    /// begin with `#` are none.
    pub fn rows(&self, text: &str, mut take: impl FnMut(&[Cell<'_>])) {
        let mut rows = RowReader::default();
        // Spreadsheets put a byte order mark before the first line.
        let text = behind_mark(text);
        for (line, number) in text.lines().zip(1..) {
            let begin = line.trim_start();
            if begin.is_empty() || begin.starts_with('#') {
                continue;
            }
            if let Err((position, fault)) = rows.read(line, number, &mut take) {
                self.note(position, fault);
            }
        }
    }
}

/// Reads lines as rows.
pub struct RowReader {
    reader: Reader,
    buffer: Vec<u8>,
    fields: Vec<Field>,
}

impl Default for RowReader {
    fn default() -> Self {
        // The default of `Reader` itself is one that reads nothing.
        Self { reader: Reader::new(), buffer: Vec::new(), fields: Vec::new() }
    }
}

impl RowReader {
    /// Passes the row that a line is to `take`, or says where it is none and what would be right.
    pub fn read(
        &mut self,
        line: &str,
        number: u32,
        take: impl FnOnce(&[Cell<'_>]),
    ) -> Result<(), (Position, &'static str)> {
        if line.len() > MAX_LINE {
            let fault = "longer than 16 KiB; write a row in each line";
            return Err((Position { line: number, col: 1 }, fault));
        }
        let Self { reader, buffer, fields } = self;
        match read_line(reader, line, buffer, fields) {
            Ok(()) => {
                take(&cells(line, number, buffer, fields));
                Ok(())
            }
            Err((start, fault)) => Err((position(line, number, start), fault)),
        }
    }
}

/// A field of a line: where it starts in the line, and where it ends in the buffer.
type Field = (usize, usize);

/// Reads one line: what its fields say into the buffer, one after the other. The error is where the
/// line is wrong, and what is.
fn read_line(
    reader: &mut Reader,
    line: &str,
    buffer: &mut Vec<u8>,
    fields: &mut Vec<Field>,
) -> Result<(), (usize, &'static str)> {
    reader.reset();
    // A field says no more than is written, and the reader wants room for a byte more.
    buffer.clear();
    buffer.resize(line.len() + 1, 0);
    fields.clear();
    let blanks = |at: usize| line[at..].len() - line[at..].trim_start_matches([' ', '\t']).len();
    let mut start = blanks(0);
    let mut read = start;
    let mut written = 0;
    loop {
        let at_end = read == line.len();
        let input = if at_end { &b"\n"[..] } else { &line.as_bytes()[read..] };
        let (result, used, wrote) = reader.read_field(input, &mut buffer[written..]);
        written += wrote;
        match result {
            ReadFieldResult::Field { record_end: true } if at_end => {
                fields.push((start, written));
                return Ok(());
            }
            ReadFieldResult::Field { record_end: false } => {
                read += used;
                fields.push((start, written));
                read += blanks(read);
                start = read;
            }
            ReadFieldResult::InputEmpty if !at_end => read += used,
            ReadFieldResult::InputEmpty => {
                return Err((start, "a quote is still open here; close it in the same line"));
            }
            _ => {
                return Err((
                    read + used,
                    "a carriage return within a line; save the file with line ends of Unix or \
                     Windows",
                ));
            }
        }
    }
}

fn cells<'a>(line: &str, number: u32, buffer: &'a [u8], fields: &[Field]) -> Vec<Cell<'a>> {
    let mut begin = 0;
    let mut counted = 0;
    let mut col = 1;
    let cell = |&(start, end): &Field| {
        let whole = str::from_utf8(&buffer[begin..end]).unwrap_or_default();
        begin = end;
        col += characters(&line.as_bytes()[counted..start]) as u32;
        counted = start;
        Cell { text: whole.trim(), position: Position { line: number, col } }
    };
    fields.iter().map(cell).collect()
}

fn position(line: &str, number: u32, start: usize) -> Position {
    Position { line: number, col: characters(&line.as_bytes()[..start]) as u32 + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A line, and its cells with their columns.
    type Row = (u32, Vec<(String, u32)>);

    /// The rows of a text, and the problems.
    fn read(text: &str) -> (Vec<Row>, String) {
        let sheet = Sheet::new("t");
        let mut rows = Vec::new();
        sheet.rows(text, |cells| {
            let each = cells.iter().map(|cell| (cell.text.to_owned(), cell.position.col));
            rows.push((cells[0].position.line, each.collect()));
        });
        (rows, sheet.into_problems().map(|problems| problems.to_string()).unwrap_or_default())
    }

    #[test]
    fn cells_know_their_line_and_column() {
        let row = |cells: &[(&str, u32)]| -> Vec<(String, u32)> {
            cells.iter().map(|&(text, col)| (text.to_owned(), col)).collect()
        };
        let text =
            "\u{feff}# a, \"comment\n\na,b\r\n  é , \"x, \"\"y\"\"\",\"z \" ,, \n \t\n#\nlast";
        let rows = vec![
            (3, row(&[("a", 1), ("b", 3)])),
            (4, row(&[("é", 3), ("x, \"y\"", 7), ("z", 18), ("", 24), ("", 26)])),
            (7, row(&[("last", 1)])),
        ];
        assert_eq!(read(text), (rows, String::new()));
        assert_eq!(
            read("1,\"a, \"\"b\"\"\",2").0,
            [(1, row(&[("1", 1), ("a, \"b\"", 3), ("2", 14)]))]
        );
        assert_eq!(read(""), (vec![], String::new()));
    }

    #[test]
    fn a_quote_does_not_go_on_in_the_next_line() {
        let (rows, problems) = read("a,\"b\nc\rd\ne\r\n");
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(
            problems,
            "t:1:3: a quote is still open here; close it in the same line\n\
             t:2:3: a carriage return within a line; save the file with line ends of Unix or Windows"
        );
    }

    #[test]
    fn a_line_of_megabytes_is_no_row() {
        let (rows, problems) = read(&format!("a\n{}\nb", ",".repeat(4 << 20)));
        assert_eq!(rows.len(), 2);
        assert_eq!(problems, "t:2:1: longer than 16 KiB; write a row in each line");
    }

    proptest! {
        #[test]
        fn any_text_is_read_with_places_inside_it(text in "(?s)[a,\"# \r\né]{0,40}") {
            let sheet = Sheet::new("t");
            let mut places = Vec::new();
            sheet.rows(&text, |cells| places.extend(cells.iter().map(|cell| cell.position)));
            let noted = sheet.noted.borrow();
            let noted = noted.iter().map(|each| (each.line, each.col));
            let cells = places.iter().map(|each| (each.line as usize, each.col as usize));
            for (line, col) in noted.chain(cells) {
                let length = text.split('\n').nth(line - 1).unwrap().chars().count();
                prop_assert!((1..=length + 1).contains(&col), "{line}:{col}");
            }
        }
    }
}
