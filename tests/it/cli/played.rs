//! What `simulate`, `replay` and `demo` played, in a store that `episodes` and `report` read.

use crate::support::{LAB, Program, TIMEOUT, TempDir, done, lifesign, signal, until};
use lifesign_core::judge::State;
use lifesign_store::{EpisodeFilter, FILE_NAME, StoreReader};
use std::{fs, path::Path};

const DECEMBER: &str = "tests/data/scenarios/december-2014-path.toml";
const JOURNAL: &str = r#"{"sent":"2014-12-22T16:14:58.120Z","host":"127.45.176.15","probe":"icmp","result":"reply","rtt_ms":203.4}
{"sent":"2014-12-22T16:15:02.120Z","host":"127.45.176.67","probe":"tcp/80","result":"refused","rtt_ms":198.9}
{"sent":"2014-12-22T16:16:32.120Z","host":"127.45.176.15","probe":"icmp","result":"reply","rtt_ms":203.4}
"#;

/// Between its last two lines.
const PLACE: &str = r#"{"seen":"2014-12-22T16:15:05.500Z","path":"127.45.176.0/24","place":{"place":"at_their_border","found":"2014-12-22T16:15:05.500Z","since":"2014-12-22T16:15:01.000Z","last":{"hop":7,"address":"219.158.0.1","asn":4837,"network":"China Unicom","heard":"2014-12-22T16:15:03.000Z"},"first_silent":null,"said":null,"probes":32}}
"#;

/// The hours in which the outages of the country began, from its great darkness on.
fn outages(state: &str) -> Vec<String> {
    let filter = EpisodeFilter {
        since: "2014-12-22T16:14:00Z".parse().ok(),
        scope: Some("KP".into()),
        state: Some(State::Outage),
        ..EpisodeFilter::default()
    };
    let reader = StoreReader::open(&Path::new(state).join(FILE_NAME)).unwrap();
    let read = reader.episodes(&filter).unwrap().read;
    let of_country = read.iter().filter(|episode| episode.scope == "KP");
    of_country.map(|episode| episode.begin.latest.to_string()[..13].to_owned()).collect()
}

#[test]
fn a_simulation_is_kept_at_its_own_times_and_nothing_is_mixed_with_it() {
    let temp_dir = TempDir::new("simulated");
    let state = temp_dir.path("state");
    let simulate = ["simulate", DECEMBER, "--state-dir", &state];
    let (code, out, err) = done(lifesign(&simulate));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let hint = format!("kept in {state}: lifesign episodes --state-dir {state} --since 2014-12-21");
    assert_eq!(out.lines().last(), Some(hint.as_str()));
    // What is told is that of a simulation that is not kept.
    let told = done(lifesign(&simulate[..2])).1;
    assert_eq!(out.strip_suffix(&hint).unwrap().trim_end(), told);
    assert_eq!(outages(&state), ["2014-12-22T16", "2014-12-23T07", "2014-12-23T15"]);
    let period = ["--since", "2014-12-21", "--until", "2014-12-24"];
    let listed = ["episodes", "--all", "--scope", "kp", "--state", "Outage", "--state-dir", &state];
    let (code, table, err) = done(lifesign(&[&listed, &period[..]].concat()));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(table.contains(" 2014-12-22 16:15:"), "{table}");
    let report = [&["report", "kp", "--state-dir", &state], &period[..]].concat();
    // A report is written over nothing but a report.
    let store = format!("{state}/lifesign.db");
    let (code, _, err) = done(lifesign(&[&report[..], &["--output", &store]].concat()));
    assert!(code == 73 && err.contains("is there already, and no report"), "{code}: {err}");
    let html = format!("{state}/report.html");
    for _ in 0..2 {
        let (code, _, err) = done(lifesign(&[&report[..], &["--output", &html]].concat()));
        assert_eq!(code, 0, "{err}");
    }
    let (code, page, err) = done(lifesign(&report));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(page.contains("It was watched without a break."), "{page}");
    let place = "at their border: dark beyond 198.18.0.";
    assert!(page.contains(&format!("<br><small>{place}")), "{page}");
    let json = ["episodes", "--json", "--since", "2014-12-22", "--state-dir", &state];
    let (_, incidents, _) = done(lifesign(&json));
    assert!(incidents.contains(place), "{incidents}");
    // A minute's sample of each scope, or ten minutes'.
    let base = rusqlite::Connection::open(temp_dir.join("state/lifesign.db")).unwrap();
    for (span, wanted) in [(60_000, 72 * 60), (600_000, 72 * 6)] {
        let sql = "SELECT count(*) FROM sample WHERE scope = 'KP' AND span = ?";
        let found: i64 = base.query_row(sql, [span], |row| row.get(0)).unwrap();
        assert!((wanted - 2..=wanted).contains(&found), "{found} samples of {span} ms");
    }
    // Where the path broke at 16:15 was known soon, though it flapped until then.
    let darkness = 1_419_264_900_000_i64;
    let sql = "SELECT min(told) FROM place WHERE told >= ?";
    let told: i64 = base.query_row(sql, [darkness], |row| row.get(0)).unwrap();
    assert!((0..15_000).contains(&(told - darkness)), "{} ms", told - darkness);
    drop(base);
    let size = fs::metadata(temp_dir.join("state/lifesign.db")).unwrap().len();
    // Neither another simulation nor a run goes on from it.
    let wanted = format!(
        "lifesign: {state} holds what happened in another run, and what is played needs a store of \
         its own; give an empty directory with --state-dir, or delete {state}/lifesign.db if nobody \
         needs it"
    );
    assert_eq!(done(lifesign(&simulate)), (73, String::new(), wanted));
    let run = ["run", "--config", LAB, "--listen", "127.0.0.1:0", "--state-dir", &state];
    let (code, _, err) = done(lifesign(&run));
    let wanted = format!("lifesign: {state} holds what was played by replay, simulate or demo, ");
    assert!(code == 73 && err.starts_with(&wanted) && err.lines().count() == 1, "{code}: {err}");
    assert_eq!(fs::metadata(temp_dir.join("state/lifesign.db")).unwrap().len(), size);
}

