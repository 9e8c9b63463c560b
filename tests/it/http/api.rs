//! What programs get beside metrics: JSON by its schema, CSV with the same keys, a feed, a badge.

use crate::support::{
    TempDir, done,
    golden::text,
    lifesign,
    page_server::{PageServer, settings},
    schema, snapshot, week,
};
use lifesign_core::{
    judge::{Darknesses, Edge, State},
    scopes::{BlockId, CountryId, Scope},
    watch::Snapshot,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// An outage of ten hours, a day well, and one that is not over; of the second block of two, one of
/// its own too.
fn start(temp_dir: &TempDir) -> (PageServer, Snapshot) {
    let hours = |hours: u64| hours * week::HOUR;
    let snapshot = week::snapshot(week::roster(1, 2, 2), |scope| {
        let mut spans = vec![
            (State::Up, hours(160)),
            (State::Outage, hours(100)),
            (State::Up, hours(90)),
            (State::Outage, hours(20)),
        ];
        if scope == Scope::Block(BlockId(1)) {
            spans.insert(3, (State::Up, hours(39)));
            spans.insert(3, (State::Outage, hours(40)));
        }
        spans
    });
    let store = week::store(&snapshot, temp_dir);
    let base = rusqlite::Connection::open(&store).unwrap();
    let window =
        "INSERT INTO maintenance VALUES ('X0', 1419300000000, 1419400000000, 'a <b>cable')";
    base.execute(window, []).unwrap();
    // In the block's own outage.
    let place = "INSERT INTO place VALUES ('127.60.1.0/24', 1419236000000, NULL, 'X0', 'inside',
        'inside: dark beyond 192.0.2.1')";
    base.execute(place, []).unwrap();
    (PageServer::with_past(Some(snapshot.clone()), settings(None), Some(store)), snapshot)
}

fn ask(server: &PageServer, path: &str) -> Value {
    let answer = server.ask("GET", path);
    assert_eq!(answer.code, 200, "{path}: {}", answer.body);
    assert!(answer.head.contains("content-type: application/json"), "{}", answer.head);
    serde_json::from_str(&answer.body).unwrap()
}

/// Rows of CSV without quotes in them, by column.
fn csv(server: &PageServer, path: &str) -> Vec<Vec<(String, String)>> {
    let answer = server.ask("GET", path);
    assert_eq!(answer.code, 200, "{path}: {}", answer.body);
    assert!(answer.head.contains("content-type: text/csv"), "{}", answer.head);
    let mut lines = answer.body.split_terminator("\r\n");
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.len(), columns.len(), "{line}");
        columns.iter().zip(cells).map(|(key, cell)| ((*key).to_owned(), cell.to_owned())).collect()
    };
    lines.map(row).collect()
}

#[test]
fn every_answer_is_as_its_schema_says() {
    let schema: Value = serde_json::from_str(&text("docs/api.schema.json")).unwrap();
    let temp_dir = TempDir::new("api-schema");
    let (server, _) = start(&temp_dir);
    let every_field = PageServer::start(Some(snapshot::in_a_network()), settings(None));
    for (server, path, name) in [
        (&every_field, "/api/v1/state", "state"),
        (&every_field, "/api/v1/state?scope=as131279", "state"),
        (&every_field, "/api/v1/state?scope=kp/AS131279", "state"),
        (&server, "/api/v1/state", "state"),
        (&server, "/api/v1/incidents", "incidents"),
        (&server, "/api/v1/episodes?scope=X0", "episodes"),
        (&server, "/api/v1/series?range=6h", "series"),
    ] {
        let answer = ask(server, path);
        assert_eq!(schema::problems(&schema, name, &answer), [""; 0], "{path}");
        if name != "state" {
            assert!(!answer[name].as_array().unwrap().is_empty(), "{path}");
        }
    }
    // It says so where something is missing, too much, or of another kind.
    let mut wrong = ask(&server, "/api/v1/episodes");
    let episode = &mut wrong["episodes"][0];
    episode.as_object_mut().unwrap().remove("found");
    episode["state"] = json!("gone");
    episode["seconds"] = json!("1");
    episode["more"] = json!(1);
    assert_eq!(schema::problems(&schema, "episodes", &wrong).len(), 4);
}

