//! What a file says, as a tree that takes little memory.
//!
//! The parser of `toml` makes some kilobyte of each small table, beside its tokens and events. So
//! it reads one section of the file at a time, a `[header]` with the lines below it, and what it
//! made of that becomes entries of this tree before the next section is read.

use crate::{
    document::Document,
    sections::{Section, Sections},
    syntax::{given_twice, syntax},
};
use std::borrow::Cow;
use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

/// A section that is longer than this is refused: 4 MiB hold 80,000 hosts, a line each, and what
/// the parser makes of worse texts is still bearable.
const MAX_SECTION: usize = 4 << 20;

/// More headers are refused: each is a table, and a file of nothing else has millions.
const MAX_SECTIONS: usize = 1 << 20;

/// Headers make no more keys in one table: each is compared with those before it.
const MAX_KEYS: usize = 1000;

/// A value, and the byte at which it starts.
#[derive(Debug)]
pub(crate) struct Item<'a> {
    pub start: u32,
    pub value: Node<'a>,
}

/// A value as TOML has it.
#[derive(Debug)]
pub(crate) enum Node<'a> {
    Text(Cow<'a, str>),
    List(Vec<Item<'a>>),
    Table(Vec<Entry<'a>>),
    /// Neither of these, and rare.
    Other(Box<DeValue<'a>>),
}

/// A key of a table, and what it is.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub key: Cow<'a, str>,
    pub key_start: u32,
    pub item: Item<'a>,
}

/// The root table of a text. What is wrong with the text's form is noted.
pub(crate) fn parse<'a>(document: &mut Document<'a>) -> Vec<Entry<'a>> {
    let mut root = Vec::new();
    for (number, section) in Sections::of(document.text).enumerate() {
        let Section { start, text, depth } = section;
        if number == MAX_SECTIONS {
            document.note_syntax(start, "more headers than any file needs; drop the rest");
        }
        if document.is_full() || number == MAX_SECTIONS {
            break;
        }
        if text.len() > MAX_SECTION {
            refuse(&section, document);
            continue;
        }
        let (table, errors) = DeTable::parse_recoverable(text);
        // Of an error without a place, only the section is known.
        let places = errors.iter().map(|error| error.span().unwrap_or_default());
        let header =
            if text.starts_with('[') { text.lines().next().unwrap_or_default() } else { "" };
        let is_header_wrong =
            places.clone().any(|span| !header.is_empty() && span.start <= header.len());
        for (error, span) in errors.iter().zip(places) {
            let found = &text[span.clone()];
            document.note_syntax(start + span.start, &syntax(error.message(), found));
        }
        // The parser takes some key below for the name of such a table.
        if !is_header_wrong {
            merge(&mut root, entries(table.into_inner(), start), depth, document);
        }
    }
    root
}

/// Notes what is wrong with a section that is too long: where a list or a string in it is open, the
/// parser stumbles over what does not belong there.
fn refuse(section: &Section<'_>, document: &mut Document<'_>) {
    let Section { start, text, .. } = *section;
    let newline = text.as_bytes()[..MAX_SECTION].iter().rposition(|&byte| byte == b'\n');
    let begin = &text[..newline.unwrap_or_default()];
    let (_, errors) = DeTable::parse_recoverable(begin);
    let first = errors.first().and_then(|error| Some((error.message(), error.span()?)));
    let Some((message, span)) = first.filter(|(_, span)| span.end < begin.len()) else {
        let text = "longer than 4 MiB from here to the next header; \
                    write ranges of hosts, or put the hosts into a file (\"hosts_from\")";
        return document.note_syntax(start, text);
    };
    document.note_syntax(start + span.start, &syntax(message, &begin[span]));
}

