//! Blind periods, in which everything is unknown.

use super::*;
use lifesign_core::scopes::{BlockId, CountryId};

const BLOCKS: u32 = 5030;
const PERIODS_OF_A_WEEK: u64 = 70;
const WEEKS_OF_A_YEAR: u64 = 52;
const MOST_BYTES_OF_A_YEAR: u64 = 200_000_000;

fn roster() -> Roster {
    let mut roster = Roster::default();
    roster.add_country("KP", "North Korea");
    for block in 0..BLOCKS {
        let [_, _, high, low] = block.to_be_bytes();
        roster.add_block(format!("10.{high}.{low}.0/24").parse().unwrap());
    }
    roster
}

/// Every scope changes to this state.
fn all(time: u64, from: State, to: State) -> Vec<Change> {
    let blocks = (0..BLOCKS).map(|id| Scope::Block(BlockId(id)));
    let change = |scope| Change {
        time: at(time),
        scope,
        from,
        to,
        edge: Edge { earliest: Some(at(time - 1)), latest: at(time) },
        evidence: "we are blind: nobody answers, controls included".into(),
        darknesses: Darknesses::default(),
    };
    blocks.chain([Scope::Country(CountryId(0))]).map(change).collect()
}

#[test]
fn a_blind_period_is_one_row_and_a_year_of_them_is_small() {
    let directory = TempDir::new("blind-periods");
    let roster = roster();
    let mut database = Database::open(&directory.file()).unwrap();
    let mut tracker = EpisodeTracker::default();
    let mut write = |changes: &[Change]| {
        let mut episodes = Vec::new();
        // As many at a time as the daemon hands over.
        tracker.expect_changes(changes, &roster);
        for part in changes.chunks(500) {
            tracker.handle_changes(part, &roster, WallOffset::default(), &mut episodes);
        }
        let time = changes[0].time;
        let mut waiting = Backlog::default();
        waiting.add(Batch { at: time, episodes, ..Batch::default() });
        database.write(&waiting, "lab", at(0)).unwrap();
    };
    // A block is in outage all the time.
    let outage = |time, from| {
        let mut changes = all(time, from, State::Outage);
        changes.truncate(1);
        changes
    };
    write(&outage(50, State::Up));
    for period in 1..=PERIODS_OF_A_WEEK {
        write(&all(period * 100, State::Up, State::Unknown));
        write(&outage(period * 100 + 20, State::Unknown));
        write(&all(period * 100 + 20, State::Unknown, State::Up)[1..]);
    }
    drop(database);
    let reader = StoreReader::open(&directory.file()).unwrap();
    let found = reader.episodes(&EpisodeFilter::default()).unwrap().read;
    let (unknown, known): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|episode| episode.state == State::Unknown);
    assert_eq!(unknown.len() as u64, PERIODS_OF_A_WEEK);
    assert!(unknown.iter().all(|episode| episode.scope == "KP" && episode.end.is_some()));
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].unseen, Duration::from_secs(20 * PERIODS_OF_A_WEEK));
    let bytes = fs::metadata(directory.file()).unwrap().len();
    assert!(bytes * WEEKS_OF_A_YEAR < MOST_BYTES_OF_A_YEAR, "{bytes} in a week");
}

#[test]
fn what_was_unknown_of_a_country_was_so_of_its_blocks() {
    let directory = TempDir::new("blind-period-history");
    let block = "127.45.176.0/24";
    let mut database = Database::open(&directory.file()).unwrap();
    let minutes = (1..=10).flat_map(|minute| {
        [block, "KP"].map(|scope| sample(scope, 60 * minute, State::Up, Some(0.0)))
    });
    let blind = episode(State::Unknown, 200, 200, Some((260, 260)));
    database.write(&backlog(600, vec![blind], minutes.collect()), "lab", at(0)).unwrap();
    let expected = [(State::Up, 0), (State::Unknown, 200), (State::Up, 260), (State::Unknown, 600)];
    for scope in [block, "KP"] {
        assert_eq!(state_spans(&database, scope, 700), expected, "{scope}");
    }
}

