//! Files that another program wrote, or a later lifesign, and rows that make no sense.

use super::*;

/// What is in the file, byte by byte, and beside it.
fn untouched(directory: &TempDir) -> (Vec<u8>, Vec<String>) {
    let names = fs::read_dir(&**directory).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned()).collect();
    (fs::read(directory.file()).unwrap(), names)
}

/// Programs number their tables too, or not at all.
#[test]
fn another_programs_file_and_that_of_a_later_version_are_refused_and_stay_as_they_are() {
    let foreign = "this is another program's file, and no store of lifesign";
    for (name, sql, said) in [
        ("table", "CREATE TABLE song (title TEXT)", foreign),
        ("view", "CREATE VIEW one AS SELECT 1", foreign),
        ("number", "CREATE TABLE run (km REAL); PRAGMA user_version = 3", foreign),
        ("first", "CREATE TABLE bookmark (url TEXT); PRAGMA user_version = 1", foreign),
        ("many", "CREATE TABLE bookmark (url TEXT); PRAGMA user_version = 74", foreign),
        ("application", "PRAGMA application_id = 1196437808", foreign),
        (
            "later",
            "CREATE TABLE run (x); CREATE TABLE episode (x); PRAGMA user_version = 4",
            "the store has version 4, and this lifesign reads versions 1 to 3",
        ),
    ] {
        let directory = TempDir::new(&format!("foreign-{name}"));
        Connection::open(directory.file()).unwrap().execute_batch(sql).unwrap();
        let before = untouched(&directory);
        let errors = [
            Database::open(&directory.file()).unwrap_err(),
            Database::open_whole(&directory.file(), at(0)).unwrap_err(),
            StoreReader::open(&directory.file()).unwrap_err(),
        ];
        assert_eq!(errors.map(|error| error.to_string()), [said; 3], "{name}");
        let roster = Roster::default();
        let refused =
            PlayedStore::create(&directory, "lab", &roster, Remarks::default(), at(0)).unwrap_err();
        assert!(refused.to_string().ends_with(&format!("lifesign.db: {said}")), "{refused}");
        assert!(untouched(&directory) == before, "{name}");
    }
}

#[test]
fn what_stands_in_the_place_of_the_file_is_called_what_it_is() {
    let directory = TempDir::new("in-its-place");
    let create =
        || PlayedStore::create(&directory, "lab", &Roster::default(), Remarks::default(), at(0));
    let refused = || create().unwrap_err().to_string();
    fs::create_dir(directory.file()).unwrap();
    assert!(refused().ends_with("lifesign.db: it is a directory, and no file"), "{}", refused());
    fs::remove_dir(directory.file()).unwrap();
    fs::write(directory.file(), "a text that is as long as the header of a database or longer")
        .unwrap();
    assert!(refused().ends_with("lifesign.db: it is no store, or damaged"), "{}", refused());
    // As it is between its making and its first transaction.
    fs::write(directory.file(), "").unwrap();
    drop(create().unwrap());
    assert!(refused().contains("holds what happened in another run"), "{}", refused());
}