#[test]
fn incidents_are_told_with_their_phases_and_what_was_shared_only_once() {
    let temp_dir = TempDir::new("api-incidents");
    let (server, _) = start(&temp_dir);
    let incidents = ask(&server, "/api/v1/incidents?scope=X0")["incidents"].clone();
    let told: Vec<Value> = (incidents.as_array().unwrap().iter())
        .map(|each| {
            json!([
                each["scope"],
                each["id"],
                each["over"],
                each["phases"][0]["phase"],
                each["phases"][0]["seconds"],
                each["phases"][0]["place"],
                each["phases"][0]["place_sentence"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["X0", "2014-12-19T1959Z", true, "outage", 36_000.0, null, null]),
            json!([
                "127.60.1.0/24",
                "2014-12-22T0759Z",
                true,
                "outage",
                3600.0,
                "inside",
                "inside: dark beyond 192.0.2.1"
            ]),
            json!(["X0", "2014-12-23T0359Z", false, "outage", 72_001.0, null, null]),
        ]
    );
    // That of the block was over a day after its end.
    for (range, incidents) in [("range=24h", 2), ("range=6h", 1)] {
        let late = ask(&server, &format!("/api/v1/incidents?{range}"))["incidents"].clone();
        assert_eq!(late.as_array().unwrap().len(), incidents, "{range}");
    }
    let of_block = ask(&server, "/api/v1/incidents?scope=127.60.1.0/24");
    assert_eq!(of_block["incidents"].as_array().unwrap().len(), 1);
    assert_eq!(of_block["scope"], "127.60.1.0/24");
    // Who reads of a block alone is told where the rest is, if there is any.
    assert_eq!(of_block["told_with"], "X0");
    let shared = ask(&server, "/api/v1/incidents?scope=127.60.0.0/24");
    assert_eq!((&shared["incidents"], &shared["told_with"]), (&json!([]), &json!("X0")));
    let of_its_own = "scope=127.60.1.0/24&from=2014-12-22T07:00Z&to=2014-12-22T10:00Z";
    for query in ["scope=X0", "range=7d", of_its_own] {
        let told = ask(&server, &format!("/api/v1/incidents?{query}"));
        assert!(told["told_with"].is_null() && told["incidents"][0].is_object(), "{query}: {told}");
    }
    let store = temp_dir.path(lifesign_store::FILE_NAME);
    let list = |more: &[&str]| {
        done(lifesign(&[&["episodes", "--since", "2014-12-01", "--db", &store], more].concat()))
    };
    let (code, out, err) = list(&["--scope", "127.60.0.0/24"]);
    assert_eq!((code, out.as_str()), (0, ""));
    let said = "what 127.60.0.0/24 shared with X0 is told with that: --scope X0; --all lists every \
                stay of 127.60.0.0/24 in another state than up";
    assert_eq!(err, format!("lifesign: no incidents of its own; {said}"));
    let (code, out, err) = list(&["--scope", "127.60.1.0/24"]);
    assert!(code == 0 && out.starts_with("X0 127.60.1.0/24 2014-12-22T0759Z"), "{out}");
    assert_eq!(err, format!("lifesign: {}", said.replace("60.0.0", "60.1.0")));
    assert_eq!(list(&["--scope", "x0"]).2, "");
    assert_eq!(list(&["--scope", "127.60.0.0/24", "--all"]).2, "");
}

#[test]
fn csv_has_the_keys_of_json_with_the_same_values() {
    let temp_dir = TempDir::new("api-csv");
    let (server, _) = start(&temp_dir);
    for (name, query) in [("incidents", ""), ("episodes", "?scope=X0"), ("series", "?range=1h")] {
        let json = ask(&server, &format!("/api/v1/{name}{query}"))[name].clone();
        let mut expected = Vec::new();
        for row in json.as_array().unwrap() {
            let mut row = row.as_object().unwrap().clone();
            let phases = row.remove("phases").unwrap_or(json!([{}]));
            for phase in phases.as_array().unwrap() {
                let mut all = row.clone();
                all.extend(phase.as_object().unwrap().clone());
                expected.push(all);
            }
        }
        let rows = csv(&server, &format!("/api/v1/{name}.csv{query}"));
        assert_eq!(rows.len(), expected.len(), "{name}");
        for (row, expected) in rows.iter().zip(&expected) {
            let keys: BTreeSet<&str> = row.iter().map(|(key, _)| key.as_str()).collect();
            assert_eq!(keys, expected.keys().map(String::as_str).collect(), "{name}");
            for (key, cell) in row {
                let number = expected[key].as_f64().filter(|_| !cell.is_empty());
                if let (Some(number), Ok(cell)) = (number, cell.parse::<f64>()) {
                    assert!((number - cell).abs() < 1e-9, "{name}: {key}");
                    continue;
                }
                let value = match &expected[key] {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                assert_eq!(*cell, value, "{name}: {key}");
            }
        }
    }
}

#[test]
fn the_command_line_writes_the_rows_of_the_api() {
    let temp_dir = TempDir::new("api-rows");
    let (server, _) = start(&temp_dir);
    let store = temp_dir.path(lifesign_store::FILE_NAME);
    for (name, all) in [("incidents", &[][..]), ("episodes", &["--all"])] {
        let list = |format| {
            let list = ["episodes", "--since", "2014-12-01", "--db", &store, format];
            let (code, out, err) = done(lifesign(&[&list, all].concat()));
            assert_eq!((code, &*err), (0, ""));
            out
        };
        // What goes on has lasted up to another time.
        let is_over = |row: &Value| row["over"] == true || row["end_latest"].is_string();
        let of_api = ask(&server, &format!("/api/v1/{name}"))[name].clone();
        let printed: Vec<Value> =
            list("--json").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of_api = of_api.as_array().unwrap();
        assert_eq!(printed.len(), of_api.len(), "{name}");
        for (printed, of_api) in printed.iter().zip(of_api) {
            if is_over(of_api) {
                assert_eq!(printed, of_api, "{name}");
            }
            let keys = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(printed), keys(of_api), "{name}");
        }
        let answer = server.ask("GET", &format!("/api/v1/{name}.csv")).body;
        assert_eq!(list("--csv").lines().next(), answer.lines().next(), "{name}");
    }
}

#[test]
fn what_is_asked_wrongly_is_said() {
    let temp_dir = TempDir::new("api-wrong");
    let (server, _) = start(&temp_dir);
    for (path, code, said) in [
        ("/api/v1/incidents?range=1w", 400, "\"1w\" is no range: 1h, 6h, 24h, 7d, 30d or 400d\n"),
        (
            "/api/v1/series?scope=XX",
            404,
            "nothing is known of \"XX\"; there are X0; of what is in them, the nearest are \
             127.60.0.0/24, 127.60.1.0/24\n",
        ),
    ] {
        let answer = server.ask("GET", path);
        assert_eq!((answer.code, answer.body.as_str()), (code, said));
    }
}

#[test]
fn times_are_as_the_command_line_takes_them() {
    let temp_dir = TempDir::new("api-times");
    let (server, _) = start(&temp_dir);
    let count = |query| {
        let answer = ask(&server, &format!("/api/v1/incidents?scope=X0&{query}"));
        answer["incidents"].as_array().unwrap().len()
    };
    assert_eq!((count("from=2014-12-19"), count("from=2014-12-19&to=2014-12-20")), (3, 1));
    assert_eq!((count("from=1d"), count("from=12h"), count("from=7d&to=3d12h")), (2, 1, 1));
}

#[test]
fn rows_that_cannot_be_read_are_counted() {
    let temp_dir = TempDir::new("api-broken");
    let (server, _) = start(&temp_dir);
    let base = rusqlite::Connection::open(temp_dir.join(lifesign_store::FILE_NAME)).unwrap();
    for name in ["incidents", "episodes", "series"] {
        assert_eq!(ask(&server, &format!("/api/v1/{name}"))["unreadable_rows"], 0, "{name}");
        let head = server.ask("GET", &format!("/api/v1/{name}.csv")).head;
        assert!(!head.contains("unreadable"), "{name}: {head}");
    }
    let gone = "UPDATE episode SET state = 'gone' WHERE scope LIKE '127.60.1.%'";
    let broken = base.execute(gone, []).unwrap();
    for name in ["incidents", "episodes"] {
        let path = format!("/api/v1/{name}?range=30d");
        assert_eq!(ask(&server, &path)["unreadable_rows"], broken, "{name}");
        // CSV has no place for it.
        for path in [path, format!("/api/v1/{name}.csv?range=30d")] {
            let head = server.ask("GET", &path).head;
            let said = format!("lifesign-unreadable-rows: {broken}");
            assert!(head.lines().any(|line| line == said), "{path}: {head}");
        }
    }
}

#[test]
fn what_needs_the_store_says_so_where_it_cannot_be_read() {
    let temp_dir = TempDir::new("api-unreadable");
    let (server, _) = start(&temp_dir);
    std::fs::write(temp_dir.join(lifesign_store::FILE_NAME), "this is none").unwrap();
    for path in [
        "/api/v1/incidents",
        "/api/v1/episodes",
        "/api/v1/episodes.csv?scope=X0",
        "/api/v1/series?scope=XX",
        "/X0/feed.atom",
        "/X0/incident/2014-12-19T1959Z",
    ] {
        let answer = server.ask("GET", path);
        assert_eq!(
            (answer.code, answer.body.as_str()),
            (503, "what was before cannot be read: it is no store, or damaged\n"),
            "{path}"
        );
    }
    // What shows only the present does not need it.
    assert!(!server.ask("GET", "/-/meaning").body.contains("cannot be read"));
    for path in ["/", "/X0"] {
        let page = server.ask("GET", path);
        assert_eq!(page.code, 200, "{path}");
        let said = "What was before cannot be read: it is no store, or damaged";
        assert_eq!(page.body.matches(said).count(), 1, "{path}: {}", page.body);
    }
    assert_eq!(server.ask("GET", "/X0/badge.svg").code, 200);
}

#[test]
fn the_state_and_the_metrics_tell_of_one_present_incident() {
    let temp_dir = TempDir::new("api-present");
    let (server, _) = start(&temp_dir);
    let incident = ask(&server, "/api/v1/state")["countries"][0]["incident"].clone();
    assert_eq!(
        incident,
        json!({
            "begin_earliest": "2014-12-23T03:59:58.000Z",
            "begin_latest": "2014-12-23T04:00:00.000Z",
            "phase": "outage",
            "darknesses": 1,
            "sentence": "Country 0 has been unreachable since 23 Dec 2014 04:00 UTC, for 20 h so far.",
        })
    );
    let metrics = server.ask("GET", "/metrics").body;
    for line in [
        "lifesign_country_incident_since_timestamp_seconds{country=\"X0\"} 1419307200\n",
        "lifesign_country_incident_phase{country=\"X0\",phase=\"outage\"} 1\n",
        "lifesign_country_incident_phase{country=\"X0\",phase=\"up\"} 0\n",
    ] {
        assert_eq!(metrics.matches(line).count(), 1, "{line}");
    }
}

#[test]
fn the_darknesses_of_a_flapping_that_goes_on_are_as_many_wherever_it_is_asked() {
    let temp_dir = TempDir::new("api-flapping");
    let mut snapshot =
        week::snapshot(week::roster(1, 1, 2), |_| vec![(State::Flapping, week::HOUR)]);
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let country = snapshot.roster.scope_id(Scope::Country(CountryId(0))).index();
    let edge = |before: u64| {
        let time = snapshot.time - minutes(before);
        Edge::at(time)
    };
    let stay = |count, length, last| Darknesses {
        count,
        ..Darknesses::one(minutes(length), edge(60), Some(edge(last)))
    };
    // Two more have ended since the store was written, and one goes on.
    let now = stay(14, 40, 9);
    let mut episodes = week::episodes(&snapshot);
    for episode in episodes.iter_mut().filter(|episode| episode.scope == "X0") {
        episode.count_stay(stay(12, 30, 10));
    }
    snapshot.scopes[country].verdict.darknesses = now;
    let began = week::NOW - Duration::from_secs(160 * week::HOUR);
    let samples = week::Samples { span: minutes(1), count: 60 };
    let store = week::store_of(&snapshot, &episodes, began, samples, &temp_dir);
    let server = PageServer::with_past(Some(snapshot), settings(None), Some(store));
    let incidents = ask(&server, "/api/v1/incidents?scope=X0");
    assert_eq!(incidents["incidents"][0]["phases"][0]["darknesses"], 15);
    let incident = &ask(&server, "/api/v1/state")["countries"][0]["incident"];
    assert_eq!(incident["darknesses"], 15);
    let page = server.ask("GET", "/X0").body;
    assert!(page.contains("dark 15 times"), "{page}");
}

/// Every tag that is opened is closed, and there is one root.
fn is_well_formed(xml: &str) -> bool {
    let body = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n").unwrap_or(xml);
    let mut open: Vec<&str> = Vec::new();
    for tag in body.split('<').skip(1) {
        let Some((tag, _)) = tag.split_once('>') else { return false };
        let first = tag.split(' ').next().unwrap_or_default();
        match first.strip_prefix('/') {
            Some(closed) if open.pop() == Some(closed) => {}
            Some(_) => return false,
            None => open.push(first),
        }
    }
    open.is_empty()
}

/// The text of an element.
fn part(entry: &str, name: &str) -> String {
    let inner = entry.split(&format!("<{name}>")).nth(1).unwrap();
    inner.split('<').next().unwrap().to_owned()
}

#[test]
fn the_feed_tells_of_incidents_as_they_begin_change_and_end() {
    let temp_dir = TempDir::new("api-feed");
    let (server, _) = start(&temp_dir);
    let answer = server.ask("GET", "/X0/feed.atom");
    assert_eq!(answer.code, 200);
    assert!(answer.head.contains("content-type: application/atom+xml; charset=utf-8"));
    assert!(!answer.head.contains("refresh:"), "{}", answer.head);
    let feed = answer.body;
    assert!(is_well_formed(&feed), "{feed}");
    let entries: Vec<&str> = feed.split("<entry>").skip(1).collect();
    let titles: Vec<String> = entries.iter().map(|entry| part(entry, "title")).collect();
    assert_eq!(
        titles,
        [
            "127.60.1.0/24 has been well for a day: the incident is over",
            "Country 0 is unreachable",
            "127.60.1.0/24 is unreachable",
            "Country 0 has been well for a day: the incident is over",
            "Country 0 is unreachable",
        ]
    );
    assert_eq!(part(entries[1], "updated"), "2014-12-23T04:00:00.000Z");
    // As the incident's page has it.
    let page = server.ask("GET", "/X0/incident/2014-12-23T0359Z").body;
    let summary = "Country 0 has been unreachable since 23 Dec 2014 04:00 UTC, for 20 h so far.";
    assert_eq!(part(entries[1], "summary"), summary);
    assert!(page.contains(&format!("<p class=\"sentence\">{summary}</p>")), "{page}");
    assert!(
        entries[2].contains("href=\"../X0/127.60.1.0/24/incident/2014-12-22T0759Z\""),
        "{feed}"
    );
    // RFC 4287 §4.1.1: exactly one id, title and updated; an author; and no two entries are one.
    let head = feed.split("<entry>").next().unwrap();
    for name in ["id", "title", "updated"] {
        assert_eq!(head.matches(&format!("<{name}>")).count(), 1, "{name}: {head}");
        for entry in &entries {
            assert_eq!(entry.matches(&format!("<{name}>")).count(), 1, "{name}: {entry}");
        }
    }
    assert!(head.contains("<author><name>the lab</name></author>"), "{head}");
    let ids: BTreeSet<String> = entries.iter().map(|entry| part(entry, "id")).collect();
    assert_eq!(ids.len(), entries.len());
    assert!(ids.iter().all(|id| id.starts_with("urn:uuid:") && id.len() == 45), "{ids:?}");
    assert_eq!(server.ask("GET", "/X0/127.60.1.0/24/feed.atom").code, 404);
}

#[test]
fn no_entry_of_a_feed_becomes_another_when_its_incident_goes_on() {
    let temp_dir = TempDir::new("api-feed-ids");
    let (server, snapshot) = start(&temp_dir);
    let base = rusqlite::Connection::open(temp_dir.join(lifesign_store::FILE_NAME)).unwrap();
    let dark_after = |minutes: u64| {
        let begin = week::NOW - Duration::from_secs(130 * week::HOUR - 60 * minutes);
        let begin = (begin.as_nanos() / 1_000_000) as i64;
        let dark = "INSERT INTO episode (scope, found, country, state, begin_earliest, begin_latest, \
                    end_earliest, end_latest, unseen, evidence) \
                    VALUES ('127.60.0.0/24', ?1, 'X0', 'down', ?1, ?1, ?2, ?2, 0, '')";
        assert_eq!(base.execute(dark, [begin, begin + 60_000]).unwrap(), 1);
        server.snapshots.send_replace(Some(Arc::new(snapshot.clone())));
        let feed = server.ask("GET", "/X0/feed.atom").body;
        let entries = feed.split("<entry>").skip(1);
        let told = entries.map(|entry| {
            (part(entry, "id"), [part(entry, "title"), part(entry, "updated")].join(" "))
        });
        told.filter(|(_, what)| what.contains("127.60.0.0/24 is")).collect::<BTreeMap<_, _>>()
    };
    let words = |told: &BTreeMap<String, String>| told.values().cloned().collect::<BTreeSet<_>>();
    dark_after(0);
    let two = dark_after(10);
    let three = dark_after(20);
    assert_eq!(two.len(), 3, "{two:?}");
    assert_eq!(
        words(&three),
        BTreeSet::from(["127.60.0.0/24 is unstable 2014-12-18T14:00:00.000Z".to_owned()])
    );
    for (id, what) in &three {
        assert!(two.get(id).is_none_or(|before| before == what), "{two:?}, then {three:?}");
    }
}

#[test]
fn what_an_incident_page_links_to_for_programs_is_of_its_own_time() {
    let temp_dir = TempDir::new("api-range");
    let (server, _) = start(&temp_dir);
    let page = server.ask("GET", "/X0/incident/2014-12-19T1959Z").body;
    let link = page.split("href=\"../../api/v1/incidents?").nth(1).expect(&page);
    let query = link.split('"').next().unwrap().replace("&amp;", "&");
    let incidents = ask(&server, &format!("/api/v1/incidents?{query}"))["incidents"].clone();
    let ids: Vec<&Value> =
        incidents.as_array().unwrap().iter().map(|incident| &incident["id"]).collect();
    assert_eq!(ids, ["2014-12-19T1959Z"], "{query}");
}

#[test]
fn a_badge_says_what_a_scope_is_now() {
    let temp_dir = TempDir::new("api-badge");
    let (server, _) = start(&temp_dir);
    for path in ["/X0/badge.svg", "/X0/127.60.1.0/24/badge.svg"] {
        let answer = server.ask("GET", path);
        assert_eq!(answer.code, 200, "{path}");
        assert!(answer.head.contains("content-type: image/svg+xml"), "{}", answer.head);
        assert!(answer.body.contains(": ✕ outage 20 h</title>"), "{}", answer.body);
        assert!(is_well_formed(&answer.body), "{}", answer.body);
    }
    assert_eq!(server.ask("GET", "/X9/badge.svg").code, 404);
}

#[test]
fn robots_are_told_to_leave_queries_alone() {
    let temp_dir = TempDir::new("api-robots");
    let (server, _) = start(&temp_dir);
    let answer = server.ask("GET", "/robots.txt");
    assert!(answer.body.starts_with("User-agent: *\nDisallow: /*?\n"), "{}", answer.body);
}

#[test]
fn what_was_planned_is_told_with_incidents_and_episodes() {
    let temp_dir = TempDir::new("api-planned");
    let (server, _) = start(&temp_dir);
    let episodes = ask(&server, "/api/v1/episodes?scope=X0&range=24h")["episodes"].clone();
    assert_eq!(episodes[0]["planned_reason"], "a <b>cable", "{episodes}");
    assert_eq!(episodes[0]["planned_from"], "2014-12-23T02:00:00.000Z");
    let page = server.ask("GET", "/X0").body;
    assert_eq!(
        page.matches("<span class=\"quiet\">planned: a &lt;b&gt;cable</span>").count(),
        1,
        "{page}"
    );
    let incident = server.ask("GET", "/X0/incident/2014-12-23T0359Z").body;
    assert!(incident.contains(" It was planned: a &lt;b&gt;cable."), "{incident}");
}

/// The times that a picture says of its columns, in milliseconds.
fn drawn(page: &str) -> Vec<Vec<String>> {
    let titles = page.split("<title>").skip(1).map(|rest| rest.split('<').next().unwrap());
    let told = titles.filter_map(|title| title.split_once(" lost, "));
    told.map(|(_, times)| times.split(", ").map(str::to_owned).collect()).collect()
}

#[test]
fn round_trip_times_are_the_same_on_the_page_in_the_report_and_in_the_series() {
    let temp_dir = TempDir::new("api-times");
    let (server, _) = start(&temp_dir);
    let rows = ask(&server, "/api/v1/series?scope=X0&range=1h")["series"].clone();
    let told = |row: &Value| {
        let millis = |name| {
            let seconds = row[format!("rtt_{name}_seconds")].as_f64().unwrap();
            format!("{name} {:.0} ms", seconds * 1e3)
        };
        ["min", "p10", "median", "p90", "p95", "max"].map(millis).to_vec()
    };
    let rows: Vec<Vec<String>> = rows.as_array().unwrap().iter().map(told).collect();
    assert_eq!((rows.len(), rows[0][0].as_str()), (60, "min 150 ms"));
    assert_eq!(drawn(&server.ask("GET", "/X0?range=1h").body), rows);
    let period = ["--since", "2014-12-23T23:00Z", "--until", "2014-12-24T00:00Z"];
    let state = temp_dir.path("");
    let report = [&["report", "X0", "--state-dir", &state], &period[..]].concat();
    let (code, page, err) = done(lifesign(&report));
    assert_eq!(code, 0, "{err}");
    assert_eq!(drawn(&page), rows);
}
