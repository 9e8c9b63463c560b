//! Files as they should not be, given to every command that opens one: a line that says what is
//! wrong, soon, in words of people.

use crate::support::{LAB, LIFESIGN, Program, TIMEOUT, TempDir, done, lifesign, quiet};
use lifesign_clock::Clock;
use std::{process::Command, time::Duration};

/// What parsers and the system say, and no message does.
const RAW: [&str; 11] = [
    "os error",
    " at line ",
    " column ",
    "expected `",
    "expected ident",
    "expected value",
    "EOF",
    "invalid type",
    "missing field",
    "recursion limit",
    "expected u",
];

/// Longer than a line takes on a busy machine.
const SOON: Duration = Duration::from_secs(30);

fn files() -> Vec<(&'static str, Vec<u8>)> {
    let repeated = |begin: &str, letter: &str| (begin.to_owned() + &letter.repeat(9 << 20)).into();
    vec![
        ("empty", Vec::new()),
        ("pcap", b"\xd4\xc3\xb2\xa1\x02\0\x04\0".to_vec()),
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03+\x49".to_vec()),
        ("sqlite", b"SQLite format 3\0\x10\0".to_vec()),
        ("zeros", vec![0; 100]),
        ("utf16", b"\xff\xfea\0b\0".to_vec()),
        ("latin", b"\xe9t\xe9,\xe8\n".to_vec()),
        (
            "torn.json",
            b"{\"prb_id\": 1, \"saddr\": \"192.0.2.1\", \"data\": [{\"resultType\"".to_vec(),
        ),
        ("types.json", b"{\"prb_id\": \"x\", \"saddr\": 5, \"sent\": [], \"data\": 7}\n".to_vec()),
        ("deep.json", ("{\"prb_id\":".to_owned() + &"[".repeat(1000)).into()),
        ("huge", repeated("", "a")),
        ("huge.csv", repeated("", ",")),
        ("huge.json", repeated("[", "[")),
        ("huge.toml", repeated("x = \"", "a")),
    ]
}

/// A command that reads this file, and whether that is configuration.
fn commands(temp_dir: &TempDir, file: &str) -> Vec<(Vec<String>, bool)> {
    let place = ["plan", "--country", "XA", "--prefix", "203.0.113.0/24"];
    let hosts = temp_dir.put("hosts.txt", "203.0.113.7\n");
    let events = temp_dir.put("events.csv", "begin,end,who\n2026-11-25T19:00:00Z,,x\n");
    let plan = |name: &str, keys: &str, block: &str| {
        let text = format!(
            "vantage = \"x\"\n{keys}\n[[country]]\ncode = \"XA\"\nname = \"A\"\nprobes = [\"icmp\"]\n\
             [[country.block]]\nprefix = \"127.45.176.0/24\"\n{block}\n"
        );
        temp_dir.put(name, text)
    };
    let host = "hosts = [\"127.45.176.1\"]";
    let of_deny = plan("deny.toml", &format!("deny = \"{file}\""), host);
    let of_networks = plan("networks.toml", &format!("networks = \"{file}\""), host);
    let of_hosts = plan("hosts.toml", "", &format!("hosts_from = \"{file}\""));
    let other = temp_dir.path("other");
    let all: [(&[&str], bool); 15] = [
        (&["replay", file, "--config", LAB], false),
        (&["replay", file, "--config", file], true),
        (&["compare", file, "--config", LAB, "--events", &events], false),
        (&["compare", &other, "--events", file], false),
        (&["import", file, "-o", &other], false),
        (&["import", "nowhere", "--map", file, "-o", &other], false),
        (&[&place[..], &["--from", file]].concat(), false),
        (&[&place[..], &["--from", &hosts, "--deny", file]].concat(), false),
        (&[&place[..], &["--resolver", "127.0.0.1:1", "--names", file]].concat(), false),
        (&["plan", "--review", file, "--state-dir", &other], true),
        (&["check", file], true),
        (&["check", &of_deny], true),
        (&["check", &of_networks], true),
        (&["check", &of_hosts], true),
        (&["simulate", file], true),
    ];
    all.map(|(words, is_plan)| (words.iter().map(|word| (*word).to_owned()).collect(), is_plan))
        .to_vec()
}

