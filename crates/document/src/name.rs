//! Names that become metric labels and parts of log lines.

use crate::{Table, Value, tree::Entry};
use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
};

/// So many labels a country, a network, a block or a host may have.
pub const MAX_LABELS: usize = 16;
/// In characters, of a file's path.
pub const MAX_PATH: usize = 4096;
/// In characters.
const MAX_LABEL_VALUE: usize = 128;

/// Labels of the series of scopes and hosts, of other series that may be joined with them, and
/// those that a scrape adds. A label of the plan with such a name would be taken for it.
const TAKEN: [&str; 25] = [
    "answer",
    "block",
    "control",
    "country",
    "family",
    "host",
    "icmp_code",
    "icmp_type",
    "instance",
    "job",
    "le",
    "network",
    "oddity",
    "outcome",
    "output",
    "phase",
    "place",
    "probe",
    "rcode",
    "reason",
    "state",
    "target",
    "vantage",
    "version",
    "window",
];

/// The line of each name that was read so far. Names that differ in case alone would be one on some
/// dashboards and two on others, so here they are one.
pub type LinesByName = HashMap<String, usize>;

/// A text that becomes a metric label and part of a log line. `want` says what it is.
pub fn label<'a>(value: Value<'a>, want: &str) -> Option<&'a str> {
    line(value, 64, want)
}

/// One line of text, of at most so many characters. `want` says what it is.
pub fn line<'a>(value: Value<'a>, most: usize, want: &str) -> Option<&'a str> {
    let text = value.text(want)?;
    let Some(fault) = fault_of_line(text, most) else { return Some(text) };
    value.note(&format!("{:?} {fault}; write {want}", value.key()));
    None
}

/// What is wrong with a text that is not one plain line of at most so many characters.
fn fault_of_line(text: &str, most: usize) -> Option<String> {
    if text.trim().is_empty() {
        return Some("is empty".to_owned());
    }
    if text.chars().count() > most {
        return Some(format!("is longer than {most} characters"));
    }
    if let Some(letter) = text.chars().find(|&letter| !is_plain(letter)) {
        let code = u32::from(letter);
        return Some(format!("is not one line of plain text, for it has U+{code:04X}"));
    }
    if text.trim() != text {
        return Some("has white space around it".to_owned());
    }
    text.chars().all(is_seen_with_others_only).then(|| "is invisible".to_owned())
}

/// A text without what a terminal or a page would take for more than text: a line of whatever
/// others wrote.
pub fn plain(text: &str) -> String {
    // Nearly every text, of which a page may read thousands.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    text.chars().filter(|&letter| is_plain(letter)).collect()
}

/// The same of several lines.
pub fn plain_lines(text: &str) -> String {
    text.chars().filter(|&letter| letter == '\n' || is_plain(letter)).collect()
}

/// A text as a string of TOML.
pub fn toml_string(text: &str) -> String {
    let mut written = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => written.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _ = write!(written, "\\u{:04X}", u32::from(letter));
            }
            letter => written.push(letter),
        }
    }
    written + "\""
}

/// What is wrong with a text that can be no label's value.
pub fn fault_of_label_value(text: &str) -> Option<String> {
    fault_of_line(text, MAX_LABEL_VALUE)
}

/// Whether it is seen as what it is, and may stand in XML (XML 1.0 §2.2): it is no control, ends no
/// line, turns no text around (UAX #9 §2), is not invisible, and is a character at all (Unicode
/// §23.7). Joiners are plain: some scripts are written with them.
fn is_plain(letter: char) -> bool {
    let is_odd = matches!(letter,
        '\u{ad}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180e}'
        | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}');
    !is_odd && !letter.is_control() && u32::from(letter) & 0xfffe != 0xfffe
}

/// Joiners and selectors of variants (Unicode §23.2, §23.4), and white space between words.
fn is_seen_with_others_only(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(letter, '\u{34f}' | '\u{180b}'..='\u{180d}' | '\u{180f}'
            | '\u{200c}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// The code of a country. `lines` holds those of the file.
pub fn country_code<'a>(value: Value<'a>, lines: &mut LinesByName) -> Option<&'a str> {
    let code = value.text("a short label, such as \"KP\"")?;
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if code.is_empty() || code.len() > 16 || !code.chars().all(allowed) {
        value.note(&format!(
            "{code:?} is no country code; \
             write 1 to 16 letters, digits, - or _, such as \"KP\" (ISO 3166-1)"
        ));
        return None;
    }
    if let Some(line) = lines.insert(code.to_ascii_uppercase(), value.line()) {
        value.note(&format!(
            "country {code:?} is already on line {line}; \
             put its blocks there, or write another code"
        ));
    }
    Some(code)
}

