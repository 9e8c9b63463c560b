//! What no run watched.

use super::*;

const DAY: u64 = 86_400;

/// Ten minutes dark and an hour well; then no run for four days, and dark again in the next one.
#[test]
fn no_incident_is_over_because_no_run_watched() {
    let directory = TempDir::new("no-run");
    let mut database = Database::open(&directory.file()).unwrap();
    let mut write = |began: u64, time: u64, episodes: Vec<Episode>| {
        let mut waiting = Backlog::default();
        waiting.add(Batch { at: at(time), episodes, ..Batch::default() });
        database.write(&waiting, "lab", at(began)).unwrap();
    };
    let dark = Episode { unseen: Duration::ZERO, ..outage("KP", Some(600)) };
    write(0, 4200, vec![dark.clone()]);
    let edge = |time| Edge { earliest: Some(at(time - 4)), latest: at(time) };
    let again = Episode {
        found: at(4 * DAY + 2000),
        begin: edge(4 * DAY + 1900),
        end: Some(edge(4 * DAY + 2500)),
        ..dark.clone()
    };
    write(4 * DAY, 4 * DAY + 3600, vec![again]);
    let reader = StoreReader::open(&directory.file()).unwrap();
    let now = at(4 * DAY + 3600);
    // However much of it is asked for.
    for since in [None, Some(at(0)), Some(at(3 * DAY)), Some(at(4 * DAY + 2000))] {
        let filter = EpisodeFilter { since, ..EpisodeFilter::default() };
        let told = reader.incidents(&filter, now, None).unwrap().rows.read;
        let [incident] = &told[..] else { panic!("{since:?}: {told:#?}") };
        let [_, up, _, _] = &incident.phases[..] else { panic!("{incident:#?}") };
        assert_eq!(up.unseen.as_secs(), 4 * DAY - 4200);
        assert_eq!((incident.is_over, incident.over_at()), (false, Some(at(5 * DAY + 2500))));
    }
}

/// The same where nothing was known of a block alone, in a run that goes on.
#[test]
fn no_incident_of_a_block_is_over_while_nothing_is_known_of_it() {
    let directory = TempDir::new("block-unknown");
    let mut database = Database::open(&directory.file()).unwrap();
    let block = "127.45.176.0/24";
    let edge = |time| Edge { earliest: Some(at(time - 4)), latest: at(time) };
    let of_block = |state, begin: u64, end: u64| Episode {
        scope: block.into(),
        state,
        found: at(begin),
        begin: edge(begin),
        end: Some(edge(end)),
        unseen: Duration::ZERO,
        ..outage("KP", None)
    };
    let episodes = vec![
        of_block(State::Outage, 1000, 1600),
        of_block(State::Unknown, 5000, 4 * DAY),
        of_block(State::Outage, 4 * DAY + 1900, 4 * DAY + 2500),
    ];
    let mut waiting = Backlog::default();
    waiting.add(Batch { at: at(4 * DAY + 3600), episodes, ..Batch::default() });
    database.write(&waiting, "lab", at(0)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    for since in [None, Some(at(0)), Some(at(3 * DAY)), Some(at(4 * DAY + 2000))] {
        let filter = EpisodeFilter { since, ..EpisodeFilter::default() };
        let told = reader.incidents(&filter, at(4 * DAY + 3600), None).unwrap().rows.read;
        let [incident] = &told[..] else { panic!("{since:?}: {told:#?}") };
        assert_eq!((incident.begin(), incident.is_over), (edge(1000), false), "{since:?}");
    }
}
