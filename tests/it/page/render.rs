//! The pages as text: how large they are and how long they take, and that no name in them can
//! become markup.

use crate::support::{TempDir, page_server, snapshot::SeenTargets, week};
use lifesign_core::{
    judge::{Darknesses, Edge, State},
    scopes::{BlockId, CountryId, Host, Scope},
    time::WallOffset,
    watch::{Settings, Snapshot, Watch},
};
use lifesign_export::pages;
use lifesign_incident::{Episode, StayCount};
use lifesign_page::{Address, Page, Past, Query, Range, Site, View};
use std::{fs, sync::Arc, time::Duration};

const SITE: Site<'static> = Site { vantage: "the lab", contact: None, simulation: None };
const COUNTRY: &str = "/X0";

fn render(snapshot: &Snapshot, path: &str, query: &str, site: Site) -> String {
    let query = Query::parse(query, &Query::OF_PAGES, week::NOW).unwrap();
    let range = query.range.unwrap_or(Range::Week);
    let past = week::past(snapshot, range);
    let address = Address::find(path, query, &snapshot.roster).unwrap();
    render_past(snapshot, &past, &address, site).unwrap()
}

/// The page of this past; None if there is none.
fn render_past(snapshot: &Snapshot, past: &Past, address: &Address, site: Site) -> Option<String> {
    let view = View { snapshot, targets: &SeenTargets, past, site, address };
    lifesign_page::render(&view).map(String::from)
}

/// The bytes of a page, and how long the processor takes for it, on average: others who share the
/// machine do not count.
fn measured(snapshot: &Snapshot, path: &str) -> (usize, Duration) {
    let past = week::past(snapshot, Range::Week);
    let address = Address::find(path, Query::default(), &snapshot.roster).unwrap();
    timed(|| render_past(snapshot, &past, &address, SITE).unwrap().len())
}

/// The same of whatever makes something of so many bytes.
fn timed(make: impl Fn() -> usize) -> (usize, Duration) {
    // The kernel adds up what a thread has used once in some milliseconds.
    const AT_LEAST: Duration = Duration::from_millis(40);
    let on_processor = || {
        let spent = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        Duration::from_nanos(spent.split(' ').next().unwrap().parse().unwrap())
    };
    let begun = on_processor();
    let mut times = 0;
    loop {
        let bytes = make();
        times += 1;
        let spent = on_processor().saturating_sub(begun);
        if spent >= AT_LEAST {
            return (bytes, spent / times);
        }
    }
}

#[test]
fn a_page_of_four_blocks_is_below_60_kilobytes_and_50_milliseconds() {
    // As broken as it can be: another state in every column.
    let restless = (1..120)
        .rev()
        .map(|column| (State::ALL[column as usize % 3 + 2], column * 84 * 60))
        .collect::<Vec<_>>();
    for (name, spans) in [("a restless week", restless), ("a week", week::restless(State::Up))] {
        let snapshot = week::snapshot(week::roster(1, 4, 16), |_| spans.clone());
        for path in ["/", COUNTRY, "/X0/127.60.0.0/24"] {
            let (bytes, time) = measured(&snapshot, path);
            println!("{name}, {path}: {bytes} bytes, {time:?}");
            assert!(bytes < 60_000, "{name}, {path}: {bytes} bytes");
            let short = Duration::from_millis(50);
            assert!(!time.is_zero() && time < short, "{name}, {path}: {time:?}");
        }
    }
}

#[test]
fn a_country_of_5030_blocks_is_below_300_kilobytes_and_200_milliseconds() {
    let roster = Arc::new(week::roster(1, 5030, 1));
    let watch = Watch::new(roster.clone(), &Settings::default(), week::NOW);
    let mut snapshot = watch.snapshot(week::NOW, 0, 0);
    for scope in roster.scopes() {
        snapshot.scopes[roster.scope_id(scope).index()].verdict.state = match scope {
            Scope::Block(BlockId(number)) if number % 40 > 0 => State::Up,
            Scope::Block(BlockId(number)) => State::ALL[number as usize / 40 % 7],
            Scope::Network(_) | Scope::Country(_) => State::Partial,
        };
    }
    let (bytes, time) = measured(&snapshot, COUNTRY);
    println!("{bytes} bytes, {time:?}");
    assert!(bytes < 300_000, "{bytes} bytes");
    assert!(time < Duration::from_millis(200), "{time:?}");
    let page = render(&snapshot, COUNTRY, "", SITE);
    // What differs is named, all else is a tile until it is asked for.
    assert!(page.contains("<span>4922 <span class=\"badge up\">"), "the tally");
    assert!(page.contains(">127.60.40.0/24</a>") && !page.contains(">127.60.1.0/24</a>"));
    assert!(render(&snapshot, COUNTRY, "open=blocks", SITE).contains(">127.60.1.0/24</a>"));
}

