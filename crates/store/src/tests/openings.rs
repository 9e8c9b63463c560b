//! A file that is damaged, or that can be opened only later.

use super::*;
use lifesign_core::scopes::CountryId;
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
    let before = backlog(600, vec![open.clone(), other.clone()], vec![]);
    database.write(&before, "lab", at(0)).unwrap();
    drop(database);
    // A directory in its place cannot be opened.
    fs::create_dir(directory.file()).unwrap();
    let (roster, change) = country_in_outage();
    let mut watch = Watch::new(roster.clone(), &Settings::default(), at(700));
    let offset = WallOffset::default();
    let (mut store, previous) = Store::open(&directory, "lab", at(700)).unwrap();
    assert!(previous.lasted().is_none() && store.view().failing);
    store.resume(previous, false, &roster, at(700), offset);
    store.handle_changes(&[change], &watch, at(770), offset);
    fs::remove_dir(directory.file()).unwrap();
    fs::rename(elsewhere.file(), directory.file()).unwrap();
    let found = (0..3000).find_map(|_| {
        thread::sleep(Duration::from_millis(10));
        store.found()
    });
    let found = found.expect("what was open");
    assert_eq!(found.lasted(), Some(at(600)));
    store.adopt(found, &watch, at(780), offset);
    while watch.poll_change().is_some() {}
    store.finish(&watch, at(790), offset);
    let [country, block] = &all(&directory.file())[..] else {
        panic!("{:#?}", all(&directory.file()))
    };
    assert_eq!((country.found, country.begin, country.end), (open.found, open.begin, None));
    assert_eq!(country.unseen, open.unseen + Duration::from_secs(170));
    // Of the block nothing is known yet: it is open, and not seen since.
    assert_eq!((block.found, block.end, block.paused), (other.found, None, Some(at(600))));
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
    store.handle_changes(&[change], &watch, at(770), offset);
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
    store.handle_changes(&[change], &watch, at(770), offset);
    store.finish(&watch, at(790), offset);
    assert_eq!(all(&directory.file()).len(), 1);
    let names = fs::read_dir(&*directory).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().any(|name| name.to_string_lossy().contains(".broken-2014")));
}

#[test]
fn a_store_of_version_1_is_read_and_becomes_one_of_version_2() {
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
    let counted =
        ["darknesses", "dark", "first_earliest", "first_latest", "last_earliest", "last_latest"];
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
    assert_eq!(version, 2);
}
