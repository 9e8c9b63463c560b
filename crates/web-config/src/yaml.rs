//! YAML as far as a configuration file needs it: a tree in which everything knows its position, or
//! the first error. Whatever would have to be ignored is refused: aliases, tags, a second document,
//! a key that is there twice. No problem repeats a value, since any of them may be a secret.

use lifesign_document::Problem;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};
use std::borrow::Cow;

/// A web configuration is three levels deep.
const MAX_DEPTH: usize = 8;

/// Line and column, both from 1.
pub(crate) type Position = (usize, usize);

/// The problems so far.
#[derive(Default)]
pub(crate) struct Notes(pub Vec<Problem>);

impl Notes {
    /// `text` is one line without control characters.
    pub fn add(&mut self, (line, col): Position, text: impl Into<String>) {
        self.0.push(Problem { line, col, text: text.into() });
    }
}

/// A value, and where it begins.
pub(crate) struct Node<'a> {
    pub position: Position,
    content: Content<'a>,
}

enum Content<'a> {
    Null,
    Scalar { text: Cow<'a, str>, plain: bool },
    Sequence(Vec<Node<'a>>),
    Mapping(Vec<(Node<'a>, Node<'a>)>),
}

impl Node<'_> {
    /// A text, in quotes or not.
    pub fn text(&self, notes: &mut Notes) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, .. } => Some(text),
            _ => self.wrong("a text", notes),
        }
    }

    pub fn flag(&self, notes: &mut Notes) -> Option<bool> {
        match &self.content {
            Content::Scalar { text, plain: true } if text == "true" => Some(true),
            Content::Scalar { text, plain: true } if text == "false" => Some(false),
            _ => self.wrong("true or false", notes),
        }
    }

    /// A list of texts, each with its position.
    pub fn texts(&self, notes: &mut Notes) -> Vec<(Position, &str)> {
        match &self.content {
            Content::Sequence(items) => {
                items.iter().filter_map(|item| Some((item.position, item.text(notes)?))).collect()
            }
            _ => self.wrong("a list of texts", notes).unwrap_or_default(),
        }
    }

    /// A table: keys, their positions and values. Null is an empty table.
    pub fn entries(&self, notes: &mut Notes) -> Vec<(Position, &str, &Node<'_>)> {
        match &self.content {
            Content::Mapping(entries) => entries
                .iter()
                .filter_map(|(key, value)| Some((key.position, key.text(notes)?, value)))
                .collect(),
            Content::Null => Vec::new(),
            _ => self.wrong("a table of keys and values", notes).unwrap_or_default(),
        }
    }

    /// A table with these keys and no others: their values in this order.
    pub fn keys<const N: usize>(
        &self,
        known: [&str; N],
        notes: &mut Notes,
    ) -> [Option<&Node<'_>>; N] {
        let mut values = [None; N];
        for (position, key, value) in self.entries(notes) {
            match known.iter().position(|name| *name == key) {
                Some(at) => values[at] = Some(value),
                None => notes.add(
                    position,
                    format!("{} is not known here; known are {}", shown(key), known.join(", ")),
                ),
            }
        }
        values
    }

    fn is_same_text(&self, other: &Node<'_>) -> bool {
        match (&self.content, &other.content) {
            (Content::Scalar { text, .. }, Content::Scalar { text: other, .. }) => text == other,
            _ => false,
        }
    }

    fn wrong<T>(&self, want: &str, notes: &mut Notes) -> Option<T> {
        let found = match self.content {
            Content::Null => "nothing",
            Content::Scalar { .. } => "a text",
            Content::Sequence(_) => "a list",
            Content::Mapping(_) => "a table",
        };
        notes.add(self.position, format!("found {found}; write {want}"));
        None
    }
}

/// A key as a problem may repeat it: a secret that came to stand where a key belongs does not look
/// like one.
fn shown(key: &str) -> String {
    let word = |letter: char| letter.is_ascii_alphabetic() || letter == '_' || letter == '-';
    if key.len() <= 32 && key.chars().all(word) { format!("\"{key}\"") } else { "this key".into() }
}

/// The one document of a text. A text without any is refused: it may be a file that is just being
/// written.
pub(crate) fn parse(text: &str) -> Result<Node<'_>, Problem> {
    let mut reader = Reader(Parser::new_from_str(text));
    loop {
        match reader.next()? {
            (Event::StreamStart | Event::DocumentStart(_), _) => {}
            (Event::StreamEnd, _) => {
                return Err(problem(
                    (1, 1),
                    "the file says nothing; write {} if that is what is meant",
                ));
            }
            (event, span) => {
                let root = reader.node(event, span, 0)?;
                return match reader.rest()? {
                    None => Ok(root),
                    Some(span) => Err(problem(start(span), "a second document; write one")),
                };
            }
        }
    }
}

