//! The program as a person or a script meets it: its words, its exit codes (sysexits.h), its end.

use crate::support::{
    LAB, LIFESIGN, Program, TIMEOUT, TempDir, done, lifesign, namespace::Namespace, quiet, signal,
};
use std::{fmt::Write as _, fs, net::TcpListener, path::Path, process::Command};

/// Two answers, and what a replay of them with the lab's plan says.
const JOURNAL: &str = r#"{"sent":"2014-12-22T16:14:58.120Z","host":"127.45.176.15","probe":"icmp","result":"reply","rtt_ms":203.4}
{"sent":"2014-12-22T16:15:02.120Z","host":"127.45.176.67","probe":"tcp/80","result":"refused","rtt_ms":198.9}
"#;
const REPLAYED: &str = r#"{"time":"2014-12-22T16:14:58.3234Z","scope":"block","name":"127.45.176.0/24","country":"KP","from":"unknown","to":"up","earliest":null,"latest":"2014-12-22T16:14:58.3234Z"}
{"time":"2014-12-22T16:14:58.3234Z","scope":"country","name":"KP","country":"KP","from":"unknown","to":"up","earliest":null,"latest":"2014-12-22T16:14:58.3234Z"}"#;

#[test]
fn a_good_plan_is_summed_up() {
    let (code, out, err) = done(lifesign(&["check", LAB]));
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!(out);
}

#[test]
fn every_error_of_a_bad_plan_has_its_line() {
    for name in ["several_in_file_order", "not_utf8", "syntax_and_meaning"] {
        let mut command = lifesign(&["check", &format!("{name}.toml")]);
        command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/bad"));
        let expected = fs::read_to_string(format!("tests/data/bad/{name}.txt")).unwrap();
        assert_eq!(done(command), (78, String::new(), expected.trim_end().to_owned()), "{name}");
    }
}

#[test]
fn a_log_level_that_is_none_is_one_line_and_the_log_goes_on() {
    let said = |level: &str| {
        let mut command = lifesign(&["check", LAB]);
        command.env("LIFESIGN_LOG", level);
        done(command).2
    };
    assert_eq!(
        said("loud"),
        "LIFESIGN_LOG: \"loud\" is no level; known are error, warn, info, debug, trace; going on \
         with info"
    );
    assert_eq!(said("debug"), "");
}

#[test]
fn a_missing_plan_is_one_line_whatever_the_command() {
    let temp_dir = TempDir::new("missing");
    let wanted = "nowhere.toml: no such file; give the path of one that exists";
    for arguments in [
        &["--config", "nowhere.toml"][..],
        &["run", "--config", "nowhere.toml"],
        &["check", "nowhere.toml"],
        &["replay", "journal", "--config", "nowhere.toml"],
    ] {
        let mut command = lifesign(arguments);
        command.current_dir(&*temp_dir);
        assert_eq!(done(command), (78, String::new(), wanted.to_owned()), "{arguments:?}");
    }
}

/// Of the machine that runs this, it must not be the installed one.
#[test]
fn without_a_plan_one_line_says_where_it_was_looked_for_and_what_needs_none() {
    assert!(!Path::new("/etc/lifesign/targets.toml").exists(), "lifesign is installed here");
    let temp_dir = TempDir::new("no-plan");
    let journal = temp_dir.put("journal", JOURNAL);
    let wanted = "lifesign: no plan: there is neither targets.toml here nor \
                  /etc/lifesign/targets.toml; name yours by --config FILE (for check: FILE alone), \
                  write one (docs/plan.md), or see without one what it does: lifesign demo";
    for arguments in [&[][..], &["run"], &["check"], &["replay", &journal]] {
        let mut command = lifesign(arguments);
        command.current_dir(&*temp_dir);
        assert_eq!(done(command), (78, String::new(), wanted.to_owned()), "{arguments:?}");
    }
    temp_dir.put("targets.toml", fs::read(LAB).unwrap());
    for (arguments, wanted) in [(&["check"][..], "4 blocks"), (&["replay", &journal], "KP")] {
        let mut command = lifesign(arguments);
        command.current_dir(&*temp_dir);
        let (code, out, err) = done(command);
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
        assert!(out.contains(wanted), "{out}");
    }
}