/// What an empty list of these says: nothing, which is no error. And an empty JSON file of events,
/// names, or a map.
fn may_be_taken(arguments: &[String], file: &str) -> bool {
    let is_of = |word: &str| arguments.iter().any(|argument| argument.contains(word));
    file == "empty" && ["--deny", "deny.toml", "--map", "--names"].iter().any(|word| is_of(word))
}

#[test]
fn what_is_no_file_of_its_kind_is_a_line_or_two_soon_whoever_reads_it() {
    let temp_dir = TempDir::new("hostile");
    let clock = Clock::start();
    for (name, content) in files() {
        let file = temp_dir.put(name, content);
        for (arguments, is_plan) in commands(&temp_dir, &file) {
            if may_be_taken(&arguments, name) {
                continue;
            }
            let begin = clock.now();
            let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let (code, _, err) = done(lifesign(&words));
            let what = format!("{arguments:?}: {code}: {err}");
            assert!(clock.now().since(begin) < SOON, "slow: {what}");
            assert_eq!(code, if is_plan { 78 } else { 65 }, "{what}");
            assert!(err.contains(&file) && err.lines().count() <= 4, "{what}");
            assert!(err.lines().all(|line| line.len() < 700), "{what}");
            let raw = RAW.iter().find(|raw| err.contains(**raw));
            assert_eq!(raw, None, "{what}");
            let wanted = match name {
                "pcap" => "packet capture",
                "sqlite" if words.contains(&"compare") && words[1] == file => "",
                "sqlite" => "a database of SQLite",
                "zeros" => "zero bytes",
                "utf16" => "UTF-16",
                "gzip" => "gzip",
                _ => "",
            };
            assert!(err.contains(wanted), "{wanted}: {what}");
        }
    }
}

#[test]
fn what_has_no_end_is_refused_at_its_begin() {
    let temp_dir = TempDir::new("endless");
    for device in ["/dev/zero", "/dev/urandom"] {
        for (arguments, is_plan) in commands(&temp_dir, device) {
            let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let mut program = Program::start(lifesign(&words));
            let status = program.end(TIMEOUT);
            let said = program.said();
            assert_eq!(status.code(), Some(if is_plan { 78 } else { 65 }), "{words:?}: {said}");
            assert!(said.contains(device) && program.err.len() == 1, "{words:?}: {said}");
        }
    }
}

/// A list of hosts, and a plan with that one.
const LIST: &str = "203.0.113.7\n";

#[test]
fn a_pipe_is_read_as_it_comes_and_one_that_nobody_writes_into_says_so() {
    let temp_dir = TempDir::new("pipes");
    let journal = "{\"sent\":\"2014-12-22T16:15:00Z\",\"host\":\"127.45.176.15\",\
                   \"probe\":\"icmp\",\"result\":\"reply\",\"rtt_ms\":1}\n";
    let journal = temp_dir.put("journal", journal);
    let list = temp_dir.put("list", LIST);
    let plan = format!("{LIFESIGN} plan --country XA --prefix 203.0.113.0/24 --from");
    for script in [
        format!("{plan} <(cat {list})"),
        format!("cat {list} | {plan} -"),
        format!("cat {list} | {plan} /dev/stdin"),
        format!("gzip -c {list} | {plan} -"),
        format!("{LIFESIGN} replay <(cat {journal}) --config {LAB}"),
        format!("cat {journal} | {LIFESIGN} replay /dev/stdin --config {LAB}"),
    ] {
        let (code, _, err) = done(quiet(Command::new("bash"), &["-c", &script]));
        assert!(code == 0 && !err.contains("waiting"), "{script}: {code}: {err}");
    }
    let pipe = temp_dir.path("pipe");
    assert_eq!(done(quiet(Command::new("mkfifo"), &[&pipe])).0, 0);
    for arguments in [
        vec!["plan", "--country", "XA", "--prefix", "203.0.113.0/24", "--from", &pipe],
        vec!["replay", &pipe, "--config", LAB],
        vec!["import", &pipe, "-o", "-"],
    ] {
        let mut program = Program::start(lifesign(&arguments));
        let wanted = format!("{pipe}: a named pipe; waiting for who writes into it");
        program.error_line(TIMEOUT, "word of the pipe", |line| (line == wanted).then_some(()));
        std::fs::write(&pipe, LIST).unwrap();
        let status = program.end(TIMEOUT);
        let wanted = if arguments[0] == "plan" { 0 } else { 65 };
        assert_eq!(status.code(), Some(wanted), "{arguments:?}: {}", program.said());
    }
    let command = ["plan", "--country", "XA", "--prefix", "203.0.113.0/24", "--deny", &pipe];
    let (code, _, err) = done(lifesign(&command));
    let wanted = format!("{pipe}: no regular file; give the path of one");
    assert_eq!((code, err), (65, wanted));
}

