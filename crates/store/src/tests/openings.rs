//! A file that is damaged, or that can be opened only later.

use super::*;
use lifesign_core::scopes::{BlockId, CountryId};
use std::thread;

fn country_in_outage() -> (Arc<Roster>, Change) {
    let mut roster = Roster::default();
    roster.add_country("KP", "North Korea");
    roster.add_block("127.45.176.0/24".parse().unwrap());
    let change = Change {
        time: at(770),
        scope: Scope::Country(CountryId(0)),
        from: State::Unknown,
        to: State::Outage,
        edge: Edge { earliest: None, latest: at(704) },
        evidence: EvidenceText::default(),
        darknesses: Darknesses::default(),
    };
    (Arc::new(roster), change)
}

fn all(file: &Path) -> Vec<Episode> {
    StoreReader::open(file).unwrap().episodes(&EpisodeFilter::default()).unwrap().read
}

/// The disk came late: what was open when it was written last is found then, and is the outage that
/// this run has found by itself.
#[test]
fn a_store_that_can_be_opened_later_goes_on_with_what_was_open() {
    let directory = TempDir::new("late");
    let elsewhere = TempDir::new("late-elsewhere");
    let mut database = Database::open(&elsewhere.file()).unwrap();
    let open = outage("KP", None);
    let other = outage("127.45.176.0/24", None);
    let left = outage("192.0.2.0/24", None);
    let before = backlog(600, vec![open.clone(), other.clone(), left], vec![]);
    database.write(&before, "lab", at(0)).unwrap();
    drop(database);
    // A directory in its place cannot be opened.
    fs::create_dir(directory.file()).unwrap();
    let (roster, change) = country_in_outage();
    let mut watch = Watch::new(roster.clone(), &Settings::default(), at(700));
    let offset = WallOffset::default();
    let (mut store, previous) = Store::open(&directory, "lab", at(700)).unwrap();
    assert!(previous.last_write().is_none() && store.view().failing);
    store.resume(previous, false, &roster, at(700), offset);
    store.handle_changes(&[change], &watch.snapshot(at(770), offset, 0), &watch);
    fs::remove_dir(directory.file()).unwrap();
    fs::rename(elsewhere.file(), directory.file()).unwrap();
    let found = (0..3000).find_map(|_| {
        thread::sleep(Duration::from_millis(10));
        store.take_previous_run()
    });
    let found = found.expect("what was open");
    assert_eq!(found.last_write(), Some(at(600)));
    store.adopt(found, &watch, at(780), offset);
    while watch.poll_change().is_some() {}
    store.finish(&watch, at(790), offset);
    let [country, block, left] = &all(&directory.file())[..] else {
        panic!("{:#?}", all(&directory.file()))
    };
    assert_eq!((country.found, country.begin, country.end), (open.found, open.begin, None));
    assert_eq!(country.unseen, open.unseen + Duration::from_secs(170));
    // Of the block nothing is known yet: it is open, and not seen since.
    assert_eq!((block.found, block.end, block.paused), (other.found, None, Some(at(600))));
    // What is in no plan any more was watched until then.
    assert_eq!((left.end.map(|end| end.latest), left.is_left()), (Some(at(600)), true));
}

#[test]
fn a_damaged_store_is_moved_aside_and_a_new_one_begun() {
    let directory = TempDir::new("damaged");
    let text = "no database at all, but a text that is longer than a header of one";
    fs::write(directory.file(), text).unwrap();
    let (roster, change) = country_in_outage();
    let watch = Watch::new(roster.clone(), &Settings::default(), at(700));
    let offset = WallOffset::default();
    let (mut store, previous) = Store::open(&directory, "lab", at(700)).unwrap();
    assert!(!store.view().failing);
    store.resume(previous, false, &roster, at(700), offset);
    store.handle_changes(&[change], &watch.snapshot(at(770), offset, 0), &watch);
    store.finish(&watch, at(790), offset);
    assert_eq!(all(&directory.file()).len(), 1);
    let aside = format!("{}.broken-2014-12-22T16:26:40.000Z", directory.file().display());
    assert_eq!(fs::read_to_string(aside).unwrap(), text);
}

/// Damage within the file is found only when that part of it is used.
#[test]
fn a_store_that_is_damaged_while_it_is_written_is_moved_aside_too() {
    let directory = TempDir::new("damaged-later");
    let (roster, change) = country_in_outage();
    let watch = Watch::new(roster.clone(), &Settings::default(), at(700));
    let offset = WallOffset::default();
    drop(Database::open(&directory.file()).unwrap());
    let mut bytes = fs::read(directory.file()).unwrap();
    // All pages but the first, which lists the tables.
    bytes[4096..].fill(0x5a);
    fs::write(directory.file(), bytes).unwrap();
    let (mut store, previous) = Store::open(&directory, "lab", at(700)).unwrap();
    store.resume(previous, false, &roster, at(700), offset);
    store.handle_changes(&[change], &watch.snapshot(at(770), offset, 0), &watch);
    store.finish(&watch, at(790), offset);
    assert_eq!(all(&directory.file()).len(), 1);
    let names = fs::read_dir(&*directory).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().any(|name| name.to_string_lossy().contains(".broken-2014")));
}

