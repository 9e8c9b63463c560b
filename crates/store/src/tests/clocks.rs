//! A clock that is behind what the store knows, and is set while the run goes on.

use super::*;
use lifesign_core::scopes::{BlockId, CountryId};

/// Waits until so many episodes have been written.
fn until_there_are(count: usize, file: &Path) {
    for _ in 0..2000 {
        let reader = StoreReader::open(file).unwrap();
        if reader.episodes(&EpisodeFilter::default()).unwrap().read.len() == count {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("they were not written within 20 s");
}

fn change(scope: Scope, time: u64, to: State, (earliest, latest): (u64, u64)) -> Change {
    Change {
        time: at(time),
        scope,
        from: State::Unknown,
        to,
        edge: Edge { earliest: Some(at(earliest)), latest: at(latest) },
        evidence: EvidenceText::default(),
        darknesses: Darknesses::default(),
    }
}

/// The run before wrote until 600 s. This one begins 1200 s later by a clock that says that it is
/// earlier than that, and goes on at 600 s; after 20 s the clock is set.
#[test]
fn what_a_run_wrote_by_a_wrong_clock_is_corrected_and_what_was_there_is_not() {
    let mut roster = Roster::default();
    roster.add_country("KP", "North Korea");
    roster.add_block("127.45.176.0/24".parse().unwrap());
    let roster = Arc::new(roster);
    let country = Scope::Country(CountryId(0));
    let block = Scope::Block(BlockId(0));
    let directory = TempDir::new("clock");
    let mut database = Database::open(&directory.file()).unwrap();
    let open = outage("KP", None);
    let over = outage("127.45.176.0/24", Some(500));
    let before = backlog(600, vec![open.clone(), over.clone()], vec![]);
    database.write(&before, "lab", at(0)).unwrap();
    drop(database);
    let began = at(600) + Duration::from_millis(1);
    let wrong = WallOffset::new(0, began);
    let right = WallOffset::new(1_200_000_000_000, began);
    let watch = Watch::new(roster.clone(), &Settings::default(), began);
    let (mut store, previous) = Store::open(&directory, "lab", began).unwrap();
    store.resume(previous, true, &roster, began, wrong);
    let changes = [
        change(country, 605, State::Up, (590, 605)),
        change(block, 612, State::Outage, (594, 606)),
    ];
    store.handle_changes(&changes, &watch.snapshot(at(612), wrong, 0), &watch);
    until_there_are(3, &directory.file());
    store.handle_changes(&[], &watch.snapshot(at(620), right, 0), &watch);
    store.handle_changes(
        &[change(block, 700, State::Up, (695, 699))],
        &watch.snapshot(at(700), right, 0),
        &watch,
    );
    store.finish(&watch, at(700), right);

    let reader = StoreReader::open(&directory.file()).unwrap();
    let found = reader.episodes(&EpisodeFilter::default()).unwrap().read;
    let of = |scope: &str, found_at: Time| {
        let is_it = |each: &&Episode| each.scope == scope && each.found == found_at;
        found.iter().find(is_it).cloned()
    };
    assert_eq!(found.len(), 3, "{found:#?}");
    assert_eq!(of("127.45.176.0/24", at(70)), Some(over), "it was over before");
    let country = of("KP", at(70)).expect("the same outage");
    assert_eq!(country.begin, open.begin);
    assert_eq!(country.end, Some(Edge { earliest: Some(at(590)), latest: at(1805) }));
    assert_eq!(country.unseen, open.unseen + Duration::from_secs(1200));
    let block = of("127.45.176.0/24", at(1812)).expect("found by the right clock");
    assert_eq!(block.begin, Edge { earliest: Some(at(594)), latest: at(1806) });
    assert_eq!(block.end, Some(Edge { earliest: Some(at(1895)), latest: at(1899) }));
    let runs = reader.runs(at(0), at(9999)).unwrap().read;
    assert_eq!((runs.len(), runs[0].last_write, runs[1].last_write), (2, at(600), at(1900)));
    assert_eq!(runs[1].began, began + Duration::from_secs(1200));
}

#[test]
fn rows_moved_by_what_lies_between_them_are_all_still_there() {
    let directory = TempDir::new("spacing");
    let mut database = Database::open(&directory.file()).unwrap();
    let seconds = |shift: i64| (0..20).map(move |n: i64| (3600 + 60 * n + shift) as u64);
    let episode = |found| Episode { found: at(found), ..outage("KP", Some(found)) };
    let episodes = seconds(0).map(episode).collect();
    let samples = seconds(0).map(|second| sample("KP", second, State::Up, Some(0.1))).collect();
    database.write(&backlog(4800, episodes, samples), "lab", at(3600)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let mut since = at(3600);
    for (millis, shift) in [(600_000, 600), (-1_200_000, -600)] {
        let mut backlog = Backlog::default();
        let corrections = vec![Correction { since, millis }];
        backlog.add(Essentials { corrections, ..Essentials::default() }.at(at(4800)));
        database.write(&backlog, "lab", at(3600)).unwrap();
        since = at((3600 + shift) as u64);
        let expected: Vec<Time> = seconds(shift).map(at).collect();
        let episodes = reader.episodes(&EpisodeFilter::default()).unwrap().read;
        let found: Vec<Time> = episodes.iter().map(|episode| episode.found).collect();
        assert_eq!(found, expected);
        let times: Vec<Time> =
            sampled(&directory.file(), "KP").into_iter().map(|(_, time)| time).collect();
        assert_eq!(times, expected);
    }
}

#[test]
fn what_waits_is_corrected_before_it_is_written() {
    let began = at(600) + Duration::from_millis(1);
    let mut waiting = backlog(612, vec![outage("KP", None)], vec![]);
    let ended = Episode { found: at(610), ..outage("127.45.176.0/24", Some(612)) };
    waiting.add(Batch { at: at(613), episodes: vec![ended], ..Batch::default() });
    let correction = Correction { since: began, millis: 1_200_000 };
    let corrections = vec![correction];
    waiting.add(Essentials { corrections, ..Essentials::default() }.at(at(1820)));
    let found: Vec<Time> = waiting.episodes.values().map(|episode| episode.found).collect();
    assert_eq!((found, waiting.at), (vec![at(1810), at(70)], at(1820)));
    assert_eq!(waiting.essentials.corrections, [correction]);
}

#[test]
fn a_memory_of_another_format_is_not_read() {
    let directory = TempDir::new("format");
    let roster = Arc::new(Roster::default());
    let watch = Watch::new(roster, &Settings::default(), at(0));
    let mut database = Database::open(&directory.file()).unwrap();
    let memory = Some(watch.remember(at(60), WallOffset::default()));
    let mut backlog = backlog(60, vec![], vec![]);
    backlog.essentials.memory = memory;
    database.write(&backlog, "lab", at(0)).unwrap();
    assert!(database.previous_run().unwrap().memory.is_some());
    let connection = Connection::open(directory.file()).unwrap();
    for format in ["json_set(text, '$.format', 999)", "json_remove(text, '$.format')"] {
        connection.execute(&format!("UPDATE memory SET text = {format}"), []).unwrap();
        assert!(database.previous_run().unwrap().memory.is_none(), "{format}");
    }
}
