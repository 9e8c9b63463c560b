//! HTTP against those who mean no good: the real program, and clients that ask for too much, too
//! slowly, or in no language at all. In the midst of each a scrape is answered in time, and
//! afterwards the program holds no more descriptors or memory than before.

use crate::support::{
    Program, TIMEOUT, TempDir, get, lifesign, own_process::in_own_process, until, values,
};
use lifesign_clock::Clock;
use lifesign_export::{connections, metric_sets::MetricSet};
use socket2::{Domain, Socket, Type};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread::sleep,
    time::Duration,
};

/// This many blocks of one host of this machine each, asked by ICMP alone: so that the program's
/// descriptors stay the same.
fn plan(blocks: usize) -> String {
    let block = |number: usize| {
        let start = format!("127.{}.{}", 60 + number / 256, number % 256);
        format!(
            "[[country.block]]\nprefix = \"{start}.0/24\"\n\
             hosts = [{{ host = \"{start}.15\", probes = [\"icmp\"] }}]\n"
        )
    };
    let blocks: Vec<String> = (0..blocks).map(block).collect();
    // A page that fills buffers.
    let sets = MetricSet::ALL.map(|set| format!("metrics.{} = true\n", set.label())).concat();
    format!("vantage = \"lab\"\n{sets}[[country]]\ncode = \"KP\"\n{}", blocks.concat())
}

/// How long Prometheus waits for an answer by default (scrape_timeout). Whoever is held up by
/// another waits for [`serve::PATIENCE`], three times as long.
const IN_TIME: Duration = Duration::from_secs(10);

struct Victim {
    program: Program,
    address: SocketAddr,
    descriptors: usize,
}

impl Victim {
    fn start(name: &str, blocks: usize) -> Self {
        let temp_dir = TempDir::new(name);
        let plan = temp_dir.put("plan.toml", plan(blocks));
        let mut program = Program::start(lifesign(&["--config", &plan, "--listen", "127.0.0.1:0"]));
        let address = program.address();
        let mut victim = Self { program, address, descriptors: 0 };
        // Each verdict makes a new page, and in the beginning there are many. Before the first page
        // it is still opening its store.
        until(TIMEOUT, "verdicts", || {
            let page = get(address, "/metrics").body;
            let unknown = values(&page, "lifesign_block_state", &["unknown"]);
            let is_begun = unknown.len() == blocks;
            if is_begun && (victim.cannot_ask() || unknown.iter().all(|&is_so| is_so == 0.0)) {
                Ok(())
            } else {
                Err(format!("{unknown:?} unknown"))
            }
        });
        // The scrape's own connection has gone.
        until(TIMEOUT, "rest", || {
            let now = victim.program.descriptors();
            let before = std::mem::replace(&mut victim.descriptors, now);
            if before == now { Ok(()) } else { Err(format!("{before}, then {now} descriptors")) }
        });
        victim
    }

    /// A scrape, in time.
    fn scrape(&self) {
        let clock = Clock::start();
        let begin = clock.now();
        let answer = get(self.address, "/metrics");
        let took = clock.now().since(begin);
        assert_eq!(answer.code, 200);
        assert!(took < IN_TIME, "a scrape took {took:?}");
    }

    /// May it not send ICMP? It says so before it says its address.
    fn cannot_ask(&self) -> bool {
        self.program.out.iter().any(|line| line.starts_with("note: may not send ICMP"))
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream
    }

    /// It holds as many descriptors as at the beginning, and answers.
    fn recovers(&self) {
        until(TIMEOUT, "recovery", || match self.program.descriptors() {
            now if now <= self.descriptors => Ok(()),
            now => Err(format!("{now} descriptors, {} at first", self.descriptors)),
        });
        self.scrape();
    }

    /// What it answers to these bytes: code and head, all in lower case. None if it just hangs up.
    fn answer(&self, bytes: &[u8]) -> Option<(u16, String)> {
        let mut stream = self.connect();
        // It may hang up before it has read all of it.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let mut part = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut part) {
            answer.extend(&part[..length]);
        }
        let answer = String::from_utf8_lossy(&answer).to_lowercase();
        let (head, _) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().unwrap(), head.to_owned()))
    }
}

/// A request with this line and these further header lines.
fn request(line: &str, headers: &str) -> Vec<u8> {
    format!("{line}\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n").into_bytes()
}

fn long(length: usize) -> String {
    "a".repeat(length)
}

