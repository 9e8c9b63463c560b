//! The page as people meet it: how large it is and how long it takes; and in Chromium, in a network namespace of the
//! test's own: each state, the strip beside the episodes, what is asked for, and whether everybody can read it.

#![expect(clippy::unwrap_used, reason = "a test whose stage cannot be set has failed")]

mod browser;
mod support;

use browser::{Browser, Screen, alone};
use lifesign::{
    clock::Time,
    export::{
        Labels, http,
        page::{self, Pace},
    },
    judge::{Edge, State},
    target::{Block, BlockId, Country, CountryId, Host, Kind, Roster, Scope, Target},
    watch::{Mark, Past, Settings, Snapshot, Spell, Watch},
};
use lifesign_web_config::WebConfig;
use serde_json::Value;
use std::{
    fmt::Write as _,
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};
use support::{Program, SOON, Verdict, get, lifesign, until};
use tokio::sync::{mpsc, watch};

const WIDE: Screen = Screen { dark: false, width: 1100 };
const DARK: Screen = Screen { dark: true, width: 1100 };
const PHONE: Screen = Screen { dark: false, width: 360 };
const SCREENS: [Screen; 3] = [WIDE, DARK, PHONE];

/// 2014-12-24T00:00:00Z.
const NOW: Time = Time::from_nanos(1_419_379_200_000_000_000);
const HOUR: u64 = 3600;

/// So many countries of so many blocks of so many hosts, which are asked by ICMP and TCP.
fn roster(countries: u32, blocks: u32, hosts: u32) -> Roster {
    let mut roster = Roster::default();
    for country in 0..countries {
        let first = roster.blocks.len() as u32;
        for block in 0..blocks {
            let number = first + block;
            let start = roster.targets.len() as u32;
            let net = format!("127.{}.{}", 60 + number / 256, number % 256);
            for host in 0..hosts {
                for (probe, kind) in [("icmp", Kind::Icmp), ("tcp/443", Kind::Tcp)] {
                    let host = Host::Address(format!("{net}.{}", 10 + host).parse().unwrap());
                    let (probe, block) = (probe.into(), BlockId(number));
                    roster.targets.push(Target { host, probe, kind, block, interval: None });
                }
            }
            let prefix = format!("{net}.0/24").parse().unwrap();
            let targets = start..roster.targets.len() as u32;
            roster.blocks.push(Block { prefix, country: CountryId(country), targets });
        }
        let (code, name) = (format!("X{country}"), format!("Country {country}"));
        roster.countries.push(Country { code, name, blocks: first..first + blocks });
    }
    roster
}

/// A picture in which every scope has had these states, each from so many seconds before now, and a full week of
/// measurements.
fn picture(roster: Roster, spells: impl Fn(Scope) -> Vec<(State, u64)>) -> Snapshot {
    let roster = Arc::new(roster);
    let mut watch = Watch::new(roster.clone(), &Settings::default(), NOW);
    let blocks = (0..roster.blocks.len() as u32).map(|id| Scope::Block(BlockId(id)));
    let countries = (0..roster.countries.len() as u32).map(|id| Scope::Country(CountryId(id)));
    let marks = (1..=7 * 24 * 60_u32).rev().map(|minute| {
        let noise = f64::from(minute * 7919 % 97) / 97.0;
        (NOW - Duration::from_secs(60) * minute, Mark::new(Some(noise / 10.0), Some(0.2 + noise / 20.0)))
    });
    let marks: Vec<_> = marks.collect();
    for scope in countries.chain(blocks) {
        let mut past = Past::blank();
        for (state, before) in spells(scope) {
            let from = NOW - Duration::from_secs(before);
            let edge = Edge { earliest: Some(from - Duration::from_secs(2)), latest: from };
            past.tell(Spell { state, from, edge });
        }
        for &(at, mark) in &marks {
            past.mark(at, mark);
        }
        watch.past(scope).recall(past);
    }
    let mut snapshot = watch.snapshot(NOW, 0, 0);
    let scopes =
        snapshot.countries.iter_mut().chain(snapshot.blocks.iter_mut().map(|block| &mut block.scope));
    for view in scopes {
        // The last spell but that with which the watch began.
        let present = *view.past.spells().rfind(|spell| spell.from < NOW).unwrap();
        view.standing.state = present.state;
        view.standing.edge = present.edge;
        view.standing.evidence = "7 misses of 7 targets in 5.0 s".into();
    }
    for target in &mut snapshot.targets {
        (target.recent_loss, target.srtt, target.last_life) = (Some(0.05), Some(0.2), Some(NOW));
    }
    snapshot
}