#[test]
fn a_plan_a_scenario_and_a_journal_may_come_from_standard_input() {
    let temp_dir = TempDir::new("stdin");
    let from = |path: &str, arguments: &[&str]| {
        let mut command = lifesign(arguments);
        command.stdin(fs::File::open(path).unwrap());
        done(command)
    };
    assert_eq!(from(LAB, &["check", "-"]), done(lifesign(&["check", LAB])));
    let bad = "tests/data/bad/several_in_file_order";
    let wanted = fs::read_to_string(format!("{bad}.txt")).unwrap();
    let wanted = wanted.trim_end().replace("several_in_file_order.toml:", "<stdin>:");
    assert_eq!(from(&format!("{bad}.toml"), &["check", "-"]), (78, String::new(), wanted));
    let scenario = "tests/data/scenarios/refusing.toml";
    let played = from(scenario, &["simulate", "-", "--json"]);
    assert_eq!(played, done(lifesign(&["simulate", scenario, "--json"])));
    // The controls of the lab's plan count just if the journal has outcomes of them.
    let control = "{\"sent\":\"2014-12-22T16:15:03.120Z\",\"host\":\"127.0.0.1\",\
                   \"probe\":\"control\",\"result\":\"reply\"}\n";
    for (name, text) in
        [("plain", JOURNAL.to_owned()), ("controls", format!("{JOURNAL}{control}{JOURNAL}"))]
    {
        let journal = temp_dir.put(name, text);
        let more = ["--config", LAB, "--json"];
        let read = done(lifesign(&[&["replay", &journal], &more[..]].concat()));
        let (code, out, err) = from(&journal, &[&["replay", "-"], &more[..]].concat());
        assert_eq!((code, &out, err.replace("<stdin>", &journal)), (read.0, &read.1, read.2));
        assert!(out.contains("\"to\":\"up\""), "{out}");
    }
}

/// On a terminal, which `script` makes (bsdutils).
#[test]
fn a_terminal_has_colours_unless_the_user_wants_none() {
    let play = format!("{LIFESIGN} simulate tests/data/scenarios/refusing.toml");
    for (no_color, has_colour) in [(None, true), (Some(""), true), (Some("1"), false)] {
        let mut command = quiet(Command::new("script"), &["-qec", &play, "/dev/null"]);
        command.envs(no_color.map(|value| ("NO_COLOR", value)));
        let (code, out, _) = done(command);
        assert_eq!((code, out.contains("\x1b[32m")), (0, has_colour), "{no_color:?}: {out}");
    }
    let (_, out, _) = done(lifesign(&["simulate", "tests/data/scenarios/refusing.toml"]));
    assert!(!out.contains('\x1b'), "{out}");
}

#[test]
fn a_port_in_use_is_one_line_and_69() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let found = done(lifesign(&["--config", LAB, "--listen", "127.0.0.1:0", "--listen", &address]));
    let wanted = format!(
        "lifesign: cannot listen on {address}: Address already in use; \
         choose another address with --listen"
    );
    assert_eq!(found, (69, String::new(), wanted));
}

#[test]
fn a_journal_that_cannot_be_written_is_one_line_and_73() {
    let temp_dir = TempDir::new("unwritable");
    let here = temp_dir.to_str().unwrap();
    for (path, why) in [
        (format!("{here}/none/journal"), "No such file or directory"),
        (here.to_owned(), "Is a directory"),
    ] {
        let found =
            done(lifesign(&["--config", LAB, "--listen", "127.0.0.1:0", "--record", &path]));
        assert_eq!(
            found,
            (73, String::new(), format!("lifesign: cannot write the journal {path}: {why}"))
        );
    }
}

/// What is refused to an ordinary user. In a namespace, because ports below 1024 may be free to all
/// outside.
#[test]
#[ignore = "needs root; run by tests/run"]
fn what_is_not_permitted_is_one_line_and_77() {
    let temp_dir = TempDir::new("permission");
    let program = temp_dir.path("lifesign");
    let plan = temp_dir.put("plan.toml", fs::read(LAB).unwrap());
    fs::copy(LIFESIGN, &program).unwrap();
    let journal = temp_dir.put("journal", "");
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let namespace = Namespace::new();
    for (arguments, wanted) in [
        (
            ["--listen", "127.0.0.1:80"],
            "lifesign: cannot listen on 127.0.0.1:80: Permission denied; \
             choose another address with --listen"
                .to_owned(),
        ),
        (
            ["--record", &journal],
            format!("lifesign: cannot write the journal {journal}: Permission denied"),
        ),
    ] {
        let run = [&program, "--config", &plan];
        let found = done(namespace.command(&[&nobody[..], &run, &arguments].concat()));
        assert_eq!(found, (77, String::new(), wanted));
    }
}

