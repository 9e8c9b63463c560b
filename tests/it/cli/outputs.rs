//! What commands write: whole or not at all, over nothing that is not theirs, and never without a
//! word that it could not be written.

use crate::support::{
    LAB, LIFESIGN, Program, TIMEOUT, TempDir, done, lifesign, quiet, signal, until,
};
use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
    process::{Command, Stdio},
};

const REFUSING: &str = "tests/data/scenarios/refusing.toml";
const LINE: &str = r#"{"sent":"2014-12-22T16:59:58.120Z","host":"127.45.176.15","probe":"icmp","result":"reply","rtt_ms":203.4}"#;
const PING: &str = r#"{"type":"ping","prb_id":1000,"timestamp":1795633778,"dst_addr":"127.45.176.8","result":[{"rtt":4.5},{"x":"*"}]}"#;

/// A store that was played, a journal, a record, a list of hosts and events.
struct Inputs {
    folder: TempDir,
    state: String,
    journal: String,
    record: String,
    hosts: String,
    events: String,
}

impl Inputs {
    fn new(name: &str) -> Self {
        let folder = TempDir::new(name);
        let journal = folder.put("journal", format!("{LINE}\n"));
        let record = folder.put("record", format!("{PING}\n"));
        let hosts = folder.put("hosts", "127.45.176.8\n");
        let events = folder.put("events", "begin,end,who,country\n2024-03-01T00:30:00Z,,X,KP\n");
        let state = folder.path("state");
        let (code, _, err) = done(lifesign(&["simulate", REFUSING, "--state-dir", &state]));
        assert_eq!(code, 0, "{err}");
        Self { folder, state, journal, record, hosts, events }
    }

    fn report(&self) -> [&str; 6] {
        ["report", "KP", "--state-dir", &self.state, "--since", "2024-03-01"]
    }

    fn plan(&self) -> [&str; 7] {
        ["plan", "--country", "KP", "--prefix", "127.45.176.0/24", "--from", &self.hosts]
    }

