//! `lifesign status` beside a real run, and what the commands say when there is nothing to ask or
//! to read.

use crate::support::{self, LAB, Program, TIMEOUT, TempDir, done, lifesign, until};
use std::{
    fs::OpenOptions,
    process::{Command, Stdio},
};

#[test]
fn a_running_lifesign_is_shown_as_a_table_and_as_json() {
    let mut watch = Program::start(lifesign(&["--config", LAB, "--listen", "127.0.0.1:0"]));
    let address = watch.address().to_string();
    let ask = |more: &[&str]| done(lifesign(&[&["status", "--address", &address], more].concat()));
    let table = until(TIMEOUT, "table", || match ask(&[]) {
        (0, table, _) => Ok(table),
        (_, _, error) => Err(error),
    });
    assert!(table.starts_with("lab at 20"), "{table}");
    for scope in ["KP", "  127.45.176.0/24", "  127.45.179.0/24"] {
        assert!(table.lines().any(|line| line.starts_with(scope)), "{scope}: {table}");
    }
    assert!(!table.contains('\u{1b}'), "no colour where there is no terminal");
    let (code, json, _) = ask(&["--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["vantage"]), (0, &"lab".into()));
    for more in [&[][..], &["--json"], &["--watch"]] {
        let mut full = lifesign(&[&["status", "--address", &address], more].concat());
        full.stdout(OpenOptions::new().write(true).open("/dev/full").unwrap());
        let full = full.stderr(Stdio::piped()).output().unwrap();
        let err = String::from_utf8(full.stderr).unwrap();
        assert_eq!((full.status.code(), err.lines().count()), (Some(73), 1), "{err}");
    }
    let plugin = until(TIMEOUT, "up", || match ask(&["--exit-code"]) {
        (0, out, err) if err.is_empty() => Ok(out),
        (3, out, _) if out.starts_with("KP unknown since ") => Err(out),
        other => panic!("{other:?}"),
    });
    let (first, rest) = plugin.split_once('\n').unwrap();
    assert!(
        first.starts_with("KP up since before 20") && rest.starts_with("lab at 20"),
        "{plugin}"
    );
    let (code, json, _) = ask(&["--exit-code", "--json"]);
    assert!(code == 0 && json.starts_with('{'), "{json}");
    assert_eq!(ask(&["--exit-code", "--watch"]).0, 2);
    assert_eq!(watch.terminate().code(), Some(0));
    let (code, out, err) = ask(&[]);
    assert_eq!((code, out.as_str()), (69, ""));
    assert!(
        err.starts_with(&format!("lifesign: no word from {address}: "))
            && err.ends_with("; --address says where a run listens")
            && err.lines().count() == 1,
        "{err}"
    );
    // The text of a plugin is its standard output.
    let said = err.replace("lifesign: ", "UNKNOWN: ");
    assert_eq!(ask(&["--exit-code"]), (3, said, String::new()));
    let (code, out, err) = ask(&["--exit-code", "--http.config.file", "nowhere.yml"]);
    assert!(code == 3 && out.starts_with("UNKNOWN: nowhere.yml: ") && err.is_empty(), "{out}");
}

#[test]
fn it_is_asked_wherever_it_listens() {
    let temp_dir = TempDir::new("status-where");
    let file = format!("unix:{}", temp_dir.path("lifesign.sock"));
    let listen = ["--config", LAB, "--listen", "127.0.0.1:0", "--listen", "[::1]:0"];
    let mut watch = Program::start(lifesign(&[&listen[..], &["--listen", &file]].concat()));
    let [v4, v6] = [(); 2].map(|()| watch.watching().port());
    for place in [
        &file,
        &format!("127.0.0.1:{v4}"),
        &format!("localhost:{v4}"),
        &format!(":{v4}"),
        &format!("localhost:{v6}"),
        &format!(":{v6}"),
    ] {
        let (code, table, err) = done(lifesign(&["status", "--address", place]));
        assert!(code == 0 && table.starts_with("lab at 20"), "{place}: {table}{err}");
    }
    assert_eq!(watch.terminate().code(), Some(0));
    for place in [&file, &format!("localhost:{v4}")] {
        let (code, _, err) = done(lifesign(&["status", "--address", place]));
        assert!(err.starts_with(&format!("lifesign: no word from {place}: ")), "{err}");
        assert_eq!((code, err.lines().count()), (69, 1));
    }
}

#[test]
fn what_is_not_there_cannot_be_read_and_one_line_says_so() {
    let temp_dir = TempDir::new("no-store");
    for command in [&["episodes"][..], &["report", "KP", "--since", "1d"]] {
        let (code, out, err) =
            done(lifesign(&[command, &["--state-dir", &temp_dir.path("none")]].concat()));
        assert_eq!((code, out.as_str()), (65, ""));
        let file = temp_dir.path("none") + "/lifesign.db";
        let wanted = format!(
            "lifesign: cannot read the store {file}: there is no such file; give the directory that \
             the run keeps its state in with --state-dir"
        );
        assert_eq!(err, wanted);
    }
    let pipe = temp_dir.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let wanted = format!("lifesign: cannot read the store {pipe}: it is no regular file");
    assert_eq!(done(lifesign(&["episodes", "--db", &pipe])), (65, String::new(), wanted));
    assert!(!temp_dir.join("none").exists(), "reading makes nothing");
    let (code, _, err) = done(lifesign(&["report", "KP", "--since", "soon"]));
    assert!(
        code == 2 && err.contains("\"soon\" is no time; write it as 2014-12-22, yesterday, today,"),
        "{err}"
    );
}

/// A run's store is read after it has ended, from where nothing can be written too.
#[test]
fn a_store_at_rest_is_read_and_nothing_is_found_in_it() {
    let temp_dir = TempDir::new("rest");
    let state = temp_dir.path("state");
    let run = ["--config", LAB, "--listen", "127.0.0.1:0", "--state-dir", &state];
    let mut watch = Program::start(lifesign(&run));
    watch.line(TIMEOUT, "verdict", |line| line.contains(" unknown → up").then_some(()));
    assert_eq!(watch.terminate().code(), Some(0));
    assert_eq!(watch.err, [""; 0]);
    assert!(!temp_dir.join("state/lifesign.db-wal").exists(), "it is one file when at rest");
    let (code, out, _) = done(lifesign(&["episodes", "--all", "--csv", "--state-dir", &state]));
    assert_eq!((code, out.lines().count()), (0, 1), "{out}");
    let (code, _, err) = done(lifesign(&["report", "JP", "--since", "1d", "--state-dir", &state]));
    let known = "there are KP; of what is in them, the nearest are 127.45.17";
    let wanted = format!("lifesign: nothing is known of \"JP\"; {known}");
    assert!(code == 65 && err.starts_with(&wanted), "{err}");
    // No minute of it has been measured.
    let block = ["report", "127.45.176.0/24", "--state-dir", &state];
    let (code, _, err) = done(lifesign(&block));
    let wanted = "lifesign: 127.45.176.0/24 lies in KP, and reports are of countries: ask for KP";
    assert_eq!((code, err.as_str()), (65, wanted));
    let (code, page, err) = done(lifesign(&["report", "KP", "--state-dir", &state]));
    assert_eq!((code, err.as_str()), (0, ""));
    let little = "Little is known of North Korea (lab) in this time: it was watched for ";
    assert!(
        page.contains(little) && page.contains(" is written each minute, seen from "),
        "{page}"
    );
    let scope = ["episodes", "--all", "--scope", "127.45.176.0/24", "--state-dir", &state];
    let (code, _, err) = done(lifesign(&scope));
    assert!(code == 0 && err.starts_with("lifesign: no episodes between 20"), "{err}");
    let report = ["report", "KP", "--until", "7d", "--since", "8d", "--state-dir", &state];
    let (code, _, err) = done(lifesign(&report));
    assert!(code == 65 && err.contains("Z; the store holds 20"), "{err}");
    let (code, out, err) =
        done(lifesign(&["episodes", "--scope", "127.0.0.0/24", "--state-dir", &state]));
    assert_eq!((code, out.as_str()), (65, ""));
    assert!(
        err.starts_with("lifesign: nothing is known of \"127.0.0.0/24\"; there are KP"),
        "{err}"
    );
    let (code, out, err) =
        done(lifesign(&["episodes", "--all", "--scope", "kp", "--state-dir", &state]));
    assert_eq!(code, 0, "{out}");
    assert!(err.starts_with("lifesign: no episodes between 20"), "{err}");
    assert!(err.contains("Z; the store holds 20") && err.lines().count() == 1, "{err}");
    let (code, out, err) = done(lifesign(&["episodes", "--state-dir", &state]));
    assert_eq!((code, out.as_str()), (0, ""));
    assert!(err.starts_with("lifesign: no incidents between 20"), "{err}");
    assert!(err.ends_with("; --all lists every stay in another state than up"), "{err}");
}

/// Two runs would overwrite what the other learned. Who only reads is let in; and a kill leaves the
/// door open.
#[test]
fn a_second_run_on_the_same_state_is_refused_and_a_killed_one_hinders_nobody() {
    let temp_dir = TempDir::new("two-runs");
    let state = temp_dir.path("state");
    let run = ["--config", LAB, "--listen", "127.0.0.1:0", "--state-dir", &state];
    let mut first = Program::start(lifesign(&run));
    first.line(TIMEOUT, "verdict", |line| line.contains(" unknown → up").then_some(()));
    let wanted = format!(
        "lifesign: the state directory {state} belongs to another run that is under way; end that one, or give this one \
         a directory of its own with --state-dir"
    );
    // Nothing of it is touched, and no journal is begun.
    let journal = temp_dir.path("journal");
    let second = [&run[..], &["--record", &journal]].concat();
    assert_eq!(done(lifesign(&second)), (69, String::new(), wanted));
    assert!(!temp_dir.join("journal").exists());
    let (code, out, err) = done(lifesign(&["episodes", "--all", "--state-dir", &state]));
    assert!(code == 0 && err.starts_with("lifesign: no episodes between 20"), "{out}{err}");
    let report = ["report", "KP", "--since", "1h", "--state-dir", &state];
    let (code, page, err) = done(lifesign(&report));
    // It is too early for a measurement, which the report says.
    assert!(
        code == 0 && page.contains("Little is known of North Korea (lab) in this time"),
        "{err}"
    );
    support::signal("KILL", first.id());
    first.end(TIMEOUT);
    let mut third = Program::start(lifesign(&run));
    third.line(TIMEOUT, "verdict", |line| line.contains(" unknown → up").then_some(()));
    assert_eq!(third.terminate().code(), Some(0));
    assert_eq!(third.err, [""; 0]);
}

#[test]
fn episodes_are_listed_from_a_time_until_another() {
    let temp_dir = TempDir::new("until");
    let state = temp_dir.path("state");
    let run = ["--config", LAB, "--listen", "127.0.0.1:0", "--state-dir", &state];
    let mut watch = Program::start(lifesign(&run));
    watch.line(TIMEOUT, "verdict", |line| line.contains(" unknown → up").then_some(()));
    assert_eq!(watch.terminate().code(), Some(0));
    let base = rusqlite::Connection::open(temp_dir.join("state/lifesign.db")).unwrap();
    // An hour each, from 2014-12-21, 22 and 23 at noon.
    for day in 0..3_i64 {
        let begin = (1_419_163_200 + day * 86_400) * 1000;
        let row = "INSERT INTO episode (scope, found, country, state, begin_earliest, begin_latest, \
                   end_earliest, end_latest, unseen, evidence) \
                   VALUES ('KP', ?1, 'KP', 'outage', ?1, ?1, ?1 + 3600000, ?1 + 3600000, 0, '')";
        assert_eq!(base.execute(row, [begin]).unwrap(), 1);
    }
    drop(base);
    let ask = |more: &[&str]| {
        done(lifesign(&[&["episodes", "--all", "--csv", "--state-dir", &state], more].concat()))
    };
    let since = ["--since", "2014-12-21"];
    for (more, days) in [
        (&[][..], &["21", "22", "23"][..]),
        (&["--until", "2014-12-23"], &["21", "22"]),
        (&["--until", "yesterday"], &["21", "22", "23"]),
        (&["--until", "2014-12-23T12:00:00Z"], &["21", "22"]),
        (&["--until", "2014-12-23T12:00:01Z"], &["21", "22", "23"]),
        (&["--until", "2199-01-01"], &["21", "22", "23"]),
        (&["--until", "2014-12-21T06:00:00Z"], &[]),
        (&["--until", "1d", "--state", "flapping"], &[]),
    ] {
        let (code, out, err) = ask(&[&since, more].concat());
        let began: Vec<&str> = out.lines().skip(1).filter_map(|line| line.get(32..34)).collect();
        assert_eq!((code, began.as_slice()), (0, days), "{more:?}: {out}");
        assert_eq!(err.starts_with("lifesign: no episodes between "), days.is_empty(), "{err}");
    }
    let base = rusqlite::Connection::open(temp_dir.join("state/lifesign.db")).unwrap();
    base.execute("UPDATE episode SET state = 'gone' WHERE found = 1419249600000", []).unwrap();
    drop(base);
    let (code, out, err) = ask(&since);
    let wanted = "lifesign: rows of the store that cannot be read and are left out: 1";
    assert_eq!((code, out.lines().count(), err.as_str()), (0, 3, wanted));
    let lower = ["report", "kp", "--state-dir", &state, "--since", "2014-12-21"];
    let (code, out, err) = done(lifesign(&lower));
    assert_eq!((code, err.as_str()), (0, wanted));
    assert!(out.contains("(KP), 2014-12-21"), "{out}");
    let ahead = [&lower[..], &["--until", "2199-01-01"]].concat();
    let (code, out, err) = done(lifesign(&ahead));
    assert!(code == 0 && !out.contains("2199"), "nobody says that what comes was watched: {err}");
    let (code, out, err) = ask(&["--since", "2014-12-23T13:00Z", "--until", "today"]);
    assert_eq!((code, out.lines().count(), err.as_str()), (0, 2, ""));
    let report = ["report", "KP", "--state-dir", &state, "--until", "2014-12-22T00:00Z"];
    let to_come = ["--since", "2198-01-01", "--until", "2199-01-01"];
    for found in [ask(&["--since", "2198-01-01"]), ask(&to_come)] {
        assert!(
            found.0 == 65 && found.2.starts_with("lifesign: --since is not before the end "),
            "{found:?}"
        );
    }
    for found in [ask(&["--until", "8d"]), done(lifesign(&report))] {
        assert!(found.0 == 2 && found.1.is_empty(), "{found:?}");
        assert!(found.2.starts_with("lifesign: --since must lie before --until: "), "{found:?}");
    }
}