#[test]
fn it_says_how_it_is_used() {
    let mut text = String::new();
    for command in [&[][..], &["run"], &["replay"], &["simulate"], &["check"]] {
        let arguments = &[command, &["--help"]].concat();
        let (code, out, err) = done(lifesign(arguments));
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
        let _ = writeln!(text, "$ lifesign {}\n{out}\n", arguments.join(" "));
    }
    insta::assert_snapshot!(text);
    let version = format!("lifesign {}", env!("CARGO_PKG_VERSION"));
    assert_eq!(done(lifesign(&["--version"])), (0, version, String::new()));
}

#[test]
fn a_journal_is_judged_again() {
    let temp_dir = TempDir::new("replay");
    let journal = temp_dir.put("journal", JOURNAL);
    let found = done(lifesign(&["replay", &journal, "--config", LAB, "--json"]));
    assert_eq!(found, (0, REPLAYED.to_owned(), String::new()));
    let (code, out, err) = done(lifesign(&["replay", &journal, "--config", LAB]));
    assert_eq!((code, err.as_str()), (0, ""));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2);
    for (line, name) in lines.into_iter().zip(["KP 127.45.176.0/24", "KP"]) {
        let wanted = format!(
            "2014-12-22T16:14:58.323Z {name} unknown → up, since before 2014-12-22T16:14:58.323Z:"
        );
        assert!(line.starts_with(&wanted), "{line}");
    }
}

/// The first answer that was read need not be to the first probe that was sent.
#[test]
fn an_answer_that_was_on_its_way_before_the_first_is_of_this_watch() {
    let temp_dir = TempDir::new("replay-first");
    let line = |sent, host, rtt| {
        format!(
            r#"{{"sent":"2014-12-22T16:14:{sent}Z","host":"{host}","probe":"icmp","result":"reply","rtt_ms":{rtt}}}"#
        )
    };
    let lines = [line("58.120", "127.45.176.15", 100), line("58.000", "127.45.177.74", 2900)];
    let journal = temp_dir.put("journal", &(lines.join("\n") + "\n"));
    let (code, out, err) = done(lifesign(&["replay", &journal, "--config", LAB]));
    assert_eq!((code, err.as_str()), (0, ""));
    let told = "2014-12-22T16:15:00.900Z KP 127.45.177.0/24 unknown → up";
    assert!(out.lines().any(|line| line.starts_with(told)), "{out}");
}

#[test]
fn a_line_that_cannot_be_read_is_told_and_skipped() {
    let whole = JOURNAL.trim_end();
    let (first, second) = whole.split_once('\n').unwrap();
    let torn = &whole.as_bytes()[..whole.len() - 30];
    for (name, text, wanted) in [
        // Power failed in the middle of the last line.
        ("torn", torn.to_vec(), format!("2:{}: the line is torn off", second.chars().count() - 30)),
        (
            "bytes",
            [first.as_bytes(), "\né\u{e9}".as_bytes(), b"\xfe\n", second.as_bytes()].concat(),
            "2:3: the line is not UTF-8".into(),
        ),
        (
            "array",
            format!("[\"2014-12-22T16:14:58.120Z\"]\n{whole}\n").into_bytes(),
            "1:1: the line is a JSON array; a line is a JSON object".into(),
        ),
        (
            "no JSON",
            format!("{whole}\nseen at noon\n").into_bytes(),
            "3:1: no JSON from here on; a line is a JSON object (docs/journal.md)".into(),
        ),
        (
            "other key",
            format!("{{\"sent\":\"2014-12-22T16:14:58.120Z\"}}\n{whole}\n").into_bytes(),
            "1:35: \"probe\" is missing; give a line as docs/journal.md has it".into(),
        ),
        (
            "empty line",
            format!("{first}\n\n{second}\n").into_bytes(),
            "2:1: the line is empty".into(),
        ),
        (
            "other plan",
            format!("{}\n{first}\n{second}\n", second.replace("tcp/80", "tcp/81")).into_bytes(),
            "1:1: 127.45.176.67 \"tcp/81\" is no target of this plan; give the plan that it was \
             recorded with"
                .into(),
        ),
    ] {
        let temp_dir = TempDir::new(&format!("skipped-{}", name.replace(' ', "-")));
        let journal = temp_dir.put("journal", text);
        let found = done(lifesign(&["replay", &journal, "--config", LAB, "--json"]));
        let wanted = format!("{journal}:{wanted}; the line is skipped");
        assert_eq!(found, (0, REPLAYED.to_owned(), wanted), "{name}");
    }
}