fn entries(table: DeTable<'_>, offset: usize) -> Vec<Entry<'_>> {
    // An iterator's own guess is room for four.
    let mut entries = Vec::with_capacity(table.len());
    entries.extend(table.into_iter().map(|(key, value)| Entry {
        key_start: (offset + key.span().start) as u32,
        key: key.into_inner(),
        item: item(value, offset),
    }));
    entries
}

fn items(array: DeArray<'_>, offset: usize) -> Vec<Item<'_>> {
    let mut items = Vec::with_capacity(array.len());
    items.extend(array.into_iter().map(|value| item(value, offset)));
    items
}

fn item(value: Spanned<DeValue<'_>>, offset: usize) -> Item<'_> {
    let start = (offset + value.span().start) as u32;
    let value = match value.into_inner() {
        DeValue::String(text) => Node::Text(text),
        DeValue::Array(array) => Node::List(items(array, offset)),
        DeValue::Table(table) => Node::Table(entries(table, offset)),
        other => Node::Other(Box::new(other)),
    };
    Item { start, value }
}

/// Puts what a section says where its header says. `depth` is the number of keys that lead to the
/// last key of the header; what is behind that is the section's own.
fn merge<'a>(
    table: &mut Vec<Entry<'a>>,
    entries: Vec<Entry<'a>>,
    depth: usize,
    document: &mut Document<'a>,
) {
    if table.is_empty() {
        *table = entries;
        return;
    }
    for entry in entries {
        let key_start = entry.key_start as usize;
        let Some(known) = table.iter_mut().find(|known| known.key == entry.key) else {
            if table.len() < MAX_KEYS {
                table.push(entry);
            } else {
                document.note_syntax(key_start, "more keys than any table has; drop it");
            }
            continue;
        };
        let is_header = |item: &Item<'_>| document.is_header(item.start as usize);
        let known_is_header = is_header(&known.item);
        let new_is_header = is_header(&entry.item);
        match (&mut known.item.value, entry.item.value) {
            (Node::Table(old), Node::Table(new)) if depth == 0 => {
                // What other headers have only led through may still be given.
                if known_is_header || !document.is_header_line(known.item.start as usize) {
                    document.note_syntax(key_start, &given_twice(&entry.key));
                }
                known.key_start = entry.key_start;
                known.item.start = entry.item.start;
                merge(old, new, 0, document);
            }
            (Node::List(tables), Node::List(new))
                if depth == 0 && known_is_header && new_is_header =>
            {
                tables.extend(new);
            }
            (_, _) if depth == 0 => document.note_syntax(key_start, &given_twice(&entry.key)),
            (known_value, Node::Table(new)) => {
                let is_inline = document.text[known.item.start as usize..].starts_with('{');
                let last = match known_value {
                    Node::Table(table) if !is_inline => Some(table),
                    Node::List(tables) if known_is_header => {
                        tables.last_mut().and_then(|last| match &mut last.value {
                            Node::Table(table) => Some(table),
                            _ => None,
                        })
                    }
                    _ => None,
                };
                match last {
                    Some(table) => merge(table, new, depth - 1, document),
                    None => document.note_syntax(key_start, &no_table(&entry.key)),
                }
            }
            // The header itself is wrong, which has been said.
            (_, _) => {}
        }
    }
}

/// Says that a header leads through what is no table.
fn no_table(key: &str) -> String {
    format!("{key:?} has a value already, so no header can lead through it; write another key")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Problem, read};
    use proptest::prelude::*;

    const TEXT: &str = "a = 1\nb.c = [1, { d = \"é\" }]\n\n[e.f]\ng = 2014-12-22\n[e]\nh = [\n  { i = \
        'j' }, # [k]\n  [[1]],\n]\n[[l]]\nm = \"\"\"\n[n]\n\"\"\"\n[[l.o]]\np = { }\n[[l.o]]\n[l.q.r]\ns = true\n\
        [[l]]\n[[l.o]]\n\"t\" = 1.5\n[l.\"q\"]\n";

    /// All that is in it, for comparison.
    fn written(mut entries: Vec<Entry<'_>>) -> String {
        fn sort(entries: &mut [Entry<'_>]) {
            entries.sort_by(|one, other| one.key.cmp(&other.key));
            for entry in entries {
                each(&mut entry.item);
            }
        }
        fn each(item: &mut Item<'_>) {
            // A table that other headers lead through starts at the first of them or its own.
            item.start = 0;
            match &mut item.value {
                Node::Table(entries) => sort(entries),
                Node::List(items) => items.iter_mut().for_each(each),
                _ => {}
            }
        }
        sort(&mut entries);
        format!("{entries:?}")
    }

    /// What the parser makes of the whole text at once, if that is right.
    fn at_once(text: &str) -> Option<String> {
        let (table, errors) = DeTable::parse_recoverable(text);
        errors.is_empty().then(|| written(entries(table.into_inner(), 0)))
    }

    #[test]
    fn section_by_section_is_as_all_at_once() {
        let mut document = Document::new(TEXT);
        let root = parse(&mut document);
        assert_eq!(document.noted.take(), []);
        assert_eq!(Some(written(root)), at_once(TEXT));
    }

    #[test]
    fn what_contradicts_an_earlier_section_is_noted_at_its_key() {
        let problem = |text| match read("t", text, |_| ()) {
            Ok(()) => String::new(),
            Err(problems) => {
                let all: Vec<String> = problems.to_string().lines().map(str::to_owned).collect();
                all.join(" | ")
            }
        };
        for (text, wanted) in [
            (
                "[a]\nb = 1\n[a]\nb = 2",
                "t:3:2: \"a\" is given twice; keep one of them | t:4:1: \"b\" is given twice; keep one of them",
            ),
            ("a = 1\n[a]", "t:2:2: \"a\" is given twice; keep one of them"),
            ("a.b = 1\n[a]", "t:2:2: \"a\" is given twice; keep one of them"),
            ("a.b = 1\n[a.c]", ""),
            ("[a]\n[[a]]", "t:2:3: \"a\" is given twice; keep one of them"),
            ("[[a]]\n[a]", "t:2:2: \"a\" is given twice; keep one of them"),
            ("a = []\n[[a]]", "t:2:3: \"a\" is given twice; keep one of them"),
            ("[[a.b]]\n[a]\nb = [1]", "t:3:1: \"b\" is given twice; keep one of them"),
            ("[a.b]\n[a]\nb.c = 1", "t:3:1: \"b\" is given twice; keep one of them"),
            ("[a.b.c]\n[a]\nb.d = 1", ""),
            (
                "a = {}\n[a.b]",
                "t:2:2: \"a\" has a value already, so no header can lead through it; write another key",
            ),
            (
                "a = [{}]\n[a.b]",
                "t:2:2: \"a\" has a value already, so no header can lead through it; write another key",
            ),
            (
                "a = 1\n[a.b]",
                "t:2:2: \"a\" has a value already, so no header can lead through it; write another key",
            ),
        ] {
            assert_eq!(problem(text), wanted, "{text:?}");
            assert_eq!(at_once(text).is_some(), wanted.is_empty(), "{text:?}");
        }
    }

    #[test]
    fn a_section_of_many_megabytes_is_refused_in_one_line() {
        let problems = |text: &str| -> Vec<Problem> { read("t", text, |_| ()).unwrap_err().list };
        let line = "  { host = \"192.0.2.1\", probes = [\"icmp\"] },\n";
        let lines = line.repeat((5 << 20) / line.len());
        let list = problems(&format!("a = 1\n[b]\nc = [\n{lines}]\n[d]\n"));
        assert_eq!((list[0].line, list[0].col, list.len()), (2, 1, 1));
        assert!(list[0].text.starts_with("longer than 4 MiB from here to the next header; write"));
        let list = problems(&format!("[b]\nc = [\n{line}\n[d]\nc = [\n{lines}]\n"));
        assert_eq!((list[0].line, list[0].col, list.len()), (6, 1, 1));
        assert!(list[0].text.starts_with("a comma is missing before this"), "{}", list[0].text);
    }

    proptest! {
        #[test]
        fn every_mutation_is_right_or_wrong_as_all_at_once(
            edits in proptest::collection::vec((0..TEXT.len(), 0..3_u8, "[\\[\\]{}=.a-t\n\" ]"), 1..3),
        ) {
            let mut bytes = TEXT.as_bytes().to_vec();
            for (at, edit, byte) in edits {
                let at = at % bytes.len();
                match edit {
                    0 => bytes[at] = byte.as_bytes()[0],
                    1 => bytes.insert(at, byte.as_bytes()[0]),
                    _ => {
                        bytes.remove(at);
                    }
                }
            }
            let text = String::from_utf8_lossy(&bytes);
            let mut document = Document::new(&text);
            let root = parse(&mut document);
            let root = document.noted.take().is_empty().then(|| written(root));
            prop_assert_eq!(root, at_once(&text), "{}", text);
        }
    }
}
