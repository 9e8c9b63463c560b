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