/// A journal of a million lines must not become a million complaints.
#[test]
fn many_lines_that_cannot_be_read_are_counted() {
    let temp_dir = TempDir::new("many-skipped");
    let mut text = JOURNAL.to_owned();
    for number in 0..40 {
        let _ =
            writeln!(text, "{{\"sent\":\"day {number}\",\"probe\":\"icmp\",\"result\":\"lost\"}}");
        for probe in ["icmp", "tcp/443"] {
            text += &JOURNAL
                .lines()
                .next()
                .unwrap()
                .replace("icmp", probe)
                .replace("127.45.176.15", &format!("192.0.2.{number}"));
            text.push('\n');
        }
    }
    let journal = temp_dir.put("journal", &text);
    let (code, out, err) = done(lifesign(&["replay", &journal, "--config", LAB, "--json"]));
    assert_eq!((code, out.as_str()), (0, REPLAYED));
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(lines.len(), 20 + 1 + 2, "{err}");
    assert_eq!(
        lines[21..],
        [
            format!("{journal}: 79 more lines are skipped, of targets that are not in this plan"),
            format!("{journal}: 20 more lines are skipped for others"),
        ]
    );
}

#[test]
fn a_journal_whose_times_go_back_is_told_of_once() {
    let (first, second) = JOURNAL.trim_end().split_once('\n').unwrap();
    let temp_dir = TempDir::new("backwards");
    for (text, where_) in [
        (format!("{second}\n{first}\n"), "2:1: the time goes back here;"),
        (
            format!("{first}\n{second}\n{first}\n{second}\n{first}\n"),
            "3:1: the time goes back here, the first of 2 such lines;",
        ),
    ] {
        let journal = temp_dir.put("journal", text);
        let (code, out, err) = done(lifesign(&["replay", &journal, "--config", LAB]));
        let wanted = format!(
            "{journal}:{where_} all were judged in the order of the file, so sort it by \"seen\""
        );
        assert_eq!((code, err), (0, wanted));
        assert!(out.contains(" KP unknown → up"), "{out}");
    }
}

/// A script must not take the wrong plan for a quiet night.
#[test]
fn a_journal_of_which_no_line_can_be_read_is_65() {
    let temp_dir = TempDir::new("other-plan");
    let other = fs::read_to_string(LAB).unwrap().replace("127.45.", "127.46.");
    let plan = temp_dir.put("other.toml", other);
    // The controls are those of both plans.
    let control = "{\"sent\":\"2014-12-22T16:15:03.120Z\",\"host\":\"127.0.0.1\",\
                   \"probe\":\"control\",\"result\":\"reply\"}\n";
    for text in [JOURNAL.to_owned(), format!("{control}{JOURNAL}{control}")] {
        let journal = temp_dir.put("journal", &text);
        let state = temp_dir.path("state");
        let replay = ["replay", &journal, "--config", &plan, "--state-dir", &state];
        let (code, out, err) = done(lifesign(&replay));
        assert_eq!((code, out.as_str()), (65, ""), "{err}");
        let wanted = format!(
            "{journal}: not one line of it is of a target of {plan}; give the plan that it was \
             recorded with by --config"
        );
        assert_eq!(err, wanted);
        assert!(!temp_dir.join("state").exists(), "nothing is kept of it");
    }
    let junk = temp_dir.put("junk", "seen at noon\n");
    let (code, _, err) = done(lifesign(&["replay", &junk, "--config", LAB]));
    let wanted = format!("{junk}: no line of it can be read; is it a journal?");
    assert_eq!((code, err.lines().last()), (65, Some(wanted.as_str())));
    for (path, why) in [
        (temp_dir.path("nowhere"), "no such file; give the path of one that exists"),
        (temp_dir.path(""), "this is a directory; give the path of a file in it"),
    ] {
        let found = done(lifesign(&["replay", &path, "--config", LAB]));
        assert!(found.2.starts_with(&path) && found.2.ends_with(why), "{found:?}");
        assert_eq!((found.0, found.1.as_str(), found.2.lines().count()), (65, "", 1));
    }
    let empty = temp_dir.put("empty", "");
    let wanted = format!("{empty}: nothing in it; give the file that a run wrote with --record");
    assert_eq!(done(lifesign(&["replay", &empty, "--config", LAB])), (65, String::new(), wanted));
}