#[test]
fn a_last_row_without_its_end_is_said_and_hostile_ports_and_days_are_counted() {
    let temp_dir = TempDir::new("torn-rows");
    let plan = |from: &str, more: &[&str]| {
        let place = ["plan", "--country", "XA", "--prefix", "203.0.113.0/24", "--from", from];
        done(lifesign(&[&place[..], more].concat()))
    };
    let unended = "the last line has no end; see that it is whole, as nothing was cut off";
    for (name, text, line) in [
        ("list", "203.0.113.10\n203.0.113.1", Some(2)),
        ("list.csv", "ip,port\n203.0.113.10,80\n203.0.113.1", Some(3)),
        ("zone", "a.example. 1 IN A 203.0.113.10\nb.example. 1 IN A 203.0.113.1", Some(2)),
        ("whole", "203.0.113.10\n203.0.113.1\n", None),
    ] {
        let file = temp_dir.put(name, text);
        let (code, _, err) = plan(&file, &[]);
        assert_eq!(code, 0, "{err}");
        let wanted = line.map(|line| format!("{file}:{line}: {unended}"));
        let said = err.lines().find(|line| line.contains(unended)).map(str::trim);
        assert_eq!(said, wanted.as_deref(), "{err}");
    }
    let list = temp_dir.put("hosts", LIST);
    let deny = temp_dir.put("deny", "198.51.100.1");
    let (code, _, err) = plan(&list, &["--deny", &deny]);
    assert!(code == 0 && err.contains(&format!("{deny}:1: {unended}")), "{code}: {err}");
    let odd = "ip,port,day\n203.0.113.1,0,2026-11-01\n203.0.113.2,99999,\n203.0.113.3,-1,\n\
               203.0.113.4,80,2014-13-45\n203.0.113.5,80,9999-01-01\n203.0.113.6,80,2026-11-01\n";
    let odd = temp_dir.put("odd.csv", odd);
    let (code, out, err) = plan(&odd, &[]);
    let wanted =
        format!("  {odd}:2:13: \"0\" is no port; write 1 to 65535 (and 4 more like it); left out");
    assert!(code == 0 && err.lines().any(|line| line == wanted), "{code}: {err}");
    assert!(out.matches("\"203.0.113.").count() >= 6 && !out.contains("tcp/0"), "{out}");
}

