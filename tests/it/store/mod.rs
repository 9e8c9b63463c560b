//! The store of the real program: an outage that outlasts a run, disks that refuse, and a program killed at any
//! moment. What was written must be true, and whole.

mod disks;
mod kills;
mod page;
mod restarts;

use crate::support::{done, lifesign};
use serde_json::Value;

/// The episodes in a state directory, as `lifesign episodes` gives them.
fn episodes(directory: &str, more: &[&str]) -> Vec<Value> {
    let arguments = [&["episodes", "--json", "--state-dir", directory], more].concat();
    let (code, out, err) = done(lifesign(&arguments));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Those of the country itself.
fn of_country(directory: &str, state: &str) -> Vec<Value> {
    let all = episodes(directory, &["--scope", "KP", "--state", state]);
    all.into_iter().filter(|episode| episode["scope"] == "country").collect()
}