#[test]
fn a_store_of_version_1_is_read_and_becomes_one_of_the_newest() {
    let directory = TempDir::new("version-1");
    let mut database = Database::open(&directory.file()).unwrap();
    let state = State::Flapping;
    let flapping = Episode { state, found: at(80), ..outage("KP", Some(34_270)) };
    let open = Episode { state, found: at(81), ..outage("KP", None) };
    let all = [outage("KP", Some(34_270)), flapping, open];
    let measured = sample("KP", 60, State::Up, Some(0.5));
    let backlog = backlog(40_000, all.to_vec(), vec![measured]);
    database.write(&backlog, "lab", at(0)).unwrap();
    drop(database);
    let [outage, mut flapping, open] = all;
    flapping.darknesses.first_begin = Some(flapping.begin);
    flapping.darknesses.last_end = flapping.end;
    let older = Connection::open(directory.file()).unwrap();
    let counted = [
        "darknesses",
        "dark",
        "first_earliest",
        "first_latest",
        "last_earliest",
        "last_latest",
        "stay_darknesses",
        "stay_dark",
    ];
    for column in counted {
        older.execute(&format!("ALTER TABLE episode DROP COLUMN {column}"), []).unwrap();
    }
    for column in ["rtt_min", "rtt_p10", "rtt_p90", "rtt_max"] {
        older.execute(&format!("ALTER TABLE sample DROP COLUMN {column}"), []).unwrap();
    }
    older.pragma_update(None, "user_version", 1).unwrap();
    drop(older);
    let read = || {
        let reader = StoreReader::open(&directory.file()).unwrap();
        let measured = reader.measured(Measurements::Of("KP"), (at(0), at(60)), 1).unwrap().read;
        let episodes = reader.episodes(&EpisodeFilter::default()).unwrap().read;
        (episodes, measured[0].round_trips)
    };
    // How far times lay apart was not kept.
    let times = Some(RoundTrips { median: 0.7, p95: 0.8, spread: None });
    let all = (vec![outage, flapping, open], times);
    assert_eq!(read(), all);
    let mut newer = Database::open(&directory.file()).unwrap();
    assert_eq!(read(), all);
    let measured = sample("KP", 60, State::Up, Some(0.5));
    let times = measured.round_trips;
    newer.write(&super::backlog(40_060, vec![], vec![measured]), "lab", at(0)).unwrap();
    assert_eq!(read().1, times);
    drop(newer);
    let newer = Connection::open(directory.file()).unwrap();
    let version: i64 = newer.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 3);
}

