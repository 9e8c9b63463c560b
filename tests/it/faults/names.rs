//! What breaks in DNS: the resolver is dead, comes late, and dies; a name server answers nonsense.

use crate::support::watched_world::never;
use crate::support::{LIFESIGN, Program, TIMEOUT, TempDir, get, lifesign, quiet, until, values};
use std::{
    fs,
    net::{SocketAddr, UdpSocket},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// Answers each datagram with what `answer` makes of it, until it is dropped.
struct Server(Arc<AtomicBool>, Option<thread::JoinHandle<()>>);

impl Server {
    fn start(socket: UdpSocket, answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> Self {
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let mut buffer = [0; 1500];
            while !ends.load(Ordering::Relaxed) {
                if let Ok((length, from)) = socket.recv_from(&mut buffer) {
                    let _ = socket.send_to(&answer(&buffer[..length]), from);
                }
            }
        });
        Self(over, Some(thread))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        let _ = self.1.take().map(thread::JoinHandle::join);
    }
}

/// The answer to a question for an address (RFC 1035 §4.1): this one for A, none for another type.
fn resolved(question: &[u8], address: [u8; 4]) -> Vec<u8> {
    let end = 12 + question[12..].iter().position(|&byte| byte == 0).unwrap() + 5;
    let is_a = question[end - 4..end - 2] == [0, 1];
    let mut answer = question[..end].to_vec();
    answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
    if is_a {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(address);
    }
    answer
}

fn plan(resolver: &str, hosts: &str) -> String {
    format!(
        "vantage = \"test\"\ncontrols = [\"127.0.0.1\"]\n{resolver}\n[budget]\nper_block = \"10/s\"\n\
         [[country]]\ncode = \"KP\"\n[[country.block]]\nprefix = \"127.47.1.0/24\"\nhosts = [{hosts}]\n"
    )
}

fn watch(temp_dir: &TempDir, resolver: &str, hosts: &str) -> (Program, SocketAddr) {
    watch_with(temp_dir, resolver, hosts, &[])
}

fn watch_with(
    temp_dir: &TempDir,
    resolver: &str,
    hosts: &str,
    options: &[&str],
) -> (Program, SocketAddr) {
    let plan = temp_dir.put("plan.toml", plan(resolver, hosts));
    let arguments = [&["--config", &plan, "--listen", "127.0.0.1:0"], options].concat();
    let mut program = Program::start(lifesign(&arguments));
    let address = program.address();
    (program, address)
}

fn sum(address: SocketAddr, name: &str, parts: &[&str]) -> f64 {
    values(&get(address, "/metrics").body, name, parts).iter().sum()
}

