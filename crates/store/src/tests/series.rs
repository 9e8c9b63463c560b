//! What was measured, in periods of equal length.

use super::*;
use lifesign_page::Point;

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
        let mut all = reader.measured(which, (at(from), at(to)), count).unwrap().read;
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

/// Ten minutes of which one is slow: no other range may show them slower, nor hide how slow it was.
#[test]
fn quantiles_are_means_of_minutes_and_extremes_stay_in_fine_samples_and_in_coarse_ones() {
    let directory = TempDir::new("quantiles");
    let mut database = Database::open(&directory.file()).unwrap();
    let samples = (0..20_u64).map(|minute| {
        let is_slow = minute % 10 == 5;
        let times = RoundTrips {
            median: 0.1,
            p95: if is_slow { 1.0 } else { 0.1 },
            spread: Some(Spread {
                min: if is_slow { 0.02 } else { 0.09 },
                p10: if is_slow { 0.05 } else { 0.1 },
                p90: if is_slow { 0.9 } else { 0.1 },
                max: if is_slow { 2.0 } else { 0.11 },
            }),
        };
        let round_trips = Some(times);
        Sample { round_trips, ..sample("KP", 300 + minute * 60, State::Up, Some(0.0)) }
    });
    database.write(&backlog(1500, Vec::new(), samples.collect()), "lab", at(0)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let read = |from, to, count| {
        let period = (at(from), at(to));
        let all = reader.measured(Measurements::Of("KP"), period, count).unwrap().read;
        all.iter().filter_map(|each| each.round_trips).collect::<Vec<_>>()
    };
    let fine = read(300, 1500, 20);
    assert_eq!((fine.len(), fine[4].p95, fine[4].spread.unwrap().max), (19, 1.0, 2.0));
    let coarse = read(300, 1500, 2);
    assert_eq!(coarse.len(), 2);
    for RoundTrips { median, p95, spread } in coarse {
        let Spread { min, p10, p90, max } = spread.unwrap();
        let told = [min, p10, median, p90, p95, max];
        let expected = [0.02, 0.095, 0.1, 0.18, 0.19, 2.0];
        let apart = |(told, expected): (&f64, f64)| (told - expected).abs() < 1e-9;
        assert!(told.iter().zip(expected).all(apart), "{told:?}");
    }
}

#[test]
fn ten_fine_summaries_make_a_coarse_one_and_the_old_are_forgotten() {
    let directory = TempDir::new("coarse");
    let mut database = Database::open(&directory.file()).unwrap();
    // 16:15:00 is the middle of ten minutes.
    let minutes = (0..5).map(|minute| {
        let state = if minute == 2 { State::Outage } else { State::Up };
        sample("KP", 60 * minute, state, (minute != 4).then_some(minute as f64 / 10.0))
    });
    let old = sample("KP", 0, State::Up, None);
    let old = Sample { time: at(0) - Duration::from_secs(9 * 86_400), ..old };
    let samples = minutes.chain([old]).collect();
    database.write(&backlog(310, vec![], samples), "lab", at(0)).unwrap();
    let connection = Connection::open(directory.file()).unwrap();
    let row = connection.query_row(
        "SELECT time, state, probes, loss FROM sample WHERE span = 600000",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    );
    let (time, state, probes, loss): (i64, String, i64, f64) = row.unwrap();
    assert_eq!((row::time_from_millis(time), state.as_str(), probes), (at(300), "outage", 240));
    assert!((loss - 0.15).abs() < 1e-9, "{loss}");
    let fine: i64 = connection
        .query_row("SELECT count(*) FROM sample WHERE span = 60000", [], |row| row.get(0))
        .unwrap();
    assert_eq!(fine, 5);
}

#[test]
fn ten_minutes_of_outage_are_one_also_if_nothing_is_known_of_one_of_them() {
    let directory = TempDir::new("gravest");
    let mut database = Database::open(&directory.file()).unwrap();
    // The last one's probes have no loss of their own.
    let minutes = (5..15).map(|minute| {
        let state = if minute == 14 { State::Unknown } else { State::Outage };
        Sample { probes: 60, ..sample("KP", 60 * minute, state, (minute != 14).then_some(1.0)) }
    });
    database.write(&backlog(910, vec![], minutes.collect()), "lab", at(0)).unwrap();
    let connection = Connection::open(directory.file()).unwrap();
    let sql = "SELECT state, loss FROM sample WHERE span = 600000";
    let row = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
    assert_eq!(row.unwrap(), ("outage".to_owned(), 1.0));
}

/// Minutes that begin a little late, in columns of a minute each; and ten minutes in such columns.
#[test]
fn a_picture_has_no_hole_where_a_sample_reaches() {
    let directory = TempDir::new("holes");
    let mut database = Database::open(&directory.file()).unwrap();
    let late = |minute: u64| {
        let sample = sample("KP", minute * 60, State::Up, Some(0.5));
        Sample { time: sample.time + Duration::from_millis(minute * 2500 % 50_000), ..sample }
    };
    database.write(&backlog(3600, vec![], (1..=59).map(late).collect()), "lab", at(0)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let points = |from: u64, to: u64| {
        let count = (to - from) as usize / 60;
        let measured = reader.measured(Measurements::Of("KP"), (at(from), at(to)), count).unwrap();
        let mut points = vec![Point::default(); count];
        for each in &measured.read {
            each.draw(&mut points);
        }
        let holes = (0..count).filter(|&at| points[at].probes == 0).collect::<Vec<_>>();
        (measured.read.len(), holes)
    };
    let (own, holes) = points(0, 3540);
    assert!(own < 59, "some columns have no sample of their own");
    assert_eq!(holes, [0; 0]);
    // Nobody measured before.
    assert_eq!(points(0, 3540 + 600).1, (60..69).collect::<Vec<_>>());
    let connection = Connection::open(directory.file()).unwrap();
    connection.execute("DELETE FROM sample WHERE span = 60000", []).unwrap();
    let (own, holes) = points(300, 2100);
    assert_eq!((own, holes), (3, vec![]));
}
