//! Answers as a reader takes them: compressed or not, and metrics as text or OpenMetrics.

use crate::support::{
    page_server::{PageServer, settings},
    snapshot,
};
use flate2::read::GzDecoder;
use std::io::{Read, Write};

/// The head of an answer, and its body as it came.
fn ask(server: &PageServer, path: &str, more: &str) -> (String, Vec<u8>) {
    let mut stream = std::net::TcpStream::connect(server.addresses[0]).unwrap();
    // Of HTTP/1.0, so that it is not in chunks.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n{more}\r\n").unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(all[..end].to_vec()).unwrap().to_lowercase();
    (head, all[end + 4..].to_vec())
}

/// What does not differ from one moment to the next.
fn lasting(text: &str) -> String {
    text.lines().filter(|line| !line.contains("process_")).collect::<Vec<_>>().join("\n")
}

#[test]
fn whoever_takes_gzip_gets_the_same_in_less() {
    let server = PageServer::start(Some(snapshot::every_field()), settings(None));
    for path in ["/metrics", "/api/v1/state", "/", "/KP", "/KP/feed.atom", "/api/v1/episodes.csv"] {
        let (plain_head, plain) = ask(&server, path, "");
        let (head, body) = ask(&server, path, "Accept-Encoding: gzip, br\r\n");
        assert!(!plain_head.contains("content-encoding"), "{path}: {plain_head}");
        for line in ["content-encoding: gzip", "accept-encoding"] {
            assert!(head.contains(line), "{path}: {head}");
        }
        let mut unpacked = String::new();
        GzDecoder::new(&*body).read_to_string(&mut unpacked).unwrap();
        let plain = String::from_utf8(plain).unwrap();
        assert_eq!(lasting(&unpacked), lasting(&plain), "{path}");
        assert!(body.len() < plain.len() || plain.len() < 300, "{path}");
    }
}

#[test]
fn metrics_are_in_the_format_that_the_reader_likes_best() {
    let server = PageServer::start(Some(snapshot::every_field()), settings(None));
    let (head, body) = ask(&server, "/metrics", "");
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    let text = String::from_utf8(body).unwrap();
    let (head, body) = ask(&server, "/metrics", "Accept: application/openmetrics-text\r\n");
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(head.contains("vary: accept, accept-encoding"), "{head}");
    let open = String::from_utf8(body).unwrap();
    assert!(open.ends_with("# EOF\n") && !text.contains("# EOF"));
    let samples = |text: &str| lasting(text).lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(samples(&open), samples(&text));
}
