//! Where paths broke, in the store and in what is read of it.

use super::*;
use crate::{place, rows::IncidentRow};
use lifesign_core::scopes::BlockId;
use lifesign_incident::fold;
use lifesign_path::{HopSeen, NetworkOf, PathEvent, Place, PlaceView};

/// KP with two blocks of a network and one of its own; TW with one block.
fn roster() -> Roster {
    let mut roster = Roster::default();
    roster.add_country("KP", "North Korea");
    roster.add_block("192.0.2.0/24".parse().unwrap());
    roster.add_network("Star JV", None);
    roster.add_block("175.45.176.0/24".parse().unwrap());
    roster.add_block("175.45.177.0/24".parse().unwrap());
    roster.add_country("TW", "Taiwan");
    roster.add_block("198.51.100.0/24".parse().unwrap());
    roster
}

fn found(block: u32, seconds: u64, place: Place) -> PathEvent {
    let network = Some(NetworkOf { asn: 4837, name: "<b>China</b>".into() });
    let last =
        HopSeen { hop_limit: 7, address: [219, 158, 0, 1].into(), network, heard: at(seconds) };
    let place = PlaceView {
        place,
        found: at(seconds),
        since: at(seconds - 1),
        last: Some(last),
        first_silent: None,
        said: None,
        probes: 32,
    };
    PathEvent::Place { block: BlockId(block), place }
}

/// Keeps these episodes and places; the run ends at 40,000 s.
fn keep(directory: &TempDir, episodes: Vec<Episode>, places: &[PathEvent]) {
    let roster = roster();
    let (mut store, previous) = Store::open(directory, "lab", at(1)).unwrap();
    store.resume(previous, false, &roster, at(1), WallOffset::default());
    store.writer.write(Batch { at: at(40_000), episodes, ..Batch::default() });
    store.keep_places(places, &roster, at(40_000), WallOffset::default());
}

/// What is told of each bad phase of these scopes' incidents: place and path.
fn told(directory: &TempDir, scope: Option<&str>) -> Vec<serde_json::Value> {
    let reader = StoreReader::open(&directory.file()).unwrap();
    let filter = EpisodeFilter { scope: scope.map(str::to_owned), ..EpisodeFilter::default() };
    let told = reader.incidents(&filter, at(40_000), None).unwrap();
    let row = |each| serde_json::to_value(IncidentRow::new(each, &told.places, at(40_000)));
    let phases = told.rows.read.iter().flat_map(|each| {
        let row = row(each).unwrap();
        row["phases"].as_array().unwrap().clone()
    });
    phases
        .map(|phase| serde_json::json!([phase["phase"], phase["place"], phase["place_sentence"]]))
        .collect()
}

fn report(directory: &TempDir) -> String {
    let reader = StoreReader::open(&directory.file()).unwrap();
    let period = (at(0), at(40_000));
    let data = report::ReportData::read(&reader, "KP", period, at(40_000)).unwrap().unwrap();
    assert_eq!(data.broken(), 0);
    report::page(&data).into_string()
}

