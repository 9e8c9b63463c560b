//! What is wrong with a JSON text, in words of people.

use serde_json::{Error, error::Category};

/// Why JSON cannot be read; `wanted` is what would be right. The words of a visitor of ours stay.
pub fn fault_of_json(error: &Error, wanted: &str) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(&*text, |(text, _)| text);
    match error.classify() {
        Category::Eof => "the JSON ends within something; is all of the file there?".to_owned(),
        _ if text.starts_with("recursion limit") => {
            format!("nested 128 deep, which nothing here is; give {wanted}")
        }
        _ if text == "number out of range" => "a number out of range here".to_owned(),
        Category::Syntax => format!("no JSON from here on; give {wanted}"),
        Category::Io => text.to_owned(),
        Category::Data => of_data(text, wanted),
    }
}

fn of_data(text: &str, wanted: &str) -> String {
    if let Some(field) = text.strip_prefix("missing field `") {
        return format!("\"{}\" is missing; give {wanted}", field.trim_end_matches('`'));
    }
    if let Some(field) = text.strip_prefix("duplicate field `") {
        let field = field.trim_end_matches('`');
        return format!("a second \"{field}\"; leave one of them out");
    }
    // Of serde; all others are our own.
    let is_of_serde = ["invalid ", "unknown ", "data did not match"];
    if !is_of_serde.iter().any(|begin| text.starts_with(begin)) {
        return text.to_owned();
    }
    let expected = text.rsplit_once(", expected ").map_or("", |(_, expected)| expected);
    match expected {
        "u8" => "a number from 0 to 255 is wanted here".to_owned(),
        "u16" => "a number from 0 to 65535 is wanted here".to_owned(),
        "u32" | "u64" | "usize" => "a number from 0 on is wanted here".to_owned(),
        "f32" | "f64" | "i32" | "i64" => "a number is wanted here".to_owned(),
        "a string" | "a borrowed string" => "a text in quotes is wanted here".to_owned(),
        "a sequence" => "a list is wanted here".to_owned(),
        "a map" => "an object is wanted here".to_owned(),
        own if own.starts_with("a ") || own.starts_with("an ") => format!("{own} is wanted here"),
        _ => format!("another value is wanted here; give {wanted}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, de::DeserializeOwned};
    use std::collections::BTreeMap;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "nobody looks at it")]
    struct Row {
        port: u16,
    }

    fn fault<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
        fault_of_json(&serde_json::from_str::<T>(text).expect_err(text), "a row")
    }

    #[test]
    fn no_word_of_the_parser_is_told() {
        let deep = "[".repeat(200);
        for (fault, wanted) in [
            (fault::<Row>("{\"port\":"), "the JSON ends within something"),
            (fault::<Row>("{\"port\": x}"), "no JSON from here on; give a row"),
            (fault::<Row>("{\"port\": 99999}"), "a number from 0 to 65535 is wanted here"),
            (fault::<Row>("{\"port\": \"x\"}"), "a number from 0 to 65535 is wanted here"),
            (fault::<Row>("{}"), "\"port\" is missing; give a row"),
            (fault::<Row>("{\"port\":1,\"port\":1}"), "a second \"port\"; leave one of them out"),
            (fault::<Row>("5"), "another value is wanted here; give a row"),
            (fault::<Vec<String>>("[1]"), "a text in quotes is wanted here"),
            (fault::<BTreeMap<String, f64>>("{\"a\": []}"), "a number is wanted here"),
            (fault::<BTreeMap<String, f64>>("[]"), "an object is wanted here"),
            (fault::<Vec<u64>>("{}"), "a list is wanted here"),
            (fault::<serde_json::Value>(&deep), "nested 128 deep"),
        ] {
            assert!(fault.starts_with(wanted), "{wanted}: {fault}");
        }
    }
}
