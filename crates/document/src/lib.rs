//! Reads a TOML file, or one of rows (CSV), and reports all its errors at once, each on one line
//! with its position and what would be right. Both the plan and the scenario files are read with
//! it, and their names of countries and networks follow one rule, since a scenario plays what a
//! plan would watch.
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

use document::{Document, MAX_PROBLEMS};
use load::too_long;

mod problem;
mod syntax;
mod foreign;
mod json;
mod load;
mod sections;
mod document;
mod tree;
mod duration;
mod value;
mod table;
mod name;
mod sheet;
pub use duration::{format_duration, parse_duration};
pub use foreign::{HEAD, behind_mark, foreign, mark_length};
pub use json::fault_of_json;
pub use load::{
    MAX_MEBIBYTES, decode, fault_of_reading, fault_of_unended, load, load_from, open, unended,
    words_of,
};
pub use name::{
    LinesByName, MAX_LABELS, MAX_PATH, country_code, fault_of_label, fault_of_label_value, label,
    labels, line, network_name, plain, plain_lines, toml_string,
};
pub use problem::{Problem, Problems};
pub use sheet::{Cell, Position, RowReader, Sheet};
pub use table::Table;
pub use value::{Value, by_likeness, nearest, suggestion};

/// Parses a text and passes its root table to `take`. Returns what `take` returns if no problem was
/// noted, neither by the parser nor by `take`. `name` is the file's name in problems.
pub fn read<T>(name: &str, text: &str, take: impl FnOnce(Table<'_>) -> T) -> Result<T, Problems> {
    if text.len() > MAX_MEBIBYTES << 20 {
        return Err(too_long(name, MAX_MEBIBYTES));
    }
    if behind_mark(text).trim_start().starts_with("{\"") {
        let text = "this is JSON, and TOML is wanted here; of a journal, lifesign replay makes \
                    verdicts";
        return Err(Problems::single(name, (1, 1), text));
    }
    let mut document = Document::new(text);
    let entries = tree::parse(&mut document);
    let taken = take(Table { document: &document, entries: &entries, start: 0 });
    if let Some(Problem { line, col, text }) = document.other_kind.take() {
        return Err(Problems::single(name, (line, col), &text));
    }
    let is_cut = document.is_full();
    let mut list = document.noted.into_inner();
    list.truncate(MAX_PROBLEMS);
    list.sort();
    list.dedup();
    let included = document.included.into_inner();
    if list.is_empty() && included.is_empty() {
        return Ok(taken);
    }
    Err(Problems { file: name.to_owned(), list, is_cut, included })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{document::STRIDE, problem::position};
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
        assert!(text.chars().count() < 390 && !text.contains('\n'), "{text}");
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
