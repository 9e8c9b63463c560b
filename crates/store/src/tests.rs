//! The store in a directory of its own: what is in the file, also when it cannot be written.

use super::{backlog::Backlog, database::Database, *};
use lifesign_core::{
    judge::{Darknesses, Edge, EvidenceText},
    scopes::{Level, NetworkId, Scope},
    watch::{RoundTrips, Settings, Spread},
};
use lifesign_incident::{
    StayCount,
    fixtures::{at, outage},
};
use rusqlite::Connection;
use std::{fs, ops::Deref, path::PathBuf, process::Command, slice, sync::Arc};

mod blind_periods;
mod clocks;
mod edges;
mod foreign;
mod openings;
mod series;
mod retractions;
mod stories;
mod timeline;
mod unwatched;
mod plan;
mod names;
mod maintenance;
mod places;
mod memory;

/// A directory of the test's own, gone with it.
struct TempDir(TemporaryDirectory);

impl TempDir {
    fn new(name: &str) -> Self {
        Self(TemporaryDirectory::with_prefix(format!("lifesign-store-{name}-")).unwrap())
    }

    fn file(&self) -> PathBuf {
        self.join(FILE_NAME)
    }
}

impl Deref for TempDir {
    type Target = Path;
    fn deref(&self) -> &Path {
        self.0.path()
    }
}

fn sample(scope: &str, time: u64, state: State, loss: Option<f64>) -> Sample {
    let probes = if loss.is_some() { 60 } else { 0 };
    Sample {
        scope: scope.into(),
        country: "KP".into(),
        time: at(time),
        state,
        probes,
        loss,
        round_trips: loss.map(|loss| RoundTrips {
            median: 0.2 + loss,
            p95: 0.3 + loss,
            spread: Some(Spread { min: 0.1, p10: 0.15 + loss, p90: 0.25 + loss, max: 0.4 + loss }),
        }),
    }
}

/// The scopes and times of a country's samples, in the order of these.
fn sampled(file: &Path, country: &str) -> Vec<(String, Time)> {
    let connection = Connection::open(file).unwrap();
    let sql =
        "SELECT scope, time FROM sample WHERE country = ? AND span = 60000 ORDER BY time, scope";
    let mut statement = connection.prepare(sql).unwrap();
    let row = |row: &rusqlite::Row| Ok((row.get(0)?, row::time_from_millis(row.get(1)?)));
    statement.query_map([country], row).unwrap().map(Result::unwrap).collect()
}

fn backlog(now: u64, episodes: Vec<Episode>, samples: Vec<Sample>) -> Backlog {
    let mut backlog = Backlog::default();
    backlog.add(Batch { at: at(now), episodes, samples, ..Batch::default() });
    backlog
}

