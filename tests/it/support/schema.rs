//! As much of JSON Schema (2020-12) as docs/api.schema.json uses; any other keyword is an error, so
//! that nothing in it is passed over.

use lifesign_core::time::Time;
use serde_json::Value;

/// What is wrong with `value` by the definition of this name.
pub fn problems(schema: &Value, name: &str, value: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    check(schema, &schema["$defs"][name], value, name, &mut problems);
    problems
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
    let rules = schema.as_object().unwrap_or_else(|| panic!("{at}: {schema} is no schema"));
    for (keyword, rule) in rules {
        let is_right = match keyword.as_str() {
            "$ref" => {
                let target = root.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap();
                check(root, target, value, at, problems);
                true
            }
            "anyOf" => rule.as_array().unwrap().iter().any(|each| {
                let mut found = Vec::new();
                check(root, each, value, at, &mut found);
                found.is_empty()
            }),
            "enum" => rule.as_array().unwrap().contains(value),
            "format" => {
                assert_eq!(rule, "date-time");
                value.as_str().is_some_and(|text| text.parse::<Time>().is_ok())
            }
            "type" => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "number" => value.is_number(),
                "integer" => value.is_u64() || value.is_i64(),
                "null" => value.is_null(),
                other => panic!("{at}: {other}"),
            },
            "required" => {
                let keys = rule.as_array().unwrap().iter().map(|key| key.as_str().unwrap());
                keys.into_iter().all(|key| value.get(key).is_some())
            }
            "properties" => {
                for (key, each) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        check(root, each, value, &format!("{at}/{key}"), problems);
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                let fields = value.as_object().into_iter().flatten();
                for (key, value) in
                    fields.filter(|(key, _)| !known.is_some_and(|known| known.contains_key(*key)))
                {
                    match rule {
                        Value::Bool(false) => problems.push(format!("{at}/{key} is not in it")),
                        rule => check(root, rule, value, &format!("{at}/{key}"), problems),
                    }
                }
                true
            }
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, value, &format!("{at}/{index}"), problems);
                }
                true
            }
            other => panic!("{at}: {other}"),
        };
        if !is_right {
            problems.push(format!("{at}: {value} is not {keyword} {rule}"));
        }
    }
}
