//! What a reader and another site make of a page, in Chromium: what was opened stays open, and who
//! may show it in a frame.

use crate::support::{
    browser::{Browser, Screen},
    own_process::{OWN_NETWORK, in_own_process},
    page_server::{PageServer, settings},
    week,
};
use lifesign_core::{
    judge::State,
    scopes::{BlockId, Scope},
};
use serde_json::json;
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::Arc,
    thread,
};

const WIDE: Screen = Screen { dark: false, width: 1100 };

#[test]
#[ignore = "needs root and Chromium; run by tests/run"]
fn what_a_reader_opened_stays_open_when_the_page_is_made_anew() {
    if !in_own_process(what_a_reader_opened_stays_open_when_the_page_is_made_anew, OWN_NETWORK) {
        return;
    }
    let up = || week::snapshot(week::roster(1, 4, 2), |_| week::restless(State::Up));
    // A simulation is made anew every 2 s.
    let server = PageServer::start(Some(up()), settings(Some("a test.")));
    let mut browser = Browser::start();
    browser.open(&server.url("/X0"), WIDE);
    let open = "[...document.querySelectorAll('.part:has(.more)')].map(part => part.id)";
    assert_eq!(browser.ask(open), json!([]));
    for (block, loads) in [("block-1", 2), ("block-3", 3)] {
        let click = format!("document.querySelector('#{block} .toggle').click()");
        browser.ask(&click);
        browser.happened("Page.loadEventFired", loads);
    }
    assert_eq!(browser.ask(open), json!(["block-1", "block-3"]));
    // One that becomes worse than its country is not opened beside what the reader chose.
    let mut later = up();
    let block = later.roster.scope_id(Scope::Block(BlockId(0)));
    later.scopes[block.index()].verdict.state = State::Outage;
    server.snapshots.send_replace(Some(Arc::new(later)));
    let loads = browser.all("Page.loadEventFired").count();
    browser.happened("Page.loadEventFired", loads + 2);
    let badge = browser.ask("document.querySelector('#block-0 .badge').innerText");
    assert_eq!(badge, "✕ outage");
    assert_eq!(browser.ask(open), json!(["block-1", "block-3"]));
}

/// Serves a page of another origin that has this page in a frame.
fn serve_page_around(listener: TcpListener, address: &str) {
    let page = format!("<!doctype html><title>around</title><iframe src=\"{address}\"></iframe>");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close";
            let _ = write!(&stream, "{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len());
        }
    });
}

#[test]
#[ignore = "needs root and Chromium; run by tests/run"]
fn only_an_origin_that_was_named_shows_the_page_in_a_frame() {
    if !in_own_process(only_an_origin_that_was_named_shows_the_page_in_a_frame, OWN_NETWORK) {
        return;
    }
    let mut browser = Browser::start();
    for (others, is_named) in [(&[][..], false), (&["https://news.example"], false), (&[], true)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let named = others.iter().copied().chain(is_named.then_some(&*origin));
        let embed: Vec<&str> = named.collect();
        let server = PageServer::embedded(Some(week::every_state()), settings(None), None, &embed);
        let address = server.url("/?hold");
        serve_page_around(listener, &address);
        browser.open(&origin, WIDE);
        let tree = browser.call("Page.getFrameTree", &json!({}));
        let frame = &tree["frameTree"]["childFrames"][0]["frame"];
        assert_eq!(frame.get("unreachableUrl").is_none(), is_named, "{embed:?}: {tree}");
        assert_eq!(frame["url"] == address, is_named, "{embed:?}: {tree}");
    }
}