#[test]
fn the_newest_place_of_a_darkness_is_told_with_it_and_no_other() {
    let directory = TempDir::new("places");
    let block = "175.45.176.0/24";
    // Told 25 s before the last answer, then more closely; the third is of another darkness.
    keep(
        &directory,
        vec![Episode {
            begin: Edge { earliest: Some(at(100)), latest: at(104) },
            found: at(170),
            ..outage(block, Some(20_000))
        }],
        &[
            found(1, 69, Place::Inside),
            found(1, 75, Place::Unknown),
            found(1, 20_000, Place::AtTheirBorder),
            found(1, 20_001, Place::NearUs),
            found(2, 300, Place::OnTheWay),
        ],
    );
    let words = "at their border: dark beyond 219.158.0.1 (AS4837 <b>China</b>, answered 21:48:20)";
    let dark = serde_json::json!(["outage", "at_their_border", words]);
    let up = serde_json::json!(["up", null, null]);
    for scope in [Some(block), Some("KP"), None] {
        assert_eq!(told(&directory, scope)[0], dark, "{scope:?}");
    }
    assert_eq!(told(&directory, Some(block)).get(1), Some(&up));
    // A report has it in the row, and nothing in it is markup.
    let escaped = words.replace('<', "&lt;").replace('>', "&gt;");
    let page = report(&directory);
    assert!(page.contains(&format!("<br><small>{escaped}</small>")), "{page}");
    assert!(!page.contains("<b>China"), "{page}");
    // What cannot be read of then is counted, and hinders nothing; the rest is not read.
    let connection = Connection::open(directory.file()).unwrap();
    let changed = connection
        .execute("UPDATE place SET place = 'gone' WHERE place IN ('unknown', 'near_us')", []);
    assert_eq!(changed, Ok(2));
    let reader = StoreReader::open(&directory.file()).unwrap();
    let rows = reader.incidents(&EpisodeFilter::default(), at(40_000), None).unwrap().rows;
    assert_eq!((rows.read.len(), rows.broken), (1, 1));
    assert_eq!(told(&directory, None)[0], dark);
    // A store of an earlier lifesign has no such table.
    connection.execute("DROP TABLE place", []).unwrap();
    let without = serde_json::json!(["outage", null, null]);
    assert_eq!(told(&directory, None)[0], without);
    assert!(!report(&directory).contains("dark beyond"));
}

/// Others have an outage at another time, or none at all.
#[test]
fn of_a_country_and_a_network_that_is_told_which_most_of_their_blocks_have() {
    let of = |scope: &str| vec![outage(scope, Some(34_270))];
    let border = |block| found(block, 9, Place::AtTheirBorder);
    let alike = "at their border: dark beyond 219.158.0.1 (AS4837 <b>China</b>, answered 16:15:09)";
    for (name, scope, places, expected) in [
        ("alike", "KP", vec![border(0), border(1), border(2)], Some(("at_their_border", alike))),
        (
            "most",
            "KP",
            vec![found(0, 9, Place::Inside), border(1), border(2), found(3, 9, Place::Inside)],
            Some(("at_their_border", "at their border in 2 of 3 blocks")),
        ),
        (
            "words",
            "KP/Star JV",
            vec![found(0, 9, Place::Inside), border(1), found(2, 11, Place::AtTheirBorder)],
            Some(("at_their_border", "at their border in 2 of 2 blocks")),
        ),
        ("none", "KP", vec![found(3, 9, Place::Inside)], None),
    ] {
        let directory = TempDir::new(name);
        keep(&directory, of(scope), &places);
        let (place, path) = expected.unzip();
        let wanted = serde_json::json!(["outage", place, path]);
        assert_eq!(told(&directory, Some(scope))[0], wanted, "{name}");
        let has_it = report(&directory).contains("at their border");
        assert_eq!(has_it, expected.is_some(), "{name}");
    }
}

/// What was told of them before it began is of it all the same; but not that of a block which is
/// reached again.
#[test]
fn a_country_has_the_places_of_all_blocks_that_are_dark_in_it() {
    let directory = TempDir::new("places-before");
    let dark = |scope: &str, begin, end: Option<u64>| Episode {
        begin: Edge { earliest: None, latest: at(begin) },
        ..outage(scope, end)
    };
    let blocks = ["192.0.2.0/24", "175.45.176.0/24", "175.45.177.0/24"];
    keep(
        &directory,
        vec![
            dark(blocks[0], 1_000, Some(4_999)),
            dark(blocks[1], 2_000, Some(8_000)),
            dark(blocks[2], 5_000, None),
            dark("KP", 5_000, Some(8_000)),
        ],
        &[
            found(0, 1_010, Place::Inside),
            found(1, 2_010, Place::AtTheirBorder),
            found(2, 5_010, Place::AtTheirBorder),
            found(3, 5_020, Place::Inside),
        ],
    );
    let connection = Connection::open(directory.file()).unwrap();
    connection.execute("UPDATE place SET place = 'gone' WHERE country = 'TW'", []).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let told = reader.incidents(&EpisodeFilter::default(), at(40_000), None).unwrap();
    let of_country = told.rows.read.iter().find(|incident| incident.scope == "KP").unwrap();
    let place = told.places.of_phase(of_country, &of_country.phases[0]).unwrap();
    assert_eq!(place.words, "at their border in 2 of 2 blocks");
    assert_eq!(told.rows.broken, 0, "of another country");
}

