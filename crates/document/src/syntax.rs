//! What the parser says is wrong, in clearer words.

/// The parser's message for an error at `found`, or a clearer one that says what would be right.
pub(crate) fn syntax(message: &str, found: &str) -> String {
    let message = match message {
        _ if message.contains("recurs") => "nested too deeply; write fewer brackets and dots",
        _ if message.starts_with("string values must be quoted") && found.is_empty() => {
            "no value here; write key = \"value\""
        }
        _ if message.starts_with("string values must be quoted") => {
            return format!("this value needs quotes; write {found:?}");
        }
        "duplicate key" => return given_twice(found),
        "key with no value, expected `=`" => "a key without a value; write key = \"value\"",
        "missing comma between array elements, expected `,`" => {
            "a comma is missing before this; or, if the list above ends there, its \"]\""
        }
        "unclosed array, expected `]`" => "a list is still open here; close it with \"]\"",
        "invalid basic string, expected `\"`" => {
            "a string is still open here; close it with one more quote"
        }
        _ => {
            let message = message.split(", expected ").next().unwrap_or_default();
            return format!(
                "not TOML: {message}; a line reads key = \"value\", [table] or [[table]]"
            );
        }
    };
    message.to_owned()
}

pub(crate) fn given_twice(key: &str) -> String {
    format!("{key:?} is given twice; keep one of them")
}
