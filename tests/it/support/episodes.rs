//! What the store of a run holds.

use super::{done, lifesign};
use serde_json::Value;

/// The episodes in a state directory, as `lifesign episodes` gives them.
pub fn episodes(directory: &str, more: &[&str]) -> Vec<Value> {
    let arguments = [&["episodes", "--all", "--json", "--state-dir", directory], more].concat();
    let (code, out, err) = done(lifesign(&arguments));
    assert!(code == 0 && (err.is_empty() || out.is_empty()), "{code}: {err}{out}");
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Those of the country itself.
pub fn of_country(directory: &str, state: &str) -> Vec<Value> {
    let all = episodes(directory, &["--scope", "KP", "--state", state]);
    all.into_iter().filter(|episode| episode["level"] == "country").collect()
}