#[test]
fn places_wait_are_corrected_and_are_forgotten_as_episodes_are() {
    let directory = TempDir::new("places-kept");
    let places = |seconds: &[u64]| {
        let events: Vec<_> = seconds.iter().map(|&at| found(1, at, Place::Inside)).collect();
        place::path_breaks(&events, &roster(), WallOffset::default())
    };
    let times = || -> Vec<i64> {
        let connection = Connection::open(directory.file()).unwrap();
        let mut statement = connection.prepare("SELECT told FROM place ORDER BY told").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let millis =
        |seconds: &[u64]| seconds.iter().map(|&time| row::millis(at(time))).collect::<Vec<_>>();
    let mut database = Database::open(&directory.file()).unwrap();
    let mut first = backlog(600, vec![outage("KP", Some(500))], vec![]);
    first.add(Batch { places: places(&[60, 100, 160, 900]), ..Batch::default() });
    assert_eq!(first.rows(), 5);
    database.write(&first, "lab", at(0)).unwrap();
    // The clock was set since 100 s, by what lies between two of them; one waits.
    let mut next = Backlog::default();
    next.add(Batch { places: places(&[110]), ..Batch::default() });
    let corrections = vec![Correction { since: at(100), millis: 60_000 }];
    next.add(Essentials { corrections, ..Essentials::default() }.at(at(700)));
    database.write(&next, "lab", at(0)).unwrap();
    assert_eq!(times(), millis(&[60, 160, 170, 220, 960]));
    // Of what was told longer ago than samples are kept, only that of outages stays.
    let later = 401 * 86_400;
    let sample = sample("KP", later, State::Up, Some(0.1));
    database.write(&backlog(later + 600, vec![], vec![sample]), "lab", at(0)).unwrap();
    assert_eq!(times(), millis(&[60, 160, 170, 220]));
    // As many wait as of episodes, and those that go are counted.
    let many: Vec<u64> = (1..=16_390).collect();
    assert_eq!(Backlog::default().add(Batch { places: places(&many), ..Batch::default() }), 6);
}

#[test]
fn what_is_played_has_its_places() {
    let directory = TempDir::new("places-played");
    let roster = roster();
    let mut played =
        PlayedStore::create(&directory, "lab", &roster, Remarks::on(&roster, None), at(0)).unwrap();
    played.keep_places(&[found(1, 9, Place::Inside)], &roster);
    let watch = Watch::new(Arc::new(roster), &Settings::default(), at(0));
    played.finish(&watch, at(600)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let read = |episode| {
        let episodes = [episode];
        let (places, broken) = reader.places(&fold(&episodes, &[], at(600)), &episodes).unwrap();
        (format!("{places:?}").matches("answered 16:15:09").count(), broken)
    };
    assert_eq!(read(outage("KP", Some(60))), (1, 0));
    assert_eq!(read(Episode { country: "TW".into(), ..outage("TW", Some(60)) }), (0, 0));
    // Nothing else is read than what was told meanwhile.
    let moved = |begin| Edge { earliest: None, latest: at(begin) };
    let later = Episode { begin: moved(100), end: Some(moved(200)), ..outage("KP", Some(200)) };
    assert_eq!(read(later), (0, 0));
    assert_eq!(reader.places(&[], &[]).unwrap().1, 0);
}

/// By the name of a network that nobody has shortened.
#[test]
fn a_sentence_has_an_end() {
    let PathEvent::Place { block, mut place } = found(1, 9, Place::Inside) else { unreachable!() };
    let network = Some(NetworkOf { asn: 4837, name: "é".repeat(100_000).into() });
    place.last = place.last.map(|last| HopSeen { network, ..last });
    let told =
        place::path_breaks(&[PathEvent::Place { block, place }], &roster(), WallOffset::default());
    assert_eq!(told[0].words.chars().count(), 600);
}
