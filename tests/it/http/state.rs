//! `/api/v1/state` of large plans, and of a part of one.

use crate::support::{
    TIMEOUT,
    golden::text,
    page_server::{PageServer, settings},
    schema, until, week,
};
use lifesign_core::{
    judge::State,
    scopes::{BlockId, NetworkId, Scope},
    watch::{Settings, Watch},
};
use serde_json::Value;
use std::sync::Arc;

/// A country of 5,030 blocks in which 126 are not up, and one more of four blocks.
fn large(down: impl Fn(u32) -> State) -> PageServer {
    let mut roster = week::roster(1, 5030, 8);
    roster.add_country("XB", "");
    for block in 0..4 {
        roster.add_block(format!("198.18.{block}.0/24").parse().unwrap());
    }
    let roster = Arc::new(roster);
    let watch = Watch::new(roster.clone(), &Settings::default(), week::NOW);
    let mut snapshot = watch.snapshot(week::NOW, 0, 0);
    for scope in roster.scopes() {
        snapshot.scopes[roster.scope_id(scope).index()].verdict.state = match scope {
            Scope::Block(BlockId(number)) => down(number),
            Scope::Network(NetworkId(_)) | Scope::Country(_) => State::Up,
        };
    }
    PageServer::start(Some(snapshot), settings(None))
}

fn ask(server: &PageServer, path: &str) -> Value {
    let answer = server.ask("GET", path);
    assert_eq!(answer.code, 200, "{path}: {}", answer.body);
    assert!(answer.body.len() < 300_000, "{path}: {} bytes", answer.body.len());
    let json = serde_json::from_str(&answer.body).unwrap();
    let schema: Value = serde_json::from_str(&text("docs/api.schema.json")).unwrap();
    assert_eq!(schema::problems(&schema, "state", &json), [""; 0], "{path}");
    json
}

fn blocks(country: &Value) -> &[Value] {
    country["blocks"].as_array().unwrap()
}

#[test]
fn of_many_blocks_those_that_differ_are_told_the_gravest_first() {
    let server = large(|number| match number {
        number if number % 500 == 7 => State::Outage,
        number if number % 40 == 0 => State::Degraded,
        _ => State::Up,
    });
    let state = ask(&server, "/api/v1/state");
    let [large, small] = state["countries"].as_array().unwrap().as_slice() else {
        panic!("{state}")
    };
    let shown = |state: &str| blocks(large).iter().filter(|block| block["state"] == state).count();
    assert_eq!((shown("outage"), shown("degraded"), shown("up")), (11, 89, 0));
    assert_eq!(large["blocks_left_out"], 4930);
    assert!(blocks(large).iter().all(|block| block["targets"].is_null()));
    assert_eq!((blocks(small).len(), &small["blocks_left_out"]), (0, &4.into()));
}

#[test]
fn a_part_is_told_whole() {
    let server = large(|_| State::Up);
    let state = ask(&server, "/api/v1/state?scope=xb");
    let [small] = state["countries"].as_array().unwrap().as_slice() else { panic!("{state}") };
    assert_eq!((blocks(small).len(), &small["blocks_left_out"]), (4, &0.into()));
    assert!(blocks(small).iter().all(|block| block["targets"].is_array()));
    let state = ask(&server, "/api/v1/state?scope=127.60.7.0/24");
    let [large] = state["countries"].as_array().unwrap().as_slice() else { panic!("{state}") };
    let [block] = blocks(large) else { panic!("{large}") };
    assert_eq!(block["prefix"], "127.60.7.0/24");
    assert_eq!(block["targets"].as_array().unwrap().len(), 16);
    assert_eq!(large["blocks_left_out"], 5029);
}

#[test]
fn what_cannot_be_asked_is_said() {
    let server = large(|_| State::Up);
    for (query, status, said) in [
        (
            "scope=XC",
            404,
            "\"XC\" is not watched; there are X0, XB; of what is in them, the nearest are ",
        ),
        ("range=7d", 400, "\"range\" is no query here"),
        ("scope=XB&hold", 400, "\"hold\" is no query here"),
        ("scop=XB", 400, "\"scop\" is no query"),
    ] {
        let answer = server.ask("GET", &format!("/api/v1/state?{query}"));
        assert_eq!(answer.code, status, "{query}");
        assert!(answer.body.starts_with(said), "{query}: {}", answer.body);
    }
}

/// A snapshot comes each second while a watch goes on.
#[test]
fn a_watch_that_makes_nothing_new_is_not_healthy() {
    let snapshot = || week::snapshot(week::roster(1, 1, 2), |_| vec![(State::Up, week::HOUR)]);
    let server = PageServer::start(Some(snapshot()), settings(None));
    let healthy = || server.ask("GET", "/-/healthy");
    assert_eq!(healthy().code, 200);
    until(TIMEOUT, "word that it is stuck", || {
        let answer = healthy();
        if answer.code == 503 { Ok(answer) } else { Err(answer.body) }
    });
    assert_eq!(healthy().body, "the watch is stuck\n");
    server.snapshots.send_replace(Some(Arc::new(snapshot())));
    until(TIMEOUT, "health", || if healthy().code == 200 { Ok(()) } else { Err(String::new()) });
}
