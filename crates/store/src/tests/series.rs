//! What was measured, in periods of equal length.

use super::*;

#[test]
fn measurements_are_read_in_periods_and_no_sample_counts_twice() {
    let directory = TempDir::new("series");
    let mut database = Database::open(&directory.file()).unwrap();
    let minutes = (1..=40_u64).map(|minute| {
        let state = if minute <= 20 { State::Unknown } else { State::Up };
        sample("KP", minute * 60, state, (minute > 10).then_some(0.5))
    });
    let parts = (1..=40_u64).map(|minute| sample("10.0.0.0/24", minute * 60, State::Up, Some(0.0)));
    let samples = minutes.chain(parts).collect();
    database.write(&backlog(40 * 60, Vec::new(), samples), "lab", at(0)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let read = |which, from: u64, to: u64, count| {
        let mut all = reader.measured(which, (at(from), at(to)), count).unwrap();
        all.sort_by_key(|each| (each.scope.clone(), each.period));
        all.iter()
            .map(|each| (each.scope.clone(), each.period, each.is_unknown, each.probes, each.loss))
            .collect::<Vec<_>>()
    };
    // Ten minutes each: coarse samples, and fine ones after the last of them.
    let whole = read(Measurements::Countries, 0, 2400, 4);
    assert_eq!(whole.iter().map(|each| each.1).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(whole.iter().map(|each| each.3).sum::<u64>(), 30 * 60);
    assert_eq!([whole[0].2, whole[3].2], [true, false]);
    assert_eq!([whole[0].4, whole[3].4], [None, Some(0.5)]);
    let halves = read(Measurements::AllOf("KP"), 1200, 2400, 10);
    assert_eq!(halves.len(), 20);
    assert!(halves.iter().all(|each| each.3 == 120), "{halves:?}");
    assert_eq!(read(Measurements::Of("10.0.0.0/24"), 0, 600, 1)[0].3, 600);
    assert_eq!(read(Measurements::Of("none"), 0, 600, 1), []);
    assert_eq!(read(Measurements::Countries, 600, 600, 1), []);
}
