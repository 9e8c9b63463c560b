//! Cuts a text into its sections: what stands before the first header, and each header with the
//! lines below it, up to the next.

use toml_parser::{
    Source,
    lexer::{Lexer, TokenKind},
};

/// The parser refuses what is nested more deeply.
const MAX_LEFT_OPEN: usize = 128;

/// A piece of a text that the parser can read by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Section<'a> {
    /// The byte at which it starts.
    pub start: usize,
    pub text: &'a str,
    /// How many keys lead to the last one of its header: 1 for `[[country.block]]`.
    pub depth: usize,
}

/// The sections of a text. A header begins a line, and no bracket is open there; where one is open
/// to the end, all that follows is one section.
pub(crate) struct Sections<'a> {
    text: &'a str,
    tokens: Lexer<'a>,
    /// Where the next section starts, if there is one. Of its header, the first bracket has been
    /// read.
    start: Option<usize>,
    line: Line,
}

/// What of a line has been read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Blank,
    Header,
    Key,
    /// A value; it may go on over many lines.
    Value,
}

impl<'a> Sections<'a> {
    pub fn of(text: &'a str) -> Self {
        let tokens = Source::new(text).lex();
        Self { text, tokens, start: Some(0), line: Line::Blank }
    }
}

impl<'a> Iterator for Sections<'a> {
    type Item = Section<'a>;

    fn next(&mut self) -> Option<Section<'a>> {
        use TokenKind::{
            Comment, Dot, Equals, LeftCurlyBracket, LeftSquareBracket, Newline, RightCurlyBracket,
            RightSquareBracket, Whitespace,
        };
        let start = self.start.take()?;
        let mut depth = 0;
        let mut open = Vec::new();
        for token in &mut self.tokens {
            match (self.line, token.kind()) {
                (Line::Value, Newline) if !open.is_empty() => {}
                (_, Newline) => self.line = Line::Blank,
                (Line::Blank, LeftSquareBracket) => {
                    let end = token.span().start();
                    self.start = Some(end);
                    self.line = Line::Header;
                    return Some(Section { start, text: &self.text[start..end], depth });
                }
                (Line::Header, Dot) => depth += 1,
                (Line::Blank | Line::Key, Equals) => self.line = Line::Value,
                (Line::Value, kind @ (LeftSquareBracket | LeftCurlyBracket)) => open.push(kind),
                (Line::Value, RightSquareBracket) => close(&mut open, LeftSquareBracket),
                (Line::Value, RightCurlyBracket) => close(&mut open, LeftCurlyBracket),
                (_, Whitespace | Comment) => {}
                (Line::Blank, _) => self.line = Line::Key,
                (_, _) => {}
            }
        }
        Some(Section { start, text: &self.text[start..], depth })
    }
}

/// Closes the last bracket of this kind, and those that were left open in it, of which there are
/// but so many.
fn close(open: &mut Vec<TokenKind>, kind: TokenKind) {
    let deepest = open.len().saturating_sub(MAX_LEFT_OPEN);
    if let Some(last) = open[deepest..].iter().rposition(|&each| each == kind) {
        open.truncate(deepest + last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_a_header_and_the_lines_below_it() {
        fn cut(text: &str) -> Vec<(&str, usize)> {
            Sections::of(text).map(|section| (section.text, section.depth)).collect()
        }
        assert_eq!(cut(""), [("", 0)]);
        assert_eq!(cut("a = 1\n[b]\n"), [("a = 1\n", 0), ("[b]\n", 0)]);
        assert_eq!(cut("[[a.b]] # c.d\ne.f = 1"), [("", 0), ("[[a.b]] # c.d\ne.f = 1", 1)]);
        let values =
            "a = [\n[1],\n{ b = [\n[2]\n]\n}]\nc = \"\"\"\n[d]\n\"\"\"\n# [e]\nf = [ # [\n]\n";
        let text = format!("{values}[g]");
        assert_eq!(cut(&text), [(values, 0), ("[g]", 0)]);
        assert_eq!(cut("a = [{ b = [1 }]\n[c]"), [("a = [{ b = [1 }]\n", 0), ("[c]", 0)]);
        assert_eq!(cut("a = [1\n[b]\n"), [("a = [1\n[b]\n", 0)]);
        assert_eq!(cut("[[a]\n[[b"), [("", 0), ("[[a]\n", 0), ("[[b", 0)]);
    }
}