#[test]
fn what_is_no_request_is_refused_and_hung_up_on() {
    let victim = Victim::start("hostile-bytes", 1);
    let line = "GET /metrics HTTP/1.1";
    for (what, bytes, code) in [
        (
            "a long header",
            request(line, &format!("X: {}\r\n", long(connections::MAX_HEAD_BYTES))),
            431,
        ),
        ("a megabyte of header", request(line, &format!("X: {}\r\n", long(1 << 20))), 431),
        ("many headers", request(line, &"X: y\r\n".repeat(200)), 431),
        ("a long request line", request(&format!("GET /{} HTTP/1.1", long(20_000)), ""), 431),
        ("empty lines without end", b"\r\n".repeat(30_000), 431),
        ("a header without a colon", request(line, "nonsense\r\n"), 400),
        ("a folded header", request(line, "X: a\r\n b\r\n"), 400),
        ("NUL in a header", request(line, "X: a\0b\r\n"), 400),
        ("two lengths", request(line, "Content-Length: 5\r\nContent-Length: 6\r\n"), 400),
        ("less than no length", request(line, "Content-Length: -1\r\n"), 400),
        ("NUL in the path", request("GET /metrics\0 HTTP/1.1", ""), 400),
        ("NUL in the method", request("G\0T /metrics HTTP/1.1", ""), 400),
        ("no method", request(" /metrics HTTP/1.1", ""), 400),
        ("HTTP/0.9", b"GET /metrics\r\n".to_vec(), 400),
        ("HTTP/3.0", b"GET /metrics HTTP/3.0\r\n\r\n".to_vec(), 400),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), 400),
        ("zeros", vec![0; 9000], 400),
        ("ones", vec![0xff; 9000], 400),
    ] {
        // An answer is read to its end, so each of these was hung up on.
        let answer = victim.answer(&bytes);
        assert_eq!(answer.map(|(code, _)| code), Some(code), "{what}");
        victim.scrape();
    }
    // It speaks another language, and would not understand.
    assert_eq!(victim.answer(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), None);
    victim.recovers();
}