#[test]
fn the_resolver_is_dead_at_the_start_and_comes_and_dies() {
    let temp_dir = TempDir::new("resolver");
    let server_address = UdpSocket::bind("127.47.1.53:0").unwrap().local_addr().unwrap();
    let host = r#"{ host = "host.example", probes = ["tcp/9"] }"#;
    let (mut program, address) =
        watch(&temp_dir, &format!("resolver = [\"{server_address}\"]"), host);
    until(TIMEOUT, "unresolved probes", || {
        let found = sum(address, "lifesign_not_sent_total", &["unresolved"]);
        if found >= 10.0 { Ok(()) } else { Err(found.to_string()) }
    });
    program.error_line(TIMEOUT, "complaint", |line| line.contains("cannot resolve").then_some(()));
    assert_eq!(sum(address, "lifesign_block_state", &[r#"state="unknown""#]), 1.0);
    assert_eq!(sum(address, "lifesign_blind", &[]), 0.0, "a dead resolver is not a dead network");
    let server = Server::start(UdpSocket::bind(server_address).unwrap(), |question| {
        resolved(question, [127, 47, 1, 7])
    });
    program.verdict(2 * TIMEOUT, "KP 127.47.1.0/24", "up");
    drop(server);
    let before = sum(address, "lifesign_probe_outcomes_total", &["refused"]);
    until(TIMEOUT, "refusals by the address, which stays", || {
        let now = sum(address, "lifesign_probe_outcomes_total", &["refused"]);
        if now > before + 10.0 { Ok(()) } else { Err(format!("{before} {now}")) }
    });
    never(&program, &["down", "outage", "flapping"]);
}

/// What cannot be said does not keep it from asking again.
#[test]
fn nobody_hears_its_complaints() {
    let temp_dir = TempDir::new("unheard");
    let server_address = UdpSocket::bind("127.47.1.55:0").unwrap().local_addr().unwrap();
    let host = r#"{ host = "host.example", probes = ["tcp/9"] }"#;
    let plan = temp_dir.put("plan.toml", plan(&format!("resolver = [\"{server_address}\"]"), host));
    let pipe = temp_dir.path("pipe");
    let run = format!(
        "mkfifo {pipe}; exec 3<>{pipe} 2>{pipe} 3>&-; \
         exec {LIFESIGN} --config {plan} --listen 127.0.0.1:0"
    );
    let mut program = Program::start(quiet(Command::new("sh"), &["-c", &run]));
    let address = program.address();
    until(TIMEOUT, "unresolved probes", || {
        let found = sum(address, "lifesign_not_sent_total", &["unresolved"]);
        if found >= 30.0 { Ok(()) } else { Err(found.to_string()) }
    });
    let _server = Server::start(UdpSocket::bind(server_address).unwrap(), |question| {
        resolved(question, [127, 47, 1, 7])
    });
    program.verdict(2 * TIMEOUT, "KP 127.47.1.0/24", "up");
    assert_eq!(program.terminate().code(), Some(0));
}

/// A resolver that says nothing has not all of them to keep open, and one that fails is one line.
#[test]
fn two_hundred_names_are_asked_for_a_few_at_a_time() {
    let temp_dir = TempDir::new("many-names");
    let socket = UdpSocket::bind("127.47.1.56:0").unwrap();
    let server_address = socket.local_addr().unwrap();
    let asked = Arc::new(std::sync::Mutex::new(std::collections::BTreeSet::new()));
    let silent = Arc::new(AtomicBool::new(true));
    let lookups = Arc::clone(&asked);
    let is_silent = Arc::clone(&silent);
    let _server = Server::start(socket, move |question| {
        if is_silent.load(Ordering::Relaxed) {
            // The name, which ends with a 0, and the type.
            let end = 12 + question[12..].iter().position(|&byte| byte == 0).unwrap() + 3;
            lookups.lock().unwrap().insert(question[12..end].to_ascii_lowercase());
            return Vec::new();
        }
        // SERVFAIL.
        let mut answer = question.to_vec();
        answer[2] |= 0x80;
        answer[3] = 2;
        answer
    });
    let hosts: Vec<String> = (0..200)
        .map(|n| format!(r#"{{ host = "host-{n}.example", probes = ["tcp/9"] }}"#))
        .collect();
    let resolver = format!("resolver = [\"{server_address}\"]");
    let (mut program, _) = watch(&temp_dir, &resolver, &hosts.join(","));
    until(TIMEOUT, "lookups", || match asked.lock().unwrap().len() {
        0 => Err("none".to_owned()),
        _ => Ok(()),
    });
    program.listen(Duration::from_secs(3));
    assert_eq!(asked.lock().unwrap().len(), 32);
    silent.store(false, Ordering::Relaxed);
    program.error_line(2 * TIMEOUT, "complaint", |line| {
        line.contains("cannot resolve ").then_some(())
    });
    program.listen(Duration::from_secs(8));
    assert!(program.err.len() <= 2, "{}", program.said());
}

/// The next run knows the addresses of the one before, and asks them though nobody resolves names.
#[test]
fn the_resolver_is_dead_at_the_start_and_the_addresses_are_known() {
    let temp_dir = TempDir::new("known-names");
    let state = temp_dir.path("state");
    let socket = UdpSocket::bind("127.47.1.55:0").unwrap();
    let resolver = format!("resolver = [\"{}\"]", socket.local_addr().unwrap());
    let server = Server::start(socket, |question| resolved(question, [127, 47, 1, 8]));
    let host = r#"{ host = "host.example", probes = ["tcp/9"] }"#;
    let journal = temp_dir.path("journal");
    let options = ["--state-dir", &state, "--record", &journal];
    let (mut program, _) = watch_with(&temp_dir, &resolver, host, &options);
    program.verdict(TIMEOUT, "KP 127.47.1.0/24", "up");
    program.listen(Duration::from_secs(2));
    assert_eq!(program.terminate().code(), Some(0));
    drop(server);
    let lines = fs::read_to_string(&journal).unwrap();
    let is_refused = |line: &&str| line.contains(r#""result":"refused""#);
    assert!(lines.lines().any(|line| is_refused(&line)));
    for line in lines.lines().filter(is_refused) {
        assert!(line.contains(r#""host":"host.example","address":"127.47.1.8""#), "{line}");
    }
    let (mut program, address) = watch_with(&temp_dir, &resolver, host, &options);
    program.verdict(TIMEOUT, "KP 127.47.1.0/24", "up");
    assert_eq!(sum(address, "lifesign_not_sent_total", &["unresolved"]), 0.0);
    assert!(get(address, "/KP/127.47.1.0/24").body.contains("127.47.1.8"));
    assert!(get(address, "/api/v1/state").body.contains(r#""address":"127.47.1.8""#));
    assert_eq!(program.terminate().code(), Some(0));
}

#[test]
fn a_name_server_answers_nonsense() {
    let temp_dir = TempDir::new("nonsense");
    let socket = UdpSocket::bind("127.47.1.54:0").unwrap();
    let server_address = socket.local_addr().unwrap();
    let turn = std::sync::atomic::AtomicUsize::new(0);
    let _server = Server::start(socket, move |question| {
        let mut answer = resolved(question, [127, 47, 1, 7]);
        match turn.fetch_add(1, Ordering::Relaxed) % 5 {
            0 => vec![0xff; 600],
            1 => vec![],
            // Another's number.
            2 => {
                answer[0] ^= 0x55;
                answer
            }
            // Another question.
            3 => {
                answer[14] ^= 1;
                answer
            }
            // The question itself.
            _ => question.to_vec(),
        }
    });
    let host = format!(
        r#"{{ host = "127.47.1.54", probes = [{{ probe = "dns/kptc.kp/A", port = {} }}] }}"#,
        server_address.port()
    );
    let (mut program, address) = watch(&temp_dir, "", &host);
    for (metric, reason) in [
        ("lifesign_rejected_total", "truncated"),
        ("lifesign_rejected_total", "wrong_id"),
        ("lifesign_odd_answers_total", "wrong_question"),
        ("lifesign_odd_answers_total", "malformed"),
    ] {
        until(TIMEOUT, reason, || match sum(address, metric, &[reason]) {
            0.0 => Err("none".into()),
            _ => Ok(()),
        });
    }
    // Whatever it says, somebody there sees our questions.
    program.verdict(TIMEOUT, "KP 127.47.1.0/24", "up");
}