    /// Names in the folder that were not there at first.
    fn new_names(&self) -> Vec<String> {
        let entries = fs::read_dir(&*self.folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let old = ["journal", "record", "hosts", "events", "state"];
        names.filter(|name| !old.contains(&name.as_str())).collect()
    }

    fn run_here(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = lifesign(arguments);
        command.current_dir(&*self.folder);
        done(command)
    }
}

/// Every command that prints.
#[test]
fn a_full_standard_output_is_one_line_and_73_and_a_reader_who_left_is_none() {
    let inputs = Inputs::new("full-stdout");
    let Inputs { state, journal, record, events, .. } = &inputs;
    let compare = ["compare", state.as_str(), "--events", events.as_str()];
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["check", LAB],
        &["replay", journal, "--config", LAB, "--json"],
        &["simulate", REFUSING],
        &["simulate", REFUSING, "--json"],
        &["episodes", "--all", "--csv", "--state-dir", state],
        &inputs.report(),
        &[&inputs.report()[..], &["-o", "-"]].concat(),
        &compare,
        &[&compare[..], &["--json"]].concat(),
        &inputs.plan(),
        &["import", record, "-o", "-"],
    ] {
        let (code, out, _) = done(lifesign(arguments));
        assert_eq!(code, 0, "{arguments:?}");
        let mut command = lifesign(arguments);
        command.stdout(OpenOptions::new().write(true).open("/dev/full").unwrap());
        let full = command.stderr(Stdio::piped()).output().unwrap();
        let err = String::from_utf8(full.stderr).unwrap();
        if out.is_empty() {
            assert_eq!(full.status.code(), Some(0), "{arguments:?}: {err}");
            continue;
        }
        let said = err.lines().filter(|line| line.contains("No space left on device"));
        assert_eq!((full.status.code(), said.count()), (Some(73), 1), "{arguments:?}: {err}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = lifesign(arguments);
        let gone = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        let err = String::from_utf8(gone.stderr).unwrap();
        assert_eq!(gone.status.code(), Some(0), "{arguments:?}: {err}");
        assert!(!err.contains("cannot write"), "{arguments:?}: {err}");
    }
}

#[test]
fn a_report_replaces_a_report_whole_and_nothing_else() {
    let inputs = Inputs::new("report-over");
    let folder = &inputs.folder;
    let report = |path: &str| inputs.run_here(&[&inputs.report()[..], &["-o", path]].concat());
    assert_eq!(report("r.html").0, 0);
    let whole = fs::read_to_string(folder.join("r.html")).unwrap();
    folder.put("page", "<!DOCTYPE html>\n<title>Reachability of my heart</title>");
    folder.put("empty", "");
    std::os::unix::fs::symlink("r.html", folder.join("link")).unwrap();
    let made = Command::new("mkfifo").arg(folder.join("fifo")).status().unwrap();
    assert!(made.success());
    for (path, code, said) in [
        ("page", 73, "lifesign: page is there already, and no report; name another"),
        ("fifo", 73, "lifesign: fifo is no regular file; name one, or - for standard output"),
        (
            "/dev/null",
            73,
            "lifesign: /dev/null is no regular file; name one, or - for standard output",
        ),
        ("state", 73, "lifesign: state is no regular file; name one, or - for standard output"),
        ("x/r.html", 73, "lifesign: cannot write x/r.html: No such file or directory"),
        ("empty", 0, ""),
        ("link", 0, ""),
        ("r.html", 0, ""),
        ("./-", 0, ""),
    ] {
        assert_eq!(report(path), (code, String::new(), said.to_owned()), "{path}");
    }
    assert!(folder.join("link").is_symlink() && folder.join("-").is_file());
    // With no room for the new one the old one stays.
    let [plain, short] = ["ulimit -f unlimited", "ulimit -f 1; trap '' XFSZ"];
    for (limit, code) in [(plain, 0), (short, 73)] {
        let line = format!("{limit}; exec {LIFESIGN} {} -o r.html", inputs.report().join(" "));
        let mut command = quiet(Command::new("bash"), &["-c", &line]);
        command.current_dir(&**folder);
        let found = done(command);
        assert_eq!(found.0, code, "{found:?}");
        let kept = fs::read_to_string(folder.join("r.html")).unwrap();
        assert_eq!(kept.len(), whole.len());
    }
    // Of the longest name too; and what others call so much alike stays.
    let long = format!("{}.html", "x".repeat(250));
    folder.put(".r.html.part", "of mine");
    for path in [long.as_str(), "r.html"] {
        assert_eq!(report(path), (0, String::new(), String::new()), "{path}");
    }
    assert_eq!(fs::read_to_string(folder.join(".r.html.part")).unwrap(), "of mine");
    fs::remove_file(folder.join(".r.html.part")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.join(".r.html.lifesign-part")).unwrap();
    let (code, _, err) = report("r.html");
    assert!(
        code == 73 && err.ends_with(" is in the way of r.html, and no file; move it away"),
        "{err}"
    );
    fs::remove_file(folder.join(".r.html.lifesign-part")).unwrap();
    let parts = inputs.new_names();
    assert!(!parts.iter().any(|name| name.contains("part")), "{parts:?}");
}

/// Whoever could read and write it before can afterwards.
#[test]
#[ignore = "needs root; run by tests/run"]
fn a_report_that_is_replaced_keeps_owner_and_mode() {
    let inputs = Inputs::new("report-owner");
    let report = || inputs.run_here(&[&inputs.report()[..], &["-o", "r.html"]].concat()).0;
    assert_eq!(report(), 0);
    let path = inputs.folder.join("r.html");
    chown(&path, Some(65_534), Some(65_533)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(report(), 0);
    let kept = fs::metadata(&path).unwrap();
    assert_eq!((kept.uid(), kept.gid(), kept.mode() & 0o777), (65_534, 65_533, 0o640));
}

/// What cannot be had is told before anything is read, and nothing stays.
#[test]
fn outputs_that_cannot_be_had_are_told_at_once() {
    let inputs = Inputs::new("outputs-told");
    let record = inputs.record.as_str();
    let import = ["import", "nowhere", "-o"];
    let stream = "no stream will do here; ./- is a file of this name";
    let same = "lifesign: -o and --plan name the same file; name another for one of them";
    let no_x = "lifesign: cannot write x/y: No such file or directory";
    for (arguments, code, said) in [
        (&[&import[..], &["b", "--plan", "x/y"]].concat()[..], 73, no_x),
        (&[&import[..], &["x/y", "--plan", "b"]].concat(), 73, no_x),
        (&[&import[..], &["b", "--plan", "./b"]].concat(), 2, same),
        (&[&import[..], &["state/../b", "--plan", "b"]].concat(), 2, same),
        (&["import", record, "-o", "b", "--plan", "-"], 2, stream),
        (&[&inputs.plan()[..], &["-o", "x/y"]].concat(), 73, no_x),
        (&[&inputs.plan()[..], &["--deny", "-"]].concat(), 2, stream),
        (&["plan", "--review", "-"], 2, stream),
        (&["export", "journal", "--config", LAB, "--parquet", "-"], 2, stream),
        (&["export", "journal", "--config", "-", "--parquet", "b"], 2, stream),
        (&["replay", "journal", "--config", "-"], 2, stream),
        (&["run", "--config", LAB, "--record", "-"], 2, stream),
        (&["run", "--config", "-"], 2, stream),
        (
            &["plan", "--country", "KP", "--prefix", "0.0.0.0/0", "--from", "hosts", "-o", "b"],
            65,
            "lifesign: no plan can be made of this: 0.0.0.0/0 is too wide to be judged as one; \
             write prefixes of /8 or longer",
        ),
    ] {
        let (found, _, err) = inputs.run_here(arguments);
        assert_eq!(found, code, "{arguments:?}: {err}");
        assert!(err.contains(said), "{arguments:?}: {err}");
        assert_eq!(inputs.new_names(), [""; 0], "{arguments:?}");
    }
    let (code, out, err) = inputs.run_here(&[&inputs.plan()[..], &["-o", "-"]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("[[country.block]]"), "{out}");
    assert_eq!(inputs.new_names(), [""; 0]);
}

/// Neither a signal nor a kill leaves what could be taken for whole, or stops the next try.
#[test]
fn a_command_that_is_ended_leaves_nothing_that_is_taken_for_whole() {
    let inputs = Inputs::new("outputs-ended");
    let folder = &inputs.folder;
    let hours: String =
        (10..20).map(|hour| LINE.replace("T16", &format!("T{hour}")) + "\n").collect();
    let export = ["export", "-", "--config", LAB, "--parquet", "deep/out"];
    let import = ["import", "-", "-o", "b", "--plan", "p"];
    let all = [
        (&export[..], &*hours, "deep/out/.outcomes.part", "deep"),
        (&import, PING, ".b.lifesign-part", "b"),
    ];
    for (arguments, input, part, whole) in all {
        for (name, code) in [("INT", Some(130)), ("TERM", Some(143)), ("KILL", None)] {
            let mut command = quiet(Command::new(LIFESIGN), arguments);
            command.current_dir(&**folder).stdin(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(input.as_bytes()).unwrap();
            until(TIMEOUT, "a part", || {
                folder.join(part).exists().then_some(()).ok_or(String::new())
            });
            signal(name, child.id());
            let ended = child.wait_with_output().unwrap();
            assert_eq!(ended.status.code(), code, "{arguments:?} {name}");
            assert_eq!(ended.stderr, b"", "{arguments:?} {name}");
            drop(stdin);
            if code.is_some() {
                assert_eq!(inputs.new_names(), [""; 0], "{arguments:?} {name}");
            }
        }
        assert!(folder.join(part).exists());
        let mut command = quiet(Command::new(LIFESIGN), arguments);
        folder.put("record", input);
        command.current_dir(&**folder).stdin(File::open(folder.join("record")).unwrap());
        let (code, _, err) = done(command);
        assert_eq!(code, 0, "{arguments:?}: {err}");
        assert!(folder.join(whole).exists() && !folder.join(part).exists());
        let path = folder.join(whole);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }
}

/// Another writes it at the same time.
#[test]
fn what_another_command_is_writing_is_left_to_it() {
    let inputs = Inputs::new("outputs-twice");
    let folder = &inputs.folder;
    for (arguments, part, said) in [
        (
            &["import", "-", "-o", "b"][..],
            ".b.lifesign-part",
            "lifesign: another command is writing b",
        ),
        (
            &["export", "-", "--config", LAB, "--parquet", "out"],
            "out/.outcomes.part",
            "lifesign: another export is writing out/outcomes",
        ),
    ] {
        let mut command = quiet(Command::new(LIFESIGN), arguments);
        command.current_dir(&**folder).stdin(Stdio::piped());
        let mut first = command.spawn().unwrap();
        until(TIMEOUT, "a lock", || {
            let is_held = File::open(folder.join(part)).is_ok_and(|file| file.try_lock().is_err());
            is_held.then_some(()).ok_or(String::new())
        });
        assert_eq!(inputs.run_here(arguments), (73, String::new(), said.to_owned()));
        assert!(folder.join(part).exists());
        drop(first.stdin.take());
        first.wait().unwrap();
    }
}

/// `head` is larger than what is read at once, so that the cut comes behind what is read.
#[test]
fn a_journal_that_becomes_shorter_while_it_is_read_is_told() {
    let inputs = Inputs::new("outputs-cut");
    let line = format!("{LINE}\n");
    let whole = line.repeat(1_000_000);
    let journal = inputs.folder.put("long", &whole);
    let arguments = ["export", &journal, "--config", LAB, "--parquet", "out"];
    let mut command = quiet(Command::new(LIFESIGN), &arguments);
    command.current_dir(&*inputs.folder);
    let mut export = Program::start(command);
    until(TIMEOUT, "a file", || {
        let part = inputs.folder.join("out/.outcomes.part");
        let is_begun = fs::read_dir(part).is_ok_and(|mut entries| entries.next().is_some());
        is_begun.then_some(()).ok_or(String::new())
    });
    let long = OpenOptions::new().write(true).open(&journal).unwrap();
    long.set_len(line.len() as u64 * 2).unwrap();
    let said = format!(
        "{journal}: it became shorter while it was read; do it again, from a copy that nobody changes"
    );
    export.error_line(TIMEOUT, "complaint", |line| (line == said).then_some(()));
    assert_eq!(export.end(TIMEOUT).code(), Some(65));
    assert!(!Path::new(&inputs.folder.path("out")).exists());
}
