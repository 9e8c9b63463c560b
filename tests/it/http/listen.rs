//! Where the program listens: both families at once, socket files, and the sockets of systemd.

use crate::support::{
    Answer, LAB, LIFESIGN, Program, TIMEOUT, TempDir, done, get, http::answer, lifesign,
    namespace::Namespace, quiet, signal,
};
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    os::{
        fd::OwnedFd,
        unix::{
            fs::PermissionsExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::Path,
    process::Command,
};

fn start(place: &str) -> Program {
    Program::start(lifesign(&["--config", LAB, "--listen", place]))
}

/// Asks at a socket file.
fn ask_file(path: &Path, method: &str, target: &str, more: &str) -> Answer {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    write!(stream, "{method} {target} HTTP/1.1\r\nConnection: close\r\n{more}\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    answer(&text)
}

/// Waits until it says that it listens at this file.
fn listens_at(program: &mut Program, path: &str) {
    let wanted = format!("look at http://localhost/ by unix:{path} (metrics: ");
    program.line(TIMEOUT, "socket file", |line| line.starts_with(&wanted).then_some(()));
}

/// The same command, with this as the one socket that systemd passes.
fn activated(socket: impl Into<OwnedFd>, arguments: &str) -> Command {
    let shell = format!(
        "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec {LIFESIGN} --config {LAB} {arguments}"
    );
    let mut command = quiet(Command::new("sh"), &["-ec", &shell]);
    command.stdin(socket.into());
    command
}

#[test]
fn a_port_alone_is_every_address_and_localhost_is_this_machine() {
    for (place, everywhere) in [(":0", true), ("localhost:0", false)] {
        let mut program = start(place);
        let [first, second] = [(); 2].map(|()| program.address());
        let addresses = [first, second].map(|address| address.ip().to_string());
        assert_eq!(addresses, ["127.0.0.1", "::1"], "what a browser here can open");
        assert_eq!(first.port(), second.port(), "{place}");
        let told = program.said().matches(", at every other address too").count();
        assert_eq!(told, if everywhere { 2 } else { 0 });
        let other = TcpStream::connect(("127.0.0.2", first.port()));
        assert_eq!(other.is_ok(), everywhere, "{other:?}");
        for ip in ["127.0.0.1", "::1"] {
            let address = SocketAddr::new(ip.parse().unwrap(), first.port());
            assert_eq!(get(address, "/-/healthy").code, 200, "{place} {ip}");
        }
    }
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn a_family_that_is_not_there_is_left_out() {
    let namespace = Namespace::new();
    namespace.sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
    let listen = [LIFESIGN, "--config", LAB, "--listen", "localhost:17545"];
    let mut program = Program::start(namespace.command(&listen));
    assert_eq!(program.address().to_string(), "127.0.0.1:17545");
    assert_eq!(namespace.get("/-/healthy").code, 200);
    let told = program.said();
    assert_eq!(told.matches("look at").count(), 1, "{told}");
}

#[test]
fn a_socket_file_is_of_this_machine_and_as_the_umask_says() {
    let temp_dir = TempDir::new("listen-file");
    let path = temp_dir.path("lifesign.sock");
    let shell = format!("umask 0117; exec {LIFESIGN} --config {LAB} --listen unix:{path}");
    let mut program = Program::start(quiet(Command::new("sh"), &["-ec", &shell]));
    listens_at(&mut program, &path);
    let file = temp_dir.join("lifesign.sock");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o660);
    for (method, target, more, code) in [
        ("GET", "/-/healthy", "", 200),
        ("GET", "/-/healthy", "Host: localhost\r\n", 200),
        ("GET", "/-/healthy", "Host: rebound.example\r\n", 421),
        ("POST", "/-/reload", "", 200),
        ("POST", "/-/reload", "X-Forwarded-For: 127.0.0.1\r\n", 403),
        ("POST", "/-/reload", "Forwarded: for=127.0.0.1\r\n", 403),
        ("GET", "/-/healthy", "X-Forwarded-For: 192.0.2.1\r\n", 200),
    ] {
        let answer = ask_file(&file, method, target, more);
        assert_eq!(answer.code, code, "{method} {target} {more}: {}", answer.body);
    }
    assert_eq!(program.terminate().code(), Some(0));
    assert!(!file.exists(), "it was left behind");
}

#[test]
fn a_stale_socket_file_is_replaced_and_no_other() {
    let temp_dir = TempDir::new("listen-stale");
    let path = temp_dir.path("lifesign.sock");
    let file = temp_dir.join("lifesign.sock");
    let place = format!("unix:{path}");
    let mut first = start(&place);
    listens_at(&mut first, &path);
    let refused = |place: &str, why: &str| {
        let wanted = format!(
            "lifesign: cannot listen on {place}: {why}; choose another address with --listen"
        );
        let found = done(lifesign(&["--config", LAB, "--listen", place]));
        assert_eq!(found, (69, String::new(), wanted));
    };
    refused(&place, "another process listens there");
    assert_eq!(ask_file(&file, "GET", "/-/healthy", "").code, 200);
    signal("KILL", first.id());
    first.end(TIMEOUT);
    assert!(file.exists());
    let mut second = start(&place);
    listens_at(&mut second, &path);
    assert_eq!(ask_file(&file, "GET", "/-/healthy", "").code, 200);
    let notes = temp_dir.put("notes", "mine");
    refused(&format!("unix:{notes}"), "a file is there that is no socket");
    assert_eq!(fs::read_to_string(&notes).unwrap(), "mine");
}

#[test]
fn a_wrong_place_is_told_what_would_be_right() {
    let (code, out, err) = done(lifesign(&["--config", LAB, "--listen", "17545"]));
    assert_eq!((code, out.as_str()), (2, ""));
    let wanted = "error: invalid value '17545' for '--listen <WHERE>': write an address and port such as \
                  127.0.0.1:17545 or [::1]:17545, localhost:17545, :17545 for every address, or unix:/PATH";
    assert_eq!(err.lines().next(), Some(wanted));
}

#[test]
fn the_sockets_of_systemd_are_taken_unless_it_is_said_where() {
    let temp_dir = TempDir::new("listen-passed");
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap();
    let mut program = Program::start(activated(tcp.try_clone().unwrap(), ""));
    assert_eq!(program.address(), address);
    assert_eq!(get(address, "/-/healthy").code, 200);
    assert_eq!(program.terminate().code(), Some(0));

    let mut elsewhere = Program::start(activated(tcp, "--listen 127.0.0.1:0"));
    assert_ne!(elsewhere.address(), address);
    assert_eq!(elsewhere.said().matches("look at").count(), 1, "{}", elsewhere.said());

    let file = temp_dir.join("passed.sock");
    let mut program = Program::start(activated(UnixListener::bind(&file).unwrap(), ""));
    listens_at(&mut program, &temp_dir.path("passed.sock"));
    assert_eq!(ask_file(&file, "POST", "/-/reload", "").code, 200);
    assert_eq!(program.terminate().code(), Some(0));
    assert!(file.exists(), "systemd's own file was removed");
}

#[test]
fn what_does_not_listen_is_no_socket_to_take() {
    let deaf: [OwnedFd; 2] =
        [UdpSocket::bind("127.0.0.1:0").unwrap().into(), UnixStream::pair().unwrap().0.into()];
    for socket in deaf {
        let (code, out, err) = done(activated(socket, ""));
        assert_eq!((code, out.as_str()), (69, ""), "{err}");
        let begin = "lifesign: cannot listen on socket 1 of those that systemd passes: ";
        assert!(err.starts_with(begin) && err.lines().count() == 1, "{err}");
    }
}

#[test]
fn more_sockets_than_there_can_be_are_not_taken() {
    for count in ["1024", "2147483647", "4294967295"] {
        let mut command = lifesign(&["--config", LAB]);
        command.env("LISTEN_FDS", count);
        let wanted = format!(
            "lifesign: cannot listen on the sockets that systemd passes: LISTEN_FDS={count} are too \
             many; choose another address with --listen"
        );
        assert_eq!(done(command), (69, String::new(), wanted));
    }
}
