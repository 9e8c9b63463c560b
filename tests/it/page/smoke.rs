//! The smoke in Chromium, on the page and in the report: each band where its times are, and a
//! column that says all of them.

use crate::support::{
    TempDir,
    browser::{Browser, Screen},
    done, lifesign,
    own_process::{OWN_NETWORK, in_own_process},
    page_server::{PageServer, settings},
    week,
};
use lifesign_core::judge::State;
use std::fs;

#[test]
#[ignore = "needs root and Chromium; run by tests/run"]
fn the_bands_of_round_trips_lie_in_each_other_and_each_column_tells_its_values() {
    if !in_own_process(
        the_bands_of_round_trips_lie_in_each_other_and_each_column_tells_its_values,
        OWN_NETWORK,
    ) {
        return;
    }
    let temp_dir = TempDir::new("smoke");
    let snapshot = week::snapshot(week::roster(1, 1, 3), |_| week::restless(State::Up));
    let store = week::store(&snapshot, &temp_dir);
    let server = PageServer::with_past(Some(snapshot), settings(None), Some(store));
    let state = temp_dir.path("");
    let period = ["--since", "2014-12-23T23:00Z", "--until", "2014-12-24T00:00Z"];
    let report = [&["report", "X0", "--state-dir", &state], &period[..]].concat();
    let (code, page, err) = done(lifesign(&report));
    assert_eq!(code, 0, "{err}");
    let file = temp_dir.path("report.html");
    fs::write(&file, page).unwrap();
    let mut browser = Browser::start();
    for address in [server.url("/X0?hold&range=1h"), format!("file://{file}")] {
        for screen in [Screen { dark: false, width: 1100 }, Screen { dark: true, width: 360 }] {
            browser.open(&address, screen);
            let tops = browser.ask(
                "['all', 'most'].flatMap(band => { const box = \
                 document.querySelector('.smoke path.' + band).getBoundingClientRect(); \
                 const whole = document.querySelector('.smoke').getBoundingClientRect(); \
                 return [box.top - whole.top, box.bottom - whole.top] })",
            );
            let tops: Vec<f64> =
                tops.as_array().unwrap().iter().map(|top| top.as_f64().unwrap()).collect();
            // 0.6 s are at the top, and 96 pixels lower is 0: the longest are 0.3 to 0.5 s, the
            // shortest 0.15 s; the 90th percentiles 0.24 to 0.34 s, the 10th 0.18 to 0.23 s.
            let expected = [0.5, 0.15, 0.34, 0.18].map(|seconds| 96.0 * (1.0 - seconds / 0.6));
            for (top, expected) in tops.iter().zip(expected) {
                assert!((top - expected).abs() < 3.0, "{address}, {screen:?}: {tops:?}");
            }
            // Also where the scale is written over it.
            let told = browser.ask(
                "[0.01, 0.5, 0.9].map(share => { \
                 const box = document.querySelector('.smoke svg').getBoundingClientRect(); \
                 scrollTo(0, box.top + scrollY - 100); \
                 const seen = document.querySelector('.smoke svg').getBoundingClientRect(); \
                 const mark = document.elementFromPoint(seen.left + share * seen.width, seen.top + 8); \
                 return mark.querySelector('title').textContent })",
            );
            for told in told.as_array().unwrap() {
                let told = told.as_str().unwrap();
                let values = [" % lost, min 150 ms, p10 ", " median ", " p90 ", " p95 ", " max "];
                assert!(values.iter().all(|value| told.contains(value)), "{told}");
            }
        }
    }
}
