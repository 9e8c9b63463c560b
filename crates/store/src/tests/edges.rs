//! The end of nine and a half hours, which is first told within two minutes, and then within eight
//! seconds.

use super::*;
use lifesign_core::scopes::CountryId;

/// The row may have been written by then, or wait for the disk still.
#[test]
fn a_narrower_end_replaces_the_row_that_was_written_or_waits() {
    let mut roster = Roster::default();
    roster.add_country("KP", "North Korea");
    let told = |time: u64, from, to, earliest: u64, latest: u64| Change {
        time: at(time),
        scope: Scope::Country(CountryId(0)),
        from,
        to,
        edge: Edge { earliest: Some(at(earliest)), latest: at(latest) },
        evidence: EvidenceText::default(),
        darknesses: Darknesses::default(),
    };
    let end = 34_270;
    let changes = [
        told(70, State::Up, State::Outage, 0, 4),
        told(end, State::Outage, State::Up, end - 120, end),
        told(end + 120, State::Up, State::Up, end - 8, end),
    ];
    for waits in [false, true] {
        let directory = TempDir::new(if waits { "narrow-waits" } else { "narrow" });
        let mut database = Database::open(&directory.file()).unwrap();
        let mut tracker = EpisodeTracker::default();
        let mut waiting = Backlog::default();
        for change in &changes {
            let mut episodes = Vec::new();
            tracker.handle_change(change, &roster, WallOffset::default(), &mut episodes);
            waiting.add(Batch { at: change.time, episodes, ..Batch::default() });
            assert_eq!(waiting.rows(), 1);
            if !waits {
                database.write(&std::mem::take(&mut waiting), "lab", at(0)).unwrap();
            }
        }
        if waits {
            database.write(&waiting, "lab", at(0)).unwrap();
        }
        let reader = StoreReader::open(&directory.file()).unwrap();
        let episodes = reader.episodes(&EpisodeFilter::default()).unwrap().read;
        assert_eq!(episodes.len(), 1);
        let narrow = Edge { earliest: Some(at(end - 8)), latest: at(end) };
        assert_eq!(episodes[0].end, Some(narrow));
        assert!(list::text(&episodes, at(end)).contains("9 h 31 min ± 6 s"));
        assert_eq!(database.previous_run().unwrap().open_episodes, []);
    }
}

/// A run's store takes out the row, whether it is known at once, later, or as the run ends.
#[test]
fn a_darkness_that_was_none_leaves_no_row() {
    let mut roster = Roster::default();
    roster.add_country("KP", "North Korea");
    let roster = Arc::new(roster);
    let edge = |seconds| Edge::at(at(seconds));
    let told = |time: u64, from, to, of: u64| Change {
        time: at(time),
        scope: Scope::Country(CountryId(0)),
        from,
        to,
        edge: edge(of),
        evidence: EvidenceText::default(),
        darknesses: Darknesses::default(),
    };
    let one = Darknesses::one(Duration::from_secs(8), edge(4), Some(edge(12)));
    let changes = [
        told(10, State::Up, State::Down, 4),
        told(13, State::Down, State::Up, 12),
        Change { darknesses: one, ..told(40, State::Up, State::Up, 12) },
    ];
    for ends in [&[2][..], &[3], &[2, 3], &[2, 3, 3]] {
        let is_told = ends.contains(&3);
        let directory = TempDir::new(&format!("none-{}-{is_told}", ends.len()));
        let (mut store, _) = Store::open(&directory, "lab", at(0)).unwrap();
        store.replan(&roster, at(0));
        let watch = Watch::new(roster.clone(), &Settings::default(), at(0));
        let mut now = at(41);
        let mut begin = 0;
        for &end in ends {
            let snapshot = watch.snapshot(now, WallOffset::default(), 0);
            store.handle_changes(&changes[begin..end], &snapshot, &watch);
            begin = end;
            now = now + Duration::from_secs(60);
        }
        store.finish(&watch, now, WallOffset::default());
        let reader = StoreReader::open(&directory.file()).unwrap();
        let mut rows = reader.episodes(&EpisodeFilter::default()).unwrap().read;
        rows.retain(|episode| episode.state != State::Unknown);
        assert_eq!(rows.is_empty(), is_told, "{rows:#?}");
    }
}
