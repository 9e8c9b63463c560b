//! YAML as far as a web configuration needs it. In: a text. Out: a tree in which everything knows its place, or the
//! first thing that is no YAML. It never repeats a value in a problem, since any of them may be a secret, and refuses
//! what it would have to ignore: aliases, tags, a second document, a key that is there twice.

use lifesign_document::Problem;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};
use std::borrow::Cow;

/// A web configuration has three floors.
const DEEPEST: usize = 8;

/// Line and column, both from 1.
pub(super) type Place = (usize, usize);

/// What is wrong, so far.
#[derive(Default)]
pub(super) struct Notes(pub Vec<Problem>);

impl Notes {
    /// Text without control characters, please.
    pub fn add(&mut self, (line, col): Place, text: impl Into<String>) {
        self.0.push(Problem { line, col, text: text.into() });
    }
}

/// A value, and where it begins.
pub(super) struct Node<'a> {
    pub place: Place,
    what: What<'a>,
}

enum What<'a> {
    Nothing,
    /// And whether it stands without quotes.
    Text(Cow<'a, str>, bool),
    List(Vec<Node<'a>>),
    Table(Vec<(Node<'a>, Node<'a>)>),
}

impl Node<'_> {
    /// A text, in quotes or not.
    pub fn text(&self, notes: &mut Notes) -> Option<&str> {
        match &self.what {
            What::Text(text, _) => Some(text),
            _ => self.wrong("a text", notes),
        }
    }

    /// `true` or `false`.
    pub fn flag(&self, notes: &mut Notes) -> Option<bool> {
        match &self.what {
            What::Text(text, true) if text == "true" => Some(true),
            What::Text(text, true) if text == "false" => Some(false),
            _ => self.wrong("true or false", notes),
        }
    }

    /// A list of texts, each with its place.
    pub fn texts(&self, notes: &mut Notes) -> Vec<(Place, &str)> {
        match &self.what {
            What::List(items) => {
                items.iter().filter_map(|item| Some((item.place, item.text(notes)?))).collect()
            }
            _ => self.wrong("a list of texts", notes).unwrap_or_default(),
        }
    }

    /// A table: keys, their places and values. Nothing is a table of nothing.
    pub fn entries(&self, notes: &mut Notes) -> Vec<(Place, &str, &Node<'_>)> {
        match &self.what {
            What::Table(entries) => {
                entries.iter().filter_map(|(key, value)| Some((key.place, key.text(notes)?, value))).collect()
            }
            What::Nothing => Vec::new(),
            _ => self.wrong("a table of keys and values", notes).unwrap_or_default(),
        }
    }

    /// A table with these keys and no others: their values in this order.
    pub fn keys<const N: usize>(&self, known: [&str; N], notes: &mut Notes) -> [Option<&Node<'_>>; N] {
        let mut values = [None; N];
        for (place, key, value) in self.entries(notes) {
            match known.iter().position(|name| *name == key) {
                Some(at) => values[at] = Some(value),
                None => notes
                    .add(place, format!("{} is not known here; known are {}", shown(key), known.join(", "))),
            }
        }
        values
    }

    fn wrong<T>(&self, want: &str, notes: &mut Notes) -> Option<T> {
        let found = match self.what {
            What::Nothing => "nothing",
            What::Text(..) => "a text",
            What::List(_) => "a list",
            What::Table(_) => "a table",
        };
        notes.add(self.place, format!("found {found}; write {want}"));
        None
    }
}

/// A key as a problem may repeat it: a secret that came to stand where a key belongs does not look like one.
fn shown(key: &str) -> String {
    let word = |letter: char| letter.is_ascii_alphabetic() || letter == '_' || letter == '-';
    if key.len() <= 32 && key.chars().all(word) { format!("\"{key}\"") } else { "this key".into() }
}

/// The one document of a text. A text without any is refused: it may be a file that is just being written.
pub(super) fn parse(text: &str) -> Result<Node<'_>, Problem> {
    let mut reader = Reader(Parser::new_from_str(text));
    loop {
        match reader.next()? {
            (Event::StreamStart | Event::DocumentStart(_), _) => {}
            (Event::StreamEnd, _) => {
                return Err(problem((1, 1), "the file says nothing; write {} if that is what is meant"));
            }
            (event, span) => {
                let root = reader.node(event, span, 0)?;
                return match reader.rest()? {
                    None => Ok(root),
                    Some(span) => Err(problem(place(span), "a second document; write one")),
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
        let place = place(span);
        if depth > DEEPEST {
            return Err(problem(place, "too deep; no value of a web configuration lies so deep"));
        }
        let what = match event {
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => {
                return Err(problem(place, "tags are not known here; write the value without"));
            }
            Event::Scalar(text, style, ..) => match style {
                ScalarStyle::Plain if matches!(&*text, "" | "~" | "null") => What::Nothing,
                _ => What::Text(text, style == ScalarStyle::Plain),
            },
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        (event, span) => items.push(self.node(event, span, depth + 1)?),
                    }
                }
                What::List(items)
            }
            Event::MappingStart(..) => {
                let mut entries: Vec<(Node, Node)> = Vec::new();
                loop {
                    let key = match self.next()? {
                        (Event::MappingEnd, _) => break,
                        (event, span) => self.node(event, span, depth + 1)?,
                    };
                    if let What::Text(text, _) = &key.what
                        && entries
                            .iter()
                            .any(|(other, _)| matches!(&other.what, What::Text(name, _) if name == text))
                    {
                        return Err(problem(key.place, "this key is there twice; write it once"));
                    }
                    let (event, span) = self.next()?;
                    entries.push((key, self.node(event, span, depth + 1)?));
                }
                What::Table(entries)
            }
            _ => return Err(problem(place, "aliases are not known here; write the value itself")),
        };
        Ok(Node { place, what })
    }
}

fn place(span: Span) -> Place {
    mark(&span.start)
}

fn mark(at: &Marker) -> Place {
    (at.line().max(1), at.col() + 1)
}

fn problem((line, col): Place, text: &str) -> Problem {
    Problem { line, col, text: text.into() }
}

/// The parser's own words, which are fixed but for one letter of the text.
fn no_yaml(error: &ScanError) -> Problem {
    let text: String = format!("no YAML: {}", error.info()).escape_default().collect();
    problem(mark(error.marker()), &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> (Place, String) {
        let error = parse(text).err().unwrap_or_else(|| panic!("{text:?} is taken for good"));
        ((error.line, error.col), error.text)
    }

    #[test]
    fn what_would_have_to_be_ignored_is_refused() {
        for (text, place, said) in [
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
            assert_eq!(found, place, "{text:?}: {words}");
            assert!(words.contains(said), "{text:?}: {words}");
        }
        assert!(wrong(&format!("a: {}{}\n", "[".repeat(12), "]".repeat(12))).1.contains("too deep"));
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
        assert!(b.flag(&mut notes).is_none() && c.text(&mut notes).is_none() && d.text(&mut notes).is_none());
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