#[test]
fn a_row_that_makes_no_sense_is_passed_over_and_counted_and_hinders_no_other() {
    let directory = TempDir::new("senseless");
    let mut database = Database::open(&directory.file()).unwrap();
    let later = |minute: u64| sample("KP", minute * 60, State::Up, Some(0.5));
    let samples = (1..=20).map(later).collect();
    let open = outage("KP", None);
    let over = |seconds| Episode { found: at(seconds), ..outage("KP", Some(34_270)) };
    let episodes = vec![open.clone(), over(71), over(72), over(73), over(74), over(75)];
    database.write(&backlog(1200, episodes, samples), "lab", at(0)).unwrap();
    let connection = Connection::open(directory.file()).unwrap();
    connection.execute("DELETE FROM sample WHERE span = 600000", []).unwrap();
    let change = |sql: &str, time: u64| {
        let changed = connection.execute(sql, [row::millis(at(time))]).unwrap();
        assert_eq!(changed, 1, "{sql}");
    };
    for (minute, column) in [
        (2, "probes = 9223372036854775807"),
        (3, "probes = 9223372036854775807"),
        (4, "probes = -1"),
        (5, "loss = 1.5"),
        (6, "loss = -9e999"),
        (7, "rtt_median = -0.1"),
        (8, "rtt_max = 9e999"),
        (9, "state = 'gone'"),
    ] {
        change(&format!("UPDATE sample SET {column} WHERE time = ?"), minute * 60);
    }
    for (found, column) in [
        (71, "end_latest = 9223372036854775807"),
        (72, "begin_latest = -5"),
        (73, "unseen = 9223372036854775807"),
        (74, "darknesses = -1"),
        (75, "stay_dark = -1"),
    ] {
        change(&format!("UPDATE episode SET {column} WHERE found = ?"), found);
    }
    connection
        .execute_batch(
            "INSERT INTO run VALUES (5, 9223372036854775807, 0, 'lab', '1');
             INSERT INTO run VALUES (-5, 5, 0, 'lab', '1');
             INSERT INTO maintenance VALUES ('KP', -5, 9223372036854775807, NULL);
             INSERT INTO name VALUES ('a.example', CAST(x'ff' AS TEXT));
             INSERT INTO sample SELECT 600000, scope, 9223372036854775807, country, state, probes,
                 loss, rtt_median, rtt_p95, rtt_min, rtt_p10, rtt_p90, rtt_max FROM sample LIMIT 1;
             INSERT INTO memory VALUES (1, 0, CAST(x'ff' AS TEXT));",
        )
        .unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let measured = reader.measured(Measurements::Of("KP"), (at(0), at(1200)), 1).unwrap();
    assert_eq!((measured.read[0].probes, measured.broken), (12 * 60, 8));
    assert_eq!(measured.read[0].loss, Some(0.5));
    let read = reader.episodes(&EpisodeFilter::default()).unwrap();
    // The window of maintenance is one of them, and so are the runs.
    assert_eq!((read.read, read.broken), (vec![open.clone()], 8));
    let runs = reader.runs(Time::default(), at(1300)).unwrap();
    assert_eq!((runs.read.len(), runs.broken), (1, 0));
    assert_eq!(reader.last_written().unwrap(), Some(at(1200)));
    assert_eq!(reader.covered().unwrap(), Some((at(0), at(1200))));
    assert_eq!(reader.observed_until(at(9000)).unwrap(), at(1200));
    let data = report::ReportData::read(&reader, "KP", (at(0), at(1200)), at(1200)).unwrap();
    assert_eq!(data.map(|data| data.broken()), Some(8 + 8));
    // A run goes on from there, condenses its samples, and takes a clock that was set.
    let previous = database.previous_run().unwrap();
    assert_eq!((previous.last_write(), previous.open_episodes), (Some(at(1200)), vec![open]));
    assert!(previous.memory.is_none() && previous.names.is_empty());
    let mut next = backlog(1260, vec![], vec![later(21)]);
    next.essentials.corrections.push(Correction { since: at(0), millis: 3_600_000 });
    database.write(&next, "lab", at(1260)).unwrap();
    database.write(&backlog(4800, vec![], vec![later(80)]), "lab", at(1260)).unwrap();
    let measured = reader.measured(Measurements::Of("KP"), (at(3600), at(4800)), 1).unwrap();
    assert_eq!((measured.read[0].probes, measured.broken), (12 * 60, 0));
}

#[test]
fn what_ends_before_it_begins_and_a_run_out_of_time_are_counted_and_not_shown() {
    let directory = TempDir::new("backwards");
    let mut database = Database::open(&directory.file()).unwrap();
    let episodes = vec![outage("KP", Some(500)), outage("TW", Some(500))];
    database.write(&backlog(600, episodes, vec![]), "lab", at(0)).unwrap();
    drop(database);
    let base = Connection::open(directory.file()).unwrap();
    let backwards = "UPDATE episode SET end_latest = begin_latest - 1 WHERE scope = 'TW'";
    assert_eq!(base.execute(backwards, []), Ok(1));
    assert_eq!(base.execute("INSERT INTO run VALUES (-5, 7, 0, 'x', '0')", []), Ok(1));
    let reader = StoreReader::open(&directory.file()).unwrap();
    let read = reader.episodes(&EpisodeFilter::default()).unwrap();
    assert_eq!((read.read.len(), &*read.read[0].scope, read.broken), (1, "KP", 2));
    assert_eq!(reader.for_each_episode(|_| Ok::<_, StoreError>(())).unwrap(), 2);
    let told = reader.incidents(&EpisodeFilter::default(), at(600), None).unwrap();
    assert_eq!(told.rows.broken, 2);
}

/// Who reads it as if nobody wrote finds it torn.
#[test]
fn a_file_without_a_log_that_is_being_written_is_called_locked() {
    let directory = TempDir::new("rollback");
    drop(Database::open(&directory.file()).unwrap());
    let writer = Connection::open(directory.file()).unwrap();
    writer.execute_batch("PRAGMA journal_mode = delete; BEGIN EXCLUSIVE").unwrap();
    let error = StoreReader::open(&directory.file()).unwrap_err().to_string();
    assert_eq!(error, "another program keeps it locked; try again, or read a copy");
    writer.execute_batch("ROLLBACK").unwrap();
    assert!(StoreReader::open(&directory.file()).is_ok());
}
