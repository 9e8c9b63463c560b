//! The report of December 2014 from the command line to paper: how it is told, and on how many
//! pages.

use crate::support::{
    TempDir,
    browser::{Browser, Screen},
    done, lifesign,
    own_process::{OWN_NETWORK, in_own_process},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use std::fs;

const SCENARIO: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/scenarios/december-2014.toml");

/// Plays December 2014 into a store, and writes its report; returns the file and the page.
fn december(temp_dir: &TempDir) -> (String, String) {
    let state = temp_dir.path("state");
    let (code, _, err) = done(lifesign(&["simulate", SCENARIO, "--state-dir", &state]));
    assert_eq!(code, 0, "{err}");
    let file = temp_dir.path("kp.html");
    let (code, _, err) = done(lifesign(&[
        "report",
        "kp",
        "--since",
        "2014-12-21",
        "--until",
        "2014-12-24",
        "--state-dir",
        &state,
        "--output",
        &file,
    ]));
    assert_eq!((code, &*err), (0, ""));
    let page = fs::read_to_string(&file).unwrap();
    (file, page)
}

#[test]
fn december_2014_is_one_story_from_the_command_line() {
    let temp_dir = TempDir::new("december");
    let (_, page) = december(&temp_dir);
    let sentence = page.split("class=\"sentence\">").nth(1).unwrap().split("</p>").next().unwrap();
    let expected = [
        "North Korea was unstable from 21 Dec 2014 14:00 to 22 Dec 15:23 UTC (25 h 23 min, dark ",
        " times, ",
        " % of it), then unreachable from 16:15 for 9 h 31 min ± ",
        " s, until 23 Dec 01:46 UTC, and again for 34 min 57 s and 29 min 56 s on the same day",
    ];
    let mut rest = sentence;
    for part in expected {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} in {sentence:?}"));
        rest = &rest[at + part.len()..];
    }
    let state = temp_dir.path("state");
    let list = ["episodes", "--since", "2014-12-20", "--state-dir", &state];
    let (code, out, _) = done(lifesign(&list));
    assert_eq!(code, 0);
    let kinds: Vec<&str> =
        out.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    assert_eq!(kinds, ["unstable", "up", "outage", "up", "outage", "up", "outage", "up"], "{out}");
    assert!(out.starts_with("KP 2014-12-21T1359Z, not over\n"), "{out}");
}

#[test]
#[ignore = "needs root and Chromium; run by tests/run"]
fn december_2014_is_at_most_six_printed_pages() {
    if !in_own_process(december_2014_is_at_most_six_printed_pages, OWN_NETWORK) {
        return;
    }
    let temp_dir = TempDir::new("printed");
    let (file, _) = december(&temp_dir);
    let mut browser = Browser::start();
    browser.open(&format!("file://{file}"), Screen { dark: false, width: 1100 });
    let printed =
        browser.call("Page.printToPDF", &json!({"paperWidth": 8.27, "paperHeight": 11.69}));
    let text = printed["data"].as_str().unwrap();
    // PDF names the number of its pages in the root of their tree (ISO 32000-1 §7.7.3.2).
    let pdf = BASE64_STANDARD.decode(text).unwrap();
    let pdf = String::from_utf8_lossy(&pdf);
    let pages = pdf.matches("/Type /Page\n").count() + pdf.matches("/Type /Page/").count();
    assert!((1..=6).contains(&pages), "{pages}");
}