/// The name of a network. `lines` holds those of its country.
pub fn network_name<'a>(value: Value<'a>, lines: &mut LinesByName) -> Option<&'a str> {
    let name = label(value, "the network's name, such as \"Example Telecom\"")?;
    if let Some(line) = lines.insert(name.to_lowercase(), value.line()) {
        value.note(&format!(
            "network {name:?} is already on line {line}; \
             put its blocks there, or write another name"
        ));
    }
    Some(name)
}

/// The table `labels`, if it is there: names of Prometheus labels and their values. `taken` is a
/// name that the series of this table's own subject have besides those that all have.
pub fn labels(table: Table<'_>, taken: Option<&str>) -> BTreeMap<String, String> {
    let Some(value) = table.get("labels") else { return BTreeMap::new() };
    let want = "a table of names and texts, such as { operator = \"Star JV\" }";
    let Some(table) = value.table(want) else { return BTreeMap::new() };
    let count = table.entries.len();
    if count > MAX_LABELS {
        value.note(&format!("{count} labels are too many; {MAX_LABELS} at most"));
    }
    let mut labels = BTreeMap::new();
    for Entry { key: name, key_start, item: found } in table.entries.iter().take(MAX_LABELS) {
        if let Some(fault) = fault_of_label(name, taken) {
            table.document.note(*key_start as usize, &fault);
        } else {
            let value = Value { document: table.document, key: name, found };
            let text = line(value, MAX_LABEL_VALUE, "a text in quotes, such as \"Star JV\"");
            labels.extend(text.map(|text| (name.clone().into_owned(), text.to_owned())));
        }
    }
    labels
}

/// What is wrong with the name of a label, and what would be right. `taken` is as for [`labels`].
pub fn fault_of_label(name: &str, taken: Option<&str>) -> Option<String> {
    let is_taken = |name: &str| TAKEN.contains(&name) || taken == Some(name);
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let starts_with_digit = name.starts_with(|letter: char| letter.is_ascii_digit());
    if name.is_empty() || starts_with_digit || !name.chars().all(allowed) {
        return Some(format!(
            "{name:?} is no name of a label; write letters, digits and _, and no digit first, such \
             as \"operator\""
        ));
    }
    if name.starts_with("__") {
        let word = name.trim_matches(|letter: char| !letter.is_ascii_alphabetic());
        let meant = if word.is_empty() || is_taken(word) { "operator" } else { word };
        return Some(format!(
            "{name:?} begins with __, which Prometheus keeps for itself; write another name, such \
             as {meant:?}"
        ));
    }
    is_taken(name).then(|| {
        format!(
            "{name:?} is a label of the metrics themselves; write another name, such as \
             \"my_{name}\""
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;

    /// What is wrong with this text as a name.
    fn fault(text: &str) -> Option<String> {
        let name = |root: Table<'_>| label(root.get("name")?, "a name").map(str::to_owned);
        read("plan", &format!("name = \"{text}\""), name).err().map(|all| all.to_string())
    }

    #[test]
    fn what_is_not_seen_as_what_it_is_is_no_plain_text() {
        for code in [
            "0085", "00AD", "115F", "1160", "17B4", "2800", "3164", "FFA0", "061C", "200B", "200E",
            "2028", "2029", "202E", "2066", "2069", "FDD0", "FEFF", "FFFE", "FFFF",
        ] {
            let wanted = format!(
                "plan:1:8: \"name\" is not one line of plain text, for it has U+{code}; write a name"
            );
            assert_eq!(fault(&format!("KP \\u{code}")), Some(wanted));
        }
        for text in ["\u{200d}", "\u{200c}\u{fe0f}", "\u{34f} \u{34f}"] {
            let wanted = "plan:1:8: \"name\" is invisible; write a name";
            assert_eq!(fault(text).as_deref(), Some(wanted), "{text:?}");
        }
        for text in [" Star JV", "Star JV\u{a0}", "\u{3000}Star JV"] {
            let wanted = "plan:1:8: \"name\" has white space around it; write a name";
            assert_eq!(fault(text).as_deref(), Some(wanted), "{text:?}");
        }
        assert!(fault("KP \\U0010FFFF").is_some_and(|fault| fault.contains("U+10FFFF;")));
        for plain in [
            "조선",
            "العربية",
            "می\u{200c}خواهم",
            "👩\u{200d}🔬",
            "Star JV <b>",
            "e\u{301}",
            "\u{fffd}",
        ] {
            assert_eq!(fault(plain), None, "{plain}");
        }
    }
}