#[test]
fn nothing_is_played_into_the_directory_of_a_run() {
    let temp_dir = TempDir::new("run-played");
    let state = temp_dir.path("state");
    let journal = temp_dir.put("journal", JOURNAL);
    let run = ["--config", LAB, "--listen", "127.0.0.1:0", "--state-dir", &state];
    let mut watch = Program::start(lifesign(&run));
    watch.line(TIMEOUT, "verdict", |line| line.contains(" unknown → up").then_some(()));
    for play in [
        &["simulate", DECEMBER][..],
        &["replay", &journal, "--config", LAB],
        &["demo", "--listen", "127.0.0.1:0"],
    ] {
        let (code, _, err) = done(lifesign(&[play, &["--state-dir", &state]].concat()));
        let wanted = format!("lifesign: the state directory {state} belongs to another run");
        assert!(code == 69 && err.starts_with(&wanted), "{play:?}: {code}: {err}");
    }
    assert_eq!(watch.terminate().code(), Some(0));
    let simulate = ["simulate", DECEMBER, "--state-dir", &state];
    assert_eq!(done(lifesign(&simulate)).0, 73, "it holds what was seen");
}

#[test]
fn a_replay_is_kept_at_the_times_of_its_journal() {
    let temp_dir = TempDir::new("replayed");
    let state = temp_dir.path("state");
    let last = JOURNAL.rfind("{\"sent\"").unwrap();
    let journal = [&JOURNAL[..last], PLACE, &JOURNAL[last..]].concat();
    let journal = temp_dir.put("journal", journal);
    let replay = ["replay", &journal, "--config", LAB, "--state-dir", &state];
    let (code, out, err) = done(lifesign(&replay));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.lines().last().unwrap().ends_with("--since 2014-12-22"), "{out}");
    let base = rusqlite::Connection::open(temp_dir.join("state/lifesign.db")).unwrap();
    let run: (i64, i64, bool, String) = base
        .query_row("SELECT began, lasted, ended, vantage FROM run", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .unwrap();
    // As early as another probe may have left whose answer came later.
    let began = 1_419_264_898_120 - 3000;
    assert_eq!(run, (began, began + 97_203, true, "lab".to_owned()));
    let told: (String, i64, String, String) = base
        .query_row("SELECT scope, told, place, words FROM place", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .unwrap();
    let words = "at their border: dark beyond 219.158.0.1 (AS4837 China Unicom, answered 16:15:03)";
    let wanted = ("127.45.176.0/24", 1_419_264_905_500, "at_their_border", words);
    assert_eq!((&*told.0, told.1, &*told.2, &*told.3), wanted);
    assert!(out.contains(&format!("2014-12-22T16:15:05.500Z KP 127.45.176.0/24 {words}")), "{out}");
    drop(base);
    let period = ["--since", "2014-12-22T16:14Z", "--until", "2014-12-22T16:17Z"];
    let report = [&["report", "KP", "--state-dir", &state], &period[..]].concat();
    let (code, page, err) = done(lifesign(&report));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(page.contains("(KP), 2014-12-22"), "{page}");
    let other = temp_dir.path("other");
    let json = ["replay", &journal, "--config", LAB, "--json", "--state-dir", &other];
    let (code, out, _) = done(lifesign(&json));
    assert!(code == 0 && out.lines().all(|line| line.starts_with('{')), "{out}");
}

#[test]
fn the_demo_is_read_while_it_plays_and_after_it() {
    let temp_dir = TempDir::new("demo-kept");
    let state = temp_dir.path("state");
    let demo = ["demo", "--speed", "40000", "--listen", "127.0.0.1:0", "--state-dir", &state];
    let mut demo = Program::start(lifesign(&demo));
    demo.line(TIMEOUT, "hint", |line| line.starts_with("kept in ").then_some(()));
    let is_outage = |line: &str| {
        line.starts_with("2014-12-22T16:15:") && line.contains("Z KP flapping → outage")
    };
    demo.line(TIMEOUT, "outage", |line| is_outage(line).then_some(()));
    let wanted = "2014-12-22T16";
    until(TIMEOUT, "an outage", || match &outages(&state)[..] {
        [first, ..] if first == wanted => Ok(()),
        other => Err(format!("{other:?}")),
    });
    signal("INT", demo.id());
    assert_eq!(demo.end(TIMEOUT).code(), Some(0), "{}", demo.said());
    assert!(!temp_dir.join("state/lifesign.db-wal").exists(), "it is one file when at rest");
    assert_eq!(outages(&state)[0], wanted);
    let base = rusqlite::Connection::open(temp_dir.join("state/lifesign.db")).unwrap();
    let sql = "SELECT count(*) FROM place WHERE place = 'at_their_border'";
    let places: i64 = base.query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(places >= 4, "{places}");
}

/// A reader in another year would find nothing in the last week.
#[test]
fn what_was_played_is_marked_and_is_asked_for_relative_to_its_end() {
    let temp_dir = TempDir::new("played-relative");
    let state = temp_dir.path("state");
    assert_eq!(done(lifesign(&["simulate", DECEMBER, "--state-dir", &state])).0, 0);
    let ask = |command: &[&str]| {
        let (code, out, err) = done(lifesign(&[command, &["--state-dir", &state]].concat()));
        assert_eq!((code, err.as_str()), (0, ""), "{command:?}: {out}");
        out
    };
    for command in [&["report", "KP"][..], &["episodes"]] {
        let after = [command, &["--since", "2014-12-25", "--state-dir", &state]].concat();
        let (code, _, err) = done(lifesign(&after));
        let wanted = "lifesign: --since is not before the end of what is known, 2014-12-24T";
        let is_said = err.starts_with(wanted) && err.contains("; the store holds 2014-12-21T");
        assert!(code == 65 && is_said, "{command:?}: {code}: {err}");
    }
    let mark = "<b>Not seen, but played</b>";
    for since in ["3d", "30d", "2014-12-21"] {
        let incidents = ask(&["episodes", "--since", since]);
        assert!(incidents.starts_with("KP 2014-12-21T1359Z"), "{since}: {incidents}");
        let page = ask(&["report", "KP", "--since", since]);
        assert!(page.contains(mark), "{since}: {page}");
    }
    let page = ask(&["report", "KP", "--since", "3d"]);
    assert!(page.contains("(KP), 2014-12-21 00:00:00 to 2014-12-24 00:00:00 UTC"), "{page}");
    let base = rusqlite::Connection::open(temp_dir.join("state/lifesign.db")).unwrap();
    base.pragma_update(None, "application_id", 0).unwrap();
    drop(base);
    assert!(!ask(&["report", "KP", "--since", "2014-12-21"]).contains(mark), "it was seen");
}