struct Reader<'a>(Parser<'a, saphyr_parser::StrInput<'a>>);

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Problem> {
        self.0
            .next_event()
            .unwrap_or(Ok((Event::StreamEnd, Span::default())))
            .map_err(|error| no_yaml(&error))
    }

    /// Where a second document begins, if there is one.
    fn rest(&mut self) -> Result<Option<Span>, Problem> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(None),
                (Event::DocumentEnd, _) => {}
                (_, span) => return Ok(Some(span)),
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node<'a>, Problem> {
        let position = start(span);
        if depth > MAX_DEPTH {
            return Err(problem(
                position,
                "too deep; no value of a web configuration lies so deep",
            ));
        }
        let content = match event {
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => {
                return Err(problem(position, "tags are not known here; write the value without"));
            }
            Event::Scalar(text, ScalarStyle::Plain, ..) if matches!(&*text, "" | "~" | "null") => {
                Content::Null
            }
            Event::Scalar(text, style, ..) => {
                Content::Scalar { text, plain: style == ScalarStyle::Plain }
            }
            Event::SequenceStart(..) => Content::Sequence(self.items(depth + 1)?),
            Event::MappingStart(..) => Content::Mapping(self.entries(depth + 1)?),
            _ => {
                return Err(problem(
                    position,
                    "aliases are not known here; write the value itself",
                ));
            }
        };
        Ok(Node { position, content })
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Node<'a>>, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, span, depth)?),
            }
        }
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<(Node<'a>, Node<'a>)>, Problem> {
        let mut entries: Vec<(Node<'a>, Node<'a>)> = Vec::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, _) => return Ok(entries),
                (event, span) => self.node(event, span, depth)?,
            };
            if entries.iter().any(|(other, _)| other.is_same_text(&key)) {
                return Err(problem(key.position, "this key is there twice; write it once"));
            }
            let (event, span) = self.next()?;
            entries.push((key, self.node(event, span, depth)?));
        }
    }
}

fn start(span: Span) -> Position {
    position(&span.start)
}

fn position(at: &Marker) -> Position {
    (at.line().max(1), at.col() + 1)
}

fn problem((line, col): Position, text: &str) -> Problem {
    Problem { line, col, text: text.into() }
}

/// The parser's own words, which are fixed but for one letter of the text.
fn no_yaml(error: &ScanError) -> Problem {
    let text: String = format!("no YAML: {}", error.info()).escape_default().collect();
    problem(position(error.marker()), &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> (Position, String) {
        let error = parse(text).err().unwrap_or_else(|| panic!("{text:?} is taken for good"));
        ((error.line, error.col), error.text)
    }

    #[test]
    fn what_would_have_to_be_ignored_is_refused() {
        for (text, position, said) in [
            ("", (1, 1), "says nothing"),
            ("# only a remark\n", (1, 1), "says nothing"),
            ("a: 1\na: 2\n", (2, 1), "twice"),
            ("a: &x 1\nb: *x\n", (2, 4), "aliases"),
            ("a: !!str 1\n", (1, 4), "tags"),
            ("a: 1\n---\nb: 2\n", (2, 1), "second document"),
            ("a: [1\n", (2, 1), "no YAML"),
            ("a: 1\n b: 2\n", (2, 3), "no YAML"),
        ] {
            let (found, words) = wrong(text);
            assert_eq!(found, position, "{text:?}: {words}");
            assert!(words.contains(said), "{text:?}: {words}");
        }
        assert!(
            wrong(&format!("a: {}{}\n", "[".repeat(12), "]".repeat(12))).1.contains("too deep")
        );
        // The parser itself has enough of these.
        wrong(&"[".repeat(100_000));
    }

    #[test]
    fn values_are_of_the_kinds_that_are_asked_for() {
        let root = parse("a: true\nb: 'true'\nc: [x, 1]\nd:\n").ok().unwrap();
        let mut notes = Notes::default();
        let [a, b, c, d] = root.keys(["a", "b", "c", "d"], &mut notes).map(Option::unwrap);
        assert_eq!((a.flag(&mut notes), b.text(&mut notes)), (Some(true), Some("true")));
        assert_eq!(c.texts(&mut notes), [((3, 5), "x"), ((3, 8), "1")]);
        assert!(d.entries(&mut notes).is_empty());
        assert!(notes.0.is_empty());
        assert!(
            b.flag(&mut notes).is_none()
                && c.text(&mut notes).is_none()
                && d.text(&mut notes).is_none()
        );
        assert_eq!(notes.0.iter().map(|note| note.line).collect::<Vec<_>>(), [2, 3, 4]);
    }

    #[test]
    fn an_unknown_key_is_named_unless_it_may_be_a_secret() {
        let root = parse("cert_flie: x\n$2y$10$abc: y\n").ok().unwrap();
        let mut notes = Notes::default();
        root.keys(["cert_file"], &mut notes);
        let said: Vec<&str> = notes.0.iter().map(|note| note.text.as_str()).collect();
        assert_eq!(
            said,
            [
                "\"cert_flie\" is not known here; known are cert_file",
                "this key is not known here; known are cert_file"
            ]
        );
    }
}