/// Every two hours of a year another state of the country, in every month an outage of a twelfth of
/// its blocks, and the same with each maintenance.
fn restless_year(snapshot: &Snapshot) -> Vec<Episode> {
    const YEAR_HOURS: u64 = 365 * 24;
    let episode = |scope: Scope, state, hours: u64, length: u64| {
        let at = |hours: u64| {
            let latest = week::NOW - Duration::from_secs(hours * week::HOUR);
            Edge { earliest: Some(latest - Duration::from_secs(2)), latest }
        };
        Episode {
            scope: snapshot.roster.full_name_of(scope),
            country: snapshot.roster.country_of(scope).code.clone(),
            state,
            found: at(hours).latest,
            begin: at(hours),
            end: Some(at(hours - length)),
            evidence: "7 misses of 7 targets in 5.0 s".into(),
            unseen: Duration::ZERO,
            last_unseen: None,
            paused: None,
            darknesses: Darknesses::default(),
            of_stay: StayCount::default(),
            planned: None,
        }
    };
    let country = (2..YEAR_HOURS / 2).map(|number| {
        let state = [State::Down, State::Flapping, State::Outage, State::Degraded];
        episode(Scope::Country(CountryId(0)), state[number as usize % 4], 2 * number, 1)
    });
    let blocks = (0..snapshot.roster.blocks.len() as u32).flat_map(|block| {
        let hours = u64::from(block % 12 + 1) * 700;
        [0, 3].map(|after| episode(Scope::Block(BlockId(block)), State::Outage, hours - after, 2))
    });
    country.chain(blocks).collect()
}

#[test]
fn every_page_is_read_from_a_restless_year_of_5030_blocks_and_made_in_200_milliseconds() {
    let temp_dir = TempDir::new("page-year");
    let roster = Arc::new(week::roster(1, 5030, 1));
    let watch = Watch::new(roster.clone(), &Settings::default(), week::NOW);
    let snapshot = watch.snapshot(week::NOW, 0, 0);
    let episodes = restless_year(&snapshot);
    let began = week::NOW - Duration::from_secs(365 * 24 * week::HOUR);
    let day = week::Samples { span: Duration::from_secs(600), count: 144 };
    let store = week::store_of(&snapshot, &episodes, began, day, &temp_dir);
    let settings = page_server::settings(None);
    let text = |path: &str| {
        let address = Address::find(path, Query::default(), &roster).unwrap();
        pages::text(Some(&store), &settings, &snapshot, &SeenTargets, &address).unwrap()
    };
    let country = text(COUNTRY);
    assert!(country.contains("And 5001 before."), "{country}");
    let mut links = country.split("href=\"").map(|rest| rest.split('"').next().unwrap());
    let incident = format!("/{}", links.find(|link| link.contains("/incident/")).unwrap());
    for path in [
        "/",
        COUNTRY,
        "/X0/127.60.0.0/24",
        &incident,
        "/X0/feed.atom",
        "/X0/badge.svg",
        "/-/meaning",
    ] {
        let (bytes, time) = timed(|| text(path).len());
        println!("{path}: {bytes} bytes, {time:?}");
        assert!(time < Duration::from_millis(200), "{path}: {time:?}");
    }
}

