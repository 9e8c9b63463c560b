//! The feed by the eyes of others: the grammar of RFC 4287, and a parser that is not ours for what
//! a grammar cannot hold.

use crate::support::{
    TempDir,
    page_server::{PageServer, settings},
    week,
};
use atom_syndication::{Feed, FixedDateTime};
use lifesign_core::{judge::State, scopes::Roster};
use lifesign_export::ExportSettings;
use std::{collections::BTreeSet, process::Command};

const GRAMMAR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/atom.rng");
const NASTY: &str = "<b>Côte d'Ivoire & \"北朝鮮\"</b> ]]> &amp; 🛰";

/// Feeds of the real server: of a country that was always well, of one with incidents that are over
/// and one that is not, and of one whose names are markup in many scripts.
fn feeds(temp_dir: &TempDir) -> [(&'static str, String); 3] {
    let feed = |name: &'static str, roster: Roster, state: Option<State>, vantage: &str| {
        let code = roster.countries[0].code.clone();
        let snapshot = week::snapshot(roster, |_| match state {
            Some(state) => week::restless(state),
            None => vec![(State::Up, 160 * week::HOUR)],
        });
        let directory = temp_dir.join(name);
        let store = week::store(&snapshot, &directory);
        let settings = ExportSettings { vantage: vantage.into(), ..settings(None) };
        let server = PageServer::with_past(Some(snapshot), settings, Some(store));
        let answer = server.ask("GET", &format!("/{code}/feed.atom"));
        assert_eq!(answer.code, 200, "{name}: {}", answer.body);
        (name, answer.body)
    };
    let mut nasty = Roster::default();
    nasty.add_country("XN", NASTY);
    nasty.add_network(format!("Star {NASTY}"), None);
    nasty.add_block("127.60.0.0/24".parse().unwrap());
    nasty.add_block("127.60.1.0/24".parse().unwrap());
    [
        feed("empty", week::roster(1, 2, 2), None, "the lab"),
        feed("incidents", week::roster(1, 2, 2), Some(State::Outage), "the lab"),
        feed("nasty", nasty, Some(State::Flapping), NASTY),
    ]
}

#[test]
#[ignore = "needs xmllint; run by tests/run"]
fn each_feed_is_of_the_grammar_of_atom() {
    let temp_dir = TempDir::new("feed-grammar");
    let judged = |name: &str, feed: &str| {
        let file = temp_dir.put(&format!("{name}.atom"), feed);
        let mut command = Command::new("xmllint");
        let output =
            command.args(["--nonet", "--noout", "--relaxng", GRAMMAR, &file]).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let feeds = feeds(&temp_dir);
    for (name, feed) in &feeds {
        let (code, said) = judged(name, feed);
        assert_eq!(code, Some(0), "{name}: {said}{feed}");
    }
    // It does find what is wrong.
    let [_, (_, feed), _] = &feeds;
    for (name, right, wrong) in [
        ("no-id", "<id>", "<identity>"),
        ("no-date", "<updated>2014-12-", "<updated>2014 12 "),
        ("no-address", "rel=\"self\"", "rel=\"self\" hrefs=\"\""),
        ("markup", "<summary>", "<summary><b>so</b>"),
    ] {
        let mut text = feed.replace(right, wrong);
        if name == "no-id" {
            text = text.replace("</id>", "</identity>");
        }
        assert_ne!(text, *feed, "{name}");
        assert_eq!(
            judged(name, &text).0,
            Some(3),
            "{name}: xmllint(1) says 3 of what is not valid"
        );
    }
}

/// A date of Atom has an upper-case T and, where it is UTC, an upper-case Z (RFC 4287 §3.3).
fn is_date(date: &FixedDateTime, feed: &str) -> bool {
    let text = date.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    date.offset().utc_minus_local() == 0 && feed.contains(&format!("<updated>{text}</updated>"))
}

#[test]
fn another_program_reads_what_each_feed_says() {
    let temp_dir = TempDir::new("feed-parser");
    let mut seen = Vec::new();
    for (name, text) in feeds(&temp_dir) {
        let feed: Feed = text.parse().unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        let links = |rel: &str| {
            let links = feed.links.iter().filter(|link| link.rel == rel);
            links.map(|link| link.href.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(links("self"), ["feed.atom"], "{name}");
        assert_eq!(links("alternate").len(), 1, "{name}");
        assert_eq!(feed.authors.len(), 1, "{name}");
        assert!(is_date(&feed.updated, &text), "{name}: {}", feed.updated);
        let newest = feed.entries.iter().map(|entry| entry.updated).max();
        assert!(newest.is_none_or(|newest| newest == feed.updated), "{name}");
        let mut own: Vec<&str> = feed.entries.iter().map(|entry| &*entry.id).collect();
        own.push(&feed.id);
        assert_eq!(own.iter().collect::<BTreeSet<_>>().len(), own.len(), "{name}: {own:?}");
        assert!(own.iter().all(|id| id.starts_with("urn:uuid:")), "{name}: {own:?}");
        for entry in &feed.entries {
            assert!(is_date(&entry.updated, &text), "{name}: {}", entry.updated);
            assert!(entry.links.iter().any(|link| link.rel == "alternate"), "{name}: {}", entry.id);
            let summary = entry.summary.as_ref().map(|summary| summary.value.as_str());
            assert!(summary.is_some_and(|summary| summary.ends_with('.')), "{name}: {summary:?}");
        }
        if name == "nasty" {
            assert_eq!(feed.authors[0].name, NASTY);
            assert_eq!(feed.title.value, format!("{NASTY} (XN), seen from {NASTY}"));
            assert!(feed.entries.iter().any(|entry| {
                let summary = entry.summary.as_ref().map_or("", |summary| &summary.value);
                entry.title.value.starts_with(NASTY) && summary.starts_with(NASTY)
            }));
        }
        seen.push((name, feed.entries.is_empty()));
    }
    assert_eq!(seen, [("empty", true), ("incidents", false), ("nasty", false)]);
}
