//! The pictures of the README, which `LIFESIGN_REWRITE=1` draws anew: the demo nine and a half
//! hours into its darkness, and the report of what it played.

use crate::support::{
    TempDir,
    browser::{Browser, Screen},
    done, lifesign,
    own_process::{OWN_NETWORK, in_own_process},
    page_server::{PageServer, settings},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use lifesign_lab::{Scenario, Simulation};
use lifesign_store::{FILE_NAME, PlayedStore};
use serde_json::json;
use std::{convert::Infallible, fs, path::Path};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const SCENARIO: &str = "tests/data/scenarios/december-2014.toml";
const WIDTH: u32 = 960;
/// A README is read over slow lines too.
const LARGEST: usize = 150_000;

/// The page of the demo's country at this time.
fn demo(until: &str, temp_dir: &TempDir) -> PageServer {
    let text = fs::read_to_string(Path::new(ROOT).join(SCENARIO)).unwrap();
    let scenario = Scenario::parse(SCENARIO, &text).unwrap();
    let roster = &scenario.roster;
    let mut store =
        PlayedStore::create(temp_dir, "a simulation", roster, None, scenario.start).unwrap();
    let mut simulation =
        Simulation::new(&scenario, scenario.seed, &scenario.settings(scenario.seed));
    let played = simulation.run_by_minutes(until.parse().unwrap(), |simulation, changes| {
        store.handle_changes(changes, simulation.watch(), simulation.now()).unwrap();
        Ok::<_, Infallible>(())
    });
    assert_eq!(played, Ok(()));
    store.count_at_end(simulation.watch(), simulation.now());
    store.finish(simulation.now()).unwrap();
    let snapshot = simulation.watch().snapshot(simulation.now(), 0, 0);
    let told =
        format!("{} Played 1440 times as fast as it happened; nothing is sent.", scenario.story);
    let mut settings = settings(Some(&told));
    settings.vantage = "a simulation".into();
    PageServer::with_past(Some(snapshot), settings, Some(temp_dir.join(FILE_NAME)))
}

/// Draws the top of a page, and compares how large the picture is with the one that is there.
fn draw(browser: &mut Browser, address: &str, height: u32, name: &str) {
    browser.open(address, Screen { dark: false, width: WIDTH });
    let clip = json!({"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1});
    let drawn = browser.call(
        "Page.captureScreenshot",
        &json!({"format": "png", "captureBeyondViewport": true, "clip": clip}),
    );
    let drawn = BASE64_STANDARD.decode(drawn["data"].as_str().unwrap()).unwrap();
    assert!(drawn.len() < LARGEST, "{name}: {} bytes", drawn.len());
    let file = Path::new(ROOT).join(name);
    if std::env::var_os("LIFESIGN_REWRITE").is_some() {
        fs::write(&file, &drawn).unwrap();
    }
    // Width and height stand behind the signature and the head of the first chunk (PNG §11.2.2).
    let kept = fs::read(file).unwrap();
    assert_eq!(kept[16..24], drawn[16..24], "{name}; LIFESIGN_REWRITE=1 draws it anew");
}

#[test]
#[ignore = "needs root and Chromium; run by tests/run"]
fn the_pictures_in_the_readme_are_of_the_demo_and_its_report() {
    if !in_own_process(the_pictures_in_the_readme_are_of_the_demo_and_its_report, OWN_NETWORK) {
        return;
    }
    let temp_dir = TempDir::new("pictures");
    let server = demo("2014-12-23T01:45:00Z", &temp_dir);
    let mut browser = Browser::start();
    draw(&mut browser, &server.url("/KP?hold&range=7d"), 1000, "docs/page.png");
    let sentence = browser.ask("document.querySelector('.sentence').innerText");
    assert!(sentence.as_str().unwrap().starts_with("cannot be reached since"), "{sentence}");
    let [state, file] = ["state", "kp.html"].map(|name| temp_dir.path(name));
    assert_eq!(done(lifesign(&["simulate", SCENARIO, "--state-dir", &state])).0, 0);
    let report = ["report", "KP", "--since", "3d", "--state-dir", &state, "--output", &file];
    assert_eq!(done(lifesign(&report)).0, 0);
    draw(&mut browser, &format!("file://{file}"), 530, "docs/report.png");
}
