//! What others wrote, shown on a terminal: servers, stores, journals and names of files may hold
//! what a terminal acts on, or what turns text around, and only text is shown.

use crate::support::{LAB, TempDir, done, lifesign};
use rusqlite::Connection;
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

/// Clears the screen, turns text around, and begins a line.
const HOSTILE: &str = "\u{1b}[2J\u{202e}\u{9b}2J";

fn assert_plain(what: &str, text: &str) {
    let is_odd = |letter: char| letter.is_control() && letter != '\n' || letter == '\u{202e}';
    assert!(!text.contains(is_odd), "{what}: {text:?}");
}

/// What `status` says of a server that answers so.
fn status(answer: impl Fn(TcpStream) + Send + 'static, more: &[&str]) -> (i32, String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let _ = stream.read(&mut request).unwrap();
        answer(stream);
    });
    let told = done(lifesign(&[&["status", "--address", &address], more].concat()));
    server.join().unwrap();
    told
}

#[test]
fn a_server_that_is_no_lifesign_is_said_in_a_line_of_text() {
    let words = [
        (format!("HTTP/1.1 500 X\r\n\r\n{HOSTILE}gone\nmore"), "[2J2Jgone"),
        (format!("HTTP/1.1 401 X\r\n\r\n{HOSTILE}who"), "[2J2Jwho; --http.config.file says how"),
        ("HTTP/1.1 302 Found\r\n\r\n".to_owned(), "its answer is 302 alone"),
        ("HTTP/1.1 200 OK\r\n\r\n[]".to_owned(), "its answer is none of a lifesign"),
        ("HTTP/1.1 200 OK\r\n\r\nnull".to_owned(), "its answer is none of a lifesign"),
        ("HTTP/1.1 200 OK\r\n\r\n{\"status\":\"success\"}".to_owned(), "none of a lifesign"),
    ];
    for (answer, wanted) in words {
        for more in [&[][..], &["--json"], &["--exit-code"]] {
            let bytes = answer.clone();
            let (code, out, err) =
                status(move |mut stream| stream.write_all(bytes.as_bytes()).unwrap(), more);
            let is_plugin = more == ["--exit-code"];
            let (known, said, other) = if is_plugin { (3, out, err) } else { (69, err, out) };
            assert_eq!((code, other.as_str(), said.lines().count()), (known, "", 1), "{said}");
            assert!(said.contains(wanted), "{said}");
            assert_plain(&answer, &said);
        }
    }
}

#[test]
fn an_answer_that_never_ends_is_not_waited_for() {
    let drip = |mut stream: TcpStream| {
        let head = b"HTTP/1.1 200 OK\r\n\r\n".iter().copied();
        for byte in head.chain([b' '; 40]) {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(200));
        }
    };
    let (code, _, err) = status(drip, &[]);
    assert!(code == 69 && err.contains("no whole answer in 5 s"), "{err}");
    let flood = |mut stream: TcpStream| {
        let part = vec![b' '; 1 << 20];
        let mut parts = 0;
        while parts < 1000 && stream.write_all(&part).is_ok() {
            parts += 1;
        }
        assert!(parts < 1000, "all of it was read");
    };
    let (code, _, err) = status(flood, &[]);
    assert!(code == 69 && err.contains("no end"), "{err}");
}

#[test]
fn a_store_of_somebody_else_is_shown_as_text() {
    let temp_dir = TempDir::new("foreign-store");
    let scenario = "tests/data/scenarios/one-block-blip.toml";
    let directory = temp_dir.path("state");
    let (code, _, err) = done(lifesign(&["simulate", scenario, "--state-dir", &directory]));
    assert_eq!(code, 0, "{err}");
    let database = Connection::open(format!("{directory}/lifesign.db")).unwrap();
    let hostile = [HOSTILE];
    database.execute("UPDATE episode SET evidence = evidence || ?1", hostile).unwrap();
    let scopes = "UPDATE episode SET scope = scope || ?1 WHERE scope LIKE '%/%'";
    assert!(database.execute(scopes, hostile).unwrap() > 0);
    database.execute("UPDATE country SET name = name || ?1", hostile).unwrap();
    database.execute("UPDATE run SET vantage = vantage || ?1", hostile).unwrap();
    let country: String =
        database.query_row("SELECT code FROM country", [], |row| row.get(0)).unwrap();
    drop(database);
    for command in [
        &["episodes"][..],
        &["episodes", "--all"],
        &["episodes", "--all", "--csv"],
        &["report", &country],
        &["report", "nosuch"],
    ] {
        let arguments = [command, &["--since", "2000-01-01", "--state-dir", &directory]].concat();
        let (_, out, err) = done(lifesign(&arguments));
        assert!(!(out.clone() + &err).is_empty(), "{command:?}");
        assert_plain(&format!("{command:?}"), &out);
        assert_plain(&format!("{command:?}"), &err);
    }
}

#[test]
fn names_of_files_and_of_networks_in_a_journal_are_shown_as_text() {
    let temp_dir = TempDir::new("escapes");
    let odd = temp_dir.path(&format!("plan{HOSTILE}.toml"));
    for command in [&["check", &odd][..], &["replay", &odd], &["import", &odd, "-o", "-"]] {
        let (code, _, err) = done(lifesign(command));
        assert!(code != 0 && err.contains("plan[2J2J.toml"), "{err}");
        assert_plain("a name", &err);
    }
    let at = "2026-11-26T12:00:00.000000000Z";
    let network = "\\u001b[2J\\u202eUnicom\\n2026-11-26T12:00:00Z KP up → outage";
    let hop = format!(
        r#"{{"hop":3,"address":"10.0.0.1","asn":4837,"network":"{network}","heard":"{at}"}}"#
    );
    let place = format!(
        r#"{{"place":"on_the_way","found":"{at}","since":"{at}","last":{hop},"first_silent":null,"said":null,"probes":3}}"#
    );
    let line = format!(r#"{{"seen":"{at}","path":"127.45.176.0/24","place":{place}}}"#);
    let journal = temp_dir.put("journal.jsonl", line + "\n");
    let (_, out, err) = done(lifesign(&["replay", &journal, "--config", LAB]));
    assert!(out.contains("[2JUnicom") && out.lines().count() == 1, "{out:?} {err}");
    assert_plain("a journal", &out);
}
