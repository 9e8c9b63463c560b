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
