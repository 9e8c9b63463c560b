//! What breaks at the disk: it is full, it is read-only, it tears lines, the plan is gone.

use crate::support::watched_world::never;
use crate::support::{
    LAB, LIFESIGN, Program, TIMEOUT, TempDir, done, get, lifesign, quiet, signal, until, values,
};
use std::{fs, process::Command, time::Duration};

/// A disk of 64 kB, in a mount namespace of the watch's own.
#[test]
#[ignore = "needs root; run by tests/run"]
fn the_disk_is_full_and_later_has_room_again() {
    let temp_dir = TempDir::new("full");
    let disk = temp_dir.path("disk");
    fs::create_dir(&disk).unwrap();
    let plan =
        fs::read_to_string(LAB).unwrap().replace("pace = \"default\"", "per_block = \"50/s\"");
    let plan = temp_dir.put("plan.toml", plan.replace("total = \"50/s\"", ""));
    let run = format!(
        "mount -t tmpfs -o size=64k disk {disk}
         exec {LIFESIGN} --config {plan} --listen 127.0.0.1:0 --record {disk}/journal"
    );
    let mut watch = Program::start(quiet(Command::new("unshare"), &["--mount", "sh", "-ec", &run]));
    let address = watch.address();
    let wanted = format!("cannot write the journal {disk}/journal: No space left on device");
    watch.error_line(TIMEOUT, "complaint", |line| line.contains(&wanted).then_some(()));
    // It says so once, and watches on.
    let sent =
        || values(&get(address, "/metrics").body, "lifesign_probes_total", &[]).iter().sum::<f64>();
    let before = sent();
    until(TIMEOUT, "more probes", || match sent() {
        now if now > before + 100.0 => Ok(()),
        now => Err(format!("{before} {now}")),
    });
    watch.listen(Duration::from_secs(1));
    assert_eq!(watch.err.len(), 1, "{}", watch.said());
    never(&watch, &["down", "outage", "flapping"]);
    let inside = format!("--mount=/proc/{}/ns/mnt", watch.id());
    let grow = format!("mount -o remount,size=64m {disk}");
    assert_eq!(done(quiet(Command::new("nsenter"), &[&inside, "sh", "-ec", &grow])).0, 0);
    watch.error_line(TIMEOUT, "relief", |line| line.contains(" lines were lost").then_some(()));
    let copy = until(TIMEOUT, "journal that goes on", || {
        let journal = format!("{disk}/journal");
        let copy = done(quiet(Command::new("nsenter"), &[&inside, "cat", &journal])).1;
        if copy.len() > 80_000 { Ok(copy) } else { Err(copy.len().to_string()) }
    });
    let copy = temp_dir.put("copy", copy);
    let (code, _, err) = done(lifesign(&["replay", &copy, "--config", &plan]));
    assert_eq!(code, 0, "{err}");
    assert!(
        err.lines().count() <= 2,
        "at most the line at the brink is torn, and the last one read: {err}"
    );
    assert_eq!(watch.terminate().code(), Some(0));
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn the_disk_is_read_only() {
    let temp_dir = TempDir::new("readonly");
    let disk = temp_dir.path("disk");
    fs::create_dir(&disk).unwrap();
    let run = format!(
        "mount -t tmpfs -o ro disk {disk}
         exec {LIFESIGN} --config {LAB} --listen 127.0.0.1:0 --record {disk}/journal"
    );
    let found = done(quiet(Command::new("unshare"), &["--mount", "sh", "-ec", &run]));
    let why = format!("lifesign: cannot write the journal {disk}/journal: Read-only file system");
    assert_eq!(found, (73, String::new(), why));
}

#[test]
fn the_journal_is_rotated() {
    let temp_dir = TempDir::new("rotated");
    let plan = fs::read_to_string(LAB).unwrap();
    let plan = plan.replace("pace = \"default\"", "per_block = \"20/s\"");
    let plan = temp_dir.put("plan.toml", plan.replace("total = \"50/s\"", ""));
    let [journal, first] = ["journal", "journal.1"].map(|name| temp_dir.path(name));
    let arguments = ["--config", &plan, "--listen", "127.0.0.1:0", "--record", &journal];
    let mut watch = Program::start(lifesign(&arguments));
    let length = |path: &str| fs::metadata(path).map_or(0, |found| found.len());
    let lines = |path: &str| match length(path) {
        2000.. => Ok(()),
        few => Err(few.to_string()),
    };
    until(TIMEOUT, "lines", || lines(&journal));
    fs::rename(&journal, &first).unwrap();
    signal("HUP", watch.id());
    until(TIMEOUT, "lines in a new file", || lines(&journal));
    let before = length(&first);
    watch.listen(Duration::from_secs(1));
    assert_eq!(length(&first), before, "nothing comes after them in the old one");
    assert_eq!(watch.terminate().code(), Some(0), "{}", watch.said());
    for path in [&first, &journal] {
        assert!(fs::read_to_string(path).unwrap().ends_with("}\n"), "{path}");
        let (code, _, err) = done(lifesign(&["replay", path, "--config", &plan]));
        assert_eq!((code, err.as_str()), (0, ""), "{path}");
    }
}

/// A power cut in the middle of a line: what follows begins on a line of its own.
#[test]
fn the_journal_is_torn_and_goes_on() {
    let temp_dir = TempDir::new("torn");
    let whole = r#"{"sent":"2014-12-22T16:14:58.120Z","host":"127.45.176.8","probe":"icmp","result":"lost"}"#;
    let journal = temp_dir.put("journal", format!("{whole}\n{}", &whole[..40]));
    let mut watch = Program::start(lifesign(&[
        "--config",
        LAB,
        "--listen",
        "127.0.0.1:0",
        "--record",
        &journal,
    ]));
    // The replay was blind in the years between, and sees again after three answers in a row.
    for _ in 0..4 {
        watch.line(TIMEOUT, "verdict", |line| line.contains(" unknown → up").then_some(()));
    }
    assert_eq!(watch.terminate().code(), Some(0));
    let text = fs::read_to_string(&journal).unwrap();
    assert_eq!(text.lines().nth(1), Some(&whole[..40]));
    assert!(text.lines().count() > 3 && text.ends_with("}\n"), "{text}");
    let (code, out, err) = done(lifesign(&["replay", &journal, "--config", LAB]));
    let wanted = format!("{journal}:2:40: the line is torn off; the line is skipped");
    assert_eq!((code, err), (0, wanted));
    assert!(out.contains(" unknown → up"), "{out}");
}

/// Whoever reads its lines has stopped reading, and the pipe is full.
#[test]
fn its_reader_is_stuck() {
    let temp_dir = TempDir::new("stuck");
    let plan = temp_dir.put("plan.toml", fs::read(LAB).unwrap());
    let pipe = temp_dir.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // A reader that never reads, so that the pipe can be opened.
    let run = format!(
        "exec 3<>{pipe}; exec {LIFESIGN} --config {plan} --listen 127.45.190.99:17545 >{pipe}"
    );
    let mut watch = Program::start(quiet(Command::new("sh"), &["-c", &run]));
    let address = "127.45.190.99:17545".parse().unwrap();
    until(TIMEOUT, "pages", || {
        std::net::TcpStream::connect(address).map(drop).map_err(|error| error.to_string())
    });
    // Each new plan says some 700 bytes, and a pipe holds 65,536.
    let taken = |address| {
        let metrics = get(address, "/metrics").body;
        values(&metrics, "lifesign_snapshot_timestamp_seconds", &[])
            .first()
            .copied()
            .unwrap_or_default()
    };
    for _ in 0..150 {
        assert_eq!(crate::support::ask(address, "POST", "/-/reload").code, 200);
    }
    let before = taken(address);
    until(TIMEOUT, "watch that does not stand still", || match taken(address) {
        now if now >= before + 2.0 => Ok(()),
        now => Err(format!("{before} {now}")),
    });
    assert_eq!(watch.terminate().code(), Some(0), "nor does the end wait for long");
}