#[test]
fn a_simulation_that_is_not_as_its_scenario_expects_is_1() {
    let temp_dir = TempDir::new("expect");
    let page = fs::read_to_string("docs/scenario.md").unwrap();
    let example = page.rsplit("```toml\n").next().unwrap().split("```").next().unwrap();
    let scenario = temp_dir.put("scenario.toml", example);
    let (code, out, err) = done(lifesign(&["simulate", &scenario]));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    // The page quotes it.
    let told: Vec<&str> = out.lines().filter(|line| line.starts_with("expected ")).collect();
    let quoted: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("    expected ")).collect();
    assert!(!quoted.is_empty() && told.len() > quoted.len(), "{out}");
    assert!(quoted.iter().all(|line| out.contains(line)), "{out}");
    let other = temp_dir.put("other.toml", example.replace("no = [", "no = [\"outage\", "));
    let (code, out, err) = done(lifesign(&["simulate", &other]));
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    assert!(out.contains("\nexpected no outage, flapping: not met, was up, "), "{out}");
}

#[test]
fn it_ends_when_it_is_asked_to() {
    for name in ["TERM", "INT"] {
        let mut watch = Program::start(lifesign(&["--config", LAB, "--listen", "127.0.0.1:0"]));
        watch.verdict(TIMEOUT, "KP", "up");
        signal(name, watch.id());
        let status = watch.end(TIMEOUT);
        assert_eq!(status.code(), Some(0), "{name}: {status}\n{}", watch.said());
        assert_eq!(watch.err, Vec::<String>::new());
    }
}

/// `lifesign | head -1`, and `lifesign check | true`.
#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let script = format!("{LIFESIGN} check {LAB} | true; {LIFESIGN} --help | true");
    assert_eq!(
        done(quiet(Command::new("sh"), &["-c", &script])),
        (0, String::new(), String::new())
    );
}

#[test]
fn a_journal_without_ends_of_lines_is_not_read_into_all_memory() {
    let (code, _, err) = done(lifesign(&["replay", "/dev/zero", "--config", "targets.toml"]));
    assert_eq!(code, 65);
    assert!(err.contains("/dev/zero:1:1: this is no text, for it has zero bytes"), "{err}");
}

#[test]
fn a_file_of_another_kind_is_named_in_one_line() {
    let temp_dir = TempDir::new("other-kinds");
    let journal = temp_dir.put("journal.jsonl", JOURNAL);
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/scenarios/slower.toml");
    for (command, file, said) in [
        ("check", scenario, "this is a scenario, which lifesign simulate plays; give a plan"),
        (
            "check",
            &*journal,
            "this is JSON, and TOML is wanted here; of a journal, lifesign replay",
        ),
        ("simulate", &*journal, "this is JSON, and TOML is wanted here"),
        ("simulate", LAB, "this is a plan, which lifesign check reads; give a scenario"),
    ] {
        let (code, out, err) = done(lifesign(&[command, file]));
        assert_eq!((code, out.as_str(), err.lines().count()), (78, "", 1), "{err}");
        assert!(err.starts_with(&format!("{file}:")) && err.contains(said), "{err}");
    }
}

#[test]
fn what_would_be_right_is_told_of_what_is_wrong() {
    let temp_dir = TempDir::new("right");
    #[cfg(feature = "parquet")]
    let file = temp_dir.put("j.jsonl", JOURNAL);
    let long = temp_dir.put("my.toml", "vantage = \"lab\"\n".repeat(100));
    for (command, code, said) in [
        (&["simulate", "x", "--seed", "x"][..], 2, "a seed is a whole number"),
        (
            &["episodes", "--all", "--state", "up"],
            2,
            "no episode is of such a state; there are degraded, ",
        ),
        (&["episodes", "--db", &long], 65, "or damaged; give a copy of lifesign.db"),
        #[cfg(feature = "parquet")]
        (
            &["export", &file, "--config", LAB, "--parquet", &file],
            73,
            "j.jsonl is a file; give a directory",
        ),
    ] {
        let (found, out, err) = done(lifesign(command));
        assert_eq!((found, out.as_str()), (code, ""), "{err}");
        assert!(err.contains(said), "{err}");
    }
}