#[test]
fn a_body_that_nobody_asked_for_is_not_waited_for() {
    let victim = Victim::start("hostile-body", 1);
    let line = "GET /metrics HTTP/1.1";
    for (what, headers, body) in [
        ("a short one", "Content-Length: 5\r\n", "hello"),
        ("a gigabyte that never comes", "Content-Length: 1000000000\r\n", ""),
        ("a chunk of no length", "Transfer-Encoding: chunked\r\n", "zz\r\n"),
        ("two kinds of length", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ("one that is announced", "Expect: 100-continue\r\nContent-Length: 9\r\n", ""),
    ] {
        let answer = victim.answer(&[request(line, headers), body.into()].concat());
        assert_eq!(answer.map(|(code, _)| code), Some(200), "{what}");
    }
    victim.recovers();
}

#[test]
fn no_path_leads_beyond_the_pages() {
    let victim = Victim::start("hostile-paths", 1);
    let code = |path: &str| {
        victim.answer(&request(&format!("GET {path} HTTP/1.1"), "")).map(|(code, _)| code)
    };
    let far = format!("/{}", long(8000));
    for path in [
        "/%2e%2e/metrics",
        "/../metrics",
        "//metrics",
        "///",
        "/metrics/..",
        "/./metrics",
        "/metrics%00",
        "/metric%73",
        "/METRICS",
        "/metrics;x",
        "/\\metrics",
        "/api/v1/state/../../../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/é",
        "/\u{202e}",
        "metrics",
        "*",
        &far,
    ] {
        assert_eq!(code(path), Some(404), "{path}");
    }
    // RFC 9112 §3.2.2: a server must understand the absolute form; and a query is none of our
    // pages' business.
    for path in ["http://localhost/metrics", "/metrics?x=%00&y=/../", "/metrics?"] {
        assert_eq!(code(path), Some(200), "{path}");
    }
    victim.recovers();
}

#[test]
fn other_methods_are_told_which_there_are() {
    let victim = Victim::start("hostile-methods", 1);
    let odd = long(100);
    for method in
        ["POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "OPTIONS", "PROPFIND", "get", &odd]
    {
        let (code, head) =
            victim.answer(&request(&format!("{method} /metrics HTTP/1.1"), "")).unwrap();
        assert_eq!(code, 405, "{method}");
        assert!(head.contains("\r\nallow: get,head"), "{method}: {head}");
    }
    victim.recovers();
}

/// More sockets than many a shell allows.
const MORE_DESCRIPTORS: &[&str] = &["sh", "-ec", "ulimit -n 4096; exec \"$@\"", "sh"];

/// How many crowds come at most, until one of them adds nothing to the memory that those before it
/// left: how many of a crowd are served at the same moment differs, and the most that was ever
/// needed is kept. What leaks is lost with every crowd.
const CROWDS: usize = 10;

fn crowds(victim: &Victim, mut crowd: impl FnMut()) {
    let mut memory = Vec::new();
    for _ in 0..CROWDS {
        crowd();
        victim.recovers();
        let before = memory.iter().max().copied();
        memory.push(victim.program.memory());
        if before.is_some_and(|before| memory[memory.len() - 1] <= before + 64) {
            return;
        }
    }
    panic!("KiB of memory after each crowd: {memory:?}");
}

#[test]
fn a_thousand_idle_connections_hold_up_no_scrape() {
    if !in_own_process(a_thousand_idle_connections_hold_up_no_scrape, MORE_DESCRIPTORS) {
        return;
    }
    let victim = Victim::start("hostile-idle", 1);
    crowds(&victim, || {
        let mut crowd = Vec::new();
        for number in 0..1000 {
            let mut idle = victim.connect();
            // Some say nothing, some break off, some have had an answer and stay.
            match number % 3 {
                0 => {}
                1 => idle.write_all(b"GET /metrics HTTP/1.1\r\nHost: l").unwrap(),
                _ => idle.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap(),
            }
            crowd.push(idle);
            if number % 100 == 99 {
                victim.scrape();
                let held = victim.program.descriptors().saturating_sub(victim.descriptors);
                assert!(held <= connections::MAX_CONNECTIONS + 1, "{held} connections are held");
            }
        }
    });
}

/// Each asks for more than the buffers on the way hold, and takes nothing.
#[test]
fn readers_who_do_not_read_hold_up_no_scrape() {
    let victim = Victim::start("hostile-readers", 60);
    let ask = request("GET /metrics HTTP/1.1", "");
    crowds(&victim, || {
        let mut crowd = Vec::new();
        for _ in 0..200 {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.set_recv_buffer_size(4096).unwrap();
            socket.connect(&victim.address.into()).unwrap();
            socket.send(&ask).unwrap();
            crowd.push(socket);
            if crowd.len() % 50 == 0 {
                victim.scrape();
            }
        }
        until(TIMEOUT, "readers that are stuck", || {
            let stuck = victim.program.descriptors().saturating_sub(victim.descriptors);
            if stuck > connections::MAX_CONNECTIONS / 4 {
                Ok(())
            } else {
                Err(format!("only {stuck}"))
            }
        });
    });
}

/// Four a second, each of another second's page.
#[test]
fn readers_who_do_not_read_keep_no_pages() {
    let victim = Victim::start("hostile-pages", 300);
    let ask = request("GET /metrics HTTP/1.1", "");
    let mut page = 0;
    for _ in 0..4 {
        page = get(victim.address, "/metrics").body.len() / 1024;
        sleep(Duration::from_secs(1));
    }
    let before = victim.program.memory();
    let mut crowd = Vec::new();
    for _ in 0..80 {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&victim.address.into()).unwrap();
        socket.send(&ask).unwrap();
        crowd.push(socket);
        sleep(Duration::from_millis(250));
    }
    // Beside the pages each connection has a piece of one, of 64 KiB.
    let grown = victim.program.memory().saturating_sub(before).saturating_sub(80 * 64);
    assert!(grown < 5 * page, "{grown} KiB more, and a page has {page}");
    victim.scrape();
}

/// The same half minute that the tests of `export::connections` pass in no time, by the clock.
#[test]
#[ignore = "waits for half a minute; run by tests/run"]
fn a_trickle_is_cut_off_in_the_end() {
    let victim = Victim::start("hostile-trickle", 1);
    let clock = Clock::start();
    let begin = clock.now();
    let mut crowd: Vec<TcpStream> = (0..50).map(|_| victim.connect()).collect();
    for byte in b"GET /metrics HTTP/1.1\r\nX: 12345" {
        // Who is let go early is missed below.
        for slow in &mut crowd {
            let _ = slow.write_all(&[*byte]);
        }
        victim.scrape();
        sleep(Duration::from_millis(900));
    }
    for mut slow in crowd {
        // Closed; or reset, since some of it lay there unread.
        assert!(!matches!(slow.read(&mut [0]), Ok(1..)));
    }
    let took = clock.now().since(begin);
    assert!(took >= connections::TIMEOUT && took < connections::TIMEOUT + TIMEOUT, "{took:?}");
    victim.recovers();
}