#[test]
fn of_what_is_older_than_the_samples_the_outages_stay() {
    let directory = TempDir::new("old-episodes");
    let mut database = Database::open(&directory.file()).unwrap();
    let day = 86_400;
    let old = vec![
        episode(State::Outage, 110, 100, Some((200, 204))),
        episode(State::Flapping, 310, 300, Some((400, 404))),
        episode(State::Unknown, 500, 500, Some((560, 560))),
        episode(State::Partial, 600, 600, None),
    ];
    let samples = vec![sample("KP", 600, State::Up, None)];
    database.write(&backlog(600, old, samples), "lab", at(0)).unwrap();
    let count = || {
        let reader = StoreReader::open(&directory.file()).unwrap();
        reader.episodes(&EpisodeFilter::default()).unwrap().read.len()
    };
    assert_eq!(count(), 4);
    let later = 401 * day;
    let samples = vec![sample("KP", later, State::Up, None)];
    database.write(&backlog(later + 600, vec![], samples), "lab", at(0)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let left = reader.episodes(&EpisodeFilter::default()).unwrap().read;
    let left: Vec<State> = left.iter().map(|episode| episode.state).collect();
    assert_eq!(left, [State::Outage, State::Partial]);
}

#[test]
fn what_was_unknown_from_the_start_is_told_as_unknown_however_soon_it_ended() {
    for length in [20, 600] {
        let directory = TempDir::new("never-seen");
        let mut roster = Roster::default();
        roster.add_country("KP", "North Korea");
        roster.add_block("127.45.176.0/24".parse().unwrap());
        let roster = Arc::new(roster);
        let mut watch = Watch::new(roster.clone(), &Settings::default(), at(0));
        let (mut store, previous) = Store::open(&directory, "lab", at(0)).unwrap();
        store.resume(previous, false, &roster, at(0), WallOffset::default());
        for now in (0..=length).map(at) {
            watch.handle_timeout(now, now);
            store.handle_changes(&[], &watch.snapshot(now, WallOffset::default(), 0), &watch);
        }
        let end = at(length);
        store.finish(&watch, end, WallOffset::default());
        let reader = StoreReader::open(&directory.file()).unwrap();
        let episodes = reader.episodes(&EpisodeFilter::default()).unwrap().read;
        let told: Vec<_> = episodes.iter().map(|each| (&*each.scope, each.state)).collect();
        assert_eq!(told, [("KP", State::Unknown)], "one row, the country's");
        assert_eq!(episodes[0].begin.latest, at(0));
        let data = report::ReportData::read(&reader, "KP", (at(0), end), end).unwrap().unwrap();
        let sentence = report::sentence(&data);
        let begin = "Nothing was known of North Korea in this time: ";
        assert!(sentence.starts_with(begin), "{sentence}");
        let page = report::page(&data).into_string();
        assert!(page.contains("class=\"unknown\""), "{page}");
    }
}

#[test]
fn a_block_of_which_nothing_is_known_after_a_blind_period_has_an_episode_of_its_own() {
    let mut roster = Roster::default();
    roster.add_country("KP", "North Korea");
    roster.add_block("127.45.176.0/24".parse().unwrap());
    let roster = Arc::new(roster);
    let block = Scope::Block(BlockId(0));
    let country = Scope::Country(CountryId(0));
    let told = |time, scope, from, to| {
        let all = all(time, from, to);
        all.into_iter().find(|change| change.scope == scope).unwrap()
    };
    let mut tracker = EpisodeTracker::default();
    let mut episodes = Vec::new();
    let mut take = |changes: &[Change], unknown: &[Scope], time| {
        tracker.handle_changes(changes, &roster, WallOffset::default(), &mut episodes);
        let watch = Watch::new(roster.clone(), &Settings::default(), at(0));
        let mut snapshot = watch.snapshot(at(time), WallOffset::default(), 0);
        for scope in roster.scopes() {
            let verdict = &mut snapshot.scopes[roster.scope_id(scope).index()].verdict;
            verdict.state = if unknown.contains(&scope) { State::Unknown } else { State::Up };
            verdict.edge = Edge { earliest: None, latest: at(100) };
        }
        tracker.note_unknown(&snapshot, false, &mut episodes);
    };
    let both = [block, country];
    take(&both.map(|scope| told(100, scope, State::Up, State::Unknown)), &both, 120);
    take(&[told(200, country, State::Unknown, State::Up)], &[block], 240);
    take(&[], &[block], 300);
    take(&[told(400, block, State::Unknown, State::Up)], &[], 420);
    let of_block: Vec<_> = episodes.iter().filter(|one| one.scope != "KP").collect();
    let told: Vec<_> =
        of_block.iter().map(|one| (one.found, one.end.map(|end| end.latest))).collect();
    assert_eq!(told, [(at(100), None), (at(100), Some(at(400)))]);
}