/// A week of everything, and at the end the last state.
fn restless(last: State) -> Vec<(State, u64)> {
    let mut spells = vec![(State::Up, 160 * HOUR), (State::Outage, 100 * HOUR), (State::Up, 90 * HOUR)];
    let day = [
        (State::Flapping, 20),
        (State::Up, 17),
        (State::Outage, 15),
        (State::Up, 14),
        (State::Degraded, 12),
        (State::Unknown, 9),
        (State::Partial, 7),
        (State::Down, 5),
    ];
    spells.extend(day.map(|(state, hours)| (state, hours * HOUR)));
    spells.push((last, 2 * HOUR));
    spells
}

/// Seven countries, each in a state of its own.
fn every_state() -> Snapshot {
    picture(roster(7, 1, 3), |scope| match scope {
        Scope::Country(CountryId(number)) | Scope::Block(BlockId(number)) => {
            restless(State::ALL[number as usize])
        }
    })
}

fn labels(simulation: Option<&str>) -> Labels {
    Labels { vantage: "the lab".into(), per_host: true, simulation: simulation.map(Into::into) }
}

/// A page's bytes, and how long the processor takes for it, on average: others who share the machine do not count.
fn rendered(snapshot: &Snapshot) -> (usize, Duration) {
    const TIMES: u32 = 20;
    let on_processor = || {
        let spent = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        Duration::from_nanos(spent.split(' ').next().unwrap().parse().unwrap())
    };
    let begun = on_processor();
    let pages = (0..TIMES).map(|_| page::of(snapshot, &labels(None), Pace::Follows).into_string().len());
    let bytes = pages.max().unwrap();
    (bytes, on_processor().saturating_sub(begun) / TIMES)
}

#[test]
fn four_blocks_in_full_are_below_200_kilobytes_and_50_milliseconds() {
    // Each strip as broken as it can be: another state in every column.
    let restless =
        (1..480).rev().map(|column| (State::ALL[column as usize % 3], column * 1260)).collect::<Vec<_>>();
    for (name, spells) in [("a restless week", restless), ("a week", self::restless(State::Up))] {
        let (bytes, time) = rendered(&picture(roster(1, 4, 16), |_| spells.clone()));
        println!("{name}: {bytes} bytes, {time:?}");
        assert!(bytes < 200_000, "{name}: {bytes} bytes");
        assert!(!time.is_zero() && time < Duration::from_millis(50), "{name}: {time:?}");
    }
}

#[test]
fn a_country_of_370_blocks_is_below_a_megabyte_and_its_blocks_are_closed() {
    let snapshot = picture(roster(1, 370, 6), |scope| match scope {
        Scope::Block(BlockId(number)) if number % 10 > 0 => vec![(State::Up, 160 * HOUR)],
        _ => restless(State::Partial),
    });
    let (bytes, time) = rendered(&snapshot);
    println!("{bytes} bytes, {time:?}");
    assert!(bytes < 1_000_000, "{bytes} bytes");
    let page = page::of(&snapshot, &labels(None), Pace::Follows).into_string();
    assert_eq!(page.matches("<details").count(), 370);
    assert!(!page.contains(" open>"), "a block is open");
    // Each is one sign at the top, which leads to it.
    for number in [0, 369] {
        assert!(page.contains(&format!("href=\"#block-{number}\"")), "{number}");
        assert!(page.contains(&format!("id=\"block-{number}\"")), "{number}");
    }
    assert!(page.contains("<span>333 <span class=\"badge up\">"), "the tally");
}

