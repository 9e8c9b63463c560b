//! The pictures of the README and of docs/store.md, which `LIFESIGN_REWRITE=1` draws anew: the demo
//! nine and a half hours into its darkness, and the report of what it played.

use crate::support::{
    TempDir,
    browser::{Browser, Screen},
    done, lifesign,
    own_process::{OWN_NETWORK, in_own_process},
    page_server::{PageServer, settings},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use lifesign_core::scopes::Remarks;
use lifesign_lab::{Scenario, Simulation};
use lifesign_store::{FILE_NAME, PlayedStore};
use serde_json::json;
use std::{convert::Infallible, fs, path::Path};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const SCENARIO: &str = "tests/data/scenarios/december-2014-path.toml";
const WIDTH: u32 = 960;
/// A README is read over slow lines too.
const LARGEST: usize = 150_000;
/// The share of pixels that may be other ones, since another version of the browser or of a font
/// draws edges of letters otherwise; by less than a shade no pixel is another.
const MOST_OTHER: f64 = 0.01;
const SHADE: u8 = 32;

/// The page of the demo's country at this time.
fn demo(until: &str, temp_dir: &TempDir) -> PageServer {
    let text = fs::read_to_string(Path::new(ROOT).join(SCENARIO)).unwrap();
    let scenario = Scenario::parse(SCENARIO, &text).unwrap();
    let roster = &scenario.roster;
    let mut store = PlayedStore::create(
        temp_dir,
        "a simulation",
        roster,
        Remarks::on(roster, None),
        scenario.start,
    )
    .unwrap();
    let mut simulation =
        Simulation::new(&scenario, scenario.seed, &scenario.settings(scenario.seed));
    let played = simulation.run_by_minutes(until.parse().unwrap(), |simulation, changes| {
        store.keep_places(simulation.found(), roster);
        store.handle_changes(changes, simulation.watch(), simulation.now()).unwrap();
        Ok::<_, Infallible>(())
    });
    assert_eq!(played, Ok(()));
    store.finish(simulation.watch(), simulation.now()).unwrap();
    let snapshot = simulation.watch().snapshot(simulation.now(), 0, 0);
    let told =
        format!("{} Played 1440 times as fast as it happened; nothing is sent.", scenario.story);
    let mut settings = settings(Some(&told));
    settings.vantage = "a simulation".into();
    PageServer::with_past(Some(snapshot), settings, Some(temp_dir.join(FILE_NAME)))
}

/// The top of a page, as PNG.
fn picture(browser: &mut Browser, address: &str, height: u32) -> Vec<u8> {
    browser.open(address, Screen { dark: false, width: WIDTH });
    let clip = json!({"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1});
    let drawn = browser.call(
        "Page.captureScreenshot",
        &json!({"format": "png", "captureBeyondViewport": true, "clip": clip}),
    );
    BASE64_STANDARD.decode(drawn["data"].as_str().unwrap()).unwrap()
}

/// Draws the top of a page, and compares the picture with the one that is there.
fn draw(browser: &mut Browser, address: &str, height: u32, name: &str) {
    let drawn = picture(browser, address, height);
    assert!(drawn.len() < LARGEST, "{name}: {} bytes", drawn.len());
    let file = Path::new(ROOT).join(name);
    if std::env::var_os("LIFESIGN_REWRITE").is_some() {
        fs::write(&file, &drawn).unwrap();
    }
    let other = other_pixels(browser, &fs::read(file).unwrap(), &drawn);
    assert!(
        other <= MOST_OTHER,
        "{name}: {other} of its pixels are other ones; LIFESIGN_REWRITE=1 draws it anew"
    );
}

/// The share of the pixels that are not the same in both pictures, 0 to 1; 1 if one is larger. The
/// browser takes the pictures apart itself, on a page that has no policy against that.
fn other_pixels(browser: &mut Browser, one: &[u8], other: &[u8]) -> f64 {
    browser.open("about:blank", Screen { dark: false, width: WIDTH });
    let [one, other] = [one, other].map(|png| BASE64_STANDARD.encode(png));
    let share = browser.ask(&format!(
        "(async () => {{
            const pixels = async png => {{
                const picture = new Image();
                picture.src = 'data:image/png;base64,' + png;
                await picture.decode();
                const canvas = new OffscreenCanvas(picture.width, picture.height);
                const context = canvas.getContext('2d');
                context.drawImage(picture, 0, 0);
                return context.getImageData(0, 0, picture.width, picture.height);
            }};
            const [one, other] = [await pixels('{one}'), await pixels('{other}')];
            if (one.width != other.width || one.height != other.height) return 1;
            let count = 0;
            for (let at = 0; at < one.data.length; at += 4) {{
                const is_other = [0, 1, 2].some(
                    channel => Math.abs(one.data[at + channel] - other.data[at + channel]) > {SHADE});
                count += is_other ? 1 : 0;
            }}
            return count * 4 / one.data.length;
        }})()"
    ));
    share.as_f64().unwrap()
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
    let page = server.url("/KP?hold&range=7d");
    draw(&mut browser, &page, 1000, "docs/page.png");
    browser.open(&page, Screen { dark: false, width: WIDTH });
    let sentence = browser.ask("document.querySelector('.sentence').innerText");
    assert!(sentence.as_str().unwrap().starts_with("cannot be reached since"), "{sentence}");
    let [state, file] = ["state", "kp.html"].map(|name| temp_dir.path(name));
    assert_eq!(done(lifesign(&["simulate", SCENARIO, "--state-dir", &state])).0, 0);
    let report = ["report", "KP", "--since", "3d", "--state-dir", &state, "--output", &file];
    assert_eq!(done(lifesign(&report)).0, 0);
    draw(&mut browser, &format!("file://{file}"), 530, "docs/report.png");
    // Another hour of the story is another picture.
    let temp_dir = TempDir::new("pictures-other");
    let server = demo("2014-12-22T16:00:00Z", &temp_dir);
    let drawn = picture(&mut browser, &server.url("/KP?hold&range=7d"), 1000);
    let kept = fs::read(Path::new(ROOT).join("docs/page.png")).unwrap();
    assert!(other_pixels(&mut browser, &kept, &drawn) > 2.0 * MOST_OTHER);
}
