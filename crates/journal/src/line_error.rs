//! What is wrong with a line of a journal, and where in it.

use lifesign_document::fault_of_json;
use serde_json::error::Category;
use std::fmt;

/// Why a line cannot be read, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// In characters, from 1.
    column: usize,
    text: String,
    is_unknown_target: bool,
}

impl LineError {
    /// That what follows these bytes is no text.
    pub fn not_utf8(before: &[u8]) -> Self {
        let text = "the line is not UTF-8".to_owned();
        Self { column: characters(before) + 1, text, is_unknown_target: false }
    }

    /// That the plan does not have the target.
    pub(crate) fn unknown_target(host: &str, probe: &str) -> Self {
        let text = format!(
            "{host} {probe:?} is no target of this plan; give the plan that it was recorded with"
        );
        Self { column: 1, text, is_unknown_target: true }
    }

    /// That it is no JSON, or no line.
    pub(crate) fn of_json(error: &serde_json::Error, line: &str) -> Self {
        let text = match error.classify() {
            Category::Eof if line.trim().is_empty() => "the line is empty".to_owned(),
            Category::Eof => "the line is torn off".to_owned(),
            Category::Syntax => {
                "no JSON from here on; a line is a JSON object (docs/journal.md)".to_owned()
            }
            _ => fault_of_json(error, "a line as docs/journal.md has it"),
        };
        let before = &line.as_bytes()[..error.column().saturating_sub(1).min(line.len())];
        Self { column: characters(before) + 1, text, is_unknown_target: false }
    }

    /// Is all that is wrong that the plan does not have its target?
    pub fn is_unknown_target(&self) -> bool {
        self.is_unknown_target
    }

    /// What is wrong, without where.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// What stands behind the number of the line: `col: text`.
impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.column, self.text)
    }
}

/// What is wrong with the line as a whole.
impl From<String> for LineError {
    fn from(text: String) -> Self {
        Self { column: 1, text, is_unknown_target: false }
    }
}

impl From<&str> for LineError {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_line_has_its_column_and_what_would_be_right() {
        let reader = crate::Reader::new(&lifesign_core::scopes::Roster::default(), &[]);
        let given = "give a line as docs/journal.md has it";
        for (line, wanted) in [
            ("5", "1: a JSON object is wanted here".into()),
            (
                r#"["2014-12-22T16:15:05Z","2014-12-22T16:15:35Z",null,"watch","gap"]"#,
                "1: the line is a JSON array; a line is a JSON object".into(),
            ),
            (
                r#"{"why":"é", x}"#,
                "13: no JSON from here on; a line is a JSON object (docs/journal.md)".into(),
            ),
            ("", "1: the line is empty".into()),
            (" \r", "2: the line is empty".into()),
            (r#"{"sent":"2014"#, "13: the line is torn off".into()),
            (r#"{"sent":"x"}"#, format!("12: \"probe\" is missing; {given}")),
        ] {
            assert_eq!(reader.read(line).expect_err(line).to_string(), wanted);
        }
        let not_utf8 = LineError::not_utf8("é\t".as_bytes());
        assert_eq!(not_utf8.to_string(), "3: the line is not UTF-8");
    }
}