#[test]
fn no_name_can_become_markup_anywhere() {
    let nasty = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>&amp;";
    let mut roster = roster(1, 2, 2);
    roster.countries[0].name = nasty.into();
    roster.countries[0].code = nasty.into();
    for target in &mut roster.targets {
        target.host = Host::Name(nasty.into());
        target.probe = nasty.into();
    }
    let mut snapshot = picture(roster, |_| restless(State::Down));
    snapshot.countries[0].standing.evidence = nasty.into();
    snapshot.blocks[0].scope.standing.evidence = nasty.into();
    let labels = Labels { vantage: nasty.into(), per_host: true, simulation: Some(nasty.into()) };
    let page = page::of(&snapshot, &labels, Pace::Holds).into_string();
    for part in ["<script", "<img", "\"'>"] {
        assert!(!page.contains(part), "{part}");
    }
    assert!(page.matches("&lt;script&gt;").count() > 10);
}

/// The real server with this picture.
struct Server {
    address: SocketAddr,
    snapshots: watch::Sender<Option<Arc<Snapshot>>>,
    _labels: watch::Sender<Labels>,
    _thread: JoinHandle<()>,
}

impl Server {
    fn start(snapshot: Snapshot, labels: Labels) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (snapshots, source) = watch::channel(Some(Arc::new(snapshot)));
        let (sender, labels) = watch::channel(labels);
        let (asker, _) = mpsc::channel(1);
        let thread = http::serve(vec![listener], source, labels, asker, WebConfig::unprotected()).unwrap();
        Self { address, snapshots, _labels: sender, _thread: thread }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn texts(found: &Value) -> Vec<&str> {
    found.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
#[ignore = "needs root and Chromium; run by tests/run"]
fn each_state_is_told_by_word_sign_colour_and_height() {
    if !alone("each_state_is_told_by_word_sign_colour_and_height") {
        return;
    }
    let server = Server::start(every_state(), labels(None));
    let mut browser = Browser::start();
    let mut looks = Vec::new();
    for screen in SCREENS {
        browser.open(&server.url("/?hold"), screen);
        let badges = browser.ask("[...document.querySelectorAll('h2 .badge')].map(badge => badge.innerText)");
        let signs = ["●", "◐", "◔", "▼", "≈", "✕", "?"];
        let expected = State::ALL.iter().zip(signs).map(|(state, sign)| format!("{sign} {state}"));
        assert_eq!(texts(&badges), expected.collect::<Vec<_>>(), "{screen:?}");
        // In a strip: no two that are bad alike in height, and none alike in both height and fill.
        let strip = browser.ask(
            "State = s => { const bar = document.querySelector('.country .strip rect.' + s); \
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
        let overhang =
            browser.ask("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(overhang, 0, "{screen:?}");
        assert_eq!(browser.ask("document.scripts.length"), 0);
    }
    assert_ne!(looks[0], looks[1], "dark is another than light");
    let title = browser.ask("document.title");
    assert!(title.as_str().unwrap().starts_with("● X0 up, ◐ X1 degraded, "), "{title}");
    // We are blind: it is said aloud.
    let blind = Snapshot { blind: true, ..every_state() };
    server.snapshots.send_replace(Some(Arc::new(blind)));
    browser.open(&server.url("/?hold"), WIDE);
    let alert = browser.ask("document.querySelector('[role=alert]').innerText");
    assert!(alert.as_str().unwrap().contains("We are blind."), "{alert}");
    assert_eq!(browser.complaints(), [&Value::Null; 0]);
}

#[test]
#[ignore = "needs root and Chromium; run by tests/run"]
fn the_strip_shows_the_episodes() {
    if !alone("the_strip_shows_the_episodes") {
        return;
    }
    let server = Server::start(picture(roster(1, 1, 3), |_| restless(State::Outage)), labels(None));
    let mut browser = Browser::start();
    browser.open(&server.url("/?hold"), WIDE);
    let bars = browser.ask(
        "[...document.querySelectorAll('.country > .strips .strip')].map(strip => { \
         const whole = strip.getBoundingClientRect(); return [...strip.querySelectorAll('rect')].map(bar => { \
         const box = bar.getBoundingClientRect(); return [bar.className.baseVal, \
         (box.left - whole.left) / whole.width, (box.right - whole.left) / whole.width] }) })",
    );
    let rows = browser.ask(
        "[...document.querySelectorAll('.episodes tbody tr')].map(row => { \
         const cells = row.children, time = cell => [...cell.querySelectorAll('time')].map(t => t.dateTime).at(-1); \
         return [cells[0].innerText, cells[1].innerText, time(cells[2]), time(cells[4]) || null] })",
    );
    let episodes: Vec<(String, Time, Time)> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            assert_eq!(row[0], "X0", "the block's episodes are its country's");
            let state = row[1].as_str().unwrap().rsplit(' ').next().unwrap().to_owned();
            let time = |cell: &Value| cell.as_str().map(|text| text.parse().unwrap());
            (state, time(&row[2]).unwrap(), time(&row[3]).unwrap_or(NOW))
        })
        .collect();
    assert_eq!(episodes.len(), 8, "{episodes:?}");
    for (strip, span) in bars.as_array().unwrap().iter().zip([24 * HOUR, 7 * 24 * HOUR]) {
        let begin = NOW - Duration::from_secs(span);
        // One column, and half a pixel.
        let near = Duration::from_secs(span / 480 + span / 1500);
        let drawn: Vec<(String, Time, Time)> = strip
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
        let mut expected: Vec<_> = (episodes.iter().rev())
            .filter(|episode| episode.2 > begin)
            .map(|(state, from, to)| (state.clone(), (*from).max(begin), *to))
            .collect();
        expected.sort_by_key(|episode| episode.1);
        assert_eq!(drawn.len(), expected.len(), "{drawn:?}\n{expected:?}");
        for (drawn, expected) in drawn.iter().zip(&expected) {
            let apart = |one: Time, other: Time| one.since(other).max(other.since(one));
            assert_eq!(drawn.0, expected.0);
            assert!(apart(drawn.1, expected.1) <= near, "{drawn:?} {expected:?}");
            assert!(apart(drawn.2, expected.2) <= near, "{drawn:?} {expected:?}");
        }
    }
    let told = browser.ask("document.querySelector('.country > .strips .strip').getAttribute('aria-label')");
    let told = told.as_str().unwrap();
    assert!(told.starts_with("last 24 h: "), "{told}");
    for part in ["flapping 3 h 0 min", "outage 3 h 0 min", "partial 2 h 0 min", "up "] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
#[ignore = "needs root and Chromium; run by tests/run"]
fn it_follows_by_itself_asks_nobody_else_and_complains_of_nothing() {
    if !alone("it_follows_by_itself_asks_nobody_else_and_complains_of_nothing") {
        return;
    }
    let server = Server::start(every_state(), labels(Some("a test.")));
    let mut browser = Browser::start();
    browser.open(&server.url("/"), WIDE);
    let banner = browser.ask("document.querySelector('.simulation').innerText");
    assert_eq!(banner, "Simulation a test.");
    let mut later = every_state();
    later.countries[0].standing.state = State::Outage;
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
#[ignore = "needs root and Chromium; run by tests/run"]
fn everybody_can_read_it_says_axe() {
    if !alone("everybody_can_read_it_says_axe") {
        return;
    }
    let axe = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("axe-core-4.10.3/package/axe.min.js");
    let axe =
        fs::read_to_string(&axe).unwrap_or_else(|error| panic!("{}: {error}; see tests/run", axe.display()));
    let large = picture(roster(1, 40, 2), |_| restless(State::Flapping));
    let blind = Snapshot { blind: true, ..every_state() };
    let pictures = [("every state", every_state()), ("blind", blind), ("forty blocks", large)];
    let mut browser = Browser::start();
    let mut found = String::new();
    for (name, picture) in pictures {
        let server = Server::start(picture, labels(Some("a test.")));
        for screen in SCREENS {
            browser.open(&server.url("/?hold"), screen);
            browser.ask(&format!("{axe}; 0"));
            let result = browser.ask("axe.run()");
            let passed = result["passes"].as_array().unwrap();
            // It has looked at what matters.
            for rule in ["color-contrast", "svg-img-alt", "html-has-lang", "heading-order"] {
                assert!(passed.iter().any(|pass| pass["id"] == rule), "{name}, {screen:?}: {rule}");
            }
            for violation in result["violations"].as_array().unwrap() {
                let nodes: Vec<_> = violation["nodes"].as_array().unwrap().iter().take(3).collect();
                let nodes =
                    nodes.iter().map(|node| format!("{}\n    {}", node["html"], node["failureSummary"]));
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
    if !alone("the_demo_shows_a_day_of_flapping_and_then_the_darkness") {
        return;
    }
    let mut demo = Program::start(lifesign(&["demo", "--speed", "20000", "--listen", "127.0.0.1:0"]));
    let address = demo.address();
    let dark: Time = "2014-12-22T16:14:00Z".parse().unwrap();
    // Forty hours, at least seven seconds of ours.
    demo.line(SOON * 6, "the darkness", |line| {
        Verdict::read(line)
            .filter(|verdict| verdict.scope == "KP" && verdict.to == "outage" && verdict.latest > dark)
    });
    // The verdict is told before the picture with it is there.
    let body = |page: &str| get(address, page).body;
    until(SOON, "the picture", || {
        if body("/").contains("<title>✕ KP outage") { Ok(()) } else { Err("no outage yet".into()) }
    });
    let mut browser = Browser::start();
    browser.open(&format!("http://{address}/?hold"), WIDE);
    let banner = browser.ask("document.querySelector('.simulation').innerText");
    assert!(banner.as_str().unwrap().starts_with("Simulation North Korea's four /24s"), "{banner}");
    assert_eq!(browser.ask("document.querySelector('h2 .badge').innerText"), "✕ outage");
    assert_eq!(browser.ask("document.querySelectorAll('.block .hosts li').length"), 24);
    let week = browser.ask(
        "[...document.querySelectorAll('.country > .strips .strip')[1].querySelectorAll('rect')] \
         .map(bar => bar.className.baseVal)",
    );
    let mut order = texts(&week);
    order.dedup();
    assert_eq!(order.last(), Some(&"outage"), "{week}");
    // Of the week's strip three and a half days are there; the flapping of 25 h is most of what is bad.
    let widths = browser.ask(
        "Width = s => [...document.querySelectorAll('.country > .strips .strip')[1].querySelectorAll('rect.' + s)] \
         .map(bar => bar.getBoundingClientRect().width).reduce((a, b) => a + b, 0) / \
         document.querySelector('.country > .strips .strip').getBoundingClientRect().width * 168; \
         [Width('flapping'), Width('up')]",
    );
    let hours: Vec<f64> = widths.as_array().unwrap().iter().map(|width| width.as_f64().unwrap()).collect();
    assert!((20.0..26.0).contains(&hours[0]), "{hours:?} hours of flapping and of up");
    assert!((13.0..17.0).contains(&hours[1]), "{hours:?} hours of flapping and of up");
    assert_eq!(browser.complaints(), [&Value::Null; 0]);
}