#[test]
fn what_is_written_is_read_again() {
    let directory = TempDir::new("again");
    let mut database = Database::open(&directory.file()).unwrap();
    let open = outage("KP", None);
    let over = outage("127.45.176.0/24", Some(500));
    database.write(&backlog(600, vec![open.clone(), over.clone()], vec![]), "lab", at(0)).unwrap();
    let previous = database.previous_run().unwrap();
    assert_eq!(
        (previous.open_episodes, previous.last_write, previous.memory.is_none()),
        (vec![open.clone()], Some(at(600)), true)
    );
    // A newer version of an episode replaces the older.
    let open = Episode { end: Some(Edge { earliest: Some(at(700)), latest: at(704) }), ..open };
    database.write(&backlog(710, vec![open.clone()], vec![]), "lab", at(0)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    assert_eq!(
        reader.episodes(&EpisodeFilter::default()).unwrap().read,
        [open.clone(), over.clone()]
    );
    let only =
        |scope: &str| EpisodeFilter { scope: Some(scope.into()), ..EpisodeFilter::default() };
    assert_eq!(reader.episodes(&only("127.45.176.0/24")).unwrap().read, [over]);
    assert_eq!(reader.episodes(&only("KP")).unwrap().read.len(), 2);
    assert_eq!(reader.episodes(&only("JP")).unwrap().read, []);
    for alone in [Some(&["KP".to_owned()][..]), None] {
        assert_eq!(reader.episodes_alone(alone).unwrap().read, slice::from_ref(&open));
    }
    let since = EpisodeFilter { since: Some(at(600)), ..EpisodeFilter::default() };
    assert_eq!(reader.episodes(&since).unwrap().read, [open]);
    let flapping = EpisodeFilter { state: Some(State::Flapping), ..EpisodeFilter::default() };
    assert_eq!(reader.episodes(&flapping).unwrap().read, []);
    let runs = reader.runs(at(0), at(9999)).unwrap().read;
    assert_eq!((runs.len(), runs[0].last_write, runs[0].ended), (1, at(710), false));
}

#[test]
fn networks_of_one_name_in_two_countries_are_two() {
    let mut roster = Roster::default();
    for (code, prefix) in [("KP", "127.45.176.0/24"), ("TW", "127.45.177.0/24")] {
        roster.add_country(code, code);
        roster.add_network("Telecom", None);
        roster.add_block(prefix.parse().unwrap());
    }
    let roster = Arc::new(roster);
    let mut tracker = EpisodeTracker::default();
    let mut episodes = Vec::new();
    for network in 0..2 {
        let edge = Edge { earliest: Some(at(0)), latest: at(4) };
        let change = Change {
            time: at(70),
            scope: Scope::Network(NetworkId(network)),
            from: State::Up,
            to: State::Outage,
            edge,
            evidence: EvidenceText::default(),
            darknesses: Darknesses::default(),
        };
        tracker.handle_change(&change, &roster, WallOffset::default(), &mut episodes);
    }
    let watch = Watch::new(roster, &Settings::default(), at(0));
    let directory = TempDir::new("networks");
    let mut database = Database::open(&directory.file()).unwrap();
    let samples = samples(&watch.snapshot(at(600), 0, 0));
    database.write(&backlog(600, episodes, samples), "lab", at(0)).unwrap();

    let reader = StoreReader::open(&directory.file()).unwrap();
    let found = |scope: &str| -> Vec<(String, Level, String)> {
        let filter = EpisodeFilter { scope: Some(scope.into()), ..EpisodeFilter::default() };
        let found = reader.episodes(&filter).unwrap().read.into_iter();
        found
            .map(|each| {
                (each.country.clone(), each.full_name().level(), each.full_name().name().into())
            })
            .collect()
    };
    for scope in ["KP", "KP/Telecom"] {
        assert_eq!(found(scope), [("KP".into(), Level::Network, "Telecom".into())]);
    }
    let sampled = sampled(&directory.file(), "TW");
    let sampled: Vec<&str> = sampled.iter().map(|(scope, _)| &**scope).collect();
    assert_eq!(sampled, ["127.45.177.0/24", "TW", "TW/Telecom"]);
    let histories = database.history(at(600));
    assert!(histories.contains_key("KP/Telecom") && histories.contains_key("TW/Telecom"));

    let data = report::ReportData::read(&reader, "KP", (at(0), at(600)), at(600)).unwrap().unwrap();
    let page = report::page(&data).into_string();
    assert!(page.contains("<span>Telecom</span>") && page.contains("<td>Telecom</td>"), "{page}");
}

#[test]
fn what_is_no_store_of_ours_is_neither_written_nor_read() {
    let directory = TempDir::new("other");
    let error = |result: Result<(), StoreError>| result.unwrap_err().to_string();
    fs::write(
        directory.file(),
        "no database at all, but a text that is longer than a header of one",
    )
    .unwrap();
    let damaged = "it is no store, or damaged";
    assert_eq!(error(StoreReader::open(&directory.file()).map(drop)), damaged);
    assert_eq!(error(Database::open(&directory.file()).map(drop)), damaged);
    fs::remove_file(directory.file()).unwrap();
    assert_eq!(error(StoreReader::open(&directory.file()).map(drop)), "there is no such file");
    assert!(Command::new("mkfifo").arg(directory.file()).status().unwrap().success());
    assert_eq!(error(StoreReader::open(&directory.file()).map(drop)), "it is no regular file");
    assert_eq!(error(Database::open(&directory.file()).map(drop)), "it is no regular file");
    fs::remove_file(directory.file()).unwrap();
    let newer = "CREATE TABLE run (began); PRAGMA user_version = 9";
    Connection::open(directory.file()).unwrap().execute_batch(newer).unwrap();
    let later = "the store has version 9, and this lifesign reads versions 1 to 3";
    assert_eq!(error(StoreReader::open(&directory.file()).map(drop)), later);
    assert_eq!(error(Database::open(&directory.file()).map(drop)), later);
}

#[test]
fn what_waits_has_bounds_and_the_oldest_goes_first() {
    let mut backlog = Backlog::default();
    let mut dropped = 0;
    for second in 0..17_000 {
        let episodes = vec![Episode { found: at(second), ..outage("KP", None) }];
        dropped += backlog.add(Batch { at: at(second), episodes, ..Batch::default() });
    }
    assert_eq!((backlog.rows(), dropped), (16_384, 17_000 - 16_384));
    assert_eq!(backlog.episodes.keys().next().map(|key| key.1), Some(at(17_000 - 16_384)));
    let samples = (0..70_000).map(|second| sample("KP", second, State::Up, None)).collect();
    assert_eq!(backlog.add(Batch { samples, ..Batch::default() }), 70_000 - 65_536);
}

#[test]
fn a_report_says_in_a_sentence_what_happened_and_runs_nothing() {
    let directory = TempDir::new("report");
    let mut database = Database::open(&directory.file()).unwrap();
    let flapping = Episode {
        state: State::Flapping,
        found: at(0) - Duration::from_secs(89_000),
        begin: Edge {
            earliest: Some(at(0) - Duration::from_secs(90_000)),
            latest: at(0) - Duration::from_secs(89_996),
        },
        end: Some(Edge { earliest: Some(at(0)), latest: at(4) }),
        unseen: Duration::ZERO,
        ..outage("KP", None)
    };
    let gone = outage("KP", Some(34_270));
    let samples =
        (0..9).map(|minute| sample("KP", 60 * minute, State::Outage, Some(0.1))).collect();
    let mut backlog = backlog(40_000, vec![flapping, gone], samples);
    backlog.essentials.countries.insert("KP".into(), "North <i>Korea".into());
    database.write(&backlog, "<lab-1>", at(0) - Duration::from_secs(99_000)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let read = |country, from: u64, to| {
        report::ReportData::read(
            &reader,
            country,
            (at(from) - Duration::from_secs(95_000), at(to)),
            at(40_000),
        )
        .unwrap()
    };
    let data = read("KP", 0, 40_000).unwrap();
    assert_eq!(
        report::sentence(&data),
        "North <i>Korea was unstable from 21 Dec 2014 15:15 to 22 Dec 16:15 UTC (25 h), then \
         unreachable from 16:15 for 9 h 31 min ± 4 s, until 23 Dec 01:46 UTC, seen from <lab-1>. \
         For 1 min 30 s of this nobody could see."
    );
    let page = report::page(&data).into_string();
    let has_markup = ["<lab-1>", "<b>all", "<i>"].iter().any(|each| page.contains(each));
    assert!(page.contains("&lt;lab-1&gt;") && !has_markup, "{page}");
    assert!(page.contains("class=\"outage\""), "{page}");
    // The same picture as on a page.
    assert!(
        page.contains("p10 250 ms, median 300 ms, p90 350 ms, p95 400 ms, max 500 ms"),
        "{page}"
    );
    assert!(!page.contains("<script") && !page.contains("url(h"), "{page}");
    assert!(read("JP", 0, 40_000).is_none());
}

fn episode(state: State, found: u64, begin: u64, end: Option<(u64, u64)>) -> Episode {
    let end =
        end.map(|(earliest, latest)| Edge { earliest: Some(at(earliest)), latest: at(latest) });
    let begin = Edge { earliest: Some(at(begin - 4)), latest: at(begin) };
    Episode { state, found: at(found), begin, end, ..outage("KP", None) }
}

fn state_spans(database: &Database, scope: &str, now: u64) -> Vec<(State, u64)> {
    let mut history = database.history(at(now));
    let (_, history) = history.remove(scope).unwrap();
    history.state_spans().map(|span| (span.state, span.from.since(at(0)).as_secs())).collect()
}

#[test]
fn the_week_before_is_told_in_its_order_and_what_nobody_saw_is_unknown() {
    use State::{Down, Flapping, Outage, Unknown, Up};
    let directory = TempDir::new("week");
    let mut database = Database::open(&directory.file()).unwrap();
    let minutes =
        |from: u64, to: u64| (from..=to).map(|minute| sample("KP", 60 * minute, Up, Some(0.1)));
    let before = vec![
        // What was down was the begin of flapping, as was found later.
        episode(Down, 506, 502, Some((502, 502))),
        episode(Flapping, 512, 502, Some((896, 900))),
        // Blind within an outage.
        episode(Outage, 1060, 1000, Some((1496, 1500))),
        episode(Unknown, 1200, 1200, Some((1260, 1260))),
        // It ended somewhere between the runs.
        episode(Outage, 3560, 3500, Some((3590, 4023))),
    ];
    database.write(&backlog(3600, before, minutes(1, 60).collect()), "lab", at(0)).unwrap();
    let after = vec![episode(Outage, 4560, 4500, None)];
    database.write(&backlog(4900, after, minutes(68, 81).collect()), "lab", at(4020)).unwrap();
    let expected = [
        (Up, 0),
        (Flapping, 502),
        (Up, 900),
        (Outage, 1000),
        (Unknown, 1200),
        (Outage, 1260),
        (Up, 1500),
        (Outage, 3500),
        (Unknown, 3600),
        (Up, 4023),
        (Outage, 4500),
        (Unknown, 4900),
    ];
    assert_eq!(state_spans(&database, "KP", 5000), expected);
    let (country, history) = database.history(at(5000)).remove("KP").unwrap();
    let outages: Vec<_> =
        history.state_spans().filter(|span| span.state == Outage).map(|span| span.edge).collect();
    assert_eq!(
        outages[1],
        Edge { earliest: Some(at(996)), latest: at(1000) },
        "it is the same outage"
    );
    assert_eq!(country, "KP");
    // The clock was wrong then, or is wrong now: nothing after now is shown.
    assert_eq!(state_spans(&database, "KP", 3550), [&expected[..8], &[]].concat());
    assert!(database.history(at(5000) + Duration::from_secs(8 * 86_400)).is_empty());
}

#[test]
fn what_was_not_seen_yet_is_not_told_and_a_broken_row_keeps_nobody_from_the_others() {
    use State::{Outage, Unknown, Up};
    let directory = TempDir::new("broken");
    let mut database = Database::open(&directory.file()).unwrap();
    let early = "127.45.176.0/24";
    let late = "127.45.177.0/24";
    let moved = "127.45.178.0/24";
    let state = |minute| if minute <= 3 { Unknown } else { Up };
    let mut samples: Vec<_> =
        (1..=60).map(|minute| sample(early, 60 * minute, state(minute), Some(0.0))).collect();
    samples.extend((1..=60).map(|minute| sample("KP", 60 * minute, Up, None)));
    samples.extend((1..=30).map(|minute| sample(moved, 60 * minute, Up, None)));
    let elsewhere =
        |minute: u64| Sample { country: "JP".into(), ..sample(moved, 60 * minute, Up, None) };
    samples.extend((31..=60).map(elsewhere));
    let of = |scope: &str, found| Episode {
        scope: scope.into(),
        ..episode(Outage, found, found, Some((900, 904)))
    };
    // The late one has no samples, as in a large plan.
    let episodes = vec![of(early, 800), of(early, 850), of(late, 800), of(moved, 800)];
    database.write(&backlog(3600, episodes, samples), "lab", at(0)).unwrap();
    let connection = Connection::open(directory.file()).unwrap();
    let change = |sql: &str| assert_eq!(connection.execute(sql, []).unwrap(), 1, "{sql}");
    change(&format!(
        "UPDATE episode SET state = 'gone' WHERE scope = '{early}' AND found = {}",
        row::millis(at(800))
    ));
    change(&format!(
        "UPDATE sample SET state = '' WHERE scope = '{early}' AND time = {}",
        row::millis(at(1200))
    ));
    assert_eq!(
        state_spans(&database, early, 4000),
        [(Up, 180), (Outage, 850), (Up, 904), (Unknown, 3600)]
    );
    assert_eq!(state_spans(&database, late, 4000), [(Outage, 800), (Up, 904), (Unknown, 3600)]);
    assert_eq!(state_spans(&database, moved, 4000), [(Up, 1800), (Unknown, 3600)]);
    assert_eq!(database.history(at(4000)).remove(moved).unwrap().0, "JP");
    let reader = StoreReader::open(&directory.file()).unwrap();
    let episodes = reader.episodes(&EpisodeFilter::default()).unwrap();
    assert_eq!((episodes.read.len(), episodes.broken), (3, 1));
    let data = report::ReportData::read(&reader, "KP", (at(0), at(4000)), at(4000)).unwrap();
    assert_eq!(data.map(|data| data.broken()), Some(2));
    connection.execute("DROP TABLE run", []).unwrap();
    assert!(reader.runs(at(0), at(4000)).is_err(), "that is more than a row");
    assert!(database.history(at(4000)).is_empty());
}