/// As the first lifesign that wrote version 2 made it, from nothing and from one of version 1.
const FIRST_OF_VERSION_2: &str = "
CREATE TABLE run (
    began INTEGER PRIMARY KEY, lasted INTEGER NOT NULL, ended INTEGER NOT NULL,
    vantage TEXT NOT NULL, version TEXT NOT NULL
) STRICT;
CREATE TABLE country (code TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE episode (
    scope TEXT NOT NULL, found INTEGER NOT NULL, country TEXT NOT NULL, state TEXT NOT NULL,
    begin_earliest INTEGER, begin_latest INTEGER NOT NULL, end_earliest INTEGER, end_latest INTEGER,
    unseen INTEGER NOT NULL, paused INTEGER, evidence TEXT NOT NULL,
    darknesses INTEGER NOT NULL DEFAULT 0, dark INTEGER NOT NULL DEFAULT 0,
    last_earliest INTEGER, last_latest INTEGER,
    PRIMARY KEY (scope, found)
) STRICT, WITHOUT ROWID;
CREATE INDEX episode_open ON episode (found) WHERE end_latest IS NULL;
CREATE TABLE sample (
    span INTEGER NOT NULL, scope TEXT NOT NULL, time INTEGER NOT NULL, country TEXT NOT NULL,
    state TEXT NOT NULL, probes INTEGER NOT NULL, loss REAL, rtt_median REAL, rtt_p95 REAL,
    PRIMARY KEY (span, time, scope)
) STRICT, WITHOUT ROWID;
CREATE TABLE memory (
    one INTEGER PRIMARY KEY CHECK (one = 1), taken INTEGER NOT NULL, text TEXT NOT NULL
) STRICT;
CREATE TABLE name (
    name TEXT NOT NULL, address TEXT NOT NULL, PRIMARY KEY (name, address)
) STRICT, WITHOUT ROWID;
CREATE TABLE plan (
    one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL
) STRICT;
CREATE TABLE maintenance (
    scope TEXT NOT NULL, begin INTEGER NOT NULL, until INTEGER NOT NULL, reason TEXT,
    PRIMARY KEY (scope, begin, until)
) STRICT, WITHOUT ROWID;
INSERT INTO episode VALUES ('KP', 1419264980000, 'KP', 'flapping', 1419264900000, 1419264904000,
    1419268500000, 1419268504000, 0, NULL, 'three times', 3, 90000, 1419268000000, 1419268002000);
INSERT INTO sample VALUES (60000, 'KP', 1419264960000, 'KP', 'up', 60, 0.5, 1.2, 1.3);
PRAGMA user_version = 2;
";

#[test]
fn a_store_of_the_first_version_2_is_read_and_becomes_one_of_the_newest() {
    let directory = TempDir::new("version-2");
    Connection::open(directory.file()).unwrap().execute_batch(FIRST_OF_VERSION_2).unwrap();
    let read = || {
        let reader = StoreReader::open(&directory.file()).unwrap();
        let measured = reader.measured(Measurements::Of("KP"), (at(0), at(60)), 1).unwrap().read;
        let [episode] = &reader.episodes(&EpisodeFilter::default()).unwrap().read[..] else {
            panic!("one episode")
        };
        let times = measured[0].round_trips.unwrap();
        (episode.begin, episode.darknesses, (times.median, times.p95, times.spread))
    };
    let begin = Edge { earliest: Some(at(0)), latest: at(4) };
    let end = Edge { earliest: Some(at(3100)), latest: at(3102) };
    let darknesses =
        Darknesses { count: 3, ..Darknesses::one(Duration::from_secs(90), begin, Some(end)) };
    let all = (begin, darknesses, (1.2, 1.3, None));
    assert_eq!(read(), all);
    let mut newer = Database::open(&directory.file()).unwrap();
    assert_eq!(read(), all);
    // What is written of it has its columns in their places.
    let stay = StayCount { count: 2, length: Duration::from_secs(60) };
    let mut written =
        Episode { state: State::Flapping, darknesses, of_stay: stay, ..outage("JP", Some(34_270)) };
    written.country = "JP".into();
    let measured = sample("JP", 60, State::Up, Some(0.5));
    newer
        .write(&super::backlog(40_060, vec![written.clone()], vec![measured]), "lab", at(0))
        .unwrap();
    drop(newer);
    let reader = StoreReader::open(&directory.file()).unwrap();
    assert_eq!(reader.episodes_alone(Some(&["JP".to_owned()])).unwrap().read, [written]);
    drop(Database::open(&directory.file()).unwrap());
    let newer = Connection::open(directory.file()).unwrap();
    let version: i64 = newer.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 3);
}

/// By a reload, or between two runs.
#[test]
fn a_block_that_moves_to_another_country_leaves_its_outage_in_the_old_one() {
    let mut moved = Roster::default();
    moved.add_country("XB", "B");
    moved.add_block("127.45.176.0/24".parse().unwrap());
    let moved = Arc::new(moved);
    let offset = WallOffset::default();
    for is_reloaded in [true, false] {
        let directory = TempDir::new("moved");
        let (roster, change) = country_in_outage();
        let change = Change { scope: Scope::Block(BlockId(0)), ..change };
        let mut watch = Watch::new(roster.clone(), &Settings::default(), at(700));
        let (mut store, previous) = Store::open(&directory, "lab", at(700)).unwrap();
        store.resume(previous, false, &roster, at(700), offset);
        store.handle_changes(&[change], &watch.snapshot(at(770), offset, 0), &watch);
        if is_reloaded {
            watch.replan(moved.clone(), &Settings::default(), at(800));
            store.replan(&moved, at(800));
        }
        store.finish(&watch, at(800), offset);
        if !is_reloaded {
            let watch = Watch::new(moved.clone(), &Settings::default(), at(900));
            let (mut store, previous) = Store::open(&directory, "lab", at(900)).unwrap();
            store.resume(previous, false, &moved, at(900), offset);
            store.finish(&watch, at(910), offset);
        }
        let mut outages = all(&directory.file());
        outages.retain(|episode| episode.state == State::Outage);
        let [episode] = &outages[..] else { panic!("{outages:#?}") };
        let end = episode.end.map(|end| end.latest);
        assert_eq!((&*episode.country, episode.is_left(), end), ("KP", true, Some(at(800))));
    }
}
