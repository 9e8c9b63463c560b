//! The page in Chromium, in a network namespace of the test's own: each state, the strip beside the
//! episodes, what is asked for and linked to, and whether everybody can read it.

use crate::support::{
    Program, TIMEOUT, TempDir, Verdict,
    browser::{Browser, Screen},
    lifesign,
    own_process::{OWN_NETWORK, in_own_process},
    page_server::{PageServer, settings},
    quiet, snapshot, until, week,
};
use lifesign_core::{
    judge::State,
    scopes::{CountryId, Scope},
    time::Time,
    watch::Snapshot,
};
use serde_json::Value;
use std::{
    fmt::Write as _, fs, net::TcpStream, path::Path, process::Command, sync::Arc, time::Duration,
};

const WIDE: Screen = Screen { dark: false, width: 1100 };
const DARK: Screen = Screen { dark: true, width: 1100 };
const PHONE: Screen = Screen { dark: false, width: 360 };
const SCREENS: [Screen; 3] = [WIDE, DARK, PHONE];

fn texts(found: &Value) -> Vec<&str> {
    found.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
#[ignore = "needs root and Chromium; run by tests/run"]
fn each_state_is_told_by_word_sign_colour_and_height() {
    if !in_own_process(each_state_is_told_by_word_sign_colour_and_height, OWN_NETWORK) {
        return;
    }
    let temp_dir = TempDir::new("every-state");
    let store = week::store(&week::every_state(), &temp_dir);
    let server = PageServer::with_past(Some(week::every_state()), settings(None), Some(store));
    let mut browser = Browser::start();
    let mut looks = Vec::new();
    for screen in SCREENS {
        browser.open(&server.url("/?hold&range=7d"), screen);
        let badges = browser
            .ask("[...document.querySelectorAll('h2 .badge')].map(badge => badge.innerText)");
        let signs = ["●", "◐", "◔", "▼", "≈", "✕", "?"];
        let expected = State::ALL.iter().zip(signs).map(|(state, sign)| format!("{sign} {state}"));
        assert_eq!(texts(&badges), expected.collect::<Vec<_>>(), "{screen:?}");
        // In a strip: no two that are bad alike in height, and none alike in both height and fill.
        let strip = browser.ask(
            "State = s => { const bar = [...document.querySelectorAll('.country .strip rect.' + s)].at(-1); \
             return bar.getBoundingClientRect().height + ' ' + (bar.getAttribute('fill') || getComputedStyle(bar).fill) }; \
             ['up', 'degraded', 'partial', 'down', 'flapping', 'outage', 'unknown'].map(State)",
        );
        let strip: Vec<String> = texts(&strip).into_iter().map(str::to_owned).collect();
        assert_eq!(strip.iter().collect::<std::collections::BTreeSet<_>>().len(), 7, "{strip:?}");
        let heights: std::collections::BTreeSet<_> =
            strip[..6].iter().map(|look| look.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(heights.len(), 6, "{strip:?}");
        looks.push(strip);
        // Nothing is wider than the screen.
        let overhang = browser
            .ask("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(overhang, 0, "{screen:?}");
        assert_eq!(browser.ask("document.scripts.length"), 0);
    }
    assert_ne!(looks[0], looks[1], "dark is another than light");
    let title = browser.ask("document.title");
    assert!(title.as_str().unwrap().starts_with("● X0 up, ◐ X1 degraded, "), "{title}");
    // We are blind: it is said aloud.
    let blind = Snapshot { blindness: snapshot::blindness(true), ..week::every_state() };
    server.snapshots.send_replace(Some(Arc::new(blind)));
    browser.open(&server.url("/?hold"), WIDE);
    let alert = browser.ask("document.querySelector('[role=alert]').innerText");
    assert!(alert.as_str().unwrap().contains("We are blind."), "{alert}");
    assert_eq!(browser.complaints(), [&Value::Null; 0]);
}

#[test]
#[ignore = "needs root and Chromium; run by tests/run"]
fn the_strip_shows_the_episodes() {
    if !in_own_process(the_strip_shows_the_episodes, OWN_NETWORK) {
        return;
    }
    let temp_dir = TempDir::new("strip");
    let snapshot = week::snapshot(week::roster(1, 1, 3), |_| week::restless(State::Outage));
    let store = week::store(&snapshot, &temp_dir);
    let server = PageServer::with_past(Some(snapshot), settings(None), Some(store));
    let mut browser = Browser::start();
    for (range, hours) in [("24h", 24), ("7d", 160)] {
        browser.open(&server.url(&format!("/X0?hold&range={range}")), WIDE);
        let bars = browser.ask(
            "(() => { const strip = document.querySelector('.strip.large'); \
             const whole = strip.getBoundingClientRect(); \
             return [...strip.querySelectorAll('rect:not(.gaps):not(.cap)')].map(bar => { \
             const box = bar.getBoundingClientRect(); return [bar.className.baseVal, \
             (box.left - whole.left) / whole.width, (box.right - whole.left) / whole.width] }) })()",
        );
        let span = hours * week::HOUR;
        let begin = week::NOW - Duration::from_secs(span);
        let drawn: Vec<(String, Time, Time)> = bars
            .as_array()
            .unwrap()
            .iter()
            .map(|bar| {
                let at = |place: &Value| {
                    begin + Duration::from_secs(span).mul_f64(place.as_f64().unwrap().max(0.0))
                };
                (bar[0].as_str().unwrap().to_owned(), at(&bar[1]), at(&bar[2]))
            })
            .filter(|(state, ..)| state != "up")
            .collect();
        let spans = week::restless(State::Outage);
        let ends = spans.iter().skip(1).map(|(_, before)| *before).chain([0]);
        let ago = |seconds| week::NOW - Duration::from_secs(seconds);
        let expected: Vec<(String, Time, Time)> = spans
            .iter()
            .zip(ends)
            .filter(|((state, _), end)| *state != State::Up && ago(*end) > begin)
            .map(|((state, from), end)| (state.to_string(), ago(*from).max(begin), ago(end)))
            .collect();
        // What is not known gives way to what is worse in its column.
        let is_seen = |state: &str| state != "unknown" || hours == 24;
        let drawn: Vec<_> = drawn.iter().filter(|(state, ..)| is_seen(state)).collect();
        let expected: Vec<_> = expected.iter().filter(|(state, ..)| is_seen(state)).collect();
        assert_eq!(drawn.len(), expected.len(), "{drawn:?}\n{expected:?}");
        // One column, and half a pixel.
        let near = Duration::from_secs(span / 120 + span / 1500);
        for (drawn, expected) in drawn.iter().zip(&expected) {
            let apart = |one: Time, other: Time| one.since(other).max(other.since(one));
            assert_eq!(drawn.0, expected.0);
            assert!(apart(drawn.1, expected.1) <= near, "{drawn:?} {expected:?}");
            assert!(apart(drawn.2, expected.2) <= near, "{drawn:?} {expected:?}");
        }
        let told = browser.ask("document.querySelector('.strip.large').getAttribute('aria-label')");
        let told = told.as_str().unwrap();
        let parts = [
            ("24h", "outage 3 h"),
            ("7d", "outage 13 h"),
            ("", "flapping 3 h"),
            ("", "partial 2 h"),
        ];
        for (_, part) in parts.iter().filter(|(of, _)| of.is_empty() || *of == range) {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}

#[test]
#[ignore = "needs root and Chromium; run by tests/run"]
fn it_follows_by_itself_asks_nobody_else_and_complains_of_nothing() {
    if !in_own_process(it_follows_by_itself_asks_nobody_else_and_complains_of_nothing, OWN_NETWORK)
    {
        return;
    }
    let server = PageServer::start(Some(week::every_state()), settings(Some("a test.")));
    let mut browser = Browser::start();
    browser.open(&server.url("/"), WIDE);
    let banner = browser.ask("document.querySelector('.simulation').innerText");
    assert_eq!(banner, "Simulation a test.");
    let mut later = week::every_state();
    let country = later.roster.scope_id(Scope::Country(CountryId(0)));
    later.scopes[country.index()].verdict.state = State::Outage;
    server.snapshots.send_replace(Some(Arc::new(later)));
    // Twice more, by itself.
    browser.happened("Page.loadEventFired", 3);
    let badge = browser.ask("document.querySelector('h2 .badge').innerText");
    assert_eq!(badge, "✕ outage");
    let asked: Vec<String> = browser
        .all("Network.requestWillBeSent")
        .map(|event| event["request"]["url"].as_str().unwrap().to_owned())
        .collect();
    assert!(asked.iter().filter(|url| **url == server.url("/")).count() >= 3, "{asked:?}");
    assert!(asked.iter().any(|url| url.starts_with(&server.url("/style.css?"))), "{asked:?}");
    let elsewhere: Vec<_> = asked.iter().filter(|url| !url.starts_with(&server.url("/"))).collect();
    assert_eq!(elsewhere, [""; 0]);
    assert_eq!(browser.complaints(), [&Value::Null; 0]);
}

#[test]
#[ignore = "needs root, Chromium and nginx; run by tests/run"]
fn every_link_leads_somewhere_below_the_path_of_a_reverse_proxy() {
    if !in_own_process(every_link_leads_somewhere_below_the_path_of_a_reverse_proxy, OWN_NETWORK) {
        return;
    }
    let large = week::snapshot(week::roster(1, 40, 2), |_| week::restless(State::Flapping));
    let server = PageServer::start(Some(large), settings(None));
    let temp_dir = TempDir::new("proxy");
    // As docs/access.md has it.
    let config = format!(
        "daemon off; master_process off; pid {0}/nginx.pid; error_log stderr; events {{ }}\n\
         http {{ access_log off; client_body_temp_path {0}/body; proxy_temp_path {0}/proxy;\n\
         fastcgi_temp_path {0}/fastcgi; uwsgi_temp_path {0}/uwsgi; scgi_temp_path {0}/scgi;\n\
         server {{ listen 127.0.0.1:8080; location /lifesign/ {{ proxy_pass {1}; }} }} }}\n",
        temp_dir.display(),
        server.url("/")
    );
    let config = temp_dir.put("nginx.conf", config);
    let _proxy = Program::start(quiet(Command::new("nginx"), &["-e", "stderr", "-c", &config]));
    until(TIMEOUT, "nginx", || {
        TcpStream::connect("127.0.0.1:8080").map(drop).map_err(|error| error.to_string())
    });
    let below = "http://127.0.0.1:8080/lifesign/";
    let mut browser = Browser::start();
    let mut open = vec![below.to_owned()];
    let mut seen = Vec::new();
    // Breadth first, so that a page of each kind is among them.
    while !open.is_empty() && seen.len() < 30 {
        let address = open.remove(0);
        assert!(address.starts_with(below), "{address}");
        browser.open(&address, WIDE);
        let code = browser.ask("performance.getEntriesByType('navigation')[0].responseStatus");
        assert_eq!(code, 200, "{address}");
        let links = browser
            .ask("[...document.querySelectorAll('[href], [src]')].map(e => e.href || e.src)");
        let dangling = browser.ask(
            "[...document.links].filter(link => link.hash && \
             !document.getElementById(link.hash.slice(1))).map(link => link.href)",
        );
        assert_eq!(texts(&dangling), [""; 0], "{address}");
        seen.push(address);
        for link in texts(&links) {
            let link = link.split('#').next().unwrap();
            // A browser saves tables, and does not show them.
            let is_known = seen.iter().chain(&open).any(|known| known == link);
            if !is_known && !link.contains(".csv") {
                open.push(link.to_owned());
            }
        }
    }
    seen.sort_unstable();
    let paths: Vec<&str> =
        seen.iter().map(|address| address[below.len()..].split('?').next().unwrap()).collect();
    for path in ["", "X0", "-/meaning", "api/v1/state", "icon.svg", "metrics", "style.css"] {
        assert!(paths.contains(&path), "{path}: {paths:?}");
    }
}

#[test]
#[ignore = "needs root and Chromium; run by tests/run"]
fn everybody_can_read_it_says_axe() {
    if !in_own_process(everybody_can_read_it_says_axe, OWN_NETWORK) {
        return;
    }
    let axe =
        Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("axe-core-4.10.3/package/axe.min.js");
    let axe = fs::read_to_string(&axe)
        .unwrap_or_else(|error| panic!("{}: {error}; see tests/run", axe.display()));
    let large = week::snapshot(week::roster(1, 120, 2), |_| week::restless(State::Flapping));
    let blind = Snapshot { blindness: snapshot::blindness(true), ..week::every_state() };
    let spans = || vec![(State::Up, 20 * week::HOUR), (State::Outage, 2 * week::HOUR)];
    let outage = || week::snapshot(week::roster(1, 4, 2), |_| spans());
    let in_a_network = || {
        let mut roster = week::roster(1, 2, 2);
        roster.add_network("Star JV", Some(131_279));
        roster.add_block("127.70.0.0/24".parse().unwrap());
        week::snapshot(roster, |_| spans())
    };
    let pictures = [
        ("every state", week::every_state(), "/?hold"),
        ("blind", blind, "/X3?hold&open=why"),
        ("120 blocks", large, "/X0?hold"),
        ("an outage", outage(), "/X0?hold&range=24h&open=why,127.60.0.0/24"),
        ("a block", outage(), "/X0/127.60.1.0/24?hold"),
        ("an incident", outage(), "/X0/incident/2014-12-23T2159Z?hold"),
        ("a country with a network", in_a_network(), "/X0?hold&open=X0/Star%20JV"),
        ("a network", in_a_network(), "/X0/as131279?hold"),
        ("what it means", outage(), "/-/meaning?hold"),
    ];
    let mut browser = Browser::start();
    let mut found = String::new();
    for (name, picture, path) in pictures {
        let temp_dir = TempDir::new("axe");
        let store = week::store(&picture, &temp_dir);
        let server = PageServer::with_past(Some(picture), settings(Some("a test.")), Some(store));
        browser.events.clear();
        for screen in SCREENS {
            browser.open(&server.url(path), screen);
            let code = browser.ask("performance.getEntriesByType('navigation')[0].responseStatus");
            assert_eq!(code, 200, "{name}");
            let overhang = browser
                .ask("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assert_eq!(overhang, 0, "{name}, {screen:?}");
            let wide = browser.ask(
                "[...document.querySelectorAll('body *')].filter(each => each.getBoundingClientRect().right > \
                 document.documentElement.clientWidth + 1).map(each => each.outerHTML.slice(0, 200))",
            );
            assert_eq!(texts(&wide), [""; 0], "{name}, {screen:?}");
            // Whatever it loads is the server's own.
            let elsewhere: Vec<String> = browser
                .all("Network.requestWillBeSent")
                .map(|event| event["request"]["url"].as_str().unwrap().to_owned())
                .filter(|url| !url.starts_with(&server.url("/")))
                .collect();
            assert_eq!(elsewhere, [""; 0], "{name}, {screen:?}");
            browser.ask(&format!("{axe}; 0"));
            let result = browser.ask("axe.run()");
            let passed = result["passes"].as_array().unwrap();
            // It has looked at what matters.
            for rule in ["color-contrast", "html-has-lang", "heading-order", "page-has-heading-one"]
            {
                assert!(passed.iter().any(|pass| pass["id"] == rule), "{name}, {screen:?}: {rule}");
            }
            for violation in result["violations"].as_array().unwrap() {
                let nodes: Vec<_> = violation["nodes"].as_array().unwrap().iter().take(3).collect();
                let nodes = nodes
                    .iter()
                    .map(|node| format!("{}\n    {}", node["html"], node["failureSummary"]));
                let nodes = nodes.collect::<Vec<_>>().join("\n  ");
                let _ = writeln!(
                    found,
                    "{name}, {screen:?}: {}: {}\n  {nodes}",
                    violation["id"], violation["help"]
                );
            }
        }
    }
    assert!(found.is_empty(), "{found}");
}

#[test]
#[ignore = "needs root and Chromium; run by tests/run"]
fn the_demo_shows_a_day_of_flapping_and_then_the_darkness() {
    if !in_own_process(the_demo_shows_a_day_of_flapping_and_then_the_darkness, OWN_NETWORK) {
        return;
    }
    let mut demo =
        Program::start(lifesign(&["demo", "--speed", "2000", "--listen", "127.0.0.1:0"]));
    let address = demo.address();
    let dark: Time = "2014-12-22T16:14:00Z".parse().unwrap();
    // The darkness lasts for seventeen seconds of ours, and a browser takes its time to start.
    let mut browser = Browser::start();
    // Forty hours, at least seventy seconds of ours.
    demo.line(TIMEOUT * 6, "the darkness", |line| {
        Verdict::read(line).filter(|verdict| {
            verdict.scope == "KP" && verdict.to == "outage" && verdict.latest > dark
        })
    });
    let blocks = [176, 177, 178, 179].map(|number| format!("127.45.{number}.0/24")).join(",");
    let open = format!("&open={blocks}");
    // The verdict is told before the picture with it is there.
    until(TIMEOUT, "the picture", || {
        browser.open(&format!("http://{address}/KP?hold&range=7d{open}"), WIDE);
        let title = browser.ask("document.title").as_str().unwrap().to_owned();
        if title.starts_with("✕ KP outage") { Ok(()) } else { Err(title) }
    });
    let banner = browser.ask("document.querySelector('.simulation').innerText");
    assert!(banner.as_str().unwrap().starts_with("Simulation North Korea's four /24s"), "{banner}");
    assert_eq!(browser.ask("document.querySelector('h1 .badge').innerText"), "✕ outage");
    assert_eq!(browser.ask("document.querySelectorAll('.part .hosts li').length"), 24);
    let week = browser.ask(
        "[...document.querySelectorAll('.strip.large rect:not(.gaps):not(.cap)')] \
         .map(bar => bar.className.baseVal)",
    );
    let mut order = texts(&week);
    order.dedup();
    assert_eq!(order.last(), Some(&"outage"), "{week}");
    // The flapping of 25 h is most of what is bad, and no outage within it is hidden.
    let widths = browser.ask(
        "Width = s => [...document.querySelectorAll('.strip.large rect.' + s)] \
         .map(bar => bar.getBoundingClientRect().width).reduce((a, b) => a + b, 0) / \
         document.querySelector('.strip.large').getBoundingClientRect().width; \
         Hours = (() => { const [from, to] = document.querySelector('.ranges span').innerText \
         .split(' UTC')[0].split(' to ') \
         .map(t => Date.parse(t.replace(/^(\\d+ \\w+) (?=\\d\\d:)/, '$1 2014 ') + ' UTC')); \
         return (to - from) / 3600000 })(); \
         ['flapping', 'up', 'cap'].map(s => Width(s) * Hours)",
    );
    let hours: Vec<f64> =
        widths.as_array().unwrap().iter().map(|width| width.as_f64().unwrap()).collect();
    assert!((20.0..26.0).contains(&hours[0]), "{hours:?} hours of flapping and of up");
    assert!((13.0..17.0).contains(&hours[1]), "{hours:?} hours of flapping and of up");
    assert!(hours[2] > 5.0, "{hours:?}");
    assert_eq!(browser.complaints(), [&Value::Null; 0]);
}