#[test]
fn what_cannot_be_is_said_at_once() {
    let temp_dir = TempDir::new("at-once");
    let same = temp_dir.path("same");
    let record = temp_dir.put("record", "");
    let events = temp_dir.put("events", "begin,ende,who\nx,y,z\nx,y,z\n");
    let early = "{\"sent\":\"2014-12-22T16:15:00Z\",\"seen\":\"2014-12-22T16:14:00Z\",\
                 \"host\":\"127.45.176.15\",\"probe\":\"icmp\",\"result\":\"lost\"}\n";
    let early = temp_dir.put("early", early);
    for (arguments, wanted_code, wanted, lines) in [
        (vec!["import", &record, "-o", &same, "--plan", &same], 2, "name the same file", 1),
        (vec!["plan", "--country", "K/P", "--from", "nowhere"], 2, "ISO 3166-1 alpha-2", 9),
        (vec!["compare", &record, "--config", LAB, "--events", &events], 65, "events:1:7: ", 1),
        (vec!["replay", &early, "--config", LAB], 65, "\"seen\" lies before \"sent\"", 2),
    ] {
        let (code, _, err) = done(lifesign(&arguments));
        assert_eq!(code, wanted_code, "{arguments:?}: {err}");
        assert!(err.contains(wanted) && err.lines().count() <= lines, "{arguments:?}: {err}");
    }
    let early = temp_dir.put("9999.csv", "begin,end,who\n9999-12-31T23:59:59Z,,x\n");
    let (_, _, err) = done(lifesign(&["compare", &record, "--config", LAB, "--events", &early]));
    assert!(err.ends_with("\"9999-12-31T23:59:59Z\" lies outside the years 1970 to 2554"), "{err}");
}

#[test]
fn a_store_that_cannot_teach_says_why_and_an_unknown_country_what_there_is() {
    let temp_dir = TempDir::new("teach");
    let state = temp_dir.path("state");
    let journal = "{\"sent\":\"2014-12-22T16:15:00Z\",\"host\":\"127.45.176.15\",\
                   \"probe\":\"icmp\",\"result\":\"reply\",\"rtt_ms\":1}\n";
    let journal = temp_dir.put("journal", journal);
    let replay = ["replay", &journal, "--config", LAB, "--state-dir", &state];
    assert_eq!(done(lifesign(&replay)).0, 0);
    let review = ["plan", "--review", LAB, "--state-dir", &state];
    let (code, _, err) = done(lifesign(&review));
    assert!(code == 65 && err.contains("replay, simulate or demo"), "{code}: {err}");
    let events = temp_dir.put("events", "begin,end,who\n2014-12-22T16:15:00Z,,x\n");
    let compare = ["compare", &state, "--events", &events, "--country", "XX"];
    let (code, _, err) = done(lifesign(&compare));
    assert!(code == 65 && err.contains("KP"), "{code}: {err}");
    let control = "{\"sent\":\"2014-12-22T16:15:00Z\",\"host\":\"127.0.0.1\",\"probe\":\"control\",\
                   \"result\":\"reply\"}\n";
    let control = temp_dir.put("control", control);
    let (code, _, err) =
        done(lifesign(&["compare", &control, "--config", LAB, "--events", &events]));
    let wanted = format!("{control}: no outcome of a target in it");
    assert_eq!((code, err), (65, wanted));
}

/// Editors of Windows put a byte order mark before a text, and rotated journals are packed.
#[test]
fn a_journal_behind_a_byte_order_mark_is_read_whole_and_a_packed_one_told_how() {
    let temp_dir = TempDir::new("marked");
    let line = |second: u32| {
        format!(
            "{{\"sent\":\"2014-12-22T16:15:0{second}Z\",\"host\":\"127.45.176.15\",\
             \"probe\":\"icmp\",\"result\":\"reply\",\"rtt_ms\":1}}\n"
        )
    };
    let whole = format!("{}{}", line(0), line(4));
    let journal = temp_dir.put("journal", &whole);
    let replayed = done(lifesign(&["replay", &journal, "--config", LAB]));
    let marked = temp_dir.put("marked", format!("\u{feff}{whole}"));
    let marked = done(lifesign(&["replay", &marked, "--config", LAB]));
    assert_eq!(marked, replayed);
    assert_eq!((marked.0, marked.2.as_str()), (0, ""));
    let packed = temp_dir.put("packed", b"\x1f\x8b\x08\0\0\0\0\0");
    let journal = temp_dir.path("j");
    for arguments in [["replay", &packed, "--config", LAB], ["import", &packed, "-o", &journal]] {
        let (code, _, err) = done(lifesign(&arguments));
        assert!(code == 65 && err.contains("unpack it by gunzip"), "{code}: {err}");
    }
}
