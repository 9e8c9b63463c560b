//! Names that become metric labels and parts of log lines.

use crate::Value;
use std::collections::HashMap;

/// The line of each name that was read so far. Names that differ in case alone would be one on some
/// dashboards and two on others, so here they are one.
pub type LinesByName = HashMap<String, usize>;

/// A text that becomes a metric label and part of a log line. `want` says what it is.
pub fn label<'a>(value: Value<'a>, want: &str) -> Option<&'a str> {
    let text = value.text(want)?;
    let fault = match text {
        _ if text.trim().is_empty() => "empty",
        _ if text.chars().count() > 64 => "longer than 64 characters",
        _ if text.chars().any(char::is_control) => "not one line of plain text",
        _ => return Some(text),
    };
    value.note(&format!("{:?} is {fault}; write {want}", value.key()));
    None
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