#[test]
fn what_differs_from_its_country_is_open_unless_the_reader_says_otherwise() {
    let mut snapshot = week::snapshot(week::roster(1, 3, 2), |_| vec![(State::Up, week::HOUR)]);
    let block = |number| snapshot.roster.scope_id(Scope::Block(BlockId(number))).index();
    let at = block(1);
    snapshot.scopes[at].verdict.state = State::Outage;
    let open = |query: &str| {
        let page = render(&snapshot, COUNTRY, query, SITE);
        let rows = page.split("<div class=\"part\" id=\"").skip(1);
        let open = rows.filter(|row| row.contains("<div class=\"more\">"));
        open.map(|row| row.split('"').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(open(""), ["block-1"]);
    assert_eq!(open("open="), [""; 0]);
    assert_eq!(open("open=127.60.0.0/24,127.60.2.0/24"), ["block-0", "block-2"]);
    // A row that is open is closed by its link, and the other stays.
    let page = render(&snapshot, COUNTRY, "open=127.60.0.0/24,127.60.2.0/24", SITE);
    assert!(
        page.contains("href=\"X0?open=127.60.2.0/24#block-0\" aria-label=\"less of "),
        "{page}"
    );
}

#[test]
fn what_is_well_is_closed_beside_what_is_silent() {
    let open = |country: State, of_blocks: [State; 3]| {
        let mut snapshot = week::snapshot(week::roster(1, 3, 2), |_| vec![(country, week::HOUR)]);
        for (number, state) in (0..).zip(of_blocks) {
            let block = snapshot.roster.scope_id(Scope::Block(BlockId(number))).index();
            snapshot.scopes[block].verdict.state = state;
        }
        render(&snapshot, COUNTRY, "", SITE).matches("<div class=\"more\">").count()
    };
    assert_eq!(open(State::Partial, [State::Outage, State::Up, State::Up]), 1);
    assert_eq!(open(State::Degraded, [State::Up, State::Degraded, State::Up]), 0);
    assert_eq!(open(State::Outage, [State::Outage, State::Up, State::Outage]), 1);
}

#[test]
fn a_part_that_went_with_its_country_says_over_a_restart_since_when_it_is_back() {
    let spans = || {
        vec![
            (State::Up, 160 * week::HOUR),
            (State::Outage, 50 * week::HOUR),
            (State::Up, 35 * week::HOUR),
        ]
    };
    let mut snapshot = week::snapshot(week::roster(1, 1, 2), |_| spans());
    for scope in &mut snapshot.scopes {
        scope.verdict.edge = Edge { earliest: None, latest: week::NOW - Duration::from_secs(32) };
    }
    for path in [COUNTRY, "/X0/127.60.0.0/24"] {
        let page = render(&snapshot, path, "", SITE);
        let told = sentence(&page);
        assert!(told.contains("since 22 Dec 13:00"), "{path}: {told}");
    }
}

#[test]
fn what_is_up_names_its_newest_answer_and_all_else_why_it_was_found() {
    let mut snapshot = week::snapshot(week::roster(1, 1, 2), |_| vec![(State::Up, week::HOUR)]);
    let time = snapshot.time;
    for scope in &mut snapshot.scopes {
        scope.verdict.state = State::Up;
        Arc::make_mut(&mut scope.verdict.totals).evidence =
            "last answer to a probe of long ago".into();
        scope.verdict.last_life = Some(time);
    }
    let open = |snapshot: &Snapshot| render(snapshot, COUNTRY, "open=why", SITE);
    let page = open(&snapshot);
    assert!(!page.contains("long ago"), "{page}");
    assert!(page.contains("last answer to a probe of <time datetime"), "{page}");
    for scope in &mut snapshot.scopes {
        scope.verdict.state = State::Outage;
    }
    assert_eq!(open(&snapshot).matches("long ago").count(), 1);
}

#[test]
fn what_flaps_is_told_in_the_present_tense() {
    let mut snapshot =
        week::snapshot(week::roster(1, 1, 2), |_| vec![(State::Flapping, week::HOUR)]);
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let now = snapshot.time;
    let country = snapshot.roster.scope_id(Scope::Country(CountryId(0))).index();
    let verdict = &mut snapshot.scopes[country].verdict;
    let end = Edge::at(now - minutes(9));
    verdict.darknesses.count = 14;
    verdict.darknesses.length = minutes(40);
    verdict.darknesses.last_end = Some(end);
    verdict.calm_at = Some(now + minutes(20));
    let page = render(&snapshot, COUNTRY, "", SITE);
    assert_eq!(
        sentence(&page),
        "unstable since 23 Dec 23:00 UTC (1 h, dark 14 times): answers since 23 Dec 23:51:00 \
         UTC (9 min); it counts as unstable until 24 Dec 00:20:00 UTC"
    );
    snapshot.scopes[country].verdict.calm_at = None;
    snapshot.scopes[country].verdict.last_life = Some(now - minutes(2));
    let page = render(&snapshot, COUNTRY, "", SITE);
    assert!(
        page.contains(
            "UTC (<b>1 h</b>, dark 15 times): <b>cannot be reached just now</b>, since \
             <time datetime=\"2014-12-23T23:58:00.000Z\">23 Dec 23:58:00</time> UTC"
        ),
        "{page}"
    );
}

/// What the sentence of a page says, without markup.
fn sentence(page: &str) -> String {
    let sentence = page.split("<p class=\"sentence\">").nth(1).unwrap();
    let sentence = sentence.split("</p>").next().unwrap();
    sentence.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect()
}

#[test]
fn what_is_unstable_is_so_since_its_phase_began_whatever_the_verdict_is_just_now() {
    let minutes = |minutes: u64| minutes * 60;
    // Up for so short a time that the instability goes on, and then something else.
    let now_it = |state, before| {
        let spans = vec![
            (State::Up, 160 * week::HOUR),
            (State::Flapping, minutes(347)),
            (State::Up, minutes(20)),
            (State::Flapping, minutes(15)),
            (state, minutes(before)),
        ];
        week::snapshot(week::roster(1, 1, 2), |_| spans.clone())
    };
    let told = |snapshot: &Snapshot, path| sentence(&render(snapshot, path, "", SITE));
    let down = now_it(State::Down, 3);
    // The block shares it with its country, but not how often.
    for (path, times) in [("/", ", dark once"), (COUNTRY, ", dark once"), ("/X0/127.60.0.0/24", "")]
    {
        assert_eq!(
            told(&down, path),
            format!(
                "unstable since 23 Dec 18:13 UTC (5 h 47 min{times}): cannot be reached just now, \
                 since 23 Dec 23:56:59 UTC"
            ),
            "{path}"
        );
    }
    let mut flapping = now_it(State::Flapping, 3);
    for scope in &mut flapping.scopes {
        scope.verdict.calm_at = Some(flapping.time + Duration::from_secs(1260));
    }
    assert_eq!(
        told(&flapping, COUNTRY),
        "unstable since 23 Dec 18:13 UTC (5 h 47 min): answers now; it counts as unstable until \
         24 Dec 00:21:00 UTC"
    );
    // The row of its block tells of the same phase.
    let page = render(&flapping, COUNTRY, "", SITE);
    assert_eq!(page.matches("<span class=\"for\">for 5 h 47 min</span>").count(), 1, "{page}");
    // What is dark for so long that this stands for itself is no longer unstable.
    let spans = [(State::Up, 160), (State::Flapping, 30), (State::Outage, 4)];
    let spans = spans.map(|(state, hours)| (state, hours * week::HOUR));
    let outage = week::snapshot(week::roster(1, 1, 2), |_| spans.to_vec());
    assert_eq!(told(&outage, COUNTRY), "cannot be reached since 23 Dec 20:00 UTC, 4 h");
}

/// Sets since when every scope is as it is found to be.
fn found_since(snapshot: &mut Snapshot, earliest: Option<u64>, latest: u64) {
    let before = |seconds| week::NOW - Duration::from_secs(seconds);
    let edge = Edge { earliest: earliest.map(before), latest: before(latest) };
    for scope in &mut snapshot.scopes {
        scope.verdict.edge = edge;
    }
}

#[test]
fn an_edge_that_is_wide_is_told_with_its_uncertainty_and_every_length_is_from_its_middle() {
    let mut snapshot =
        week::snapshot(week::roster(1, 1, 2), |_| vec![(State::Degraded, week::HOUR)]);
    let told = |snapshot: &Snapshot| {
        let country = render(snapshot, COUNTRY, "", SITE);
        let row = country.split("<span class=\"for\">").nth(1).unwrap();
        let badge = render(snapshot, "/X0/badge.svg", "", SITE);
        let badge = badge.split("<title>").nth(1).unwrap().split('<').next().unwrap().to_owned();
        [sentence(&country), row.split('<').next().unwrap().to_owned(), badge]
    };
    found_since(&mut snapshot, Some(300), 220);
    assert_eq!(
        told(&snapshot),
        [
            "can be reached, but worse than usual, since 23 Dec 23:55:40 UTC ± 40 s, 4 min 20 s",
            "for 4 min 20 s ± 40 s",
            "X0: ◐ degraded 4 min 20 s ± 40 s",
        ]
    );
    found_since(&mut snapshot, Some(264), 256);
    assert_eq!(
        told(&snapshot),
        [
            "can be reached, but worse than usual, since 23 Dec 23:55:40 UTC, 4 min 20 s",
            "for 4 min 20 s",
            "X0: ◐ degraded 4 min 20 s",
        ]
    );
}

/// It could be reached all the time.
#[test]
fn what_answered_worse_or_in_part_until_then_is_told_as_usual_again() {
    for state in [State::Degraded, State::Partial] {
        let spans = vec![(state, 600), (State::Up, week::HOUR)];
        let snapshot = week::snapshot(week::roster(1, 1, 2), |_| spans.clone());
        let told = sentence(&render(&snapshot, COUNTRY, "", SITE));
        assert!(told.starts_with("can be reached as usual again since"), "{told}");
    }
}

#[test]
fn what_began_before_a_restart_is_told_since_its_begin() {
    let minutes = |minutes: u64| minutes * 60;
    let restarted = |spans: &[(State, u64)]| {
        let mut snapshot = week::snapshot(week::roster(1, 1, 2), |_| spans.to_vec());
        found_since(&mut snapshot, None, 10);
        snapshot
    };
    let outage = restarted(&[(State::Up, 160 * week::HOUR), (State::Outage, 4 * week::HOUR)]);
    let page = render(&outage, COUNTRY, "open=why", SITE);
    assert_eq!(sentence(&page), "cannot be reached since 23 Dec 20:00 UTC, 4 h");
    assert!(page.contains("<span class=\"for\">for 4 h</span>"), "{page}");
    assert!(!page.contains("ince before "), "{page}");
    assert!(render(&outage, "/X0/badge.svg", "", SITE).contains("<title>X0: ✕ outage 4 h</title>"));
    let unstable = [
        (State::Up, 160 * week::HOUR),
        (State::Flapping, minutes(347)),
        (State::Up, minutes(20)),
        (State::Down, minutes(3)),
    ];
    assert_eq!(
        sentence(&render(&restarted(&unstable), COUNTRY, "", SITE)),
        "unstable since 23 Dec 18:13 UTC (5 h 47 min, dark once): cannot be reached just now, since \
         23 Dec 23:56:59 UTC"
    );
}

#[test]
fn what_is_back_is_not_said_to_be_over_before_it_is() {
    let hours = |hours: u64| hours * week::HOUR;
    let back = |ago: u64| {
        let spans =
            vec![(State::Up, hours(160)), (State::Outage, hours(ago + 2)), (State::Up, hours(ago))];
        week::snapshot(week::roster(1, 1, 2), |_| spans.clone())
    };
    let told = |ago, path| sentence(&render(&back(ago), path, "", SITE));
    // The block shares it with its country.
    for path in ["/", COUNTRY, "/X0/127.60.0.0/24"] {
        assert_eq!(
            told(18, path),
            "can be reached again since 23 Dec 06:00 UTC, 18 h; the incident is not over before 24 Dec 06:00 UTC",
            "{path}"
        );
        let long = told(30, path);
        assert!(long.ends_with(", 30 h") && long.starts_with("can be reached since"), "{long}");
    }
    // Also the time of today has its date beside the one of tomorrow.
    let mut today = back(3);
    today.wall_offset = WallOffset::from(-3_600_000_000_000);
    assert_eq!(
        sentence(&render(&today, COUNTRY, "", SITE)),
        "can be reached again since 23 Dec 21:00 UTC, 2 h; the incident is not over before 24 Dec \
         21:00 UTC"
    );
    let page = render(&back(18), "/X0/incident/2014-12-23T0359Z", "", SITE);
    let told: String =
        page.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text).collect();
    assert!(told.contains("and is not over before 24 Dec 06:00 UTC: 20 h ± 1 s so far;"), "{told}");
}

#[test]
fn an_incident_has_a_page_with_its_phases_and_its_neighbours() {
    let hours = |hours: u64| hours * week::HOUR;
    let spans = [
        (State::Up, hours(160)),
        (State::Outage, hours(100)),
        (State::Up, hours(90)),
        (State::Outage, hours(20)),
        (State::Up, hours(18)),
    ];
    let snapshot = week::snapshot(week::roster(1, 1, 2), |_| spans.to_vec());
    let country = render(&snapshot, COUNTRY, "", SITE);
    for part in [
        "<a href=\"X0/incident/2014-12-23T0359Z\">23 Dec 2014 04:00 UTC</a> unreachable for 2 h \
         <span class=\"chip\">not over</span>",
        "unreachable for 10 h</li>",
        "can be reached again since",
    ] {
        assert!(country.contains(part), "{part}: {country}");
    }
    // The block had the same, and is not told of.
    assert_eq!(country.matches("/incident/").count(), 2, "{country}");
    let first = render(&snapshot, "/X0/incident/2014-12-19T1959Z", "", SITE);
    for part in [
        "<h1>Country 0 <small>19 Dec 2014 20:00 UTC</small></h1>",
        "Country 0 was unreachable from 19 Dec 2014 20:00 for 10 h",
        "<th scope=\"row\">outage</th>",
        "2014-12-19 19:59:59 ± 1 s</time>",
        "rel=\"next\" href=\"../../X0/incident/2014-12-23T0359Z\"",
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
    let query = Query::default();
    let address = Address::find("/X0/incident/2014-12-19T1958Z", query, &snapshot.roster).unwrap();
    assert!(matches!(address.page, Page::Incident(..)));
    let mut past = week::past(&snapshot, Range::Week);
    assert_eq!(render_past(&snapshot, &past, &address, SITE), None);
    // Nobody saw it begin, and it was dark for a fiftieth of it.
    let phase = &mut past.incidents[0].phases[0];
    phase.begin.earliest = None;
    phase.dark /= 50;
    let path = format!("/X0/incident/{}", past.incidents[0].id());
    let address = Address::find(&path, Query::default(), &snapshot.roster).unwrap();
    let page = render_past(&snapshot, &past, &address, SITE).unwrap();
    assert!(page.contains("<p>It began before <time"), "{page}");
    assert!(page.contains(" (2.0 %)</td>"), "{page}");
}

#[test]
fn where_nobody_watched_says_so_and_the_axis_begins_when_the_watching_did() {
    let spans = || vec![(State::Up, 160 * week::HOUR), (State::Outage, 130 * week::HOUR)];
    let snapshot = week::snapshot(week::roster(1, 1, 2), |_| spans());
    let mut past = week::past(&snapshot, Range::All);
    let (began, now) = past.watched[0];
    let hours = |hours: u64| Duration::from_secs(hours * week::HOUR);
    past.watched = vec![(began, began + hours(40)), (now - hours(40), now)];
    let query = Query::parse("range=400d", &Query::OF_PAGES, week::NOW).unwrap();
    let address = Address::find(COUNTRY, query, &snapshot.roster).unwrap();
    let page = render_past(&snapshot, &past, &address, SITE).unwrap();
    for part in [
        "aria-label=\"6 d 16 h: outage, not watched 3 d 8 h, outage 2 d 2 h, up 30 h\"",
        "<rect class=\"outage\" x=\"25%\" width=\"50%\" fill=\"url(#unwatched)\"><title>outage, not watched, 19 Dec 2014",
        "17 Dec 2014 08:00 to 24 Dec 00:00 UTC; nobody watched before",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // A week holds it all.
    let links: Vec<&str> = page.split("<a class=\"beyond\" href=\"").skip(1).collect();
    let links = links.iter().map(|link| link.split('"').next().unwrap()).collect::<Vec<_>>();
    assert_eq!(links, ["X0?range=30d", "X0?range=400d"]);
}

#[test]
fn what_nobody_could_see_of_what_goes_on_is_unknown_in_the_strip_and_in_its_words() {
    let spans = || vec![(State::Up, 160 * week::HOUR), (State::Outage, 130 * week::HOUR)];
    let mut snapshot = week::snapshot(week::roster(1, 1, 2), |_| spans());
    let ago = |hours: u64| week::NOW - Duration::from_secs(hours * week::HOUR);
    let edge = |latest| Edge { earliest: None, latest };
    snapshot.started = ago(160);
    let mut past = week::past(&snapshot, Range::All);
    // Blind within the outage, which goes on; and nothing known of the first columns.
    past.episodes.push(Episode {
        scope: "X0".into(),
        state: State::Unknown,
        begin: edge(ago(100)),
        end: Some(edge(ago(80))),
        ..past.episodes[0].clone()
    });
    for point in &mut past.points.get_mut("X0").unwrap()[..15] {
        point.is_unknown = true;
    }
    let address = Address::find(COUNTRY, Query::default(), &snapshot.roster).unwrap();
    let page = render_past(&snapshot, &past, &address, SITE).unwrap();
    for part in [
        "aria-label=\"6 d 16 h: outage 4 d 14 h, unknown 40 h, up 10 h\"",
        "<title>unknown, 17 Dec 2014 08:00 to 18 Dec 04:00 UTC (20 h)</title>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

/// The ids and titles of the feed's entries.
fn entries(snapshot: &Snapshot) -> Vec<(String, String)> {
    let feed = render(snapshot, "/X0/feed.atom", "", SITE);
    let between = |entry: &str, tag: &str| {
        let text = entry.split(&format!("<{tag}>")).nth(1).unwrap();
        text.split('<').next().unwrap().to_owned()
    };
    let entries = feed.split("<entry>").skip(1);
    entries.map(|entry| (between(entry, "id"), between(entry, "title"))).collect()
}

#[test]
fn an_entry_of_the_feed_has_one_id_while_a_darkness_grows_into_an_outage() {
    let found = |state| {
        let spans = move |_| vec![(State::Up, 160 * week::HOUR), (state, 2 * week::HOUR)];
        entries(&week::snapshot(week::roster(1, 1, 2), spans))
    };
    let before = found(State::Down);
    assert!(before.iter().any(|(_, title)| title == "Country 0 is unreachable"), "{before:?}");
    assert_eq!(before, found(State::Outage));
    assert_ne!(before, found(State::Flapping));
}

#[test]
fn no_name_can_become_markup_anywhere() {
    let nasty = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>&amp;";
    let mut roster = week::roster(1, 2, 2);
    roster.countries[0].name = nasty.into();
    roster.countries[0].code = nasty.into();
    for target in &mut roster.targets {
        target.host = Host::Name(nasty.into());
        target.probe = nasty.into();
    }
    let mut snapshot = week::snapshot(roster, |_| week::restless(State::Down));
    for scope in &mut snapshot.scopes {
        Arc::make_mut(&mut scope.verdict.totals).evidence = nasty.into();
    }
    let site = Site { vantage: nasty, contact: Some(nasty), simulation: Some(nasty) };
    let code = "/%22%27%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E%3Cimg%20src%3Dx%20onerror%3Dalert%282%29%3E%26amp%3B";
    let country = render(&snapshot, code, "hold&open=why,127.60.0.0/24,127.60.1.0/24", site);
    assert!(country.matches("&lt;script&gt;").count() > 10);
    let link = country.split("/incident/").nth(1).unwrap().split('"').next().unwrap();
    for page in [
        render(&snapshot, "/", "", site),
        render(&snapshot, "/-/meaning", "", site),
        render(&snapshot, &format!("{code}/127.60.0.0/24"), "open=why", site),
        render(&snapshot, &format!("{code}/incident/{link}"), "", site),
        country,
    ] {
        for part in ["<script", "<img", "\"'>"] {
            assert!(!page.contains(part), "{part}: {page}");
        }
    }
}
