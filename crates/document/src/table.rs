//! A table of a file, whose values are taken out by their keys.

use crate::{Value, document::Document, problem::Problem, tree::Entry, value::suggestion};

/// A table of the file.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    pub(crate) document: &'a Document<'a>,
    pub(crate) entries: &'a [Entry<'a>],
    pub(crate) start: usize,
}

impl<'a> Table<'a> {
    /// Notes every key that is not one of `keys`, and suggests the nearest of them, or all.
    pub fn only(self, keys: &[&str]) -> Self {
        for Entry { key, key_start, .. } in self.entries {
            if !keys.contains(&&**key) {
                let suggestion = suggestion(key, keys);
                self.document
                    .note(*key_start as usize, &format!("unknown key {key:?}; {suggestion}"));
            }
        }
        self
    }

    /// With one of these keys the file is of another kind: this is told of it, and nothing else.
    pub fn unless(self, keys: &[&str], text: &str) -> Self {
        if let Some(entry) = self.entries.iter().find(|entry| keys.contains(&&*entry.key)) {
            let position = self.document.position(entry.key_start as usize);
            *self.document.other_kind.borrow_mut() = Some(Problem::new(position, text));
        }
        self
    }

    /// The value of a key that may be left out.
    pub fn get(self, key: &'a str) -> Option<Value<'a>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(Value { document: self.document, key, found: &entry.item })
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
